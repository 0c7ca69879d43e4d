"""Facts in, reasons out: everything that can stand in the way of a project's verbs. Pure."""

from datetime import timedelta
from typing import TYPE_CHECKING

from lifecycle.chart import about_input, compiled, not_possible
from lifecycle.errors import Unmet, unmet
from lifecycle.projects.entry import ENTRY
from lifecycle.stages.chart import StageRunChart
from lifecycle.standards.parties import decider_at
from models.limits import FIRST_YEAR, LONG_TEXT
from models.states import ENDED, STAGES, GateOutcome, OrganisationKind, ProjectState, Role, StageRunState

if TYPE_CHECKING:
    from lifecycle.projects.facts import ProjectFacts

HOLD_REASONS = ("partner", "evidence", "facility", "ehs", "overdue_condition", "escalation", "other")
"""Codes of a hold; the middle ones need a decision to end (EHS, overdue condition, escalation)."""
DECIDED_HOLDS = frozenset({"ehs", "overdue_condition", "escalation"})
PARTY_COLUMN = {"sme": "organisation_id", "platform": "platform_id", "receiver": "receiver_id"}
"""Part in a project -> where it is kept."""
RECYCLE_REASONS = ("completion", "design", "process", "evidence", "budget", "failure_mode", "new_segment", "other")
STOP_REASONS = ("rejected", "not_feasible", "not_economic", "stop_loss", "misuse", "ehs", "other")


