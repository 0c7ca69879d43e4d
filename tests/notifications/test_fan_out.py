from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update

from flows.telling import CHUNK, _taken_out
from flows.turns import Turn
from lifecycle.deliveries.commands import RetryMessages
from lifecycle.people.commands import Delegate, DisableUser
from lifecycle.projects.commands import Assign
from models.db import run_in_transaction
from models.deliveries import ContactSetting, WebhookEndpoint
from models.ids import new_id
from models.journal import OutboxMessage
from models.reading import table_of
from models.settings import Settings
from models.states import Channel, DeliveryStatus, EndpointStatus, Frequency, Role
from notifications import preferences
from notifications.fan_out import TRIES, Fanned, fan_out, not_before, waiting
from notifications.recipients import Contact
from notifications.render import headline
from notifications.samples import sample_facts
from notifications.words import LANGUAGES
from tests.factories import VOTERS, House, a_project, key, name_members, reviews, submitted
from tests.lifecycle.commands.payout_cases import stand_behind_the_wall
from tests.lifecycle.recipes import RECIPES
from tests.notifications.letters import FRAME


def fan(house: House) -> Fanned:
    return run_in_transaction(
        house.engine, lambda session: fan_out(session, waiting(session, limit=10_000), FRAME, house.stamp())
    )


def told(house: House, kind: str) -> dict[str, str]:
    """Return whom this kind was told to, by login, with why; a star for a task."""
    rows = house.rows(
        "SELECT u.name, n.why, n.is_task FROM notification n JOIN app_user u ON u.id = n.user_id WHERE n.kind = :kind",
        kind=kind,
    )
    return {row.name: row.why + ("*" if row.is_task else "") for row in rows}


def mailed(house: House, kind: str) -> set[str]:
    rows = house.rows("SELECT recipient FROM delivery WHERE kind = :kind AND channel = 'email'", kind=kind)
    return {row.recipient.partition("@")[0].replace(".", " ") for row in rows}


def play(house: House, verb: str, count: int = 1) -> None:
    """Do what leads to a verb, tell of it, and only then do the verb itself."""
    recipe = RECIPES[verb]
    commands = recipe.make(house, count)
    fan(house)
    house.do(*commands, by=recipe.by)


def within(house: House, work: Any) -> Any:
    return run_in_transaction(house.engine, work)


def put_out(house: House, kind: str, object_type: str, object_id: UUID, **facts: Any) -> UUID:
    row = {
        "id": new_id(),
        "kind": kind,
        "dedupe_key": f"{kind}:{key()}",
        "object_type": object_type,
        "object_id": object_id,
        "facts": facts,
        "status": DeliveryStatus.WAITING,
        "attempts": 0,
        "fence": 0,
        "created_at": house.now,
    }
    within(house, lambda session: session.execute(table_of(OutboxMessage).insert().values(**row)))
    return UUID(str(row["id"]))


def _operators_message(house: House, number: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "kind": "run.missed",
        "dedupe_key": f"run.missed:{number}",
        "object_type": "schedule",
        "object_id": new_id(),
        "facts": sample_facts("run.missed"),
        "status": DeliveryStatus.WAITING,
        "attempts": 0,
        "fence": 0,
    }


def a_turn(house: House) -> Turn:
    return Turn(engine=house.engine, settings=Settings(db="unused.db"), stamp=house.stamp(), slot_at=house.now)


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(house.engine, "before_cursor_execute", note)
    yield seen
    event.remove(house.engine, "before_cursor_execute", note)


