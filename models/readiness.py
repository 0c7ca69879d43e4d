"""Whether a database may be worked on: ours, at the newest revision, on a local disk. Asked at every start: cheap."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect

from models.db import is_sqlite

APPLICATION_ID = 0x50574159
"""Written into the header of our SQLite files (`PWAY`), so that no other program's file is taken for ours."""

MIGRATIONS = Path(__file__).parent / "migrations"

_NETWORK_FILE_SYSTEMS = frozenset(
    {"afs", "beegfs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
)
_MOUNTS = Path("/proc/self/mounts")


class NotReadyError(Exception):
    """The database cannot be worked on; the message says what to do."""


class NotInitialisedError(NotReadyError):
    """There is no Pilotway database yet."""


class ForeignDatabaseError(NotReadyError):
    """The database belongs to another program."""


class SchemaNotAtHeadError(NotReadyError):
    """The tables are older or newer than this program."""


class NetworkFileSystemError(NotReadyError):
    """SQLite's locks do not hold on a network file system."""


def check_ready(engine: Engine) -> None:
    """Refuse to start (NotReadyError) on a database that is missing, foreign, on a network disk or not at head."""
    if is_sqlite(engine) and not Path(str(engine.url.database)).exists():
        raise NotInitialisedError(f"there is no database at {engine.url.database}: run `pilotway init`")
    refuse_network_file_system(engine)
    with engine.connect() as connection:
        refuse_foreign_database(connection)
        found, head = _revision(connection), head_revision()
    if found is None and head is not None:
        raise NotInitialisedError("the database is empty: run `pilotway init`")
    if found != head:
        raise SchemaNotAtHeadError(
            f"the database is at revision {found}, this program needs {head}: run `pilotway migrate`,"
            " or the newer program if the database is ahead"
        )


def head_revision() -> str | None:
    """Return the newest revision, from the dated names of the migration files; None while there are none."""
    names = sorted(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    return names[-1][: len("2026_11_22_0300")] if names else None


def refuse_foreign_database(connection: Connection) -> None:
    """Raise ForeignDatabaseError when an SQLite file carries another program's mark, or tables and no mark."""
    if not is_sqlite(connection):
        return
    found = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    if found == APPLICATION_ID:
        return
    if found or inspect(connection).get_table_names():
        raise ForeignDatabaseError(f"{connection.engine.url.database} is a database of another program")


def refuse_network_file_system(engine: Engine) -> None:
    """Raise NetworkFileSystemError when an SQLite file lies on one, as far as the machine tells."""
    if not is_sqlite(engine):
        return
    path = Path(str(engine.url.database)).resolve()
    kind = file_system_of(path, _MOUNTS.read_text(encoding="utf-8") if _MOUNTS.exists() else "")
    if kind in _NETWORK_FILE_SYSTEMS:
        raise NetworkFileSystemError(
            f"{path} lies on {kind}, where SQLite's locks do not hold: use a local disk, or PostgreSQL"
        )


def file_system_of(path: Path, mounts: str) -> str:
    """Return the kind of file system that holds the path, by the lines of `/proc/self/mounts`; empty when unknown."""
    best, kind = "", ""
    for line in mounts.splitlines():
        _, point, found, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if path.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, found
    return kind


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found
