"""The chart of a project: five stages in a row, loops back, three ends."""

from statemachine import Event
from statemachine.states import States

from lifecycle.chart import Chart, requires
from lifecycle.projects import rules
from models.states import STAGES, ProjectState

OBJECT_TYPE = "project"
VERSION = 1


class ProjectChart(Chart):
    """Intake, feasibility, small-batch trial, market validation, handoff; then in production, or ended on the way."""

    at = States.from_enum(
        ProjectState,
        initial=ProjectState.INTAKE,
        use_enum_instance=True,
        final=[ProjectState.IN_PRODUCTION, ProjectState.WITHDRAWN, ProjectState.STOPPED],
    )

    _passable = requires(rules.not_on_hold, rules.gate_met, rules.decided_to_go, rules.entry_met)
    advance = Event(
        at.INTAKE.to(at.FEASIBILITY, validators=_passable)
        | at.FEASIBILITY.to(at.SMALL_BATCH_TRIAL, validators=_passable)
        | at.SMALL_BATCH_TRIAL.to(at.MARKET_VALIDATION, validators=_passable)
        | at.MARKET_VALIDATION.to(at.HANDOFF, validators=_passable)
        | at.HANDOFF.to(at.IN_PRODUCTION, validators=_passable)
    )
    recycle_to_intake = Event(
        at.FEASIBILITY.to(at.INTAKE)
        | at.SMALL_BATCH_TRIAL.to(at.INTAKE)
        | at.MARKET_VALIDATION.to(at.INTAKE)
        | at.HANDOFF.to(at.INTAKE)
    )
    recycle_to_feasibility = Event(
        at.SMALL_BATCH_TRIAL.to(at.FEASIBILITY)
        | at.MARKET_VALIDATION.to(at.FEASIBILITY)
        | at.HANDOFF.to(at.FEASIBILITY)
    )
    recycle_to_small_batch_trial = Event(
        at.MARKET_VALIDATION.to(at.SMALL_BATCH_TRIAL) | at.HANDOFF.to(at.SMALL_BATCH_TRIAL)
    )
    recycle_to_market_validation = Event(at.HANDOFF.to(at.MARKET_VALIDATION))
    withdraw = Event(
        at.INTAKE.to(at.WITHDRAWN)
        | at.FEASIBILITY.to(at.WITHDRAWN)
        | at.SMALL_BATCH_TRIAL.to(at.WITHDRAWN)
        | at.MARKET_VALIDATION.to(at.WITHDRAWN)
        | at.HANDOFF.to(at.WITHDRAWN)
    )
    stop = Event(
        at.INTAKE.to(at.STOPPED)
        | at.FEASIBILITY.to(at.STOPPED)
        | at.SMALL_BATCH_TRIAL.to(at.STOPPED)
        | at.MARKET_VALIDATION.to(at.STOPPED)
        | at.HANDOFF.to(at.STOPPED)
    )


PUBLIC_VERB = {f"recycle_to_{stage}": "recycle" for stage in STAGES}
"""The class needs an arrow per target; journal, edges and codes keep the verb's name."""
