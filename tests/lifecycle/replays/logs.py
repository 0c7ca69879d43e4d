"""Small logs for tests, and what plays them in a dry database."""

import gzip
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from lifecycle.calendar import china
from lifecycle.replays.log import Log, read_log
from lifecycle.replays.mapping import PayoutMapping
from lifecycle.replays.play import Stage, play
from lifecycle.replays.tally import document_of
from models.db import transaction
from models.ids import new_id

MAPPING: Mapping[str, Any] = {
    "reads": "payouts",
    "source": "office",
    "about": {"zh": "办公室", "en": "The office"},
    "timezone": "Asia/Shanghai",
    "person": ["org:resource"],
    "currency": "CNY",
    "amount": {"attribute": "amount"},
    "acts": [
        {"activity": "ask", "act": "request"},
        {"activity": "check", "act": "certify"},
        {"activity": "pass", "act": "approve"},
        {"activity": "back", "act": "send_back"},
        {"activity": "no", "act": "reject"},
        {"activity": "drop", "act": "cancel"},
        {"activity": "let go", "act": "release"},
        {"activity": "run", "act": "instruct"},
        {"activity": "paid", "act": "paid"},
        {"activity": "bounced", "act": "returned"},
        {"activity": "look", "act": "none", "why": {"zh": "只是看", "en": "Only a look."}},
    ],
}
PEOPLE = {"ask": "Li", "drop": "Li", "check": "Wu", "pass": "Zhou", "back": "Zhou", "no": "Zhou", "let go": "Qian"}


def mapping(**changes: Any) -> PayoutMapping:
    """Return the mapping of the office, with changes."""
    return PayoutMapping.model_validate({**MAPPING, **changes})


def event(activity: str, number: int, **attributes: str) -> str:
    """Return one event of XES: its number is its day in March and, unless named, its person follows from it."""
    said = {
        "concept:name": activity,
        "org:resource": PEOPLE.get(activity, "system"),
        "time:timestamp": f"2026-03-{number:02d}T10:00:00+08:00",
        "amount": "100.00",
        **attributes,
    }
    lines = [f'<string key="{key}" value="{value}"/>' for key, value in said.items() if value]
    return "<event>\n" + "\n".join(lines) + "\n</event>"


def trace(name: str, *events: str) -> str:
    """Return one case of XES."""
    return f'<trace>\n<string key="concept:name" value="{name}"/>\n' + "\n".join(events) + "\n</trace>"


def steps(name: str, *activities: str, **attributes: str) -> str:
    """Return one case whose events follow each other day by day."""
    return trace(name, *(event(one, day, **attributes) for day, one in enumerate(activities, start=1)))


def xes(folder: Path, *traces: str, start: str = '<?xml version="1.0" encoding="UTF-8"?>\n') -> Path:
    """Write a log and return its path."""
    path = folder / "office.xes"
    path.write_text(f'{start}<log xes.version="1.0">\n' + "\n".join(traces) + "\n</log>\n", encoding="utf-8")
    return path


def packed(path: Path) -> Path:
    """Return the same file packed."""
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    return target


def table(folder: Path, rows: Sequence[Sequence[str]], *, encoding: str = "utf-8") -> Path:
    """Write rows as CSV and return its path."""
    path = folder / "office.csv"
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding=encoding)
    return path


def stage(engine: Engine, *, days: int = 7) -> Stage:
    """Return what a play needs, on this empty database."""
    return Stage(scene=partial(transaction, engine), calendar=china(), new_id=new_id, days=days)


def played(engine: Engine, log: Log, how: PayoutMapping, *, days: int = 7) -> dict[str, Any]:
    """Play a log and return its report."""
    return document_of(log, how, play(log, how, stage(engine, days=days)))


def report(engine: Engine, path: Path, **changes: Any) -> dict[str, Any]:
    """Read and play a log of the office and return its report."""
    how = mapping(**changes)
    return played(engine, read_log(path, how), how)
