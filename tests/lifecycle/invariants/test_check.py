"""Each invariant holds in an ordinary history and is broken by the accident it is there for."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from lifecycle.invariants.check import (
    Check,
    Report,
    UnknownCheckError,
    all_checks,
    check,
    chosen,
    with_evidence_files,
)
from lifecycle.projects.registration import RegisterProject
from lifecycle.standards import library
from models.db import reading, transaction
from models.file_store import MemoryFiles
from models.readiness import head_revision
from models.triggers import drop_triggers
from tests.lifecycle.world import NOW, a_world, some_projects
from tests.models.test_views import a_document

IDS = [
    *(f"I{number:02}" for number in (*range(1, 23), *range(24, 30))),
    *(f"H{number:02}" for number in (1, 2, 3, 4, 6, 7, 8)),
]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    world, programme, firm = a_world(engine)
    some_projects(world, programme, firm, 3)
    return engine


def checked(engine: Engine, checks: Sequence[Check] | None = None) -> Report:
    with reading(engine) as session:
        return check(session, all_checks() if checks is None else checks, now=NOW)


def spoil(engine: Engine, *statements: str) -> None:
    with transaction(engine) as session:
        for statement in (*drop_triggers(engine.dialect.name), *statements):
            session.execute(text(statement))


def broken(report: Report) -> list[str]:
    return [result.id for result in report.results if not result.is_ok]


class TestAnOrdinaryHistory:
    def test_breaks_nothing_and_is_told_in_the_form_of_the_contract(self, filled: Engine) -> None:
        document = with_evidence_files(checked(filled), MemoryFiles()).document()

        assert document["ok"]
        assert [one["id"] for one in document["checks"]] == IDS
        assert all(one.keys() == {"id", "name", "ok", "rows_count", "sample", "ms"} for one in document["checks"])
        assert {key: document[key] for key in ("format", "at", "schema_revision", "frozen")} == {
            "format": "pilotway-check/1",
            "at": "2025-07-08T01:00:00.000000Z",
            "schema_revision": head_revision(),
            "frozen": {"on": False, "hold_id": None, "since": None},
        }
        assert document["database"] == filled.dialect.name

    def test_on_the_default_standard_breaks_nothing_either(self, sqlite_engine: Engine) -> None:
        world, programme, firm = a_world(sqlite_engine, library.default())
        world.done(RegisterProject(command_id="one", programme_id=programme, organisation_id=firm, name="Robot"))
        with reading(sqlite_engine) as session:
            assert session.execute(text("SELECT COUNT(*) FROM v_requirement")).scalar_one() == 9

        assert broken(checked(sqlite_engine)) == []

        spoil(sqlite_engine, "DELETE FROM requirement WHERE clause = 'G1.4'")
        (found,) = (result for result in checked(sqlite_engine).results if not result.is_ok)
        assert found.id == "H02"
        assert found.sample[0]["missing"] == ["G1.4"]


class TestAnAccident:
    @pytest.mark.parametrize(
        ("statement", "ids"),
        [
            ("DELETE FROM transition WHERE seq = 1", {"I12", "I13", "I15"}),
            ("DELETE FROM audit_record WHERE object_type = 'project' AND chain_seq = 1", {"I12", "I14", "I15"}),
            ("UPDATE project SET stage = 'handoff' WHERE stage = 'feasibility'", {"I13", "H01"}),
            ("UPDATE stage_run SET state = 'closed' WHERE state = 'open'", {"I13", "H01"}),
            ("DELETE FROM edge WHERE event = 'register'", {"I13"}),
            ("UPDATE audit_record SET chain_seq = chain_seq + 10 WHERE object_type = 'user'", {"I14", "I15"}),
            ("UPDATE project SET stage_run_id = NULL", {"H01"}),
            ("DELETE FROM number_series", {"H03"}),
            ("UPDATE number_series SET last = 2", {"H03"}),
            ("UPDATE hold SET object_id = id", {"H04"}),
        ],
    )
    def test_breaks_its_invariants(self, filled: Engine, statement: str, ids: set[str]) -> None:
        spoil(filled, statement)
        assert set(broken(checked(filled))) == ids

    def test_shows_twenty_rows_and_counts_all(self, sqlite_engine: Engine) -> None:
        world, programme, firm = a_world(sqlite_engine)
        some_projects(world, programme, firm, 30)
        spoil(sqlite_engine, "DELETE FROM number_series")
        (found,) = (result for result in checked(sqlite_engine).results if not result.is_ok)
        assert (found.rows_count, len(found.sample)) == (30, 20)

    def test_on_disbursement_is_told_as_frozen(self, sqlite_engine: Engine) -> None:
        spoil(
            sqlite_engine,
            "INSERT INTO hold (id, object_type, object_id, reason, note, needs_decision, from_at, from_on, until_on,"
            " extensions) VALUES ('01980000-0000-7000-8000-000000000001', 'disbursement',"
            " '00000000-0000-0000-0000-000000000000', 'other', '', 1, '2025-07-08T01:00:00.000000Z', '2025-07-08',"
            " '2025-08-08', 0)",
        )
        assert checked(sqlite_engine).document()["frozen"] == {
            "on": True,
            "hold_id": "01980000-0000-7000-8000-000000000001",
            "since": "2025-07-08T01:00:00.000000Z",
        }


class TestEvidenceFiles:
    def test_must_exist_with_their_content(self, filled: Engine) -> None:
        files = MemoryFiles()
        stored = files.put(io.BytesIO(b"whole"))
        spoilt = files.put(io.BytesIO(b"spoilt later"))
        files._files[spoilt.sha256] = b"other bytes"
        with transaction(filled) as session:
            project = UUID(session.execute(text("SELECT MIN(id) FROM v_project")).scalar_one())
            author = UUID(session.execute(text("SELECT id FROM v_user")).scalar_one())
            for number, sha256 in enumerate((stored.sha256, spoilt.sha256, "0" * 64)):
                document = a_document(project, author, datetime(2025, 7, 8, tzinfo=UTC))
                document.key, document.sha256 = str(number), sha256
                session.add(document)

        report = with_evidence_files(checked(filled, ()), files)

        (result,) = report.results
        assert {(row["sha256"], row["why"]) for row in result.sample} == {
            (spoilt.sha256, "the file has another content"),
            ("0" * 64, "no such file"),
        }
        assert not report.is_ok


class TestChosen:
    def test_keeps_only_what_was_asked_for(self, filled: Engine) -> None:
        report = checked(filled, chosen(all_checks(), ["I14", "H01", "I22"]))
        assert [result.id for result in report.results] == ["I14", "H01"]

    def test_refuses_an_id_that_nobody_knows(self) -> None:
        with pytest.raises(UnknownCheckError, match="I99"):
            chosen(all_checks(), ["I14", "I99"])

    def test_takes_in_what_a_higher_room_contributes(self, filled: Engine) -> None:
        own = Check(id="H09", name="mine", broken=lambda _session, _moment: [{"project_id": "x"}])
        assert broken(checked(filled, (*all_checks(), own))) == ["H09"]
