"""The chart of a gate review."""

from statemachine import Event
from statemachine.states import States

from lifecycle.chart import Chart, requires
from lifecycle.reviews import rules
from models.states import ReviewState

OBJECT_TYPE = "review"
VERSION = 1


class ReviewChart(Chart):
    """Called, scoring, proposed, decided; or cancelled before it is decided."""

    at = States.from_enum(
        ReviewState,
        initial=ReviewState.CALLED,
        use_enum_instance=True,
        final=[ReviewState.DECIDED, ReviewState.CANCELLED],
    )

    open = Event(at.CALLED.to(at.SCORING, validators=requires(rules.not_on_hold, rules.quorum_left)))
    propose = Event(
        at.SCORING.to(
            at.PROPOSED,
            validators=requires(
                rules.not_on_hold,
                rules.outcome_known,
                rules.quorum_voted,
                rules.proposed_as_voted,
                rules.score_passed,
                rules.gate_allows,
                rules.conditions_sound,
                rules.outcome_complete,
            ),
        )
    )
    decide = Event(
        at.PROPOSED.to(
            at.DECIDED,
            validators=requires(
                rules.not_on_hold,
                rules.quorum_voted,
                rules.panel_voted_so,
                rules.notice_over,
                rules.objections_answered,
                rules.gate_still_allows,
            ),
        )
    )
    reopen = Event(at.PROPOSED.to(at.SCORING, validators=requires(rules.objection_upheld)))
    cancel = Event(at.CALLED.to(at.CANCELLED) | at.SCORING.to(at.CANCELLED) | at.PROPOSED.to(at.CANCELLED))
