"""The schemas of what a row can bring along (`include=`)."""

from typing import Any, get_args

from lifecycle.standards.pack import Party
from models.states import StageRunState, VerdictState

_DAY = {"type": ["string", "null"], "format": "date"}
_AMOUNTS = ("awarded_minor", "accepted_minor", "waiting_minor", "paid_minor")
_OPEN: dict[str, Any] = {
    "type": "object",
    "properties": {
        "clause": {"type": "string"},
        "verdict": {"type": "string", "enum": [str(word) for word in VerdictState]},
        "verdict_code": {"type": "string"},
        "owed_by": {"type": "array", "items": {"type": "string", "enum": list(get_args(Party))}},
        "due_on": _DAY,
    },
    "required": ["clause", "verdict", "verdict_code", "owed_by", "due_on"],
}
GATE: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "the open visit and what its gate lacks, as last judged; null once the project has ended",
    "properties": {
        "gate": {"type": "string"},
        "state": {"type": "string", "enum": [str(word) for word in StageRunState]},
        "opened_on": {"type": "string", "format": "date"},
        "due_on": _DAY,
        "met_count": {"type": "integer"},
        "open": {"type": "array", "items": _OPEN},
    },
    "required": ["gate", "state", "opened_on", "due_on", "met_count", "open"],
}
MONEY: dict[str, Any] = {
    "type": ["array", "null"],
    "description": "per currency, in minor units; null where there is none that the reader may see",
    "items": {
        "type": "object",
        "properties": {"currency": {"type": "string"}, **{name: {"type": "integer"} for name in _AMOUNTS}},
        "required": ["currency", *_AMOUNTS],
    },
}
