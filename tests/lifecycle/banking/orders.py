"""Orders to make payment files of."""

from datetime import UTC, date, datetime
from typing import Any

from lifecycle.banking.orders import CreditTransfer, PaymentOrder


def transfer(number: int = 1, **changes: Any) -> CreditTransfer:
    given: dict[str, Any] = {
        "end_to_end_id": f"E1PO{number}A1",
        "amount_minor": 7_000,
        "currency": "CNY",
        "payee_name": "甲公司",
        "payee_account": "6222020200012345678",
        "payee_bank_code": "102100099996",
        "remittance": "里程碑 T1",
    }
    return CreditTransfer(**given | changes)


def order(*transfers: CreditTransfer, **changes: Any) -> PaymentOrder:
    given: dict[str, Any] = {
        "msg_id": "E1B7",
        "created_at": datetime(2026, 3, 2, 1, 0, tzinfo=UTC),
        "execution_on": date(2026, 3, 3),
        "debtor_name": "中试基金",
        "debtor_account": "6222000011112222",
        "debtor_bank_code": "ICBKCNBJ",
        "currency": "CNY",
        "transfers": transfers or (transfer(),),
    }
    return PaymentOrder(**given | changes)
