"""What can stand in the way of a gate review. Pure: facts in, reasons out."""

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.projects.rules import reasons_of
from lifecycle.reviews.panel import composition_reasons, majority, quorum, score_reasons
from models.states import STAGES, GateOutcome, Role, StageRunState

if TYPE_CHECKING:
    from lifecycle.reviews.facts import CallFacts, ReviewFacts

GOING = (GateOutcome.GO, GateOutcome.CONDITIONAL_GO)


def is_being_worked_on(facts: "CallFacts") -> bool:
    """Say whether the firm has not handed the present stage in yet."""
    return facts.on.run is not None and facts.on.run.state == StageRunState.OPEN


def handed_in(facts: "CallFacts") -> tuple[Unmet, ...]:
    """A review is called once the firm has handed the stage in."""
    if not is_being_worked_on(facts):
        return ()
    return (Unmet(code="stage_not_submitted", party="sme", role=Role.PROJECT_LEAD),)


def not_on_hold(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """No review moves while the project is on hold."""
    hold = facts.on.hold
    if hold is None:
        return ()
    return (Unmet(code="project_on_hold", values={"reason": hold.reason, "until": hold.until_on.isoformat()}),)


def no_review_open(facts: "CallFacts") -> tuple[Unmet, ...]:
    """One panel at a time."""
    return (unmet("review_open_already", state=facts.on.review.state),) if facts.on.has_open_review else ()


def panel_asked(facts: "CallFacts") -> tuple[Unmet, ...]:
    """A pack without panels has nothing to call."""
    if facts.on.has_ended or facts.on.asked.panel.kind != "none":
        return ()
    return (unmet("no_panel_at_this_gate", gate=facts.on.asked.gate),)


@about_input
def panel_sound(facts: "CallFacts") -> tuple[Unmet, ...]:
    """The panel has the size, the chair, the competences and the seats that the standard asks for."""
    if facts.on.has_ended or facts.on.asked.panel.kind == "none":
        return ()
    reasons = composition_reasons(facts.on.asked.panel, facts.command.panel)
    people = {facts.people[seat.user_id].person_id for seat in facts.command.panel if seat.user_id in facts.people}
    if len(people) < len(
        {seat.user_id for seat in facts.command.panel} & facts.people.keys()
    ):  # two accounts of one human
        reasons.append(unmet("panel_names_twice"))
    return tuple(reasons)


@about_input
def panel_known(facts: "CallFacts") -> tuple[Unmet, ...]:
    """Every person named is an active user."""
    unknown = [seat.user_id for seat in facts.command.panel if seat.user_id not in facts.people]
    return (unmet("panel_person_unknown", people=[str(user) for user in unknown]),) if unknown else ()


@about_input
def competences_held(facts: "CallFacts") -> tuple[Unmet, ...]:
    """Nobody is named for a competence that their account does not have."""
    claimed = {
        (facts.people[seat.user_id].name, str(competence))
        for seat in facts.command.panel
        if seat.user_id in facts.people
        for competence in seat.competences
        if str(competence) not in facts.people[seat.user_id].competences
    }
    return tuple(unmet("competence_not_held", person=name, competence=word) for name, word in sorted(claimed))


@about_input
def roles_held(facts: "CallFacts") -> tuple[Unmet, ...]:
    """Nobody takes a seat in a role that they do not hold."""
    lacking = {
        (facts.people[seat.user_id].name, str(seat.role))
        for seat in facts.command.panel
        if seat.user_id in facts.people and seat.role not in facts.people[seat.user_id].roles
    }
    return tuple(unmet("role_not_held", person=name, role=role) for name, role in sorted(lacking))


@about_input
def panel_independent(facts: "CallFacts") -> tuple[Unmet, ...]:
    """Experts belong to no party of the project; quality and lab seats come from outside its platform and firm."""
    return tuple(
        unmet("conflict_of_interest", conflict=party, people=sorted(_names_at(facts, party)))
        for party in sorted(set(facts.conflicted.values()))
    )


def _names_at(facts: "CallFacts", party: str) -> set[str]:
    return {facts.people[user_id].name for user_id, at in facts.conflicted.items() if at == party}


@about_input
def planned_ahead(facts: "CallFacts") -> tuple[Unmet, ...]:
    """The panel meets today or later."""
    if facts.command.planned_on >= facts.on.stamp.today:
        return ()
    return (unmet("planned_day_past", planned=facts.command.planned_on.isoformat()),)


def earlier_conditions_cleared(facts: "CallFacts") -> tuple[Unmet, ...]:
    """A conditional go must have become a go before the next gate is called."""
    return tuple(
        Unmet(code="condition_open", clause=row.clause, due_on=row.due_on, values={"gate": row.gate})
        for row in facts.on.open_conditions
    )


def waivers_within_limit(facts: "CallFacts") -> tuple[Unmet, ...]:
    """At most two waivers per gate."""
    if facts.on.has_ended:
        return ()
    used = sum(1 for row in facts.on.waivers if row.gate == facts.on.asked.gate and row.confirmed_by is not None)
    limit = facts.on.pack.limits.waivers_per_gate
    return (unmet("waivers_used_up", used=used, limit=limit),) if used > limit else ()


def not_ended(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """With its project a review has ended; all that is left is to cancel it."""
    return (unmet("project_ended", state=facts.on.stage),) if facts.on.has_ended else ()


@about_input
def owners_known(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Every condition is owed by an active user."""
    unknown = [item for item in facts.command.conditions if item.owner_id not in facts.owners]
    return tuple(Unmet(code="user_not_found", clause=item.clause) for item in unknown)


@about_input
def says_why(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Stepping aside, calling off, scoring again and answering an objection are all done with a reason."""
    said = getattr(facts.command, "reason", "") or getattr(facts.command, "answer", "")
    return () if said.strip() else (unmet("reason_missing"),)


def is_member(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Only who was named for this review acts in it."""
    return () if facts.seat is not None else (unmet("not_in_panel"),)


def not_recused(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Who is recused neither scores nor votes."""
    if facts.seat is None or facts.seat.recused_on is None:
        return ()
    return (unmet("conflict_of_interest", conflict="recused", people=[facts.on.stamp.actor.name]),)


def not_conflicted(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Who has come to belong to a party of the project since the call neither scores nor records the decision."""
    if facts.seat is None or facts.seat.user_id not in facts.conflicted:
        return ()
    party = facts.conflicted[facts.seat.user_id]
    return (unmet("conflict_of_interest", conflict=party, people=[facts.on.stamp.actor.name]),)


def has_vote(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Guests attend without a vote."""
    return (unmet("no_vote"),) if facts.seat is not None and not facts.seat.has_vote else ()


def is_chair(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """The chair records the decision; at a single-expert gate the expert."""
    if facts.seat is None or facts.seat.is_chair or facts.asked.panel.kind == "single_expert":
        return ()
    return (Unmet(code="role", values={"needs": [Role.PANEL_CHAIR], "verb": facts.verb}),)


@about_input
def points_sound(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Every factor of the gate gets 0 to 10 points from each voter."""
    factors = {factor.id for factor in facts.asked.score.factors}
    given = dict(facts.command.points)
    repeated = {name for name, times in Counter(name for name, _ in facts.command.points).items() if times > 1}
    reasons = []
    if factors != set(given) or repeated:
        unknown = sorted((set(given) - factors) | repeated)
        reasons.append(unmet("score_factors", missing=sorted(factors - set(given)), unknown=unknown))
    wrong = sorted(name for name, points in given.items() if not 0 <= points <= 10)
    if wrong:
        reasons.append(unmet("score_range", factors=wrong))
    return tuple(reasons)


@about_input
def vote_known(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """A vote is one of the outcomes of this gate."""
    asked = facts.asked
    if facts.command.vote in asked.outcomes:
        return ()
    return (unmet("outcome_not_at_this_gate", outcome=facts.command.vote, gate=asked.gate),)


def quorum_left(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Enough voters are left after recusals."""
    return _quorum(facts, facts.present)


def quorum_voted(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Two thirds of the named voters have voted."""
    return _quorum(facts, facts.voted)


def _quorum(facts: "ReviewFacts", present: "list[object]") -> tuple[Unmet, ...]:
    named = sum(1 for seat in facts.seats if seat.has_vote)
    needed = quorum(facts.asked.panel, named)
    return () if len(present) >= needed else (unmet("quorum_missing", have=len(present), needed=needed, named=named),)


@about_input
def outcome_known(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """The outcome is one of this gate."""
    asked = facts.asked
    if facts.command.outcome in asked.outcomes:
        return ()
    return (unmet("outcome_not_at_this_gate", outcome=facts.command.outcome, gate=asked.gate),)


def panel_voted_so(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """The proposed outcome is what the majority voted; a tie means hold."""
    said = majority([seat.vote for seat in facts.voted])
    if not facts.voted or said == facts.outcome:
        return ()  # where nobody has voted the quorum is missing, and says so
    return (unmet("vote_says_otherwise", voted=said, proposed=facts.outcome),)


@about_input
def proposed_as_voted(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """What is proposed is what the majority voted."""
    return panel_voted_so(facts)


@about_input
def score_passed(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """A go needs a passed score; a passed score never replaces an unmet must-meet."""
    if facts.command.outcome not in GOING:
        return ()
    return tuple(score_reasons(facts.asked.score, facts.tally))


@about_input
def gate_allows(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """A go needs every must-meet, a conditional go all but C criteria; what only the notice can meet is asked later."""
    outcome = facts.command.outcome
    if outcome not in GOING:
        return ()
    waiting = {criterion.id for criterion in facts.asked.criteria if criterion.follow_notice}
    allowed = _conditional_clauses(facts) if outcome == GateOutcome.CONDITIONAL_GO else set()
    return tuple(reasons_of(facts.on, skipped=waiting | allowed))


def gate_still_allows(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """When it becomes final everything is asked again, the notice too."""
    outcome = facts.outcome
    if outcome not in GOING:
        return ()
    allowed = {item.clause for item in facts.conditions} if outcome == GateOutcome.CONDITIONAL_GO else set()
    return tuple(reasons_of(facts.on, skipped=allowed))


def _conditional_clauses(facts: "ReviewFacts") -> set[str]:
    return {item.clause for item in facts.command.conditions}


@about_input
def conditions_sound(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """At most three conditions, each an open C criterion with an owner and a day within 30 working days."""
    given = facts.command.conditions
    if facts.command.outcome != GateOutcome.CONDITIONAL_GO:
        return (unmet("conditions_only_conditional"),) if given else ()
    limits, stamp = facts.on.pack.limits, facts.on.stamp
    latest: date = facts.on.calendar.add_working_days(stamp.today, limits.condition_days)
    open_c = {v.clause: v for v in facts.on.verdicts if not v.passes and v.strength == "C"}
    reasons = []
    if not 1 <= len(given) <= limits.conditions_at_most:
        reasons.append(unmet("conditions_number", have=len(given), limit=limits.conditions_at_most))
    for item in given:
        if item.clause not in open_c:
            reasons.append(Unmet(code="condition_not_open_c", clause=item.clause))
        if not stamp.today < item.due_on <= latest:
            reasons.append(Unmet(code="condition_too_late", clause=item.clause, values={"latest": latest.isoformat()}))
        if (
            facts.on.pack.has(item.clause)
            and facts.on.pack.criterion(item.clause).condition_needs
            and not item.note.strip()
        ):
            needs = list(facts.on.pack.criterion(item.clause).condition_needs)
            reasons.append(Unmet(code="condition_needs_more", clause=item.clause, values={"needs": needs}))
    return tuple(reasons)


@about_input
def outcome_complete(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Every outcome has its reason; a recycle its stage, a hold its last day within 90 calendar days."""
    command = facts.command
    reasons = []
    if not command.reason.strip():
        reasons.append(unmet("reason_missing"))
    if command.outcome == GateOutcome.RECYCLE:
        target = command.target or facts.asked.id
        if target not in STAGES or STAGES.index(target) > STAGES.index(facts.asked.id):
            reasons.append(unmet("recycle_target_wrong", target=target))
    if command.outcome == GateOutcome.HOLD:
        reasons.extend(_hold_day(facts, command.until_on))
    return tuple(reasons)


def _hold_day(facts: "ReviewFacts", until_on: date | None) -> list[Unmet]:
    today, limit = facts.on.stamp.today, facts.on.pack.limits.hold_calendar_days
    if until_on is None:
        return [unmet("hold_needs_day")]
    if today <= until_on <= today + timedelta(days=limit):
        return []
    return [unmet("hold_too_long", until=until_on.isoformat(), limit=limit)]


def notice_over(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """The decision becomes final when its public notice has ended."""
    ends_on = facts.review.notice_ends_on
    if ends_on is None or facts.on.stamp.today > ends_on:
        return ()
    return (
        Unmet(code="notice_running", values={"starts_on": str(facts.review.notice_starts_on), "ends_on": str(ends_on)}),
    )


def objections_answered(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """An open objection waits for an answer; an upheld one reopens the decision (F15)."""
    upheld = sum(1 for row in facts.objections if row.is_upheld)
    if upheld:
        return (unmet("objection_upheld", upheld=upheld),)
    waiting = sum(1 for row in facts.objections if row.is_upheld is None)
    return (unmet("objection_open", open=waiting),) if waiting else ()


def objection_upheld(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Only an upheld objection opens the scoring again."""
    return () if any(row.is_upheld for row in facts.objections) else (unmet("no_objection_upheld"),)


def notice_runs(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """Objections are made while the notice runs."""
    review, today = facts.review, facts.on.stamp.today
    if review.notice_ends_on is not None and review.notice_starts_on <= today <= review.notice_ends_on:
        return ()
    return (unmet("notice_not_running"),)


@about_input
def objection_waits(facts: "ReviewFacts") -> tuple[Unmet, ...]:
    """An objection is answered once."""
    found = next((row for row in facts.objections if row.id == facts.command.objection_id), None)
    return () if found is not None and found.is_upheld is None else (unmet("objection_not_open"),)
