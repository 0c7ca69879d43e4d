"""What a receipt proves: who did what to which thing, with which figures and reason, what follows, and its seal."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.errors import NotFound
from lifecycle.payouts.awaited import given
from lifecycle.payouts.queries import payout
from lifecycle.trials.queries import batch_entries
from models.journal import AuditRecord, CommandRecord
from models.people import User
from models.reading import table_of
from models.states import ENDED, Role
from notifications.slip import facts_of
from notifications.words import is_known
from web.nouns import PROJECTS, Noun, home_of
from web.reading_rights import wide_roles
from web.record import Cell, Fact, Scribe
from web.render import Words
from web.session import Visit

RECORDED = (
    "reason", "code", "note", "target", "clause", "is_yes", "outcome", "type", "key", "version_no", "number", "label",
    "planned_on", "until_on", "received_on", "frozen_on", "due_on", "amount_minor", "award_minor", "paid_minor",
    "due_minor", "owed_minor", "entitlement_minor", "tranche", "role", "party", "is_conforming", "severity", "title",
    "disposition", "entry_no",
)  # fmt: skip
"""What of the recorded input is shown, in this order; nothing else of an audit row ever is: it may hold a secret."""
_CODES: Mapping[str, str] = {
    "project.hold": "reason",
    "project.resume": "reason",
    "project.recycle": "recycle_reason",
    "project.stop": "stop_reason",
    "fund.hold": "reason",
    "fund.resume": "reason",
    "disbursement.freeze": "reason",
    "disbursement.lift": "reason",
    "recovery.order": "recovery",
}
"""Act -> kind of word that its code is; an incident holds a project besides, so the verb alone does not say it."""
_KINDS = {"target": "state", "outcome": "outcome", "party": "party"}
_FIGURES = ("started", "passed_first_time", "is_conforming", "defects", "cost_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a command: its stored answer, and the rows that stand for it in the audit trail."""

    command_id: str
    verb: str
    by: str
    """Who did it; empty for the system."""
    at: datetime
    answer: Mapping[str, Any]
    facts: Sequence[Fact]
    """What was done, from the recorded input."""
    changes: Sequence[Change]
    made: str
    """Address of what was made; empty where nothing has a page of its own."""
    then: str
    """What comes next, in a sentence."""
    seals: tuple[tuple[int, str, str], ...]
    """(number in the trail, action, hash)."""
    noun: Noun | None
    """What it was done to, with its row; None where no page shows it."""
    row: Any


def receipt(session: Session, visit: Visit, command_id: str) -> Receipt:
    """Return the receipt of one's own command, or of one on what one may read; `NotFound` for any other."""
    stored, noun, row = _readable(session, visit, command_id)
    audit = table_of(AuditRecord)
    same = (audit.c.object_type == stored.object_type, audit.c.object_id == stored.object_id)
    seals = session.execute(
        select(audit.c.seq, audit.c.action, audit.c.hash, audit.c.body)
        .where(*same, audit.c.actor_id == stored.actor_id, audit.c.command_id == command_id)
        .order_by(audit.c.seq)
    ).all()
    bodies = [json.loads(one.body) for one in seals]
    detail = {name: value for body in bodies for name, value in body["detail"].items()}
    words = Words(visit.lang, visit.house.zone)
    scribe = Scribe(words, str(detail.get("currency") or "CNY"), _kinds(one.action for one in seals))
    of_payout = _payout(session, visit, stored, detail, words) if stored.object_type == "payout" else []
    skipped = {"amount_minor", "role"} if of_payout else {"until_on"} if isinstance(detail.get("was"), str) else set()
    names = [name for name in RECORDED if name not in skipped]
    return Receipt(
        command_id=command_id,
        verb=stored.verb,
        by=stored.by or "",
        at=stored.at,
        answer=stored.answer,
        facts=[*of_payout, *scribe.facts(_plain(detail), names)],
        changes=[*_moves(bodies, words), *_changes(session, stored, detail, scribe)],
        made=_made(stored, noun, row),
        then="" if "signed" in detail else _then(stored, noun, words),
        seals=tuple((one.seq, one.action, one.hash) for one in seals),
        noun=noun,
        row=row,
    )


