"""PostgreSQL restarted in the middle: nothing is lost, nothing is told twice, and whoever was at work goes on."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from flows.clock import Clockwork, tick
from flows.outbox import GROUP, deliver
from flows.runtime import Sweep, run
from flows.schedules import Schedule, When
from flows.turns import Body, Outcome, Turn
from lifecycle.commands import Command
from lifecycle.people.commands import AddOrganisation
from models.db import make_engine, transaction
from models.migrate import upgrade
from models.ports import SendResult
from models.settings import Settings
from models.states import DeliveryStatus, OrganisationKind
from notifications.channels import EmailChannel, MailInMemory
from tests import postgres
from tests.conftest import skip_or_fail
from tests.delivering import a_courier, deliveries, end_leases, state_of
from tests.factories import House, a_house, key
from tests.witness.mail import mail_sink

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
QUARTERLY = Schedule(id="quarters", when=When(every_minutes=15), reason="")


@pytest.fixture(scope="module")
def own() -> Iterator[tuple[str, House]]:
    """Give a server that nobody else uses, with a world in it."""
    if postgres.programs() is None:
        skip_or_fail(postgres.WHAT_TO_INSTALL)
    with postgres.server() as address:
        engine = make_engine(address.format("postgres"))
        upgrade(engine)
        yield address, a_house(engine)
        engine.dispose()


def restart(address: str) -> None:
    with postgres.away(address):
        pass


class TestWhoDelivers:
    def test_marks_what_was_taken_while_the_database_was_away(self, own: tuple[str, House]) -> None:
        """The server of mail took a mail; before that could be written down, the database went away for a moment."""
        address, house = own
        rows = deliveries(house, *(f"{one}@example.org" for one in range(GROUP + 5)))

        class Cut(MailInMemory):
            def send(self, message: EmailMessage) -> SendResult:
                if len(self.sent) == GROUP - 1:
                    server.enter_context(postgres.away(address))
                    threading.Timer(1.0, server.close).start()
                return super().send(message)

        with ExitStack() as server:
            mailer = Cut()
            done = deliver(house.engine, a_courier(house, mailer=mailer), house.stamp())

        assert (done.sent, done.waiting) == (len(rows), 0)
        assert len(mailer.sent) == len(rows)
        assert {state_of(house, row).attempts for row in rows} == {1}

    def test_loses_none_and_repeats_at_most_a_group_when_it_stays_away(self, own: tuple[str, House]) -> None:
        address, house = own
        rows = deliveries(house, *(f"{one}@example.org" for one in range(30)))
        with mail_sink() as sink:
            courier = a_courier(house, mailer=EmailChannel(url=f"smtp://127.0.0.1:{sink.port}"), lease=timedelta(0))

            def when_one_arrived() -> None:
                sink.arrived.wait(20)
                restart(address)

            cut = threading.Thread(target=when_one_arrived)
            cut.start()
            for _ in range(20):
                try:
                    if not deliver(house.engine, courier, house.stamp()).waiting:
                        break
                except DBAPIError:
                    cut.join()
                    end_leases(house)
            cut.join()

        assert {state_of(house, row).status for row in rows} == {DeliveryStatus.SENT}
        assert len(rows) <= len(sink.mails) <= len(rows) + GROUP
        assert len({mail["Message-ID"] for _, mail in sink.mails}) == len(rows)


class TestTheClock:
    def work(self, house: House, body: Body, lease_seconds: int = 60) -> Clockwork:
        return Clockwork(
            engine=house.engine,
            settings=Settings(db="unused.db", worker="one", lease_seconds=lease_seconds),
            stamp=house.stamp(),
            bodies={"quarters": body},
            schedules=(QUARTERLY,),
        )

    def test_keeps_its_slot_through_a_restart_between_two_statements(self, own: tuple[str, House]) -> None:
        address, house = own

        def through(turn: Turn) -> Outcome:
            restart(address)
            return Outcome(found=1, done=1)

        house.later(minutes=15)
        try:
            tick(self.work(house, Body(run=through)))
        except DBAPIError:
            end_leases(house)
            tick(self.work(house, Body(run=lambda _turn: Outcome(found=1, done=1))))

        found = house.rows("SELECT status, done_count FROM scheduled_run WHERE slot_at = :at", at=house.now)
        assert [tuple(row) for row in found] == [("done", 1)]
        assert house.one("SELECT count(*) FROM claim") == 0

    def test_hands_a_slot_on_that_a_restart_broke_off_in_a_transaction(self, own: tuple[str, House]) -> None:
        """A slot of the morning is not lost for a day, nor is anybody told of a failure that was none of the work's."""
        address, house = own

        def broken(turn: Turn) -> Outcome:
            with transaction(turn.engine) as session:
                session.execute(text("SELECT 1"))
                restart(address)
                session.execute(text("SELECT 1"))
            return Outcome()

        house.later(minutes=15)
        (slot,) = tick(self.work(house, Body(run=broken))).slots
        assert slot.status == "running"
        (again,) = tick(self.work(house, Body(run=lambda _turn: Outcome(done=1)))).slots
        assert (again.run_id, again.status, again.done_count) == (slot.run_id, "done", 1)
        assert house.one("SELECT count(*) FROM outbox_message WHERE kind = 'run.failed'") == 0

    def test_does_once_what_an_outage_cut_in_two(self, own: tuple[str, House]) -> None:
        """A sweep of commands is cut between two chunks: no row of the rest is poison, and the same slot does it."""
        address, house = own
        commands: list[Command] = [
            AddOrganisation(command_id=key(), name=f"cut {number}", kind=OrganisationKind.SME) for number in range(900)
        ]
        server, chunks, ran = ExitStack(), list[int](), list[int]()

        def is_over() -> bool:
            chunks.append(1)
            if len(chunks) == 2:
                server.enter_context(postgres.away(address))
            return False

        def sweep(turn: Turn) -> Outcome:
            cut = Sweep(name="cut", due=lambda _session, _stamp: commands)
            done = run(turn.engine, cut, turn.stamp, is_over=is_over)
            ran.append(done.done)
            return Outcome(done=done.done, failed=done.failed)

        house.later(minutes=15)
        work = self.work(house, Body(run=sweep))
        with server, pytest.raises(DBAPIError):
            tick(work)
        end_leases(house)
        tick(work)

        assert ran == [500]
        assert house.one("SELECT count(*) FROM organisation WHERE name LIKE 'cut %'") == 900
        found = house.rows("SELECT status, failed_count FROM scheduled_run WHERE slot_at = :at", at=house.now)
        assert [tuple(row) for row in found] == [("done", 0)]
