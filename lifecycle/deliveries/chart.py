"""The life of one message on its way. Pure.

A try that failed for now moves nothing: the delivery goes on waiting, until a later instant.
"""

from statemachine import Event
from statemachine.states import States

from lifecycle.chart import Chart
from models.states import DeliveryStatus

OBJECT_TYPE = "delivery"


class DeliveryChart(Chart):
    """It waits; it is sent, refused for good, or given up; people let it be tried again, or drop it."""

    at = States.from_enum(DeliveryStatus, initial=DeliveryStatus.WAITING, use_enum_instance=True)

    send = Event(at.WAITING.to(at.SENT))
    fail = Event(at.WAITING.to(at.FAILED))
    give_up = Event(at.WAITING.to(at.GIVEN_UP))
    retry = Event(at.FAILED.to(at.WAITING) | at.GIVEN_UP.to(at.WAITING))
    replay = Event(at.SENT.to(at.WAITING) | at.FAILED.to(at.WAITING) | at.GIVEN_UP.to(at.WAITING))
    drop = Event(at.WAITING.to(at.GIVEN_UP) | at.FAILED.to(at.GIVEN_UP))
