"""An event log as its cases: read from XES or CSV, checked, every event with the act that the mapping says it is.

A log is taken as a whole or not at all; only a case whose amount cannot be read is left out by itself, and listed.
"""

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from lifecycle.imports.archive import MAX_TOTAL, MEBIBYTE, BoundedGzip
from lifecycle.imports.csv_file import GZIP_MARK
from lifecycle.imports.problems import shown
from lifecycle.imports.reader import TableFormat, open_table
from lifecycle.replays.amounts import minor_of_text
from lifecycle.replays.mapping import CASE_PREFIX, ActRule, Deed, PayoutMapping
from lifecycle.replays.refusal import LogRefused, naming
from lifecycle.replays.xes import RawEvent, Trace, traces
from models.money import AmountProblem

MAX_EVENTS = 1_000_000
"""Events of one log: its cases are held until they were played."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a case, and the act it is; without one the mapping does not know its activity."""

    place: str
    activity: str
    at: datetime
    day: date
    person: tuple[str, ...]
    rule: ActRule | None
    amount_minor: int | None = None
    """What the event says of the amount; None where it says nothing. Below one for what is no payment."""

    @property
    def deed(self) -> Deed | None:
        """The act, None where the mapping does not know the activity."""
        return None if self.rule is None else self.rule.act


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request with everything that happened to it, in the order of the log."""

    name: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A case that was left out, and why."""

    case: str
    place: str
    code: str
    rule: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Log:
    """A log that may be played."""

    file: str
    cases: list[Case] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    """Activity that no rule names -> its events."""

    @property
    def events(self) -> int:
        """How many events the readable cases have."""
        return sum(len(case.events) for case in self.cases)


def read_log(path: Path, mapping: PayoutMapping, *, first: int | None = None) -> Log:
    """Return the cases, or the first so many, of an XES or CSV log, also packed with gzip.

    `LogRefused` names file, place and rule of what is wrong in what was read.
    """
    log, known, total = Log(file=path.name), set[str](), 0
    with naming(path.name):
        for trace in islice(_traces(path, mapping), first):
            total += len(trace.events)
            if total > MAX_EVENTS:
                rule = f"events <= {MAX_EVENTS}"
                raise LogRefused("log_too_long", file=path.name, place=trace.place, rule=rule, limit=MAX_EVENTS)
            name = _named(path.name, trace, mapping.case)
            if name in known:
                raise LogRefused("log_case_twice", file=path.name, place=trace.place, rule="one case", case=shown(name))
            known.add(name)
            _enter(log, name, trace, mapping)
    if not any(event.rule for case in log.cases for event in case.events) and not log.unread:
        raise LogRefused("log_nothing_known", file=path.name, rule="acts", known=mapping.acts[0].activity)
    return log


def _named(file: str, trace: Trace, key: str) -> str:
    name = trace.attributes.get(key.removeprefix(CASE_PREFIX), "") if key.startswith(CASE_PREFIX) else ""
    name = name or (trace.events[0].attributes.get(key, "") if trace.events else "")
    if not name.strip():
        raise LogRefused("log_case_unnamed", file=file, place=trace.place, rule=key, attribute=key)
    return name


def _enter(log: Log, name: str, trace: Trace, mapping: PayoutMapping) -> None:
    events: list[Event] = []
    for raw in trace.events:
        try:
            event = _event(log.file, raw, mapping)
        except AmountProblem as problem:
            rule = f"{mapping.amount.attribute}, {mapping.currency}"
            log.unread.append(Unread(case=name, place=raw.place, code=problem.code, rule=rule, values=problem.params))
            return
        if events and event.at < events[-1].at and mapping.order == "refuse":
            raise LogRefused("log_out_of_order", file=log.file, place=raw.place, rule="order: refuse", case=shown(name))
        events.append(event)
    log.unknown.update(event.activity for event in events if event.rule is None)
    log.cases.append(Case(name=name, events=tuple(sorted(events, key=lambda event: event.at))))


def _event(file: str, raw: RawEvent, mapping: PayoutMapping) -> Event:
    activity, written = (raw.attributes.get(name, "") for name in (mapping.activity, mapping.time))
    if not activity:
        raise LogRefused("log_no_activity", file=file, place=raw.place, rule=mapping.activity)
    at = _instant(file, raw.place, written, mapping)
    rule = mapping.rule_of(activity, raw.attributes)
    asked = mapping.amount.attribute
    text = raw.attributes.get(asked) if asked is not None else None
    amount = mapping.amount.constant_minor
    if text is not None and rule is not None:
        amount = minor_of_text(text, mapping.currency, is_rounded=mapping.amount.decimals == "half_up")
    return Event(
        place=raw.place,
        activity=activity,
        at=at,
        day=at.astimezone(mapping.zone).date(),
        person=tuple(raw.attributes.get(name, "") for name in mapping.person),
        rule=rule,
        amount_minor=amount,
    )


