"""Any order of capital, requests, words, runs, bank answers, deaths and recoveries: the house and a second book agree.

The second books (`tests.witness.fund`, `tests.witness.investors`) say beforehand what becomes of each command; the bank
(`tests.witness.bank`) pays, pays twice, sends back, rejects and contradicts itself, by any channel and repeatedly.
After every step every invariant of the house is asked, and the position must be the second book's (C6, W1, W2, W5, W6).
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, event

from flows.bank_channel import BankInMemory
from flows.disbursement import Teller, disburse
from flows.reconciliation import take_inbox
from flows.recovery import finish
from lifecycle.commands import Command
from lifecycle.exceptions.proposal import Action
from lifecycle.funds.commands import CallCapital, Commit, Contribute
from lifecycle.funds.queries import positions
from lifecycle.invariants.check import all_checks, check
from lifecycle.payouts.commands import Amend, Approve, Cancel, Reapprove, Reject
from models.db import make_engine, reading
from models.states import Role, SourceKind
from tests.conftest import copied, on_server
from tests.factories import House, key
from tests.money import AMOUNT
from tests.paying import ACCOUNT, APPROVERS, MAKER, a_paying_fund, settle_case
from tests.witness.bank import Bank, Booking, Order
from tests.witness.fund import FundBook, Payment
from tests.witness.investors import Investors

pytestmark = pytest.mark.slow
T = TypeVar("T")
PAID_IN, TRANCHES = 15_000, 3
AMOUNTS = st.sampled_from([AMOUNT, AMOUNT // 2, AMOUNT - 1, AMOUNT + 1])
PEOPLE = st.sampled_from([*APPROVERS, MAKER])
DEATHS = st.one_of(st.none(), st.integers(1, 60))
"""At which statement a piece of work is broken off before it is done again; or never."""
PLACES = st.integers(0, 9)
INVESTORS = ("other firm", "customer", "receiver")
CAPITAL = st.sampled_from([1, 2_500, 7_001, 10_000])
RUN_DEATHS = st.one_of(st.none(), st.integers(1, 90), st.integers(60, 90))
"""The same for a payment run: what comes after its batch is written is where a file may or may not lie there."""
LOOKS = ("before the next", "after it")
"""When the bank looks at what a payment run left that was broken off."""
THEN = st.sampled_from(["again", "again", "recover", "recover", "nothing"])
"""What is done after a payment run was broken off: the same, `pilotway recover`, or nothing yet."""


class Died(Exception):
    """The work was broken off here."""


@contextmanager
def dying(engine: Engine, at: int | None) -> Iterator[None]:
    """Break off at a statement."""
    passed = 0

    def pass_by(*_: object) -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            raise Died

    event.listen(engine, "before_cursor_execute", pass_by)
    try:
        yield
    except Died:
        pass
    finally:
        event.remove(engine, "before_cursor_execute", pass_by)


class Payments(RuleBasedStateMachine):
    """A fund with three tranches and money for two of them, two approvers of whom `needed` must speak."""

    a_house: ClassVar[Callable[[], House]]
    done_with: ClassVar[Callable[[House], None]]

    @initialize(
        needed=st.sampled_from([1, 2]),
        sent=st.integers(0, 2),
        takes=st.sampled_from(["keep", "move"]),
        called=st.sampled_from([0, 10_000]),
    )
    def begin(self, needed: int, sent: int, takes: Any = "keep", called: int = 0) -> None:
        self.house = type(self).a_house()
        self.paying = a_paying_fund(self.house, tranches=TRANCHES, paid_in=PAID_IN, approvers=needed)
        self.book = FundBook(PAID_IN, AMOUNT, needed, MAKER, frozenset(APPROVERS))
        self.book.commitment = int(self.house.one("SELECT commitment_minor FROM v_fund"))
        self.book.award = TRANCHES * AMOUNT
        self.investors, self.sources = Investors(), list[UUID]()
        self.bank, self.channel = Bank(account=ACCOUNT, opening=PAID_IN), BankInMemory()
        self.teller = Teller(bank=self.channel, holder="any", takes=takes, lease=timedelta(0))
        self.ids: list[UUID] = []
        self.taken: set[str] = set()
        self.files = self.differences = 0
        self.had_time = True
        for place in range(sent):  # so that a short play, too, comes to the bank
            self.request(place, AMOUNT, None)
            for who in APPROVERS[:needed]:
                self.approve(place, who, 0, None)
        if sent:
            self.payment_run(None)
        if called:  # and to money that investors may pay in
            self.commit(0, called, None)
            self.call(called, None)

    def teardown(self) -> None:
        if hasattr(self, "house"):
            type(self).done_with(self.house)

    # People

    @rule(tranche=st.integers(0, TRANCHES - 1), amount=AMOUNTS, death=DEATHS)
    def request(self, tranche: int, amount: int, death: int | None) -> None:
        command = self.paying.request(amount=amount, milestone=self.paying.money.milestones[tranche])
        done = self.give(command, MAKER, self.book.request(tranche, amount), death)
        if done is not None:
            self.ids.append(UUID(done["object_id"]))

    @precondition(lambda self: self.ids)
    @rule(place=PLACES, who=PEOPLE, slip=st.sampled_from([0, 0, 0, 1]), death=DEATHS)
    def approve(self, place: int, who: Role, slip: int, death: int | None) -> None:
        one, payout = self.pick(place)
        verb = Reapprove if one.state == "returned" else Approve
        amount = one.amount + slip
        command = verb(command_id=key(), payout_id=payout, amount_minor=amount)
        self.give(command, who, self.book.approve(one, who, amount), death)

    @precondition(lambda self: self.ids)
    @rule(place=PLACES, death=DEATHS)
    def reject(self, place: int, death: int | None) -> None:
        one, payout = self.pick(place)
        command = Reject(command_id=key(), payout_id=payout, reason="no")
        self.give(command, Role.FUND_MANAGER, self.book.reject(one), death)

    @precondition(lambda self: self.ids)
    @rule(place=PLACES, death=DEATHS)
    def cancel(self, place: int, death: int | None) -> None:
        one, payout = self.pick(place)
        self.give(Cancel(command_id=key(), payout_id=payout, reason="no"), MAKER, self.book.cancel(one), death)

    @precondition(lambda self: self.ids)
    @rule(place=PLACES, amount=AMOUNTS, death=DEATHS)
    def amend(self, place: int, amount: int, death: int | None) -> None:
        one, payout = self.pick(place)
        command = Amend(command_id=key(), payout_id=payout, reason="other", new_amount_minor=amount)
        self.give(command, MAKER, self.book.amend(one, amount), death)

    @precondition(lambda self: self.book.is_held)
    @rule()
    def two_people_lift_the_hold(self) -> None:
        """Every case that holds the fund has to be closed: it is held until the last of them."""
        open_cases = (
            "SELECT id FROM v_exception WHERE closed_at IS NULL AND object_type <> 'batch'"
            " AND kind NOT IN ('unmatched', 'entered_alone') ORDER BY id DESC"
        )
        for case in self.house.rows(open_cases):
            (answer,) = settle_case(self.house, UUID(case.id), Action.LIFT_HOLD)
            assert answer.is_done
        self.book.is_held = False

    @precondition(lambda self: self.unexplained())
    @rule()
    def two_people_write_a_booking_off(self) -> None:
        line = self.unexplained()[0]
        if -line.amount_minor > self.book.available:
            return
        answers = settle_case(self.house, UUID(line.id), Action.WRITE_OFF)
        assert [answer.is_done for answer in answers] == [True, True]
        self.book.aside -= line.amount_minor
        self.book.available += line.amount_minor

    @precondition(lambda self: self.not_at_the_bank())
    @rule()
    def two_people_give_a_batch_up(self) -> None:
        case, ends = self.not_at_the_bank()[0]
        answers = settle_case(self.house, UUID(case), Action.ABANDON_BATCH)
        assert all(answer.is_done for answer in answers)
        for end in ends:
            self.book.given_up(end)

    # Investors

    @rule(place=st.integers(0, len(INVESTORS) - 1), amount=CAPITAL, death=DEATHS)
    def commit(self, place: int, amount: int, death: int | None) -> None:
        place = min(place, len(self.sources))
        firm, kind = self.house.parties[INVESTORS[place]], SourceKind.SOCIAL_CAPITAL
        fund = self.paying.fund_id
        command = Commit(command_id=key(), fund_id=fund, organisation_id=firm, kind=kind, amount_minor=amount)
        self.investors.commit(place, amount)
        done = self.give(command, Role.ACCOUNTANT, None, death)
        if done is not None and place == len(self.sources):
            self.sources.append(UUID(done["source_id"]))

    @precondition(lambda self: self.sources)
    @rule(amount=CAPITAL, death=DEATHS)
    def call(self, amount: int, death: int | None) -> None:
        due, fund = self.house.today, self.paying.fund_id
        command = CallCapital(command_id=key(), fund_id=fund, amount_minor=amount, due_on=due)
        self.give(command, Role.ACCOUNTANT, self.investors.call(amount), death)

    @precondition(lambda self: self.sources)
    @rule(place=PLACES, amount=CAPITAL, comes_in=st.sampled_from([True, True, False]), death=DEATHS)
    def contribute(self, place: int, amount: int, comes_in: bool, death: int | None) -> None:
        """What comes in the bank has booked already; what goes back it books when the house has let it go."""
        place %= len(self.sources)
        signed, ref = (amount if comes_in else -amount), f"B{len(self.bank.book) + 1}"
        why_not = self.investors.contribute(place, signed, self.book.available)
        if comes_in or why_not is None:
            assert self.bank.book_unknown(signed).ref == ref
        if why_not is None:
            self.book.enter(ref, signed)
        command = Contribute(
            command_id=key(),
            fund_id=self.paying.fund_id,
            source_id=self.sources[place],
            amount_minor=signed,
            received_on=self.house.today,
            bank_ref=ref,
            note="as called",
        )
        self.give(command, Role.ACCOUNTANT, why_not, death)

    # The payment run and the bank

    @precondition(lambda self: self.book.run() or self.book.is_held)
    @rule(death=RUN_DEATHS, looks=st.sampled_from(LOOKS), then=THEN)
    def payment_run(self, death: int | None, looks: str = LOOKS[0], then: str = "again") -> None:
        due = self.book.run()
        is_whole = self.had_time = self.run_once(death)
        if looks == LOOKS[0]:
            self.bank_looks()
        if not is_whole and then == "again":
            is_whole = self.run_once(None)
        elif not is_whole and then == "recover":
            self.recover()
        self.bank_looks()
        new = self.new_instructions()
        assert Counter(row.amount_minor for row in new) == Counter(one.amount for one in due) or not (new or is_whole)
        for row in new:
            one = self.book.payments[self.ids.index(UUID(row.payout_id))]
            assert one.amount == row.amount_minor
            self.book.instructed(one, row.end_to_end_id)

    @rule()
    def recover(self) -> None:
        """What was prepared is delivered; it is safe at any time."""
        done = finish(self.house.engine, self.teller, self, self.house.stamp())
        assert done.failed == []
        assert done.waiting == []
        self.bank_looks()

    def sweep(self) -> int:
        """Stand in for a drop folder: in memory nothing is ever half written."""
        return 0

    def run_once(self, death: int | None) -> bool:
        """Start a payment run; say whether it came to its end."""
        with dying(self.house.engine, death):
            disburse(self.house.engine, self.teller, self.house.stamp())
            return True
        return False

    @precondition(lambda self: self.bank.orders)
    @rule(place=PLACES, slip=st.sampled_from([0, 0, 0, 0, 1]))
    def bank_pays(self, place: int, slip: int) -> None:
        order = self.order(place)
        self.bank.pay(order, order.amount - slip)

    @precondition(lambda self: self.bank.orders)
    @rule(place=PLACES, part=st.sampled_from([1, 1, 2]))
    def bank_sends_back(self, place: int, part: int) -> None:
        order = self.order(place)
        self.bank.send_back(order, order.amount // part)

    @rule(amount=st.sampled_from([500, -12]))
    def bank_books_what_nobody_knows(self, amount: int) -> None:
        self.bank.book_unknown(amount)

    @precondition(lambda self: self.bank.orders)
    @rule(place=PLACES, word=st.sampled_from(["ACSP", "RJCT"]), death=DEATHS)
    def bank_reports(self, place: int, word: str, death: int | None) -> None:
        order = self.order(place)
        if word == "RJCT":
            self.book.hear_rejected(order.end_to_end_id)
        else:
            self.book.hear_accepted(order.end_to_end_id)
        self.hand_in("xml", self.bank.report(order.message, {order.end_to_end_id: word}), death)

    @precondition(lambda self: self.bank.book)
    @rule(places=st.lists(PLACES, min_size=1, max_size=3), is_table=st.booleans(), death=DEATHS)
    def bank_tells_of_some(self, places: list[int], is_table: bool, death: int | None) -> None:
        lines = list(dict.fromkeys(self.bank.book[place % len(self.bank.book)] for place in places))
        self.hear("table" if is_table else "camt", lines)
        data = self.bank.table(lines) if is_table else self.bank.notice(lines)
        self.hand_in("csv" if is_table else "xml", data, death)

    @rule(death=DEATHS)
    def bank_states_the_account(self, death: int | None) -> None:
        self.hear("camt", self.bank.book)
        self.book.is_held |= self.book.yet_to_be_booked != 0
        self.hand_in("xml", self.bank.statement(), death)
        missing = self.book.yet_to_be_booked
        assert self.book.at_the_bank + missing == self.bank.balance, "W5"
        cases = len(self.house.rows("SELECT 1 FROM v_exception WHERE kind = 'position_differs'"))
        assert (cases > self.differences) == (missing != 0)
        self.differences = cases

    # What must be so after every step

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "house"):
            return
        kept = self.house.rows("SELECT kind, balance_minor FROM v_account")
        balances = Counter({row.kind: row.balance_minor for row in kept if row.kind not in ("external", "fee")})
        assert balances == self.book.balances
        states = {UUID(row.id): row.state for row in self.house.rows("SELECT id, state FROM v_payout")}
        assert [states[one] for one in self.ids] == [one.state for one in self.book.payments]
        held = "SELECT 1 FROM v_hold WHERE object_type = 'fund' AND lifted_at IS NULL"
        assert bool(self.house.rows(held)) == self.book.is_held

    @invariant()
    def the_bank_has_what_was_sent_and_has_it_once(self) -> None:
        if not hasattr(self, "house"):
            return
        assert set(self.bank.accepted.values()) <= {1}, "W1"
        sent = "SELECT end_to_end_id FROM v_instruction WHERE status NOT IN ('prepared', 'unknown', 'abandoned')"
        open_to_doubt = "SELECT end_to_end_id FROM v_instruction WHERE status IN ('prepared', 'unknown')"
        certain = {row.end_to_end_id for row in self.house.rows(sent)}
        doubtful = {row.end_to_end_id for row in self.house.rows(open_to_doubt)}
        assert certain <= set(self.bank.accepted) <= certain | doubtful, "W2"

    @invariant()
    def the_position_is_that_of_the_second_book(self) -> None:
        if not hasattr(self, "house"):
            return
        with reading(self.house.engine) as session:
            found = positions(session, [self.paying.fund_id])[self.paying.fund_id]
        assert {name: getattr(found, f"{name}_minor") for name in self.book.position} == self.book.position
        assert (found.subscribed_minor, found.called_minor, found.paid_in_minor) == self.investors.sums
        parts = found.paid_minor, found.approved_minor, found.in_transit_minor, found.committed_minor, found.free_minor
        assert sum(parts) == found.commitment_minor
        assert found.cash_minor == self.book.at_the_bank

    @invariant()
    def the_invariants_hold(self) -> None:
        if not hasattr(self, "house"):
            return
        with reading(self.house.engine) as session:
            report = check(session, all_checks(), now=self.house.now)
        broken = {one.id: one.sample for one in report.results if not one.is_ok}
        assert broken == {}

    # How

    def give(self, command: Command, by: str, why_not: str | None, death: int | None) -> dict[str, Any] | None:
        """Give a command, broken off once before; it becomes what the second book said."""
        (answer,) = self.work(lambda: self.house.ask(command, by=by), death)
        codes = answer.error.codes if answer.error is not None else ()
        assert answer.is_done == (why_not is None), (type(command).__name__, codes, why_not)
        assert why_not is None or any(code.replace("reapprove", "approve") == why_not for code in codes), codes
        return dict(answer.document) if answer.is_done else None

    def work(self, work: Callable[[], T], death: int | None) -> T:
        with dying(self.house.engine, death):
            return work()
        return work()

    def pick(self, place: int) -> tuple[Payment, UUID]:
        place %= len(self.ids)
        return self.book.payments[place], self.ids[place]

    def order(self, place: int) -> Order:
        return self.bank.orders[place % len(self.bank.orders)]

    def bank_looks(self) -> None:
        """Let the bank accept each file that is new there, and take it away where it does so."""
        for name in sorted(set(self.channel.out) - self.taken):
            self.bank.accept(name, self.channel.out[name])
            if self.teller.takes == "move":
                del self.channel.out[name]
            else:
                self.taken.add(name)

    def new_instructions(self) -> list[Any]:
        known = {at.end_to_end_id for one in self.book.payments for at in one.attempts}
        rows = self.house.rows("SELECT end_to_end_id, payout_id, amount_minor FROM v_instruction ORDER BY id")
        return [row for row in rows if row.end_to_end_id not in known]

    def not_at_the_bank(self) -> list[tuple[str, list[str]]]:
        """Return the open cases about batches of which the bank has nothing, with the orders in them."""
        rows = self.house.rows(
            "SELECT x.id, i.end_to_end_id FROM v_exception x JOIN v_instruction i ON i.batch_id = x.object_id"
            " JOIN v_batch b ON b.id = i.batch_id WHERE x.closed_at IS NULL AND b.state = 'unknown' ORDER BY x.id"
        )
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(row.id, []).append(row.end_to_end_id)
        return [(case, ends) for case, ends in found.items() if not set(ends) & set(self.bank.accepted)]

    def hear(self, channel: str, lines: list[Booking]) -> None:
        for line in lines:
            self.book.hear_booked(channel, line.ref, line.amount, line.end_to_end_id)

    def hand_in(self, ending: str, data: bytes, death: int | None) -> None:
        self.files += 1
        name = f"{self.files:04d}.{ending}"
        self.channel.answers[name] = data
        self.work(lambda: take_inbox(self.house.engine, self.channel, self.house.stamp()), death)
        assert self.channel.filed[name] == "done"

    def unexplained(self) -> list[Any]:
        return self.house.rows(
            "SELECT x.id, l.amount_minor FROM v_exception x JOIN v_statement_line l ON l.id = x.object_id"
            " WHERE x.kind = 'unmatched' AND x.closed_at IS NULL"
        )


SEARCH = (Phase.generate,)
"""Find a play that fails, and do not look for the shortest one."""


def machine_of(house: Callable[[], House], done_with: Callable[[House], None]) -> type[Payments]:
    """Return the machine whose worlds are made and taken away so."""

    return type("PaymentsHere", (Payments,), {"a_house": staticmethod(house), "done_with": staticmethod(done_with)})


def played(
    house: Callable[[], House],
    done_with: Callable[[House], None],
    examples: int,
    steps: int,
    *,
    phases: tuple[Phase, ...] = (Phase.generate, Phase.shrink),
) -> None:
    """Play the machine so often in worlds of its own."""
    run_state_machine_as_test(
        machine_of(house, done_with),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def on_sqlite(template: tuple[Path, House], folder: Path) -> tuple[Callable[[], House], Callable[[House], None]]:
    """Return what gives a world of its own, and what takes it away."""
    path, house = template
    numbers = iter(range(1_000_000))

    def a_house() -> House:
        file = folder / f"{next(numbers)}.db"
        shutil.copyfile(path, file)
        return copied(replace(house), make_engine(str(file)))

    def done_with(one: House) -> None:
        one.engine.dispose()
        for left in folder.glob(f"{Path(str(one.engine.url.database)).name}*"):
            left.unlink()

    return a_house, done_with


@pytest.mark.parametrize(
    ("examples", "steps"),
    [(2, 20), pytest.param(8, 25, marks=pytest.mark.long), pytest.param(300, 50, marks=pytest.mark.prove)],
)
def test_on_sqlite(sqlite_house_template: tuple[Path, House], tmp_path: Path, examples: int, steps: int) -> None:
    played(*on_sqlite(sqlite_house_template, tmp_path), examples, steps)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("examples", "steps"),
    [(1, 20), pytest.param(3, 20, marks=pytest.mark.long), pytest.param(100, 50, marks=pytest.mark.prove)],
)
def test_on_postgresql(postgres_house_template: tuple[str, House], examples: int, steps: int) -> None:
    address, house = postgres_house_template
    numbers = iter(range(1_000_000))

    def a_house() -> House:
        name = f"machine_{next(numbers)}"
        on_server(address, f"CREATE DATABASE {name} TEMPLATE house STRATEGY file_copy")
        return copied(house, make_engine(address.format(name)))

    def done_with(one: House) -> None:
        one.engine.dispose()
        on_server(address, f"DROP DATABASE {one.engine.url.database} WITH (FORCE)")

    played(a_house, done_with, examples, steps)
