"""Plays the cases of a log through the verbs of a payout, some days at a time, the clock at the times of the events.

Within these days a case goes step by step; what many cases ask of one verb by one person is asked at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from itertools import cycle
from typing import Any, TypeAlias
from uuid import UUID

from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.canonical import sha256
from lifecycle.commands import Answer, Command
from lifecycle.errors import Unmet, unmet
from lifecycle.funds.commands import ResumeFund
from lifecycle.payouts.batches import Doubt, PrepareBatch, Send, Settle
from lifecycle.payouts.commands import (
    Amend,
    Approve,
    Cancel,
    Certify,
    Instruct,
    Reapprove,
    Reject,
    Release,
    RequestPayout,
    SendBack,
)
from lifecycle.payouts.learning import Learn
from lifecycle.replays.log import Case, Event, Log
from lifecycle.replays.mapping import BY_CLOCK, Deed, PayoutMapping
from lifecycle.replays.tally import Tally
from lifecycle.replays.world import Firm, PurseWish, World, enter_people, fill_purses, found, grant, settle_firms
from models.limits import INSTRUCTIONS_PER_BATCH
from models.payouts import PaymentInstruction
from models.reading import rows_by
from models.states import BankEffect, BankEventKind, BankSource, PayoutState, Role

Scene: TypeAlias = Callable[[], AbstractContextManager[Session]]
"""One transaction of the dry database."""

_FOUNDED_BEFORE = timedelta(days=30)
DAYS = 7
"""Days whose events share a transaction and a clock: 1 is truest, more is faster."""
_TRANCHES = 20
"""Of each month's agreement: requests of one tranche are carried out one after the other, of several at once."""
_OVER = (PayoutState.REJECTED, PayoutState.CANCELLED)
ROLES: Mapping[Deed, Role] = {
    Deed.REQUEST: Role.FINANCE_OFFICER,
    Deed.CANCEL: Role.FINANCE_OFFICER,
    Deed.CERTIFY: Role.CERTIFIER,
    Deed.APPROVE: Role.FUND_MANAGER,
    Deed.SEND_BACK: Role.FUND_MANAGER,
    Deed.REJECT: Role.FUND_MANAGER,
    Deed.RELEASE: Role.PAYER,
}
"""In which role somebody does an act; the first two at the firm that asks, the others at the funder."""
_OF_THE_FIRM = frozenset({Deed.REQUEST, Deed.CANCEL})
_REASON = "replay"


@dataclass(slots=True, kw_only=True)
class Live:
    """A case on its way through the verbs."""

    name: str
    firm: Firm
    fund_id: UUID
    milestone_id: UUID
    payout_id: UUID | None = None
    state: str = ""
    amount_minor: int = 0
    instruction_id: UUID | None = None
    batch_id: UUID | None = None
    waiting: list[Event] = field(default_factory=list)
    """What the log says of it and was not played yet, in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a play needs: transactions of an empty database at head, a calendar, ids, and how the clock moves."""

    scene: Scene
    calendar: Calendar
    new_id: Callable[[], UUID]
    days: int = DAYS
    say: Callable[[int], None] = lambda _events: None
    """Hears how many events were played."""


def play(log: Log, mapping: PayoutMapping, stage: Stage) -> Tally:
    """Play every case and return what became of its acts."""
    tally = Tally()
    acting = [event for case in log.cases for event in case.events if event.deed not in (None, Deed.NONE)]
    for case in log.cases:
        tally.left_out.update(event.activity for event in case.events if event.deed is Deed.NONE)
    if not acting:
        return tally
    first = min(event.at for event in acting).astimezone(UTC) - _FOUNDED_BEFORE
    world = World(calendar=stage.calendar, new_id=stage.new_id, zone=mapping.zone, now=first)
    with stage.scene() as world.session:
        live = _settle(world, log.cases, mapping)
    player = Player(world, tally)
    for involved, until in _windows(live, stage.days):
        with stage.scene() as world.session:
            played = player.play(involved, until)
        stage.say(played)
    with stage.scene() as world.session:
        player.doubt_silent()
    for one in live:
        tally.story(one.name).state = one.state
    return tally


