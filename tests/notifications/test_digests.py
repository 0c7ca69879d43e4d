"""One mail of the day or week for what is not told at once; each line of an inbox in one of them."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session

from flows.digests import daily, weekly
from models.db import transaction
from models.deliveries import Delivery, Notification
from models.journal import OutboxMessage
from models.states import DeliveryStatus, Frequency, ProjectState, Role
from notifications.digests import Gathered
from notifications.render import Frame, mail
from tests import factories as make
from tests.factories import House
from tests.paid import paid

FRAME = Frame(database_id="d0d0", zone=ZoneInfo("Asia/Shanghai"))
ADDED = {"login": "li", "name": "Li", "page": "", "command": "", "number": "1", "who": "", "note": ""}


def lines(
    house: House, by: str, count: int = 1, *, digest: Frequency = Frequency.DAILY, kind: str = "user.added"
) -> None:
    """Put lines into an inbox that wait for a digest."""
    with transaction(house.engine) as session:
        for _ in range(count):
            message = OutboxMessage(
                kind=kind,
                dedupe_key=make.key(),
                object_type="user",
                object_id=house.people[by].user_id,
                status=DeliveryStatus.SENT,
                created_at=house.now,
            )
            session.add(message)
            session.flush()
            session.add(
                Notification(
                    outbox_id=message.id,
                    user_id=house.people[by].user_id,
                    kind=kind,
                    object_type="user",
                    object_id=house.people[by].user_id,
                    why="person",
                    is_task=False,
                    facts=ADDED,
                    digest=digest,
                    created_at=house.now,
                )
            )


def digests(house: House) -> list[Any]:
    return house.rows("SELECT * FROM delivery WHERE kind LIKE 'digest.%' ORDER BY created_at, recipient")


def facts(row: Any) -> Any:
    return row.facts if isinstance(row.facts, dict) else json.loads(row.facts)


class TestTheDailyDigest:
    def test_takes_each_line_once_and_one_mail_for_each_person(self, each_house: House) -> None:
        lines(each_house, Role.COORDINATOR, 3)
        lines(each_house, Role.PAYER, 2)
        assert daily(each_house.engine, each_house.stamp(), FRAME) == Gathered(digests=2, lines=5)
        assert daily(each_house.engine, each_house.stamp(), FRAME) == Gathered()
        assert [len(facts(row)["items"]) for row in digests(each_house)] == [3, 2]
        assert each_house.one("SELECT count(*) FROM notification WHERE digest_id IS NULL") == 0

    def test_leaves_what_comes_after_it_to_the_next_day(self, house: House) -> None:
        lines(house, Role.COORDINATOR)
        daily(house.engine, house.stamp(), FRAME)
        lines(house, Role.COORDINATOR)
        assert daily(house.engine, house.stamp(), FRAME) == Gathered()
        house.now += timedelta(days=1)
        assert daily(house.engine, house.stamp(), FRAME) == Gathered(digests=1, lines=1)

    def test_leaves_weekly_lines_and_disabled_people_alone(self, house: House) -> None:
        lines(house, Role.COORDINATOR, digest=Frequency.WEEKLY)
        lines(house, "disabled")
        assert daily(house.engine, house.stamp(), FRAME) == Gathered()

    def test_is_not_stopped_by_a_line_that_cannot_be_told(self, house: House) -> None:
        lines(house, Role.COORDINATOR, kind="nobody.knows")
        daily(house.engine, house.stamp(), FRAME)
        (row,) = digests(house)
        assert facts(row)["items"][0]["subject"] == "nobody.knows"


class TestTheWeeklyDigest:
    def test_brings_the_open_projects_to_coordinators(self, each_house: House) -> None:
        make.projects(each_house, 3)
        make.projects(each_house, 1, stage=ProjectState.FEASIBILITY)
        weekly(each_house.engine, each_house.stamp(), FRAME)
        (mine,) = [row for row in digests(each_house) if row.recipient.startswith("coordinator@")]
        charts = {chart["title"]: chart["rows"] for chart in facts(mine)["charts"]}
        assert [(row["text"], row["share"]) for row in charts["在办项目（按阶段）"]] == [("3", 100), ("1", 33)]

    def test_brings_position_and_burn_to_fund_managers(self, house: House) -> None:
        paid(house, *make.agreements(house))
        weekly(house.engine, house.stamp(), FRAME)
        (mine,) = [row for row in digests(house) if row.recipient.startswith("fund_manager@")]
        titles = [chart["title"] for chart in facts(mine)["charts"]]
        assert [title.partition("：")[0] for title in titles] == ["基金头寸", "按月支出"]

    def test_can_be_mailed_with_its_figures_as_text_and_as_bars(self, house: House) -> None:
        make.projects(house, 3)
        weekly(house.engine, house.stamp(), FRAME)
        row = next(one for one in digests(house) if one.recipient.startswith("coordinator@"))
        with Session(house.engine) as session:
            delivery = session.get(Delivery, UUID(row.id))
        sent = mail(delivery, FRAME, sender="pilotway@example.org", at=house.now)
        plain, page = (part.get_content() for part in sent.iter_parts())
        assert "受理: 3" in plain
        assert '<rect width="100" height="12" fill="#0b5cad"/>' in page