class TestWhoIsTold:
    def test_the_certifier_has_the_next_step_of_a_request_and_its_maker_is_not_told_of_it(self, house: House) -> None:
        play(house, "payout.request")
        fan(house)

        found = told(house, "payout.requested")
        assert found[Role.CERTIFIER] == "certifier*"
        assert RECIPES["payout.request"].by not in found
        assert mailed(house, "payout.requested") == {Role.CERTIFIER}

    def test_who_certified_is_not_asked_to_approve(self, house: House) -> None:
        play(house, "payout.certify")
        fan(house)

        found = told(house, "payout.certified")
        assert found[Role.FUND_MANAGER] == "fund_manager*"
        assert found[Role.FUND_DIRECTOR] == "fund_director*"
        assert Role.CERTIFIER not in found

    def test_the_payer_has_the_next_step_of_what_is_approved(self, house: House) -> None:
        play(house, "payout.approve")
        fan(house)

        found = told(house, "payout.approved")
        assert found[Role.PAYER] == "payer*"
        assert Role.FUND_MANAGER not in found

    def test_who_has_two_parts_is_told_once_by_the_one_that_asks_more(self, house: House) -> None:
        play(house, "payout.send_back")
        fan(house)
        rows = house.rows("SELECT user_id FROM notification WHERE kind = 'payout.sent_back'")
        assert len({row.user_id for row in rows}) == len(rows)
        assert told(house, "payout.sent_back")[RECIPES["payout.request"].by] == "requester*"

    def test_nobody_is_asked_to_decide_on_a_firm_that_their_own_house_owns(self, house: House) -> None:
        play(house, "payout.request")
        stand_behind_the_wall(house, UUID(house.one("SELECT fund_id FROM v_payout")), Role.CERTIFIER)
        fan(house)
        assert Role.CERTIFIER not in told(house, "payout.requested")

    def test_nobody_of_another_firm_or_platform_is_told(self, house: House) -> None:
        made = submitted(house)
        fan(house)

        assert made
        everybody = set(told(house, "project.submitted"))
        assert {"stranger", "other coordinator", "nobody"} & everybody == set()
        assert Role.COORDINATOR in everybody

    def test_a_disabled_account_is_nobody(self, house: House) -> None:
        submitted(house)
        house.do(DisableUser(command_id=key(), user_id=house.people["second"].user_id))
        fan(house)

        found = told(house, "project.submitted")
        assert Role.COORDINATOR in found
        assert {"second", "disabled"} & set(found) == set()

    def test_all_of_a_role_are_told_until_somebody_is_named(self, house: House) -> None:
        one = a_project(house, pack="lean")
        fan(house)
        assert {Role.COORDINATOR, "second"} <= set(told(house, "project.received"))

        house.do(
            Assign(command_id=key(), project_id=one, user_id=house.people["second"].user_id, role=Role.COORDINATOR),
            by=Role.COORDINATOR,
        )
        put_out(house, "notice.answered", "project", one, number="x", notice=1)
        fan(house)
        assert told(house, "notice.answered").get("second") == "coordinator*"
        assert Role.COORDINATOR not in told(house, "notice.answered")

    def test_being_named_without_the_grant_tells_nothing(self, house: House) -> None:
        one = a_project(house, pack="lean")
        house.do(
            Assign(command_id=key(), project_id=one, user_id=house.people["stranger"].user_id, role=Role.COORDINATOR),
            by=Role.COORDINATOR,
        )
        put_out(house, "notice.answered", "project", one, number="x", notice=1)
        fan(house)
        assert "stranger" not in told(house, "notice.answered")
        assert Role.COORDINATOR in told(house, "notice.answered")

    def test_a_panel_is_called_by_its_seats(self, house: House) -> None:
        reviews(house)
        fan(house)

        found = told(house, "review.called")
        assert {name for name, why in found.items() if why == "panel*"} == set(VOTERS)
        assert found[Role.PROJECT_LEAD] == "project_lead"

    def test_who_stands_in_today_is_told_beside_who_is_away(self, house: House) -> None:
        play(house, "payout.certify")
        lend: dict[str, Any] = {
            "role": Role.FUND_MANAGER,
            "organisation_id": house.parties["funder"],
            "reason": "on leave",
        }
        for name, begin in (("nobody", 0), ("expert finance", 5)):
            days: dict[str, Any] = {
                "from_on": house.today + timedelta(days=begin),
                "until_on": house.today + timedelta(days=9),
            }
            command = Delegate(command_id=key(), user_id=house.people[name].user_id, **lend, **days)
            house.do(command, by=Role.FUND_MANAGER)
        fan(house)

        found = told(house, "payout.certified")
        assert (found["nobody"], found[Role.FUND_MANAGER]) == ("delegate*", "fund_manager*")
        assert "expert finance" not in found

    def test_operators_are_told_of_the_installation_wherever_they_are(self, house: House) -> None:
        put_out(house, "run.failed", "schedule", new_id(), schedule="outbox", slot_at="2026-03-02T01:00:00Z", why="x")
        fan(house)
        assert told(house, "run.failed") == {Role.OPERATOR: "operator*"}

    def test_mails_checkpoints_to_the_auditors(self, house: House) -> None:
        facts = {name: value for name, value in sample_facts("checkpoint.signed").items() if name != "kind"}
        put_out(house, "checkpoint.signed", "checkpoint", new_id(), **facts)
        fan(house)
        assert told(house, "checkpoint.signed") == {Role.AUDITOR: "auditor"}
        assert mailed(house, "checkpoint.signed") == {"auditor"}

    def test_one_person_is_told_what_is_due_for_them(self, house: House) -> None:
        item: dict[str, Any] = {
            "what": "stage_due",
            "number": "PT-1",
            "label": {"zh": "", "en": ""},
            "name": "x",
            "on": "2026-03-02",
        }
        item |= {"working_days_left": 1, "is_provisional": False}
        user = house.people[Role.COORDINATOR].user_id
        put_out(house, "reminder.due", "user", user, items=[item], count=1)
        fan(house)
        assert told(house, "reminder.due") == {Role.COORDINATOR: "person*"}


