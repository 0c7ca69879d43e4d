"""Any order of requests, words, runs, bank answers and deaths in between: the house and a second book agree (C6, W6).

The second book (`tests.witness.fund`) says beforehand what becomes of each command; the bank (`tests.witness.bank`)
pays, pays twice, sends back, rejects and contradicts itself, by any channel and repeatedly.
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
from lifecycle.commands import Command
from lifecycle.exceptions.commands import Action
from lifecycle.invariants.check import all_checks, check
from lifecycle.payouts.commands import Amend, Approve, Cancel, Reapprove, Reject
from models.db import make_engine, reading
from models.states import Role
from tests.conftest import copied, on_server
from tests.factories import House, key
from tests.money import AMOUNT
from tests.paying import ACCOUNT, APPROVERS, MAKER, a_paying_fund, settle_case
from tests.witness.bank import Bank, Booking, Order
from tests.witness.fund import FundBook, Payment

pytestmark = pytest.mark.slow
T = TypeVar("T")
PAID_IN, TRANCHES = 15_000, 3
AMOUNTS = st.sampled_from([AMOUNT, AMOUNT // 2, AMOUNT - 1, AMOUNT + 1])
PEOPLE = st.sampled_from([*APPROVERS, MAKER])
DEATHS = st.one_of(st.none(), st.integers(1, 60))
"""At which statement a piece of work is broken off before it is done again; or never."""
PLACES = st.integers(0, 9)


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

    @initialize(needed=st.sampled_from([1, 2]), sent=st.integers(0, 2))
    def begin(self, needed: int, sent: int) -> None:
        self.house = type(self).a_house()
        self.paying = a_paying_fund(self.house, tranches=TRANCHES, paid_in=PAID_IN, approvers=needed)
        self.book = FundBook(PAID_IN, AMOUNT, needed, MAKER, frozenset(APPROVERS))
        self.bank, self.channel = Bank(account=ACCOUNT, opening=PAID_IN), BankInMemory()
        self.teller = Teller(bank=self.channel, holder="any", takes="keep", lease=timedelta(0))
        self.ids: list[UUID] = []
        self.taken: set[str] = set()
        self.files = self.differences = 0
        for place in range(sent):  # so that a short play, too, comes to the bank
            self.request(place, AMOUNT, None)
            for who in APPROVERS[:needed]:
                self.approve(place, who, 0, None)
        if sent:
            self.payment_run(None)

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
        open_cases = (
            "SELECT id FROM v_exception WHERE closed_at IS NULL AND object_type <> 'batch'"
            " AND kind <> 'unmatched' ORDER BY id DESC"
        )
        (answer,) = settle_case(self.house, UUID(self.house.rows(open_cases)[0].id), Action.LIFT_HOLD)
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

    # The payment run and the bank

    @rule(death=DEATHS)
    def payment_run(self, death: int | None) -> None:
        due = self.book.run()
        self.work(lambda: disburse(self.house.engine, self.teller, self.house.stamp()), death)
        orders = [order for name in sorted(set(self.channel.out) - self.taken) for order in self.accept(name)]
        assert Counter(order.amount for order in orders) == Counter(one.amount for one in due)
        by_payout = {row.end_to_end_id: UUID(row.payout_id) for row in self.instructions()}
        for order in orders:
            one = self.book.payments[self.ids.index(by_payout[order.end_to_end_id])]
            assert one.amount == order.amount
            self.book.instructed(one, order.end_to_end_id)

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
        self.hand_in("xml", self.bank.report(order.message, {order.end_to_end_id: word}), death)

    @precondition(lambda self: self.bank.book)
    @rule(places=st.lists(PLACES, min_size=1, max_size=3), is_table=st.booleans(), death=DEATHS)
    def bank_tells_of_some(self, places: list[int], is_table: bool, death: int | None) -> None:
        lines = list(dict.fromkeys(self.bank.book[place % len(self.bank.book)] for place in places))
        if is_table:  # a table cannot say of a line without a name that another channel knows it
            lines = [line for line in lines if line.end_to_end_id is not None]
        if not lines:
            return
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
        assert set(self.bank.accepted.values()) <= {1}, "W1"

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

    def accept(self, name: str) -> list[Order]:
        self.taken.add(name)
        return self.bank.accept(name, self.channel.out[name])

    def hear(self, channel: str, lines: list[Booking]) -> None:
        for line in lines:
            self.book.hear_booked(channel, line.ref, line.amount, line.end_to_end_id)

    def hand_in(self, ending: str, data: bytes, death: int | None) -> None:
        self.files += 1
        name = f"{self.files:04d}.{ending}"
        self.channel.answers[name] = data
        self.work(lambda: take_inbox(self.house.engine, self.channel, self.house.stamp()), death)
        assert self.channel.filed[name] == "done"

    def instructions(self) -> list[Any]:
        return self.house.rows("SELECT end_to_end_id, payout_id FROM v_instruction")

    def unexplained(self) -> list[Any]:
        return self.house.rows(
            "SELECT x.id, l.amount_minor FROM v_exception x JOIN v_statement_line l ON l.id = x.object_id"
            " WHERE x.kind = 'unmatched' AND x.closed_at IS NULL"
        )


SEARCH = (Phase.generate,)
"""Find a play that fails, and do not look for the shortest one."""


def played(
    house: Callable[[], House],
    done_with: Callable[[House], None],
    examples: int,
    steps: int,
    *,
    phases: tuple[Phase, ...] = (Phase.generate, Phase.shrink),
) -> None:
    """Play the machine so often in worlds of its own."""
    machine = type("PaymentsHere", (Payments,), {"a_house": staticmethod(house), "done_with": staticmethod(done_with)})
    run_state_machine_as_test(
        machine,
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


@pytest.mark.parametrize(("examples", "steps"), [(12, 25), pytest.param(2_000, 50, marks=pytest.mark.prove)])
def test_on_sqlite(sqlite_house_template: tuple[Path, House], tmp_path: Path, examples: int, steps: int) -> None:
    played(*on_sqlite(sqlite_house_template, tmp_path), examples, steps)


@pytest.mark.postgres
@pytest.mark.parametrize(("examples", "steps"), [(3, 20), pytest.param(500, 50, marks=pytest.mark.prove)])
def test_on_postgresql(postgres_house_template: tuple[str, House], examples: int, steps: int) -> None:
    address, house = postgres_house_template
    numbers = iter(range(1_000_000))

    def a_house() -> House:
        name = f"machine_{next(numbers)}"
        on_server(address, f"CREATE DATABASE {name} TEMPLATE house")
        return copied(house, make_engine(address.format(name)))

    def done_with(one: House) -> None:
        one.engine.dispose()
        on_server(address, f"DROP DATABASE {one.engine.url.database} WITH (FORCE)")

    played(a_house, done_with, examples, steps)
