"""The one door for what a bank sends: find out what it is, read it, check it."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import SEEK_SET
from typing import BinaryIO

from lifecycle.banking import bank_csv, camt05x, pain002
from lifecycle.banking.answers import Source, StatusReport
from lifecycle.banking.balance import checked
from lifecycle.banking.camt05x import SOURCES, Item
from lifecycle.banking.message import Kind, opened
from lifecycle.banking.refusal import BankFileRefused, shown

_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BOM = b"\xef\xbb\xbf"
_WHITE = b" \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was read: a status report, or statements that are still to be walked through, once.

    Neither for a workbook: it is read by the template of the batch that it answers, so by who knows the batches.
    """

    source: Source
    report: StatusReport | None = None
    items: Iterator[Item] | None = None


def detect(name: str, stream: BinaryIO) -> Source:
    """Say what a file is by its content, and put the stream back; `BankFileRefused` when it is no answer of a bank.

    The name must not contradict: `.xml` for messages, `.csv` for the plain table, `.xlsx` for workbooks.
    """
    start = stream.read(64)
    stream.seek(0, SEEK_SET)
    if start.startswith(_OLD_OFFICE):
        raise BankFileRefused("bank_workbook", element=shown(name), rule="XLSX", why="xls_old")
    is_xml = start.removeprefix(_BOM).lstrip(_WHITE).startswith(b"<")
    wanted = ".xml" if is_xml else ".xlsx" if start.startswith(_ZIP) else ".csv"
    if not name.lower().endswith(wanted):
        raise BankFileRefused("bank_file_name", element=shown(name), rule=f"*{wanted}")
    if not is_xml:
        return Source.CSV if wanted == ".csv" else Source.BANK_EXCEL
    message = opened(stream)
    stream.seek(0, SEEK_SET)
    if message.kind is Kind.PAIN_001:
        rule = "pain.002 | camt.053 | camt.054"
        raise BankFileRefused("bank_kind", element="Document", rule=rule, found=message.kind)
    return Source.PAIN_002 if message.kind is Kind.PAIN_002 else SOURCES[message.kind]


def read_answer(name: str, stream: BinaryIO) -> Answer:
    """Read what a bank sent, from a stream that can be put back; `BankFileRefused` says what is wrong and where.

    Items are checked while they are walked through: a statement that does not add up is refused after its last line,
    so whoever writes lines down reads to the end first.
    """
    source = detect(name, stream)
    if source is Source.BANK_EXCEL:
        return Answer(source=source)
    if source is Source.CSV:
        return Answer(source=source, items=checked(bank_csv.read(stream)))
    message = opened(stream)
    if source is Source.PAIN_002:
        return Answer(source=source, report=pain002.read(message))
    return Answer(source=source, items=checked(camt05x.read(message)))
