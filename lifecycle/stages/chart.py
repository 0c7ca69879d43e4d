"""The chart of one visit of a stage."""

from statemachine import Event
from statemachine.states import States

from lifecycle.chart import Chart
from models.states import StageRunState

OBJECT_TYPE = "stage_run"
VERSION = 1


class StageRunChart(Chart):
    """Open, submitted, in review; then passed, sent back or closed with the project."""

    at = States.from_enum(
        StageRunState,
        initial=StageRunState.OPEN,
        use_enum_instance=True,
        final=[StageRunState.PASSED, StageRunState.RECYCLED, StageRunState.CLOSED],
    )

    submit = Event(at.OPEN.to(at.SUBMITTED))
    call_review = Event(at.SUBMITTED.to(at.IN_REVIEW))
    reopen = Event(at.IN_REVIEW.to(at.SUBMITTED))
    pass_ = Event(at.OPEN.to(at.PASSED) | at.SUBMITTED.to(at.PASSED) | at.IN_REVIEW.to(at.PASSED), name="Pass")
    recycle = Event(at.OPEN.to(at.RECYCLED) | at.SUBMITTED.to(at.RECYCLED) | at.IN_REVIEW.to(at.RECYCLED))
    close = Event(at.OPEN.to(at.CLOSED) | at.SUBMITTED.to(at.CLOSED) | at.IN_REVIEW.to(at.CLOSED))
