"""A second book of one fund, kept by other hands: who may do what, where each payment stands, and where its money is.

It is told which commands were given and what the bank's files say, shares no code with the house, and says beforehand
what should become of each command. Money that moved and that nothing explains is `aside`.
"""

from collections import Counter
from dataclasses import dataclass, field

HOLDING = ("approved", "instructed")
GONE = ("rejected", "cancelled")


@dataclass(slots=True)
class Attempt:
    """One order at the bank."""

    end_to_end_id: str
    amount: int
    is_rejected: bool = False
    is_paid: bool = False
    is_implied: bool = False
    """It came back before anybody said that it had left."""
    is_given_up: bool = False
    """Two people agreed that the bank never had it."""
    returned: int = 0
    heard: dict[tuple[str, int], dict[str, set[str]]] = field(default_factory=dict)
    """(paid or returned, amount) -> channel -> the bank's references."""

    def is_news(self, kind: str, amount: int, channel: str, ref: str) -> bool:
        """Remember what a channel says; it is news if this channel knows of more than all that is known."""
        by_channel = self.heard.setdefault((kind, amount), {})
        known = max((len(refs) for refs in by_channel.values()), default=0)
        if kind == "paid" and amount == self.amount and self.is_implied:
            known = max(known, 1)
        by_channel.setdefault(channel, set()).add(ref)
        return len(by_channel[channel]) > known


