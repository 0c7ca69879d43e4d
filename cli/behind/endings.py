"""Settlement statements and recovery orders as people read them."""

from typing import Any

from cli.behind.money import columns, with_money
from lifecycle.endings import queries
from models.db import reading

_STATEMENT = (
    "number",
    "project",
    "award",
    "cost",
    "own_money",
    "paid",
    "returned",
    "recovered",
    "set_off",
    "set_off_as_paid",
    "written_off",
    "net",
    "advance",
    "reserved",
    "entitlement",
    "difference",
    "acceptance",
    "retention",
    "settlement",
    "owed",
    "standing",
    "settled_on",
    "statement_due_on",
)
_RECOVERY = (
    "number",
    "agreement",
    "code",
    "amount",
    "repaid",
    "set_off",
    "written_off",
    "left",
    "due_on",
    "state",
    "days_late",
    "interest",
)


def show_statement(door: Any, ref: str) -> None:
    """Show the settlement statement of an agreement."""
    with reading(door.engine) as session:
        row = queries.statement(session, door.lookup(session).agreement(ref))
    door.output.record(columns(_STATEMENT), with_money([row])[0])


def list_recoveries(door: Any, agreement: str) -> None:
    """Show recovery orders, of one agreement where it is named."""
    with reading(door.engine) as session:
        of = door.lookup(session).agreement(agreement) if agreement else None
        rows = queries.recoveries(session, today=door.today, agreement_id=of)
    door.output.table(columns(_RECOVERY, code="recovery"), with_money(rows))


def show_recovery(door: Any, ref: str) -> None:
    """Show one recovery order with its parts."""
    with reading(door.engine) as session:
        row = queries.recovery(session, door.lookup(session).recovery(ref), today=door.today)
    (shown,) = with_money([row])
    shown["parts"] = with_money(row["parts"], row["currency"])
    said = (*_RECOVERY, "reason", "ordered_by", "write_off_by", "write_off_reason")
    door.output.record(columns(said, code="recovery"), shown)
    if not door.output.as_json:
        parts = ("kind", "amount", "bank_ref", "notified_on", "met_on", "at")
        door.output.table(columns(parts, kind="part"), shown["parts"])
