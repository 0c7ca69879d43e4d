"""Which codes a rule can answer with, read from its source and from what it calls inside the lifecycle."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from lifecycle.chart import not_possible

_MAKERS = ("unmet", "Unmet")


@functools.cache
def codes_of(rule: Callable[..., Any]) -> tuple[str, ...]:
    """Return the literal codes of this rule in alphabetical order."""
    return tuple(sorted(_codes(rule, set())))


def _codes(function: Callable[..., Any], seen: set[Any]) -> set[str]:
    function = inspect.unwrap(function)
    if function in seen or not inspect.isfunction(function) or not function.__module__.startswith("lifecycle."):
        return set()
    seen.add(function)
    found: set[str] = set()
    for call in _calls(function):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in _MAKERS:
            found |= set(_literals(call))
        elif name == not_possible.__name__:
            found.add("…_not_possible_when_…")
        else:
            found |= _codes(_called(function, call.func), seen)
    return found


def _calls(function: Callable[..., Any]) -> Iterator[ast.Call]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except SyntaxError:  # a lambda that is an argument is no piece of source by itself
        return
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _literals(call: ast.Call) -> Iterator[str]:
    asked = [keyword.value for keyword in call.keywords if keyword.arg == "code"] or call.args[:1]
    for node in asked:
        branches = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
        yield from (str(one.value) for one in branches if isinstance(one, ast.Constant))


def _called(function: Callable[..., Any], name: ast.expr) -> Any:
    """Return what this name stands for where the function was written; None for what is not there."""
    known: Any = {**getattr(function, "__globals__", {}), **inspect.getclosurevars(function).nonlocals}
    if isinstance(name, ast.Name):
        return known.get(name.id)
    if isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name):
        return getattr(known.get(name.value.id), name.attr, None)
    return None
