"""`docs/contract.md` says what the program does: every table of it that can be compared is compared."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect

from cli import errors
from lifecycle.audit.findings import ProblemKind
from lifecycle.audit.keys import new_key
from lifecycle.audit.verify import verify
from lifecycle.invariants.check import EVIDENCE_FILES, all_checks, check, with_evidence_files
from lifecycle.projects.registration import RegisterProject
from lifecycle.recovery import Found, sweep
from lifecycle.verbs import CHARTS, all_edges
from models import ports
from models.db import reading
from models.file_store import MemoryFiles
from models.settings import PREFIX, Settings, known_variables
from models.states import (
    MilestoneState,
    OrganisationKind,
    PaymentBatchState,
    PayoutState,
    ProjectState,
    ReviewState,
    Role,
    StageRunState,
)
from models.tables import subject_tables
from models.views import COLUMNS
from tests.lifecycle.audit.conftest import signed
from tests.lifecycle.world import NOW, a_world

CONTRACT = (Path(__file__).parent.parent.parent / "docs" / "contract.md").read_text(encoding="utf-8")


def table(header: str) -> Iterator[list[str]]:
    """Yield the rows of the one table that has this header."""
    lines = CONTRACT.splitlines()
    start = lines.index(header)
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def words(cell: str) -> list[str]:
    """Return what stands in backticks, one word each."""
    return [word.strip() for quoted in re.findall(r"`([^`]+)`", cell) for word in quoted.split(",")]


class TestViews:
    def test_stand_in_the_contract_with_their_columns_in_order(self) -> None:
        said = {words(view)[0]: tuple(words(columns)) for view, columns in table("| View | Columns |")}
        assert said == COLUMNS

    def test_are_in_the_database_and_no_others(self, engine: Engine) -> None:
        inspector = inspect(engine)
        assert set(inspector.get_view_names()) == set(COLUMNS)
        for view, columns in COLUMNS.items():
            assert tuple(column["name"] for column in inspector.get_columns(view)) == columns


class TestStates:
    def test_and_events_stand_in_the_contract(self) -> None:
        states = {
            "project": ProjectState,
            "stage_run": StageRunState,
            "review": ReviewState,
            "milestone": MilestoneState,
            "payout": PayoutState,
            "batch": PaymentBatchState,
        }
        for kind, said, events in table("| Object | States | Events |"):
            (name,) = words(kind)
            drawn = {event for object_type, _, event, _, _ in all_edges() if object_type == name}
            assert words(said) == [state.value for state in states.pop(name)]
            assert not drawn or set(words(events)) == drawn  # a chart that is not there yet has no arrows
            assert drawn or name not in CHARTS
        assert not states


class TestKindsOfObjects:
    def test_stand_in_the_contract(self) -> None:
        said = re.search(r"Kinds of object in the audit trail: (.*?)\.\n", CONTRACT, re.DOTALL)
        assert said is not None
        assert words(said[1]) == sorted(subject_tables())


class TestVariables:
    def test_stand_in_the_contract_with_their_defaults(self) -> None:
        said = {words(name)[0]: default for name, _, default in table("| Variable | Meaning | Default |")}
        assert set(said) == known_variables()
        for name, field in Settings.model_fields.items():
            default = "–" if field.default is None else f"`{field.default}`"
            assert said[f"{PREFIX}{name.upper()}"] == default
        for name in known_variables() - {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}:
            assert said[name] in {"later", "–"}


class TestExitCodes:
    def test_are_those_of_the_command_line(self) -> None:
        for code, name, _ in table("| Exit | Name | Meaning |"):
            assert getattr(errors, name.upper()) == int(code)


class TestDocuments:
    @pytest.fixture
    def keys(self) -> dict[str, list[str]]:
        return {name: words(keys) for name, keys in table("| Document | Keys |")}

    def test_of_check_and_recover_have_these_keys(self, keys: dict[str, list[str]], sqlite_engine: Engine) -> None:
        with reading(sqlite_engine) as session:
            report = check(session, all_checks(), now=NOW)
        document = with_evidence_files(report, MemoryFiles()).document()
        assert list(document) == keys["check"]
        assert list(document["checks"][0]) == keys["check.checks[]"]
        assert list(document["frozen"]) == keys["check.frozen"]

        document = sweep(Found(), MemoryFiles(), now=NOW)
        assert list(document) == keys["recover"]
        assert list(document["swept"]) == keys["recover.swept"]

    def test_of_the_audit_trail_have_these_keys(self, keys: dict[str, list[str]], sqlite_engine: Engine) -> None:
        world, _, _ = a_world(sqlite_engine)
        assert list(signed(world, new_key()).document("1.json")) == keys["checkpoint"]
        with reading(sqlite_engine) as session:
            document = verify(session, files={"1.json": b"no checkpoint"}).document()
        assert list(document) == keys["verify"]
        assert list(document["problems"][0]) == keys["verify.problems[]"]
        assert list(document["checkpoints"][0]) == keys["verify.checkpoints[]"]

    def test_of_a_verb_have_these_keys(self, keys: dict[str, list[str]], sqlite_engine: Engine) -> None:
        world, programme, firm = a_world(sqlite_engine)
        (answer,) = world.act(
            RegisterProject(command_id="one", programme_id=programme, organisation_id=firm, name="Robot")
        )
        assert set(keys["verb"]) <= set(answer.document)

    def test_of_a_checkpoint_file_have_these_keys(self, sqlite_engine: Engine) -> None:
        world, _, _ = a_world(sqlite_engine)
        said = re.search(r'\{"format": "pilotway-checkpoint/1".*?\}', CONTRACT, re.DOTALL)
        assert said is not None
        document = json.loads(signed(world, new_key()).content)
        assert set(re.findall(r'"(\w+)"', said[0])) == set(document)


class TestScenario:
    def test_can_give_every_role_and_enter_every_kind_of_organisation(self) -> None:
        for heading, words_of in (("Roles", Role), ("Kinds of organisations", OrganisationKind)):
            said = re.search(rf"^- {heading}: (.*?)\.(?:\n| `)", CONTRACT, re.DOTALL | re.MULTILINE)
            assert said is not None
            assert words(said[1]) == list(words_of)

    def test_names_every_port_with_its_methods(self) -> None:
        for name, methods, _ in table("| Port | Methods | Adapters |"):
            port = getattr(ports, words(name)[0])
            assert words(methods) == [one for one in vars(port) if not one.startswith("_")]


class TestProblems:
    def test_have_these_kinds(self) -> None:
        assert [words(kind)[0] for kind, _ in table("| Kind of problem | What it says |")] == list(ProblemKind)


class TestInvariants:
    def test_that_stop_disbursement_are_marked(self) -> None:
        marked = {words(one)[0] for one, _, said in table("| Id | Name | What must be true |") if said.startswith("✱")}
        assert marked == {one.id for one in all_checks() if one.is_of_money}

    def test_have_these_ids_and_names(self) -> None:
        said = {words(one)[0]: name for one, name, _ in table("| Id | Name | What must be true |")}
        contributed = {EVIDENCE_FILES: "evidence-files", "H05": "fresh-verdicts"}
        assert said == {one.id: one.name for one in all_checks()} | contributed
