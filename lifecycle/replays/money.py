"""Plays a register of money through the verbs of funds, agreements and payouts: one fund and one award per activity.

The award is the sum of an activity's commitments, as the register states it on the whole; its first tranche is exactly
as large. What is paid beyond it, or without it, is refused by the same rules as everybody's payment.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lifecycle.actor import Actor
from lifecycle.canonical import sha256
from lifecycle.commands import Command
from lifecycle.errors import Unmet, unmet
from lifecycle.funds.commands import CallCapital, Commit, Contribute
from lifecycle.payouts.learning import Learn
from lifecycle.replays.log import Event
from lifecycle.replays.mapping import ActRule, Deed, FundMapping, Kind
from lifecycle.replays.play import ROLES, Live, Player, Stage, who_is
from lifecycle.replays.register import Entry, Register
from lifecycle.replays.tally import FORMAT, Count, Tally
from lifecycle.replays.world import (
    Firm,
    Purse,
    PurseWish,
    World,
    enter_people,
    fill_purses,
    found,
    grant,
    open_funds,
    settle_firms,
)
from models.states import BankEventKind, BankSource, SourceKind

_FOUNDED_BEFORE = timedelta(days=30)
_STEPS = (Deed.REQUEST, Deed.APPROVE, Deed.PAID)
_REASON = "as the register says"


@dataclass(slots=True, kw_only=True)
class _Account:
    """What is known of one activity: its fund, its award where it has one, and what was paid of it."""

    firm: Firm
    currency: str
    awarded_minor: int
    paid_minor: int
    fund_id: UUID
    purse: Purse | None
    source_id: UUID | None = None
    paid: list[tuple[Live, int]] = field(default_factory=list)
    """Payments made here, with what of each has not come back; the newest last."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Every entry with the reasons against it, in the order in which they were played."""

    judged: list[tuple[Entry, tuple[Unmet, ...]]] = field(default_factory=list)
    first: dict[str, Unmet] = field(default_factory=dict)
    awards: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Activity -> what the register commits to it, and what it pays in all."""


def play_register(register: Register, stage: Stage) -> Outcome:
    """Play every entry into an empty database at head and return what became of each."""
    outcome = Outcome()
    played = [entry for entry in register.entries if entry.kind is not Kind.NONE]
    if not played:
        return outcome
    first = min(entry.at for entry in played).astimezone(UTC) - _FOUNDED_BEFORE
    world = World(calendar=stage.calendar, new_id=stage.new_id, zone=ZoneInfo("UTC"), now=first)
    with stage.scene() as world.session:
        accounts = _settle(world, played)
    outcome.awards = {name: (one.awarded_minor, one.paid_minor) for name, one in accounts.items()}
    ledger = _Ledger(world, accounts)
    for start in range(0, len(played), 50):
        with stage.scene() as world.session:
            for entry in played[start : start + 50]:
                reasons = ledger.enter(entry)
                outcome.judged.append((entry, reasons))
                for reason in reasons:
                    outcome.first.setdefault(reason.code, reason)
        stage.say(len(played[start : start + 50]))
    return outcome


def _settle(world: World, entries: Sequence[Entry]) -> dict[str, _Account]:
    """Make a firm and a fund for each activity; an agreement where its commitments come to something."""
    found(world, asks=())
    of = defaultdict(list)
    for entry in entries:
        of[entry.activity].append(entry)
    firms = dict(zip(of, settle_firms(world, list(of)), strict=True))
    sums = {name: {kind: _sum(rows, kind) for kind in Kind} for name, rows in of.items()}
    wishes = {}
    for name, rows in of.items():
        awarded = sums[name][Kind.COMMITMENT]
        is_told = any(entry.kind is Kind.CONTRIBUTION for entry in rows)
        wishes[name] = PurseWish(
            firm=firms[name],
            currency=rows[0].currency,
            limit_minor=max(awarded, 1),
            paid_in_minor=0 if is_told else max(awarded, 0),
        )
    with_award = [name for name in of if sums[name][Kind.COMMITMENT] > 0]
    others = [name for name in of if name not in with_award]
    purses = dict(zip(with_award, fill_purses(world, [wishes[name] for name in with_award]), strict=True))
    funds = dict(zip(others, open_funds(world, [wishes[name] for name in others]), strict=True))
    funds |= {name: purse.fund_id for name, purse in purses.items()}
    people = [who_is((name,)) for name in _PEOPLE]
    enter_people(world, people)
    grant(world, [(who_is(("asks",)), ROLES[Deed.REQUEST], firm.organisation_id) for firm in firms.values()])
    grant(world, [(who_is(("approves",)), ROLES[Deed.APPROVE], world.funder_id)])
    return {
        name: _Account(
            firm=firms[name],
            currency=wishes[name].currency,
            awarded_minor=sums[name][Kind.COMMITMENT],
            paid_minor=sums[name][Kind.PAYMENT],
            fund_id=funds[name],
            purse=purses.get(name),
        )
        for name in of
    }


_PEOPLE = ("asks", "approves")


def _sum(entries: Sequence[Entry], kind: Kind) -> int:
    return sum(entry.amount_minor for entry in entries if entry.kind is kind)


class _Ledger:
    """Asks the verbs for what each entry says."""

    def __init__(self, world: World, accounts: Mapping[str, _Account]) -> None:
        self._world, self._accounts = world, accounts
        self._number = 0

    def enter(self, entry: Entry) -> tuple[Unmet, ...]:
        """Carry one entry out; return every reason against it."""
        world, account = self._world, self._accounts[entry.activity]
        world.now = max(world.now + timedelta(microseconds=1), entry.at.astimezone(UTC))
        if entry.currency != account.currency:
            return (unmet("currency_differs", currency=entry.currency, expected=account.currency),)
        match entry.kind:
            case Kind.PROMISE:
                return self._promise(account, entry)
            case Kind.CONTRIBUTION:
                return self._contribute(account, entry)
            case Kind.COMMITMENT:
                return self._commit(account, entry)
        return self._pay(account, entry) if entry.amount_minor >= 0 else self._take_back(account, entry)

    def _ask(self, who: Actor, command: Command) -> tuple[Any, tuple[Unmet, ...]]:
        (answer,) = self._world.ask(who, [command])
        return answer.document, answer.unmet

    def _promise(self, account: _Account, entry: Entry) -> tuple[Unmet, ...]:
        world = self._world
        command = Commit(
            command_id=world.key(),
            fund_id=account.fund_id,
            organisation_id=world.funder_id,
            kind=SourceKind.STATE,
            amount_minor=entry.amount_minor,
        )
        document, reasons = self._ask(world.people["accountant"], command)
        if not reasons:
            account.source_id = UUID(document["source_id"])
        return reasons

    def _contribute(self, account: _Account, entry: Entry) -> tuple[Unmet, ...]:
        """Book money that came in; where an investor had promised some, it is called first."""
        world, amount = self._world, entry.amount_minor
        accountant = world.people["accountant"]
        if account.source_id is not None and amount > 0:
            call = CallCapital(command_id=world.key(), fund_id=account.fund_id, amount_minor=amount, due_on=world.today)
            _, reasons = self._ask(accountant, call)
            if reasons:
                return reasons
        command = Contribute(
            command_id=world.key(),
            fund_id=account.fund_id,
            amount_minor=amount,
            received_on=world.today,
            source_id=account.source_id,
            note=_REASON,
        )
        return self._ask(accountant, command)[1]

    def _commit(self, account: _Account, entry: Entry) -> tuple[Unmet, ...]:
        """A commitment is a part of the award, a negative one takes from it; without an award it comes to nothing."""
        if account.purse is None:
            return (unmet("award_comes_to_nothing"),)
        return () if entry.amount_minor else (unmet("amount_not_positive"),)

    def _pay(self, account: _Account, entry: Entry) -> tuple[Unmet, ...]:
        """Request, approve, instruct and settle one payment."""
        if account.purse is None:
            return (unmet("nothing_awarded"),)
        self._number += 1
        name = f"{entry.activity}#{self._number}"
        live = Live(
            name=name,
            firm=account.firm,
            fund_id=account.purse.fund_id,
            milestone_id=account.purse.milestones[0],
            waiting=[_event(entry, deed) for deed in _STEPS],
        )
        tally = Tally()
        Player(self._world, tally).play([live], entry.day)
        story = tally.story(name)
        if story.is_paid:
            account.paid.append((live, entry.amount_minor))
        return story.first_refusal

    def _take_back(self, account: _Account, entry: Entry) -> tuple[Unmet, ...]:
        """Let the bank return the newest payment that is large enough; the register does not say which one it is."""
        back = -entry.amount_minor
        place = next((place for place, (_, left) in reversed(list(enumerate(account.paid))) if left >= back), None)
        if place is None:
            return (unmet("nothing_to_return"),)
        live, left = account.paid[place]
        assert live.payout_id is not None and live.instruction_id is not None  # it was paid  # noqa: S101, PT018
        command = Learn(
            command_id=self._world.key(),
            payout_id=live.payout_id,
            instruction_id=live.instruction_id,
            source=BankSource.CAMT054,
            kind=BankEventKind.RETURN,
            amount_minor=back,
            bank_ref=entry.place,
            content_hash=sha256(entry.place),
        )
        _, reasons = self._ask(self._world.people["clock"], command)
        if not reasons:
            account.paid[place] = (live, left - back)
        return reasons


def _event(entry: Entry, deed: Deed) -> Event:
    person = {Deed.REQUEST: ("asks",), Deed.APPROVE: ("approves",)}.get(deed, ())
    return Event(
        place=entry.place,
        activity=entry.code,
        at=entry.at,
        day=entry.day,
        person=person,
        rule=ActRule(activity=entry.code or "-", act=deed),
        amount_minor=entry.amount_minor,
    )


def fund_document(register: Register, mapping: FundMapping, outcome: Outcome) -> dict[str, Any]:
    """Return the report as plain JSON: what was taken, what was refused and why, and awards against payments."""
    kinds: dict[Kind, Count] = {}
    whole = Count()
    for entry, reasons in outcome.judged:
        codes = tuple(dict.fromkeys(reason.code for reason in reasons))
        kinds.setdefault(entry.kind, Count()).add(codes)
        whole.add(codes)
    why = {code: rule.why for rule in mapping.entries if rule.why for code in rule.code}
    out = Counter(entry.code for entry in register.entries if entry.kind is Kind.NONE)
    awards = outcome.awards.values()
    return {
        "format": FORMAT,
        "reads": mapping.reads,
        "file": register.file,
        "source": mapping.source,
        "about": {"zh": mapping.about.zh, "en": mapping.about.en},
        "entries": len(register.entries) + len(register.unread) + sum(register.unknown.values()),
        "activities": len({entry.activity for entry in register.entries}),
        "acts": whole.document(),
        "by_kind": {str(kind): kinds[kind].document() for kind in Kind if kind in kinds},
        "negative": _negative(register, outcome),
        "awards": {
            "positive": sum(awarded > 0 for awarded, _ in awards),
            "paid_more": sum(0 < awarded < paid for awarded, paid in awards),
            "paid_exactly": sum(0 < awarded == paid for awarded, paid in awards),
        },
        "left_out": [
            {"code": code, "entries": count, "why": {"zh": one.zh, "en": one.en}}
            for code, count in sorted(out.items())
            if (one := why[code])
        ],
        "unknown": [{"code": code, "entries": count} for code, count in sorted(register.unknown.items())],
        "unread": [
            {"activity": one.case, "place": one.place, "code": one.code, "rule": one.rule, "values": dict(one.values)}
            for one in register.unread
        ],
        "refused": [
            {
                "place": entry.place,
                "activity": entry.activity,
                "kind": str(entry.kind),
                "on": entry.day.isoformat(),
                "amount_minor": entry.amount_minor,
                "currency": entry.currency,
                "reasons": [reason.document() for reason in reasons],
            }
            for entry, reasons in outcome.judged
            if reasons
        ],
    }


def _negative(register: Register, outcome: Outcome) -> dict[str, int]:
    """Say what became of the entries below zero: corrections, refunds, repayments."""
    judged = [reasons for entry, reasons in outcome.judged if entry.amount_minor < 0]
    left_out = [entry for entry in register.entries if entry.amount_minor < 0 and entry.kind is Kind.NONE]
    accepted = sum(not reasons for reasons in judged)
    return {
        "entries": len(judged) + len(left_out),
        "accepted": accepted,
        "refused": len(judged) - accepted,
        "left_out": len(left_out),
    }
