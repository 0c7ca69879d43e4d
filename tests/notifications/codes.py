"""Reads from the source which codes the lifecycle can say, and with which values."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]

MAKERS = frozenset(
    {"unmet", "Unmet", "met", "not_met", "not_enough", "missing", "cannot_start", "Computed"}
    | {"Refused", "Forbidden", "NotFound", "Stale", "KeyReused", "Invalid", "NotSignedIn"}
    | {"BankFileRefused", "LogRefused"}
)
"""Functions and classes whose first argument, or `code=`, is a code."""


@dataclass(frozen=True)
class Use:
    """One place that says a code; `values` is None where the source does not show which values go with it."""

    code: str
    where: str
    values: frozenset[str] | None = field(compare=False, default=None)


def uses(*rooms: str) -> Iterator[Use]:
    """Yield every literal code that these rooms say."""
    for path in _sources(*rooms):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        # `together(findings, **values)` adds values to every finding of its rule.
        added = {one.arg for node in calls if _name(node.func) == "together" for one in node.keywords}
        for node in calls:
            if _name(node.func) in MAKERS:
                yield from _of_call(node, f"{path.relative_to(ROOT)}:{node.lineno}", added)


@dataclass(frozen=True)
class Words:
    """Every piece of text in the source, whole and as a part of a formatted one."""

    whole: frozenset[str]
    parts: frozenset[str]

    def mentions(self, code: str) -> bool:
        """Say whether somebody can ask for this code: it stands there, or a formatted text ends or begins like it."""
        return code in self.whole or any(code.endswith(part) or code.startswith(part) for part in self.parts)


def words_in(*rooms: str) -> Words:
    """Return every piece of text in the source of these rooms."""
    whole, parts = set(), set()
    for path in _sources(*rooms):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            if isinstance(node, ast.JoinedStr):
                parts |= {
                    part.value
                    for part in node.values
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and "_" in part.value.strip("_")
                }
                parts |= {
                    part.value for part in node.values if isinstance(part, ast.Constant) and part.value in _BEGINNINGS
                }
    return Words(frozenset(whole), frozenset(parts))


_BEGINNINGS = frozenset({"capability_", "import_"})
"""Short beginnings of formatted codes that mean something by themselves."""


def variable_uses(room: str) -> Iterator[str]:
    """Yield every file that says a code by a variable, not by a literal."""
    for path in _sources(room):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or _name(node.func) not in MAKERS:
                continue
            code = next((one.value for one in node.keywords if one.arg == "code"), node.args[0] if node.args else None)
            if isinstance(code, ast.Name):
                yield str(path.relative_to(ROOT))


def _sources(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((ROOT / room).rglob("*.py"))


def _of_call(node: ast.Call, where: str, added: set[str | None]) -> Iterator[Use]:
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    literal = _values(node, keywords)
    values = None if literal is None or None in added else literal | {name for name in added if name}
    for asked in ("code", "suffices"):
        value = keywords.get(asked)
        for code in _literals(value):
            yield Use(code, where, values)
    if node.args and "code" not in keywords:
        for code in _literals(node.args[0]):
            yield Use(code, where, values)


def _literals(node: ast.expr | None) -> Iterator[str]:
    """A literal, or both branches of `a if … else b`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def _values(node: ast.Call, keywords: dict[str | None, ast.expr]) -> frozenset[str] | None:
    if None in keywords:
        return None
    given = keywords.get("values")
    if given is None:
        if _name(node.func) in ("Unmet", "Computed"):
            return frozenset()
        return frozenset(str(name) for name in keywords if name not in ("suffices", "code"))
    if isinstance(given, ast.Dict) and all(isinstance(key, ast.Constant) for key in given.keys):
        return frozenset(str(key.value) for key in given.keys if isinstance(key, ast.Constant))
    return None


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
