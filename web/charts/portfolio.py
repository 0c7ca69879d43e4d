"""Drawings of the portfolio: how far projects came, how long stages last, what share of the decided succeeded."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lifecycle.stages.statistics import Interval
from web.charts.svg import link, svg, text

_ROW, _TOP = 34, 8
_WIDE = 560


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of a funnel, in words."""

    name: str
    count: int
    said: str
    """What stands behind the bar."""
    url: str = ""
    """The list of what it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One row of a strip: two quantiles against a target, all in days."""

    name: str
    median: int | None
    p90: int | None
    target: int | None
    said: str
    url: str = ""
    """The list of the projects that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A line drawn beside a figure: somebody else's, not ours."""

    at: float
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How wide a drawing is, and where its words have room: beside a row, or above it where there is none."""

    wide: int = _WIDE
    left: int = 0
    tail: int = 0
    above: int = 0
    kind: str = "broad"

    @property
    def row(self) -> int:
        """Return the height of a row with its words."""
        return _ROW + self.above

    def named(self, name: str, y: float) -> str:
        """Return the name of a row whose middle is at `y`."""
        if self.above:
            return text(0, y - 20, name, kind="v")
        return text(self.left - 8, y + 5, name, kind="v", anchor="end")


def funnel(bars: Sequence[Bar], *, label: str, room: Room) -> Markup:
    """Return bars from zero, one below the other."""
    widest = max((bar.count for bar in bars), default=0) or 1
    body: list[str] = []
    for place, bar in enumerate(bars):
        width = max(2.0, (room.wide - room.left - room.tail) * bar.count / widest) if bar.count else 0.0
        y = _TOP + place * room.row + room.above
        row = [room.named(bar.name, y + 12)]
        if width:
            row.append(
                f'<rect class="bar{min(5, place + 1)}" x="{room.left}" y="{y}" width="{width:g}" height="22" rx="3"/>'
            )
        row.append(text(room.left + width + 8, y + 16, bar.said))
        body += link(bar.url, row, y=y - 3 - room.above, width=room.wide, height=room.row - 6)
    high = _TOP + len(bars) * room.row
    return svg(body, label=label, width=room.wide, height=high, kind=room.kind, role="group")


def strip(spans: Sequence[Span], *, label: str, room: Room) -> Markup:
    """Return for each row a line from zero: a dot at the median, a tick at P90, a dashed tick at the target."""
    days = [value for one in spans for value in (one.median, one.p90, one.target) if value is not None]
    left, end_of_line = room.left, room.wide - room.tail
    scale = (end_of_line - left) / (max(days, default=0) or 1)
    body: list[str] = []
    for place, one in enumerate(spans):
        y = _TOP + place * room.row + 11 + room.above
        row = [room.named(one.name, y), f'<line class="grid" x1="{left}" x2="{end_of_line}" y1="{y}" y2="{y}"/>']
        if one.p90 is not None and one.median is not None:
            start, end = left + one.median * scale, left + one.p90 * scale
            row.append(f'<line class="range" x1="{start:g}" x2="{end:g}" y1="{y}" y2="{y}"/>')
            row.append(f'<line class="tick" x1="{end:g}" x2="{end:g}" y1="{y - 8}" y2="{y + 8}"/>')
        if one.median is not None:
            row.append(f'<circle class="dot" cx="{left + one.median * scale:g}" cy="{y}" r="6"/>')
        if one.target is not None:
            x = left + one.target * scale
            row.append(f'<line class="target" x1="{x:g}" x2="{x:g}" y1="{y - 12}" y2="{y + 12}"/>')
        said = (room.wide, y - 20, "end") if room.above else (end_of_line + 8, y + 5, "")
        row.append(text(said[0], said[1], one.said, anchor=said[2]))
        body += link(one.url, row, y=y - 14 - room.above, width=room.wide, height=room.row - 6)
    high = _TOP + len(spans) * room.row
    return svg(body, label=label, width=room.wide, height=high, kind=room.kind, role="group")


def share(found: Interval, references: Sequence[Reference], *, label: str, said: str, room: Room) -> Markup:
    """Return a share with its interval on an axis from nothing to all, beside dashed reference lines."""
    left, wide, y = 20, room.wide - 60, 52 + room.above

    def place(value: float) -> float:
        return round(left + wide * value, 1)

    body = [f'<line class="grid" x1="{left}" x2="{left + wide}" y1="{y}" y2="{y}"/>']
    for tenth in range(0, 11, 2):
        x = place(tenth / 10)
        body.append(f'<line class="grid" x1="{x:g}" x2="{x:g}" y1="{y}" y2="{y + 6}"/>')
        body.append(text(x, y + 22, f"{tenth * 10}%", anchor="middle"))
    for number, one in enumerate(references):
        x, below = place(one.at), 0 if number % 2 else room.above
        body.append(f'<line class="target" x1="{x:g}" x2="{x:g}" y1="{22 + below}" y2="{y + 6}"/>')
        body.append(text(x, 16 + below, one.said, anchor="middle"))
    body.append(f'<line class="range" x1="{place(found.lower):g}" x2="{place(found.upper):g}" y1="{y}" y2="{y}"/>')
    body += [
        f'<line class="tick" x1="{place(end):g}" x2="{place(end):g}" y1="{y - 8}" y2="{y + 8}"/>'
        for end in (found.lower, found.upper)
    ]
    body.append(f'<circle class="dot" cx="{place(found.point):g}" cy="{y}" r="7"/>')
    body.append(text(place(found.point), y + 44, said, kind="v", anchor="middle"))
    return svg(body, label=label, width=room.wide, height=y + 52, kind=room.kind)
