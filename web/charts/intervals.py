"""Yields of batches: of each the interval above its lower bound, then the point; thresholds dashed, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from web.charts.svg import svg, text

_TOP, _ROW, _LEFT, _WIDE, _RIGHT = 44, 46, 58, 460, 28
_MOST = 0.8
"""The axis begins at the tenth below the lowest bound, at four fifths at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One batch as it is drawn."""

    name: str
    lower: float
    point: float
    said: str
    """The figures, in words: they stand above the line."""
    is_enough: bool
    """Whether the lower bound clears its threshold: drawn solid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A threshold, with its words."""

    at: float
    said: str


def intervals(dots: Sequence[Dot], limits: Sequence[Limit], *, label: str) -> Markup:
    """Return the drawing; a dashed line for each threshold, solid intervals only where the bound clears it."""
    floor = min([_MOST, *(one.lower for one in dots)])
    floor = int(floor * 10) / 10
    foot = _TOP + _ROW * len(dots) + 8

    def x(share: float) -> float:
        return round(_LEFT + _WIDE * (share - floor) / (1 - floor), 1)

    body: list[str] = []
    for tenth in range(int(floor * 10), 11):
        at = x(tenth / 10)
        body.append(f'<line class="grid" x1="{at:g}" y1="{_TOP}" x2="{at:g}" y2="{foot}"/>')
        body.append(text(at, foot + 16, f"{tenth * 10}%", anchor="middle"))
    for place, limit in enumerate(limits):
        at = x(limit.at)
        body.append(f'<path class="limit" d="{_between_the_words(at, len(dots))}"/>')
        body.append(
            text(at, 30 - 16 * (place % 2), limit.said, kind="limit-said", anchor="end" if limit.at > 0.7 else "start")
        )
    for place, dot in enumerate(dots):
        y = _TOP + _ROW * place + 30
        shape = "iv enough" if dot.is_enough else "iv"
        body += [
            text(_LEFT - 10, y + 4, dot.name, kind="v", anchor="end"),
            f'<line class="{shape}" x1="{x(dot.lower):g}" y1="{y}" x2="{x(dot.point):g}" y2="{y}"/>',
            f'<line class="{shape}" x1="{x(dot.lower):g}" y1="{y - 6}" x2="{x(dot.lower):g}" y2="{y + 6}"/>',
            f'<circle class="{shape}" cx="{x(dot.point):g}" cy="{y}" r="5.5"/>',
            _said(dot, x(dot.lower), x(dot.point), y - 10),
        ]
    return svg(body, label=label, width=_LEFT + _WIDE + _RIGHT, height=foot + 26)


def _between_the_words(at: float, rows: int) -> str:
    """Return the line of a threshold down the drawing, left open wherever the figures of a batch may stand."""
    return f"M{at:g} {_TOP - 6}V{_TOP + 7}" + "".join(f"M{at:g} {_TOP + _ROW * row + 25}v28" for row in range(rows))


def _said(dot: Dot, lower: float, point: float, y: float) -> str:
    """Return the figures of a batch above its interval, to the left of its point where they would leave the drawing."""
    is_near_the_end = lower > _LEFT + _WIDE / 2
    return text(point if is_near_the_end else lower, y, dot.said, anchor="end" if is_near_the_end else "")