class TestWhatIsTold:
    def test_a_notice_lists_once_and_completely_what_is_owed(self, house: House) -> None:
        play(house, "notice.issue")
        fan(house)

        (facts,) = within(
            house,
            lambda session: [
                row.facts
                for row in preferences.inbox_of(
                    session, house.people[Role.PROJECT_LEAD].user_id, is_unread_only=True, limit=100
                )
                if row.kind == "notice.issued"
            ],
        )
        assert [one["clause"] for one in facts["items"]] == facts["clauses"] != []
        assert all(one["why"]["zh"] and one["why"]["en"] and one["title"]["zh"] for one in facts["items"])
        assert len(mailed(house, "notice.issued")) >= 1
        assert house.one("SELECT count(*) FROM delivery WHERE kind = 'notice.issued'") == len(
            mailed(house, "notice.issued")
        )

    def test_it_says_who_did_it_and_the_reason_given(self, house: House) -> None:
        play(house, "payout.reject")
        fan(house)
        (row, *_) = house.rows("SELECT facts FROM notification WHERE kind = 'payout.rejected'")
        assert '"who":"fund_manager"' in row.facts.replace(" ", "")
        assert '"note":' in row.facts

    @pytest.mark.parametrize(
        ("kind", "verb", "facts"),
        [
            ("fund.mismatch", "fund.hold", {"bank_minor": 1, "ledger_minor": 2}),
            ("payout.returned", "payout.request", {"number": "PO-1", "amount_minor": 5, "currency": "CNY"}),
            (
                "payout.contradicted",
                "payout.request",
                {"number": "PO-1", "amount_minor": 5, "currency": "CNY", "code": "paid_twice_by_bank"},
            ),
            (
                "payout.approval_given",
                "payout.request",
                {"number": "PO-1", "project": "PT-1", "amount_minor": 5, "currency": "CNY", "given": 1, "needed": 2},
            ),
            (
                "recovery.written_off",
                "recovery.repay",
                {"number": "RC-1", "project": "PT-1", "amount_minor": 5, "currency": "CNY"},
            ),
            (
                "agreement.statement_due",
                "agreement.close",
                {"number": "AG-1", "project": "PT-1", "due_on": "2026-03-02"},
            ),
            ("disbursement.lifted", "disbursement.freeze", {"code": "invariant"}),
        ],
    )
    def test_what_only_a_second_act_tells_can_be_told_too(
        self, house: House, kind: str, verb: str, facts: dict[str, Any]
    ) -> None:
        play(house, verb)
        about = kind.partition(".")[0]
        (row, *_) = house.rows("SELECT object_id FROM outbox_message WHERE object_type = :about", about=about)
        put_out(house, kind, about, UUID(row.object_id), **facts)

        assert fan(house).parked == {}
        assert told(house, kind)