def not_ended(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Nothing moves on a project that has ended."""
    return (unmet("project_ended", state=facts.stage),) if facts.has_ended else ()


def not_on_hold(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """No review, advance, recycle or payout while a hold is in force (rule book 3.0)."""
    if facts.hold is None:
        return ()
    until = facts.hold.until_on.isoformat()
    return (Unmet(code="project_on_hold", values={"reason": facts.hold.reason, "until": until}),)


def hold_adds(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """One hold at a time; only the safety officer's, which nobody overrules, comes on top (rule book 1.4)."""
    has_ehs_hold = any(hold.reason == "ehs" for hold in facts.holds)
    return () if facts.command.code == "ehs" and not has_ehs_hold else not_on_hold(facts)


def gate_met(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Every must-meet criterion is met or waived now; under a conditional go its conditions may stay open."""
    conditional = facts.outcome == GateOutcome.CONDITIONAL_GO
    allowed = {row.clause for row in facts.open_conditions if conditional and row.review_id == facts.review.id}
    return tuple(reasons_of(facts, skipped=allowed))


def reasons_of(facts: "ProjectFacts", *, skipped: "set[str] | frozenset[str]" = frozenset()) -> list[Unmet]:
    """Return one `gate_unmet` per open criterion, with who owes it and what would suffice."""
    reasons = []
    for verdict in facts.verdicts:
        if verdict.passes or verdict.clause in skipped:
            continue
        owed = verdict.owed_by[0] if verdict.owed_by else None
        reasons.append(
            Unmet(
                code="gate_unmet",
                clause=verdict.clause,
                verdict=verdict.state,
                values={**verdict.values, "verdict_code": verdict.code},
                party=owed.party if owed else None,
                role=owed.role if owed else None,
                due_on=verdict.due_on,
                suffices=verdict.suffices,
            )
        )
    return reasons


def decided_to_go(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A pack with panels asks for a final go; one without asks for no outcome."""
    if facts.asked.panel.kind == "none" or facts.outcome in (GateOutcome.GO, GateOutcome.CONDITIONAL_GO):
        return ()
    said = facts.outcome or (str(facts.review.state) if facts.review else "none")
    return (
        Unmet(code="decision_missing", role=decider_at(facts.asked), values={"said": said, "gate": facts.asked.gate}),
    )


def entry_open(facts: "ProjectFacts") -> tuple[tuple[str, Unmet], ...]:
    """Return the entry lines of the next stage that are not met, by their name in the standard, each with why."""
    target = None if facts.stage in ENDED else facts.next_stage()
    if target in (None, ProjectState.IN_PRODUCTION):
        return ()
    found = ((name, ENTRY[name](facts)) for name in facts.pack.stage(target).entry)
    return tuple((name, reason) for name, reason in found if reason is not None)


def entry_met(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """The entry lines of the next stage."""
    return tuple(reason for _, reason in entry_open(facts))


def run_can(event: str) -> "object":
    """Return the rule that the visit's own chart knows this event from its present state."""

    def rule(facts: "ProjectFacts") -> tuple[Unmet, ...]:
        if facts.run is None or (facts.run.state, event) in compiled(StageRunChart):
            return ()
        return (not_possible(event, facts.run.state),)

    return rule


@about_input
def has_reason(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Every decision says why."""
    reason = getattr(facts.command, "reason", "") or ""
    return () if 0 < len(reason.strip()) <= LONG_TEXT else (unmet("reason_missing"),)


def panel_not_called(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Once a panel is called its day stands in the call."""
    return (unmet("review_open_already", state=facts.review.state),) if facts.has_open_review else ()


@about_input
def planned_ahead(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A panel meets today or later."""
    planned, today = facts.command.planned_on, facts.stamp.today
    return () if planned >= today else (unmet("planned_day_past", planned=planned.isoformat()),)


def stages_back(stage: ProjectState) -> tuple[ProjectState, ...]:
    """Return where a project can be sent back to: this stage again, and the earlier ones, the nearest first."""
    return STAGES[: STAGES.index(stage) + 1][::-1] if stage in STAGES else ()


@about_input
def recycle_target(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Back means this stage again or an earlier one."""
    if facts.has_ended:
        return (not_possible("recycle", facts.stage),)
    target = facts.command.target or facts.stage
    return () if target in stages_back(facts.stage) else (unmet("recycle_target_wrong", target=target),)


def recycles_left(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """At most two recycles per stage; the third needs the sponsor (rule book 3.0)."""
    if facts.has_ended:
        return ()
    limit = facts.pack.limits.recycles_per_stage
    used = facts.recycles_of(facts.stage)
    if used < limit or Role.SPONSOR in facts.roles:
        return ()
    return (
        Unmet(code="recycles_used_up", party="programme", role=Role.SPONSOR, values={"used": used, "limit": limit}),
    )


def recycle_decided(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Before a panel is called the coordinator may recycle with a reason; after that the panel says so."""
    in_review = facts.run is not None and facts.run.state == StageRunState.IN_REVIEW
    if not in_review or facts.outcome == GateOutcome.RECYCLE:
        return ()
    return (
        Unmet(
            code="decision_missing",
            role=decider_at(facts.asked),
            values={"said": facts.outcome or "none", "gate": facts.asked.gate},
        ),
    )


@about_input
def recycle_as_decided(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Back to the stage that the panel named."""
    if facts.outcome != GateOutcome.RECYCLE:
        return ()
    wanted, asked = facts.review.target or facts.stage, facts.command.target or facts.stage
    return () if wanted == asked else (unmet("recycle_target_decided", decided=wanted, asked=asked),)


@about_input
def hold_days(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A hold has a reason, and an end within 90 calendar days."""
    command, today, limit = facts.command, facts.stamp.today, facts.pack.limits.hold_calendar_days
    reasons = []
    if command.code not in HOLD_REASONS:
        reasons.append(unmet("hold_reason_unknown", value=command.code, known=list(HOLD_REASONS)))
    if not today <= command.until_on <= today + timedelta(days=limit):
        reasons.append(unmet("hold_too_long", until=command.until_on.isoformat(), limit=limit))
    return tuple(reasons)


@about_input
def ehs_holds_for_safety(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """The safety officer's word is about safety: other holds are the coordinator's and the sponsor's."""
    if facts.command.code != "ehs" or Role.EHS_OFFICER in facts.roles:
        return ()
    return (Unmet(code="role", values={"needs": [Role.EHS_OFFICER], "verb": "hold"}),)


def is_on_hold(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Only what is on hold can be resumed or extended."""
    return () if facts.holds else (unmet("not_on_hold"),)


def resume_roles(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """An EHS hold is lifted by the safety officer and then a panel chair, another decided one by the sponsor."""
    hold = facts.holds[0] if facts.holds else None
    if hold is None:
        return ()
    if hold.reason == "ehs":
        needed = {Role.EHS_OFFICER if hold.first_lifter_id is None else Role.PANEL_CHAIR}
    elif hold.needs_decision:
        needed = {Role.SPONSOR}
    else:
        needed = {Role.COORDINATOR, Role.EHS_OFFICER, Role.SPONSOR}
    if facts.roles & needed and not (hold.needs_decision and facts.stamp.actor.is_clock):
        return ()
    return (Unmet(code="role", values={"needs": sorted(needed), "verb": "resume"}),)


def second_lifter(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Two different people restart after an EHS hold."""
    hold = facts.holds[0] if facts.holds else None
    if hold is None or hold.reason != "ehs" or hold.first_lifter_id != facts.stamp.actor.person_id:
        return ()
    return (Unmet(code="four_eyes", values={"verb": "resume"}),)


def extensions_left(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A hold is extended once."""
    hold = facts.holds[0] if facts.holds else None
    if hold is None:
        return ()
    limits = facts.pack.limits
    if hold.extensions >= limits.hold_extensions:
        return (unmet("hold_extended_already", limit=limits.hold_extensions),)
    return ()


@about_input
def extension_days(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """The new last day lies after the old one, by at most 90 days."""
    hold = facts.holds[0] if facts.holds else None
    if hold is None:
        return ()
    limits = facts.pack.limits
    asked = facts.command.until_on
    if hold.until_on < asked <= hold.until_on + timedelta(days=limits.hold_calendar_days):
        return ()
    return (unmet("hold_too_long", until=asked.isoformat(), limit=limits.hold_calendar_days),)


def transfer_allowed(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A project changes platform at gates 1 to 3."""
    if facts.has_ended or GateOutcome.TRANSFER in facts.asked.outcomes:
        return ()
    return (unmet("outcome_not_at_this_gate", outcome=GateOutcome.TRANSFER, gate=facts.asked.gate),)


@about_input
def another_platform(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Another platform takes over: a known one, and not the firm itself."""
    platform, project = facts.command.platform_id, facts.project
    reasons = []
    if platform == project.platform_id:
        reasons.append(unmet("same_platform"))
    if facts.organisations.get(platform) != OrganisationKind.PLATFORM:
        reasons.append(unmet("organisation_not_found", kind=OrganisationKind.PLATFORM))
    elif platform == project.organisation_id:
        reasons.append(unmet("own_platform"))
    return tuple(reasons)


def transfer_asked(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Only a platform that was asked can take over, and within its time."""
    if facts.project.transfer_to_id is None:
        return (unmet("no_transfer_asked"),)
    if facts.project.transfer_due_on < facts.stamp.today:
        return (unmet("transfer_lapsed", due=facts.project.transfer_due_on.isoformat()),)
    return ()


@about_input
def stop_reason(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A stop names its reason code."""
    code = facts.command.code
    return () if code in STOP_REASONS else (unmet("stop_reason_unknown", value=code, known=list(STOP_REASONS)),)


@about_input
def recycle_reason(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A recycle names its reason code."""
    code = facts.command.code
    return (
        () if code in RECYCLE_REASONS else (unmet("recycle_reason_unknown", value=code, known=list(RECYCLE_REASONS)),)
    )


def was_imported(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Only what came from another register is updated from there; what was taken in here has its day from then."""
    return () if facts.project.outside_key is not None else (unmet("not_imported"),)


@about_input
def received_in_time(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """An application arrived today or earlier, and before its project was seen in a stage behind intake.

    While the project has only been at intake it may have arrived after the import: the source told of it before. How
    early is not asked, but a year before 1900 is a slip of the keyboard, as it is in an import.
    """
    day, today = facts.command.received_on, facts.stamp.today
    if day > today:
        return (unmet("day_in_future", day=day.isoformat()),)
    seen = min((run.opened_on for run in facts.runs if run.stage != ProjectState.INTAKE), default=today)
    if day.year >= FIRST_YEAR and day <= seen:
        return ()
    return (unmet("receipt_out_of_range", day=day.isoformat(), first=f"{FIRST_YEAR}-01-01", last=seen.isoformat()),)


@about_input
def receipt_corrected(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A correction says another day, or makes one exact that was known to the month or year only."""
    known = (facts.project.received_on, facts.project.received_precision)
    return () if (facts.command.received_on, "day") != known else (unmet("nothing_corrected"),)


@about_input
def party_open(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Applicant and platform are named once; another platform takes over by `transfer`."""
    party = facts.command.party
    known = getattr(facts.project, PARTY_COLUMN[party])
    return (unmet("party_named_already", party=party),) if known is not None and party != "receiver" else ()


@about_input
def sides_apart(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Nobody is the platform of their own project."""
    others = {"sme": facts.project.platform_id, "platform": facts.project.organisation_id}
    return (unmet("own_platform"),) if others.get(facts.command.party) == facts.command.organisation_id else ()


@about_input
def receiver_by_coordinator(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Who takes over production is for the coordinator to say; an import leaves applicant and platform open only."""
    if facts.command.party != "receiver" or Role.COORDINATOR in facts.roles:
        return ()
    return (Unmet(code="role", values={"needs": [Role.COORDINATOR], "verb": "name_party"}),)


@about_input
def party_exists(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """The organisation named is a known one."""
    if facts.command.organisation_id in facts.organisations:
        return ()
    return (unmet("organisation_not_found", kind=facts.command.party),)
