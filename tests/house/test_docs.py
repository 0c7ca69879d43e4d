"""The documents say what the program does: generated pages are up to date, links lead somewhere, recipes work."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs.generate.licences import licences
from docs.generate.pages import PAGES
from lifecycle.imports.mapping import load_mapping
from lifecycle.permissions import PERMISSIONS
from lifecycle.stages import intake
from lifecycle.stages.records import Records
from lifecycle.stages.rules import RULES
from lifecycle.standards import library
from lifecycle.standards.compare import compare
from lifecycle.standards.lint import lint
from models.states import ProjectState
from notifications.messages import KINDS, OF_THE_CLOCK
from tests.lifecycle.recipes import RECIPES
from tests.lifecycle.stages.first_stages import a_paper, good_firm, with_papers

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


class TestRulesOfMoney:
    """Every clause of the fund rules has code and a test that shows it."""

    def test_name_what_is_there(self) -> None:
        page = ROOT / "docs" / "rules-of-money.md"
        rows = re.findall(r"^\| (F\d+) \| .+? \| (.+) \| (.+) \|$", page.read_text(encoding="utf-8"), re.MULTILINE)

        assert [clause for clause, _, _ in rows] == [f"F{number}" for number in range(1, 22)]
        for clause, code, tests in rows:
            for cell, folder in ((code, "tests"), (tests, "")):
                named = re.findall(r"\[`(\w+)`\]\(\.\./(\S+?)\)", cell)
                assert named, clause
                for name, path in named:
                    assert path.startswith("tests/") != bool(folder), (clause, path)
                    assert re.search(rf"(def |class |\"){name}\b", (ROOT / path).read_text(encoding="utf-8")), (
                        clause,
                        name,
                    )


class TestRecipes:
    """What `lifecycle/README.md` shows is true."""

    def test_show_a_layer_that_may_be_published(self, tmp_path: Path) -> None:
        head = (library.PACKS / "hardware-v3.2" / "pack.yaml").read_text(encoding="utf-8")
        (tmp_path / "pack.yaml").write_text(head.replace("code: hardware", "code: robotics"), encoding="utf-8")
        for name in ("intake", "small_batch_trial"):
            (tmp_path / f"{name}.yaml").write_text(block("yaml", f"# {name}.yaml"), encoding="utf-8")

        layer = library.load(tmp_path)

        assert lint(layer, rules=RULES.keys()) == []
        assert compare(library.default(), layer) == []
        assert layer.criterion("G1.10").evidence == ("insurance_policy",)
        assert layer.stage(ProjectState.SMALL_BATCH_TRIAL).default_days == 45

    def test_show_a_mapping_that_can_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "ours.yaml").write_text(block("yaml", "# ours.yaml"), encoding="utf-8")

        mapping = load_mapping(tmp_path / "ours.yaml")

        assert mapping.used == {"Nr", "Project", "Firm", "Begin", "TRL"}

    def test_show_a_rule_that_judges(self) -> None:
        room: dict[str, Any] = {**vars(intake)}
        exec(block("python", "def insured"), room)  # noqa: S102 - our own page
        asked = library.default().criterion("G1.5").model_copy(update={"parameters": {"sum_minor": 500}})

        def found(records: Records) -> str:
            return str(room["insured"](asked, records).state)

        def insured_for(values: dict[str, int]) -> Records:
            return with_papers(a_paper("insurance_policy", values=values))

        assert found(good_firm()) == "missing"
        assert found(insured_for({})) == "not_enough_evidence"
        assert found(insured_for({"sum_minor": 499})) == "not_met"
        assert found(insured_for({"sum_minor": 500})) == "met"


def block(language: str, begin: str) -> str:
    """Return the one block of code of this language that begins so, without the indent of the list it stands in."""
    page = read("lifecycle/README.md")
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", page, re.MULTILINE | re.DOTALL)
    (found,) = (text for text in (textwrap.dedent(text) for _, text in blocks) if text.startswith(begin))
    return found


class TestNothingIsLeftOut:
    def test_every_permission_stands_in_its_section(self) -> None:
        sections = re.split(r"^## ", read("docs/verbs.md"), flags=re.MULTILINE)[1:]
        rows = re.compile(r"^\| `(\w+)` ", re.MULTILINE)
        said = {f"{part.split()[0]}.{verb}" for part in sections for verb in rows.findall(part)}
        assert said == set(PERMISSIONS)

    def test_every_message_that_a_verb_tells_has_its_row(self) -> None:
        told = {kind for recipe in RECIPES.values() for kind in recipe.tells}
        assert told <= set(first_column("docs/messages.md"))

    def test_no_message_has_a_row_that_nobody_tells(self) -> None:
        rooms = [*(ROOT / "lifecycle").rglob("*.py"), *(ROOT / "flows").rglob("*.py")]
        source = "".join(path.read_text(encoding="utf-8") for path in rooms)
        kinds = first_column("docs/messages.md")
        by_verbs = [one for one in kinds if one not in OF_THE_CLOCK]
        assert [
            one for one in by_verbs if f'"{one}"' not in source and f'"{one.partition(".")[2]}"' not in source
        ] == []
        assert kinds == sorted({**KINDS, **OF_THE_CLOCK})

    def test_every_message_is_told_what_it_means(self) -> None:
        assert "| ? |" not in read("docs/messages.md")


class TestDecisions:
    def test_are_numbered_without_a_gap(self) -> None:
        assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]

    @pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
    def test_say_context_decision_and_consequences_on_one_page(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert re.match(rf"# 0*{int(path.name[:4])}\.? ", text)
        assert all(re.search(rf"(\*\*|## ){word}", text) for word in ("Context", "Decision", "Consequences"))
        assert len(text.splitlines()) <= 60
