"""How a message is written: one element a line, indented, in UTF-8; the same bytes for the same content."""

from collections.abc import Iterator
from typing import TypeAlias
from xml.sax.saxutils import escape

Node: TypeAlias = tuple[str, "str | list[Node]"]
"""An element with its attributes, and its text or what is below it."""


def written(document: Node) -> bytes:
    """Return the document as XML."""
    return "\n".join(('<?xml version="1.0" encoding="UTF-8"?>', *_lines(document, 0), "")).encode()


def _lines(node: Node, depth: int) -> Iterator[str]:
    tag, content = node
    margin, name = "  " * depth, tag.partition(" ")[0]
    if isinstance(content, str):
        yield f"{margin}<{tag}>{escape(content)}</{name}>"
        return
    yield f"{margin}<{tag}>"
    for child in content:
        yield from _lines(child, depth + 1)
    yield f"{margin}</{name}>"
