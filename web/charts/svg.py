"""The frame of every drawing: one SVG with a title that says the same, colours from the page's own variables."""

from collections.abc import Iterable
from html import escape

from markupsafe import Markup


def svg(body: Iterable[str], *, label: str, width: float, height: float, kind: str = "") -> Markup:
    """Return a drawing whose text alternative is `label`; `body` is markup whose texts were escaped."""
    shape = f' class="{kind}"' if kind else ""
    head = f'<svg{shape} role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">'
    return Markup("".join([head, f"<title>{escape(label)}</title>", *body, "</svg>"]))  # noqa: S704 - escaped above


def text(x: float, y: float, said: str, *, kind: str = "", anchor: str = "") -> str:
    """Return a text at a place, escaped."""
    extra = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:g}" y="{y:g}"{extra}>{escape(said)}</text>'
