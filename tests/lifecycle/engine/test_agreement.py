"""Dry run, explain and the real thing are one engine: whatever the state and the actor, they say the same."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle import engine as melody
from lifecycle.commands import REGISTRY, Answer, Command
from lifecycle.errors import Forbidden, NotFound, Refused
from models.db import make_engine, reading, transaction
from models.states import ProjectState, Role
from tests.conftest import copied
from tests.factories import House, hand_in, key, name_members, projects, put_on_hold, reviews
from tests.lifecycle.recipes import RECIPES

ACTORS = (
    Role.COORDINATOR,
    Role.PROJECT_LEAD,
    Role.PANEL_CHAIR,
    Role.EXPERT,
    Role.EHS_OFFICER,
    Role.SPONSOR,
    Role.QUALITY_ENGINEER,
    Role.AUDITOR,
    "stranger",
    "other coordinator",
    "clock",
)


DRAWN_BY_THE_DOOR = {"user.sign_in", "invitation.ask_link"}
"""They bring a token of 256 random bits that no second command has."""


class Scene:
    """Projects and reviews in every situation, and for every verb a command that can be aimed at any of them."""

    def __init__(self, house: House) -> None:
        self.house = house
        # What retires an account or stops all payments stands last: the others pay while they prepare.
        verbs = sorted(RECIPES, key=lambda verb: (verb.startswith("disbursement."), verb == "batch.take_back"))
        self.commands = {verb: RECIPES[verb].make(house, 1)[0] for verb in verbs}
        ids = [one for stage in ProjectState for one in self._in(stage)]
        held, lean, ready = projects(house, stage=ProjectState.SMALL_BATCH_TRIAL)[0], *projects(house, 2, pack="lean")
        put_on_hold(house, held, code="ehs")
        hand_in(house, ready)
        name_members(house, lean, ready)
        self.reviews = []
        for state in ("called", "scoring", "voted", "proposed"):
            at, called = reviews(house, state=state)
            ids += at
            self.reviews += called
        self.projects = [*ids, held, lean, ready, UUID(int=9)]

    def _in(self, stage: ProjectState) -> list[UUID]:
        if stage in (ProjectState.WITHDRAWN, ProjectState.STOPPED):
            verb = "project.withdraw" if stage == ProjectState.WITHDRAWN else "project.stop"
            (command,) = RECIPES[verb].make(self.house, 1)
            self.house.do(command, by=RECIPES[verb].by)
            return [command.project_id]  # type: ignore[attr-defined]
        return projects(self.house, stage=stage)

    def aimed(self, verb: str, place: int, version: int | None) -> Command:
        """Return this verb's command for one of the subjects."""
        command: Any = self.commands[verb]
        more: dict[str, Any] = {"command_id": key(), "expected_version": version}
        if hasattr(command, "review_id"):
            more["review_id"] = self.reviews[place % len(self.reviews)]
        elif hasattr(command, "project_id"):
            more["project_id"] = self.projects[place % len(self.projects)]
        made: Command = replace(command, **more)
        return made


@pytest.fixture(scope="module")
def scene(sqlite_house_template: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    path, template = sqlite_house_template
    file = tmp_path_factory.mktemp("scene") / "house.db"
    shutil.copyfile(path, file)
    engine = make_engine(str(file))
    yield Scene(copied(template, engine))
    engine.dispose()


class UndoneError(Exception):
    """Ends a transaction without storing anything."""


def played(house: House, by: str, *batches: list[Command]) -> list[Answer]:
    """Play batches one after the other to the end, and leave no trace."""
    answers: list[Answer] = []

    def play() -> None:
        with transaction(house.engine) as session:
            for batch in batches:
                answers.extend(melody.execute(session, batch, stamp=house.stamp(by)))
            raise UndoneError

    with suppress(UndoneError):
        play()
    return answers


def said(answer: Answer) -> Any:
    """Return what two ways of asking must agree on; ids that are drawn anew are left out."""
    if answer.error is not None:
        return type(answer.error), answer.unmet
    return {name: answer.document[name] for name in ("object_type", "state", "version")}


command_for = st.tuples(
    st.sampled_from(sorted(RECIPES.keys() - DRAWN_BY_THE_DOOR)),
    st.integers(0, 40),
    st.sampled_from([None, None, None, 1, 77]),
)


class TestOneEngine:
    @given(aim=command_for, by=st.sampled_from(ACTORS))
    @settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_a_dry_run_answers_as_the_real_thing(self, scene: Scene, aim: tuple[str, int, int | None], by: str) -> None:
        command = scene.aimed(*aim)
        with reading(scene.house.engine) as session:
            (rehearsed,) = melody.rehearse(session, [command], stamp=scene.house.stamp(by))

        (executed,) = played(scene.house, by, [command])

        assert said(rehearsed) == said(executed)

    @given(aim=command_for, by=st.sampled_from(ACTORS))
    @settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_explain_names_what_the_real_thing_refuses_with(
        self, scene: Scene, aim: tuple[str, int, int | None], by: str
    ) -> None:
        verb = REGISTRY[type(scene.commands[aim[0]])]
        if verb.subject_id is None or verb.permission in ("review.propose", "project.recycle"):
            # explained for a go, and for this stage again: another outcome or target has reasons of its own
            return
        command = scene.aimed(aim[0], aim[1], None)
        subject = verb.subject_id(command)
        (executed,) = played(scene.house, by, [command])

        with reading(scene.house.engine) as session:
            try:
                ((_, reasons),) = melody.explain(session, subject, [verb], stamp=scene.house.stamp(by))
            except NotFound:
                reasons = None

        if isinstance(executed.error, NotFound):
            assert reasons is None
            return
        assert reasons is not None
        if executed.is_done:
            assert reasons == ()  # what was carried out had nothing in its way but input
        elif isinstance(executed.error, Forbidden):
            assert all(reason in reasons for reason in executed.unmet)
        elif isinstance(executed.error, Refused):
            assert all(reason in executed.unmet for reason in reasons)

    @pytest.mark.parametrize("verb", sorted(RECIPES.keys() - DRAWN_BY_THE_DOOR))
    def test_the_same_wish_under_another_key_is_answered_alike_in_one_batch_and_after_it(
        self, house: House, verb: str
    ) -> None:
        recipe = RECIPES[verb]
        (command,) = recipe.make(house, 1)
        wishes = [command, replace(command, command_id=key())]

        together = played(house, recipe.by, wishes)

        single = played(house, recipe.by, *([one] for one in wishes))
        assert [said(answer) for answer in together] == [said(answer) for answer in single]
        assert together[0].is_done

    @given(aims=st.lists(command_for, min_size=2, max_size=5), by=st.sampled_from(ACTORS))
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_many_commands_at_once_are_answered_as_one_after_the_other(
        self, scene: Scene, aims: list[tuple[str, int, int | None]], by: str
    ) -> None:
        commands = [scene.aimed(*aim) for aim in aims]

        together = played(scene.house, by, commands)

        single = played(scene.house, by, *([command] for command in commands))
        assert [said(answer) for answer in together] == [said(answer) for answer in single]
