"""What guards an account: its second factors, its sessions, the challenge that is open, how often proofs were wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from models.access import Challenge, Passkey, RecoveryCode, SignInAttempt, TotpSecret, WebSession
from models.journal import AuditRecord
from models.limits import SECOND_FACTOR_TRIES, SESSION_IDLE
from models.reading import table_of
from models.states import ChallengeKind, SignInKind

FACTOR_KINDS = (SignInKind.TOTP, SignInKind.RECOVERY, SignInKind.PASSKEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A passkey of an account."""

    id: UUID
    credential_id: str
    public_key: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """The second factors of an account."""

    totp: str | None = None
    """The secret as it is stored."""
    totp_since: datetime | None = None
    keys: tuple[Key, ...] = ()
    codes: Mapping[str, UUID]
    """Fingerprint -> id of each recovery code that is still good."""

    @property
    def exist(self) -> bool:
        """Say whether there is one; recovery codes alone are none."""
        return self.totp is not None or bool(self.keys)


def factors(session: Session, user_id: UUID) -> Factors:
    """Return the second factors of an account."""
    totp = next(_own(session, TotpSecret, user_id, "revoked_at"), None)
    return Factors(
        totp=totp.secret if totp else None,
        totp_since=totp.created_at if totp else None,
        keys=tuple(_key(one) for one in _own(session, Passkey, user_id, "revoked_at")),
        codes={one.code_sha256: one.id for one in _own(session, RecoveryCode, user_id, "ended_at")},
    )


def _key(row: Any) -> Key:
    return Key(
        id=row.id,
        credential_id=row.credential_id,
        public_key=row.public_key,
        name=row.name,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )


def _own(session: Session, model: Any, user_id: UUID, ends: str) -> Any:
    table = table_of(model)
    return iter(
        session.execute(
            select(table).where(table.c.user_id == user_id, table.c[ends].is_(None)).order_by(table.c.created_at)
        ).all()
    )


def owner_of_key(session: Session, credential_id: str) -> tuple[UUID, Key] | None:
    """Return whose key this is, and the key; None for one that nobody has, or has no more."""
    table = table_of(Passkey)
    known = (table.c.credential_id == credential_id.rstrip("="), table.c.revoked_at.is_(None))
    row = session.execute(select(table).where(*known)).one_or_none()
    return None if row is None else (row.user_id, _key(row))


def keys_that_enter(session: Session, user_id: UUID) -> frozenset[UUID]:
    """Return which keys of an account let in by themselves, as the act says by which each was added."""
    record = table_of(AuditRecord)
    of_account = (record.c.object_type == "user", record.c.object_id == user_id)
    statement = select(record.c.body).where(*of_account, record.c.action == "user.add_passkey")
    added = [json.loads(body)["detail"] for body in session.execute(statement).scalars()]
    return frozenset(UUID(one["passkey_id"]) for one in added if one.get("enters_alone"))


def open_challenge(session: Session, token_sha256: str, kind: ChallengeKind, now: datetime) -> Any:
    """Return the row (`id`, `user_id`) of a challenge that may still be answered; None for any other."""
    table = table_of(Challenge)
    return session.execute(
        select(table.c.id, table.c.user_id).where(
            table.c.token_sha256 == token_sha256,
            table.c.kind == kind,
            table.c.used_at.is_(None),
            table.c.expires_at > now,
        )
    ).one_or_none()


def has_erred_too_often(session: Session, login_sha256: str, now: datetime) -> int:
    """Return for how many minutes nobody may show a second factor of this account; 0 when they may.

    Only who knows the password, or has a session, comes so far: nobody locks anybody else out.
    """
    attempt = table_of(SignInAttempt)
    wrong = select(func.count()).where(
        attempt.c.login_sha256 == login_sha256, attempt.c.kind.in_(FACTOR_KINDS), attempt.c.is_good.is_(False)
    )
    waits = [
        int(window.total_seconds()) // 60
        for window, most in SECOND_FACTOR_TRIES
        if session.execute(wrong.where(attempt.c.at > now - window)).scalar_one() >= most
    ]
    return max(waits, default=0)


def sessions(session: Session, user_id: UUID, now: datetime) -> list[Any]:
    """Return the sessions in which somebody is signed in now, the latest used first."""
    table = table_of(WebSession)
    live = (table.c.ended_at.is_(None), table.c.expires_at > now, table.c.seen_at > now - SESSION_IDLE)
    statement = select(table).where(table.c.user_id == user_id, *live).order_by(table.c.seen_at.desc(), table.c.id)
    return list(session.execute(statement).all())