class TestPreferences:
    def wish(self, house: House, name: str, topic: str, frequency: Frequency, channel: Channel = Channel.EMAIL) -> None:
        user = house.people[name].user_id
        within(
            house,
            lambda session: preferences.wish(session, user, channel=channel, topic=topic, frequency=frequency),
        )

    def digest(self, house: House, kind: str, name: str) -> str:
        sql = (
            "SELECT n.digest FROM notification n JOIN app_user u ON u.id = n.user_id WHERE n.kind = :k AND u.name = :n"
        )
        return str(house.one(sql, k=kind, n=name))

    def test_what_one_only_knows_waits_for_the_digest(self, house: House) -> None:
        play(house, "trial_batch.close")
        fan(house)
        assert self.digest(house, "trial_batch.closed", Role.COORDINATOR) == "daily"
        assert mailed(house, "trial_batch.closed") == set()

    @pytest.mark.parametrize(
        ("topic", "frequency", "is_mailed"),
        [
            ("payout", Frequency.NEVER, False),
            ("payout", Frequency.WEEKLY, False),
            ("*", Frequency.DAILY, False),
            ("project", Frequency.NEVER, True),
        ],
    )
    def test_a_wish_holds_for_its_topic_only(
        self, house: House, topic: str, frequency: Frequency, is_mailed: bool
    ) -> None:
        self.wish(house, Role.CERTIFIER, topic, frequency)
        play(house, "payout.request")
        fan(house)
        assert (Role.CERTIFIER in mailed(house, "payout.requested")) is is_mailed
        assert told(house, "payout.requested")[Role.CERTIFIER] == "certifier*"  # the inbox has it all the same
        if not is_mailed:
            assert self.digest(house, "payout.requested", Role.CERTIFIER) == frequency

    def test_the_topic_itself_goes_before_all_others(self, house: House) -> None:
        self.wish(house, Role.CERTIFIER, "*", Frequency.NEVER)
        self.wish(house, Role.CERTIFIER, "payout", Frequency.IMMEDIATE)
        play(house, "payout.request")
        fan(house)
        assert Role.CERTIFIER in mailed(house, "payout.requested")

    def test_a_chat_robot_is_told_by_the_id_of_its_address(self, house: House) -> None:
        user, secret = house.people[Role.CERTIFIER].user_id, "wecombot://secret-key"
        within(
            house,
            lambda session: preferences.add_address(
                session, user, channel=Channel.WECOM, url=secret, now=house.now, address_id=new_id()
            ),
        )
        play(house, "payout.request")
        fan(house)
        (row,) = house.rows("SELECT * FROM delivery WHERE channel = 'wecom' AND kind = 'payout.requested'")
        assert row.recipient == house.one("SELECT id FROM chat_address")
        assert "secret" not in str(tuple(row))

    def test_quiet_hours_hold_the_mail_back_and_not_the_inbox(self, house: House) -> None:
        user = house.people[Role.CERTIFIER].user_id
        local = house.now.astimezone(FRAME.zone)
        hours = tuple(f"{(local + timedelta(hours=by)):%H:%M}" for by in (-1, 2))
        within(house, lambda session: preferences.set_quiet_hours(session, user, (hours[0], hours[1])))
        play(house, "payout.request")
        fan(house)
        (row,) = house.rows(
            "SELECT d.not_before_at, n.created_at FROM delivery d JOIN notification n ON n.user_id = d.user_id"
            " AND n.outbox_id = d.outbox_id WHERE d.kind = 'payout.requested' AND d.user_id = :user",
            user=str(user),
        )
        assert datetime.fromisoformat(row.not_before_at) - datetime.fromisoformat(row.created_at) > timedelta(
            hours=1, minutes=58
        )


