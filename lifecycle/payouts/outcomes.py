"""What one word of the bank means for one instruction, given what is known of it already. Pure.

Facts from outside are recorded, never refused; their order does not matter (`safety.md` 2.4). Each word becomes steps:
applied (money and state follow), duplicate (known already), or suspense (it contradicts what is known: the money that
moved is set aside and two people decide).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from models.states import DEAD, BankEffect, BankEventKind, BankSource, InstructionStatus, PostingKind

_WAITING = (InstructionStatus.PREPARED, InstructionStatus.SENT, InstructionStatus.UNKNOWN)
_MESSAGES = (BankSource.CAMT053, BankSource.CAMT054, BankSource.PAIN002)
_NEVER_PAID = (InstructionStatus.REJECTED, InstructionStatus.ABANDONED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One word: who said it, what, how much, under which reference of the bank."""

    source: BankSource
    kind: BankEventKind
    amount_minor: int = 0
    bank_ref: str | None = None

    @property
    def channel(self) -> str:
        """Who tells it: the bank's messages are one channel, for a booking is the same line in all of them."""
        return "messages" if self.source in _MESSAGES else str(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An instruction as it stands: its amount, its status, and what was applied to it so far."""

    amount_minor: int
    status: InstructionStatus
    applied: tuple[Said, ...] = ()
    told: tuple[Said, ...] = ()
    """Everything that was said of it, whatever came of it (`tellings`)."""

    def of(self, kind: BankEventKind) -> tuple[Said, ...]:
        """Return what was applied of one kind."""
        return tuple(said for said in self.applied if said.kind == kind)

    @property
    def is_settled(self) -> bool:
        """Say whether the bank has paid it, said or implied."""
        return bool(self.of(BankEventKind.SETTLE))

    @property
    def returned_minor(self) -> int:
        """How much of it came back."""
        return sum(said.amount_minor for said in self.of(BankEventKind.RETURN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of what the bank said, with the entry it makes and the event of the payout it leads to."""

    said: Said
    effect: BankEffect
    posting: PostingKind | None = None
    posted_minor: int = 0
    """What the entry moves; for suspense negative when money left."""
    event: str | None = None
    is_after_rejection: bool = False
    """Two people say that a rejected payment was settled after all: its money is reserved again and paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The steps in their order, the status they lead to, and why two people must look at it."""

    steps: tuple[Step, ...]
    status: InstructionStatus
    exception: str | None = None
    holds_fund: bool = False

    @property
    def returned_minor(self) -> int:
        """What comes back to the fund by it."""
        return sum(step.posted_minor for step in self.steps if step.posting == PostingKind.RETURN)

    @property
    def more_paid_minor(self) -> int:
        """How much more is paid by it; less than nothing where money only comes back."""
        posted = sum(step.posted_minor for step in self.steps if step.posting == PostingKind.POST)
        return posted - self.returned_minor


def tellings(words: Iterable[tuple[Said, BankEffect]]) -> tuple[Said, ...]:
    """Return what was said, in its order, without what one channel only repeated under the same reference."""
    told: list[Said] = []
    for said, effect in words:
        is_repeated = effect == BankEffect.DUPLICATE and any(
            (one.channel, one.kind, one.bank_ref) == (said.channel, said.kind, said.bank_ref) for one in told
        )
        if said.bank_ref is None or not is_repeated:
            told.append(said)
    return tuple(told)


def outcome(known: Known, said: Said) -> Outcome:
    """Return what a word of the bank changes."""
    if said.kind in _BOOKINGS and not _is_news(known, said):
        return _known_already(known, said)
    return _BY_KIND[said.kind](known, said)


def _acknowledged(known: Known, said: Said) -> Outcome:
    if known.status in _NEVER_PAID and not known.is_settled:  # what was held for dead may still pay
        return _contradiction(known, said, 0, "accepted_after_rejection")
    if known.status not in _WAITING:
        return _known_already(known, said)
    return Outcome(steps=(Step(said=said, effect=BankEffect.APPLIED),), status=InstructionStatus.ACKNOWLEDGED)


def _rejected(known: Known, said: Said) -> Outcome:
    if known.status in _NEVER_PAID:
        return _known_already(known, said)
    if known.is_settled:
        return _contradiction(known, said, 0, "rejected_after_settlement")
    step = Step(
        said=said,
        effect=BankEffect.APPLIED,
        posting=PostingKind.VOID,
        posted_minor=known.amount_minor,
        event="bounce",
    )
    return Outcome(steps=(step,), status=InstructionStatus.REJECTED)


def _settled(known: Known, said: Said) -> Outcome:
    if known.status in _NEVER_PAID and not known.is_settled:
        if said.source == BankSource.PEOPLE and said.amount_minor == known.amount_minor:
            forced = replace(_settlement(known, said), is_after_rejection=True)
            return Outcome(steps=(forced,), status=InstructionStatus.SETTLED)
        return _contradiction(known, said, -said.amount_minor, "settled_after_rejection")
    if said.amount_minor != known.amount_minor:
        return _contradiction(known, said, -said.amount_minor, "amount_differs")
    if known.is_settled and said.source == BankSource.PEOPLE:
        return _known_already(known, said)
    if known.is_settled:
        return _contradiction(known, said, -said.amount_minor, "paid_twice_by_bank")
    return Outcome(steps=(_settlement(known, said),), status=InstructionStatus.SETTLED)


def _settlement(known: Known, said: Said) -> Step:
    return Step(
        said=said,
        effect=BankEffect.APPLIED,
        posting=PostingKind.POST,
        posted_minor=known.amount_minor,
        event="confirm",
    )


def _returned(known: Known, said: Said) -> Outcome:
    if known.status in _NEVER_PAID and not known.is_settled:
        return _contradiction(known, said, said.amount_minor, "returned_without_payment")
    steps = []
    if not known.is_settled:  # the debit comes later and will then be known already
        implied = Said(source=BankSource.IMPLIED, kind=BankEventKind.SETTLE, amount_minor=known.amount_minor)
        steps.append(_settlement(known, implied))
    left = known.amount_minor - known.returned_minor
    fits = min(said.amount_minor, left)
    whole = fits == left and fits > 0
    if fits:
        steps.append(_return(said, fits, is_last=whole))
    too_much = said.amount_minor - fits
    if too_much:
        steps.append(_set_aside(said, too_much, too_much))
    status = InstructionStatus.RETURNED if whole or not left else InstructionStatus.SETTLED
    exception = "returned_too_much" if too_much else None if whole else "returned_in_part"
    return Outcome(steps=tuple(steps), status=status, exception=exception)


def _return(said: Said, amount_minor: int, *, is_last: bool) -> Step:
    part = Said(source=said.source, kind=said.kind, amount_minor=amount_minor, bank_ref=said.bank_ref)
    return Step(
        said=part,
        effect=BankEffect.APPLIED,
        posting=PostingKind.RETURN,
        posted_minor=amount_minor,
        event="bounce" if is_last else None,
    )


def _fee(known: Known, said: Said) -> Outcome:
    step = Step(said=said, effect=BankEffect.APPLIED, posting=PostingKind.FEE, posted_minor=said.amount_minor)
    return Outcome(steps=(step,), status=known.status)


def _known_already(known: Known, said: Said) -> Outcome:
    return Outcome(steps=(Step(said=said, effect=BankEffect.DUPLICATE),), status=known.status)


def _contradiction(known: Known, said: Said, moved_minor: int, code: str) -> Outcome:
    """Set aside what moved; the status stays, the fund stands still, two people decide."""
    step = _set_aside(said, said.amount_minor, moved_minor)
    return Outcome(steps=(step,), status=known.status, exception=code, holds_fund=True)


def _set_aside(said: Said, amount_minor: int, moved_minor: int) -> Step:
    part = Said(source=said.source, kind=said.kind, amount_minor=amount_minor, bank_ref=said.bank_ref)
    posting = PostingKind.SUSPENSE if moved_minor else None
    return Step(said=part, effect=BankEffect.SUSPENSE, posting=posting, posted_minor=moved_minor)


def _is_news(known: Known, said: Said) -> bool:
    """Say whether the channel now tells of more bookings like this one than all channels have told before.

    Channels name the same booking differently, so they are compared by how many they tell: the second one that tells
    of one payment says nothing new, the one that tells of two does, in whatever order the files come. Two people speak
    of a booking that the bank has told of already; what they say of it is always heard.
    """
    if said.source == BankSource.PEOPLE:
        return True
    told = _bookings(known, said)
    own = told.get(said.channel, [])
    if said.bank_ref is not None and said.bank_ref in own:
        return False
    most = max(map(len, told.values()), default=0)
    return len(own) + 1 > most


def _bookings(known: Known, said: Said) -> dict[str, list[str | None]]:
    """Return channel -> the references of the bookings of this kind and amount that it has told of.

    A booking that was written in two rows, because a part of it was too much, is one again by its reference.
    """
    found: dict[tuple[str, str | int], int] = {}
    for place, one in enumerate(known.told):
        if one.kind == said.kind:
            key = (one.channel, one.bank_ref if one.bank_ref is not None else place)
            found[key] = found.get(key, 0) + one.amount_minor
    told: dict[str, list[str | None]] = {}
    for (channel, ref), amount_minor in found.items():
        if amount_minor == said.amount_minor:
            told.setdefault(channel, []).append(ref if isinstance(ref, str) else None)
    return told


_BOOKINGS = (BankEventKind.SETTLE, BankEventKind.RETURN, BankEventKind.FEE)
_BY_KIND = {
    BankEventKind.ACKNOWLEDGE: _acknowledged,
    BankEventKind.REJECT: _rejected,
    BankEventKind.SETTLE: _settled,
    BankEventKind.RETURN: _returned,
    BankEventKind.FEE: _fee,
}

ENDED = (*DEAD, InstructionStatus.SETTLED)
"""Nothing more is awaited from the bank."""
