"""The real sets brought in whole: their counts are those of the oracle, and the standard says what it still asks."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from lifecycle import engine
from lifecycle.audit.verify import verify
from lifecycle.calendar import china
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.demo.case import Case, Product
from lifecycle.demo.gates import hand_in_all
from lifecycle.demo.people import founding
from lifecycle.demo.stages import feasibility, make_and_prove
from lifecycle.demo.story import Chapter, Perform, Steps, Story, tell
from lifecycle.imports.mapping import SHIPPED, Mapping, load_mapping
from lifecycle.imports.portfolio import How
from lifecycle.installation import initialise, write_edges
from lifecycle.invariants.check import all_checks, check
from lifecycle.projects.commands import NameParty
from lifecycle.verbs import all_edges
from lifecycle.verdicts.cache import verdicts_of
from models.db import reading, transaction
from models.ids import new_id
from models.projects import Project
from models.reading import table_of
from tests.factories import House
from tests.lifecycle.imports.bringing import brought, fates, project

pytestmark = pytest.mark.reference

LEVELS = {"G2": (5, 4), "G3": (7, 7)}
"""TRL and MRL proved for each gate: what the source claims came without evidence."""


def shipped(name: str) -> Mapping:
    return load_mapping(SHIPPED / f"{name}.yaml")


def facts(folder: Path) -> Any:
    return json.loads((folder / "facts.json").read_text(encoding="utf-8"))


def assert_sound(house: House) -> None:
    with reading(house.engine) as session:
        assert verify(session).problems == ()
        broken = [(one.id, one.sample) for one in check(session, all_checks(), now=house.now).results if not one.is_ok]
    assert broken == []


def asked_of_ten(house: House) -> list[list[Any]]:
    """What the gate still asks of ten projects that have not ended."""
    with reading(house.engine) as session:
        table = table_of(Project)
        rows = session.execute(table.select().where(table.c.stage_run_id.is_not(None)).limit(10)).all()
        return [
            [one for one in verdicts if not one.passes] for _, verdicts in verdicts_of(session, rows, house.stamp())
        ]


def assert_the_standard_asks(house: House) -> None:
    for unmet in asked_of_ten(house):
        assert unmet
        assert all(verdict.owed_by for verdict in unmet)


class TestTechport:
    def test_comes_in_with_the_levels_of_the_oracle(self, house: House, reference_data: Path) -> None:
        folder = reference_data / "techport"
        report = brought(house, folder / "techport_projects.csv", shipped("techport"))
        oracle = facts(folder)
        assert fates(report) == {"new": oracle["rows"]}
        claims = house.one("SELECT count(*) FROM maturity_claim WHERE scale = 'trl'")
        assert claims == oracle["rows"] - oracle["trl_current_missing"]
        stored = [json.loads(row.outside) for row in house.rows("SELECT outside FROM project")]
        assert Counter(one["facts"]["source_status"] for one in stored) == oracle["status"]
        assert sum("trl_goal" in one["missing"] for one in stored) == oracle["trl_end_missing"]
        assert_the_standard_asks(house)
        assert_sound(house)


class TestEuProjects:
    def test_come_in_as_far_as_their_amounts_can(self, house: House, reference_data: Path) -> None:
        folder = reference_data / "eu_projects"
        path, how, oracle = folder / "fp_projects.csv", shipped("eu_projects"), facts(folder)
        whole = brought(house, path, how)
        assert (whole.is_written, whole.wrong) == (False, 14)
        report = brought(house, path, how, mode=How.PARTIAL)
        assert fates(report) == {"new": oracle["projects"] - 14, "wrong": 14}
        assert {error.code for error in report.errors} == {"amount_decimals"}
        assert house.one("SELECT count(*) FROM project WHERE organisation_id IS NULL") == oracle["projects"] - 14
        assert_the_standard_asks(house)
        assert_sound(house)

    def test_cases_come_in_but_for_two(self, house: House, reference_data: Path) -> None:
        folder = reference_data / "eu_projects"
        report = brought(house, folder / "ips_cases.csv", shipped("eu_cases"), mode=How.PARTIAL)
        assert fates(report) == {"new": facts(folder)["ips_cases"] - 2, "wrong": 2}
        assert_sound(house)


class TestChineseProjects:
    def test_come_in_with_their_parents(self, house: House, reference_data: Path) -> None:
        path = reference_data / "cn_projects" / "nkrd_materials_genome_2016_2018.csv"
        report = brought(house, path, shipped("cn_projects"), mode=How.PARTIAL)
        assert fates(report) == {"new": 226, "wrong": 2}
        orphans = "SELECT count(*) FROM project WHERE parent_key NOT IN (SELECT outside_key FROM project)"
        assert house.one(orphans) == 0
        assert_the_standard_asks(house)
        assert_sound(house)


FIRST_OF_SBIR = {"phase1_2018": 1, "phase2_2017": 2}
ALL_OF_SBIR = {"phase1_1983_1990": 1, "phase2_1984_2002": 2, **FIRST_OF_SBIR}
"""Twenty thousand projects take minutes: `make prove` brings them all in."""


@pytest.mark.long
class TestSbir:
    @pytest.mark.parametrize("files", [FIRST_OF_SBIR, pytest.param(ALL_OF_SBIR, marks=pytest.mark.prove)], ids=len)
    def test_comes_in_whole_and_once(self, house: House, reference_data: Path, files: dict[str, int]) -> None:
        folder = reference_data / "sbir"
        oracle = facts(folder)
        for name, phase in files.items():
            report = brought(house, folder / f"{name}.csv.gz", shipped(f"sbir_phase{phase}"))
            assert (fates(report), report.is_written) == ({"new": oracle[name]["rows"]}, True)
        assert house.one("SELECT count(*) FROM project") == sum(oracle[name]["rows"] for name in files)
        if files == ALL_OF_SBIR:
            firms = house.one("SELECT count(*) FROM organisation WHERE outside_key LIKE 'sbir:%'")
            assert (firms, house.one("SELECT count(*) FROM project")) == (oracle["facts"]["firms"], 8_010 + 12_112)
        again = brought(house, folder / "phase1_2018.csv.gz", shipped("sbir_phase1"))
        assert (fates(again), again.is_written) == ({"unchanged": oracle["phase1_2018"]["rows"]}, False)
        assert_the_standard_asks(house)
        assert_sound(house)


class TestOneOfTechport:
    def test_passes_two_gates_with_the_papers_that_they_ask_for(
        self, sqlite_engine: Engine, reference_data: Path
    ) -> None:
        house, story = House(sqlite_engine), Story(calendar=china(), new_id=new_id, keep=_hashed)
        with transaction(house.engine) as session:
            initialise(session, mode="rehearsal", now=house.now, new_id=new_id)
            write_edges(session, all_edges())
        _told(house, story, founding, until=date(2025, 7, 2))
        house.programmes["default"] = story.programmes["HW-2025"]
        house.parties["platform"] = story.organisations["hardware"]
        house.people["admin"] = story.people["admin"]
        path = reference_data / "techport" / "techport_projects.csv"
        assert brought(house, path, without_applicant(shipped("techport"))).wrong == 0
        first = house.rows("SELECT * FROM project WHERE stage = 'feasibility' ORDER BY number LIMIT 1")[0]
        case = Case(
            product=Product(name=first.name, technology="as imported", firm="weidao", levels=LEVELS),
            project_id=UUID(first.id),
            number=first.number,
            pack=story.packs["HW-2025"],
        )

        def passes(story: Story) -> Steps:
            yield date(2025, 7, 8)
            named = {"party": "sme", "organisation_id": story.organisations["weidao"]}
            story.act("coordinator", NameParty, project_id=case.project_id, **named)
            hand_in_all(story, case, "need_form")
            proved = yield from feasibility(story, case, date(2025, 7, 9), date(2025, 9, 1))
            yield from make_and_prove()(story, proved, date(2025, 9, 2), date(2025, 12, 19))

        _told(house, story, passes, until=date(2026, 1, 31))
        assert project(house, first.outside_key).stage == "market_validation"
        assert_sound(house)


def without_applicant(how: Mapping) -> Mapping:
    """Keep the centre that leads a project as a fact: the firm that brings it into production is named here."""
    columns = [rule.model_dump(by_alias=True) for rule in how.columns if rule.to != "organisation"]
    columns.append({"column": "lead_org", "to": "fact", "label": "lead_organisation"})
    return Mapping.model_validate({**how.model_dump(by_alias=True), "columns": columns, "required": ["name"]})


def _hashed(content: bytes) -> str:
    return sha256(content).hexdigest()


def _told(house: House, story: Story, chapter: Chapter, *, until: date) -> None:
    """Let the story go on in transactions of this house."""

    @contextmanager
    def scene() -> Iterator[Perform]:
        with transaction(house.engine) as session:

            def perform(commands: Sequence[Command], stamp: Stamp) -> Sequence[Answer]:
                return engine.execute(session, commands, stamp=stamp)

            yield perform

    for _ in tell(story, [chapter], until=until, scene=scene):
        pass
