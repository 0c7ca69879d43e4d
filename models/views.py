"""The read-only `v_…` views of the contract (`docs/contract.md` 3.4): same names, columns, order and texts everywhere.

They are no tables: each `migrate` makes them anew, so a change of a view needs no revision.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class _Form(Enum):
    """How a column is written so that both databases give the very same value."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    INSTANT = "instant"
    DAY = "day"
    LAST_DAY = "last day"


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    form: _Form
    source: str


_Columns: TypeAlias = tuple[_Column, ...]


def _text(*names: str, **sources: str) -> _Columns:
    """Ids, words and hashes."""
    return _columns(_Form.TEXT, names, sources)


def _number(*names: str, **sources: str) -> _Columns:
    return _columns(_Form.NUMBER, names, sources)


def _flag(**sources: str) -> _Columns:
    return _columns(_Form.FLAG, (), sources)


def _instant(*names: str, **sources: str) -> _Columns:
    return _columns(_Form.INSTANT, names, sources)


def _day(*names: str) -> _Columns:
    return _columns(_Form.DAY, names, {})


def _last_day(**sources: str) -> _Columns:
    return _columns(_Form.LAST_DAY, (), sources)


def _columns(form: _Form, names: tuple[str, ...], sources: dict[str, str]) -> _Columns:
    named = {name: name for name in names} | sources
    return tuple(_Column(name, form, source) for name, source in named.items())


_ON_HOLD = (
    "EXISTS (SELECT 1 FROM hold WHERE hold.object_type = 'project' AND hold.object_id = project.id"
    " AND hold.lifted_at IS NULL)"
)

_FILED = """(
    SELECT id, 'project' AS object_type, project_id AS object_id, file_name, sha256, size_bytes, status, at
    FROM evidence
    UNION ALL
    SELECT id, 'exception', exception_id, file_name, sha256, size_bytes, 'current', at FROM case_file
) AS filed"""
"""The files of projects and those of cases; what a proposal rested on stays, also when another took its place."""

_VIEWS: dict[str, tuple[str, _Columns]] = {
    "v_user": ("app_user", _text("id", "login", "email", "status") + _instant("created_at")),
    "v_grant": ("role_grant", _text("id", "user_id", "role", "organisation_id") + _instant("granted_at", "revoked_at")),
    "v_project": (
        "project",
        _text("id", "number", "programme_id", "organisation_id")
        + _number("definition_version")
        + _text("stage")
        + _flag(is_on_hold=_ON_HOLD)
        + _number("version")
        + _instant("created_at"),
    ),
    "v_stage_run": (
        "stage_run",
        _text("id", "project_id", "stage")
        + _number(visit_seq="visit")
        + _text("state")
        + _day("opened_on", "due_on", "closed_on")
        + _number("version"),
    ),
    "v_requirement": (
        "requirement",
        _text("id", "project_id", "stage_run_id", "clause", "verdict", "verdict_code")
        + _day("due_on")
        + _number("version"),
    ),
    "v_review": (
        "review",
        _text("id", "project_id", "stage_run_id", "gate")
        + _number(attempt="call_no")
        + _text("state", "outcome", "target")
        + _day("planned_on", "decided_on")
        + _number("version"),
    ),
    "v_edge": ("edge", _text("object_type") + _number("definition_version") + _text("event", "from_state", "to_state")),
    "v_transition": (
        "transition",
        _number("seq")
        + _text("object_type", "object_id", "event", "from_state", "to_state", "actor_id", "command_id")
        + _number("definition_version")
        + _instant("at"),
    ),
    "v_command": (
        "command_record",
        _text("actor_id", "command_id", "verb", "object_type", "object_id", "body_sha256") + _instant("at"),
    ),
    "v_payee_account": (
        "payee_account",
        _text("id", "organisation_id", "payee_hash", "status", "proposed_by", "confirmed_by") + _instant("at"),
    ),
    "v_fund": ("fund", _text("id", "code", "currency") + _number("commitment_minor") + _text("status")),
    "v_agreement": (
        "agreement",
        _text("id", "project_id", "fund_id") + _number("amount_minor") + _text("currency", "status"),
    ),
    "v_milestone": (
        "milestone",
        _text("id", "project_id", "agreement_id", number="CAST(number AS text)")
        + _number("amount_minor")
        + _text("currency", "state")
        + _number("version"),
    ),
    "v_account": (
        "account",
        _text("id", "code", "kind", "fund_id", "currency") + _number("balance_minor", "floor_minor"),
    ),
    "v_posting": (
        "posting",
        _number("seq")
        + _text("entry_id", "account_id")
        + _number("amount_minor")
        + _text("currency", "kind", "payout_id")
        + _number("bank_event_seq")
        + _instant("at"),
    ),
    "v_payout": (
        "payout",
        _text("id", "number", "purpose", "project_id", "milestone_id", "fund_id", "payee_account_id")
        + _number("amount_minor")
        + _text("currency", "state")
        + _number("revision", "version")
        + _text("payload_hash", "requested_by")
        + _number("approvals_needed")
        + _instant("created_at"),
    ),
    "v_approval": (
        "approval",
        _number("seq")
        + _text("payout_id", "approver_id", "on_behalf_of_id", "decision", "payload_hash", "command_id")
        + _instant("at"),
    ),
    "v_batch": (
        "payment_batch",
        _text("id", "number", "msg_id", "state")
        + _number("instruction_count", "total_minor")
        + _text("currency", "file_name", "file_sha256")
        + _number("fence", "version")
        + _instant("created_at", "sent_at"),
    ),
    "v_instruction": (
        "payment_instruction",
        _text("id", "payout_id", "batch_id")
        + _number("attempt")
        + _text("end_to_end_id")
        + _number("amount_minor")
        + _text("currency", "payee_hash", "payload_hash")
        + _number("approvals_needed")
        + _text("status")
        + _instant("created_at"),
    ),
    "v_bank_event": (
        "bank_event",
        _number("seq")
        + _text("source", "bank_ref", "end_to_end_id", "instruction_id", "statement_line_id", "kind")
        + _number("amount_minor")
        + _text("currency", "content_hash", "effect")
        + _instant("at"),
    ),
    "v_statement": (
        "bank_statement",
        _text("id", "account_number", "statement_ref")
        + _number("opening_minor", "closing_minor")
        + _text("currency", "file_sha256", "status")
        + _instant("at"),
    ),
    "v_statement_line": (
        "statement_line",
        _text("id", "statement_id", "line_ref")
        + _number("amount_minor")
        + _text("currency", "content_hash", "status")
        + _instant("at"),
    ),
    "v_exception": (
        "exception_case",
        _text("id", "kind", "object_type", "object_id", "owner_id") + _instant("opened_at", "closed_at"),
    ),
    "v_claim": (
        "claim",
        _text("object_type", "object_id", "holder") + _number("fence") + _instant("until_at"),
    ),
    "v_hold": (
        "hold",
        _text("id", "object_type", "object_id", "reason")
        + _instant("from_at")
        + _last_day(until_at="until_on")
        + _instant("lifted_at"),
    ),
    "v_outbox": (
        "outbox_message",
        _text("id", "kind", "dedupe_key", "status") + _number("attempts", "fence") + _instant("created_at"),
    ),
    "v_delivery": (
        "delivery",
        _text("id", "outbox_id", "dedupe_key", "channel", "recipient", "message_id", "status")
        + _number("attempts")
        + _instant("at"),
    ),
    "v_schedule_slot": (
        "scheduled_run",
        _text("schedule_id")
        + _instant("slot_at")
        + _text("status", run_id="id")
        + _number("done_count", "refused_count", "failed_count")
        + _instant(at="COALESCE(ended_at, started_at)"),
    ),
    "v_evidence": (
        _FILED,
        _text("id", "object_type", "object_id")
        + _text("file_name", "sha256")
        + _number("size_bytes")
        + _text("status")
        + _instant("at"),
    ),
    "v_audit": (
        "audit_record",
        _number("seq")
        + _instant("at")
        + _text("actor_id", "door", "action", "object_type", "object_id")
        + _number("chain_seq")
        + _text("from_state", "to_state", "command_id", "body", "prev_hash", "hash"),
    ),
    "v_checkpoint": (
        "checkpoint",
        _number("seq", "audit_seq", "heads_count")
        + _text("heads_sha256")
        + _instant("at")
        + _text("key_id", "signature"),
    ),
}