def _instant(file: str, place: str, written: str, mapping: PayoutMapping) -> datetime:
    if not written:
        raise LogRefused("log_no_time", file=file, place=place, rule=mapping.time)
    return instant_of(written, mapping.zone, file=file, place=place, rule=mapping.time)


def instant_of(written: str, zone: ZoneInfo, *, file: str, place: str, rule: str) -> datetime:
    """Return a time as ISO 8601 writes it; without an offset it is of this zone. `LogRefused` for anything else."""
    try:
        at = datetime.fromisoformat(written.strip())
    except ValueError:
        raise LogRefused(
            "log_time_wrong", file=file, place=place, rule=f"{rule}, ISO 8601", found=shown(written)
        ) from None
    if not 1970 <= at.year < 2200:
        raise LogRefused("log_time_wrong", file=file, place=place, rule=f"{rule}, 1970-2199", found=shown(written))
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _traces(path: Path, mapping: PayoutMapping) -> Iterator[Trace]:
    """Yield the cases: of XML one by one, of a table gathered by the name of the case."""
    with opened(path) as stream:
        start = stream.read(64)
    if not start:
        raise LogRefused("log_empty", file=path.name, rule="not empty")
    is_xml = start.removeprefix(_BOM).lstrip().startswith(b"<") or start.startswith((b"\xff\xfe<", b"\xfe\xff\0<"))
    if not is_xml:
        yield from _table(path, mapping)
        return
    with opened(path) as stream:
        yield from traces(stream, path.name)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a log, unpacking gzip by its first bytes within the limits of archives."""
    with path.open("rb") as file:
        is_packed = file.read(2) == GZIP_MARK
        file.seek(0)
        if not is_packed and path.stat().st_size > MAX_TOTAL:
            limit = MAX_TOTAL // MEBIBYTE
            raise LogRefused("log_too_large", file=path.name, rule=f"<= {limit} MiB", limit=limit)
        try:
            yield io.BufferedReader(BoundedGzip(file), 1 << 16) if is_packed else file
        except (EOFError, OSError) as error:
            if not is_packed:
                raise
            raise LogRefused("log_damaged", file=path.name, rule="gzip") from error


def _table(path: Path, mapping: PayoutMapping) -> Iterator[Trace]:
    gathered: dict[str, list[RawEvent]] = {}
    rows = table_rows(path, mapping.encoding, mapping.delimiter, mapping.read_attributes)
    for total, (place, attributes) in enumerate(rows, start=1):
        if total > MAX_EVENTS:
            raise LogRefused(
                "log_too_long", file=path.name, place=place, rule=f"events <= {MAX_EVENTS}", limit=MAX_EVENTS
            )
        name = attributes.get(mapping.case, "")
        if not name.strip():
            raise LogRefused("log_case_unnamed", file=path.name, place=place, rule=mapping.case, attribute=mapping.case)
        gathered.setdefault(name, []).append(RawEvent(place, attributes))
    for events in gathered.values():
        yield Trace(events[0].place, {}, tuple(events))


def table_rows(
    path: Path, encoding: str | None, delimiter: str, wanted: frozenset[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, column -> value of those wanted) of a CSV file; `LogRefused` when it lacks one of them."""
    expected = TableFormat(kind="csv", encoding=encoding, delimiter=delimiter)  # type: ignore[arg-type]
    rows = iter(open_table(path, expected).rows)
    header = [str(cell) for cell in next(rows).cells]
    missing = sorted(wanted - set(header))
    if missing:
        raise LogRefused("log_column_missing", file=path.name, place="row 1", rule=missing[0], column=missing[0])
    twice = sorted({name for name in wanted if header.count(name) > 1})
    if twice:
        raise LogRefused("log_column_twice", file=path.name, place="row 1", rule=twice[0], column=twice[0])
    places = [(place, name) for place, name in enumerate(header) if name in wanted]
    for row in rows:
        if not any(row.cells):
            continue
        if len(row.cells) != len(header):
            counts = {"found": len(row.cells), "expected": len(header)}
            raise LogRefused("log_row_ragged", file=path.name, place=f"row {row.number}", rule="cells", **counts)
        yield f"row {row.number}", {name: str(row.cells[place]) for place, name in places if row.cells[place]}
