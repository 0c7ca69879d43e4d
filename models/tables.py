"""Imports every module with tables, so that the metadata is whole wherever it is asked for."""

from models import (
    access,
    agreements,
    deliveries,
    evidence,
    funds,
    holds,
    installation,
    journal,
    ledger,
    payouts,
    people,
    programmes,
    projects,
    reviews,
    runs,
    statements,
    trials,
)
from models.base import metadata

_NAMES = {
    "app_user": "user",
    "bank_statement": "statement",
    "cost_statement": "cost",
    "exception_case": "exception",
    "payment_batch": "batch",
    "recovery_order": "recovery",
    "standard_pack": "standard",
    "webhook_endpoint": "webhook",
    "working_calendar": "calendar",
}
"""Objects whose table could not bear their name."""


def object_type_of(table: str) -> str:
    """Return what journal and contract call the rows of this table."""
    return _NAMES.get(table, table)


def subject_tables() -> dict[str, str]:
    """Return object type -> table of everything that carries the head of an audit chain."""
    names = sorted(table.name for table in metadata.sorted_tables if "audit_head" in table.c)
    return {object_type_of(name): name for name in names}


__all__ = [
    "access",
    "agreements",
    "deliveries",
    "evidence",
    "funds",
    "holds",
    "installation",
    "journal",
    "ledger",
    "metadata",
    "object_type_of",
    "payouts",
    "people",
    "programmes",
    "projects",
    "reviews",
    "runs",
    "statements",
    "subject_tables",
    "trials",
]
