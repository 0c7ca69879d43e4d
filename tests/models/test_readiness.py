"""A start is refused on a database that is missing, foreign, of another revision or on a network disk."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from models import readiness
from models.db import make_engine, transaction
from models.migrate import upgrade
from models.readiness import (
    ForeignDatabaseError,
    NetworkFileSystemError,
    NotInitialisedError,
    SchemaNotAtHeadError,
    check_ready,
    file_system_of,
    refuse_network_file_system,
)

MOUNTS = """overlay / overlay rw 0 0
/dev/sda1 /var/lib ext4 rw 0 0
server:/export /var/lib/pilotway nfs4 rw 0 0
//server/share /mnt/the\\040share cifs rw 0 0
"""


class TestCheckReady:
    def test_accepts_a_migrated_database(self, engine: Engine) -> None:
        check_ready(engine)

    def test_does_not_make_a_file_that_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(NotInitialisedError, match="pilotway init"):
            check_ready(make_engine(str(tmp_path / "missing.db")))
        assert not (tmp_path / "missing.db").exists()

    def test_refuses_a_database_of_another_revision(self, engine: Engine) -> None:
        with transaction(engine) as session:
            session.execute(text("DELETE FROM alembic_version"))
            session.execute(text("INSERT INTO alembic_version VALUES ('1999_01_01_0000')"))

        with pytest.raises(SchemaNotAtHeadError, match="1999_01_01_0000"):
            check_ready(engine)

    @pytest.mark.parametrize("mark", [0, 252006674])
    def test_refuses_a_file_of_another_program_and_does_not_migrate_it(self, tmp_path: Path, mark: int) -> None:
        path = tmp_path / "other.db"
        other = sqlite3.connect(path)
        other.executescript(f"PRAGMA application_id = {mark}; CREATE TABLE contacts (name TEXT);")
        other.close()
        engine = make_engine(str(path))

        for step in (check_ready, upgrade):
            with pytest.raises(ForeignDatabaseError, match="another program"):
                step(engine)
        engine.dispose()

        other = sqlite3.connect(path)
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("contacts",)]
        other.close()


class TestRefuseNetworkFileSystem:
    def test_refuses_sqlite_on_nfs_only(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        mounts = tmp_path / "mounts"
        mounts.write_text(f"server:/export {tmp_path}/far nfs4 rw 0 0\n/dev/sda1 / ext4 rw 0 0\n")
        monkeypatch.setattr(readiness, "_MOUNTS", mounts)

        refuse_network_file_system(make_engine(str(tmp_path / "near.db")))
        with pytest.raises(NetworkFileSystemError, match="nfs4"):
            refuse_network_file_system(make_engine(str(tmp_path / "far" / "pilotway.db")))

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/home/x.db", "overlay"),
            ("/var/lib/x.db", "ext4"),
            ("/var/lib/pilotway/x.db", "nfs4"),
            ("/var/lib/pilotway2/x.db", "ext4"),
            ("/mnt/the share/x.db", "cifs"),
        ],
    )
    def test_the_closest_mount_counts(self, path: str, kind: str) -> None:
        assert file_system_of(Path(path), MOUNTS) == kind

    def test_does_not_guess_where_the_machine_does_not_tell(self) -> None:
        assert file_system_of(Path("/x"), "") == ""
