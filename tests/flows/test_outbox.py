"""Delivering: each message once, with a log of every try, whoever fails, sleeps or dies meanwhile."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flows.outbox import GROUP, TRIES, WAITS, deliver, wait_of
from lifecycle.chart import compiled
from lifecycle.deliveries.chart import DeliveryChart
from lifecycle.deliveries.commands import DropMessages, Replay, RetryMessages, RotateSecret
from lifecycle.deliveries.rules import PRIVATE
from lifecycle.people.commands import DisableUser
from models.clock import FixedClock
from models.db import make_engine
from models.deliveries import ChatAddress
from models.ports import Said, SendResult, Transient
from models.reading import table_of
from models.states import Channel, DeliveryStatus, Role
from notifications.channels import ChatsInMemory, EmailChannel, MailInMemory, Unreachable
from notifications.webhooks import GONE, HttpsWebhooks, WebhooksInMemory, is_signed
from tests.delivering import (
    SECRET,
    URL,
    a_courier,
    an_endpoint,
    deliveries,
    end_leases,
    passed,
    state_of,
    told,
    tries,
    write_mail,
)
from tests.factories import House, key
from tests.lifecycle.recipes import RECIPES
from tests.witness.mail import mail_sink
from tests.witness.receiver import receiver

ROOT = Path(__file__).parents[2]
OPERATOR = Role.OPERATOR


class TestChart:
    def test_whole_table(self) -> None:
        assert {(state, event): target for (state, event), (target, _) in compiled(DeliveryChart).items()} == {
            ("waiting", "send"): "sent",
            ("waiting", "fail"): "failed",
            ("waiting", "give_up"): "given_up",
            ("waiting", "drop"): "given_up",
            ("failed", "drop"): "given_up",
            ("failed", "retry"): "waiting",
            ("given_up", "retry"): "waiting",
            ("sent", "replay"): "waiting",
            ("failed", "replay"): "waiting",
            ("given_up", "replay"): "waiting",
        }


class TestDeliver:
    def test_sends_each_once_and_writes_it_down(self, each_house: House) -> None:
        mailer = MailInMemory()
        first, second = deliveries(each_house, "a@example.org", "b@example.org")

        done = passed(each_house, a_courier(each_house, mailer=mailer))
        again = passed(each_house, a_courier(each_house, mailer=mailer))

        assert (done.sent, done.waiting, again.sent) == (2, 0, 0)
        assert [mail["To"] for mail in mailer.sent] == ["a@example.org", "b@example.org"]
        row = state_of(each_house, first)
        assert (row.status, row.attempts, row.fence) == (DeliveryStatus.SENT, 1, 1)
        assert tries(each_house, second) == [(1, "accepted", "250 kept")]
        assert each_house.rows("SELECT * FROM v_claim") == []

    def test_leaves_what_is_for_later(self, house: House) -> None:
        (row,) = deliveries(house, "a@example.org", not_before_at=house.now + timedelta(hours=8))

        assert passed(house, a_courier(house)).waiting == 1
        house.later(hours=8)
        assert passed(house, a_courier(house)).sent == 1
        assert state_of(house, row).status == DeliveryStatus.SENT

    def test_stops_for_nobody_who_is_refused(self, house: House) -> None:
        mailer = MailInMemory(answers={"gone@example.org": SendResult(Said.REFUSED, "550 no such user")})
        gone, there = deliveries(house, "gone@example.org", "b@example.org")

        done = passed(house, a_courier(house, mailer=mailer))

        assert (done.failed, done.sent) == (1, 1)
        assert state_of(house, gone).status == DeliveryStatus.FAILED
        assert tries(house, gone) == [(1, "refused", "550 no such user")]
        (message,) = told(house, "delivery.given_up")
        assert message.facts["recipient"] == "gone@example.org"
        assert state_of(house, there).status == DeliveryStatus.SENT

    def test_parks_what_its_template_cannot_write(self, house: House) -> None:
        mailer = MailInMemory()
        broken, whole = deliveries(house, "a@example.org", facts={}) + deliveries(house, "b@example.org")

        done = passed(house, a_courier(house, mailer=mailer))

        assert (done.postponed, done.sent, len(mailer.sent)) == (1, 1, 1)
        assert tries(house, broken) == [(1, "failed", "cannot be written: KeyError: 'text'")]
        assert state_of(house, whole).status == DeliveryStatus.SENT

    def test_goes_on_behind_a_mail_that_no_wire_can_carry(self, house: House) -> None:
        """Whatever a library says of one mail, those before it are marked and those behind it are sent."""

        def write(row: Any) -> EmailMessage:
            mail = write_mail(row)
            if row.recipient == "b@example.org":
                mail.set_payload(7)  # type: ignore[call-overload]
            return mail

        rows = deliveries(house, *(f"{one}@example.org" for one in "abc"))
        with mail_sink() as sink:
            url = f"smtp://127.0.0.1:{sink.port}"
            done = passed(house, a_courier(house, mailer=EmailChannel(url=url), write_mail=write))

        assert (done.sent, done.postponed, len(sink.mails)) == (2, 1, 2)
        assert tries(house, rows[1]) == [(1, "failed", "AttributeError")]

    def test_tells_nothing_to_an_account_that_was_disabled_meanwhile(self, each_house: House) -> None:
        mailer, gone = MailInMemory(), each_house.people["stranger"].user_id
        (row,) = deliveries(each_house, "stranger@example.org", user_id=gone)
        each_house.do(DisableUser(command_id=key(), user_id=gone), by=Role.ADMIN)

        done = passed(each_house, a_courier(each_house, mailer=mailer))

        assert (done.sent, done.waiting, mailer.sent) == (0, 0, [])
        assert state_of(each_house, row).status == DeliveryStatus.FAILED

    def test_asked_to_end_ends_behind_the_one_that_is_being_sent(self, house: House) -> None:
        mailer = MailInMemory()
        deliveries(house, "a@example.org", "b@example.org")
        courier = a_courier(house, mailer=mailer)

        done = deliver(house.engine, courier, house.stamp(), is_over=lambda: bool(mailer.sent))

        assert (done.sent, done.waiting) == (1, 1)
        assert house.rows("SELECT * FROM v_claim") == []
        assert passed(house, courier).sent == 1

    def test_leaves_nothing_waiting_for_a_clock_that_ran_ahead(self, each_house: House) -> None:
        """A machine that believed itself a year ahead put the second try off; its clock is right again."""
        answers: dict[str, Any] = {"a@example.org": Transient("450 later")}
        courier = a_courier(each_house, mailer=MailInMemory(answers=answers))
        deliveries(each_house, "a@example.org")
        each_house.later(days=365)
        assert passed(each_house, courier).postponed == 1
        each_house.later(days=-365)
        answers.clear()

        assert passed(each_house, courier).sent == 1

    def test_repeats_what_nobody_can_be_sure_of_under_the_same_id(self, house: House) -> None:
        with mail_sink() as sink:
            courier = a_courier(house, mailer=EmailChannel(url=f"smtp://127.0.0.1:{sink.port}"))
            sink.hangs_up = True
            (row,) = deliveries(house, "a@example.org")
            assert passed(house, courier).postponed == 1
            sink.hangs_up = False
            house.later(minutes=1)

            assert passed(house, courier).sent == 1

        assert [result for _, result, _ in tries(house, row)] == ["unsure", "accepted"]
        assert len(sink.mails) == 2
        assert len({mail["Message-ID"] for _, mail in sink.mails}) == 1

    def test_asks_a_server_that_is_not_there_once_in_a_pass(self, house: House) -> None:
        asked: list[str] = []

        class Nobody(MailInMemory):
            def send(self, message: EmailMessage) -> SendResult:
                asked.append(message["To"])
                raise Unreachable("ConnectionRefusedError")

        rows = deliveries(house, *(f"{one}@example.org" for one in range(5)))
        chats = ChatsInMemory()

        done = passed(house, a_courier(house, mailer=Nobody(), chats=chats))

        assert (len(asked), done.postponed, done.waiting) == (1, 1, 5)
        assert sum(state_of(house, row).attempts for row in rows) == 1
        assert house.rows("SELECT * FROM v_claim") == []

    def test_tells_a_chat_by_the_address_that_its_owner_gave(self, house: House) -> None:
        chats = ChatsInMemory()
        user = house.people[OPERATOR].user_id
        address = UUID(int=99)
        with house.engine.begin() as connection:
            values = {
                "id": address,
                "user_id": user,
                "channel": Channel.FEISHU,
                "url": "feishu://t",
                "created_at": house.now,
            }
            connection.execute(table_of(ChatAddress).insert().values(**values))
        deliveries(house, str(address), str(UUID(int=98)), channel=Channel.FEISHU)

        done = passed(house, a_courier(house, chats=chats))

        assert chats.posted == [("feishu://t", "project.advanced", "下一步")]
        assert (done.sent, done.failed) == (1, 1)  # the other address was taken away meanwhile


class TestRetryTable:
    def test_is_that_of_the_contract(self) -> None:
        assert [wait.total_seconds() for wait in WAITS] == [
            *(0, 5, 300, 1800),
            *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)),
        ]

    def test_spreads_by_up_to_a_tenth_and_the_same_each_time(self) -> None:
        waits = {wait_of(UUID(int=one), 3, 3) for one in range(50)}

        assert len(waits) > 40
        assert all(WAITS[3] <= wait <= WAITS[3] * 1.1 for wait in waits)
        assert wait_of(UUID(int=1), 3, 3) == wait_of(UUID(int=1), 3, 3)

    def test_ends_after_ten_tries_with_one_task_for_the_operators(self, house: House) -> None:
        courier = a_courier(house, mailer=MailInMemory(answers={"a@example.org": Transient("450 later")}))
        (row,) = deliveries(house, "a@example.org")
        begun = house.now

        waited = []
        for _ in range(TRIES):
            assert state_of(house, row).status == DeliveryStatus.WAITING
            house.now = max(house.now, state_of(house, row).not_before_at)
            waited.append(house.now)
            passed(house, replace(courier, clock=FixedClock(house.now)))

        assert state_of(house, row).status == DeliveryStatus.GIVEN_UP
        assert sum(WAITS, timedelta()) <= waited[-1] - begun <= sum(WAITS, timedelta()) * 1.1
        assert len(told(house, "delivery.given_up")) == 1
        assert len(tries(house, row)) == TRIES

    def test_tells_nothing_of_what_told_of_it(self, house: House) -> None:
        """Operators whose own mail does not arrive are not told of that by mail, for ever."""
        courier = a_courier(house, mailer=MailInMemory(answers={"op@example.org": SendResult(Said.REFUSED, "550")}))
        deliveries(house, "op@example.org", kind="delivery.given_up")

        assert passed(house, courier).failed == 1
        assert len(told(house, "delivery.given_up")) == 1  # the one that could not be delivered


class TestPeople:
    def test_let_it_be_tried_ten_times_more(self, house: House) -> None:
        answers: dict[str, Any] = {"a@example.org": SendResult(Said.REFUSED, "550")}
        courier = a_courier(house, mailer=MailInMemory(answers=answers))
        (row,) = deliveries(house, "a@example.org")
        passed(house, courier)
        operator = house.people[OPERATOR].user_id

        house.do(RetryMessages(command_id=key(), user_id=operator, message_ids=(row,), reason="mended"), by=OPERATOR)
        answers.clear()
        done = passed(house, courier)

        assert (done.sent, state_of(house, row).attempts) == (1, 2)

    def test_drop_what_waits_also_while_a_try_runs(self, house: House) -> None:
        """The try that runs marks nothing: the fence has moved on."""
        (row,) = deliveries(house, "a@example.org")
        operator = house.people[OPERATOR].user_id

        class Slow(MailInMemory):
            def send(self, message: EmailMessage) -> SendResult:
                drop = DropMessages(command_id=key(), user_id=operator, message_ids=(row,), reason="wrong address")
                house.do(drop, by=OPERATOR)
                return super().send(message)

        done = passed(house, a_courier(house, mailer=Slow()))

        assert (done.late, done.sent) == (1, 0)
        assert state_of(house, row).status == DeliveryStatus.GIVEN_UP


class TestWorkers:
    def test_deliver_each_once_when_two_drain_at_once(self, each_house: House) -> None:
        count = 60
        rows = deliveries(each_house, *(f"{one}@example.org" for one in range(count)))
        mailer, start, done = MailInMemory(), threading.Barrier(2), []

        def work(name: str) -> None:
            engine = make_engine(each_house.engine.url)
            start.wait()
            done.append(deliver(engine, a_courier(each_house, mailer=mailer, holder=name), each_house.stamp()))
            engine.dispose()

        workers = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert sorted(mail["To"] for mail in mailer.sent) == sorted(f"{one}@example.org" for one in range(count))
        assert sum(one.sent for one in done) == count
        assert {state_of(each_house, row).attempts for row in rows} == {1}

    def test_keep_a_mail_that_is_long_in_coming_through(self, each_house: House) -> None:
        """The server thinks for longer than a lease; somebody else who comes meanwhile sends nothing."""
        (row,) = deliveries(each_house, "a@example.org")
        with mail_sink() as sink:
            gate = threading.Event()
            sink.gates.append(gate)
            url = f"smtp://127.0.0.1:{sink.port}"
            short = a_courier(each_house, mailer=EmailChannel(url=url), lease=timedelta(seconds=1))
            slow = threading.Thread(target=lambda: passed(each_house, short))
            slow.start()
            sink.arrived.wait(10)
            taken = each_house.one("SELECT until_at FROM claim")
            while slow.is_alive() and each_house.one("SELECT until_at FROM claim") <= taken:
                slow.join(0.1)
            assert passed(each_house, short).sent == 0
            gate.set()
            slow.join()

        assert len(sink.mails) == 1
        assert state_of(each_house, row).status == DeliveryStatus.SENT

    def test_leave_the_rest_to_others_when_half_the_lease_is_over(self, house: House) -> None:
        """Nothing is begun that could end after the claim."""
        deliveries(house, *(f"{one}@example.org" for one in range(3)))

        done = passed(house, a_courier(house, lease=timedelta(0)))

        assert (done.sent, done.late) == (3, 0)
        assert house.one("SELECT max(fence) FROM delivery") > 1

    def test_repeat_under_the_same_id_what_a_killed_one_had_sent(self, each_house: House) -> None:
        (row,) = deliveries(each_house, "a@example.org")
        with mail_sink() as sink, child(each_house, sink.port) as process:
            gate = threading.Event()
            sink.gates.append(gate)
            assert sink.arrived.wait(30)
            process.kill()
            process.wait()
            gate.set()
            courier = a_courier(each_house, mailer=EmailChannel(url=f"smtp://127.0.0.1:{sink.port}"))
            held = passed(each_house, courier)
            end_leases(each_house)
            done = passed(each_house, courier)

        assert (held.sent, held.waiting, done.sent) == (0, 1, 1)
        assert len(sink.mails) == 2
        assert len({mail["Message-ID"] for _, mail in sink.mails}) == 1
        assert (state_of(each_house, row).attempts, state_of(each_house, row).fence) == (1, 2)

    def test_repeat_no_more_than_a_group_of_what_a_killed_one_had_sent(self, each_house: House) -> None:
        count = GROUP + 3
        rows = deliveries(each_house, *(f"{one}@example.org" for one in range(count + 2)))
        with mail_sink() as sink:
            gate = Gate()
            opened = threading.Event()
            opened.set()
            sink.gates += [gate, *[opened] * (count - 1)]
            with child(each_house, sink.port) as process:
                assert gate.reached.wait(30)
                process.kill()
                process.wait()
            gate.set()
            end_leases(each_house)
            passed(each_house, a_courier(each_house, mailer=EmailChannel(url=f"smtp://127.0.0.1:{sink.port}")))

        assert len(rows) < len(sink.mails) <= len(rows) + GROUP
        assert len({mail["Message-ID"] for _, mail in sink.mails}) == len(rows)
        assert {state_of(each_house, row).status for row in rows} == {DeliveryStatus.SENT}

    @pytest.mark.long
    def test_mark_nothing_that_they_slept_over(self, each_house: House) -> None:
        (row,) = deliveries(each_house, "a@example.org")
        with mail_sink() as sink, child(each_house, sink.port) as process:
            gate = threading.Event()
            sink.gates.append(gate)
            assert sink.arrived.wait(30)
            os.kill(process.pid, signal.SIGSTOP)
            end_leases(each_house)
            done = passed(each_house, a_courier(each_house))
            gate.set()
            os.kill(process.pid, signal.SIGCONT)
            said = json.loads(process.communicate(timeout=30)[0].splitlines()[-1])

        assert (done.sent, said["late"], said["sent"]) == (1, 1, 0)
        assert tries(each_house, row) == [(1, "accepted", "250 kept")]


class Gate(threading.Event):
    """A gate of the mail server that says when a mail waits at it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.reached.set()
        return super().wait(timeout)


