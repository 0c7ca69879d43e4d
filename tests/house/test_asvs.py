"""`docs/asvs.csv`: each requirement of OWASP ASVS 5.0 once; what is said to be done is shown by a test that exists."""

import ast
import csv
from functools import cache
from pathlib import Path

import pytest

from tests.house.test_rules import ROOT

TABLE = ROOT / "docs/asvs.csv"
ALL, IN_SCOPE, OF_LEVEL_3 = 345, 222, 23


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def named_in(path: Path) -> dict[str, ast.FunctionDef]:
    """Return the tests of a file, each as pytest names it."""
    found: dict[str, ast.FunctionDef] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{one.name}": one for one in node.body if isinstance(one, ast.FunctionDef)}
    return {name: one for name, one in found.items() if one.name.startswith("test_")}


def is_there(evidence: str) -> bool:
    """Say whether a test exists and is never skipped, or a page of the repository exists."""
    name, _, test = evidence.partition("::")
    path = ROOT / name
    if not test:
        return path.is_file()
    found = named_in(path).get(test) if path.is_file() else None
    return found is not None and not any("skip" in ast.unparse(one) for one in found.decorator_list)


class TestTheTable:
    def test_has_every_requirement_once(self) -> None:
        ids = [row["id"] for row in rows()]
        assert len(ids) == len(set(ids)) == ALL
        assert ids == sorted(ids, key=lambda one: [int(part) for part in one.split(".")])

    def test_leaves_none_out_without_a_reason(self) -> None:
        said = {one: [row for row in rows() if row["applies"] == one] for one in ("yes", "no", "later")}
        assert sum(map(len, said.values())) == ALL
        assert len(said["yes"]) == IN_SCOPE
        assert sum(1 for row in said["yes"] if row["level"] == "3") == OF_LEVEL_3
        assert [row["id"] for row in (*said["no"], *said["later"]) if not row["reason"] or row["status"]] == []

    def test_says_of_each_that_applies_what_is_done_or_why_it_is_open(self) -> None:
        known = [row for row in rows() if row["applies"] == "yes"]
        assert [row["id"] for row in known if row["status"] not in ("done", "open", "accepted")] == []
        assert [row["id"] for row in known if not row["what"] or not row["room"]] == []
        assert [row["id"] for row in known if (row["status"] == "open") == bool(row["evidence"])] == []

    def test_leaves_nothing_open_and_has_a_decision_for_what_is_accepted(self) -> None:
        assert [row["id"] for row in rows() if row["status"] == "open"] == []
        accepted = [row for row in rows() if row["status"] == "accepted"]
        assert [row["id"] for row in accepted if "docs/decisions/" not in row["evidence"]] == []

    @pytest.mark.parametrize("row", [row for row in rows() if row["evidence"]], ids=lambda row: row["id"])
    def test_names_tests_that_exist(self, row: dict[str, str]) -> None:
        assert [one for one in row["evidence"].split(";") if not is_there(one)] == []
