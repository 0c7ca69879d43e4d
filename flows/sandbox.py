"""The bank of a rehearsal: it answers real files with real files, by the rules of `lifecycle.banking.sandbox`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, tzinfo
from io import BytesIO
from typing import Protocol

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.banking.pain001 import PaymentFile, check_totals, parse
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.banking.sandbox import Incoming, letters
from models.funds import Contribution, Fund
from models.ports import BankChannel, Inbound, NotPut, PutResult
from models.reading import table_of
from models.statements import BankStatement, StatementLine
from models.states import BankSource


class Desk(BankChannel, Protocol):
    """A channel whose other side is reached too: what was handed over is read there, answers are left there."""

    def handed_over(self) -> dict[str, bytes]:
        """Return the payment files that lie there, by name."""

    def leave(self, name: str, data: bytes) -> None:
        """Put an answer into the inbox."""

    def has_left(self, name: str) -> bool:
        """Say whether an answer of this name was left before, filed away or not."""


class SandboxBank:
    """A desk with somebody behind it, who works whenever the inbox is looked into."""

    def __init__(self, desk: Desk, *, today: date, incoming: Sequence[Incoming] = ()) -> None:
        self._desk, self._incoming, self.today = desk, incoming, today
        self._read: dict[str, PaymentFile] = {}

    def put(self, name: str, data: bytes) -> PutResult:
        """Take a payment file in; `NotPut` for one that is no pain.001."""
        try:
            self._read[name] = _file(data)
        except BankFileRefused as refused:
            raise NotPut(f"{name}: {refused.codes[0]}") from refused
        return self._desk.put(name, data)

    def find(self, name: str) -> str | None:
        """Return the SHA-256 of the file of this name: it stays where it was put."""
        return self._desk.find(name)

    def inbox(self) -> Iterator[Inbound]:
        """Leave all that is new by today, and yield what lies there."""
        for name, data in self._desk.handed_over().items():
            if name not in self._read:
                self._read[name] = _file(data)
        for letter in letters(list(self._read.values()), self._incoming, self.today):
            if not self._desk.has_left(letter.name):
                self._desk.leave(letter.name, letter.write())
        yield from self._desk.inbox()

    def file_away(self, name: str, where: str) -> None:
        """Move an answer to `done` or `quarantine`."""
        self._desk.file_away(name, where)

    def turn_to(self, today: date, incoming: Sequence[Incoming]) -> None:
        """Go on to another day, with all that came in until then."""
        self.today, self._incoming = today, incoming


def _file(data: bytes) -> PaymentFile:
    found = parse(BytesIO(data))
    check_totals(found)
    return found


def incoming_money(session: Session, zone: tzinfo, announced: Sequence[Incoming] = ()) -> list[Incoming]:
    """Return what came in from outside: what the bank has told before, investors' money as entered, and `announced`.

    The world of a rehearsal is what people say of it: a contribution is booked on the day on which it was entered.
    What was told stays as it was told. Two statements.
    """
    told = _told(session)
    left = Counter((one.account, one.reference, one.amount_minor) for one in told)
    news = []
    for one in (*_contributed(session, zone), *announced):
        key = one.account, one.reference, one.amount_minor
        if left[key]:
            left[key] -= 1
        else:
            news.append(one)
    return [*told, *news]


def _told(session: Session) -> list[Incoming]:
    line, statement = table_of(StatementLine), table_of(BankStatement)
    columns = (statement.c.account_number, line.c.currency, line.c.booked_on, line.c.amount_minor, line.c.bank_ref)
    of_days = (
        select(*columns, line.c.details)
        .join_from(line, statement, statement.c.id == line.c.statement_id)
        .where(statement.c.source == BankSource.CAMT053)
        .order_by(statement.c.at, line.c.line_ref)
    )
    return [
        Incoming(
            account=row.account_number,
            currency=row.currency,
            on=row.booked_on,
            amount_minor=row.amount_minor,
            reference=row.bank_ref,
        )
        for row in session.execute(of_days)
        if not row.details["end_to_end_ids"]
    ]


def _contributed(session: Session, zone: tzinfo) -> list[Incoming]:
    fund, paid = table_of(Fund), table_of(Contribution)
    entered = (
        select(fund.c.debtor_account, fund.c.currency, paid.c.at, paid.c.amount_minor, paid.c.bank_ref)
        .join_from(paid, fund, fund.c.id == paid.c.fund_id)
        .order_by(paid.c.at, paid.c.bank_ref)
    )
    return [
        Incoming(
            account=row.debtor_account,
            currency=row.currency,
            on=row.at.astimezone(zone).date(),
            amount_minor=row.amount_minor,
            reference=row.bank_ref,
        )
        for row in session.execute(entered)
    ]
