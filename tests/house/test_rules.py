"""Rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import quick

ROOT = Path(__file__).parent.parent.parent
ROOMS = [room for room in ("cli", "flows", "lifecycle", "models", "notifications", "web") if (ROOT / room).is_dir()]
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path, *methods: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods:
            yield f"{name_of(path)}:{node.lineno} {node.func.attr}"


def lines_of_functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            yield f"{name_of(path)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


class TestTransactions:
    def test_only_models_db_commits(self) -> None:
        found = [one for path in MODULES for one in calls(path, "commit", "rollback")]
        assert {one.partition(":")[0] for one in found} == {"models/db.py"}


class TestForm:
    @pytest.mark.parametrize("path", MODULES, ids=name_of)
    def test_a_module_says_what_lives_in_it(self, path: Path) -> None:
        source = path.read_text(encoding="utf-8")
        assert not source.strip() or ast.get_docstring(ast.parse(source))

    def test_no_function_is_longer_than_70_lines(self) -> None:
        written = [path for path in MODULES if "versions" not in path.parts]  # a first revision is drafted, and long
        found = {name: length for path in written for name, length in lines_of_functions(path) if length > 70}
        assert found == {}


class TestSlowFiles:
    def test_are_there(self) -> None:
        assert [name for name in quick.SLOW if not (ROOT / "tests" / name).is_file()] == []


class TestLocks:
    @pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.lock")), ids=lambda path: path.name)
    def test_a_lock_names_no_place_to_download_from(self, lock: Path) -> None:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        assert all("==" in one and "--hash=sha256:" in one for one in text.replace("\\\n", " ").splitlines())
