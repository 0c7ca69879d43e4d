"""Operations: who sees them, what a request leaves, what a run did, secrets once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from flows.run_log import line
from lifecycle.canonical import instant
from lifecycle.deliveries.commands import AddEndpoint
from models.clock import parse_instant
from models.db import transaction
from models.ids import new_id
from models.journal import OutboxMessage
from models.reading import table_of
from models.runs import ScheduledRun
from models.states import DeliveryStatus, SlotStatus
from notifications.messages import KINDS
from notifications.words import LANGUAGES, Lang, title
from tests.factories import House, key, projects
from tests.web.browser import Browser
from tests.web.conftest import console_of, sign_in

PAGES = ("/ops", "/ops/runs", "/ops/outbox", "/ops/webhooks", "/ops/health")
SECRET = "whsec_c2VjcmV0IG9mIHR3ZW50eSBmb3VyIGJ5dGVzIG9yIHNv"


def a_run(house: House, schedule: str = "stage-deadlines", **values: Any) -> str:
    """Write a row into the book of slots."""
    row = {
        "id": new_id(),
        "schedule_id": schedule,
        "slot_at": house.now,
        "status": SlotStatus.DONE,
        "holder": "here",
        "fence": 1,
        "started_at": house.now,
        "ended_at": house.now,
        "found_count": 2,
        "done_count": 1,
        "refused_count": 0,
        "failed_count": 0,
        "effects": [],
        "why": "",
        **values,
    }
    with transaction(house.engine) as session:
        session.execute(table_of(ScheduledRun).insert(), [row])
    return str(row["id"])


def a_message(house: House, status: DeliveryStatus = DeliveryStatus.GIVEN_UP) -> str:
    """Write a message that did not go out."""
    row = {
        "id": new_id(),
        "kind": "payout.paid",
        "dedupe_key": key(),
        "object_type": "payout",
        "object_id": new_id(),
        "facts": {},
        "status": status,
        "attempts": 10,
        "fence": 0,
        "created_at": house.now,
    }
    with transaction(house.engine) as session:
        session.execute(table_of(OutboxMessage).insert(), [row])
    return str(row["id"])


class TestOperations:
    @pytest.mark.parametrize("path", PAGES)
    def test_are_for_operators_and_say_so(self, signed_in: Callable[..., Browser], path: str) -> None:
        refused = signed_in("coordinator").open(path)

        assert (signed_in("operator").open(path).status, refused.status) == (200, 403)
        assert "operator" in refused.text

    @pytest.mark.parametrize("path", PAGES)
    def test_speak_chinese(self, signed_in: Callable[..., Browser], path: str) -> None:
        assert signed_in("operator", lang="zh-CN").open(path).answer.headers["content-language"] == "zh-CN"

    def test_tell_the_last_run_in_words_of_the_business(self, house: House, signed_in: Callable[..., Browser]) -> None:
        effects = [{"effect": "project.resume", "object_type": "project", "object_id": key(), "ref": "P", "detail": ""}]
        a_run(house, effects=effects * 3)

        assert "resume: 3" in signed_in("operator").open("/ops").text

    def test_say_once_that_something_never_ran(self, signed_in: Callable[..., Browser]) -> None:
        assert signed_in("operator").open("/ops").text.count("pilotway tick") == 1

    def test_shout_about_what_nobody_ran(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("operator")
        assert "nobody ran" not in visitor.open("/ops").text

        a_run(house, status=SlotStatus.MISSED, why="too_late")

        assert "nobody ran 1 slot" in visitor.open("/ops").text

    @pytest.mark.parametrize("path", ["/ops", "/ops/health"])
    @pytest.mark.parametrize(
        ("lang", "said"),
        [
            ("en", "○ backup not set up ○ books not checked yet ○ checkpoint not set up"),
            ("zh-CN", "○ 备份 未设置 ○ 账平 尚未核对 ○ 审计检查点 未设置"),
        ],
    )
    def test_warn_of_what_was_never_set_up_or_checked_and_raise_no_alarm(
        self, signed_in: Callable[..., Browser], path: str, lang: str, said: str
    ) -> None:
        text = signed_in("operator", lang=lang).open(path).text

        assert (said in text, "! " in text) == (True, False)

    def test_raise_an_alarm_where_the_books_do_not_balance(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        a_run(house, "invariants", failed_count=1)
        a_run(house, "backup", refused_count=1, why="backup_dir_missing")

        text = signed_in("operator").open("/ops").text

        assert ("! books" in text, "○ backup not set up" in text) == (True, True)


class TestASchedule:
    def test_asked_for_leaves_a_request_and_runs_nothing(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("operator")
        visitor.open("/ops/schedules/backup/run")

        receipt = visitor.send("ask for a run", reason="before the move")

        assert (receipt.status, receipt.path.startswith("/receipts/")) == (200, True)
        assert house.rows("SELECT schedule_id, reason, taken_at FROM run_request") == [
            ("backup", "before the move", None)
        ]
        assert house.one("SELECT count(*) FROM scheduled_run") == 0
        assert house.one("SELECT count(*) FROM audit_record WHERE action = 'schedule.request'") == 1
        assert "asked for a run" in visitor.open("/ops").text

    def test_is_paused_up_to_a_day_and_resumed(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("operator")
        visitor.open("/ops/schedules/disbursement/pause")

        visitor.send("pause a schedule", reason="the bank is closed", until_on="2025-07-10")

        assert "paused until 2025-07-10 the bank is closed" in visitor.open("/ops").text
        visitor.open("/ops/schedules/disbursement/resume")
        visitor.send("resume a schedule", reason="it is open")
        assert "paused until" not in visitor.open("/ops").text

    def test_keeps_what_was_typed_when_the_day_is_over(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("operator")
        visitor.open("/ops/schedules/backup/pause")

        page = visitor.send("pause a schedule", reason="the disk", until_on="2025-07-01")

        assert (page.status, "2025-07-01 has passed" in page.text) == (409, True)
        assert ("reason", "the disk") in page.form("/pause").fields

    def test_of_no_such_name_is_not_found(self, signed_in: Callable[..., Browser]) -> None:
        assert signed_in("operator").open("/ops/schedules/coffee/run").status == 404

    def test_says_what_a_run_would_find(self, house: House) -> None:
        class Looking:
            def due(self, schedule_id: str) -> int | None:
                return 7 if schedule_id == "outbox" else None

            def foreseen(self, schedule_id: str) -> list[dict[str, Any]] | None:
                stopped = {
                    "effect": "refused",
                    "object_type": "payout",
                    "object_id": "1",
                    "ref": "PO-1",
                    "detail": "role",
                }
                due = {"effect": "reminder.due", "object_type": "requirement", "object_id": "2", "ref": "PT-2025-0020"}
                label = {"zh": "SBT-01 产线", "en": "SBT-01 Line"}
                told: dict[str, list[dict[str, Any]]] = {
                    "disbursement": [{**stopped, "ref": "PO-2025-0007"}],
                    "reminders": [{**due, "label": label, "detail": "2025-11-27 · Ms Ling"}],
                }
                return told.get(schedule_id)

            def findings(self, _lang: str) -> list[dict[str, Any]]:
                return [{"name": "disk", "ok": False, "pending": "", "detail": "full", "remedy": "empty it"}]

        app = console_of(house)
        app.state.house = type(app.state.house)(**{**_fields(app.state.house), "backstage": Looking()})
        with Browser(app) as visitor:
            sign_in(visitor, "operator")
            assert "would find 7" in visitor.open("/ops/schedules/outbox/run").text
            page = visitor.open("/ops/schedules/disbursement/run")
            assert "would find 1 " in page.text
            assert "What it would do" in page.text
            assert "refused payout PO-2025-0007 lacks the role" in page.text
            assert page.link("PO-2025-0007") == "/payouts/PO-2025-0007"
            refused = visitor.send("ask for a run")
            assert (refused.status, "refused payout PO-2025-0007" in refused.text) == (422, True)
            assert "reminder due requirement PT-2025-0020 SBT-01 Line · 2025-11-27" in (
                visitor.open("/ops/schedules/reminders/run").text
            )
            assert "nobody can tell" in visitor.open("/ops/schedules/backup/run").text
            assert "full empty it" in visitor.open("/ops/health").text


def _fields(house: Any) -> dict[str, Any]:
    return {name: getattr(house, name) for name in house.__dataclass_fields__}


class TestARun:
    def test_groups_what_failed_by_cause_and_links_the_projects(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (project,) = projects(house)
        number = house.one("SELECT number FROM project WHERE id = :id", id=str(project))
        one = {"effect": "failed", "object_type": "project", "object_id": str(project), "ref": number, "detail": "busy"}
        run = a_run(house, effects=[one, one], failed_count=2)

        page = signed_in("operator").open(f"/ops/runs/{run}")

        assert "failed ×2" in page.text
        assert page.link(number) == f"/projects/{number}"

    def test_says_what_to_do_about_each_cause(self, house: House, signed_in: Callable[..., Browser]) -> None:
        full = {"effect": "failed", "object_type": "backup", "object_id": None, "ref": "b", "detail": "OSError: full"}
        no = {"effect": "refused", "object_type": "payout", "object_id": None, "ref": "PO-1", "detail": "frozen"}
        run = a_run(house, effects=[full, no, no], failed_count=1, refused_count=2)

        page = signed_in("operator").open(f"/ops/runs/{run}")

        assert "refused ×2 disbursement is stopped" in page.text
        assert "two people let it go on" in page.text
        assert "Check disk space" in page.text
        assert page.link("go there") == "/disbursement/all"

    def test_that_failed_as_a_whole_says_why_and_what_to_do(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        run = a_run(house, status=SlotStatus.FAILED, why="time_limit: 10", failed_count=1)

        text = signed_in("operator").open(f"/ops/runs/{run}").text

        assert "over its limit of minutes: 10" in text
        assert "the next run does the rest" in text

    def test_whose_messages_did_not_arrive_leads_to_the_outbox(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        run = a_run(house, "outbox", failed_count=3)

        page = signed_in("operator").open(f"/ops/runs/{run}")

        assert "3 messages were not delivered" in page.text
        assert page.link("go there") == "/ops/outbox"

    @pytest.mark.parametrize(
        ("lang", "said"), [("en", "here began (attempt 2)"), ("zh-CN", "here 开始运行（第 2 次）")]
    )
    def test_shows_its_log_in_words(
        self, house: House, signed_in: Callable[..., Browser], lang: str, said: str
    ) -> None:
        lines = [line("begun", {"holder": "here", "attempt": 2}, at=house.now)]
        later = {"at": instant(house.now), "ms": 1, "level": "bad", "code": "of_a_later_release", "values": {"n": 1}}
        run = a_run(house, log=[*lines, later])

        text = signed_in("operator", lang=lang).open(f"/ops/runs/{run}").text

        assert said in text
        assert "of_a_later_release" in text

    def test_says_who_asked_for_it(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("operator")
        visitor.open("/ops/schedules/backup/run")
        visitor.send("ask for a run", reason="before the move")
        (asked_at,) = house.rows("SELECT asked_at FROM run_request")[0]
        run = a_run(house, "backup", slot_at=parse_instant(str(asked_at)))

        text = visitor.open(f"/ops/runs/{run}").text

        assert "who asked for it at" in text
        assert "before the move" in text

    @pytest.mark.parametrize(
        ("settings", "link"),
        [
            ({}, None),
            ({"prefect_ui": "https://prefect.example.org/"}, "https://prefect.example.org/runs/flow-run/0193"),
        ],
    )
    def test_leads_to_the_schedulers_own_page_where_one_is_set(
        self, house: House, settings: dict[str, str], link: str | None
    ) -> None:
        run = a_run(house, outside_run="0193")
        app = console_of(house)
        fields = _fields(app.state.house)
        fields["settings"] = fields["settings"].model_copy(update=settings)
        app.state.house = type(app.state.house)(**fields)

        with Browser(app) as visitor:
            sign_in(visitor, "operator")
            page = visitor.open(f"/ops/runs/{run}")

        assert "0193" in page.text
        assert [address for _, address in page.links if "flow-run" in address] == ([link] if link else [])

    def test_is_found_by_its_status(self, house: House, signed_in: Callable[..., Browser]) -> None:
        a_run(house, status=SlotStatus.FAILED, why="OSError: full")
        a_run(house, "backup")
        visitor = signed_in("operator")

        found = visitor.ask("GET", "/ops/runs.json?status=failed").json()["data"]

        assert [row["schedule_id"] for row in found] == ["stage-deadlines"]
        assert visitor.open("/ops/runs?status=nonsense").status == 422

    def test_that_a_later_one_did_the_work_of_are_listed_when_asked_for(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        a_run(house, status=SlotStatus.MERGED)
        visitor = signed_in("operator")

        every, merged = (visitor.ask("GET", f"/ops/runs.json{one}").json()["data"] for one in ("", "?status=merged"))

        assert (len(every), len(merged)) == (0, 1)

    def test_of_an_id_that_nobody_has_is_not_found(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("operator")

        assert [visitor.open(f"/ops/runs/{ref}").status for ref in ("x", str(new_id()))] == [404, 404]

    def test_goes_on_behind_the_last_slot(self, house: House, signed_in: Callable[..., Browser]) -> None:
        for minute in range(52):
            a_run(house, slot_at=datetime(2025, 7, 1, 0, minute, tzinfo=UTC))
        visitor = signed_in("operator")

        visitor.open("/ops/runs")
        second = visitor.follow("Next page").text

        assert ("2025-07-01 08:01" in second, "2025-07-01 08:02" in second) == (True, False)


class TestTheOutbox:
    def test_lets_what_was_given_up_be_tried_again(self, house: House, signed_in: Callable[..., Browser]) -> None:
        message = a_message(house)
        visitor = signed_in("operator")
        visitor.open("/ops/outbox")

        visitor.send("retry", message_ids=[message], reason="the address is right now")

        assert house.one("SELECT status FROM outbox_message WHERE id = :id", id=message) == "waiting"

    def test_says_what_kind_a_message_is_in_words_and_by_its_code(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        message = a_message(house)
        kind = house.one("SELECT kind FROM outbox_message WHERE id = :id", id=message)

        page = signed_in("operator").open("/ops/outbox")

        assert f"{title('kind_of_message', kind, 'en')} {kind}" in page.text

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_has_words_for_every_kind(self, lang: Lang) -> None:
        assert [kind for kind in KINDS if title("kind_of_message", kind, lang) == kind] == []

    def test_drops_nothing_without_a_reason(self, house: House, signed_in: Callable[..., Browser]) -> None:
        message = a_message(house)
        visitor = signed_in("operator")
        visitor.open("/ops/outbox")

        page = visitor.send("drop", message_ids=[message])

        assert (page.status, "Say why" in page.text) == (409, True)
        (form,) = (one for one in page.forms if (one.method, one.action) == ("post", "/ops/outbox"))
        assert ("message_ids", message) in form.fields


class TestAWebhook:
    def test_shows_its_secret_once(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("admin")
        visitor.open("/ops/webhooks/new")

        page = visitor.send("add a webhook", url="https://hooks.example.org/in", types="payout.*")

        secret = house.one("SELECT secret FROM webhook_endpoint")
        assert secret in page.text
        visitor.open("/ops/webhooks")
        assert secret not in visitor.follow("https://hooks.example.org/in").text

    def test_of_a_type_that_no_message_has_is_refused(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("admin")
        visitor.open("/ops/webhooks/new")

        page = visitor.send("add a webhook", url="https://hooks.example.org/in", types="payout.payed")

        assert (page.status, "payout.paid" in page.text) == (422, True)
        assert house.one("SELECT count(*) FROM webhook_endpoint") == 0

    def test_is_tested_disabled_and_given_another_secret(self, house: House, signed_in: Callable[..., Browser]) -> None:
        owner = house.people["admin"].user_id
        house.do(
            AddEndpoint(command_id=key(), url="https://hooks.example.org/in", owner_id=owner, secret=SECRET),
            by="admin",
        )
        visitor, ref = signed_in("admin"), house.one("SELECT id FROM webhook_endpoint")
        visitor.open(f"/webhooks/{ref}/do/rotate")
        shown = visitor.send("rotate the secret of a webhook").text
        assert house.one("SELECT secret FROM webhook_endpoint") in shown
        visitor.open(f"/webhooks/{ref}/do/ping")
        visitor.send("send a test event")
        visitor.open(f"/webhooks/{ref}/do/disable")
        visitor.send("disable a webhook", reason="it moved")

        assert house.one("SELECT status FROM webhook_endpoint") == "disabled"
        assert house.one("SELECT old_secret FROM webhook_endpoint") == SECRET
        assert house.one("SELECT count(*) FROM delivery WHERE kind = 'webhook.pinged'") == 1

    def test_is_nothing_for_others(self, signed_in: Callable[..., Browser]) -> None:
        assert signed_in("operator").open("/ops/webhooks/new").status == 403
        assert signed_in("coordinator").open(f"/webhooks/{new_id()}").status == 404
