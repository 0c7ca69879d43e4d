"""The hashes that bind an approval to what was seen (`docs/contract.md` 3.8, `safety.md` 2.7). Pure."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from lifecycle.canonical import canonical, sha256


def payee_hash(account_number: str, bank_code: str, holder_name: str) -> str:
    """Return what stands for an account wherever its number must not."""
    return sha256(canonical({"account_number": account_number, "bank_code": bank_code, "holder_name": holder_name}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Everything that an approver sees; any change of it makes another hash and voids what was approved."""

    payout_id: UUID
    revision: int
    amount_minor: int
    currency: str
    fund_id: UUID
    milestone_id: UUID | None
    payee_hash: str
    evidence: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The hash that approvals are bound to."""
        return sha256(canonical({**asdict(self), "evidence": sorted(self.evidence)}))


def seen(payout: Any) -> dict[str, Any]:
    """Return which form of a request an act is about: it may be amended afterwards."""
    return {"payload_hash": payout.payload_hash, "amount_minor": payout.amount_minor}
