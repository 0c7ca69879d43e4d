"""The robot's story: its figures on 21 November, its end, and that it is the same each time."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from lifecycle.audit.verify import verify
from lifecycle.calendar import china
from lifecycle.demo.people import founding
from lifecycle.demo.robot import ROBOT, robot
from lifecycle.invariants.check import all_checks, check
from lifecycle.stages.statistics import clopper_pearson_lower
from models.clock import SystemClock
from models.db import reading
from tests.stories.telling import gate, played, rows

TODAY = date(2025, 11, 21)
STORY = (founding, robot)


@pytest.fixture(scope="module")
def november(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The story as it stands on 21 November 2025."""
    engine = played(sqlite_template, tmp_path_factory.mktemp("november") / "story.db", TODAY, STORY)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def finished(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The story told to its end."""
    engine = played(sqlite_template, tmp_path_factory.mktemp("finished") / "story.db", date(2026, 7, 1), STORY)
    yield engine
    engine.dispose()


class TestOn21November:
    def test_three_of_fourteen_are_open_and_each_is_owed_by_somebody(self, november: Engine) -> None:
        verdicts = gate(november, ROBOT.name, TODAY)

        open_ones = {
            clause: (str(one.state), one.code, one.owed_by[0].party, str(one.due_on))
            for clause, one in verdicts.items()
            if not one.passes
        }
        assert len(verdicts) == 14
        assert open_ones == {
            "G3.1": ("not_enough_evidence", "too_few_runs", "sme", "2025-11-24"),
            "G3.4": ("not_enough_evidence", "yield_bound_too_low", "sme", "2025-11-24"),
            "G3.8": ("waiting", "judgement_waiting", "platform", "2025-11-24"),
        }

    def test_the_second_batch_has_93_3_percent_and_a_bound_of_87_3(self, november: Engine) -> None:
        said = gate(november, ROBOT.name, TODAY)["G3.4"].values

        assert (said["batch"], said["k"], said["n"], said["bound_limit"], said["open"]) == (
            "B-02",
            84,
            90,
            0.90,
            ["B-03"],
        )
        assert (f"{said['point']:.1%}", f"{said['bound']:.1%}", said["flawless_units"]) == ("93.3%", "87.3%", 29)

    def test_the_first_batch_had_82_0_percent(self, november: Engine) -> None:
        ((started, good),) = rows(
            november,
            "SELECT f.started, f.passed_first_time FROM batch_figure f JOIN trial_batch b ON b.id = f.batch_id"
            " WHERE b.number = 'B-01'",
        )

        bound = clopper_pearson_lower(good, started, confidence=0.95)
        assert (f"{bound.point:.1%}", f"{bound.lower:.1%}") == ("82.0%", "70.7%")

    def test_it_is_day_61_of_45(self, november: Engine) -> None:
        visits = rows(
            november,
            "SELECT opened_on, closed_on, due_on FROM stage_run WHERE stage = 'small_batch_trial' ORDER BY visit",
        )
        days = [tuple(date.fromisoformat(day) if day else TODAY for day in visit) for visit in visits]

        assert sum(china().working_days_between(opened, closed) for opened, closed, _ in days) == 61
        assert china().working_days_between(days[-1][2], TODAY) == 16

    def test_the_list_of_18_november_names_all_three_things(self, november: Engine) -> None:
        ((clauses, issued),) = rows(november, "SELECT clauses, issued_on FROM completion_notice")

        assert (clauses, issued) == ('["G3.1","G3.4","trial_agreement_signed"]', "2025-11-18")

    def test_what_is_cached_is_what_is_judged(self, november: Engine) -> None:
        cached = dict(
            rows(
                november,
                "SELECT clause, verdict FROM requirement r JOIN project p ON p.stage_run_id = r.stage_run_id",
            )
        )

        assert cached == {clause: str(one.state) for clause, one in gate(november, ROBOT.name, TODAY).items()}

    def test_a_second_play_gives_the_same_audit_trail(
        self, november: Engine, sqlite_template: Path, tmp_path: Path
    ) -> None:
        again = played(sqlite_template, tmp_path / "again.db", TODAY, STORY)
        heads = "SELECT object_type, object_id, chain_seq, hash FROM audit_record ORDER BY seq"

        assert rows(again, heads) == rows(november, heads)
        again.dispose()


class TestTheEnd:
    def test_five_stages_in_order_with_one_way_back(self, finished: Engine) -> None:
        moves = rows(
            finished,
            "SELECT event, to_state, substr(at, 1, 10) FROM transition WHERE object_type = 'project' ORDER BY seq",
        )

        assert moves == [
            ("register", "intake", "2025-07-08"),
            ("advance", "feasibility", "2025-07-14"),
            ("advance", "small_batch_trial", "2025-08-08"),
            ("recycle", "feasibility", "2025-09-02"),
            ("advance", "small_batch_trial", "2025-09-16"),
            ("advance", "market_validation", "2025-12-02"),
            ("advance", "handoff", "2026-05-06"),
            ("advance", "in_production", "2026-06-30"),
        ]

    def test_every_gate_was_decided_by_its_panel(self, finished: Engine) -> None:
        decided = rows(finished, "SELECT gate, outcome FROM review WHERE state = 'decided' ORDER BY decided_on")

        assert decided == [(one, "go") for one in ("G1", "G2", "G2", "G3", "G4", "G5")]

    def test_the_third_batch_closed_with_98_3_percent(self, finished: Engine) -> None:
        figures = rows(
            finished,
            "SELECT f.started, f.passed_first_time, b.is_closed FROM batch_figure f JOIN trial_batch b"
            " ON b.id = f.batch_id WHERE b.number = 'B-03' ORDER BY f.entry_no DESC LIMIT 1",
        )

        assert figures == [(120, 118, 1)]

    def test_the_audit_trail_verifies_and_every_invariant_holds(self, finished: Engine) -> None:
        with reading(finished) as session:
            assert verify(session).problems == ()
            report = check(session, all_checks(), now=SystemClock().now())

        assert [result.id for result in report.results if not result.is_ok] == []

    def test_nothing_was_refused_on_the_way(self, finished: Engine) -> None:
        assert rows(finished, "SELECT action FROM audit_record WHERE action LIKE '%.refused'") == []
