"""`docs/verbs.md`: every verb, who may, what it carries, and the codes with which it can be refused."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from itertools import groupby
from typing import Any, get_args, get_origin, get_type_hints

from docs.generate.codes import codes_of
from docs.generate.markdown import code, link_to, one_line, page, table
from lifecycle.chart import Rule, compiled
from lifecycle.commands import Verb
from lifecycle.permissions import PERMISSIONS
from lifecycle.verbs import BY_NAME, CHARTS
from models.states import Role
from notifications.words import title

_INTRO = """# Verbs

What can be asked of Pilotway. A verb is a command (plain data), its rules, and its effects; `lifecycle/engine.py`
carries all of them out in the same way. Every command also carries `command_id`, the key under which a repeat is
recognised, and `expected_version`, refused as `stale` when somebody moved the subject since.

Every verb can be refused with `not_found`, `role` (no role of the actor reaches the subject and may), `stale` and
`key_reused`; the codes below come on top. A code that a gate answers is `gate_unmet` with the clause and its verdict.
The sentence of each code stands in `notifications/locale/`. A field in *italics* may be left out."""


def verbs() -> str:
    """Return the page: a section for each kind of object, a table row for each verb, then the rules."""
    by_object = groupby(BY_NAME.values(), key=lambda verb: verb.object_type)
    return page(_INTRO, *(_section(object_type, list(group)) for object_type, group in by_object))


def _section(object_type: str, group: list[Verb[Any, Any]]) -> str:
    rows = [(code(verb.name), one_line(verb.command.__doc__), _who(verb), _fields(verb)) for verb in group]
    refusals = [(code(verb.name), _rules(verb), code(*_codes(verb))) for verb in group]
    asked = [row for row in refusals if row[1]]
    parts = [f"## {object_type}", table(("Verb", "What it does", "Who may", "Fields"), rows)]
    if asked:
        parts.append(table(("Verb", "Rules", "Codes"), asked))
    return "\n\n".join(parts)


def _who(verb: Verb[Any, Any]) -> str:
    may = PERMISSIONS[verb.permission]
    return ", ".join(title("role", role, "en") for role in Role if role in may)


def _fields(verb: Verb[Any, Any]) -> str:
    hints = get_type_hints(verb.command)
    skipped = ("command_id", "expected_version")
    return "\n".join(_field(one, hints[one.name]) for one in fields(verb.command) if one.name not in skipped)


def _field(one: "Field[Any]", hint: Any) -> str:
    is_free = one.default is not MISSING or one.default_factory is not MISSING
    return f"*{one.name}*: {_kind(hint)}" if is_free else f"{one.name}: {_kind(hint)}"


def _kind(hint: Any) -> str:
    """Return a type in words: `Role`, `date`, `list of float`; without the None of what may be left out."""
    inner = [_kind(one) for one in get_args(hint) if one not in (type(None), ...) and not isinstance(one, str)]
    origin = get_origin(hint)
    if origin is None:
        return "value" if hint is Any else str(hint.__name__)
    if not inner:
        return " or ".join(map(str, get_args(hint)))
    if origin in (tuple, list, frozenset):
        return f"list of {inner[0]}"
    return f"{inner[0]} → {inner[1]}" if len(inner) > 1 else inner[0]


def _asked(verb: Verb[Any, Any]) -> Iterator[Rule]:
    """Yield the verb's own rules, then those of its arrows."""
    yield from verb.rules
    if verb.chart is not None and verb.event is None:
        for (_, event), (_, rules) in compiled(verb.chart).items():
            if event == verb.name:
                yield from rules


def _rules(verb: Verb[Any, Any]) -> str:
    return ", ".join(dict.fromkeys(link_to(rule) for rule in _asked(verb)))


def _codes(verb: Verb[Any, Any]) -> list[str]:
    found = {one for rule in _asked(verb) for one in codes_of(rule)}
    if verb.chart in [chart for chart, _, _ in CHARTS.values()]:
        found.add("…_not_possible_when_…")
    return sorted(found)
