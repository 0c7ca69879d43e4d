"""What a body of scheduled work gets and what it says: plain values, no Prefect, no slot, no row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Engine

from lifecycle.commands import Stamp
from models.settings import Settings

MOST_EFFECTS = 200
"""Effects that one run keeps; the counts count all."""


def never() -> bool:
    """Say that a run may go on as long as it wants."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run of a body: on which database, with which settings, when and in whose name."""

    engine: Engine
    settings: Settings
    stamp: Stamp
    """`stamp.now` is the instant of this pass, also where it makes an older slot good."""
    slot_at: datetime
    is_over: Callable[[], bool] = never
    """Asked between two ids or chunks: the process is to end, or the minutes of the schedule are used up."""
    run_id: UUID | None = None
    """The row of the run that several workers may share; None where a body runs outside a slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that a run did, in domain words."""

    effect: str
    """Name of a verb (`project.resume`), `refused`, `failed`, or a word of `effect.…` in the catalogue."""
    object_type: str
    object_id: str | None = None
    ref: str = ""
    """The number that people know, or the name of a file."""
    detail: str = ""
    """Codes of what stood in the way, or a path; of a reminder its day and whom it tells."""
    label: Mapping[str, str] | None = None
    """What people call the thing, in both languages (`zh`, `en`), where its number is that of its project."""

    def document(self) -> dict[str, Any]:
        """Return what the row keeps."""
        told = {name: getattr(self, name) for name in ("effect", "object_type", "object_id", "ref", "detail")}
        return told if self.label is None else {**told, "label": dict(self.label)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a body did: how many it found due, and what became of them."""

    found: int = 0
    done: int = 0
    refused: int = 0
    failed: int = 0
    effects: Sequence[Effect] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Figures of its own (`sent`, `given_up` …)."""
    refusal: str = ""
    """Code why the whole run was refused; nothing failed, somebody has to change something."""
    is_cut: bool = False
    """It ended before its end because it was asked to (`Turn.is_over`)."""
    log: Sequence[dict[str, Any]] = field(default=(), repr=False)
    """What was said on the way, for the row."""


Run: TypeAlias = Callable[[Turn], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a schedule does, and what looks only how much there is to do."""

    run: Run
    look: Callable[[Turn], int] | None = None
    help: Run | None = None
    """What a second worker does in a run that goes on, while `look` finds something; None where one does it alone."""
