"""The position of a fund as one bar: what is paid, on its way, promised and free, in proportion."""

from collections.abc import Sequence

from markupsafe import Markup

from web.charts.svg import svg

_WIDTH, _HEIGHT = 800, 28


def position_bar(parts: Sequence[tuple[str, int]], *, label: str) -> Markup:
    """Return the bar of (place, amount) in their order; what is below zero has no length."""
    whole = sum(max(0, amount) for _, amount in parts)
    body, x = [], 0.0
    for name, amount in parts:
        width = _WIDTH * max(0, amount) / whole if whole else 0
        if width:
            body.append(f'<rect class="{name}" x="{x:.2f}" y="0" width="{width:.2f}" height="{_HEIGHT}"/>')
        x += width
    return svg(body, label=label, width=_WIDTH, height=_HEIGHT, kind="bar-chart")
