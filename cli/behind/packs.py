"""Standards from folders and from what comes with the program: shown, checked, compared, published."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from sqlmodel import Session

from cli.behind.gate_check import criterion_row, print_criteria
from cli.door import Door
from cli.errors import REFUSED
from cli.output import Column, Output
from lifecycle.errors import Invalid, NotFound, Refused, Unmet, unmet
from lifecycle.people.commands import ProposeStandard, PublishStandard
from lifecycle.stages.rules import RULES
from lifecycle.standards import library
from lifecycle.standards.compare import compare
from lifecycle.standards.faults import faults
from lifecycle.standards.pack import Pack
from lifecycle.standards.problem import Problem
from lifecycle.verdicts.packs import packs_of
from notifications.words import Lang, sentence


def show_pack(door: Door, standard: str, stage: str, *, is_full: bool) -> None:
    """Print every criterion of a standard, or those of one stage."""
    print_criteria(door.output, _rows(known_pack(door, standard), stage, door.output.lang), is_full)


def _rows(pack: Pack, stage: str, lang: Lang) -> list[dict[str, Any]]:
    wanted = [one for one in pack.stages if stage in ("", one.id)]
    if not wanted:
        raise Invalid(unmet("no_such_stage", value=stage, known=[str(one.id) for one in pack.stages]))
    return [{"stage": str(one.id), **criterion_row(criterion, lang)} for one in wanted for criterion in one.criteria]


def known_pack(door: Door, standard: str) -> Pack:
    """Return a pack of a folder or of the program, else the one that was published under this name."""
    try:
        return _pack(standard)
    except Invalid as unknown:
        try:
            return door.read(lambda session: _published(session, door.lookup(session).standard(standard)))
        except NotFound:
            raise unknown from None


def _published(session: Session, sha256: str) -> Pack:
    return packs_of(session, [sha256])[sha256]


def lint_pack(output: Output, standard: str, columns: Sequence[Column]) -> None:
    """Print everything that keeps a pack from being published; leaves with exit 3 when there is something."""
    try:
        problems = _lint(standard)
    except library.BadPack as error:
        problems = list(error.problems)
    _print(output, problems, columns, "standard_is_sound")


def compare_packs(output: Output, base: str, layer: str, columns: Sequence[Column]) -> None:
    """Print every place where the layer asks for less; leaves with exit 3 when there is one."""
    problems = compare(_pack(base), _pack(layer), lines=_lines(layer))
    _print(output, problems, columns, "standard_loosens_nothing")


def propose_pack(door: Door, standard: str, reason: str) -> None:
    """Hand a pack to a second editor; raises `Refused` with every problem that `lint` finds."""
    pack = _sound(standard)
    door.act(
        lambda _, key: ProposeStandard(
            command_id=key, sha256=library.sha256(pack), body=pack.canonical(), reason=reason
        ),
        ref=f"{pack.code}@{pack.version}",
    )


def publish_pack(door: Door, standard: str) -> None:
    """Publish a pack; raises `Refused` with every problem that `lint` finds."""
    pack = _sound(standard)
    door.act(
        lambda _, key: PublishStandard(command_id=key, sha256=library.sha256(pack), body=pack.canonical()),
        ref=f"{pack.code}@{pack.version}",
    )


def _sound(standard: str) -> Pack:
    if problems := _lint(standard):
        raise Refused(*(Unmet(code=one.code, clause=one.clause, values=one.values) for one in problems))
    return _pack(standard)


def _lint(standard: str) -> list[Problem]:
    """Return all that keeps a standard from being published: what is wrong in it, and where it asks for less."""
    return faults(_pack(standard), rules=set(RULES), lines=_lines(standard))


def _pack(standard: str) -> Pack:
    try:
        folder = Path(standard)
        return library.load(folder) if folder.is_dir() else library.by_name(standard)
    except library.UnknownPack as error:
        raise Invalid(unmet("standard_unknown", value=standard)) from error


def _lines(standard: str) -> dict[str, str]:
    folder = Path(standard)
    return library.lines(folder) if folder.is_dir() else {}


def _print(output: Output, problems: Sequence[Problem], columns: Sequence[Column], code: str) -> None:
    rows = [
        {
            "line": one.line,
            "path": one.path,
            "code": one.code,
            "clause": one.clause,
            "values": dict(one.values),
            "problem": sentence(one.code, one.values, output.lang),
        }
        for one in problems
    ]
    if problems or output.as_json:
        output.table(columns, rows)
    if problems:
        raise typer.Exit(REFUSED)
    output.say(code)