class TestWebhooks:
    def endpoint(self, house: House, *types: str, status: EndpointStatus = EndpointStatus.ACTIVE) -> None:
        row = {
            "id": new_id(),
            "version": 1,
            "audit_seq": 0,
            "audit_head": "0" * 64,
            "url": f"https://hooks.example.org/{key()}",
            "types": list(types),
            "secret": "whsec_x",
            "status": status,
            "failures": 0,
            "owner_id": house.people[Role.ADMIN].user_id,
            "created_at": house.now,
        }
        within(house, lambda session: session.execute(table_of(WebhookEndpoint).insert().values(**row)))

    @pytest.mark.parametrize(
        ("types", "count"), [((), 1), (("payout.*",), 1), (("payout.requested",), 1), (("payout.paid", "fund.*"), 0)]
    )
    def test_an_endpoint_is_told_of_the_kinds_that_it_named(
        self, house: House, types: tuple[str, ...], count: int
    ) -> None:
        play(house, "payout.request")
        self.endpoint(house, *types)
        fan(house)
        assert house.one("SELECT count(*) FROM delivery WHERE channel = 'webhook'") == count

    def test_a_disabled_one_is_told_nothing_and_what_is_about_people_leaves_by_no_webhook(self, house: House) -> None:
        play(house, "user.delegate")
        self.endpoint(house)
        self.endpoint(house, status=EndpointStatus.DISABLED)
        fan(house)
        assert house.one("SELECT count(*) FROM delivery WHERE channel = 'webhook'") == 0

    def test_it_is_told_little(self, house: House) -> None:
        play(house, "payout.request")
        self.endpoint(house)
        fan(house)
        facts = house.one("SELECT facts FROM delivery WHERE channel = 'webhook'")
        assert '"number"' in facts
        assert "amount" not in facts


class TestARepeat:
    def test_adds_nothing(self, each_house: House) -> None:
        house = each_house
        submitted(house)
        fan(house)
        before = [house.one(f"SELECT count(*) FROM {table}") for table in ("notification", "delivery")]
        again = update(table_of(OutboxMessage)).values(status=DeliveryStatus.WAITING)
        within(house, lambda session: session.execute(again))

        fan(house)

        assert [house.one(f"SELECT count(*) FROM {table}") for table in ("notification", "delivery")] == before
        assert house.one("SELECT count(*) FROM v_outbox WHERE status <> 'sent'") == 0

    def test_has_the_same_message_id(self, house: House) -> None:
        submitted(house)
        fan(house)
        first = sorted(row.message_id for row in house.rows("SELECT message_id FROM delivery"))
        assert len(set(first)) == len(first) > 0
        assert all(one.endswith("@d0d0.pilotway>") for one in first)


