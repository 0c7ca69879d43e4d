"""The documents say what the program does: generated pages are up to date, links lead somewhere, nothing is left out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate.licences import licences
from docs.generate.pages import PAGES
from lifecycle.actor import PERMISSIONS
from tests.lifecycle.recipes import RECIPES

ROOT = Path(__file__).parent.parent.parent
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES_BY_HAND = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "lifecycle/README.md")]
ALL_PAGES = [*PAGES_BY_HAND, *(ROOT / name for name in PAGES), *DECISIONS, *sorted((ROOT / "docs").glob("*.md"))]
ENVIRONMENT = "THIRD_PARTY.md"
"""Depends on the Python and the platform it is written on: every package must be in it, more may be."""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def first_column(page: str) -> list[str]:
    return re.findall(r"^\| `([\w.]+)` \|", read(page), re.MULTILINE)


class TestGeneratedPages:
    @pytest.mark.parametrize("name", sorted(PAGES.keys() - {ENVIRONMENT}))
    def test_say_what_the_code_gives(self, name: str) -> None:
        assert read(name) == PAGES[name](), f"{name} is behind the code: `make docs` writes it anew"

    def test_name_the_licence_of_every_package_that_runs_with_us(self) -> None:
        rows = dict(re.findall(r"^\| \**([a-z0-9-]+)\** \| (.+?) \|", read(ENVIRONMENT), re.MULTILINE))
        found = licences()
        assert {name: rows.get(name) for name in found} == found, "`make docs` writes THIRD_PARTY.md anew"

    def test_name_no_package_that_would_bind_our_own_code(self) -> None:
        free = {"text-unidecode"}  # may be had under the Artistic License as well
        binding = re.compile(r"AGPL|Affero|(?<!L)GPL|(?<!Lesser )General Public")
        assert {name: said for name, said in licences().items() if binding.search(said)}.keys() <= free


class TestLinks:
    @pytest.mark.parametrize("page", sorted(set(ALL_PAGES)), ids=lambda path: str(path.relative_to(ROOT)))
    def test_lead_to_files_and_lines_that_exist(self, page: Path) -> None:
        assert list(broken(page)) == []


def broken(page: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        if "://" in target or not name:
            continue
        path = page.parent / name
        line = re.fullmatch(r"L(\d+)", anchor)
        if not path.exists() or (line and int(line[1]) > len(path.read_text(encoding="utf-8").splitlines())):
            yield target


class TestNothingIsLeftOut:
    def test_every_permission_stands_in_its_section(self) -> None:
        sections = re.split(r"^## ", read("docs/verbs.md"), flags=re.MULTILINE)[1:]
        said = {f"{part.split()[0]}.{verb}" for part in sections for verb in re.findall(r"^\| `(\w+)` ", part, re.M)}
        assert said == set(PERMISSIONS)

    def test_every_message_that_a_verb_tells_has_its_row(self) -> None:
        told = {kind for recipe in RECIPES.values() for kind in recipe.tells}
        assert told <= set(first_column("docs/messages.md"))

    def test_no_message_has_a_row_that_nobody_tells(self) -> None:
        source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "lifecycle").rglob("*.py"))
        kinds = first_column("docs/messages.md")
        assert [one for one in kinds if f'"{one}"' not in source and f'"{one.partition(".")[2]}"' not in source] == []
        assert kinds == sorted(set(kinds))


class TestDecisions:
    def test_are_numbered_without_a_gap(self) -> None:
        assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]

    @pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
    def test_say_context_decision_and_consequences_on_one_page(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert re.match(rf"# 0*{int(path.name[:4])}\.? ", text)
        assert all(re.search(rf"(\*\*|## ){word}", text) for word in ("Context", "Decision", "Consequences"))
        assert len(text.splitlines()) <= 60