COLUMNS: dict[str, tuple[str, ...]] = {
    view: tuple(column.name for column in columns) for view, (_, columns) in _VIEWS.items()
}
"""Every view with its columns in their order."""


def source_of(view: str) -> str:
    """Return what a view reads: the name of a table, or a query of its own."""
    return _VIEWS[view][0]


def written_columns(view: str, dialect: str) -> list[tuple[str, str]]:
    """Return (name, expression) of each column of a view over its source: for reading by a key, with its index."""
    return [(one.name, _WRITTEN[dialect][one.form].format(one.source)) for one in _VIEWS[view][1]]


def create_views(dialect: str) -> list[str]:
    """Return the statements that make or replace all views on `sqlite` or `postgresql`; safe to repeat."""
    statements = []
    for view, (table, _) in _VIEWS.items():
        written = ", ".join(f"{expression} AS {name}" for name, expression in written_columns(view, dialect))
        body = f"VIEW {view} AS SELECT {written} FROM {table}"
        if dialect == "sqlite":
            statements += [f"DROP VIEW IF EXISTS {view}", f"CREATE {body}"]
        else:  # not dropped: the rights that a reader was given on it stay
            statements.append(f"CREATE OR REPLACE {body}")
    return statements


def drop_views() -> list[str]:
    """Return the statements that remove all views, for a migration that changes a type underneath them."""
    return [f"DROP VIEW IF EXISTS {view}" for view in _VIEWS]


_WRITTEN: dict[str, dict[_Form, str]] = {
    "sqlite": {
        _Form.TEXT: "{}",
        _Form.NUMBER: "{}",
        _Form.FLAG: "{}",
        _Form.INSTANT: "{}",
        _Form.DAY: "{}",
        _Form.LAST_DAY: "{} || 'T00:00:00.000000Z'",
    },
    "postgresql": {
        _Form.TEXT: "CAST({} AS text)",
        _Form.NUMBER: "CAST({} AS bigint)",
        _Form.FLAG: "CAST(CAST({} AS integer) AS bigint)",
        _Form.INSTANT: "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        _Form.DAY: "to_char({}, 'YYYY-MM-DD')",
        _Form.LAST_DAY: "to_char({}, 'YYYY-MM-DD') || 'T00:00:00.000000Z'",
    },
}
