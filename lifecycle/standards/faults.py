"""Everything that keeps a pack from being published, by itself and against the pack that it is based on."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from lifecycle.standards import library
from lifecycle.standards.compare import compare
from lifecycle.standards.lint import lint
from lifecycle.standards.pack import Pack
from lifecycle.standards.problem import Problem


def faults(pack: Pack, *, rules: AbstractSet[str], lines: Mapping[str, str] | None = None) -> list[Problem]:
    """Return what `lint` finds, and each place where the pack asks for less than the one it is based on."""
    found = lint(pack, rules=rules, lines=lines)
    if not pack.based_on:
        return found
    try:
        base = library.by_name(pack.based_on)
    except library.UnknownPack:
        return [*found, Problem(code="pack_base_unknown", path="based_on", values={"name": pack.based_on})]
    return [*found, *compare(base, pack, lines=lines)]