@contextmanager
def child(house: House, port: int) -> Iterator[subprocess.Popen[str]]:
    """Run a worker of its own that delivers to the mail server at this port."""
    url = house.engine.url.render_as_string(hide_password=False)
    program = [sys.executable, "-m", "tests.flows.deliverer", url, f"smtp://127.0.0.1:{port}", house.now.isoformat()]
    process = subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class TestWebhooks:
    def test_are_signed_by_both_secrets_while_they_change(self, house: House) -> None:
        endpoint = an_endpoint(house)
        new = SECRET.replace("c3Nz", "dHR0")
        house.do(RotateSecret(command_id=key(), webhook_id=endpoint, secret=new), by=Role.ADMIN)
        deliveries(house, str(endpoint), channel=Channel.WEBHOOK)
        webhooks = WebhooksInMemory()

        passed(house, a_courier(house, webhooks=webhooks))

        (call,) = webhooks.posted
        assert is_signed([SECRET], call.headers, call.body)
        assert is_signed([new], call.headers, call.body)
        event = json.loads(call.body)
        assert (event["id"], event["type"]) == (call.headers["webhook-id"], "project.advanced")
        assert event["data"] == {"object_type": "project", "object_id": str(UUID(int=7)), "number": "PT-2025-0001"}

    def test_are_disabled_at_once_by_410(self, house: House) -> None:
        endpoint = an_endpoint(house)
        first, second = deliveries(house, str(endpoint), str(endpoint), channel=Channel.WEBHOOK)
        webhooks = WebhooksInMemory(answers={URL: SendResult(Said.REFUSED, GONE)})

        passed(house, a_courier(house, webhooks=webhooks))

        assert house.one("SELECT status FROM webhook_endpoint") == "disabled"
        assert [state_of(house, one).status for one in (first, second)] == [DeliveryStatus.FAILED] * 2
        (message,) = told(house, "webhook.disabled")
        assert (message.facts["host"], message.facts["detail"]) == ("hooks.example.org", GONE)
        assert len(tries(house, first)) + len(tries(house, second)) == 1

    def test_that_fail_are_left_alone_as_a_whole_and_disabled_at_the_tenth(self, house: House) -> None:
        """Twenty messages in one minute of trouble are one failure, not twenty."""
        endpoint = an_endpoint(house)
        rows = deliveries(house, *[str(endpoint)] * 20, channel=Channel.WEBHOOK)
        webhooks = WebhooksInMemory(answers={URL: Transient("HTTP 500")})

        first = passed(house, a_courier(house, webhooks=webhooks))
        assert (first.postponed, first.waiting) == (1, 20)
        assert min(state_of(house, row).not_before_at for row in rows) > house.now
        passes = 1
        while house.one("SELECT status FROM webhook_endpoint") == "active":
            house.now = min(state_of(house, row).not_before_at for row in rows)
            assert passed(house, a_courier(house, webhooks=webhooks)).postponed <= 1
            passes += 1

        assert passes == TRIES
        assert len(told(house, "webhook.disabled")) == 1

    def test_get_again_what_they_were_told_and_what_they_missed(self, house: House) -> None:
        """Not what is of another kind, and not what waits anyhow."""
        (command,) = RECIPES["webhook.replay"].make(house, 1)
        (answer,) = house.do(command, by=OPERATOR)
        webhooks = WebhooksInMemory()

        passed(house, a_courier(house, webhooks=webhooks))

        assert answer["count"] == 2
        events = [json.loads(call.body) for call in webhooks.posted]
        assert sorted(event["type"] for event in events) == ["payout.paid", "payout.returned"]
        assert {event["id"] for event in events} <= {str(row.id) for row in told(house, "payout.paid")} | {
            str(row.id) for row in told(house, "payout.returned")
        }

    def test_get_nothing_again_that_they_were_never_to_be_told(self, house: House) -> None:
        """What is about people or this house leaves by no webhook, also when a span of time is sent again."""
        endpoint = an_endpoint(house)
        deliveries(house, "a@example.org", kind="user.added")
        deliveries(house, "b@example.org", kind="payout.paid")
        since = house.now - timedelta(minutes=1)
        house.do(Replay(command_id=key(), webhook_id=endpoint, since_at=since), by=Role.ADMIN)
        webhooks = WebhooksInMemory()

        passed(house, a_courier(house, webhooks=webhooks))

        kinds = {json.loads(call.body)["type"] for call in webhooks.posted}
        assert "payout.paid" in kinds
        assert not kinds & PRIVATE

    def test_that_failed_by_a_clock_that_ran_ahead_wait_for_nobody(self, house: House) -> None:
        """The others of the endpoint were put off together with the one that was tried."""
        endpoint = an_endpoint(house)
        deliveries(house, *[str(endpoint)] * 3, channel=Channel.WEBHOOK)
        webhooks = WebhooksInMemory(answers={URL: Transient("HTTP 500")})
        house.later(days=365)
        assert passed(house, a_courier(house, webhooks=webhooks)).waiting == 3
        house.later(days=-365)
        webhooks.answers.clear()

        assert passed(house, a_courier(house, webhooks=webhooks)).sent == 3

    def test_begin_to_count_anew_after_one_that_arrived(self, house: House) -> None:
        endpoint = an_endpoint(house)
        answers: dict[str, Any] = {URL: Transient("HTTP 500")}
        courier = a_courier(house, webhooks=WebhooksInMemory(answers=answers))
        deliveries(house, str(endpoint), channel=Channel.WEBHOOK)
        passed(house, courier)
        assert house.one("SELECT failures FROM webhook_endpoint") == 1
        answers.clear()
        house.later(minutes=1)

        passed(house, courier)

        assert house.one("SELECT failures FROM webhook_endpoint") == 0

    def test_that_lead_inside_are_not_called(self, house: House) -> None:
        with receiver() as inside:
            endpoint = an_endpoint(house, f"http://{inside.place}/")
            (row,) = deliveries(house, str(endpoint), channel=Channel.WEBHOOK)

            done = passed(house, a_courier(house, webhooks=HttpsWebhooks()))

            assert (done.failed, inside.calls) == (1, [])
            assert tries(house, row) == [(1, "refused", "not_https")]

    def test_that_are_silent_keep_no_mail_waiting(self, house: House) -> None:
        with receiver() as silent:
            silent.is_silent = True
            endpoint = an_endpoint(house, f"http://{silent.place}/")
            deliveries(house, *[str(endpoint)] * 3, channel=Channel.WEBHOOK)
            mailer = MailInMemory()
            deliveries(house, "a@example.org")
            webhooks = HttpsWebhooks(allow={silent.place}, total_seconds=0.2)

            done = passed(house, a_courier(house, mailer=mailer, webhooks=webhooks))

        assert (len(silent.calls), done.postponed, done.sent) == (1, 1, 1)
