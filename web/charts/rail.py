"""The stage rail: a box per stage in a fixed lane; visited solid, present filled, to come dashed, rework an arc."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from web.charts.svg import svg, text

_BOX, _TOP, _LEFT = 58, 26, 8
_MARKER = (
    '<defs><marker id="ar" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="10" '
    'markerHeight="10" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>'
)
_MARKS = {"now": "▶ ", "been": "✓ ", "next": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One stage as it is drawn; every text is in words already."""

    id: str
    name: str
    kind: str
    """`been`, `now` or `next`."""
    dwell: str
    """Days spent and days meant; of a stage that was passed without those spent back in it, which stand on the arc."""
    entered: str = ""
    """Day of the first visit; of the present stage that of the present one, and how many there were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """How often a project was sent back from one stage to another, and for how long."""

    source: str
    target: str
    said: str


def rail(boxes: Sequence[Box], arcs: Sequence[Arc], *, label: str, width: int) -> Markup:
    """Return the drawing; `width` of a box belongs to the language, whose words have to fit."""
    gap = 46
    place = {box.id: _LEFT + number * (width + gap) for number, box in enumerate(boxes)}
    body = [_MARKER]
    for one, following in pairwise(boxes):
        been = "" if following.kind == "next" else " been"
        start, end, y = place[one.id] + width, place[following.id] - 7, _TOP + _BOX / 2
        body.append(f'<path class="e{been}" d="M{start} {y:g}H{end}" marker-end="url(#ar)"/>')
    for arc in arcs:
        body += _arc(place[arc.source] + width * 0.35, place[arc.target] + width * 0.65, arc.said)
    for box in boxes:
        x = place[box.id]
        body += [
            f'<g class="n {box.kind}"><rect x="{x}" y="{_TOP}" width="{width}" height="{_BOX}" rx="6"/>',
            text(x + 12, _TOP + 25, _MARKS[box.kind] + box.name),
            text(x + 12, _TOP + 45, box.dwell, kind="sub"),
            "</g>",
        ]
        if box.entered:
            body.append(text(x + 2, _TOP - 9, box.entered, kind="sub"))
    whole = 2 * _LEFT + len(boxes) * width + (len(boxes) - 1) * gap
    return svg(body, label=label, width=whole, height=_TOP + _BOX + (62 if arcs else 10), kind="sc")


def _arc(start: float, end: float, said: str) -> list[str]:
    y = _TOP + _BOX
    turn = f"M{start:g} {y}C{start:g} {y + 44},{end:g} {y + 44},{end:g} {y + 8}"
    return [
        f'<path class="e back been" d="{turn}" marker-end="url(#ar)"/>',
        text((start + end) / 2, y + 52, said, kind="sub", anchor="middle"),
    ]
