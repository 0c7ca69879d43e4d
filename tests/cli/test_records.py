from pathlib import Path
from uuid import UUID

import pytest

from models.states import ProjectState
from tests.cli.conftest import Line
from tests.factories import House, a_project


def number_of(house: House, project_id: UUID) -> str:
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(project_id)))


@pytest.fixture
def trial(house: House) -> str:
    """Give the number of a project in the trial stage of the default standard."""
    return number_of(house, a_project(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default"))


@pytest.fixture
def intake(house: House) -> str:
    """Give the number of a project at intake of the default standard."""
    return number_of(house, a_project(house, pack="default"))


BY = ("--as", "process_engineer")


class TestBatch:
    def test_is_added_made_today_with_its_yield(self, at_home: Line, trial: str) -> None:
        at_home("batch", "add", trial, "--made", "90", "--good", "84", *BY)

        (row,) = at_home("batch", "list", trial, "--json").document["data"]

        assert (row["number"], row["made_on"], row["yield"], row["bound"]) == ("B-01", "2025-07-08", "93.3%", "87.3%")

    @pytest.mark.parametrize("ref", [("{}/B-01",), ("{}", "--batch", "B-01")])
    def test_is_named_behind_the_number_or_in_an_option(self, at_home: Line, trial: str, ref: tuple[str, ...]) -> None:
        at_home("batch", "add", trial, "--made", "50", "--good", "48", *BY)

        said = at_home("batch", "close", *(part.format(trial) for part in ref), "--conforming", *BY)

        assert said.code == 0
        assert at_home("batch", "list", trial, "--json").document["data"][0]["is_closed"] is True

    def test_must_be_named(self, at_home: Line, trial: str) -> None:
        said = at_home("batch", "close", trial, "--conforming", *BY, "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "field_missing")

    def test_is_corrected_by_appending(self, at_home: Line, trial: str, house: House) -> None:
        at_home("batch", "add", trial, "--made", "50", "--good", "41", *BY)

        at_home("batch", "correct", f"{trial}/B-01", "--made", "50", "--good", "42", "--reason", "miscounted", *BY)

        assert at_home("batch", "yield", trial).rows[0][2] == "42"
        assert house.one("SELECT COUNT(*) FROM batch_figure") == 2

    def test_is_measured_subgroup_by_subgroup(self, at_home: Line, trial: str, house: House) -> None:
        at_home("batch", "add", trial, "--made", "50", "--good", "50", *BY)
        at_home("characteristic", "add", trial, "ring", "--unit", "mm", "--lower", "73.95", "--upper", "74.05", *BY)

        said = at_home(
            "batch", "measure", f"{trial}/B-01", "ring", "--values", "74.0,74.01", "--values", "73.99,74.0", *BY
        )

        assert said.code == 0
        assert house.rows("SELECT subgroup, place, value FROM measurement ORDER BY subgroup, place") == [
            (1, 1, 74.0),
            (1, 2, 74.01),
            (2, 1, 73.99),
            (2, 2, 74.0),
        ]

    def test_refuses_figures_that_cannot_be(self, at_home: Line, trial: str) -> None:
        said = at_home("batch", "add", trial, "--made", "10", "--good", "11", *BY, "--json")

        assert (said.code, said.document["error"]["code"]) == (3, "batch_figures")


class TestEvidence:
    def test_form_shows_what_is_asked(self, at_home: Line, intake: str) -> None:
        rows = at_home("evidence", "form", intake, "G1.2", "--json").document["data"]

        assert {row["type"] for row in rows} == {"licence"}
        assert {"field", "kind", "required", "title"} <= set(rows[0])

    def test_is_stored_and_handed_in_with_typed_values(
        self, at_home: Line, intake: str, tmp_path: Path, house: House
    ) -> None:
        paper = tmp_path / "offer.pdf"
        paper.write_bytes(OFFERED)
        form = tmp_path / "offer.yaml"
        form.write_text(as_yaml(at_home, intake, "platform_offer"), encoding="utf-8")

        said = at_home("evidence", "add", intake, "platform_offer", str(paper), "--form", str(form), *OFFER)

        assert (said.code, said.err.splitlines()[:1]) == (0, ["Command key: k1"])
        (row,) = at_home("evidence", "list", intake, "--json").document["data"]
        assert (row["type"], row["file_name"], row["size_bytes"]) == ("platform_offer", "offer.pdf", len(OFFERED))
        assert (tmp_path / "evidence" / row["sha256"][:2] / row["sha256"]).read_bytes() == OFFERED
        assert at_home("evidence", "show", row["id"], "--json").document["author"] == "coordinator"

    def test_names_every_field_that_is_missing(self, at_home: Line, intake: str, tmp_path: Path) -> None:
        paper = tmp_path / "licence.pdf"
        paper.write_bytes(OFFERED)

        said = at_home("evidence", "add", intake, "licence", str(paper), "--as", "project_lead", "--json")

        assert said.code == 3
        assert set(said.document["error"]["unmet"]) == {"form_field_missing"}

    def test_says_what_a_field_takes_and_names_a_missing_one_once(
        self, at_home: Line, intake: str, tmp_path: Path
    ) -> None:
        paper = tmp_path / "paper.pdf"
        paper.write_bytes(OFFERED)

        said = at_home(
            *("evidence", "add", intake, "incident_declaration", str(paper), "--as", "project_lead"),
            *("--value", "covers_from=soon", "--value", "major_incidents=two"),
        )

        assert "field covers_from is “soon”; wanted: a day such as 2026-03-31." in said.err
        assert "field major_incidents is “two”; wanted: a whole number." in said.err
        assert said.err.count("lacks the field party") == 1

    @pytest.mark.parametrize(
        ("name", "content", "code"),
        [
            ("paper.pdf", b"", "file_empty"),
            ("paper.pdf", b"MZ\x90\x00 a program", "file_type_unknown"),
            ("paper.pdf", b"only text", "file_type_differs"),
            ("paper.csv", b"name,sum\n=HYPERLINK(1),2\n", "formula_text"),
        ],
    )
    def test_with_a_content_that_no_page_takes_is_refused_and_not_kept(
        self, at_home: Line, intake: str, tmp_path: Path, name: str, content: bytes, code: str
    ) -> None:
        paper = tmp_path / name
        paper.write_bytes(content)

        said = at_home("evidence", "add", intake, "sample", str(paper), "--as", "project_lead", "--json")

        assert (said.code, said.document["error"]["code"]) == (2, code)
        assert not (tmp_path / "evidence").exists()

    def test_of_a_type_nobody_knows_is_a_mistake(self, at_home: Line, intake: str, tmp_path: Path) -> None:
        paper = tmp_path / "x.pdf"
        paper.write_bytes(b"x")

        said = at_home("evidence", "add", intake, "Licence", str(paper), "--as", "project_lead", "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "evidence_type_unknown")
        assert said.document["error"]["reasons"][0]["values"]["known"][0] == "licence"

    def test_of_a_clause_with_several_types_wants_one_named(self, at_home: Line, intake: str, tmp_path: Path) -> None:
        paper = tmp_path / "x.pdf"
        paper.write_bytes(b"x")

        said = at_home("evidence", "add", intake, "G1.1", str(paper), "--as", "project_lead", "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "clause_has_several_types")


OFFERED = b"%PDF-1.7\n%%EOF\n"
OFFER = ("--as", "coordinator", "--command-id", "k1")


def as_yaml(line: Line, number: str, kind: str) -> str:
    """Fill the required fields of a form with something of the right kind."""
    examples = {
        "text": "'text'",
        "int": "1",
        "number": "1.5",
        "money": "100",
        "percent": "0.5",
        "date": "2025-07-01",
        "bool": "true",
        "list": "[a]",
    }
    rows = line("evidence", "form", number, kind, "--json").document["data"]
    filled = {
        row["field"]: f"'{row['choices'][0]}'" if row["choices"] else examples.get(row["kind"], "[]")
        for row in rows
        if row["required"] and "[]" not in row["field"]
    }
    return "\n".join(f"{name}: {value}" for name, value in filled.items())


class TestIssue:
    def test_is_closed_by_its_number(self, at_home: Line, trial: str) -> None:
        at_home("issue", "add", trial, "overheats", "--kind", "issue", "--severity", "2", *BY)

        said = at_home("issue", "close", f"{trial}/1", "--disposition", "new board", *BY)

        assert said.code == 0
        assert at_home("issue", "list", trial).rows[0][-1] == "2025-07-08"

    def test_wants_a_number_that_is_one(self, at_home: Line, trial: str) -> None:
        said = at_home("issue", "close", f"{trial}/one", "--disposition", "x", *BY, "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "value_wrong")


class TestScenario:
    def test_takes_limits_and_measured_values(self, at_home: Line, house: House) -> None:
        number = number_of(house, a_project(house, stage=ProjectState.MARKET_VALIDATION, pack="default"))

        said = at_home(
            *("scenario", "record", number, "canteen", "--started", "today", "--units", "3", "--as", "project_lead"),
            *("--limit", 'wok={"lower": 180, "upper": 220, "unit": "°C"}', "--measured", "wok=201.5"),
        )

        assert said.code == 0
        assert house.one("SELECT started_on FROM scenario_trial") == "2025-07-08"
        assert '"measured":{"wok":201.5}' in house.one("SELECT body FROM audit_record ORDER BY seq DESC LIMIT 1") or (
            "201.5" in house.one("SELECT measured FROM scenario_trial")
        )


class TestOrder:
    def test_refuses_to_round_an_amount(self, at_home: Line, trial: str) -> None:
        said = at_home(
            "order", "record", trial, "A1", "--kind", "order", "--quantity", "1", "--amount", "1.005", "--json", *BY
        )

        assert said.code == 2
        assert "3 decimals; 2 at most" in said.document["error"]["detail"]
