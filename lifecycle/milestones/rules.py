"""Facts in, reasons out: everything that can stand in the way of a tranche's verbs. Pure."""

from typing import TYPE_CHECKING, Any

from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.milestones.entitlement import Retained, retention_reasons
from lifecycle.standards.funds import LAST_GATE, FundRules
from lifecycle.standards.pack import Stage
from models.limits import LONG_TEXT
from models.states import STAGES, FundStatus, GateOutcome, StageRunState

if TYPE_CHECKING:
    from lifecycle.milestones.facts import MilestoneFacts

MOST_FILES = 50
"""Files of one report."""
RETENTION_OVER = "retention_over"
"""What a retention needs besides its gate, as plans name it."""


def agreement_active(facts: Any) -> tuple[Unmet, ...]:
    """A closed agreement stands still."""
    closed = facts.agreement.status == FundStatus.CLOSED
    return (unmet("agreement_closed", number=facts.agreement.number),) if closed else ()


def agreement_signed(facts: Any) -> tuple[Unmet, ...]:
    """Nothing is reported or released before both parties have signed, a supplement included."""
    if facts.agreement.signed_on is not None:
        return ()
    return (unmet("agreement_not_signed", number=facts.agreement.number),)


def project_running(facts: Any) -> tuple[Unmet, ...]:
    """Nothing is earned on a project that was withdrawn or stopped; in production the last tranches still are."""
    stage = str(facts.on.project.stage)
    return (unmet("project_ended", state=stage),) if stage in ("withdrawn", "stopped") else ()


def project_not_held(facts: Any) -> tuple[Unmet, ...]:
    """Nothing is released while the project is on hold (rule book 3.0)."""
    hold = facts.on.hold
    return () if hold is None else (unmet("project_on_hold", reason=hold.reason, until=hold.until_on.isoformat()),)


@about_input
def has_reason(facts: Any) -> tuple[Unmet, ...]:
    """Every decision says why."""
    return () if 0 < len(facts.command.reason.strip()) <= LONG_TEXT else (unmet("reason_missing"),)


@about_input
def report_sound(facts: "MilestoneFacts") -> tuple[Unmet, ...]:
    """A report says what was reached and rests on files that are current evidence of the project."""
    command = facts.command
    reasons = []
    if not 0 < len(command.summary.strip()) <= LONG_TEXT:
        reasons.append(unmet("report_missing"))
    if not 1 <= len(command.evidence) <= MOST_FILES:
        reasons.append(unmet("files_number", limit=MOST_FILES, have=len(command.evidence)))
    if not set(command.evidence) <= facts.hashes:
        reasons.append(unmet("evidence_not_found"))
    return tuple(reasons)


def not_the_submitter(facts: "MilestoneFacts") -> tuple[Unmet, ...]:
    """Who handed a report in does not judge it, under whichever account (rule book 1.4, F7)."""
    is_own = facts.submitter is not None and facts.submitter == facts.on.stamp.actor.person_id
    return (unmet("four_eyes", verb="accept"),) if is_own else ()


def behind_no_wall(facts: Any) -> tuple[Unmet, ...]:
    """People of an investor never decide on the firms it owns a part of."""
    actor = facts.on.stamp.actor
    if actor.person_id not in facts.wall:
        return ()
    return (unmet("conflict_of_interest", conflict="investor", people=[actor.name]),)


def evidence_unchanged(facts: "MilestoneFacts") -> tuple[Unmet, ...]:
    """What the report rests on is still current (F5)."""
    named = set(facts.milestone.report.get("evidence", ()))
    return () if named <= facts.hashes else (unmet("evidence_not_found"),)


def result_reached(facts: "MilestoneFacts") -> tuple[Unmet, ...]:
    """The gate passed with go, or conditionally and every condition is cleared; or the named criteria are met (F5)."""
    if facts.milestone.gate is not None:
        return gate_reasons(facts, facts.milestone.gate)
    found = [(clause, facts.verdict_of(clause)) for clause in facts.milestone.criteria]
    return tuple(
        Unmet(
            code="gate_unmet",
            clause=clause,
            verdict=str(verdict.state) if verdict else None,
            values={**verdict.values, "verdict_code": verdict.code} if verdict else {},
        )
        for clause, verdict in found
        if verdict is None or not verdict.passes
    )


