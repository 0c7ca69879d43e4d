"""The chart of a tranche: planned, handed in, judged (`docs/contract.md` 3.1)."""

from statemachine import Event
from statemachine.states import States

from lifecycle.chart import Chart, requires
from lifecycle.milestones import rules
from models.states import MilestoneState

OBJECT_TYPE = "milestone"
VERSION = 1
BIRTH = (OBJECT_TYPE, VERSION, "plan", "", str(MilestoneState.PLANNED))
"""The arrow from nothing: with its agreement."""


class MilestoneChart(Chart):
    """Planned with the agreement; handed in; accepted for payment, or rejected and handed in again; or waived."""

    at = States.from_enum(
        MilestoneState,
        initial=MilestoneState.PLANNED,
        use_enum_instance=True,
        final=[MilestoneState.ACCEPTED, MilestoneState.WAIVED],
    )

    _reportable = requires(rules.agreement_signed)
    _decidable = requires(rules.not_the_submitter, rules.behind_no_wall)
    _releasable = requires(
        rules.agreement_signed,
        rules.project_not_held,
        rules.not_the_submitter,
        rules.behind_no_wall,
        rules.evidence_unchanged,
        rules.result_reached,
        rules.retention_over,
    )
    submit = Event(
        at.PLANNED.to(at.SUBMITTED, validators=_reportable) | at.REJECTED.to(at.SUBMITTED, validators=_reportable)
    )
    accept = Event(at.SUBMITTED.to(at.ACCEPTED, validators=_releasable))
    reject = Event(at.SUBMITTED.to(at.REJECTED, validators=_decidable))
    _waivable = requires(rules.behind_no_wall, rules.something_left)
    waive = Event(
        at.PLANNED.to(at.WAIVED, validators=_waivable)
        | at.SUBMITTED.to(at.WAIVED, validators=_waivable)
        | at.REJECTED.to(at.WAIVED, validators=_waivable)
    )
