"""付款审批单: what the approval slip of a payout says, line by line, in one language; every door prints the same."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from lifecycle.payouts.awaited import given
from lifecycle.payouts.words_of_amount import capitals
from models.money import Money
from notifications.words import Lang, title

Line: TypeAlias = tuple[str, str]
"""What it is, and what it says."""


def in_capitals(minor: int, currency: str) -> str:
    """Return an amount of yuan as Chinese forms carry it beside the figures; empty in another currency."""
    return f"人民币{capitals(minor)}" if currency == "CNY" else ""


def slip(row: Mapping[str, Any], lang: Lang, zone: ZoneInfo) -> list[Line]:
    """Return the lines of the slip of one payout (a row of `payouts.queries.payout`)."""
    named = [*facts_of(row, lang), *_trail(row, lang, zone), *_fund(row)]
    return [(title("slip", name, lang), value) for name, value in named]


def facts_of(row: Mapping[str, Any], lang: Lang) -> Iterator[Line]:
    """Yield (name, text) of what a payout pays for, how much, and to whom."""
    yield "project", f"{row['project']} {row['project_name']}"
    yield "agreement", " ".join(filter(None, [row["agreement"], row["tranche"]]))
    yield "state", title("state", row["state"], lang)
    if row["reason"]:
        yield "reason", row["reason"]
    for one in row["instructions"]:
        if one["status"] in ("rejected", "returned"):
            said = [one["end_to_end_id"], title("state", one["status"], lang), one["why"]]
            yield "came_back", "  ".join(filter(None, said))
    yield "amount", Money(row["amount_minor"], row["currency"]).display
    if words := in_capitals(row["amount_minor"], row["currency"]):
        yield "capitals", words
    yield "payee", row["payee"]
    yield "account", " ".join(filter(None, [row["bank_name"], f"****{row['account_last']}"]))
    if row["account_changed_on"]:
        yield "account_before", f"{row['payee_before']} ****{row['account_last_before']} ({row['account_changed_on']})"
    yield "evidence", str(len(row["evidence"]))
    yield "payload_hash", row["payload_hash"]


def _trail(row: Mapping[str, Any], lang: Lang, zone: ZoneInfo) -> Iterator[Line]:
    """Everybody whose word it rests on; what was said of an earlier form of it counts no more and is left out."""
    yield "requested_by", f"{row['requested_by'] or ''}  {_minute(row['created_at'], zone)}".strip()
    yield "account_confirmed_by", row["account_confirmed_by"] or ""
    for word in row["words"]:
        if word["is_valid"]:
            absent = f" ({title('slip', 'on_behalf_of', lang)} {word['on_behalf_of']})" if word["on_behalf_of"] else ""
            role = title("role", word["role"], lang)
            yield word["decision"], f"{word['by'] or ''}{absent}  {role}  {_minute(word['at'], zone)}".strip()
    yield "approvals", f"{given(row['words'])} / {row['approvals_needed']}"


def _minute(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _fund(row: Mapping[str, Any]) -> Iterator[Line]:
    yield "fund", f"{row['fund_name']} ({row['fund']})"
    yield "before", Money(row["before_minor"], row["currency"]).display
    yield "after", Money(row["after_minor"], row["currency"]).display
