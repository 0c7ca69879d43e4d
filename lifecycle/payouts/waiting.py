"""Which payouts wait for one person: each is asked in a dry run, with the same rules as the act itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Command, Stamp
from lifecycle.engine import rehearse
from lifecycle.errors import Unmet
from lifecycle.payouts.commands import Approve, Certify, Reapprove, Release
from lifecycle.permissions import PERMISSIONS
from models.states import PayoutState, Role

WAITING_STATES = (PayoutState.REQUESTED, PayoutState.RETURNED, PayoutState.APPROVED)
"""States in which somebody's word is waited for."""
_ASKED: Mapping[PayoutState, tuple[type[Command], ...]] = {
    PayoutState.REQUESTED: (Certify, Approve),
    PayoutState.RETURNED: (Certify, Reapprove),
    PayoutState.APPROVED: (Release,),
}
_VERBS: Mapping[type[Command], str] = {
    Certify: "payout.certify",
    Approve: "payout.approve",
    Reapprove: "payout.reapprove",
    Release: "payout.release",
}
DECIDERS = frozenset[Role]().union(*(PERMISSIONS[verb] for verb in _VERBS.values()))
"""Roles in which somebody's word may be waited for."""
_TYPED = frozenset({"minute_missing", "callback_needed"})
"""What the person adds on the page of the decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What one person can do with a payout now; `verb` is empty where nothing, then the reasons say why."""

    verb: str = ""
    reasons: tuple[Unmet, ...] = ()


def waiting(
    session: Session, rows: Sequence[Mapping[str, Any]], roles: frozenset[Role], stamp: Stamp
) -> dict[UUID, Waits]:
    """Return payout -> what this person can do with it, for rows of `queries.payouts`.

    Only verbs of a role that the person holds are asked; each one for all payouts in one dry run.
    """
    found: dict[UUID, Waits] = {}
    for kind, verb in _VERBS.items():
        if not roles & PERMISSIONS[verb]:
            continue
        asked = [row for row in rows if kind in _ASKED.get(row["state"], ()) and not _can(found.get(row["id"]))]
        answers = rehearse(session, [_command(kind, row) for row in asked], stamp=stamp)
        for row, answer in zip(asked, answers, strict=True):
            reasons = answer.error.unmet if answer.error is not None else ()
            is_mine = answer.error is None or {one.code for one in reasons} <= _TYPED
            found[row["id"]] = Waits(verb=verb) if is_mine else Waits(reasons=reasons)
    return found


def _can(waits: Waits | None) -> bool:
    return waits is not None and bool(waits.verb)


def _command(kind: type[Command], row: Mapping[str, Any]) -> Command:
    said: dict[str, Any] = {"command_id": f"rehearsal:{row['id']}", "payout_id": row["id"]}
    if kind is not Release:
        said |= {"amount_minor": row["amount_minor"], "payload_hash": row["payload_hash"]}
    return kind(**said)
