"""Packs as projects have frozen them: read from the database once per process, for what bears a hash never changes."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.stages.rules import READS
from lifecycle.standards.pack import Pack
from models.programmes import StandardDraft, StandardPack
from models.reading import table_of
from models.states import STAGES, ProjectState

_KEPT: dict[str, Pack] = {}
_REGISTERS: dict[tuple[str, ProjectState], frozenset[str]] = {}


def packs_of(session: Session, sha256s: Iterable[str]) -> dict[str, Pack]:
    """Return the packs with these hashes; raises `KeyError` when one was neither published nor handed over as a draft.

    No project can have frozen a draft; it is read to say whom it would touch.
    """
    wanted = set(sha256s)
    for model in (StandardPack, StandardDraft):
        if unknown := wanted - _KEPT.keys():
            table = table_of(model)
            for row in session.execute(select(table.c.sha256, table.c.body).where(table.c.sha256.in_(unknown))):
                _KEPT[row.sha256] = Pack.model_validate(row.body)
    return {sha256: _KEPT[sha256] for sha256 in wanted}


def registers_of(sha256: str, pack: Pack, stage: ProjectState) -> frozenset[str]:
    """Return the registers that the criteria of this stage, the ones before it and the next one look at.

    Earlier ones may be owed as conditions, the next ones are judged when the project moves. `evidence` stands for all
    that people hand in and decide; a pack without criteria looks at nothing.
    """
    key = (sha256, stage)
    if key not in _REGISTERS:
        _REGISTERS[key] = registers_until(pack, stage)
    return _REGISTERS[key]


def registers_until(pack: Pack, stage: ProjectState) -> frozenset[str]:
    """Return the registers that the criteria of a pack look at as far as the stage behind this one."""
    reached = pack.stages[: STAGES.index(stage) + 2]
    rules = [criterion.rule for item in reached for criterion in item.criteria]
    read = frozenset().union(*(READS[rule] for rule in rules if rule is not None))
    return read | {"evidence"} if rules else read
