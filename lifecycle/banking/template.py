"""What the portal of one bank takes and gives back as workbooks: columns, words and days as data.

Each bank names its columns differently. A template is kept with the batch that was written by it, so the file can be
made again and its answer read whatever the template says by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

from lifecycle.banking.answers import Status
from lifecycle.banking.refusal import BankFileRefused, Place, shown
from lifecycle.banking.values import NAME, legible

Fact: TypeAlias = Literal[
    "number", "end_to_end_id", "payee_name", "payee_account", "payee_bank_code", "amount", "currency", "remittance",
    "debtor_name", "debtor_account", "execution_on", "msg_id",
]  # fmt: skip
DayForm: TypeAlias = Literal["YYYY-MM-DD", "YYYY/MM/DD", "YYYYMMDD"]

_STRICT = ConfigDict(extra="forbid")
_NEEDED: tuple[Fact, ...] = ("end_to_end_id", "payee_account", "payee_name", "amount")
_DAYS: Mapping[DayForm, str] = {"YYYY-MM-DD": "%Y-%m-%d", "YYYY/MM/DD": "%Y/%m/%d", "YYYYMMDD": "%Y%m%d"}
_SHEET = 31
"""Characters of a sheet's name at most (ECMA-376, as every spreadsheet holds it)."""
_NOT_IN_SHEET = frozenset("[]:*?/\\")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a template: its heading, and a fact of the transfer or a fixed text."""

    __pydantic_config__ = _STRICT

    heading: str
    fact: Fact | None = None
    fixed: str = ""

    def __post_init__(self) -> None:
        legible(self.heading, "template/heading", NAME)
        if self.fixed:
            legible(self.fixed, f"template/{shown(self.heading)}", NAME)
        if self.fact is not None and self.fixed:
            place = f"template/{shown(self.heading)}"
            raise BankFileRefused("bank_template", element=place, rule="fact or fixed, not both")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultColumns:
    """Where the result workbook says what; `words` are the bank's words for what became of a transfer.

    What is named here must be there. Amount and account are compared with the order; a word that means `booked` needs
    the column of the day.
    """

    __pydantic_config__ = _STRICT

    end_to_end_id: str
    status: str
    words: Mapping[str, Status]
    amount: str | None = None
    payee_account: str | None = None
    reason: str | None = None
    bank_ref: str | None = None
    booked_on: str | None = None
    day: DayForm = "YYYY-MM-DD"
    heading_row: int = 1

    def __post_init__(self) -> None:
        for name in self.headings:
            legible(name, "template/answer", NAME)
        if not self.words or Status.PART in self.words.values():
            rule = "booked | accepted | pending | rejected"
            raise BankFileRefused("bank_template", element="template/answer/words", rule=rule)
        if Status.BOOKED in self.words.values() and self.booked_on is None:
            raise BankFileRefused("bank_template_lacks", element="template/answer", rule="booked_on")
        if not 1 <= self.heading_row <= _FURTHEST_HEADING:
            rule = f"1–{_FURTHEST_HEADING}"
            raise BankFileRefused("bank_template", element="template/answer/heading_row", rule=rule)

    @property
    def headings(self) -> tuple[str, ...]:
        """The columns that must be there, each once."""
        optional = (self.amount, self.payee_account, self.reason, self.bank_ref, self.booked_on)
        return self.end_to_end_id, self.status, *(one for one in optional if one is not None)

    def day_of(self, text: str, place: Place) -> date:
        """Return a day as this bank writes it; `BankFileRefused` for anything else."""
        form = _DAYS[self.day]
        try:
            found = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            found = None
        if found is None or found.strftime(form) != text:  # `2026-3-2` is no day of this form
            raise BankFileRefused("bank_date", element=place, rule=self.day, found=shown(text) or "–")
        return found


_FURTHEST_HEADING = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The workbook that a bank's portal takes, and the one that it gives back."""

    __pydantic_config__ = _STRICT

    sheet: str
    columns: tuple[Column, ...]
    answer: ResultColumns
    total: str | None = None
    """Text in the first cell of a last row that holds the sum; none where the bank wants no such row."""

    def __post_init__(self) -> None:
        place = f"template/{shown(self.sheet)}"
        if len(self.sheet) > _SHEET or _NOT_IN_SHEET & set(self.sheet):
            raise BankFileRefused("bank_template", element=place, rule=f"sheet: 1–{_SHEET}, none of []:*?/\\")
        legible(self.sheet, f"{place}/sheet", _SHEET)
        facts = [one.fact for one in self.columns]
        for fact in _NEEDED:  # without our own id in it no answer could be matched
            if fact not in facts:
                raise BankFileRefused("bank_template_lacks", element=place, rule=fact)
        headings = [one.heading for one in self.columns]
        if len(set(headings)) != len(headings):
            raise BankFileRefused("bank_template", element=place, rule="unique headings")
        if self.total is not None:
            legible(self.total, f"{place}/total", NAME)
            if facts[0] in ("amount", "end_to_end_id") or self.answer.amount is None:
                rule = "total: the first column is another one, and the answer names the amount"
                raise BankFileRefused("bank_template", element=place, rule=rule)


_ADAPTER: TypeAdapter[Template] = TypeAdapter(Template)


def template_of(data: Any) -> Template:
    """Return the template that these plain values say; pydantic's `ValidationError`, or `BankFileRefused`."""
    return _ADAPTER.validate_python(data)


GENERIC = Template(
    sheet="批量付款",
    columns=(
        Column(heading="序号", fact="number"),
        Column(heading="付款账号", fact="debtor_account"),
        Column(heading="收款账号", fact="payee_account"),
        Column(heading="收款户名", fact="payee_name"),
        Column(heading="收款行行号", fact="payee_bank_code"),
        Column(heading="金额", fact="amount"),
        Column(heading="币种", fact="currency"),
        Column(heading="用途", fact="remittance"),
        Column(heading="业务参考号", fact="end_to_end_id"),
    ),
    answer=ResultColumns(
        end_to_end_id="业务参考号",
        status="处理状态",
        amount="金额",
        payee_account="收款账号",
        reason="失败原因",
        bank_ref="交易流水号",
        booked_on="交易日期",
        words={
            "成功": Status.BOOKED,
            "交易成功": Status.BOOKED,
            "已受理": Status.ACCEPTED,
            "处理中": Status.PENDING,
            "待处理": Status.PENDING,
            "失败": Status.REJECTED,
            "交易失败": Status.REJECTED,
        },
    ),
)
"""A template to begin with (`docs/bank-templates.md`): the columns that the portals of Chinese banks have in common."""