def _readable(session: Session, visit: Visit, command_id: str) -> tuple[Any, Noun | None, Any]:
    """Return the stored command with the thing it was about: one's own first, else the latest that one may read.

    A key belongs to the account that sent it, so another account may have used the same; each is looked up by both.
    """
    record, user = table_of(CommandRecord), table_of(User)
    columns = (*record.c, user.c.name.label("by"))
    joined = select(*columns).outerjoin(user, user.c.id == record.c.actor_id)
    own = (record.c.actor_id == visit.actor.user_id, record.c.command_id == command_id)
    mine = session.execute(joined.where(*own)).one_or_none()
    if mine is not None:
        noun, row = home_of(session, visit, mine.object_type, mine.object_id) or (None, None)
        return mine, noun, row
    others = select(*columns).join(user, user.c.id == record.c.actor_id).where(record.c.command_id == command_id)
    reads_all = Role.AUDITOR in wide_roles(visit)
    for one in session.execute(others.order_by(record.c.at.desc()).limit(_MOST)):
        try:
            home = home_of(session, visit, one.object_type, one.object_id)
        except NotFound:
            continue
        if home is not None or reads_all:
            return one, *(home or (None, None))
    raise NotFound(NotFound.code)


_MOST = 5
"""Accounts that used the same key: those of pages are random, so more than one are programs, and a look is bounded."""


def _kinds(acts: Iterable[str]) -> dict[str, str]:
    kind = next((_CODES[one] for one in acts if one in _CODES), None)
    return {**_KINDS, "code": kind} if kind else {**_KINDS}


def _plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are read as they are; lists and figures have their own place or none."""
    return {name: value for name, value in detail.items() if isinstance(value, str | int | bool)}


def _payout(session: Session, visit: Visit, stored: Any, detail: Mapping[str, Any], words: Words) -> list[Fact]:
    """Return what was paid for, how much, to whom, and how many had approved; the amount alone where it changed since.

    A receipt from before the rows said which form of the request they were about shows nothing of it.
    """
    row = payout(session, stored.object_id, today=visit.today, calendar=visit.stamp.calendar)
    if detail.get("payload_hash") != row["payload_hash"]:
        known = {"amount_minor": detail.get("amount_minor")}
        return Scribe(words, row["currency"]).facts(known, tuple(known)) if known["amount_minor"] is not None else []
    approvals = f"{given(row['words'], until=stored.at)} / {row['approvals_needed']}"
    said = [(name, text) for name, text in facts_of(row, visit.lang) if name in _OF_PAYOUT]
    lines = (*said, ("approvals", approvals))
    return [Fact(name=words.word("slip", name), cell=Cell(text=text)) for name, text in lines if text]


_OF_PAYOUT = frozenset({"project", "agreement", "amount", "capitals", "payee", "account"})
"""Lines of the slip that a receipt has too."""


def _moves(bodies: Sequence[Mapping[str, Any]], words: Words) -> Iterator[Change]:
    if not bodies or bodies[0]["from_state"] == bodies[-1]["to_state"] or not bodies[0]["from_state"]:
        return
    before, after = (words.word("state", one) for one in (bodies[0]["from_state"], bodies[-1]["to_state"]))
    yield Change(name=words.t("receipt.state"), before=before, after=after)


def _changes(session: Session, stored: Any, detail: Mapping[str, Any], scribe: Scribe) -> Iterator[Change]:
    """Yield the values that a correction replaced: those it says itself, or the figures of the entry before."""
    before, after = detail.get("was"), detail.get("is", detail)
    if isinstance(before, str):
        before = {"until_on": before}
    if isinstance(detail.get("figures"), Mapping) and "entry_no" in detail:
        entries = {one["entry_no"]: one for one in batch_entries(session, stored.object_id)}
        before, after = entries.get(detail["entry_no"] - 1), detail["figures"]
    if not isinstance(before, Mapping):
        return
    for name in (name for name in (*_FIGURES, *RECORDED) if name in before and name in after):
        was, now = (scribe.cell(name, one[name]).text for one in (before, after))
        yield Change(name=scribe.words.heading(name), before=was, after=now)


def _made(stored: Any, noun: Noun | None, row: Any) -> str:
    """Return the address of what a command made on a thing, where that has a page: a notice, a review, a batch."""
    if noun is not PROJECTS:
        return ""
    said = stored.answer
    places: Mapping[str, str] = {
        "notice.issue": f"/my/{row.number}/notice/{said.get('notice')}",
        "notice.answer": f"/my/{row.number}/notice/{said.get('notice')}" if said.get("notice") else "",
        "trial_batch.add": f"/projects/{row.number}/batches/{said.get('number')}",
    }
    if stored.object_type == "evidence":
        return f"/evidence/{stored.object_id}"
    return places.get(stored.verb, "")


def _then(stored: Any, noun: Noun | None, words: Words) -> str:
    """Return what comes next: after this verb, or for a thing whose states have words of their own, from its state."""
    own = f"then.{stored.verb}"
    if is_known(f"page.{own}") and stored.answer.get("state") not in ENDED:
        return words.t(own, **stored.answer)
    if noun is None or not noun.next_word or not stored.answer.get("state"):
        return ""
    after = f"{noun.next_word}.{stored.verb.rpartition('.')[2]}"
    return words.t(after if is_known(f"page.{after}") else f"{noun.next_word}.{stored.answer['state']}")
