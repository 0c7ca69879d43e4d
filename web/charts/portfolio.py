"""Drawings of the portfolio: how far projects came, how long stages last, what share of the decided succeeded."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

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


def funnel(bars: Sequence[Bar], *, label: str, left: int, tail: int) -> Markup:
    """Return bars from zero, one below the other; `left` and `tail` are the room that the words need."""
    widest = max((bar.count for bar in bars), default=0) or 1
    body: list[str] = []
    for place, bar in enumerate(bars):
        width = max(2.0, (_WIDE - left - tail) * bar.count / widest) if bar.count else 0.0
        y = _TOP + place * _ROW
        row = [text(left - 8, y + 17, bar.name, kind="v", anchor="end")]
        if width:
            row.append(
                f'<rect class="bar{min(5, place + 1)}" x="{left}" y="{y}" width="{width:g}" height="22" rx="3"/>'
            )
        row.append(text(left + width + 8, y + 16, bar.said))
        body += link(bar.url, row, y=y - 3, width=_WIDE, height=_ROW - 6)
    return svg(body, label=label, width=_WIDE, height=_TOP + len(bars) * _ROW, role="group")


def strip(spans: Sequence[Span], *, label: str, left: int, tail: int) -> Markup:
    """Return for each row a line from zero: a dot at the median, a tick at P90, a dashed tick at the target."""
    days = [value for one in spans for value in (one.median, one.p90, one.target) if value is not None]
    scale = (_WIDE - left - tail) / (max(days, default=0) or 1)
    body: list[str] = []
    for place, one in enumerate(spans):
        y = _TOP + place * _ROW + 11
        row = [text(left - 8, y + 5, one.name, kind="v", anchor="end")]
        row.append(f'<line class="grid" x1="{left}" x2="{_WIDE - tail}" y1="{y}" y2="{y}"/>')
        if one.p90 is not None and one.median is not None:
            start, end = left + one.median * scale, left + one.p90 * scale
            row.append(f'<line class="range" x1="{start:g}" x2="{end:g}" y1="{y}" y2="{y}"/>')
            row.append(f'<line class="tick" x1="{end:g}" x2="{end:g}" y1="{y - 8}" y2="{y + 8}"/>')
        if one.median is not None:
            row.append(f'<circle class="dot" cx="{left + one.median * scale:g}" cy="{y}" r="6"/>')
        if one.target is not None:
            x = left + one.target * scale
            row.append(f'<line class="target" x1="{x:g}" x2="{x:g}" y1="{y - 12}" y2="{y + 12}"/>')
        row.append(text(_WIDE - tail + 8, y + 5, one.said))
        body += link(one.url, row, y=y - 14, width=_WIDE, height=_ROW - 6)
    return svg(body, label=label, width=_WIDE, height=_TOP + len(spans) * _ROW, role="group")


def share(
    point: float, lower: float, upper: float, references: Sequence[Reference], *, label: str, said: str
) -> Markup:
    """Return a share with its interval on an axis from nothing to all, beside dashed reference lines."""
    left, wide, y = 20, _WIDE - 60, 52

    def place(value: float) -> float:
        return round(left + wide * value, 1)

    body = [f'<line class="grid" x1="{left}" x2="{left + wide}" y1="{y}" y2="{y}"/>']
    for tenth in range(0, 11, 2):
        x = place(tenth / 10)
        body.append(f'<line class="grid" x1="{x:g}" x2="{x:g}" y1="{y}" y2="{y + 6}"/>')
        body.append(text(x, y + 22, f"{tenth * 10}%", anchor="middle"))
    for one in references:
        x = place(one.at)
        body.append(f'<line class="target" x1="{x:g}" x2="{x:g}" y1="22" y2="{y + 6}"/>')
        body.append(text(x, 16, one.said, anchor="middle"))
    body.append(f'<line class="range" x1="{place(lower):g}" x2="{place(upper):g}" y1="{y}" y2="{y}"/>')
    body += [
        f'<line class="tick" x1="{place(end):g}" x2="{place(end):g}" y1="{y - 8}" y2="{y + 8}"/>'
        for end in (lower, upper)
    ]
    body.append(f'<circle class="dot" cx="{place(point):g}" cy="{y}" r="7"/>')
    body.append(text(place(point), y + 44, said, kind="v", anchor="middle"))
    return svg(body, label=label, width=_WIDE, height=y + 52)
