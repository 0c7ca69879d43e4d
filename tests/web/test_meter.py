from models.ids import new_id
from web.meter import Meter


class Ticks:
    """A clock that goes on when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class TestAMeter:
    def test_gives_some_at_once_and_then_says_how_long_to_wait(self) -> None:
        ticks, token, other = Ticks(), new_id(), new_id()
        meter = Meter(per_minute=60, at_once=3, clock=ticks)

        assert [meter.take(token) for _ in range(5)] == [0, 0, 0, 1, 1]
        assert meter.take(other) == 0
        ticks.now = 2.0
        assert [meter.take(token) for _ in range(3)] == [0, 0, 1]

    def test_keeps_only_those_that_asked_of_late(self) -> None:
        ticks = Ticks()
        meter = Meter(per_minute=60, at_once=3, clock=ticks)
        for _ in range(100):
            meter.take(new_id())
        ticks.now = 60.0

        meter.take(new_id())

        assert len(meter._left) == 1
