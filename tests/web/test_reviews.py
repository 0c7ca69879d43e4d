"""A gate review in its room: called with a panel, opened, scored and voted, proposed; who steps aside votes no more."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import update

from lifecycle.reviews.commands import CallReview, CancelReview
from models.db import transaction
from models.reading import table_of
from models.reviews import Review
from models.states import Role
from tests.factories import House, ids_of, key, panel, reviews, submitted
from tests.web.browser import Browser


def seat(house: House, name: str, role: str, *competences: str) -> str:
    """Return the choice of the form that stands for a seat."""
    held = "".join(f"&competences={one}" for one in competences)
    return f"user_id={house.people[name].user_id}&role={role}{held}"


class TestCalling:
    @pytest.fixture
    def project(self, house: House) -> str:
        """Give a project that was handed in for its gate."""
        (made,) = submitted(house)
        return str(house.one("SELECT number FROM project WHERE id = :id", id=str(made)))

    def test_names_the_panel_seat_by_seat(self, house: House, signed_in: Callable[..., Browser], project: str) -> None:
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{project}/do/review-call")
        choices = visitor.page.answer.text
        chair = seat(house, "panel_chair", "panel_chair", "technical").replace("&", "&amp;")
        assert chair in choices

        visitor.send(
            "call a review",
            planned_on="2025-07-15",
            **{
                "panel.0.pick": seat(house, "panel_chair", "panel_chair", "technical"),
                "panel.0.is_chair": "yes",
                "panel.0.has_vote": "yes",
                "panel.1.pick": seat(house, "expert", "expert", "technical"),
                "panel.1.has_vote": "yes",
                "panel.2.pick": seat(house, "expert market", "expert", "market"),
                "panel.2.has_vote": "yes",
            },
        )

        assert visitor.page.path.startswith("/receipts/"), visitor.page.text
        assert house.one("SELECT count(*) FROM panel_member WHERE has_vote") == 3
        assert "Review G2 (call 1)" in visitor.open(f"/projects/{project}/gate").text

    def test_keeps_the_seats_that_were_chosen_when_the_panel_is_not_sound(
        self, house: House, signed_in: Callable[..., Browser], project: str
    ) -> None:
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{project}/do/review-call")
        chosen = seat(house, "expert market", "expert", "market")

        page = visitor.send("call a review", planned_on="2025-07-15", **{"panel.0.pick": chosen})

        assert page.status in (409, 422)
        assert f'value="{chosen.replace("&", "&amp;")}" selected' in page.answer.text
        assert house.one("SELECT count(*) FROM review") == 0

    def test_refuses_a_seat_that_no_list_offered(
        self, house: House, signed_in: Callable[..., Browser], project: str
    ) -> None:
        visitor = signed_in("coordinator")
        visitor.open(f"/projects/{project}/do/review-call")

        page = visitor.send("call a review", planned_on="2025-07-15", **{"panel.0.pick": "role=admin&colour=red"})

        assert page.status == 422
        assert house.one("SELECT count(*) FROM review") == 0


class TestTheRoom:
    def test_takes_points_for_every_factor_and_a_vote(self, house: House, signed_in: Callable[..., Browser]) -> None:
        _, (review,) = reviews(house, state="scoring")
        visitor = signed_in("expert")
        assert "Score and vote" in visitor.open("/inbox").text
        visitor.follow("Score and vote")
        visitor.follow("score")

        visitor.send("score", vote="go", **{"points.merit": "8"})

        assert visitor.page.path.startswith("/receipts/"), visitor.page.text
        page = visitor.open(f"/reviews/{review}")
        assert "Merit 8.0 1" in page.text
        assert "1 have voted, 2 needed" in page.text
        assert "Score and vote" not in visitor.open("/inbox").text

    def test_shows_the_weighted_total_and_offers_the_outcome_to_the_chair_that_has_voted(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        _, (begun,) = reviews(house, state="scoring")
        _, (voted,) = reviews(house, state="voted")
        chair = signed_in(Role.PANEL_CHAIR)

        mains = {}
        for one in (begun, voted):
            page = chair.open(f"/reviews/{one}")
            mains[one] = re.findall(r'class="btn pri" href="([^"]+)"', page.answer.text)

        assert mains == {begun: [f"/reviews/{begun}/do/score"], voted: [f"/reviews/{voted}/do/propose"]}
        assert "weighted total 80.0 · needed: total ≥ " in chair.page.text
        assert "加权总分 80.0 · 要求总分 ≥ " in signed_in("panel_chair", lang="zh-CN").open(f"/reviews/{voted}").text
        expert = signed_in("expert").open(f"/reviews/{voted}").answer.text
        assert f'class="btn pri" href="/reviews/{voted}/do/score"' in expert

    def test_is_numbered_over_all_visits_of_its_gate(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (made,), (first,) = reviews(house, state="scoring")
        house.do(CancelReview(command_id=key(), review_id=first, reason="too early"), by=Role.COORDINATOR)
        call = CallReview(command_id=key(), project_id=made, planned_on=house.today, panel=panel(house))
        (second,) = ids_of(house.do(call, by=Role.COORDINATOR))
        table = table_of(Review)
        with transaction(house.engine) as session:  # each visit counts its calls anew: no number of the page is theirs
            session.execute(update(table).where(table.c.id == first).values(call_no=9))
        visitor = signed_in("coordinator")

        titles = [visitor.open(f"/reviews/{one}").title for one in (first, second)]
        gate = visitor.open(f"/projects/{made}/gate").text

        assert ["(call 1)" in titles[0], "(call 2)" in titles[1]] == [True, True]
        assert ("Review G2 (call 1)" in gate, "Review G2 (call 2)" in gate) == (True, True)

    def test_keeps_points_that_are_none(self, house: House, signed_in: Callable[..., Browser]) -> None:
        _, (review,) = reviews(house, state="scoring")
        visitor = signed_in("expert")
        visitor.open(f"/reviews/{review}/do/score")

        page = visitor.send("score", vote="go", **{"points.merit": "eight"})

        assert page.status == 422
        assert ("points.merit", "eight") in page.form("/do/score").fields

    def test_shows_who_stepped_aside_and_what_was_decided(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        _, (review,) = reviews(house, state="proposed")

        page = signed_in("coordinator").open(f"/reviews/{review}")

        assert "Outcome: " in page.text
        assert "as voted" in page.text
        assert "shown publicly from" in page.text
        assert "3 have voted, 2 needed" in page.text

    def test_takes_conditions_row_by_row(self, house: House, signed_in: Callable[..., Browser]) -> None:
        _, (review,) = reviews(house, state="voted")
        visitor = signed_in(Role.PANEL_CHAIR)
        form = visitor.open(f"/reviews/{review}/do/propose")

        assert {"conditions.0.clause", "conditions.0.owner_id", "conditions.0.due_on"} <= form.form("/propose").names

        page = visitor.send("More rows", reason="so far")
        assert "conditions.7.clause" in page.form("/propose").names
        assert ("reason", "so far") in page.form("/propose").fields

    def test_shows_the_panel_the_project_but_not_its_money(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (made,), _ = reviews(house, state="scoring")
        visitor = signed_in("expert")

        page = visitor.open(f"/projects/{made}/money")

        assert visitor.open(f"/projects/{made}/files").status == 200
        assert page.status == 403
        assert "fund manager" in page.text

    @pytest.mark.parametrize("login", ["stranger", "nobody", "other.coordinator"])
    def test_is_closed_to_strangers(self, house: House, signed_in: Callable[..., Browser], login: str) -> None:
        _, (review,) = reviews(house)

        assert signed_in(login).open(f"/reviews/{review}").status == 404
        assert signed_in(login).open(f"/reviews/{UUID(int=1)}").status == 404
