"""The hardened reader of XES 1.0 event logs, one trace at a time: no DTD, no entities, bounded depth, text and size.

Read are the plain attributes of traces and of their events (string, date, int, float, boolean, id); what is nested
below an attribute, and what a log says of itself, is skipped.
"""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NoReturn
from xml.parsers import expat

from lifecycle.imports.problems import shown
from lifecycle.replays.refusal import LogRefused

MAX_DEPTH = 16
LONGEST_VALUE = 10_000
MOST_EVENTS = 10_000
"""Events of one case: a trace is held as a whole."""

_CHUNK = 1 << 16
_ENCODINGS = frozenset({"utf-8", "us-ascii"})
_NAMESPACES = frozenset({"", "http://www.xes-standard.org", "http://www.xes-standard.org/"})
_PLAIN = frozenset({"string", "date", "int", "float", "boolean", "id"})
_TRACE, _EVENT = 2, 3
"""Depth of a trace and of its events: `log/trace/event`."""


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event with its attributes as they are written, and where it stands."""

    place: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trace:
    """One case with its own attributes."""

    place: str
    attributes: Mapping[str, str]
    events: tuple[RawEvent, ...]


def traces(stream: BinaryIO, file: str) -> Iterator[Trace]:
    """Yield every trace of the log in its order; `LogRefused` names the line of what is wrong."""
    reader = _Reader(file)
    while True:
        chunk = stream.read(_CHUNK)
        reader.take(chunk)
        yield from reader.found
        reader.found.clear()
        if not chunk:
            return


class _Reader:
    """Follows the parser through one log; complete traces gather in `found`."""

    def __init__(self, file: str) -> None:
        self.found: list[Trace] = []
        self._file, self._is_first = file, True
        self._depth, self._skipped = 0, 0
        """How deep we are, and from which depth on what is read is skipped (0: nothing is)."""
        self._of_trace: dict[str, str] = {}
        self._of_event: dict[str, str] = {}
        self._events: list[RawEvent] = []
        self._trace_at = self._event_at = ""
        self._expat = expat.ParserCreate(namespace_separator="}")
        self._expat.StartDoctypeDeclHandler, self._expat.XmlDeclHandler = self._doctype, self._declared
        self._expat.StartElementHandler, self._expat.EndElementHandler = self._start, self._end

    def take(self, chunk: bytes) -> None:
        """Read on; refuse what is not well-formed."""
        if self._is_first and chunk.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            self._declared("1.0", "UTF-16", 0)
        self._is_first = False
        try:
            self._expat.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            place = f"line {error.lineno}"
            if error.code == expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]:
                self._refuse("log_xml_token", "XML 1.0, UTF-8", place=place)
            self._refuse("log_xml_malformed", "XML 1.0", place=place, why=expat.ErrorString(error.code))

    def _refuse(self, code: str, rule: str, *, place: str = "", **values: str | int) -> NoReturn:
        raise LogRefused(code, file=self._file, rule=rule, place=place or self._here(), **values) from None

    def _here(self) -> str:
        return f"line {self._expat.CurrentLineNumber}"

    def _doctype(self, *_: object) -> NoReturn:
        self._refuse("log_xml_dtd", "no DTD")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            self._refuse("log_xml_encoding", "UTF-8", found=shown(encoding))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse("log_xml_depth", f"depth <= {MAX_DEPTH}", limit=MAX_DEPTH)
        if self._skipped:
            return
        namespace, _, name = tag.rpartition("}")
        if self._depth == 1:
            if name != "log" or namespace not in _NAMESPACES:
                self._refuse("log_xml_no_log", "log, XES 1.0", found=shown(tag))
        elif self._depth == _TRACE and name == "trace":
            self._of_trace, self._events, self._trace_at = {}, [], self._here()
        elif self._depth == _TRACE and name == "event":
            self._refuse("log_event_without_case", "log/trace/event")
        elif self._depth == _EVENT and name == "event":
            self._of_event, self._event_at = {}, self._here()
        else:
            self._attribute(name, attributes)
            self._skipped = self._depth

    def _attribute(self, name: str, attributes: dict[str, str]) -> None:
        """Keep a plain attribute of the trace or event that is open."""
        if self._depth == _TRACE or name not in _PLAIN:
            return
        key, value = attributes.get("key"), attributes.get("value")
        if key is None or value is None:
            self._refuse("log_attribute_incomplete", "key and value", name=name)
        if len(value) > LONGEST_VALUE or len(key) > LONGEST_VALUE:
            self._refuse("log_value_too_long", f"value <= {LONGEST_VALUE}", limit=LONGEST_VALUE)
        held = self._of_event if self._depth > _EVENT else self._of_trace
        if key in held:
            self._refuse("log_attribute_twice", "each key once", key=shown(key))
        held[key] = value

    def _end(self, _tag: str) -> None:
        if self._skipped == self._depth:
            self._skipped = 0
        elif not self._skipped and self._depth == _EVENT:
            self._events.append(RawEvent(self._event_at, self._of_event))
            if len(self._events) > MOST_EVENTS:
                self._refuse("log_case_too_long", f"events <= {MOST_EVENTS}", limit=MOST_EVENTS)
        elif not self._skipped and self._depth == _TRACE:
            self.found.append(Trace(self._trace_at, self._of_trace, tuple(self._events)))
        self._depth -= 1