def _settle(world: World, cases: Sequence[Case], mapping: PayoutMapping) -> list[Live]:
    """Make the world: a firm for everybody who asks first, its purse for each month, and everybody with their roles."""
    found(world, asks=mapping.asks)
    makers = {case.name: who_is(_maker(case)) for case in cases}
    names = sorted(set(makers.values()))
    firms = dict(zip(names, settle_firms(world, names), strict=True))
    asked: dict[tuple[str, str], list[int]] = defaultdict(list)
    """(who, month) -> what each case may ask for at the most."""
    for case in cases:
        asked[makers[case.name], _month(case)].append(_most(case))
    filled = fill_purses(
        world,
        [
            PurseWish(
                firm=firms[maker],
                currency=mapping.currency,
                limit_minor=max(1, *(sum(most[place::_TRANCHES]) for place in range(_TRANCHES))),
                paid_in_minor=max(1, sum(most)),
                approvals=mapping.approvals,
                tranches=min(_TRANCHES, len(most)),
            )
            for (maker, _), most in asked.items()
        ],
    )
    purses = dict(zip(asked, filled, strict=True))
    places = {key: cycle(purse.milestones) for key, purse in purses.items()}
    live = []
    for case in cases:
        key = makers[case.name], _month(case)
        firm = firms[makers[case.name]]
        live.append(
            Live(
                name=case.name,
                waiting=list(case.events),
                firm=firm,
                fund_id=purses[key].fund_id,
                milestone_id=next(places[key]),
            )
        )
    _seat(world, live)
    return live


def _maker(case: Case) -> tuple[str, ...]:
    """Return who asks first; where nobody does, who comes first."""
    asking = [event for event in case.events if event.deed is Deed.REQUEST]
    return (asking or case.events)[0].person if case.events else ()


def who_is(person: Sequence[str]) -> str:
    """Return the name under which somebody of the log is entered."""
    return "somebody: " + " / ".join(person)


def _month(case: Case) -> str:
    return f"{case.events[0].day:%Y-%m}" if case.events else ""


def _most(case: Case) -> int:
    """Return the most that a case may ask for: the sum of what each of its requests says."""
    return sum(max(event.amount_minor or 0, 0) for event in case.events if event.deed is Deed.REQUEST)


def _seat(world: World, live: Sequence[Live]) -> None:
    """Enter everybody who acts, in the roles that their acts ask for."""
    grants: dict[tuple[str, Role, UUID], None] = {}
    for one in live:
        for event in one.waiting:
            if event.deed is not None and event.deed in ROLES:
                place = one.firm.organisation_id if event.deed in _OF_THE_FIRM else world.funder_id
                grants[who_is(event.person), ROLES[event.deed], place] = None
    enter_people(world, list(dict.fromkeys(who for who, _, _ in grants)))
    grant(world, grants)


