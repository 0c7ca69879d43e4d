"""Brings a database to the newest form of the tables, by `models/migrations`: one dated file per change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from models.db import is_sqlite, make_engine
from models.readiness import APPLICATION_ID, MIGRATIONS, refuse_foreign_database, refuse_network_file_system
from models.tables import metadata
from models.triggers import create_triggers
from models.views import create_views

_POSTGRES_LOCK = 0x50574159
"""Key of the advisory lock that lets one process migrate at a time."""


def upgrade(engine: Engine) -> None:
    """Lead the database to the newest revision, its triggers and views, all or nothing; one process at a time.

    NotReadyError when the database is not ours or lies on a network file system.
    """
    refuse_network_file_system(engine)
    with _migrating(engine) as connection:
        _run(connection, _to_head)
        # Made anew each time: a copied table on SQLite has lost its triggers, and a view is no part of any revision.
        for statement in (*create_triggers(engine.dialect.name), *create_views(engine.dialect.name)):
            connection.exec_driver_sql(statement)


def draft(message: str, now: datetime) -> Path:
    """Write a revision with what the tables have and the migrations have not yet, and return its file. Then read it."""
    with TemporaryDirectory() as folder:
        engine = make_engine(str(Path(folder) / "draft.db"))
        with _migrating(engine) as connection:
            _run(connection, _to_head)
        written: list[Path] = []
        with engine.connect() as connection:
            _run(connection, lambda config: written.append(_write_revision(config, message, now)))
        engine.dispose()
    return written[0]


def differences(engine: Engine) -> list[object]:
    """Return what Alembic sees differ between the database and the tables; empty when they agree (CHECKs: not seen)."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def heads() -> list[str]:
    """Return the newest revisions as Alembic sees them; more than one means that two branches met unmerged."""
    return list(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _run(connection: Connection, step: Callable[[Config], object]) -> None:
    config = _config()
    config.attributes["connection"] = connection
    step(config)


def _to_head(config: Config) -> None:
    command.upgrade(config, "head")


def _write_revision(config: Config, message: str, now: datetime) -> Path:
    # The id is the date, so that file names sort in the order of the chain (`readiness.head_revision` relies on it).
    script = command.revision(config, message, autogenerate=True, rev_id=f"{now:%Y_%m_%d_%H%M}")
    if script is None or isinstance(script, list):
        raise RuntimeError("Alembic wrote no single revision")
    return Path(script.path)


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    if is_sqlite(engine):
        with _migrating_sqlite(engine) as connection:
            yield connection
        return
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})")
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        yield connection


@contextmanager
def _migrating_sqlite(engine: Engine) -> Iterator[Connection]:
    """Keep foreign keys off while tables are copied and dropped, and check them all before the end."""
    with engine.connect() as connection:
        connection.detach()  # the settings below must not return to the pool
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        connection.connection.cursor().execute("PRAGMA legacy_alter_table = ON")  # views wait for their table
        with connection.begin():
            refuse_foreign_database(connection)
            yield connection
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                raise RuntimeError(f"a migration broke {len(broken)} foreign keys, the first in {broken[0][0]}")
