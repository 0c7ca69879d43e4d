"""A backup counts when it was restored: whole, under another epoch, in doubt about the bank, and frozen."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from flows import backups
from flows.backups import Made, ProgramMissingError, make_backup
from flows.bodies import BODIES
from flows.clock import Clockwork, run_slot
from flows.restoring import NoBackupError, NotEmptyError, Restored, restore
from lifecycle.audit.keys import new_key, private_pem, public_pem, read_public_keys
from lifecycle.audit.verify import verify
from lifecycle.disbursement.commands import Lift
from lifecycle.invariants.check import all_checks, check
from lifecycle.people.commands import AddOrganisation
from models.db import make_engine, reading
from models.ports import OutsideError
from models.readiness import NotInitialisedError, check_ready
from models.settings import Settings
from models.states import OrganisationKind, Role
from tests.conftest import copied
from tests.factories import House, key
from tests.money import money_in_every_state


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    secret = new_key()
    (tmp_path / "c.key").write_bytes(private_pem(secret))
    (tmp_path / "c.pub").write_bytes(public_pem(secret.public_key()))
    return Settings(
        db="unused.db",
        checkpoint_dir=tmp_path / "checkpoints",
        checkpoint_key=tmp_path / "c.key",
        checkpoint_public_key=tmp_path / "c.pub",
        backup_dir=tmp_path / "backups",
        backup_keep=2,
        evidence_dir=str(tmp_path / "evidence"),
    )


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    engine = make_engine(empty_url)
    yield engine
    engine.dispose()


@pytest.fixture
def money_house(each_house: House) -> House:
    money_in_every_state(each_house)
    return each_house


def made(house: House, settings: Settings, out: Path) -> Made:
    return make_backup(house.engine, settings, out, now=house.now)


def restored(house: House, file: Path, into: Engine) -> Restored:
    return restore(into, file, lambda _row: house.stamp())


def add_firm(house: House, name: str) -> AddOrganisation:
    return AddOrganisation(command_id=key(), name=name, kind=OrganisationKind.SME)


class TestARestoredDatabase:
    def test_has_everything_under_another_epoch_and_pays_nothing(
        self, money_house: House, settings: Settings, empty: Engine, tmp_path: Path
    ) -> None:
        house = money_house
        on_the_way = {str(row.id) for row in house.rows("SELECT id FROM v_batch WHERE state IN ('prepared', 'sent')")}
        payouts = house.rows("SELECT * FROM v_payout ORDER BY id")
        backup = made(house, settings, tmp_path / "b")

        found = restored(house, tmp_path / "b", empty)

        again = copied(house, empty)
        check_ready(empty)
        assert found.epoch == again.one("SELECT epoch FROM installation") != house.one("SELECT epoch FROM installation")
        assert {str(one) for one in found.made_unknown} == on_the_way
        assert again.one("SELECT count(*) FROM v_batch WHERE state IN ('prepared', 'sent')") == 0
        assert again.rows("SELECT reason FROM v_hold WHERE object_type = 'disbursement' AND lifted_at IS NULL") == [
            ("restored",)
        ]
        assert again.rows("SELECT * FROM v_payout ORDER BY id") == payouts
        assert found.heads_sha256 == backup.checkpoint["heads_sha256"]

    def test_breaks_no_invariant_and_agrees_with_its_checkpoint(
        self, money_house: House, settings: Settings, empty: Engine, tmp_path: Path
    ) -> None:
        made(money_house, settings, tmp_path / "b")
        restored(money_house, tmp_path / "b", empty)
        (file,) = (tmp_path / "checkpoints").iterdir()
        keys = read_public_keys((tmp_path / "c.pub").read_bytes())
        with reading(empty) as session:
            report = check(session, all_checks(keys), now=money_house.now)
            trail = verify(session, files={file.name: file.read_bytes()}, keys=keys)
        assert [one.id for one in report.results if not one.is_ok] == []
        assert trail.is_ok

    def test_is_let_go_by_two_people(
        self, money_house: House, settings: Settings, empty: Engine, tmp_path: Path
    ) -> None:
        made(money_house, settings, tmp_path / "b")
        restored(money_house, tmp_path / "b", empty)
        again = copied(money_house, empty)
        lift = Lift(command_id=key(), reason="the statements are in")
        again.do(lift, by=Role.ACCOUNTANT)
        assert [
            one.error and one.error.codes for one in again.ask(replace(lift, command_id=key()), by=Role.ACCOUNTANT)
        ] == [("four_eyes",)]
        again.do(replace(lift, command_id=key()), by=Role.FUND_DIRECTOR)
        assert again.one("SELECT count(*) FROM hold WHERE object_type = 'disbursement' AND lifted_at IS NULL") == 0

    def test_of_a_restored_one_has_one_hold_for_it(
        self, sqlite_house_pair: tuple[House, Engine, Engine], settings: Settings, tmp_path: Path
    ) -> None:
        house, first, second = sqlite_house_pair
        made(house, settings, tmp_path / "b")
        one = restored(house, tmp_path / "b", first)
        made(copied(house, first), settings, tmp_path / "c")
        two = restored(house, tmp_path / "c", second)
        assert len({one.epoch, two.epoch, house.one("SELECT epoch FROM installation")}) == 3
        assert copied(house, second).one("SELECT count(*) FROM hold WHERE object_type = 'disbursement'") == 1


@pytest.fixture
def sqlite_house_pair(house: House, tmp_path: Path) -> Iterator[tuple[House, Engine, Engine]]:
    engines = [make_engine(str(tmp_path / name)) for name in ("first.db", "second.db")]
    yield house, engines[0], engines[1]
    for engine in engines:
        engine.dispose()


class TestABackup:
    def test_under_writing_holds_a_moment_that_was(
        self, each_house: House, settings: Settings, empty: Engine, tmp_path: Path
    ) -> None:
        """While firms are added without end, the copy holds the first so many of them and a trail that verifies."""
        house, is_enough, began = each_house, threading.Event(), threading.Event()
        added: list[int] = []

        def write() -> None:
            while not is_enough.is_set() and len(added) < 500:
                house.do(add_firm(house, f"Firm {len(added)}"))
                added.append(len(added))
                began.set()

        writer = threading.Thread(target=write)
        writer.start()
        began.wait(30)
        made(house, settings, tmp_path / "b")
        is_enough.set()
        writer.join()

        restored(house, tmp_path / "b", empty)
        again = copied(house, empty)
        names = {row.name for row in again.rows("SELECT name FROM organisation WHERE name LIKE 'Firm %'")}
        assert names == {f"Firm {number}" for number in range(len(names))}
        assert 0 < len(names) <= len(added)
        with reading(empty) as session:
            assert verify(session).is_ok

    def test_can_be_read_by_nobody_else(self, each_house: House, settings: Settings, tmp_path: Path) -> None:
        made(each_house, settings, tmp_path / "b")
        assert (tmp_path / "b").stat().st_mode & 0o077 == 0

    def test_is_known_by_its_hash_and_never_overwritten(self, house: House, settings: Settings, tmp_path: Path) -> None:
        backup = made(house, settings, tmp_path / "b")
        assert backup.document()["sha256"] == hashlib.sha256((tmp_path / "b").read_bytes()).hexdigest()
        assert backup.document()["seq"] == 1
        with pytest.raises(FileExistsError):
            made(house, settings, tmp_path / "b")
        assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []

    def test_without_a_key_is_made_and_says_that_nothing_is_signed(self, house: House, tmp_path: Path) -> None:
        backup = made(house, Settings(db="unused.db"), tmp_path / "b")
        assert backup.document()["seq"] is None
        found = restore(make_engine(str(tmp_path / "new.db")), tmp_path / "b", lambda _row: house.stamp())
        assert found.heads_sha256 == backup.checkpoint["heads_sha256"]

    def test_of_postgres_names_the_program_that_is_missing(
        self, house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(backups, "_DEBIAN", tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ProgramMissingError, match="pg_dump"):
            backups._dump_postgres(house.engine, tmp_path / "b")

    def test_tells_programs_no_password_on_their_command_line(self) -> None:
        url = make_url("postgresql+psycopg://me:secret@db.example:5433/pilotway")
        assert backups.place_of(url) == ["--host=db.example", "--port=5433", "--username=me", "--dbname=pilotway"]


class TestARestore:
    def test_is_refused_where_something_is_already(self, each_house: House, settings: Settings, tmp_path: Path) -> None:
        made(each_house, settings, tmp_path / "b")
        before = each_house.rows("SELECT epoch FROM installation")
        with pytest.raises(NotEmptyError):
            restored(each_house, tmp_path / "b", each_house.engine)
        assert each_house.rows("SELECT epoch FROM installation") == before

    @pytest.mark.parametrize("content", [b"", b"PGDMP", b"SQLite format 3\x00" + b"\x00" * 100, b"anything else" * 99])
    def test_of_any_other_file_is_refused_and_leaves_nothing(
        self, house: House, empty: Engine, content: bytes, tmp_path: Path
    ) -> None:
        (tmp_path / "b").write_bytes(content)
        with pytest.raises((NoBackupError, OutsideError)):
            restored(house, tmp_path / "b", empty)
        with pytest.raises(NotInitialisedError):
            check_ready(empty)

    def test_of_a_damaged_backup_is_refused(self, house: House, settings: Settings, tmp_path: Path) -> None:
        made(house, settings, tmp_path / "b")
        content = bytearray((tmp_path / "b").read_bytes())
        content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
        (tmp_path / "b").write_bytes(content)
        with pytest.raises(NoBackupError):
            restored(house, tmp_path / "b", make_engine(str(tmp_path / "new.db")))
        assert not (tmp_path / "new.db").exists()

    def test_of_another_revision_is_refused(self, house: House, settings: Settings, tmp_path: Path) -> None:
        with house.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '2020_01_01_0000'"))
        made(house, settings, tmp_path / "b")
        with pytest.raises(NoBackupError, match="2020_01_01_0000"):
            restored(house, tmp_path / "b", make_engine(str(tmp_path / "new.db")))

    def test_that_breaks_off_leaves_no_database_in_use(
        self, each_house: House, settings: Settings, empty: Engine, tmp_path: Path
    ) -> None:
        """Killed before the new epoch is stored, nobody can work on what is there."""
        made(each_house, settings, tmp_path / "b")

        def die(_row: Any) -> Any:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            restore(empty, tmp_path / "b", die)
        with pytest.raises(NotInitialisedError):
            check_ready(empty)


class TestTheSchedule:
    def work(self, house: House, settings: Settings) -> Clockwork:
        return Clockwork(engine=house.engine, settings=settings, stamp=house.stamp(), bodies=BODIES)

    def test_keeps_the_newest_backups(self, house: House, settings: Settings, tmp_path: Path) -> None:
        for _ in range(4):
            house.later(hours=1)
            (slot,) = run_slot(self.work(house, settings), "backup", house.now, asked="now")
            assert (slot.status, slot.done_count) == ("done", 1)
        names = sorted(path.name for path in (tmp_path / "backups").iterdir())
        database = UUID(house.one("SELECT database_id FROM installation"))
        assert names == [f"pilotway-{str(database)[:8]}-20250708T{hour:02}0000000000Z.backup" for hour in (4, 5)]

    def test_is_refused_without_a_folder_and_does_not_fail(self, house: House) -> None:
        (slot,) = run_slot(self.work(house, Settings(db="unused.db")), "backup", house.now, asked="now")
        assert (slot.status, slot.refused_count, slot.failed_count) == ("done", 1, 0)
        assert slot.why == "backup_dir_missing"
