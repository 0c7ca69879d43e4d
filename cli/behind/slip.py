"""付款审批单: the approval slip of a payout, as text or as a page to be printed and signed."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from cli.behind.money import with_money
from cli.door import Door
from cli.output import padded, width_of
from lifecycle.payouts.queries import payout
from lifecycle.payouts.words_of_amount import capitals
from notifications.words import Lang, title

Line = tuple[str, str]
"""What it is, and what it says."""


def print_text(door: Door, ref: str) -> None:
    """Print the slip as text; with `--json` what stands in it."""
    row, lines = _read(door, ref)
    if door.output.as_json:
        door.output.document(row)
        return
    wide = max(width_of(name) for name, _ in lines)
    door.output.line(f"{title('slip', 'title', door.output.lang)}  {row['number']}")
    for name, value in lines:
        door.output.line(f"{padded(name, wide)}  {value}".rstrip())


def print_page(door: Door, ref: str) -> None:
    """Print the slip as one page of HTML that needs nothing from elsewhere."""
    row, lines = _read(door, ref)
    heading = escape(f"{title('slip', 'title', door.output.lang)} {row['number']}")
    cells = "\n".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in lines)
    signed = escape(title("slip", "signature", door.output.lang))
    print(_PAGE.format(lang=door.output.lang, heading=heading, cells=cells, signed=signed))


_PAGE = """<!doctype html>
<html lang="{lang}"><meta charset="utf-8"><title>{heading}</title>
<style>body{{font:14px/1.6 sans-serif;margin:2em}}table{{border-collapse:collapse;width:100%}}
th,td{{border:1px solid;padding:.3em .6em;text-align:left;vertical-align:top}}
th{{width:10em;font-weight:normal}}</style>
<h1>{heading}</h1>
<table>
{cells}
</table>
<p>{signed}</p>
</html>"""


def _read(door: Door, ref: str) -> tuple[dict[str, Any], list[Line]]:
    row = door.read(
        lambda session: payout(session, door.lookup(session).payout(ref), today=door.today, calendar=door.calendar)
    )
    (shown,) = with_money([row])
    shown["capitals"] = f"人民币{capitals(row['amount_minor'])}" if row["currency"] == "CNY" else ""
    lang = door.output.lang
    names = [*_facts(shown, lang), *_trail(door, shown, lang), *_fund(shown)]
    return shown, [(title("slip", name, lang) if name else "", value) for name, value in names]


def _facts(row: Mapping[str, Any], lang: Lang) -> Iterator[Line]:
    yield "project", f"{row['project']} {row['project_name']}"
    yield "agreement", " ".join(filter(None, [row["agreement"], row["tranche"]]))
    yield "state", title("state", row["state"], lang)
    if row["reason"]:
        yield "reason", row["reason"]
    for one in row["instructions"]:
        if one["status"] in ("rejected", "returned"):
            said = [one["end_to_end_id"], title("state", one["status"], lang), one["why"]]
            yield "came_back", "  ".join(filter(None, said))
    yield "amount", row["amount"]
    if row["capitals"]:
        yield "capitals", row["capitals"]
    yield "payee", row["payee"]
    yield "account", " ".join(filter(None, [row["bank_name"], f"****{row['account_last']}"]))
    if row["account_changed_on"]:
        yield "account_before", f"{row['payee_before']} ****{row['account_last_before']} ({row['account_changed_on']})"
    yield "evidence", str(len(row["evidence"]))
    yield "payload_hash", row["payload_hash"]


def _trail(door: Door, row: Mapping[str, Any], lang: Lang) -> Iterator[Line]:
    """Everybody whose word it rests on; what was said of an earlier form of it counts no more and is left out."""
    at = door.local(row["created_at"])
    yield "requested_by", f"{row['requested_by'] or ''}  {at:%Y-%m-%d %H:%M}".strip()
    yield "account_confirmed_by", row["account_confirmed_by"] or ""
    for word in row["words"]:
        if word["is_valid"]:
            absent = f" ({title('slip', 'on_behalf_of', lang)} {word['on_behalf_of']})" if word["on_behalf_of"] else ""
            role, when = title("role", word["role"], lang), door.local(word["at"])
            yield word["decision"], f"{word['by'] or ''}{absent}  {role}  {when:%Y-%m-%d %H:%M}".strip()
    given = len({word["by"] for word in row["words"] if word["is_valid"] and word["decision"] == "approve"})
    yield "approvals", f"{given} / {row['approvals_needed']}"


def _fund(row: Mapping[str, Any]) -> Iterator[Line]:
    yield "fund", row["fund"]
    yield "before", row["before"]
    yield "after", row["after"]
