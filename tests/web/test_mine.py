"""The firm's own pages: what happened last, whose approval is to come, how long its fund takes, whom to write to."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from lifecycle.payouts import awaited
from lifecycle.projects.commands import Advance, Recycle, Submit
from lifecycle.reports.steps import DECIDED, STEPS
from lifecycle.requirements.commands import IssueNotice, JudgeRequirement
from lifecycle.reviews.commands import Decide
from models.db import transaction
from models.payouts import Payout
from models.reading import table_of
from models.states import ProjectState, Role
from notifications.words import is_known
from tests.factories import (
    House,
    a_project,
    hand_in,
    key,
    meet_lean_gate,
    name_members,
    projects,
    put_on_hold,
    reviews,
)
from tests.money import a_fund, a_payout, an_agreement
from tests.paying import a_paying_fund, approve
from tests.web.browser import Browser
from tests.web.test_plans import asked_of
from tests.web.test_projects import number

SignedIn = Callable[..., Browser]


class TestAReturn:
    def test_says_why_and_when_and_whose_turn_it_is_by_what_is_open(self, house: House, signed_in: SignedIn) -> None:
        one = a_project(house, stage=ProjectState.FEASIBILITY, pack="lean")
        hand_in(house, one)
        house.do(
            Recycle(command_id=key(), project_id=one, code="other", reason="the drawing is old"), by=Role.COORDINATOR
        )
        visitor = signed_in("project_lead")

        pages = [visitor.open(path).text for path in ("/my", f"/my/{number(house, one)}")]
        meet_lean_gate(house, one)
        hand_in(house, one)
        asked = visitor.open(f"/my/{number(house, one)}").text
        judge = JudgeRequirement(command_id=key(), project_id=one, clause="G2.1", yes=True, reason="read")
        house.do(judge, by=Role.COORDINATOR)
        ready = visitor.open(f"/my/{number(house, one)}").text
        house.do(Submit(command_id=key(), project_id=one), by=Role.PROJECT_LEAD)
        later = visitor.open("/my").text

        why = f"Why it was sent back {house.today}, from Feasibility: the drawing is old"
        assert [why in text for text in (*pages, asked, ready, later)] == [True, True, True, True, False]
        turns = ["Whose turn it is now Yours" in text for text in (*pages, asked, ready, later)]
        assert turns == [True, True, False, True, False]
        assert "Whose turn it is now platform" in asked


class TestTheLastStep:
    def test_has_words_for_all_that_may_be_one(self) -> None:
        said = [*STEPS, DECIDED, "project.judge_requirement.no"]

        assert [one for one in said if not is_known(f"page.my.step.{one}")] == []

    def test_is_told_in_plain_words_with_its_day(self, house: House, signed_in: SignedIn) -> None:
        one = a_project(house, stage=ProjectState.FEASIBILITY, pack="lean")
        visitors = signed_in("project_lead"), signed_in("project_lead", lang="zh-CN")
        judge = JudgeRequirement(command_id=key(), project_id=one, clause="G2.1", yes=False, reason="thin")
        until = house.today + timedelta(days=30)
        back = Recycle(command_id=key(), project_id=one, code="other", reason="thin")
        acts: list[tuple[Callable[[], Any], str, str]] = [
            (lambda: None, "the project was brought in", "项目已导入本系统"),
            (lambda: hand_in(house, one), "“Paper” was handed in", "已提交“文件”"),
            (
                lambda: house.do(judge, by=Role.COORDINATOR),
                "coordinator did not accept “Paper”",
                "项目协调员没有认可“文件”",
            ),
            (
                lambda: house.do(IssueNotice(command_id=key(), project_id=one), by=Role.COORDINATOR),
                "completion notice 1 was issued",
                "发出补正通知第 1 号",
            ),
            (lambda: meet_lean_gate(house, one), "coordinator accepted “Paper”", "项目协调员认可了“文件”"),
            (lambda: house.do(back, by=Role.COORDINATOR), "sent back to Feasibility", "退回“可行性”"),
            (lambda: put_on_hold(house, one), f"put on hold until {until}", f"暂停办理，至 {until}"),
        ]
        day = f"{house.today:%m-%d}"

        for act, *said in acts:
            act()
            for visitor, label, what in zip(visitors, ("The last step", "上一步"), said, strict=True):
                for path in ("/my", f"/my/{number(house, one)}"):
                    assert f"{label} {day} {what} " in visitor.open(path).text

    def test_is_what_its_panel_decided_once_it_has(self, house: House, signed_in: SignedIn) -> None:
        (one,), (review,) = reviews(house, state="proposed")
        house.later(days=10)
        house.do(Decide(command_id=key(), review_id=review), by=Role.PANEL_CHAIR)

        page = signed_in("project_lead").open(f"/my/{number(house, one)}")

        assert "the review decided: Go" in page.text

    def test_is_of_each_project_its_own_and_of_none_a_refused_act(self, house: House, signed_in: SignedIn) -> None:
        early, later = projects(house), projects(house, stage=ProjectState.FEASIBILITY, pack="lean")
        hand_in(house, *later)
        (refused,) = house.ask(Advance(command_id=key(), project_id=later[0], reason="now"), by=Role.PROJECT_LEAD)

        steps = [
            card.partition("</section>")[0]
            for card in signed_in("project_lead").open("/my").answer.text.split("<section")[1:]
        ]

        assert refused.error is not None
        assert [number(house, one) in card for one, card in zip([*early, *later], steps, strict=True)] == [True] * 2
        assert ["was registered" in steps[0], "was handed in" in steps[1]] == [True] * 2


class TestTheMoneyOfAFirm:
    def test_says_how_many_approvals_are_still_to_come_and_no_state(self, house: House, signed_in: SignedIn) -> None:
        paying = a_paying_fund(house, approvers=2)
        (payout,) = paying.requested()
        assert paying.money.project_id is not None
        visitor, one = signed_in("project_lead"), number(house, paying.money.project_id)

        before = [visitor.open(path).text for path in ("/my", f"/my/{one}")]
        house.do(approve(payout), by=Role.FUND_MANAGER)
        between = [visitor.open(path).text for path in ("/my", f"/my/{one}")]
        chinese = signed_in("project_lead", lang="zh-CN").open("/my").text
        house.do(approve(payout), by=Role.FUND_DIRECTOR)
        after = [visitor.open(path).text for path in ("/my", f"/my/{one}")]

        assert ["approvals to come: 2" in text for text in before] == [True] * 2
        assert ["approvals to come: 1" in text for text in between] == [True] * 2
        assert "T1 ¥70.00 · 审批中（还需 1 人批准）" in chinese
        assert ["approved, waits for payment" in text for text in after] == [True] * 2
        assert [text for text in (*before, *between, *after) if "Requested" in text or "usually" in text] == []

    def test_says_how_long_its_fund_takes_once_that_can_be_said(
        self, house: House, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        money = a_fund(house)
        an_agreement(money, tranches=4)
        for place, state in enumerate(("paid", "paid", "paid", "requested")):
            a_payout(money, state, place=place)
        table, days = table_of(Payout), ((7, 8), (1, 11), (8, 18))
        paid = [row.id for row in house.rows("SELECT id FROM payout WHERE state = 'paid'")]
        with transaction(house.engine) as session:
            for one, (complete, booked) in zip(paid, days, strict=True):
                on = {"complete_on": date(2025, 7, complete), "paid_on": date(2025, 7, booked)}
                session.execute(update(table).where(table.c.id == UUID(str(one))).values(on))
        visitor = signed_in("project_lead")

        few = visitor.open("/my").text
        monkeypatch.setattr(awaited, "LEAST", 3)
        enough = visitor.open("/my").text
        with transaction(house.engine) as session:
            session.execute(update(table).where(table.c.id == UUID(str(paid[0]))).values(paid_on=date(2024, 7, 8)))
        long_ago = visitor.open("/my").text

        assert "usually" not in few
        assert "usually" not in long_ago
        assert "usually paid after 8 working days (median of 3 payments of the last year)" in enough  # of 1, 8 and 8

    @pytest.mark.parametrize("login", [*Role, "stranger", "other.coordinator"])
    def test_is_shown_to_exactly_those_who_may_open_it(self, house: House, signed_in: SignedIn, login: str) -> None:
        paying = a_paying_fund(house)
        paying.requested()
        (payout,) = house.rows("SELECT number FROM payout")
        assert paying.money.project_id is not None
        visitor = signed_in(login)

        is_readable = visitor.open(f"/payouts/{payout.number}").status == 200
        page = visitor.open(f"/my/{number(house, paying.money.project_id)}")

        assert (payout.number in page.text) == (is_readable and page.status == 200)


class TestTheContact:
    def test_is_who_was_named_else_who_coordinates_there(self, house: House, signed_in: SignedIn) -> None:
        named, other = projects(house, 2)
        name_members(house, named, roles=(Role.COORDINATOR,))
        visitor = signed_in("project_lead")

        pages = [visitor.open(f"/my/{number(house, one)}") for one in (named, other)]

        told = [[to for _, to in page.links if to.startswith("mailto:")] for page in pages]
        assert told == [
            ["mailto:coordinator@example.org"],
            ["mailto:coordinator@example.org", "mailto:second@example.org"],
        ]


class TestTheCostOfTheList:
    def test_of_what_happened_of_money_and_of_contacts_is_the_same_for_many_as_for_one(
        self, house: House, signed_in: SignedIn
    ) -> None:
        a_paying_fund(house).requested()
        visitor, counts = signed_in("project_lead"), []
        for _ in range(2):
            with asked_of(house) as asked:
                visitor.open("/my")
            of = ("FROM audit_record", "FROM payout", "FROM approval", "role_grant.organisation_id AS key")
            counts.append([sum(table in sql for sql, _ in asked) for table in of])
            projects(house, 8, stage=ProjectState.FEASIBILITY, pack="lean")

        assert counts[0] == counts[1]
        assert all(counts[0][:2])
