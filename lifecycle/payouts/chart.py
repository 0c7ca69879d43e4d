"""The chart of a payout: requested, approved, instructed, and what the bank made of it."""

from statemachine import Event
from statemachine.states import States

from lifecycle.chart import Chart, requires
from lifecycle.payouts import rules
from models.states import PayoutState

OBJECT_TYPE = "payout"
VERSION = 1


class PayoutChart(Chart):
    """No state is an end: the bank may send money back later, or have made a payment that was given up."""

    at = States.from_enum(
        PayoutState,
        initial=PayoutState.REQUESTED,
        use_enum_instance=True,
    )

    _approvable = requires(
        rules.as_seen,
        rules.called_back,
        rules.not_decided_yet,
        rules.separate_approver,
        rules.no_interest,
        rules.certified,
        rules.within_limit,
        rules.minute_there,
        rules.payable,
        rules.money_left,
    )
    approve = Event(at.REQUESTED.to(at.APPROVED, validators=_approvable))
    reapprove = Event(at.RETURNED.to(at.APPROVED, validators=_approvable))
    amend = Event(
        at.REQUESTED.to(at.REQUESTED, validators=requires(rules.request_sound))
        | at.APPROVED.to(at.REQUESTED, validators=requires(rules.request_sound))
        | at.RETURNED.to(at.REQUESTED, validators=requires(rules.request_sound))
    )
    send_back = Event(at.REQUESTED.to(at.REQUESTED, validators=requires(rules.no_interest, rules.not_own_request)))
    reject = Event(at.REQUESTED.to(at.REJECTED, validators=requires(rules.no_interest, rules.not_own_request)))
    cancel = Event(at.REQUESTED.to(at.CANCELLED) | at.APPROVED.to(at.CANCELLED) | at.RETURNED.to(at.CANCELLED))
    instruct = Event(at.APPROVED.to(at.INSTRUCTED, validators=requires(rules.last_gate)))
    recall = Event(at.INSTRUCTED.to(at.APPROVED))
    confirm = Event(
        at.INSTRUCTED.to(at.PAID)
        | at.REQUESTED.to(at.PAID)
        | at.APPROVED.to(at.PAID)
        | at.RETURNED.to(at.PAID)
        | at.REJECTED.to(at.PAID)
        | at.CANCELLED.to(at.PAID)
    )
    bounce = Event(at.INSTRUCTED.to(at.RETURNED) | at.PAID.to(at.RETURNED))
