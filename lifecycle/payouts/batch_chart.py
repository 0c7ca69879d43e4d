"""The chart of a payment batch: unknown is a state, and only evidence leads on from it."""

from statemachine import Event
from statemachine.states import States

from lifecycle.chart import Chart, requires
from lifecycle.payouts import batch_rules as rules
from models.states import PaymentBatchState

OBJECT_TYPE = "batch"
VERSION = 1


class BatchChart(Chart):
    """Prepared in our database, sent to the bank, acknowledged and settled by it."""

    at = States.from_enum(
        PaymentBatchState,
        initial=PaymentBatchState.PREPARED,
        use_enum_instance=True,
        final=[PaymentBatchState.SETTLED, PaymentBatchState.ABANDONED],
    )

    send = Event(at.PREPARED.to(at.SENT, validators=requires(rules.fence_holds)))
    doubt = Event(at.PREPARED.to(at.UNKNOWN) | at.SENT.to(at.UNKNOWN))
    find = Event(at.UNKNOWN.to(at.SENT))
    acknowledge = Event(at.SENT.to(at.ACKNOWLEDGED) | at.UNKNOWN.to(at.ACKNOWLEDGED))
    settle = Event(
        at.SENT.to(at.SETTLED, validators=requires(rules.nothing_awaited))
        | at.UNKNOWN.to(at.SETTLED, validators=requires(rules.nothing_awaited))
        | at.ACKNOWLEDGED.to(at.SETTLED, validators=requires(rules.nothing_awaited))
    )
    take_back = Event(
        at.PREPARED.to(
            at.ABANDONED,
            validators=requires(rules.fence_holds, rules.may_not_leave, rules.nothing_paid),
        )
    )
    abandon = Event(
        at.PREPARED.to(at.ABANDONED, validators=requires(rules.two_agreed, rules.nothing_paid))
        | at.UNKNOWN.to(at.ABANDONED, validators=requires(rules.two_agreed, rules.nothing_paid))
    )
