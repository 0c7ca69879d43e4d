"""The ids that leave the house: each holds the epoch of the database that gave it, so a restored one gives none again.

Pure. An end-to-end id names its payout and attempt besides (`safety.md` 2.6).
"""

import re
from typing import Any

from lifecycle.banking.refusal import BankFileRefused

_OURS = re.compile(r"PW[A-HJ-NP-Z2-9]{4}(PO\d{8,}A\d+|PB\d{8,})")

_PAYOUT = re.compile(r"PW[A-HJ-NP-Z2-9]{4}PO(\d{4})(\d{4,})A\d+")


class SentByWhatIsLost(BankFileRefused):
    """The bank answers a file of ours that nothing here knows: what this database was restored from has sent it."""


def message_id(epoch: str, batch: str) -> str:
    """Return the id of a payment file: `PB-2026-0001` gives `PWK7QXPB20260001`."""
    return f"PW{epoch}{_compact(batch)}"


def end_to_end_id(epoch: str, payout: str, attempt: int) -> str:
    """Return the id of one attempt to pay: `PO-2026-0001`, first time, gives `PWK7QXPO20260001A1`."""
    return f"PW{epoch}{_compact(payout)}A{attempt}"


def is_own(given: str) -> bool:
    """Say whether an id, of a payment or a file, has our form: this database gave it, or what it was restored from."""
    return _OURS.fullmatch(given) is not None


def names_ours(line: Any) -> bool:
    """Say whether a stored booking names a payment, or a file, under an id that only we give."""
    return any(is_own(one) for key in ("end_to_end_ids", "messages") for one in line.details.get(key, ()))


def payout_named(given: str) -> str | None:
    """Return the number of the payout that an end-to-end id of ours names, None for any other id."""
    found = _PAYOUT.fullmatch(given)
    return None if found is None else f"PO-{found[1]}-{found[2]}"


def _compact(number: str) -> str:
    return number.replace("-", "")
