"""What a crash leaves outside the database is swept when it is old, and only then."""

import io
import os
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from lifecycle.projects.commands import PutOnHold
from lifecycle.recovery import ORPHAN_AGE, Found, look, sweep
from models.db import reading, transaction
from models.file_store import EvidenceFiles, MemoryFiles
from models.ports import OutsideError
from models.states import Role
from tests import payments as pay
from tests.factories import House
from tests.lifecycle.world import NOW, a_world, some_projects
from tests.models.test_views import a_document

TODAY = date(2025, 7, 8)
OLD = timedelta(hours=25)


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    return EvidenceFiles(str(tmp_path / "evidence"))


def make_old(path: Path) -> None:
    then = time.time() - OLD.total_seconds()  # noqa: TID251 - the age of a file is the machine's
    os.utime(path, (then, then))


def stored(files: EvidenceFiles, tmp_path: Path, content: bytes) -> Path:
    sha256 = files.put(io.BytesIO(content)).sha256
    return tmp_path / "evidence" / sha256[:2] / sha256


def recovered(engine: Engine, files: EvidenceFiles) -> dict[str, object]:
    old = list(files.old_files(ORPHAN_AGE))
    with reading(engine) as session:
        found = look(session, old, today=TODAY)
    return sweep(found, files, now=NOW)


class TestFiles:
    def test_that_are_old_and_unknown_are_swept_and_the_others_stay(
        self, sqlite_engine: Engine, files: EvidenceFiles, tmp_path: Path
    ) -> None:
        world, programme, firm = a_world(sqlite_engine)
        (project, *_) = some_projects(world, programme, firm, 1)
        known, orphan, young = (stored(files, tmp_path, content) for content in (b"known", b"orphan", b"young"))
        with transaction(sqlite_engine) as session:
            author = UUID(session.execute(text("SELECT id FROM v_user")).scalar_one())
            document = a_document(project, author, NOW)
            document.sha256 = known.name
            session.add(document)
        left = tmp_path / "evidence" / "incoming" / "broken-off"
        fresh = tmp_path / "evidence" / "incoming" / "under-way"
        for path in (left, fresh):
            path.write_bytes(b"half")
        for path in (known, orphan, left):
            make_old(path)

        document_of_run = recovered(sqlite_engine, files)

        assert document_of_run["swept"] == {"temp_files": 1, "orphan_files": 1}
        assert [path.exists() for path in (known, orphan, young, left, fresh)] == [True, False, True, False, True]
        assert recovered(sqlite_engine, files)["swept"] == {"temp_files": 0, "orphan_files": 0}

    def test_that_are_put_again_are_young_again(
        self, sqlite_engine: Engine, files: EvidenceFiles, tmp_path: Path
    ) -> None:
        path = stored(files, tmp_path, b"again")
        make_old(path)
        old = list(files.old_files(ORPHAN_AGE))
        files.put(io.BytesIO(b"again"))

        swept = sweep(Found(orphans=tuple(old)), files, now=NOW)["swept"]

        assert old == [path.name]
        assert swept == {"temp_files": 0, "orphan_files": 0}
        assert path.exists()

    def test_of_a_store_that_fails_are_told_and_the_pass_goes_on(self) -> None:
        class Broken(MemoryFiles):
            def remove(self, sha256: str, age: timedelta) -> bool:
                raise OutsideError("no such disk")

        document = sweep(Found(orphans=("a" * 64,)), Broken(), now=NOW)

        assert document["failed"] == [{"object_type": "evidence", "object_id": "a" * 64, "error": "no such disk"}]

    def test_of_a_store_that_does_not_exist_yet_are_none(self, sqlite_engine: Engine, files: EvidenceFiles) -> None:
        assert recovered(sqlite_engine, files)["swept"] == {"temp_files": 0, "orphan_files": 0}


class TestFilesOfACase:
    def test_stay_also_when_another_proposal_took_their_place(
        self, house: House, files: EvidenceFiles, tmp_path: Path
    ) -> None:
        case = pay.case_of(house, *pay.batches(house, state="unknown"))
        letters = [stored(files, tmp_path, content) for content in (b"a letter", b"a better one")]
        for letter in letters:
            make_old(letter)
            house.do(pay.propose(case, evidence_sha256=letter.name), by=Role.ACCOUNTANT)

        assert recovered(house.engine, files)["swept"] == {"temp_files": 0, "orphan_files": 0}


class TestHolds:
    def test_that_end_by_themselves_are_told_once_their_last_day_is_over(self, engine: Engine) -> None:
        world, programme, firm = a_world(engine)
        projects = some_projects(world, programme, firm, 3)
        for project, code in ((projects[1], "partner"), (projects[2], "ehs")):
            world.done(
                PutOnHold(command_id=world.key(), project_id=project, code=code, reason="x", until_on=date(2025, 7, 20))
            )
        with reading(engine) as session:
            on_its_day = look(session, (), today=date(2025, 7, 20))
            after = look(session, (), today=date(2025, 7, 21))
            (due,) = session.execute(
                text("SELECT id FROM v_hold WHERE reason = 'partner' AND lifted_at IS NULL")
            ).scalars()

        assert on_its_day.holds_due == ()
        assert sweep(after, MemoryFiles(), now=NOW)["holds_due"] == [due]


class TestTheDocument:
    def test_has_every_key_of_the_contract(self) -> None:
        document = sweep(Found(), MemoryFiles(), now=NOW)
        assert document == {
            "format": "pilotway-recover/1",
            "at": "2025-07-08T01:00:00.000000Z",
            "moved": [],
            "claims_taken": 0,
            "unknown": [],
            "waiting": [],
            "holds_due": [],
            "swept": {"temp_files": 0, "orphan_files": 0},
            "failed": [],
        }
