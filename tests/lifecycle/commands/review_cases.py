"""Refusals of calling a panel and of everything that happens in a review."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from lifecycle.people.commands import AddUser, GrantRole
from lifecycle.projects.commands import AcceptTransfer, Stop, Submit, Transfer
from lifecycle.requirements.commands import ReopenRequirement
from lifecycle.reviews import commands as review
from lifecycle.reviews.panel import Seat
from lifecycle.standards import library
from models.states import Competence, GateOutcome, ProjectState, Role
from tests.factories import VOTERS, House, a_project, ids_of, key, name_members, panel, put_on_hold, reviews, submitted
from tests.lifecycle.commands.refusals import again, done, made, on, refused, wrong

NOWHERE = UUID(int=5)
CHAIR, EXPERT, MARKET = VOTERS
HOLD, GO = GateOutcome.HOLD, GateOutcome.GO


def seats(change: Callable[[House, tuple[Seat, ...]], tuple[Seat, ...]]) -> Callable[[House], tuple[Seat, ...]]:
    """Return a panel that differs from the sound one."""
    return lambda house: change(house, panel(house))


wrong("review.call", "planned_day_past", planned_on=lambda house: house.today - timedelta(days=1))
wrong("review.call", "panel_size", panel=seats(lambda _house, sound: (sound[0], able(sound[1]))))
wrong(
    "review.call", "panel_one_chair", panel=seats(lambda _house, sound: (replace(sound[0], is_chair=False), *sound[1:]))
)
wrong(
    "review.call",
    "panel_competence_missing",
    panel=seats(lambda _house, sound: (*sound[:2], replace(sound[2], competences=()))),
)
wrong(
    "review.call",
    "competence_not_held",
    panel=seats(lambda _house, sound: (*sound[:2], able(sound[2]))),
)
wrong(
    "review.call", "panel_names_twice", panel=seats(lambda _house, sound: (*sound, replace(sound[1], has_vote=False)))
)
wrong(
    "review.call",
    "panel_person_unknown",
    panel=seats(lambda house, sound: (*sound, guest(house, "disabled"))),
)
wrong(
    "review.call",
    "conflict_of_interest",
    panel=seats(lambda house, sound: (*sound, guest(house, Role.LAB_LEAD))),
)
wrong(
    "review.call",
    "role_not_held",
    panel=seats(lambda house, sound: (*sound, guest(house, "nobody"))),
)
wrong(
    "review.call",
    "panel_role_without_vote",
    panel=seats(lambda house, sound: (*sound[:2], *outsiders(house))),
)
wrong("review.recuse", "reason_missing", reason="")
wrong("review.recuse", "not_in_panel", by=Role.LAB_LEAD)
wrong("review.score", "score_factors", points=())
wrong("review.score", "score_factors", points=(("merit", 7), ("merit", 8)))
wrong("review.score", "score_factors", points=(("merit", 7), ("colour", 8)))
wrong("review.score", "score_range", points=(("merit", 11),))
wrong("review.score", "not_in_panel", by=Role.QUALITY_ENGINEER)
wrong("review.propose", "vote_says_otherwise", outcome=GateOutcome.STOP)
wrong("review.propose", "reason_missing", reason="")
wrong("review.propose", "role", by=EXPERT)
wrong("review.propose", "conditions_only_conditional", conditions=lambda house: (debt(house),))
wrong(
    "review.propose",
    "user_not_found",
    "conditions_only_conditional",
    conditions=lambda house: (debt(house, owner_id=NOWHERE),),
)
wrong("review.decide", "role", by=EXPERT)
wrong("review.object", "notice_not_running", review_id=lambda house: reviews(house, state="proposed")[1][0])
wrong("review.answer_objection", "objection_not_open", objection_id=NOWHERE)
wrong("review.answer_objection", "reason_missing", answer=" ")
wrong("review.reopen", "reason_missing", reason="")
wrong("review.cancel", "reason_missing", reason="")


def able(seat: Seat) -> Seat:
    """Return the seat with every competence."""
    return replace(seat, competences=tuple(Competence))


def guest(house: House, name: str) -> Seat:
    return Seat(user_id=house.people[name].user_id, role=Role.LAB_LEAD, has_vote=False)


def outsiders(house: House) -> tuple[Seat, ...]:
    """Return voting seats of a market expert and of two whom the gate does not ask for."""
    market = Seat(user_id=house.people[MARKET].user_id, role=Role.EXPERT, competences=(Competence.MARKET,))
    manager = Seat(user_id=house.people[Role.FUND_MANAGER].user_id, role=Role.FUND_MANAGER)
    return market, manager, Seat(user_id=house.people["other coordinator"].user_id, role=Role.COORDINATOR)


def debt(house: House, **more: Any) -> review.ConditionItem:
    """Return a sound condition of the lean standard."""
    owner, due = house.people[Role.PROJECT_LEAD].user_id, house.today + timedelta(days=20)
    return review.ConditionItem(**{"clause": "G2.2", "owner_id": owner, "due_on": due, "note": "the lead", **more})


def second_account(house: House, person_id: UUID) -> Seat:
    """Return the seat of a second account of a human, who runs a laboratory elsewhere under it."""
    account = AddUser(command_id=key(), login="other", email="o@example.org", name="x", person_id=person_id)
    (user,) = ids_of(house.do(account))
    elsewhere = house.parties["other platform"]
    house.do(GrantRole(command_id=key(), user_id=user, role=Role.LAB_LEAD, organisation_id=elsewhere))
    return Seat(user_id=user, role=Role.LAB_LEAD, has_vote=False)


@refused("review.call", "conflict_of_interest")
def _a_second_account_of_a_party(house: House) -> Any:
    """The human counts, not the account."""
    other = second_account(house, house.people[Role.PROJECT_LEAD].person_id)
    return made(house, "review.call", panel=(*panel(house), other))


@refused("review.call", "panel_names_twice")
def _a_second_account_of_a_member(house: House) -> Any:
    return made(house, "review.call", panel=(*panel(house), second_account(house, house.people[EXPERT].person_id)))


@refused("review.call", "call_not_possible_when_in_review")
def _called_twice(house: House) -> Any:
    return again("review.call", done(house, "review.call"))


@refused("review.call", "no_panel_at_this_gate")
def _where_no_panel_is_asked(house: House) -> Any:
    submit = done(house, "project.submit")
    return on(review.CallReview, submit.project_id, planned_on=house.today, panel=())


@refused("review.call", "panel_one_expert")
def _more_than_the_one_expert(house: House) -> Any:
    one = a_project(house, pack="lean")
    house.do(on(Submit, one), by=Role.PROJECT_LEAD)
    return on(review.CallReview, one, planned_on=house.today, panel=panel(house))


@refused("review.call", "panel_role_missing")
def _a_seat_that_the_standard_asks_for(house: House) -> Any:
    one = a_project(house, stage=ProjectState.HANDOFF, pack="default")
    house.do(on(Submit, one), by=Role.PROJECT_LEAD)
    chair, expert, market = panel(house)
    complete = (able(chair), able(expert))
    return on(review.CallReview, one, planned_on=house.today, panel=(*complete, market))


@refused("review.call", "stage_not_submitted")
def _before_it_was_handed_in(house: House) -> Any:
    one = a_project(house, stage=ProjectState.FEASIBILITY, pack="lean")
    return on(review.CallReview, one, planned_on=house.today, panel=panel(house))


@refused("review.call", "project_on_hold")
def _called_on_hold(house: House) -> Any:
    (one,) = submitted(house)
    put_on_hold(house, one)
    return on(review.CallReview, one, planned_on=house.today, panel=panel(house))


def _on_hold(verb: str, by: str) -> None:
    def arrange(house: House) -> Any:
        command = made(house, verb)
        project = house.one(f"SELECT project_id FROM v_review WHERE id = '{command.review_id}'")
        put_on_hold(house, UUID(project))
        return replace(command)

    arrange.__name__ = "on hold"
    refused(verb, "project_on_hold", by=by)(arrange)


def _ended(verb: str, by: str, *codes: str) -> None:
    def arrange(house: House) -> Any:
        command = made(house, verb)
        project = house.one(f"SELECT project_id FROM v_review WHERE id = '{command.review_id}'")
        house.do(on(Stop, UUID(project), code="other", reason="no money"), by=Role.FUND_MANAGER)
        return replace(command)

    arrange.__name__ = "its project has ended"
    refused(verb, *codes, "project_ended", by=by)(arrange)


ON_HOLD = {"review.open": CHAIR, "review.score": EXPERT, "review.propose": CHAIR, "review.decide": CHAIR}
for _verb, _by in ON_HOLD.items():
    _on_hold(_verb, _by)
for _verb, _by in (
    ("review.open", CHAIR),
    ("review.recuse", EXPERT),
    ("review.score", EXPERT),
    ("review.propose", CHAIR),
    ("review.decide", CHAIR),
    ("review.reopen", CHAIR),
    ("review.object", Role.PROJECT_LEAD),
    ("review.answer_objection", CHAIR),
):
    _ended(_verb, _by)


@refused("review.open", "quorum_missing")
def _too_few_are_left(house: House) -> Any:
    (one,) = reviews(house)[1]
    for voter in (EXPERT, MARKET):
        house.do(on(review.Recuse, one, reason="conflict"), by=voter)
    return on(review.OpenReview, one)


@refused("review.score", "not_found", by=EXPERT)
def _recused_and_out_of_reach(house: House) -> Any:
    command = made(house, "review.score")
    house.do(on(review.Recuse, command.review_id, reason="conflict"), by=EXPERT)
    return replace(command)


@refused("review.score", "conflict_of_interest", by=EXPERT)
def _recused_but_named_for_the_project(house: House) -> Any:
    command = made(house, "review.score")
    project = house.one(f"SELECT project_id FROM v_review WHERE id = '{command.review_id}'")
    name_members(house, UUID(project))
    house.do(on(review.Recuse, command.review_id, reason="conflict"), by=EXPERT)
    return replace(command)


@refused("review.score", "no_vote", by="expert finance")
def _a_guest(house: House) -> Any:
    (one,) = submitted(house)
    seat = Seat(user_id=house.people["expert finance"].user_id, role=Role.EXPERT, has_vote=False)
    call = on(review.CallReview, one, planned_on=house.today, panel=(*panel(house), seat))
    (called,) = ids_of(house.do(call, by=Role.COORDINATOR))
    house.do(on(review.OpenReview, called), by=CHAIR)
    return on(review.GiveScore, called, points=(("merit", 7),), vote=GO)


@refused("review.score", "score_not_possible_when_called")
def _before_it_was_opened(house: House) -> Any:
    return on(review.GiveScore, reviews(house)[1][0], points=(("merit", 7),), vote=GO)


@refused("review.score", "outcome_not_at_this_gate")
def _a_vote_that_the_gate_does_not_know(house: House) -> Any:
    one = a_project(house, stage=ProjectState.MARKET_VALIDATION, pack="default")
    house.do(on(Submit, one), by=Role.PROJECT_LEAD)
    chair, expert, _ = panel(house)
    customer = Seat(user_id=house.people[Role.CUSTOMER_REP].user_id, role=Role.CUSTOMER_REP)
    call = on(review.CallReview, one, planned_on=house.today, panel=(able(chair), able(expert), customer))
    (called,) = ids_of(house.do(call, by=Role.COORDINATOR))
    house.do(on(review.OpenReview, called), by=CHAIR)
    factors = library.default().stage(ProjectState.MARKET_VALIDATION).score.factors
    points = tuple((factor.id, 7) for factor in factors)
    return on(review.GiveScore, called, points=points, vote=GateOutcome.TRANSFER)


@refused("review.propose", "quorum_missing", "score_not_passed")
def _before_anybody_voted(house: House) -> Any:
    return on(review.Propose, reviews(house, state="scoring")[1][0], outcome=GO, reason="as voted")


@refused("review.propose", "gate_unmet")
def _a_paper_was_reopened_before_the_call(house: House) -> Any:
    (one,) = submitted(house)
    house.do(on(ReopenRequirement, one, clause="G2.1", reason="doubt"), by=Role.COORDINATOR)
    called = _voted(house, one, GO)
    return on(review.Propose, called, outcome=GO, reason="as voted")


def _voted(house: House, project: UUID, outcome: GateOutcome) -> UUID:
    call = on(review.CallReview, project, planned_on=house.today, panel=panel(house))
    (called,) = ids_of(house.do(call, by=Role.COORDINATOR))
    house.do(on(review.OpenReview, called), by=CHAIR)
    for voter in VOTERS:
        house.do(on(review.GiveScore, called, points=(("merit", 8),), vote=outcome), by=voter)
    return called


def _with_an_open_c(house: House) -> UUID:
    (one,) = submitted(house)
    house.do(on(ReopenRequirement, one, clause="G2.2", reason="doubt"), by=Role.COORDINATOR)
    return _voted(house, one, GateOutcome.CONDITIONAL_GO)


CONDITIONS: dict[str, tuple[tuple[str, ...], Callable[[House], tuple[review.ConditionItem, ...]]]] = {
    "none": (("gate_unmet", "conditions_number"), lambda _house: ()),
    "of another clause": (
        ("gate_unmet", "condition_not_open_c", "condition_not_open_c"),
        lambda house: (debt(house, clause="G2.1"), debt(house, clause="G1.1")),
    ),
    "too late": (("condition_too_late",), lambda house: (debt(house, due_on=house.today + timedelta(days=60)),)),
    "without what it needs": (("condition_needs_more",), lambda house: (debt(house, note=" "),)),
    "too many": (
        ("conditions_number", "condition_not_open_c", "condition_not_open_c", "condition_not_open_c"),
        lambda house: tuple(debt(house, clause=clause) for clause in ("G2.2", "G1.1", "G2.1", "G2.3")),
    ),
}


def _conditions(name: str) -> None:
    codes, items = CONDITIONS[name]

    def arrange(house: House) -> Any:
        called = _with_an_open_c(house)
        outcome = GateOutcome.CONDITIONAL_GO
        return on(review.Propose, called, outcome=outcome, reason="as voted", conditions=items(house))

    arrange.__name__ = f"conditions {name}"
    refused("review.propose", *codes, by=CHAIR)(arrange)


for _name in CONDITIONS:
    _conditions(_name)


@refused("review.propose", "hold_needs_day")
def _a_hold_without_end(house: House) -> Any:
    return on(review.Propose, reviews(house, state="voted", outcome=HOLD)[1][0], outcome=HOLD, reason="as voted")


@refused("review.propose", "hold_too_long", by=CHAIR)
def _a_hold_for_ever(house: House) -> Any:
    return hold_until(house, 91)


@refused("review.propose", "hold_too_long", by=CHAIR)
def _a_hold_until_yesterday(house: House) -> Any:
    return hold_until(house, -1)


def hold_until(house: House, days: int) -> Any:
    (called,) = reviews(house, state="voted", outcome=HOLD)[1]
    until = house.today + timedelta(days=days)
    return on(review.Propose, called, outcome=HOLD, reason="as voted", until_on=until)


@refused("review.propose", "recycle_target_wrong")
def _back_to_what_lies_ahead(house: House) -> Any:
    back = GateOutcome.RECYCLE
    (called,) = reviews(house, state="voted", outcome=back)[1]
    target = ProjectState.HANDOFF
    return on(review.Propose, called, outcome=back, reason="as voted", target=target)


@refused("review.decide", "notice_running")
def _while_the_notice_runs(house: House) -> Any:
    return on(review.Decide, reviews(house, state="proposed")[1][0])


@refused("review.decide", "objection_open", by=CHAIR)
def _with_an_objection_unanswered(house: House) -> Any:
    command = done(house, "review.object")
    house.later(days=10)
    return on(review.Decide, command.review_id)


@refused("review.decide", "objection_upheld", by=CHAIR)
def _with_an_objection_upheld(house: House) -> Any:
    command = done(house, "review.answer_objection")
    house.later(days=10)
    return on(review.Decide, command.review_id)


@refused("review.reopen", "no_objection_upheld")
def _reopened_for_nothing(house: House) -> Any:
    return on(review.ReopenReview, reviews(house, state="proposed")[1][0], reason="again")


@refused("review.answer_objection", "objection_not_open")
def _answered_twice(house: House) -> Any:
    return again("review.answer_objection", done(house, "review.answer_objection"))


@refused("review.cancel", "cancel_not_possible_when_decided")
def _what_is_decided(house: House) -> Any:
    command = done(house, "review.decide")
    return on(review.CancelReview, command.review_id, reason="too late")


@refused("review.call", "condition_open", by="other coordinator")
def _with_a_condition_still_open(house: House) -> Any:
    called = _with_an_open_c(house)
    outcome = GateOutcome.CONDITIONAL_GO
    propose = on(review.Propose, called, outcome=outcome, reason="as voted", conditions=(debt(house),))
    house.do(propose, by=CHAIR)
    house.later(days=8)
    house.do(on(review.Decide, called), by=CHAIR)
    project = UUID(house.one(f"SELECT project_id FROM v_review WHERE id = '{called}'"))
    other = house.parties["other platform"]
    house.do(on(Transfer, project, platform_id=other, reason="their furnace"), by=Role.COORDINATOR)
    house.do(on(AcceptTransfer, project), by="other coordinator")
    return on(review.CallReview, project, planned_on=house.today, panel=panel(house))
