"""What no database stores and no JSON writes, refused before either is asked."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from lifecycle.commands import Command
from lifecycle.errors import Unmet, unmet

KEY_LENGTH = 255
"""Characters of an idempotency key at most."""
DEPTH = 20
"""How deep the values of a command may be nested."""
_LARGEST = 2**63


def unreadable(command: Command) -> tuple[Unmet, ...]:
    """Return why a command cannot be written down: its key, or per field a NUL, half a character, no number, depth.

    An amount is a whole number of minor units: neither `100.0` nor `True` nor `"100"` passes for one.
    """
    reasons = [] if 0 < len(command.command_id) <= KEY_LENGTH else [unmet("key_length", limit=KEY_LENGTH)]
    for item in fields(command):
        value = getattr(command, item.name)
        is_odd = item.name.endswith("_minor") and value is not None and type(value) is not int
        code = "number_unreadable" if is_odd else _fault(value, DEPTH)
        if code is not None:
            reasons.append(unmet(code, field=item.name))
    return tuple(reasons)


def _fault(value: Any, depth: int) -> str | None:
    if isinstance(value, str):
        return None if value.isascii() and "\0" not in value else _unwritable(value)
    if value is None:
        return None
    if isinstance(value, int):
        return None if -_LARGEST <= value < _LARGEST else "number_unreadable"
    if isinstance(value, dict | Mapping):  # asking for dict first is quicker
        inner = [*value, *value.values()]
        if any(isinstance(item, float) and not math.isfinite(item) for item in inner):
            return "number_unreadable"
    elif isinstance(value, (list, tuple, set, frozenset)):
        inner = list(value)
    elif is_dataclass(value):
        inner = [getattr(value, item.name) for item in fields(value)]
    else:
        return None
    if depth == 0:
        return "nested_too_deep"
    return next((code for item in inner if (code := _fault(item, depth - 1)) is not None), None)


def _unwritable(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "text_unreadable"
    return "text_unreadable" if "\0" in text else None
