"""付款审批单: the approval slip of a payout, as text or as a page to be printed and signed."""

from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from cli.behind.money import with_money
from cli.door import Door
from cli.output import padded, width_of
from lifecycle.payouts.queries import payout
from notifications.slip import Line, in_capitals, slip
from notifications.words import title


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
    shown["capitals"] = in_capitals(row["amount_minor"], row["currency"])
    return shown, slip(row, door.output.lang, ZoneInfo(door.settings.timezone))
