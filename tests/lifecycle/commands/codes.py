"""Every code that the rules of verbs can refuse with, read from their source."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3] / "lifecycle"
ROOMS = (
    *("agreements", "calendars", "disbursement", "endings", "exceptions", "funds", "milestones", "payouts"),
    "deliveries",
    "entrance",
    *("people", "projects", "requirements", "reviews", "trials"),
)
TESTED_AS_THEY_ARE = {"entitlement.py", "payee_names.py", "terms.py", "tiers.py"}
"""Pure modules whose reasons are asked for where money is requested, or by no verb yet."""
MAKERS = {"unmet", "_handed_in", "_follows"}
"""Functions whose first argument is a code."""


def codes() -> dict[str, str]:
    """Return code -> the place that gives it first."""
    found: dict[str, str] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("*.py")):
            if path.name in TESTED_AS_THEY_ARE:
                continue
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
