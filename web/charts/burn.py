"""The burn curve of a fund: planned dashed, paid in, paid in steps; each summed up by month and named at its end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from web.charts.svg import svg, text

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 240, 96, 76, 12, 26
_LINES = 5
"""At most so many steps of the axis."""
_APART = 15
"""Between two names at the ends of lines."""
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month: what was planned, paid to firms and came in."""

    name: str
    planned_minor: int
    paid_minor: int
    in_minor: int


def burn_curve(months: Sequence[Month], *, label: str, names: Mapping[str, str], money: Callable[[int], str]) -> Markup:
    """Return the curve; without two months there is none, and the table beside says what there is.

    `names` are what the lines `planned`, `in` and `paid` are called. A plan without days has no line.
    """
    if len(months) < 2:
        return Markup("")
    planned = list(accumulate(one.planned_minor for one in months))
    series = {
        **({"planned": planned} if planned[-1] else {}),  # a plan without days is no line along the ground
        "in": list(accumulate(one.in_minor for one in months)),
        "paid": list(accumulate(one.paid_minor for one in months)),
    }
    most = max(1, *(max(values) for values in series.values()))
    tick = round_step(most)
    top = -(-most // tick) * tick
    end, high = _WIDTH - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    step = (end - _LEFT) / (len(months) - 1)

    def y_of(amount: int) -> float:
        return _TOP + high * (1 - amount / top)

    body = []
    for amount in range(0, top + 1, tick):
        body.append(f'<path class="grid" d="M{_LEFT} {y_of(amount):.1f}H{end}"/>')
        body.append(text(_LEFT - 6, y_of(amount) + 4, money(amount) if amount else "0", anchor="end"))
    every = max(1, -(-len(months) // _MOST_NAMES))
    body += [
        text(_LEFT + place * step, _HEIGHT - 6, one.name, anchor=_anchor(place, len(months)))
        for place, one in enumerate(months)
        if place % every == 0
    ]
    body += [f'<path class="{name}" d="{_path(name, values, step, y_of)}"/>' for name, values in series.items()]
    heights = apart({name: y_of(values[-1]) + 4 for name, values in series.items()})
    body += [text(end + 8, y, names[name], kind="v") for name, y in heights.items()]
    return svg(body, label=label, width=_WIDTH, height=_HEIGHT, kind="burn")


def round_step(most: int) -> int:
    """Return the least of 1, 2, 5, 10, 20, ... of which few enough reach `most`."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power * _LINES >= most:
                return digit * power
        power *= 10


def apart(heights: Mapping[str, float]) -> dict[str, float]:
    """Return where names stand beside lines that end at these heights: none over another, the highest as it is."""
    found: dict[str, float] = {}
    last = -float(_APART)
    for name, y in sorted(heights.items(), key=lambda pair: pair[1]):
        last = found[name] = max(y, last + _APART)
    return found


def _anchor(place: int, count: int) -> str:
    """The first and the last name stay inside the drawing."""
    return "start" if place == 0 else "end" if place == count - 1 else "middle"


def _path(name: str, values: Sequence[int], step: float, y_of: Callable[[int], float]) -> str:
    """A plan is a line; money moves in steps."""
    points = [(_LEFT + place * step, y_of(value)) for place, value in enumerate(values)]
    start = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    if name == "planned":
        return start + "".join(f"L{x:.1f} {y:.1f}" for x, y in points[1:])
    return start + "".join(f"H{x:.1f}V{y:.1f}" for x, y in points[1:])
