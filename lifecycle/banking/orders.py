"""What a payment file says: an order to pay several payees from one account, in one currency, on one day."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from lifecycle.banking.refusal import BankFileRefused, Place, shown
from lifecycle.banking.values import ACCOUNT, NAME, REFERENCE, legible
from models.money import CURRENCY_DECIMALS, MAX_MINOR

MAX_TRANSFERS = 500
"""Transfers in one order (limits table, instructions per batch)."""

OUR_ID = re.compile(r"[A-Z0-9]{1,35}", re.ASCII)
"""Message and end-to-end ids of ours: every bank carries these characters back unchanged."""
BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
CNAPS = re.compile(r"[0-9]{12}", re.ASCII)
"""Number of a bank's branch in the China National Advanced Payment System (大额支付系统行号)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTransfer:
    """One payment to one payee; `BankFileRefused` for a value that no bank file may carry."""

    end_to_end_id: str
    amount_minor: int
    currency: str
    payee_name: str
    payee_account: str
    payee_bank_code: str | None
    """12 digits (CNAPS), a BIC, or another code that the bank knows; None when the account alone suffices."""
    remittance: str | None = None

    def __post_init__(self) -> None:
        at = f"transfer {shown(self.end_to_end_id)}"
        _check_id(self.end_to_end_id, f"{at}/end_to_end_id")
        if self.currency not in CURRENCY_DECIMALS:
            rule, currency = "currencies taken in", shown(self.currency)
            raise BankFileRefused("bank_currency_unknown", element=f"{at}/currency", rule=rule, currency=currency)
        if not 1 <= self.amount_minor <= MAX_MINOR:
            rule = f"1–{MAX_MINOR}"
            raise BankFileRefused(
                "bank_order_amount", element=f"{at}/amount", rule=rule, limit=MAX_MINOR, found=self.amount_minor
            )
        legible(self.payee_name, f"{at}/payee_name", NAME)
        legible(self.payee_account, f"{at}/payee_account", ACCOUNT)
        if self.payee_bank_code is not None:
            legible(self.payee_bank_code, f"{at}/payee_bank_code", REFERENCE)
        if self.remittance is not None:
            legible(self.remittance, f"{at}/remittance", NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """One batch at the bank; `BankFileRefused` where its parts do not belong together."""

    msg_id: str
    created_at: datetime
    """Aware, in UTC: the batch row's, so that the file can be made again byte by byte."""
    execution_on: date
    debtor_name: str
    debtor_account: str
    debtor_bank_code: str | None
    currency: str
    transfers: tuple[CreditTransfer, ...]

    def __post_init__(self) -> None:
        _check_id(self.msg_id, "order/msg_id")
        if self.created_at.utcoffset() != timedelta(0):
            found = str(self.created_at)
            raise BankFileRefused("bank_moment", element="order/created_at", rule="UTC", found=found)
        legible(self.debtor_name, "order/debtor_name", NAME)
        legible(self.debtor_account, "order/debtor_account", ACCOUNT)
        if self.debtor_bank_code is not None:
            legible(self.debtor_bank_code, "order/debtor_bank_code", REFERENCE)
        self._check_transfers()

    @property
    def total_minor(self) -> int:
        """The control sum in minor units."""
        return sum(one.amount_minor for one in self.transfers)

    def _check_transfers(self) -> None:
        found = len(self.transfers)
        if not 1 <= found <= MAX_TRANSFERS:
            rule = f"1–{MAX_TRANSFERS}"
            raise BankFileRefused(
                "bank_order_size", element="order/transfers", rule=rule, limit=MAX_TRANSFERS, found=found
            )
        seen: set[str] = set()
        for one in self.transfers:
            at = f"transfer {one.end_to_end_id}"
            if one.currency != self.currency:
                rule, currency = self.currency, one.currency
                raise BankFileRefused("bank_currency_differs", element=f"{at}/currency", rule=rule, currency=currency)
            if one.end_to_end_id in seen:
                rule, found_id = "unique in the message", one.end_to_end_id
                raise BankFileRefused("bank_id_repeated", element=f"{at}/end_to_end_id", rule=rule, found=found_id)
            seen.add(one.end_to_end_id)


def utc(at: datetime) -> str:
    """Return a moment in UTC as ISO 20022 writes it; microseconds only where there are any."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _check_id(text: str, element: Place) -> None:
    if not OUR_ID.fullmatch(text):
        raise BankFileRefused("bank_id", element=element, rule="[A-Z0-9]{1,35}", found=shown(text))
