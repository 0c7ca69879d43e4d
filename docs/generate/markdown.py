"""Tables, links and titles in Markdown, and what every generated page says first."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

WRITTEN = "<!-- Written by `make docs` from code and packs. Change those; a change made here is lost. -->"


def page(*parts: str) -> str:
    """Return the parts as one page, a blank line between them."""
    return "\n\n".join((WRITTEN, *parts)) + "\n"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar inside a cell is escaped, a line break becomes `<br>`."""
    lines = [_row(headers), "|" + "---|" * len(headers), *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.strip().replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |"


def code(*words: object) -> str:
    """Return the words as code, separated by commas; nothing for no words."""
    return ", ".join(f"`{word}`" for word in words)


def one_line(text: str | None) -> str:
    """Return the first paragraph of a docstring on one line."""
    return " ".join(inspect.cleandoc(text or "").split("\n\n", maxsplit=1)[0].split())


def link(text: str, path: Path, line: int | None = None) -> str:
    """Return a link from a page in `docs/` to a file of the repository."""
    anchor = f"#L{line}" if line else ""
    return f"[{text}](../{path.relative_to(ROOT).as_posix()}{anchor})"


def link_to(function: Callable[..., Any]) -> str:
    """Return a link to the file in which a function stands, under the function's name."""
    return link(f"`{name_of(function)}`", Path(inspect.getfile(function)).resolve())


def name_of(function: Callable[..., Any]) -> str:
    """Return how people call a rule: a rule that another function made has that one's name."""
    return function.__qualname__.split(".<locals>", maxsplit=1)[0].split("(", maxsplit=1)[0]
