"""Every code that the rules of verbs can refuse with, read from their source."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3] / "lifecycle"
ROOMS = ("agreements", "endings", "funds", "milestones", "people", "projects", "requirements", "reviews", "trials")
MAKERS = {"unmet", "_handed_in", "_follows"}
"""Functions whose first argument is a code."""


def codes() -> dict[str, str]:
    """Return code -> the place that gives it first."""
    found: dict[str, str] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("*.py")):
            if path.name == "entitlement.py":
                continue  # asked where money is requested, tested as it is
            for code, line in _codes(ast.parse(path.read_text("utf-8"))):
                found.setdefault(code, f"{room}/{path.name}:{line}")
    return found


def _codes(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in MAKERS and node.args:
            yield from _words(node.args[0])
        if node.func.id == "Unmet":
            yield from (word for keyword in node.keywords if keyword.arg == "code" for word in _words(keyword.value))


def _words(node: ast.expr) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, node.lineno
    elif isinstance(node, ast.IfExp):
        yield from (*_words(node.body), *_words(node.orelse))