class TestWhatCannotBeTold:
    def test_is_parked_and_holds_nobody_back(self, house: House) -> None:
        submitted(house)
        strange = put_out(house, "payout.dreamt", "payout", new_id())
        broken = put_out(house, "run.failed", "schedule", new_id(), schedule="outbox")

        done = fan(house)

        assert set(done.parked) == {strange, broken}
        assert "slot_at" in done.parked[broken]
        assert told(house, "project.submitted")
        assert told(house, "run.failed") == {}
        assert house.one("SELECT status FROM v_outbox WHERE id = :id", id=str(broken)) == "failed"

    def test_is_given_up_at_the_tenth_try_and_becomes_a_task_of_the_operator(self, house: House) -> None:
        fan(house)
        broken = put_out(house, "run.failed", "schedule", new_id(), schedule="outbox")
        for _ in range(TRIES - 1):
            fan(house)
        assert told(house, "delivery.given_up") == {}

        fan(house)
        fan(house)

        row = house.rows("SELECT status, attempts FROM v_outbox WHERE id = :id", id=str(broken))[0]
        assert tuple(row) == ("given_up", TRIES)
        assert told(house, "delivery.given_up") == {Role.OPERATOR: "operator*"}
        assert house.one("SELECT count(*) FROM v_outbox WHERE kind = 'delivery.given_up'") == 1

    def test_is_tried_ten_times_more_when_people_say_so_and_told_again(self, house: House) -> None:
        broken = put_out(house, "run.failed", "schedule", new_id(), schedule="outbox")
        for _ in range(TRIES):
            fan(house)
        operator = house.people[Role.OPERATOR].user_id
        retry = RetryMessages(command_id=key(), user_id=operator, message_ids=(broken,), reason="mended")
        house.do(retry, by=Role.OPERATOR)

        states = []
        for _ in range(TRIES):
            fan(house)
            states.append(house.one("SELECT status FROM v_outbox WHERE id = :id", id=str(broken)))

        assert states == ["failed"] * (TRIES - 1) + ["given_up"]
        assert house.one("SELECT count(*) FROM v_outbox WHERE kind = 'delivery.given_up'") == 2

    def test_is_tried_once_in_a_pass_however_many_messages_wait(self, house: House) -> None:
        fan(house)
        broken = put_out(house, "run.failed", "schedule", new_id(), schedule="outbox")
        house.later(seconds=1)
        rows = [{**_operators_message(house, number), "created_at": house.now} for number in range(2 * CHUNK)]
        within(house, lambda session: session.execute(table_of(OutboxMessage).insert(), rows))

        done = _taken_out(a_turn(house))

        assert (done.sent, len(done.parked)) == (2 * CHUNK, 1)
        assert house.one("SELECT attempts FROM v_outbox WHERE id = :id", id=str(broken)) == 1

    def test_for_whatever_reason_stops_no_other(self, house: House) -> None:
        """A row that no command of ours would write, as after a repair by hand."""
        user_id = house.people[Role.OPERATOR].user_id
        wrong = {"user_id": user_id, "quiet_from": "25:00", "quiet_until": "08:00"}
        within(house, lambda session: session.execute(table_of(ContactSetting).insert().values(**wrong)))
        missed = {**_operators_message(house, 1), "created_at": house.now}
        within(house, lambda session: session.execute(table_of(OutboxMessage).insert().values(**missed)))
        submitted(house)

        assert missed["id"] in fan(house).parked
        assert told(house, "project.submitted")

    def test_whose_object_is_gone_is_parked_too(self, house: House) -> None:
        gone = put_out(house, "project.judged", "project", new_id(), number="x", clause="G1.1", yes=True)
        assert set(fan(house).parked) == {gone}


class TestStatements:
    def test_do_not_grow_with_the_messages(self, house: House) -> None:
        counts = []
        fan(house)
        for count in (1, 4):
            name_members(house, *submitted(house, count))
            fan_before = house.one("SELECT count(*) FROM v_outbox WHERE status = 'waiting'")
            with statements(house) as seen:
                fan(house)
            counts.append((fan_before, len(seen)))
        (few, small), (many, large) = counts
        assert many > few
        assert small == large <= 40


def a_contact(begin: str | None, end: str | None, zone: str | None = None) -> Contact:
    someone = new_id()
    return Contact(
        user_id=someone,
        person_id=someone,
        name="x",
        email="x@example.org",
        language="en",
        timezone=zone,
        quiet_from=begin,
        quiet_until=end,
    )


SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), "Europe/Berlin"