def gate_reasons(facts: "MilestoneFacts", gate: str) -> tuple[Unmet, ...]:
    """Return why a gate does not count as passed."""
    asked = next(stage for stage in facts.on.pack.stages if stage.gate == gate)
    if asked.panel.kind == "none":
        passed = any(run.stage == asked.id and run.state == StageRunState.PASSED for run in facts.on.runs)
        passed = passed and not _is_before(facts, asked)
        return () if passed else (_not_passed(gate, "gate_not_passed"),)
    review = facts.decided.get(gate)
    if review is None or _is_outdated(facts, asked, review):
        return (_not_passed(gate, "gate_not_passed"),)
    if review.outcome == GateOutcome.GO:
        return ()
    if review.outcome != GateOutcome.CONDITIONAL_GO:
        return (_not_passed(gate, "gate_not_passed"),)
    is_open = any(row.review_id == review.id and row.cleared_on is None for row in facts.conditions)
    return (_not_passed(gate, "condition_open"),) if is_open else ()


def _not_passed(gate: str, code: str) -> Unmet:
    return Unmet(code="gate_unmet", values={"gate": gate, "verdict_code": code})


def _is_before(facts: "MilestoneFacts", asked: Stage) -> bool:
    """Say whether the project stands before or at this stage again."""
    stage = facts.on.stage
    return stage in STAGES and STAGES.index(stage) <= STAGES.index(asked.id)


def _is_outdated(facts: "MilestoneFacts", asked: Stage, review: Any) -> bool:
    """Say whether the project was sent back behind this decision: it has to be taken anew."""
    return _is_before(facts, asked) and review.stage_run_id != facts.on.project.stage_run_id


def retention_over(facts: "MilestoneFacts") -> tuple[Unmet, ...]:
    """A retention is released when its months are over, the public notice has run, and nothing is open (F13, F15).

    Asked where it is accepted, which is its release, and again at its payment (`still_over`). A day alone releases
    nothing (F20): the last gate is passed, also where the plan ties it to criteria; else no month has begun.
    """
    milestone = facts.milestone
    if RETENTION_OVER not in milestone.needs:
        return ()
    is_asked_beside = milestone.gate == LAST_GATE
    reasons = () if is_asked_beside else gate_reasons(facts, LAST_GATE)
    if reasons or facts.accepted_on is None:
        return reasons
    seen = Retained(
        accepted_on=facts.accepted_on,
        today=facts.on.stamp.today,
        noticed_on=milestone.noticed_on,
        open_matters=facts.open_matters,
    )
    return retention_reasons(seen, facts.on.pack.funds)


def still_over(milestone: Any, seen: Retained | None, rules: FundRules) -> tuple[Unmet, ...]:
    """Return why a retention that was released is not paid: something has come up since (F13, F15).

    `seen` is None where the last gate is not passed any more.
    """
    if milestone is None or RETENTION_OVER not in milestone.needs:
        return ()
    return (_not_passed(LAST_GATE, "gate_not_passed"),) if seen is None else retention_reasons(seen, rules)


def is_retained(facts: "MilestoneFacts") -> tuple[Unmet, ...]:
    """Only the release of a retention is announced, before it."""
    tranche = {"tranche": facts.milestone.tranche}
    if not facts.milestone.is_retention:
        return (Unmet(code="notice_not_asked", values=tranche),)
    ended = facts.milestone.state in ("accepted", "waived")
    return (Unmet(code="milestone_decided", values=tranche),) if ended else ()


@about_input
def place_named(facts: "MilestoneFacts") -> tuple[Unmet, ...]:
    """A public notice says where it can be read."""
    return () if 0 < len(facts.command.where.strip()) <= LONG_TEXT else (unmet("place_missing"),)


def clock_needs_a_gate(facts: "MilestoneFacts") -> tuple[Unmet, ...]:
    """The clock accepts only what hangs on a gate; what named criteria say, a person has to look at (rule book 1.4)."""
    by_clock = facts.on.stamp.actor.is_clock and facts.milestone.gate is None
    return (unmet("role", needs=["coordinator", "certifier"], verb="accept"),) if by_clock else ()


def something_left(facts: "MilestoneFacts") -> tuple[Unmet, ...]:
    """An award keeps at least one tranche with money; else the agreement is closed."""
    left = facts.agreement_minor - facts.milestone.amount_minor
    return () if left > 0 else (unmet("last_tranche"),)
