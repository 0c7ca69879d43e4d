"""The ids that leave the house: each holds the epoch of the database that gave it, so a restored one gives none again.

Pure. An end-to-end id names its payout and attempt besides (`safety.md` 2.6).
"""

import re

_OURS = re.compile(r"PW[A-HJ-NP-Z2-9]{4}PO\d{8,}A\d+")


def message_id(epoch: str, batch: str) -> str:
    """Return the id of a payment file: `PB-2026-0001` gives `PWK7QXPB20260001`."""
    return f"PW{epoch}{_compact(batch)}"


def end_to_end_id(epoch: str, payout: str, attempt: int) -> str:
    """Return the id of one attempt to pay: `PO-2026-0001`, first time, gives `PWK7QXPO20260001A1`."""
    return f"PW{epoch}{_compact(payout)}A{attempt}"


def is_own(end_to_end_id: str) -> bool:
    """Say whether an id has our form: this database gave it, or the one it was restored from."""
    return _OURS.fullmatch(end_to_end_id) is not None


def _compact(number: str) -> str:
    return number.replace("-", "")
