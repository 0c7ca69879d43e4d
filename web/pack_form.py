"""The numbers of a standard as a form beside its text: each one is found where it stands, and put back there.

Nothing else of the text is touched, so comments and order stay as its writer wants them. Both may be changed side by
side: `changed` tells what was changed in the form from what was changed in the text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from lifecycle.errors import Invalid, unmet
from lifecycle.standards.pack import Pack
from notifications.gates import in_language, parameter
from notifications.words import Lang, sentence

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?")
"""None that begins with a needless zero: YAML reads 030 as the octal 24."""
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
VERSION = "version"
_DAYS = ("default_days", "maximum_days")
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number of a standard, as the text writes it."""

    path: str
    """`version`, `G3/default_days`, `G3.4/bound`."""
    label: str
    value: str
    line: int
    """Number of the line of the text where it stands."""
    said: str = ""
    """How people read it, where they read it otherwise (0.9 as 90%)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The numbers of one stage."""

    title: str
    numbers: Sequence[Number]


def groups_of(text: str, pack: Pack, lang: Lang) -> list[Group]:
    """Return the numbers that stand in the text of a sound pack: its version, then those of each stage."""
    known = dict(_places(text))

    def number(path: str, label: str, said: str = "") -> Number:
        node = known[path]
        value = str(node.value)
        return Number(
            path=path, label=label, value=value, said="" if said == value else said, line=node.start_mark.line + 1
        )

    version = [number(VERSION, sentence("page.field.pack_version", {}, lang))] if VERSION in known else []
    found = [Group(title=f"{pack.code} {pack.version}", numbers=version)]
    for stage in pack.stages:
        days = [
            (f"{stage.gate}/{name}", sentence(f"page.draft.{name}", {}, lang), sentence(f"page.draft.{unit}", {}, lang))
            for name, unit in zip(_DAYS, (stage.default_unit, stage.maximum_unit), strict=True)
        ]
        inner = [
            (f"{one.id}/{name}", f"{one.id} {in_language(one.title, lang)}: {label}", said)
            for one in stage.criteria
            for name, value in one.parameters.items()
            for label, said in [parameter(name, value, lang)]
        ]
        numbers = [number(path, label, said) for path, label, said in (*days, *inner) if path in known]
        found.append(Group(title=f"{stage.gate} {in_language(stage.title, lang)}", numbers=numbers))
    return [group for group in found if group.numbers]


def values_of(text: str) -> dict[str, str]:
    """Return every number of a readable text by its path."""
    return {path: str(node.value) for path, node in _places(text)}


def changed(text: str, typed: Mapping[str, str], seen: Mapping[str, str]) -> dict[str, str]:
    """Return what was changed in the form since form and text were the same (`seen`); what the text changed stands."""
    there = values_of(text)
    unchanged = {path for path, value in there.items() if value == seen.get(path)}
    return {path: value for path, value in typed.items() if path in unchanged and value.strip() != seen[path]}


def merged(text: str, typed: Mapping[str, str]) -> str:
    """Return the text with every number that differs in the form; `Invalid` names what is no number."""
    there = [(path, node, typed[path].strip()) for path, node in _places(text) if path in typed]
    changed = [(path, node, value) for path, node, value in there if value != node.value]
    wrong = [
        unmet("value_wrong", field=path, value=value[:40], form="0.9")
        for path, _, value in changed
        if not (_VERSION if path == VERSION else _NUMBER).fullmatch(value)
    ]
    if wrong:
        raise Invalid(*wrong)
    for _, node, value in sorted(changed, key=lambda one: one[1].start_mark.index, reverse=True):
        said = value if node.tag in _NUMBERS else f"'{value}'"
        text = f"{text[: node.start_mark.index]}{said}{text[node.end_mark.index :]}"
    return text


def _places(text: str) -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Yield path and node of the numbers of a text that was read as a pack before."""
    loader = yaml.CSafeLoader(text)
    try:
        whole = _parts(loader.get_single_node())
    finally:
        loader.dispose()
    yield from _scalars("", whole, (VERSION,), is_number=False)
    for stage in (_parts(one) for one in _items(whole.get("stages"))):
        gate = getattr(stage.get("gate"), "value", "")
        yield from _scalars(f"{gate}/", stage, _DAYS)
        for criterion in (_parts(one) for one in _items(stage.get("criteria"))):
            own = _parts(criterion.get("parameters"))
            yield from _scalars(f"{getattr(criterion.get('id'), 'value', '')}/", own, tuple(own))


def _scalars(
    begin: str, parts: Mapping[str, Any], names: Sequence[str], *, is_number: bool = True
) -> Iterator[tuple[str, yaml.ScalarNode]]:
    for name in names:
        node = parts.get(name)
        if isinstance(node, yaml.ScalarNode) and (not is_number or node.tag in _NUMBERS):
            yield f"{begin}{name}", node


def _parts(node: Any) -> dict[str, Any]:
    return {str(key.value): value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _items(node: Any) -> Sequence[Any]:
    found: Sequence[Any] = node.value if isinstance(node, yaml.SequenceNode) else ()
    return found
