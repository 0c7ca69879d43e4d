"""Several payouts by one word: approved where one approval is enough, or released; all of them or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Answer, Command, Stamp
from lifecycle.engine import execute_all_or_none
from lifecycle.errors import Invalid, NotFound, Refused, Unmet, unmet
from lifecycle.payouts.commands import Approve, Release
from models.money import said
from models.payouts import Payout
from models.reading import rows_by

Word: TypeAlias = Literal["approve", "release"]
MOST = 200
"""Payouts by one word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One payout as it was seen."""

    id: UUID
    version: int
    payload_hash: str


def together(
    session: Session, word: Word, items: Sequence[Item], *, total_minor: int, key: str, stamp: Stamp
) -> list[Answer]:
    """Give one's word on all of these payouts; the total that leaves is repeated.

    Raises `Refused` total_differs, several_currencies or more_approvals_needed, `Invalid` without payouts or with one
    named twice, and `BatchRefused` where the engine refuses one of them: then nothing is written.
    """
    ids = [one.id for one in items]
    if not 0 < len(set(ids)) == len(ids) <= MOST:
        raise Invalid(unmet("items_wrong", limit=MOST))
    rows = {key_: found[0] for key_, found in rows_by(session, Payout, "id", ids).items()}
    if len(rows) < len(ids):
        raise NotFound(NotFound.code)
    currencies = sorted({row.currency for row in rows.values()})
    if len(currencies) > 1:
        raise Refused(unmet("several_currencies", currencies=currencies))
    total = sum(row.amount_minor for row in rows.values())
    reasons = [] if total == total_minor else [unmet("total_differs", **said(currencies[0], total=total))]
    if word == "approve":
        reasons += _for_several_people(list(rows.values()))
    if reasons:
        raise Refused(*reasons)
    commands = [_command(word, one, rows[one.id].amount_minor, key) for one in items]
    changed = [rows[one.id].number for one in items if rows[one.id].payload_hash != one.payload_hash]
    if changed:
        raise Refused(unmet("payload_changed", payouts=changed))
    return execute_all_or_none(session, commands, stamp=stamp)


def _for_several_people(rows: Sequence[Payout]) -> list[Unmet]:
    """Only what one approval is enough for is approved with others: the rest is looked at one by one (5.4)."""
    numbers = sorted(row.number for row in rows if row.approvals_needed > 1)
    return [unmet("more_approvals_needed", payouts=numbers)] if numbers else []


def _command(word: Word, item: Item, amount_minor: int, key: str) -> Command:
    own = f"{key}:{item.id}"
    if word == "release":
        return Release(command_id=own, payout_id=item.id, expected_version=item.version)
    return Approve(
        command_id=own,
        payout_id=item.id,
        expected_version=item.version,
        amount_minor=amount_minor,
        payload_hash=item.payload_hash,
    )