@dataclass(slots=True)
class Payment:
    """One payout."""

    tranche: int
    amount: int
    state: str = "requested"
    words: set[str] = field(default_factory=set)
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(slots=True)
class FundBook:
    """The money of a fund with tranches of one size; `maker` asks, and none but `approvers` pass."""

    available: int
    tranche_size: int
    needed: int
    maker: str
    approvers: frozenset[str]
    commitment: int = 0
    """What the fund may promise in all."""
    award: int = 0
    """What its one agreement promises."""
    reserved: int = 0
    paid: int = 0
    aside: int = 0
    returned: int = 0
    """What the bank sent back of what was paid, in all."""
    is_held: bool = False
    payments: list[Payment] = field(default_factory=list)
    entered: set[str] = field(default_factory=set)
    """References of the bank under which money of investors was entered by hand."""
    told: set[tuple[str, str]] = field(default_factory=set)
    """(channel, reference) of every booking that was read."""

    # What people ask for. Each says why not, or None and does it.

    def left_of(self, tranche: int, but: Payment | None = None) -> int:
        """What of a tranche nobody has asked for."""
        own = [one for one in self.payments if one.tranche == tranche and one is not but and one.state not in GONE]
        return self.tranche_size - sum(one.amount for one in own)

    def request(self, tranche: int, amount: int) -> str | None:
        """Somebody asks for money."""
        if self.is_held:
            return "fund_on_hold"
        if amount > self.left_of(tranche):
            return "milestone_exceeded"
        self.payments.append(Payment(tranche, amount))
        return None

    def approve(self, one: Payment, who: str, amount: int) -> str | None:
        """Somebody passes it; the last word that is needed reserves the money."""
        if who not in self.approvers:
            return "role"
        if one.state not in ("requested", "returned"):
            return f"approve_not_possible_when_{one.state}"
        if amount != one.amount:
            return "amount_differs"
        if who in one.words:
            return "already_decided"
        if self.is_held:
            return "fund_on_hold"
        if one.amount > self.available:
            return "insufficient_funds"
        one.words.add(who)
        if len(one.words) >= self.needed:
            one.state = "approved"
            self._move(reserved=one.amount)
        return None

    def reject(self, one: Payment) -> str | None:
        """Somebody refuses it for good."""
        if one.state != "requested":
            return f"reject_not_possible_when_{one.state}"
        one.state = "rejected"
        return None

    def cancel(self, one: Payment) -> str | None:
        """The maker gives it up."""
        if one.state not in ("requested", "approved", "returned"):
            return f"cancel_not_possible_when_{one.state}"
        self._free(one)
        one.state = "cancelled"
        return None

    def amend(self, one: Payment, amount: int) -> str | None:
        """The maker changes the amount: every word is void."""
        if one.state not in ("requested", "approved", "returned"):
            return f"amend_not_possible_when_{one.state}"
        if amount > self.left_of(one.tranche, one):
            return "milestone_exceeded"
        self._free(one)
        one.state, one.amount, one.words = "requested", amount, set()
        return None

    def _free(self, one: Payment) -> None:
        if one.state == "approved":
            self._move(reserved=-one.amount)

    def run(self) -> list[Payment]:
        """Return what the payment run takes now."""
        if self.is_held:
            return []
        return [one for one in self.payments if one.state == "approved"]

    def instructed(self, one: Payment, end_to_end_id: str) -> None:
        """The bank has been told."""
        one.state = "instructed"
        one.attempts.append(Attempt(end_to_end_id, one.amount))

    def given_up(self, end_to_end_id: str) -> None:
        """The bank never had it: its money stays reserved for the next attempt."""
        one, at = self.attempt_of(end_to_end_id)
        at.is_given_up = True
        one.state = "approved"

    def enter(self, ref: str, amount: int) -> None:
        """Money of an investor came in, or went back: the bank's booking of it is known by its reference."""
        self.entered.add(ref)
        self.available += amount

    # What the bank says

    def attempt_of(self, end_to_end_id: str) -> tuple[Payment, Attempt]:
        """Find an order."""
        found = [(one, at) for one in self.payments for at in one.attempts if at.end_to_end_id == end_to_end_id]
        ((payment, attempt),) = found
        return payment, attempt

    def hear_rejected(self, end_to_end_id: str) -> None:
        """The bank will not pay an order."""
        one, at = self.attempt_of(end_to_end_id)
        if at.is_paid:
            self.is_held = True
        elif not at.is_rejected:
            at.is_rejected = True
            self._move(reserved=-at.amount)
            self._came_back(one)

    def hear_accepted(self, end_to_end_id: str) -> None:
        """The bank will pay an order; of one that it rejected before nobody knows now."""
        _, at = self.attempt_of(end_to_end_id)
        self.is_held |= at.is_rejected and not at.is_paid

    def hear_booked(self, channel: str, ref: str, amount: int, end_to_end_id: str | None) -> None:
        """The bank has booked something: out is negative."""
        if (channel, ref) in self.told:
            return
        is_told = any(known == ref for _, known in self.told)
        self.told.add((channel, ref))
        if ref in self.entered:
            return
        if end_to_end_id is None:
            self.aside += 0 if is_told else amount
            return
        one, at = self.attempt_of(end_to_end_id)
        kind = "paid" if amount < 0 else "returned"
        if not at.is_news(kind, abs(amount), channel, ref):
            return
        if kind == "paid":
            self._hear_paid(one, at, -amount)
        else:
            self._hear_returned(one, at, amount)

    def _hear_paid(self, one: Payment, at: Attempt, amount: int) -> None:
        if at.is_rejected or at.is_paid or amount != at.amount:
            self.aside -= amount
            self.is_held = True
        else:
            self._settle(one, at)

    def _settle(self, one: Payment, at: Attempt) -> None:
        at.is_paid = True
        self.reserved -= at.amount
        self.paid += at.amount
        one.state = "paid"

    def _hear_returned(self, one: Payment, at: Attempt, amount: int) -> None:
        if at.is_rejected:
            self.aside += amount
            self.is_held = True
            return
        if not at.is_paid:
            self._settle(one, at)
            at.is_implied = True
        fits = min(amount, at.amount - at.returned)
        self.paid -= fits
        self.available += fits
        self.returned += fits
        self.aside += amount - fits
        at.returned += fits
        if fits and at.returned == at.amount:
            self._came_back(one)

    def _came_back(self, one: Payment) -> None:
        one.state, one.words = "returned", set()

    def _move(self, *, reserved: int) -> None:
        self.available -= reserved
        self.reserved += reserved

    # What must then be so

    @property
    def balances(self) -> Counter[str]:
        """Where the fund's money is."""
        return Counter(available=self.available, reserved=self.reserved, paid=self.paid, suspense=self.aside)

    @property
    def position(self) -> dict[str, int]:
        """What the fund has promised, and what became of it: paid, reserved, owed and free are the commitment."""
        waiting = {state: sum(one.amount for one in self.payments if one.state == state) for state in HOLDING}
        owed = self.award - self.paid - sum(waiting.values())
        return {
            "commitment": self.commitment,
            "committed": owed,
            "approved": waiting["approved"],
            "in_transit": waiting["instructed"],
            "paid": self.paid,
            "free": self.commitment - self.award,
            "returned": self.returned,
            "available": self.available,
            "suspense": self.aside,
        }

    @property
    def at_the_bank(self) -> int:
        """What should lie on the account, once everything was said."""
        return self.available + self.reserved + self.aside

    @property
    def yet_to_be_booked(self) -> int:
        """What came back without a booking that it had left: until that is told, the bank has more than we know of."""
        waiting = (at for one in self.payments for at in one.attempts if at.is_implied)
        return sum(at.amount for at in waiting if not at.heard.get(("paid", at.amount)))
