"""The plain CSV that any bank's portal can be brought to: one booked line a row."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from typing import BinaryIO

from lifecycle.banking.answers import Detail, EntryStatus, Source, Statement, StatementLine, content_hash
from lifecycle.banking.camt05x import Item
from lifecycle.banking.message import MAX_STREAMED, MEBIBYTE
from lifecycle.banking.refusal import BankFileRefused, shown
from lifecycle.banking.values import ACCOUNT, NAME, REFERENCE, day, legible, minor_exact

HEADER = (
    "booked_on", "amount", "currency", "direction",
    "counterparty_account", "counterparty_name", "end_to_end_id", "bank_ref",
)  # fmt: skip

_SIGNS = {"debit": -1, "credit": 1}
_LONGEST_LINE = 1 << 16
_OPTIONAL = (
    ("counterparty_account", ACCOUNT),
    ("counterparty_name", NAME),
    ("end_to_end_id", REFERENCE),
    ("bank_ref", REFERENCE),
)


def read(stream: BinaryIO) -> Iterator[Item]:
    """Yield one statement without account and balances, then its lines; `BankFileRefused` at the first wrong row.

    UTF-8, RFC 4180, exactly the header above; a row is named as a spreadsheet numbers it.
    """
    rows = _rows(stream)
    header = next(rows, (1, []))[1]
    if tuple(header) != HEADER:
        found = shown(",".join(header)) or "–"
        raise BankFileRefused("bank_csv_header", element="row 1", rule=",".join(HEADER), found=found)
    yield Statement(
        source=Source.CSV, element="file", account_number=None, statement_ref=None, sequence=None, currency=None
    )
    for position, (number, cells) in enumerate(rows, start=1):
        if len(cells) != len(HEADER):
            raise BankFileRefused(
                "bank_csv_cells", element=f"row {number}", rule="as the header", limit=len(HEADER), found=len(cells)
            )
        yield _line(dict(zip(HEADER, cells, strict=True)), f"row {number}", position)


def _line(cells: dict[str, str], at: str, position: int) -> StatementLine:
    sign = _SIGNS.get(cells["direction"])
    if sign is None:
        found = shown(cells["direction"])
        raise BankFileRefused("bank_word", element=f"{at}/direction", rule="debit | credit", found=found)
    currency = cells["currency"]
    amount = sign * minor_exact(cells["amount"], currency, f"{at}/amount")
    texts = {name: legible(cells[name], f"{at}/{name}", most) if cells[name] else None for name, most in _OPTIONAL}
    detail = Detail(
        end_to_end_id=texts["end_to_end_id"],
        amount_minor=amount,
        currency=currency,
        counterparty_account=texts["counterparty_account"],
        counterparty_name=texts["counterparty_name"],
    )
    booked_on, details = day(cells["booked_on"], f"{at}/booked_on"), (detail,)
    return StatementLine(
        position=position,
        line_ref=None,
        status=EntryStatus.BOOKED,
        amount_minor=amount,
        currency=currency,
        booked_on=booked_on,
        bank_ref=texts["bank_ref"],
        details=details,
        content_hash=content_hash(
            None, amount_minor=amount, currency=currency, booked_on=booked_on, bank_ref=texts["bank_ref"],
            details=details,
        ),
    )  # fmt: skip


def _rows(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with its number; an empty line is no row."""
    text = TextIOWrapper(stream, encoding="utf-8-sig", errors="strict", newline="")
    try:
        for number, cells in enumerate(csv.reader(_bounded(text), strict=True), start=1):
            if any("\0" in cell for cell in cells):
                raise BankFileRefused("bank_csv_malformed", element=f"row {number}", rule="RFC 4180, UTF-8", why="NUL")
            if cells:
                yield number, cells
    except (csv.Error, UnicodeDecodeError) as error:
        why = shown(str(error))
        raise BankFileRefused("bank_csv_malformed", element="file", rule="RFC 4180, UTF-8", why=why) from None
    finally:
        with suppress(ValueError):  # it was closed before
            text.detach()  # the stream stays with who opened it


def _bounded(text: TextIOWrapper) -> Iterator[str]:
    read = 0
    while line := text.readline(_LONGEST_LINE):
        read += len(line)
        if len(line) == _LONGEST_LINE or read > MAX_STREAMED:
            limit = MAX_STREAMED // MEBIBYTE
            raise BankFileRefused("bank_file_too_large", element="file", rule=f"<= {limit} MiB", limit=limit)
        yield line
