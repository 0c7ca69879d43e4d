"""A square code that leads back to a page: for paper, which nobody can click."""

import segno
from markupsafe import Markup


def qr(address: str, title: str) -> Markup:
    """Return the code of an address, dark on light whatever the page's colours are: a camera reads nothing else."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        omitsize=True, border=2, light="#fff", dark="#000", title=title, svgclass="qr", lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - drawn by us: the address is in the figure, the title escaped by the writer
