"""Event logs for process mining: JSON lines, XES 1.0 (one case a project) and OCEL 2.0 in JSON (many objects an event).

Formats after IEEE 1849 (XES) and the OCEL 2.0 specification; written as a stream, so that memory does not grow.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO
from uuid import UUID
from xml.sax.saxutils import quoteattr

from sqlmodel import Session

from lifecycle.canonical import instant
from lifecycle.reports.history import OWNED, Event, events, objects, projects

_XES_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <classifier name="Activity" keys="concept:name"/>
"""

_ATTRIBUTES = ("from_state", "to_state", "actor", "door", "command_id", "reason", "codes")


def write_jsonl(session: Session, out: TextIO, only: frozenset[UUID] = frozenset()) -> int:
    """Write one event a line in the order of time; return how many."""
    count = 0
    for event in events(session, order="time", only=only):
        out.write(json.dumps(_plain(event), ensure_ascii=False, separators=(",", ":")) + "\n")
        count += 1
    return count


def write_xes(session: Session, out: TextIO, only: frozenset[UUID] = frozenset()) -> int:
    """Write one trace a project, its acts in order; return how many events."""
    count, present = 0, ""
    names = {row.number: row for row in projects(session, only)}
    out.write(_XES_HEAD)
    for event in events(session, order="project", only=only):
        if event.project_number != present:
            if present:
                out.write("  </trace>\n")
            present = event.project_number
            out.write("  <trace>\n" + _xes_trace(names[present]))
        out.write(_xes_event(event))
        count += 1
    out.write(("  </trace>\n" if present else "") + "</log>\n")
    return count


def _xes_trace(project: Any) -> str:
    return (
        _xes("string", "concept:name", project.number, 4)
        + _xes("string", "project:name", project.name, 4)
        + _xes("string", "project:stage", project.stage, 4)
    )


def _xes_event(event: Event) -> str:
    lines = [
        _xes("string", "concept:name", event.action, 6),
        _xes("date", "time:timestamp", event.at.isoformat(timespec="milliseconds"), 6),
        _xes("string", "lifecycle:transition", "ate_abort" if event.is_refused else "complete", 6),
        _xes("string", "org:resource", event.actor, 6),
        _xes("string", "object:type", event.object_type, 6),
        _xes("string", "object:id", str(event.object_id), 6),
    ]
    lines += [
        _xes("string", name, _text(event, name), 6)
        for name in ("from_state", "to_state", "reason", "codes")
        if getattr(event, name)
    ]
    return "    <event>\n" + "".join(lines) + "    </event>\n"


def _text(event: Event, name: str) -> str:
    value = getattr(event, name)
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _xes(kind: str, key: str, value: str, indent: int) -> str:
    return f"{' ' * indent}<{kind} key={quoteattr(key)} value={quoteattr(_xml_text(value))}/>\n"


def _xml_text(value: str) -> str:
    """Leave out what XML 1.0 cannot hold."""
    return (
        "".join(char for char in str(value) if char in "\t\n\r" or char >= " ")
        .replace("\ufffe", "")
        .replace("\uffff", "")
    )


def write_ocel(session: Session, out: TextIO, only: frozenset[UUID] = frozenset()) -> int:
    """Write objects with their relations, then events with theirs; return how many events."""
    kinds = ["project", "organisation", *OWNED]
    types = sorted({event.action for event in events(session, order="time", only=only)})
    out.write(
        '{"objectTypes":' + _json([_type(kind, ("number", "name") if kind == "project" else ()) for kind in kinds])
    )
    out.write(',"eventTypes":' + _json([_type(name, _ATTRIBUTES) for name in types]))
    out.write(',"objects":[')
    _separated(out, _ocel_objects(session, only))
    out.write('],"events":[')
    parties = {row.id: _parties(row) for row in projects(session, only)}
    happened = events(session, order="time", only=only)
    count = _separated(out, (_ocel_event(event, parties[event.project_id]) for event in happened))
    out.write("]}\n")
    return count


def _separated(out: TextIO, items: Iterator[Mapping[str, Any]]) -> int:
    count = 0
    for item in items:
        out.write(("," if count else "") + "\n" + _json(item))
        count += 1
    return count


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _type(name: str, attributes: tuple[str, ...]) -> dict[str, Any]:
    return {"name": name, "attributes": [{"name": attribute, "type": "string"} for attribute in attributes]}


def _ocel_objects(session: Session, only: frozenset[UUID]) -> Iterator[dict[str, Any]]:
    firms: dict[str, str] = {}
    for row in projects(session, only):
        parties = _parties(row)
        firms.update({party["objectId"]: "" for party in parties})
        yield {
            "id": str(row.id),
            "type": "project",
            "attributes": [
                {"name": "number", "time": "1970-01-01T00:00:00Z", "value": row.number},
                {"name": "name", "time": "1970-01-01T00:00:00Z", "value": row.name},
            ],
            "relationships": parties,
        }
    for firm in firms:
        yield {"id": firm, "type": "organisation", "attributes": [], "relationships": []}
    for kind in OWNED:
        for row in objects(session, kind, only):
            of = [{"objectId": str(row.project_id), "qualifier": "of project"}]
            yield {"id": str(row.id), "type": kind, "attributes": [], "relationships": of}


def _parties(project: Any) -> list[dict[str, str]]:
    parts = {"applicant": project.organisation_id, "platform": project.platform_id}
    return [{"objectId": str(party), "qualifier": part} for part, party in parts.items() if party is not None]


def _ocel_event(event: Event, parties: list[dict[str, str]]) -> dict[str, Any]:
    touched = [{"objectId": str(event.object_id), "qualifier": event.object_type}]
    if event.object_id != event.project_id:
        touched.append({"objectId": str(event.project_id), "qualifier": "project"})
    else:
        touched += parties
    return {
        "id": str(event.seq),
        "type": event.action,
        "time": instant(event.at),
        "attributes": [{"name": name, "value": _text(event, name)} for name in _ATTRIBUTES],
        "relationships": touched,
    }


def _plain(event: Event) -> dict[str, Any]:
    plain = {name: getattr(event, name) for name in event.__dataclass_fields__}
    return {**plain, "at": instant(event.at), "object_id": str(event.object_id), "project_id": str(event.project_id)}


WRITERS: Mapping[str, Callable[[Session, TextIO, frozenset[UUID]], int]] = {
    "jsonl": write_jsonl,
    "xes": write_xes,
    "ocel": write_ocel,
}
"""Format of `pilotway export events` -> writer."""
