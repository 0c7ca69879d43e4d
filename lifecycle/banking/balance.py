"""Do a statement's lines explain its balances, counts and sums? What does not fit is refused whole, never guessed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lifecycle.banking.answers import Source, Statement, StatementLine
from lifecycle.banking.camt05x import Item
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.banking.values import decimal

MAX_LINES = 100_000
"""Lines of one file (limits table, statement file)."""


def checked(items: Iterable[Item]) -> Iterator[Item]:
    """Pass statements and lines on; `BankFileRefused` after the last line of a statement that does not add up.

    Whoever writes lines down while they come must be able to take them back.
    """
    running: _Running | None = None
    lines = 0
    for item in items:
        if isinstance(item, Statement):
            if running is not None:
                running.close()
            running = _Running(item)
        elif running is not None:
            lines += 1
            if lines > MAX_LINES:
                rule = f"<= {MAX_LINES}"
                raise BankFileRefused("bank_lines", element=running.of.element, rule=rule, limit=MAX_LINES)
            running.take(item)
        yield item
    if running is not None:
        running.close()


@dataclass(slots=True)
class _Running:
    """Counts and sums of one statement so far; of all its entries, and of what is booked."""

    of: Statement
    credit_count: int = 0
    credit_minor: int = 0
    debit_count: int = 0
    debit_minor: int = 0
    booked_minor: int = 0

    def take(self, line: StatementLine) -> None:
        """Count a line in; refuse another currency and, in a statement of the day, a booking without a day."""
        at = f"{self.of.element}/Ntry[{line.position}]"
        if self.of.currency is not None and line.currency != self.of.currency:
            rule, currency = self.of.currency, line.currency
            raise BankFileRefused("bank_currency_differs", element=f"{at}/Amt", rule=rule, currency=currency)
        if line.is_booking and line.booked_on is None and self.of.source is Source.CAMT_053:
            raise BankFileRefused("bank_element_missing", element=f"{at}/BookgDt", rule="required of a booking")
        if line.amount_minor > 0:
            self.credit_count += 1
            self.credit_minor += line.amount_minor
        else:
            self.debit_count += 1
            self.debit_minor -= line.amount_minor
        if line.is_booking:
            self.booked_minor += line.amount_minor

    def close(self) -> None:
        """Compare with what the statement states of itself."""
        self._close_totals()
        if self.of.source is Source.CAMT_053:
            self._close_balances()

    def _close_balances(self) -> None:
        at = f"{self.of.element}/Bal"
        opening, closing, currency = self.of.opening_minor, self.of.closing_minor, self.of.currency
        if opening is None or closing is None or currency is None:
            raise BankFileRefused("bank_balance_missing", element=at, rule="OPBD or PRCD, and CLBD")
        for other in (self.of.opening_currency, self.of.closing_currency):
            if other != currency:
                raise BankFileRefused("bank_currency_differs", element=at, rule=currency, currency=str(other))
        if opening + self.booked_minor != closing:
            raise BankFileRefused(
                "bank_statement_unbalanced",
                element=at,
                rule="opening + lines = closing",
                opening=_signed(opening, currency),
                booked=_signed(self.booked_minor, currency),
                closing=_signed(closing, currency),
            )

    def _close_totals(self) -> None:
        stated, at = self.of.totals, f"{self.of.element}/TxsSummry"
        counts = (
            ("TtlNtries", stated.count, self.credit_count + self.debit_count),
            ("TtlCdtNtries", stated.credit_count, self.credit_count),
            ("TtlDbtNtries", stated.debit_count, self.debit_count),
        )
        for name, said, found in counts:
            if said is not None and said != found:
                place = f"{at}/{name}/NbOfNtries"
                raise BankFileRefused("bank_count_differs", element=place, rule="= entries", stated=said, found=found)
        sums = (
            ("TtlNtries/Sum", stated.sum_minor, self.credit_minor + self.debit_minor),
            ("TtlNtries/TtlNetNtry", stated.net_minor, self.credit_minor - self.debit_minor),
            ("TtlCdtNtries/Sum", stated.credit_minor, self.credit_minor),
            ("TtlDbtNtries/Sum", stated.debit_minor, self.debit_minor),
        )
        currency = self.of.currency or ""
        for name, said, found in sums:
            if said is not None and said != found:
                written = _signed(said, currency), _signed(found, currency)
                raise BankFileRefused(
                    "bank_sum_differs", element=f"{at}/{name}", rule="= entries", stated=written[0], found=written[1]
                )


def _signed(minor_units: int, currency: str) -> str:
    return ("-" if minor_units < 0 else "") + decimal(abs(minor_units), currency)
