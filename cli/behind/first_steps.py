"""What stands behind `init`, `migrate` and `version`: they work without a ready database."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Any, cast

from sqlalchemy import Engine, func, select

from cli.behind.tokens import give_token
from cli.door import Door
from cli.users import DAYS_OF_A_TOKEN
from lifecycle.actor import Actor
from lifecycle.audit.keys import write_key_pair
from lifecycle.errors import Invalid, unmet
from lifecycle.installation import OtherModeError, initialise, write_edges, write_single_rows
from lifecycle.people.commands import AddUser, GrantRole, PublishStandard
from lifecycle.standards import library
from lifecycle.verbs import all_edges
from models.db import make_engine, run_in_transaction
from models.installation import Installation
from models.migrate import upgrade
from models.people import User
from models.programmes import StandardPack
from models.readiness import check_ready, head_revision
from models.settings import Mode, Settings, SettingsError, load_settings
from models.states import Door as DoorName
from models.states import Role

PACKAGES = ("prefect", "sqlmodel", "sqlalchemy", "pydantic", "typer", "python-statemachine")
"""What `version` names besides ourselves."""


def make_database(door: Door, mode: str | None) -> dict[str, Any]:
    """Bring the database to head, say which one it is, publish the default standard, write missing keys."""
    if mode not in (None, "production", "rehearsal"):
        raise Invalid(unmet("mode_wrong", value=mode))
    settings = door.settings
    wanted = cast("Mode | None", mode or settings.mode)
    new_id, now = settings.make_ids().new, settings.make_clock().now()
    with _database() as engine:
        upgrade(engine)
        settings.checked_mode(_stored_mode(engine) or wanted)
        try:
            run_in_transaction(engine, lambda session: initialise(session, mode=wanted, now=now, new_id=new_id).mode)
        except OtherModeError as error:
            raise Invalid(unmet("other_mode", detail=str(error))) from error
        run_in_transaction(engine, lambda session: write_edges(session, all_edges()))
    _publish_default(door)
    _write_keys(settings)
    with door.engine.connect() as connection:
        people = connection.execute(select(func.count()).select_from(_table(User))).scalar_one()
    return {
        "database": address(door.engine),
        "mode": door.installation.mode,
        "schema_revision": head_revision(),
        "has_people": people > 0,
    }


def make_administrator(door: Door, login: str, email: str) -> None:
    """Enter an account with the role of administrator where there is none, and show a new token for it.

    Who can run `init` holds the database: nobody is asked for a right, and the audit trail names the clock.
    """
    nobody = Actor.clock(DoorName.CLI)
    with door.engine.connect() as connection:
        user = _table(User)
        known = connection.execute(select(user.c.id).where(user.c.login == login)).scalar_one_or_none()
    if known is None:
        door.carry_out(
            lambda _, key: AddUser(command_id=key, login=login, email=email, name=login), ref=login, actor=nobody
        )
        door.carry_out(
            lambda lookup, key: GrantRole(command_id=key, user_id=lookup.user(login), role=Role.ADMIN),
            ref=login,
            actor=nobody,
        )
    give_token(door, login, days=DAYS_OF_A_TOKEN, actor=nobody)


def bring_to_head() -> str | None:
    """Lead the tables to the newest revision and tell the database the arrows of today's charts."""
    with _database() as engine:
        upgrade(engine)
        run_in_transaction(engine, lambda session: write_edges(session, all_edges()))
        run_in_transaction(engine, write_single_rows)
    return head_revision()


def versions() -> dict[str, Any]:
    """Return which program this is and, where there is a database, which one that is; `SettingsError` as everywhere."""
    load_settings()
    found: dict[str, Any] = {
        "version": installed("pilotway"),
        "schema_revision": None,
        "head_revision": head_revision(),
        "mode": None,
        "database_id": None,
        "epoch": None,
        "packages": {name: installed(name) for name in PACKAGES},
    }
    try:
        with _database() as engine:
            row = _installation(engine)
    except SettingsError:
        raise
    except Exception:  # noqa: BLE001 - `version` answers also when there is nothing to ask
        return found
    known = {"mode": row.mode, "database_id": row.database_id, "epoch": row.epoch}
    return {**found, **known, "schema_revision": head_revision()}


def address(engine: Engine) -> str:
    """Return where the database is, as `PILOTWAY_DB` would say it, without its password."""
    return engine.url.set(drivername=engine.url.drivername.replace("+strict", "")).render_as_string(hide_password=True)


def installed(package: str) -> str | None:
    """Return the version of a package; None where it is not installed, as when we run from a source tree."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _publish_default(door: Door) -> None:
    """Publish the standard that comes with this program, where the database does not hold it yet."""
    pack = library.default()
    table, sha256 = _table(StandardPack), library.sha256(pack)
    with door.engine.connect() as connection:
        if connection.execute(select(table.c.id).where(table.c.sha256 == sha256)).first() is not None:
            return
    door.carry_out(
        lambda _, key: PublishStandard(command_id=key, sha256=sha256, body=pack.canonical()),
        ref=f"{pack.code}@{pack.version}",
        actor=Actor.clock(DoorName.CLI),
    )


def _write_keys(settings: Settings) -> None:
    """Make secret and key pair where their variables name files that are not there."""
    private, public = settings.checkpoint_key, settings.checkpoint_public_key
    if private is not None and public is not None and not private.exists() and not public.exists():
        write_key_pair(private, public)
    if settings.secret_file is not None and not settings.secret_file.exists():
        settings.secret_file.touch(mode=0o600)
        settings.secret_file.write_text(secrets.token_urlsafe(48), encoding="ascii")


@contextmanager
def _database() -> Iterator[Engine]:
    engine = make_engine(load_settings().db)
    try:
        yield engine
    finally:
        engine.dispose()


def _stored_mode(engine: Engine) -> Mode | None:
    with engine.connect() as connection:
        found: Mode | None = connection.execute(select(_table(Installation).c.mode)).scalar_one_or_none()
    return found


def _installation(engine: Engine) -> Any:
    """Return the row that says which database this is; NotReadyError when it cannot be worked on."""
    check_ready(engine)
    with engine.connect() as connection:
        return connection.execute(select(_table(Installation))).one()


def _table(model: Any) -> Any:
    return model.__table__