class TestQuietHours:
    @pytest.mark.parametrize(
        ("begin", "end", "now", "told_at"),
        [
            ("22:00", "08:00", "2026-03-02T21:59", "2026-03-02T21:59"),
            ("22:00", "08:00", "2026-03-02T22:00", "2026-03-03T08:00"),
            ("22:00", "08:00", "2026-03-02T23:30", "2026-03-03T08:00"),
            ("22:00", "08:00", "2026-03-03T00:00", "2026-03-03T08:00"),
            ("22:00", "08:00", "2026-03-03T07:59", "2026-03-03T08:00"),
            ("22:00", "08:00", "2026-03-03T08:00", "2026-03-03T08:00"),
            ("12:00", "14:00", "2026-03-03T13:00", "2026-03-03T14:00"),
            ("12:00", "14:00", "2026-03-03T14:00", "2026-03-03T14:00"),
            ("22:00", "00:00", "2026-02-28T23:00", "2026-03-01T00:00"),
            ("22:00", "08:00", "2028-02-28T23:00", "2028-02-29T08:00"),
        ],
    )
    def test_end_on_the_clock_of_the_place(self, begin: str, end: str, now: str, told_at: str) -> None:
        at = datetime.fromisoformat(now).replace(tzinfo=SHANGHAI).astimezone(UTC)
        said = not_before(a_contact(begin, end), SHANGHAI, at)
        assert said.astimezone(SHANGHAI).replace(tzinfo=None) == datetime.fromisoformat(told_at)

    def test_follow_the_person_and_not_the_installation(self) -> None:
        now = datetime(2026, 1, 15, 0, 30, tzinfo=UTC)  # half past eight in Shanghai, half past one in Berlin
        assert not_before(a_contact("22:00", "08:00"), SHANGHAI, now) == now
        assert not_before(a_contact("22:00", "08:00", BERLIN), SHANGHAI, now) == datetime(2026, 1, 15, 7, tzinfo=UTC)

    def test_of_a_place_that_this_machine_does_not_know_follow_the_installation(self) -> None:
        """The tables of zones of two machines differ: Europe/Kyiv was Europe/Kiev."""
        now = datetime(2026, 1, 15, 15, tzinfo=UTC)
        person = a_contact("22:00", "08:00", "Europe/Atlantis")
        assert not_before(person, SHANGHAI, now) == datetime(2026, 1, 16, tzinfo=UTC)

    def test_without_any_there_is_no_waiting(self) -> None:
        now = datetime(2026, 1, 15, 18, tzinfo=UTC)
        assert not_before(a_contact(None, None), SHANGHAI, now) == now

    @pytest.mark.parametrize(
        ("now", "told_at"),
        [
            (datetime(2026, 3, 28, 22, 0, tzinfo=UTC), datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),  # an hour shorter
            (datetime(2026, 10, 24, 21, 0, tzinfo=UTC), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),  # an hour longer
        ],
    )
    def test_end_at_eight_in_the_nights_when_the_clock_is_changed(self, now: datetime, told_at: datetime) -> None:
        assert not_before(a_contact("22:00", "08:00", BERLIN), SHANGHAI, now) == told_at

    def test_that_end_in_the_hour_left_out_end_after_it(self) -> None:
        now = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
        assert not_before(a_contact("22:00", "02:30", BERLIN), SHANGHAI, now) == datetime(
            2026, 3, 29, 1, 30, tzinfo=UTC
        )

    def test_that_end_in_the_hour_that_comes_twice_end_when_it_comes_last(self) -> None:
        for now in (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 10, tzinfo=UTC)):
            end = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
            assert not_before(a_contact("22:00", "02:30", BERLIN), SHANGHAI, now) == end


def test_a_line_of_the_inbox_reads_in_either_language(house: House) -> None:
    submitted(house)
    fan(house)
    user = house.people[Role.COORDINATOR].user_id
    line = within(house, lambda session: preferences.inbox_of(session, user, is_unread_only=True, limit=1))[0]
    zh, en = (headline(line.kind, line.facts, lang, FRAME) for lang in LANGUAGES)
    assert zh != en
