"""What the verbs of getting in look at: password, second factors, sessions, the challenge that is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.commands import Stamp, Task
from models.access import Challenge, Credential, KnownDevice, Passkey, RecoveryCode, TotpSecret, WebSession
from models.deliveries import ContactSetting
from models.reading import rows_by, table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFacts:
    """One command on an account, and what is stored about getting into it."""

    command: Any
    row: Any
    """The account."""
    stamp: Stamp
    credential: Any = None
    session: Any = None
    """The session that the command names."""
    sessions: tuple[Any, ...] = ()
    """Those of the account that have neither ended nor run out."""
    devices: tuple[Any, ...] = ()
    totp: Any = None
    """The secret of the authenticator app, if there is one."""
    passkeys: tuple[Any, ...] = ()
    codes: tuple[Any, ...] = ()
    """Recovery codes that are still good."""
    challenge: Any = None
    """What the command answers."""
    is_known_key: bool = False
    """Some account has the key that is to be added."""

    @property
    def actor_person_id(self) -> UUID:
        """The human who acts."""
        return self.stamp.actor.person_id

    @property
    def has_factor(self) -> bool:
        """Say whether the account has a second factor besides its password."""
        return self.totp is not None or bool(self.passkeys)

    @property
    def passkey(self) -> Any:
        """The key that the command names, if it is one of the account."""
        return next((one for one in self.passkeys if one.id == self.command.passkey_id), None)

    @property
    def code(self) -> Any:
        """The recovery code that the command names, if it is still good."""
        return next((one for one in self.codes if one.id == self.command.recovery_code_id), None)


def access_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[AccessFacts]:
    """Read what is stored about getting into these accounts: one statement for each table."""
    accounts = [task.row.id for task in tasks]
    of = {table: rows_by(session, table, "user_id", accounts, "created_at", "id") for table in _KEPT}
    credentials = rows_by(session, Credential, "user_id", accounts)
    named = rows_by(session, WebSession, "id", _ids(tasks, "session_id"))
    challenges = rows_by(session, Challenge, "id", _ids(tasks, "challenge_id"))
    known = _known_keys(session, [one for task in tasks if (one := getattr(task.command, "credential_id", None))])

    def facts(task: Task[Any]) -> AccessFacts:
        own = {table: tuple(rows.get(task.row.id, ())) for table, rows in of.items()}
        return AccessFacts(
            command=task.command,
            row=task.row,
            stamp=stamp,
            credential=next(iter(credentials.get(task.row.id, ())), None),
            session=_first(named, task, "session_id"),
            sessions=tuple(one for one in own[WebSession] if one.ended_at is None and one.expires_at > stamp.now),
            devices=own[KnownDevice],
            totp=next((one for one in own[TotpSecret] if one.revoked_at is None), None),
            passkeys=tuple(one for one in own[Passkey] if one.revoked_at is None),
            codes=tuple(one for one in own[RecoveryCode] if one.ended_at is None),
            challenge=_first(challenges, task, "challenge_id"),
            is_known_key=getattr(task.command, "credential_id", None) in known,
        )

    return [facts(task) for task in tasks]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFacts:
    """One command on the calendar address of an account, and how its owner can be reached."""

    command: Any
    row: Any
    """The account."""
    setting: Any = None
    """The one row of it, where there is one."""

    @property
    def has_feed(self) -> bool:
        """Say whether the calendar has an address."""
        return self.setting is not None and self.setting.feed_sha256 is not None


def feeds(session: Session, tasks: Sequence[Task[Any]], _stamp: Stamp) -> list[FeedFacts]:
    """Read which of these accounts' calendars have an address."""
    known = rows_by(session, ContactSetting, "user_id", [task.row.id for task in tasks])
    return [
        FeedFacts(command=task.command, row=task.row, setting=next(iter(known.get(task.row.id, ())), None))
        for task in tasks
    ]


_KEPT: tuple[Any, ...] = (WebSession, KnownDevice, TotpSecret, Passkey, RecoveryCode)


def _ids(tasks: Sequence[Task[Any]], name: str) -> list[UUID]:
    return [one for task in tasks if (one := getattr(task.command, name, None)) is not None]


def _first(rows: Any, task: Task[Any], name: str) -> Any:
    return next(iter(rows.get(getattr(task.command, name, None), ())), None)


def _known_keys(session: Session, asked: Sequence[str]) -> frozenset[str]:
    if not asked:
        return frozenset()
    key = table_of(Passkey)
    found = select(key.c.credential_id).where(key.c.credential_id.in_(asked), key.c.revoked_at.is_(None))
    return frozenset(session.execute(found).scalars())
