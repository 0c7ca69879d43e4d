"""The frame of every drawing: one SVG with a title that says the same, colours from the page's own variables."""

from collections.abc import Iterable
from html import escape

from markupsafe import Markup


def svg(body: Iterable[str], *, label: str, width: float, height: float, kind: str = "", role: str = "img") -> Markup:
    """Return a drawing whose text alternative is `label`; `body` is markup whose texts were escaped.

    One that holds links is a `group`: what is in an `img` is told to nobody.
    """
    shape = f' class="{kind}"' if kind else ""
    head = f'<svg{shape} role="{role}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">'
    return Markup("".join([head, f"<title>{escape(label)}</title>", *body, "</svg>"]))  # noqa: S704 - escaped above


def text(x: float, y: float, said: str, *, kind: str = "", anchor: str = "") -> str:
    """Return a text at a place, escaped."""
    extra = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:g}" y="{y:g}"{extra}>{escape(said)}</text>'


def link(address: str, body: Iterable[str], *, y: float, width: float, height: float) -> Iterable[str]:
    """Return a row of a drawing that leads somewhere over its whole width; as it is where there is no address."""
    if not address:
        return body
    place = f'<rect y="{y:g}" width="{width:g}" height="{height:g}" fill="none" pointer-events="all"/>'
    return [f'<a href="{escape(address)}">', place, *body, "</a>"]
