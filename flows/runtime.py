"""A sweep: the due ids in one indexed read, then chunks of commands through the engine. No rules, no Prefect here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from flows.run_log import masked, note
from flows.turns import MOST_EFFECTS, Effect, never
from lifecycle.commands import REGISTRY, Answer, Command, Stamp
from lifecycle.engine import execute
from models.db import is_away, reading, run_in_transaction

CHUNK = 400
"""Commands per transaction (`docs/contract.md`, limits)."""

Due: TypeAlias = Callable[[Session, Stamp], Sequence[Command]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What is due, as commands whose ids are derived: two overlapping passes do one thing."""

    name: str
    due: Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a pass did."""

    done: int = 0
    refused: int = 0
    failed: int = 0
    effects: tuple[Effect, ...] = field(default=(), compare=False, repr=False)
    """The first of them, in domain words."""
    is_cut: bool = False

    def __add__(self, other: "Tally") -> "Tally":
        """Add two tallies."""
        return Tally(
            done=self.done + other.done,
            refused=self.refused + other.refused,
            failed=self.failed + other.failed,
            effects=(*self.effects, *other.effects)[:MOST_EFFECTS],
            is_cut=self.is_cut or other.is_cut,
        )


def run(engine: Engine, sweep: Sweep, stamp: Stamp, *, is_over: Callable[[], bool] = never) -> Tally:
    """Do all that is due, chunk by chunk; one bad row stops nobody. Asked to end, it stops between two chunks."""
    with reading(engine) as session:
        due = list(sweep.due(session, stamp))
    tally = Tally()
    for start in range(0, len(due), CHUNK):
        if is_over():
            tally += Tally(is_cut=True)
            break
        tally += _done(engine, due[start : start + CHUNK], stamp)
    if due:
        said = {"found": len(due), "done": tally.done, "refused": tally.refused, "failed": tally.failed}
        note("swept", sweep=sweep.name, **said)
    return tally


def _done(engine: Engine, commands: Sequence[Command], stamp: Stamp) -> Tally:
    def work(session: Session) -> Tally:
        answers = execute(session, commands, stamp=stamp)
        fresh = [answer for answer in answers if not answer.is_replay]
        done = sum(answer.is_done for answer in fresh)
        effects = tuple(effect_of(answer) for answer in fresh[:MOST_EFFECTS])
        return Tally(done=done, refused=len(fresh) - done, effects=effects)

    try:
        return run_in_transaction(engine, work)
    except DBAPIError as error:
        if is_away(error):
            raise  # no row is poison because a server is restarted: whoever comes next does them all
        if len(commands) == 1:  # the poison row stands alone
            why = masked(f"{type(error).__name__}: {error.orig}".partition("\n")[0])
            effect = _of(commands[0], "failed", detail=why)
            note("row_broke", "bad", why=effect.detail, ref=effect.object_id or effect.object_type)
            return Tally(failed=1, effects=(effect,))
        half = len(commands) // 2
        return _done(engine, commands[:half], stamp) + _done(engine, commands[half:], stamp)


def effect_of(answer: Answer) -> Effect:
    """Return what became of a command, in domain words."""
    if answer.error is not None:
        return _of(answer.command, "refused", detail=", ".join(answer.error.codes))
    told = answer.document
    return Effect(
        effect=REGISTRY[type(answer.command)].permission,
        object_type=told["object_type"],
        object_id=told["object_id"],
        ref=told.get("number") or "",
        detail=told.get("state") or "",
    )


def _of(command: Command, effect: str, detail: str = "") -> Effect:
    verb = REGISTRY[type(command)]
    subject = None if verb.subject_id is None else str(verb.subject_id(command))
    return Effect(
        effect=effect,
        object_type=verb.subject_name or verb.object_type,
        object_id=subject,
        detail=": ".join(filter(None, (verb.permission, detail))),
    )


def ids_of(rows: Any) -> list[Any]:
    """Return the first column of a result."""
    return list(rows.scalars())