def _windows(live: Sequence[Live], days: int) -> Iterator[tuple[list[Live], date]]:
    """Yield the cases to which something happens in so many days, with the last of these days."""
    windows: dict[int, dict[int, Live]] = defaultdict(dict)
    for one in live:
        one.waiting = [event for event in one.waiting if event.deed not in (None, Deed.NONE)]
        for event in one.waiting:
            windows[event.day.toordinal() // days][id(one)] = one
    for window in sorted(windows):
        yield list(windows[window].values()), date.fromordinal((window + 1) * days - 1)


class Player:
    """Asks the verbs for what the events say, and remembers where each case stands."""

    def __init__(self, world: World, tally: Tally) -> None:
        self._world, self._tally = world, tally
        self._silent: dict[UUID, int] = {}
        """Batch -> its payments of which the bank has not spoken yet."""

    def doubt_silent(self) -> None:
        """Say of every batch on which the log ends without a word of the bank what a night run would say of it."""
        self._world.now += timedelta(days=1)
        why = "the log ends without a word of the bank"
        self._world.do("clock", Doubt, [{"batch_id": batch, "why": why} for batch in self._silent])

    def play(self, live: Iterable[Live], until: date) -> int:
        """Play what happens up to a day: of all that could come next, what most cases ask of one person goes first.

        Returns how many acts that were.
        """
        ready, played = [one for one in live if _is_due(one, until)], 0
        while ready:
            groups: dict[tuple[Deed, str], list[Live]] = defaultdict(list)
            for one in ready:
                deed = one.waiting[0].deed or Deed.NONE
                groups[deed, "" if deed in BY_CLOCK else who_is(one.waiting[0].person)].append(one)
            (deed, who), group = max(groups.items(), key=lambda item: len(item[1]))
            self._step(deed, who, [(one, one.waiting.pop(0)) for one in group])
            ready, played = [one for one in ready if _is_due(one, until)], played + len(group)
        return played

    def _step(self, deed: Deed, who: str, asked: Sequence[tuple[Live, Event]]) -> None:
        latest = max(event.at for _, event in asked).astimezone(UTC)
        self._world.now = max(self._world.now + timedelta(microseconds=1), latest)
        if deed is Deed.REQUEST:
            possible = list(asked)
        else:
            possible = [(one, event) for one, event in asked if one.payout_id is not None]
            self._refuse([(one, event) for one, event in asked if one.payout_id is None], unmet("nothing_requested"))
        if deed is Deed.INSTRUCT:
            self._run(possible)
        elif deed in BY_CLOCK:
            self._hear(deed, possible)
        else:
            self._ask(who, possible)

    def _refuse(self, asked: Iterable[tuple[Live, Event]], reason: Unmet) -> None:
        for one, event in asked:
            self._tally.add(one.name, event, (reason,))

    def _ask(self, who: str, asked: Sequence[tuple[Live, Event]]) -> None:
        """Let one person do the same thing in many cases."""
        made = [(one, event, self._command(one, event)) for one, event in asked]
        made.sort(key=lambda item: type(item[2]).__name__)
        answers = self._world.ask(self._world.people[who], [command for _, _, command in made])
        for (one, event, command), answer in zip(made, answers, strict=True):
            self._tally.add(one.name, event, answer.unmet)
            if answer.is_done:
                _learn_from(one, command, answer)

    def _command(self, one: Live, event: Event) -> Command:
        key, payout = self._world.key(), one.payout_id
        if payout is None or (event.deed is Deed.REQUEST and one.state in _OVER):
            return RequestPayout(
                command_id=key,
                milestone_id=one.milestone_id,
                payee_account_id=one.firm.account_id,
                new_amount_minor=event.amount_minor or 0,
            )
        amount = one.amount_minor if event.amount_minor is None else event.amount_minor
        match event.deed:
            case Deed.REQUEST:
                return Amend(command_id=key, payout_id=payout, reason=_REASON, new_amount_minor=event.amount_minor)
            case Deed.CERTIFY:
                return Certify(command_id=key, payout_id=payout, amount_minor=amount)
            case Deed.APPROVE:
                verb = Reapprove if one.state == PayoutState.RETURNED else Approve
                return verb(command_id=key, payout_id=payout, amount_minor=amount)
            case Deed.RELEASE:
                return Release(command_id=key, payout_id=payout)
        ending: dict[Deed, type[SendBack | Reject | Cancel]]
        ending = {Deed.SEND_BACK: SendBack, Deed.REJECT: Reject, Deed.CANCEL: Cancel}
        return ending[event.deed or Deed.NONE](command_id=key, payout_id=payout, reason=_REASON)

    def _run(self, asked: Sequence[tuple[Live, Event]]) -> list[tuple[Live, Event]]:
        """Take payouts into payment batches of their funds and send those; return what passed the last gate."""
        taken: list[tuple[Live, Event]] = []
        by_fund = defaultdict(list)
        for one, event in asked:
            by_fund[one.fund_id].append((one, event))
        for fund, group in sorted(by_fund.items()):
            for start in range(0, len(group), INSTRUCTIONS_PER_BATCH):
                taken += self._send(fund, group[start : start + INSTRUCTIONS_PER_BATCH])
        return taken

    def _send(self, fund: UUID, asked: Sequence[tuple[Live, Event]]) -> list[tuple[Live, Event]]:
        world, batch = self._world, self._world.new_id()
        instruct = [
            Instruct(command_id=world.key(), payout_id=_there(one.payout_id), batch_id=batch) for one, _ in asked
        ]
        taken = []
        for (one, event), answer in zip(asked, world.ask(world.people["clock"], instruct), strict=True):
            if event.deed is Deed.INSTRUCT or not answer.is_done:
                self._tally.add(one.name, event, answer.unmet)
            if answer.is_done:
                one.state = str(answer.document["state"])
                taken.append((one, event))
        if not taken:
            return taken
        prepare = {
            "fund_id": fund,
            "batch_id": batch,
            "payout_ids": tuple(_there(one.payout_id) for one, _ in taken),
            "execution_on": world.calendar.next_working_day(world.today),
        }
        world.do("clock", PrepareBatch, [prepare])
        world.do("clock", Send, [{"batch_id": batch, "fence": 0}])
        self._silent[batch] = len(taken)
        self._find_instructions([one for one, _ in taken], batch)
        return taken

    def _find_instructions(self, live: Sequence[Live], batch: UUID) -> None:
        ids = [_there(one.payout_id) for one in live]
        rows = rows_by(self._world.session, PaymentInstruction, "payout_id", ids, "attempt")
        for one in live:
            one.batch_id = batch
            one.instruction_id = next(row.id for row in reversed(rows[_there(one.payout_id)]) if row.batch_id == batch)

    def _hear(self, deed: Deed, asked: Sequence[tuple[Live, Event]]) -> None:
        """Hear from the bank; what no run had taken is put before the last gate first."""
        told = [(one, event) for one, event in asked if one.instruction_id is not None]
        silent = [(one, event) for one, event in asked if one.instruction_id is None]
        if deed is Deed.PAID:
            told += self._run(silent)
        else:
            self._refuse(silent, unmet("nothing_instructed"))
        kind = BankEventKind.SETTLE if deed is Deed.PAID else BankEventKind.RETURN
        commands = [
            Learn(
                command_id=self._world.key(),
                payout_id=_there(one.payout_id),
                instruction_id=_there(one.instruction_id),
                source=BankSource.CAMT054,
                kind=kind,
                amount_minor=one.amount_minor,
                bank_ref=f"{one.name}:{event.place}"[:60],
                content_hash=sha256(f"{one.name}:{event.place}"),
            )
            for one, event in told
        ]
        answers = self._world.ask(self._world.people["clock"], commands)
        for (one, event), answer in zip(told, answers, strict=True):
            self._tally.add(one.name, event, _contradiction(answer))
            if not answer.is_done:
                continue
            one.state = str(answer.document["state"])
            if one.batch_id is not None:
                self._silent[one.batch_id] -= 1
                one.batch_id = None
            if one.state == PayoutState.RETURNED:
                one.instruction_id = None
            if answer.document["exception"] is not None:
                self._lift(one.fund_id)
        self._settle()

    def _lift(self, fund: UUID) -> None:
        """Let two of the staff end the hold that a contradiction put on a fund: the other cases have no part in it."""
        for who in ("director", "accountant"):
            command = ResumeFund(command_id=self._world.key(), fund_id=fund, reason=_REASON)
            self._world.ask(self._world.people[who], [command])

    def _settle(self) -> None:
        done = [batch for batch, left in self._silent.items() if not left]
        for batch in done:
            del self._silent[batch]
        self._world.do("clock", Settle, [{"batch_id": batch} for batch in done])


def _is_due(one: Live, until: date) -> bool:
    return bool(one.waiting) and one.waiting[0].day <= until


def _learn_from(one: Live, command: Any, answer: Answer) -> None:
    """Remember where the case stands after an act."""
    one.state = str(answer.document["state"])
    if isinstance(command, RequestPayout):
        one.payout_id = UUID(answer.document["object_id"])
        one.instruction_id = None
    if isinstance(command, RequestPayout | Amend) and command.new_amount_minor is not None:
        one.amount_minor = command.new_amount_minor


def _contradiction(answer: Answer) -> tuple[Unmet, ...]:
    """A word of the bank is never refused; one that contradicts what is known opens a case for two people."""
    if answer.is_done and answer.document["effect"] != BankEffect.APPLIED:
        return (unmet(str(answer.document["exception"] or "known_already")),)
    return answer.unmet


def _there(found: UUID | None) -> UUID:
    assert found is not None  # the caller has asked  # noqa: S101
    return found
