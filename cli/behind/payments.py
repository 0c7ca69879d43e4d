"""Payouts, accounts, batches, statements and cases as people read them."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlmodel import Session

from cli.behind.documents import stored
from cli.behind.money import with_money
from cli.door import Door
from cli.errors import Refusal
from cli.output import Column
from lifecycle.commands import Answer, Stamp
from lifecycle.errors import Invalid, unmet
from lifecycle.exceptions import queries as exceptions
from lifecycle.exceptions.carrying_out import carry_out
from lifecycle.exceptions.commands import ConfirmWayOut, ProposeWayOut
from lifecycle.exceptions.proposal import Action
from lifecycle.imports.taking_in import look_at_bank_word
from lifecycle.payouts import queries
from lifecycle.payouts.promises import Period, terms
from models.states import BankEventKind, PaymentBatchState, PayoutState
from notifications.words import title

E = TypeVar("E", bound=StrEnum)

_PAYOUT = (
    "number",
    "project",
    "organisation",
    "fund",
    "tranche",
    "amount",
    "state",
    "pay_by_on",
    "promise",
    "days_left",
)
_FULL = (
    *(*_PAYOUT, "complete_on", "is_provisional", "paid_on", "days_taken", "days_late", "agreement"),
    *("payee", "account_last", "requested_by", "approvals_needed", "payload_hash", "reason"),
    *("account_changed_on", "payee_before", "account_last_before"),
)
_TERMS = (
    *("fund", "period", "asked", "paid_in_time", "paid_late", "still_open", "open_overdue", "ended_unpaid"),
    *("amount", "late", "median_days", "longest_days", "most_days_late"),
)
_WORD = ("decision", "by", "on_behalf_of", "role", "is_valid", "at")
_ATTEMPT = ("end_to_end_id", "payout", "amount", "payee", "account_last", "batch", "status", "why")
_ACCOUNT = (
    *("organisation", "holder_name", "account_last", "bank_code", "status", "usable_on", "proposed_by"),
    *("confirmed_by", "warnings"),
)
_BATCH = ("number", "fund", "state", "instruction_count", "total", "execution_on", "sent_at", "answer_due_at")
_STATEMENT = (
    "statement_ref",
    "fund",
    "status",
    "matched",
    "duplicate",
    "exception",
    "settled",
    "closing",
    "file_name",
    "at",
)
_LINE = ("statement_ref", "booked_on", "amount", "counterparty", "bank_ref", "status")
_CASE = ("id", "fund", "kind", "object_type", "opened_at", "action", "proposed_by")


def _columns(keys: Sequence[str], **kinds: str) -> tuple[Column, ...]:
    known = {
        "state": "state",
        "status": "state",
        "role": "role",
        "decision": "verb",
        "promise": "promise",
        "warnings": "warning",
        **kinds,
    }
    return tuple(Column(key=key, kind=known.get(key), is_wide=key in _WIDE) for key in keys)


_WIDE = frozenset(
    {"organisation", "payee", "reason", "why", "holder_name", "warnings", "counterparty", "kind", "file_name"}
)


def one_of(words: type[E], text: str, field: str = "state") -> E | None:
    """Return the word that was typed, None for none; raises `Invalid` for one that is not known."""
    try:
        return words(text) if text else None
    except ValueError:
        raise Invalid(unmet("value_wrong", field=field, value=text, form=" | ".join(words))) from None


def list_payouts(door: Door, state: str, fund: str, project: str, due_until: date | None) -> None:
    """Show payouts, in one state, of one fund or project, or with a promise that ends up to a day where it is named."""

    def work(session: Session) -> Any:
        lookup = door.lookup(session)
        which = queries.Which(
            state=one_of(PayoutState, state),
            fund_id=lookup.fund(fund) if fund else None,
            project_id=lookup.project(project) if project else None,
            due_until=due_until,
        )
        return queries.payouts(session, today=door.today, calendar=door.calendar, which=which)

    door.output.table(_columns(_PAYOUT), with_money(door.read(work)))


def show_payout(door: Door, ref: str) -> None:
    """Show one payout in full."""
    row = door.read(
        lambda session: queries.payout(
            session, door.lookup(session).payout(ref), today=door.today, calendar=door.calendar
        )
    )
    (shown,) = with_money([row])
    shown["instructions"] = with_money(_named(row["instructions"]))
    door.output.record(_columns(_FULL), shown)
    if not door.output.as_json:
        door.output.table(_columns(_WORD), shown["words"])
        door.output.table(_columns(_ATTEMPT), shown["instructions"])


def show_terms(door: Door, fund: str, by: str) -> None:
    """Show how the promise of payment was kept, by fund and month or quarter."""

    def work(session: Session) -> Any:
        fund_id = door.lookup(session).fund(fund) if fund else None
        period = one_of(Period, by, "by") or Period.MONTH
        return terms(session, period=period, today=door.today, calendar=door.calendar, fund_id=fund_id)

    door.output.table(_columns(_TERMS), with_money(door.read(work)))


def _named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "payee": row["holder_name"]} for row in rows]


def list_accounts(door: Door, organisation: str) -> None:
    """Show accounts of payees, of one firm where it is named."""

    def work(session: Session) -> Any:
        firm = door.lookup(session).organisation(organisation) if organisation else None
        return queries.accounts(session, organisation_id=firm)

    door.output.table(_columns(_ACCOUNT), door.read(work))


def list_batches(door: Door, state: str) -> None:
    """Show payment batches."""
    rows = door.read(lambda session: queries.batches(session, state=one_of(PaymentBatchState, state)))
    door.output.table(_columns(_BATCH), with_money(rows))


def show_batch(door: Door, ref: str) -> None:
    """Show one payment batch with its payments."""
    row = door.read(lambda session: queries.batch(session, door.lookup(session).batch(ref)))
    (shown,) = with_money([row])
    shown["instructions"] = with_money(_named(row["instructions"]))
    door.output.record(_columns((*_BATCH, "msg_id", "file_name", "file_sha256", "created_at")), shown)
    if not door.output.as_json:
        door.output.table(_columns(_ATTEMPT), shown["instructions"])


def list_statements(door: Door) -> None:
    """Show what the bank sent."""
    door.output.table(_columns(_STATEMENT), with_money(door.read(queries.statements)))


def show_statement(door: Door, ref: str) -> None:
    """Show one statement with its bookings."""
    row = door.read(lambda session: queries.statement(session, door.lookup(session).statement(ref)))
    (shown,) = with_money([row])
    shown["lines"] = with_money(row["lines"])
    door.output.record(_columns((*_STATEMENT, "opening", "file_sha256")), shown)
    if not door.output.as_json:
        door.output.table(_columns(_LINE[1:]), shown["lines"])


def list_unmatched(door: Door) -> None:
    """Show bookings that nothing has explained yet."""
    rows = door.read(queries.unmatched)
    door.output.table(_columns(_LINE), with_money(rows))


def list_cases(door: Door, state: Literal["open"] | None) -> None:
    """Show cases: those still open, or all."""
    rows = door.read(lambda session: exceptions.cases(session, state=state))
    door.output.table(_columns(_CASE, kind="case", action="way_out", object_type="about"), rows)


def show_case(door: Door, ref: str) -> None:
    """Show one case with its figures and ways out."""
    (row,) = door.read(lambda session: exceptions.cases(session, case_id=door.lookup(session).case(ref)))
    kinds = {"kind": "case", "action": "way_out", "possible": "way_out", "object_type": "about"}
    (said,) = with_money([row["facts"]], row["currency"])
    facts = tuple(Column(key=key) for key in said if not key.endswith("_minor") and key != "currency")
    shown = (*_CASE, "possible", "reason", "evidence_sha256", "proposal_hash", "confirmed_by", "closed_at")
    door.output.record((*_columns(shown, **kinds), *facts), row if door.output.as_json else {**said, **row})


def propose_way_out(
    door: Door, ref: str, action: str, evidence: Path, *, reason: str, named: Mapping[str, str], version: int | None
) -> None:
    """Store the file that the proposal rests on, then propose; one whose command is refused is swept by `recover`."""
    way_out, kind = _way_out(action), one_of(BankEventKind, named["kind"], "kind")
    sha256, size = stored(door, evidence, look_at_bank_word)

    def make(lookup: Any, key: str) -> ProposeWayOut:
        return ProposeWayOut(
            command_id=key,
            expected_version=version,
            exception_id=lookup.case(ref),
            action=way_out,
            reason=reason,
            evidence_sha256=sha256,
            file_name=evidence.name,
            size_bytes=size,
            end_to_end_id=named["end_to_end_id"] or None,
            kind=kind,
            recovery_id=lookup.recovery(named["recovery"]) if named["recovery"] else None,
        )

    door.act(make, ref=ref)


def _way_out(text: str) -> Action:
    seen = one_of(Action, text or "–", "action")
    assert seen is not None  # noqa: S101 - only nothing typed is none
    return seen


def confirm_way_out(door: Door, ref: str, action: str, proposal_hash: str, version: int | None) -> None:
    """Confirm the way out of a case and carry it out, both or neither."""
    seen = _way_out(action)

    def make(lookup: Any, key: str) -> ConfirmWayOut:
        case = lookup.case(ref)
        return ConfirmWayOut(
            command_id=key, exception_id=case, action=seen, proposal_hash=proposal_hash, expected_version=version
        )

    def follow(session: Session, answer: Answer, stamp: Stamp) -> None:
        case_id = UUID(answer.document["object_id"])
        for one in carry_out(session, case_id, answer.command.command_id, stamp):
            if one.error is not None:
                verb = title("verb", "exception.confirm", door.output.lang)
                raise Refusal(one.error, verb=verb, ref=ref)

    door.act(make, ref=ref, follow=follow)
