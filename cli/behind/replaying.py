"""A replay: the mapping, a dry database in a folder of its own, a bar while it plays, the report and its summary."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from sqlalchemy import Engine

from cli.errors import PARTLY
from cli.output import Column, Output
from lifecycle.calendar import china
from lifecycle.errors import Invalid, Unmet, unmet
from lifecycle.imports.mapping import MappingProblem
from lifecycle.invariants.check import all_checks, check
from lifecycle.replays.log import read_log
from lifecycle.replays.mapping import FundMapping, Mappings, PayoutMapping, load_replay_mapping, shipped_replay_mappings
from lifecycle.replays.money import fund_document, play_register
from lifecycle.replays.play import Stage, play
from lifecycle.replays.register import read_register
from lifecycle.replays.tally import document_of
from models.clock import SystemClock
from models.db import make_engine, reading, transaction
from models.ids import new_id
from models.migrate import upgrade
from notifications.words import LANGUAGES, explain_unmet

_BY_ACTIVITY = (
    Column(key="activity", is_wide=True),
    Column(key="act", kind="deed"),
    Column(key="accepted"),
    Column(key="refused"),
)
_BY_KIND = (Column(key="act", kind="deed"), Column(key="accepted"), Column(key="refused"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for besides the log."""

    mapping: str
    report: Path | None
    first: int | None
    days: int


def replay_log(output: Output, log: Path, wish: Wish) -> None:
    """Play the log and say what became of it; leaves with exit 6 when some of it could not be read."""
    if wish.report is not None and wish.report.resolve() == log.resolve():
        raise Invalid(unmet("value_wrong", field="--report", value=str(wish.report), form="OUT.json"))
    mapping = _mapping(wish.mapping)
    with _dry_database() as engine:
        stage = Stage(scene=partial(transaction, engine), calendar=china(), new_id=new_id, days=wish.days)
        if isinstance(mapping, PayoutMapping):
            document, first = _play_cases(output, log, mapping, wish, stage)
        else:
            document, first = _play_entries(output, log, mapping, wish, stage)
        document["broken_invariants"] = _broken(engine)
    document["reasons"] = [_reason(code, count, first) for code, count in document["acts"]["reasons"].items()]
    if wish.report is not None:
        wish.report.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _show(output, document, wish)
    if document["unread"]:
        raise typer.Exit(PARTLY)


def _mapping(name: str) -> Mappings:
    known = {path.stem: path for path in shipped_replay_mappings()}
    path = known.get(name, Path(name))
    if not path.is_file():
        raise Invalid(unmet("mapping_not_found", name=name, known=sorted(known)))
    try:
        return load_replay_mapping(path)
    except MappingProblem as problem:
        raise Invalid(unmet(problem.code, **problem.params)) from problem


@contextmanager
def _dry_database() -> Iterator[Engine]:
    """Give an empty database at head, and delete it afterwards."""
    with TemporaryDirectory(prefix="pilotway-replay-") as folder:
        engine = make_engine(str(Path(folder) / "dry.db"))
        try:
            upgrade(engine)
            yield engine
        finally:
            engine.dispose()


def _play_cases(
    output: Output, path: Path, mapping: PayoutMapping, wish: Wish, stage: Stage
) -> tuple[dict[str, Any], Mapping[str, Unmet]]:
    log = read_log(path, mapping, first=wish.first)
    with output.progress("replay_playing", log.events) as step:
        tally = play(log, mapping, _heard(stage, step))
    return document_of(log, mapping, tally), tally.first


def _play_entries(
    output: Output, path: Path, mapping: FundMapping, wish: Wish, stage: Stage
) -> tuple[dict[str, Any], Mapping[str, Unmet]]:
    register = read_register(path, mapping, first=wish.first)
    with output.progress("replay_playing", len(register.entries)) as step:
        outcome = play_register(register, _heard(stage, step))
    return fund_document(register, mapping, outcome), outcome.first


def _heard(stage: Stage, step: Callable[[int], None]) -> Stage:
    return replace(stage, say=step)


def _broken(engine: Engine) -> list[dict[str, Any]]:
    """Ask every invariant of the dry database, as `check` does of a real one."""
    with reading(engine) as session:
        report = check(session, all_checks(), now=SystemClock().now() + timedelta(days=1))
    return [result.document() for result in report.results if not result.is_ok]


def _reason(code: str, count: int, first: Mapping[str, Unmet]) -> dict[str, Any]:
    """Return a reason with its sentence in both languages; its values are those of the first act that met it."""
    reason = first.get(code, Unmet(code=code))
    return {"code": code, "acts": count, **{lang: explain_unmet(reason, lang).what for lang in LANGUAGES}}


def _show(output: Output, document: Mapping[str, Any], wish: Wish) -> None:
    if output.as_json:
        output.document(document)
        return
    if document["reads"] == "payouts":
        output.table(_BY_ACTIVITY, document["by_activity"])
    else:
        output.table(_BY_KIND, [{"act": kind, **count} for kind, count in document["by_kind"].items()])
    for reason in document["reasons"]:
        output.say("replay_reason", count=reason["acts"], why=reason["code"], what=reason[output.lang])
    for one in document["unknown"]:
        what, count = one.get("activity", one.get("code")), one.get("events", one.get("entries"))
        output.say("replay_unknown", what=what, count=count)
    for one in document["unread"]:
        output.say("replay_unread", case=one.get("case", one.get("activity")), place=one["place"], why=one["code"])
    _headlines(output, document)
    if document["broken_invariants"]:
        output.say("replay_broken", names=[one["id"] for one in document["broken_invariants"]])
    if wish.report is not None:
        output.say("replay_report", file=str(wish.report))


def _headlines(output: Output, document: Mapping[str, Any]) -> None:
    acts = document["acts"]
    output.say("replay_acts", accepted=acts["accepted"], refused=acts["refused"])
    if document["reads"] == "fund":
        output.say("replay_awards", **document["awards"])
        output.say("replay_negative", **document["negative"])
        return
    payments, rejections = document["payments"], document["rejections"]
    output.say("replay_cases", cases=document["cases"], events=document["events"])
    output.say("replay_payments", **{name: payments[name] for name in ("cases", "made", "refused")})
    output.say("replay_unapproved", **payments["without_approval"])
    output.say("replay_rejected", **{name: rejections[name] for name in ("cases", "paid_in_log", "made", "refused")})
