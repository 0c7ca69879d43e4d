"""The life of one command of every verb: out of reach, forbidden, stale, rehearsed, explained, done, repeated."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from lifecycle import engine as melody
from lifecycle.commands import REGISTRY, Answer, Command, Verb
from lifecycle.errors import Forbidden, NotFound, Stale
from lifecycle.permissions import PERMISSIONS
from lifecycle.verbs import BY_NAME
from models.db import reading
from models.people import User
from models.states import Role
from tests.conftest import copied_into
from tests.digest import changed, digest
from tests.factories import House, key
from tests.lifecycle.recipes import RECIPES, Recipe

VERBS = sorted(f"{object_type}.{name}" for object_type, name in BY_NAME)
ABOUT_NO_PROJECT = (
    "calendar",
    "schedule",
    "disbursement",
    "outbox",
    "webhook",
    "organisation",
    "payee_account",
    "user",
    "invitation",
    "programme",
    "standard",
    "standard_draft",
)
BIRTHS = ("register", "import", "publish")


def test_every_verb_has_a_recipe_and_a_permission() -> None:
    assert sorted(RECIPES) == VERBS
    assert sorted(PERMISSIONS) == VERBS


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command given, and what it changed."""

    answer: Answer
    tables: frozenset[str]
    """Tables that differ afterwards."""
    acts: tuple[str, ...]
    """Actions of the new audit rows."""
    moves: tuple[Any, ...]
    tells: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    """(actor, verb) of the new command rows."""
    versions: int
    """How much the versions of all subjects grew together."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """One command on its way."""

    verb: Verb[Any, Any]
    recipe: Recipe
    by: UUID
    command: Command
    by_stranger: Step
    by_auditor: Step
    outdated: Step
    rehearsed: Answer
    explained: tuple[str, ...] | None
    looked: set[str]
    """Tables that rehearsing and explaining changed."""
    done: Step
    repeated: Step


@pytest.fixture(scope="module", params=VERBS)
def life(
    request: pytest.FixtureRequest, sqlite_house_template: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Life]:
    """Bring a command about once, and give it in every way."""
    house = copied_into(sqlite_house_template, tmp_path_factory.mktemp("life") / "house.db")
    engine = house.engine
    recipe = RECIPES[request.param]
    (command,) = recipe.make(house, 1)
    verb = REGISTRY[type(command)]
    by_stranger = step(house, command, "nobody" if verb.object_type in ABOUT_NO_PROJECT else "stranger")
    by_auditor = step(house, command, Role.AUDITOR)
    is_birth = REGISTRY[type(command)].subject is None
    outdated = (
        by_auditor if is_birth else step(house, replace(command, command_id=key(), expected_version=99), recipe.by)
    )
    before = digest(engine)
    rehearsed, explained = rehearse(house, command, recipe.by), explain(house, command, recipe.by)
    looked = changed(before, digest(engine))
    yield Life(
        verb=verb,
        recipe=recipe,
        by=house.people[recipe.by].user_id,
        command=command,
        by_stranger=by_stranger,
        by_auditor=by_auditor,
        outdated=outdated,
        rehearsed=rehearsed,
        explained=explained,
        looked=looked,
        done=step(house, command, recipe.by),
        repeated=step(house, command, recipe.by),
    )
    engine.dispose()


def step(house: House, command: Command, by: str) -> Step:
    """Give the command and look at what it changed."""
    before, audit, moves = digest(house.engine), last(house, "v_audit"), last(house, "v_transition")
    told, known, versions = (
        ids(house, "v_outbox", "id"),
        ids(house, "v_command", "actor_id || command_id"),
        grown(house),
    )
    (answer,) = house.ask(command, by=by)
    return Step(
        answer=answer,
        tables=frozenset(changed(before, digest(house.engine))),
        acts=tuple(row.action for row in house.rows(f"SELECT action FROM v_audit WHERE seq > {audit} ORDER BY seq")),
        moves=tuple(
            tuple(row)
            for row in house.rows(
                f"SELECT object_type, event, from_state, to_state FROM v_transition WHERE seq > {moves} ORDER BY seq"
            )
        ),
        tells=tuple(
            row.kind for row in house.rows("SELECT id, kind FROM v_outbox ORDER BY kind") if row.id not in told
        ),
        keys=tuple(
            (row.actor_id, row.verb)
            for row in house.rows("SELECT actor_id, verb, actor_id || command_id AS key FROM v_command")
            if row.key not in known
        ),
        versions=grown(house) - versions,
    )


def last(house: House, view: str) -> int:
    return int(house.one(f"SELECT COALESCE(MAX(seq), 0) FROM {view}"))


def ids(house: House, view: str, column: str) -> set[Any]:
    return {row[0] for row in house.rows(f"SELECT {column} FROM {view}")}


SUBJECTS = (
    "organisation",
    "app_user",
    "standard_pack",
    "programme",
    "project",
    "stage_run",
    "requirement",
    "webhook_endpoint",
    "standard_draft",
)


def grown(house: House) -> int:
    """Return the sum of all versions; requirements begin with 1 without an act of their own."""
    tables = (
        *SUBJECTS,
        "disbursement",
        "invitation",
        "working_calendar",
        "evidence",
        "review",
        "trial_batch",
        "fund",
        "fund_source",
        "agreement",
        "milestone",
        "cost_statement",
        "payee_account",
        "payout",
        "payment_batch",
        "bank_statement",
        "exception_case",
        "recovery_order",
    )
    sums = " + ".join(f"(SELECT COALESCE(SUM(version - {int(t == 'requirement')}), 0) FROM {t})" for t in tables)
    return int(house.one(f"SELECT {sums}"))


def rehearse(house: House, command: Command, by: str) -> Answer:
    with reading(house.engine) as session:
        (answer,) = melody.rehearse(session, [command], stamp=house.stamp(by))
    return answer


def explain(house: House, command: Command, by: str) -> tuple[str, ...] | None:
    """Return the codes that explain names for a verb, or None where nothing exists yet."""
    verb = REGISTRY[type(command)]
    if verb.subject_id is None:
        return None
    with reading(house.engine) as session:
        ((_, reasons),) = melody.explain(session, verb.subject_id(command), [verb], stamp=house.stamp(by))
    return tuple(reason.code for reason in reasons)


class TestWhoMayNot:
    def test_somebody_out_of_reach_finds_nothing_and_nothing_is_written(self, life: Life) -> None:
        if life.verb.object_type in ABOUT_NO_PROJECT or life.verb.subject is None:
            assert isinstance(life.by_stranger.answer.error, Forbidden)
            return
        assert isinstance(life.by_stranger.answer.error, NotFound)
        assert life.by_stranger.answer.error.codes == ("not_found",)
        assert life.by_stranger.tables == frozenset()

    def test_who_sees_it_without_the_role_leaves_one_audit_row(self, life: Life) -> None:
        """In the chain of what it is about; of what does not exist yet, in that of the account that tried."""
        assert isinstance(life.by_auditor.answer.error, Forbidden)
        assert life.by_auditor.answer.error.codes == ("role",)
        assert life.by_auditor.acts == (f"{life.verb.permission}.refused",)
        chain = life.verb.subject or User
        assert life.by_auditor.tables == {str(chain.__tablename__), "audit_record"}
        assert life.by_auditor.versions == 0

    def test_an_old_version_is_stale_and_writes_nothing(self, life: Life) -> None:
        if life.verb.subject is None:
            return  # nothing was there that could have been seen
        assert isinstance(life.outdated.answer.error, Stale)
        assert life.outdated.tables == frozenset()


class TestWhoMay:
    def test_leaves_exactly_its_lines(self, life: Life) -> None:
        assert life.done.answer.error is None
        assert life.done.acts == life.recipe.acts
        assert life.done.moves == life.recipe.moves
        assert life.done.tells == life.recipe.tells
        assert life.done.keys == ((str(life.by), life.verb.permission),)

    def test_raises_one_version_for_each_act(self, life: Life) -> None:
        assert life.done.versions == len(life.recipe.acts)

    def test_is_answered_with_what_the_contract_names(self, life: Life) -> None:
        document = dict(life.done.answer.document)
        assert {"object_type", "object_id", "state", "version", "transition_seq"} <= set(document)
        assert document["command_id"] == life.command.command_id
        assert document["replayed"] is False

    def test_a_repeat_gives_the_stored_answer_and_writes_nothing(self, life: Life) -> None:
        assert life.repeated.answer.is_replay
        assert life.repeated.answer.document == {**life.done.answer.document, "replayed": True}
        assert life.repeated.tables == frozenset()


class TestAskedBefore:
    def test_nothing_is_written(self, life: Life) -> None:
        assert life.looked == set()

    def test_a_dry_run_says_what_will_be(self, life: Life) -> None:
        said, became = life.rehearsed.document, life.done.answer.document
        assert life.rehearsed.error is None
        assert said["dry_run"] is True
        assert {name: said[name] for name in ("object_type", "state", "version")} == {
            name: became[name] for name in ("object_type", "state", "version")
        }

    def test_explain_finds_nothing_in_the_way(self, life: Life) -> None:
        assert life.explained in (None, ())
