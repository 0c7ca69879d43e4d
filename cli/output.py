"""What a command prints: the result on stdout, talk on stderr; words for people, also in a pipe, JSON when asked."""

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from shutil import get_terminal_size
from typing import Any, TextIO

import typer

from lifecycle.errors import Invalid, unmet
from notifications.words import Lang, sentence, title


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table: its key in JSON and for `--fields`, and what kind of word its values are."""

    key: str
    kind: str | None = None
    is_wide: bool = False
    """Long text: it is folded when the terminal is narrow; other columns keep their width."""


def _utc() -> tzinfo:
    return UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How this run speaks."""

    lang: Lang
    as_json: bool = False
    fields: tuple[str, ...] = ()
    is_colourful: bool = True
    is_quiet: bool = False
    is_verbose: bool = False
    zone: Callable[[], tzinfo] = field(default=_utc)
    """Where people read: every instant is shown by the clock on their wall, with its zone once; asked when needed."""

    def document(self, document: Any) -> None:
        """Print the one JSON document of a run."""
        print(json_text(document, indent=2))

    def table(self, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> None:
        """Print rows: `{"data": […]}` as JSON, a table on a terminal, else tab-separated lines below their headings.

        Stored words are for programs (`--json`); people get those of their language, on a terminal and in a pipe.
        `--fields` picks columns, in JSON any key of the rows; `Invalid` for one that does not exist.
        """
        if self.as_json:
            self.document({"data": [_picked(row, self.fields) for row in rows]})
            return
        shown = self._columns(columns)
        lines = [[self.word(column.kind, row.get(column.key)) for column in shown] for row in rows]
        headings = self._headings(shown, rows)
        if not lines:
            self.say("nothing_found")
        elif sys.stdout.isatty():
            self._show_rows(shown, headings, lines)
        else:
            for line in (headings, *lines):
                print("\t".join(map(one_line, line)))

    def record(self, columns: Sequence[Column], row: Mapping[str, Any]) -> None:
        """Print one thing: its JSON, or a line for each of its facts."""
        if self.as_json:
            self.document(_picked(row, self.fields))
            return
        shown = self._columns(columns)
        headings = self._headings(shown, [row])
        wide = max(map(width_of, headings))
        for column, heading in zip(shown, headings, strict=True):
            if value := self.word(column.kind, row.get(column.key)):
                print(f"{padded(heading, wide)}  {cleaned(value)}")

    def line(self, text: str, colour: str = "") -> None:
        """Print a line of the result for people; nothing with `--json`."""
        if not self.as_json:
            print(self._painted(cleaned(text), colour, sys.stdout))

    def say(self, code: str, **values: Any) -> None:
        """Talk to the person, on stderr; `-q` keeps it quiet."""
        if not self.is_quiet:
            self.warn(sentence(code, values, self.lang))

    def warn(self, text: str, colour: str = "") -> None:
        """Print what must be seen, on stderr."""
        print(self._painted(cleaned(text), colour, sys.stderr), file=sys.stderr)

    def mark(self, code: str) -> str:
        """Return the word that begins a line of good or bad news, as wide as its companions."""
        return padded(title("mark", code, self.lang), 4)

    def label(self, key: str) -> str:
        """Return the heading of a column."""
        return title("label", key, self.lang)

    def word(self, kind: str | None, value: Any) -> str:
        """Return a value as people read it."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return title("answer", "yes" if value else "no", self.lang)
        if isinstance(value, datetime):
            return f"{value.astimezone(self.zone()):%Y-%m-%d %H:%M}"
        if isinstance(value, (list, tuple)):
            return ("、" if self.lang == "zh-CN" else ", ").join(self.word(kind, one) for one in value)
        return title(kind, str(value), self.lang) if kind else str(value)

    @contextmanager
    def progress(self, code: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Show a bar for long work, on a terminal only; the block calls what it is given with the steps done."""
        if self.is_quiet or self.as_json or not sys.stderr.isatty():
            yield lambda _steps: None
            return
        from rich.progress import Progress

        with Progress(console=self.console(sys.stderr), transient=True) as bar:
            task = bar.add_task(sentence(code, {}, self.lang), total=total)
            yield lambda steps: bar.advance(task, steps)

    def console(self, stream: TextIO) -> Any:
        """Return rich's console for a stream, without colours where they are not wanted."""
        from rich.console import Console

        wanted: Any = {} if self.is_colourful else {"color_system": None}
        return Console(file=stream, highlight=False, markup=False, emoji=False, **wanted)

    def _painted(self, text: str, colour: str, stream: TextIO) -> str:
        """Return text in a colour where a person looks on; colour never says what the text does not."""
        return typer.style(text, fg=colour, bold=True) if colour and self.is_colourful and stream.isatty() else text

    def _columns(self, columns: Sequence[Column]) -> list[Column]:
        known = {column.key: column for column in columns}
        unknown = [field for field in self.fields if field not in known]
        if unknown:
            raise Invalid(unmet("output_field_unknown", given=unknown, known=list(known)))
        return [known[field] for field in self.fields] if self.fields else list(columns)

    def _headings(self, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the headings of these columns; the first one over instants says in which zone they are."""
        found = [self.label(column.key) for column in columns]
        timed = (
            place for place, one in enumerate(columns) if any(isinstance(row.get(one.key), datetime) for row in rows)
        )
        if (first := next(timed, None)) is not None:
            found[first] += f" ({self.zone()})"
        return found

    def _show_rows(self, columns: Sequence[Column], headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
        """Show a table where it fits, else each row as a block of its own: nothing is cut off."""
        needed = 0
        for place, column in enumerate(columns):
            cells = max(width_of(line[place]) for line in (headings, *lines))
            needed += _GAP + (min(cells, _LEAST_WIDE) if column.is_wide else cells)
        if needed - _GAP <= screen_width():
            self._rich_table(columns, headings, lines)
            return
        wide = max(map(width_of, headings))
        for line in lines:
            for heading, cell in zip(headings, line, strict=True):
                for place, part in enumerate(folded(cell, screen_width() - wide - _GAP) if cell else []):
                    print(f"{padded(heading if place == 0 else '', wide)}  {part}")
            print()

    def _rich_table(self, columns: Sequence[Column], headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
        for column, heading in zip(columns, headings, strict=True):
            table.add_column(heading, overflow="fold", no_wrap=not column.is_wide)
        for line in lines:
            table.add_row(*(Text(cleaned(cell)) for cell in line))
        self.console(sys.stdout).print(table)


_GAP = 2
"""Blanks between two columns."""
_LEAST_WIDE = 10
"""Below this width long text is no longer worth a column."""


def language(wanted: str | None) -> Lang:
    """Return the language of `--lang`, else of the locale, English where that does not say Chinese.

    Raises `typer.BadParameter` for a `--lang` that is neither.
    """
    if wanted and not wanted.lower().startswith(("zh", "en")):
        raise typer.BadParameter(f"expected zh-CN or en, got {wanted!r}")
    spoken = wanted or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh-CN" if spoken.lower().startswith("zh") else "en"


def cleaned(text: str) -> str:
    """Return text that cannot steer a terminal: what people typed may hold control characters."""
    if text.isprintable():
        return text
    return "".join(char if char == "\n" or unicodedata.category(char) not in ("Cc", "Cf") else "�" for char in text)


def one_line(text: str) -> str:
    """Return text that stays within its cell of a tab-separated line."""
    return cleaned(" ".join(text.split()))


def padded(text: str, width: int) -> str:
    """Return text filled with blanks to a width on the screen."""
    return text + " " * max(0, width - width_of(text))


def width_of(text: str) -> int:
    """Return how many columns of the screen a text takes: a Chinese character is two wide."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def screen_width() -> int:
    """Return the columns of the terminal; a pipe has no edge, so that a sentence stays on its line."""
    return get_terminal_size((80, 24)).columns if sys.stdout.isatty() else sys.maxsize


def folded(text: str, width: int) -> list[str]:
    """Return the lines of a text that fit into a width of the screen.

    A line breaks at a blank or beside a Chinese character, and never begins with closing punctuation.
    """
    lines = [""]
    for piece in _PIECES.findall(cleaned(text)):
        if width_of(lines[-1] + piece.rstrip()) > max(20, width) and lines[-1]:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]


_WIDE = "\u2e80-\u9fff\uf900-\ufaff"
_PIECES = re.compile(
    f"[“（《「]*(?:[{_WIDE}]|[^\\s{_WIDE}，。、；：？！”）》」“（《「]+)?[，。、；：？！”）》」]*[ ]*|\n"
)
"""A Chinese character or a word, with the punctuation that belongs to it."""


def _picked(row: Mapping[str, Any], fields: Sequence[str]) -> Mapping[str, Any]:
    unknown = [field for field in fields if field not in row]
    if unknown:
        raise Invalid(unmet("output_field_unknown", given=unknown, known=list(row)))
    return {field: row[field] for field in fields} if fields else row


def json_text(document: Any, *, indent: int | None = None) -> str:
    """Return the JSON of a document; where stdout is not UTF-8 in ASCII only, for it must stay JSON."""
    is_unicode = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    return json.dumps(document, ensure_ascii=not is_unicode, indent=indent, default=plain)


def plain(value: Any) -> Any:
    """Return the JSON of what JSON has no form for: instants to the microsecond in UTC, days, ids as text."""
    if isinstance(value, datetime):
        whole = value if value.tzinfo is None else value.astimezone(UTC)  # the wall clock of a place is for people
        return whole.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)
