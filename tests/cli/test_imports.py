import csv
import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from cli.errors import NOT_SIGNED_IN, PARTLY, REFUSED, USAGE
from cli.main import run
from tests.factories import House
from tests.lifecycle.imports.tables import GOOD, HEADER, csv_file, good, mapping


@pytest.fixture
def import_file(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Give what imports rows by the command line and returns (exit code, stdout, stderr)."""
    monkeypatch.setenv("PILOTWAY_DB", str(house.engine.url.database))
    mapping(tmp_path)

    def call(*rows: list[str], options: tuple[str, ...] = (), by: str | None = "admin") -> tuple[int, str, str]:
        path = csv_file(tmp_path, [HEADER, *rows])
        actor = () if by is None else ("--as", by)
        asked = ["import", "projects", str(path), "--mapping", str(tmp_path / "mapping.yaml"), "--programme", "bare"]
        code = run([*asked, "--lang", "en", *actor, *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


WRONG = good(no="P2", trl="12", title="=1+1")


class TestImportProjects:
    def test_prints_the_counts_and_ends_with_0(self, import_file: Any, house: House) -> None:
        code, out, err = import_file(GOOD)
        counts = ["new", "1", "changed", "0", "unchanged", "0", "wrong", "0", "skipped", "0"]
        assert (code, out.split()[2:]) == (0, counts)
        assert "1 rows are in; new organisations: 1." in err
        assert house.one("SELECT count(*) FROM project") == 1

    def test_names_row_column_rule_and_reason_and_ends_with_3(self, import_file: Any, house: House) -> None:
        code, _, err = import_file(GOOD, good(no="P2", trl="12"))
        assert code == REFUSED
        assert "Row 3, trl (TRL 1-9): TRL is a whole number from 1 to 9." in err
        assert "1 of 2 rows are wrong, so nothing was written" in err
        assert house.one("SELECT count(*) FROM project") == 0

    def test_brings_the_others_in_with_partial_and_ends_with_6(self, import_file: Any, house: House) -> None:
        assert import_file(GOOD, WRONG, options=("--partial",))[0] == PARTLY
        assert house.one("SELECT count(*) FROM project") == 1

    def test_ends_with_3_when_no_row_at_all_could_come_in(self, import_file: Any) -> None:
        assert import_file(WRONG, options=("--partial",))[0] == REFUSED

    @pytest.mark.parametrize(("options", "expected"), [((), REFUSED), (("--partial",), PARTLY)])
    def test_says_beforehand_how_it_would_end(
        self, import_file: Any, house: House, options: tuple[str, ...], expected: int
    ) -> None:
        code, out, err = import_file(GOOD, WRONG, options=("--dry-run", *options))
        assert (code, out.split()[2:4]) == (expected, ["new", "1"])
        assert "Dry run: 2 rows, 1 of them wrong; nothing was written." in err
        assert house.one("SELECT count(*) FROM project") == 0

    def test_writes_the_wrong_rows_into_a_file_that_no_spreadsheet_computes(
        self, import_file: Any, tmp_path: Path
    ) -> None:
        path = tmp_path / "errors.csv"
        assert import_file(GOOD, WRONG, options=("--errors", str(path)))[0] == REFUSED
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["Code"] for row in rows} == {"level_range", "formula_text"}
        assert {row["title"] for row in rows} == {"'=1+1"}

    def test_never_writes_the_errors_over_the_file_itself(self, import_file: Any, tmp_path: Path) -> None:
        assert import_file(GOOD, options=("--errors", str(tmp_path / "book.csv")))[0] == USAGE
        assert (tmp_path / "book.csv").read_text(encoding="utf-8").startswith('"no","title"')

    def test_prints_one_document_with_reasons_in_both_languages(self, import_file: Any) -> None:
        code, out, _ = import_file(GOOD, good(no="P2", trl="12"), options=("--partial", "--json"))
        document = json.loads(out)
        assert code == PARTLY
        assert document["rows"] == {"new": 1, "changed": 0, "unchanged": 0, "wrong": 1, "skipped": 0}
        assert document["stages"] == {"intake": 1}
        assert document["errors"][0]["reason"] == {
            "zh-CN": "TRL 应为 1 到 9 的整数。",
            "en": "TRL is a whole number from 1 to 9.",
        }

    def test_prints_the_error_document_of_the_contract_when_nothing_came_in(self, import_file: Any) -> None:
        code, out, _ = import_file(good(trl="12"), options=("--json",))
        error = json.loads(out)["error"]
        assert (code, error["code"], error["unmet"]) == (REFUSED, "import_wrong_rows", ["level_range"])
        assert error["report"]["written"] is False

    def test_needs_somebody_who_may_import(self, import_file: Any) -> None:
        assert import_file(GOOD, by=None)[0] == NOT_SIGNED_IN
        assert import_file(GOOD, by="project_lead")[0] == REFUSED

    def test_names_the_mappings_there_are(self, import_file: Any) -> None:
        code, _, err = import_file(GOOD, options=("--mapping", "nobody"))
        assert code == USAGE
        assert "techport" in err

    def test_says_what_is_wrong_with_a_mapping(self, import_file: Any, tmp_path: Path) -> None:
        (tmp_path / "bad.yaml").write_text("source: x\nsource: y\n", encoding="utf-8")
        code, _, err = import_file(GOOD, options=("--mapping", str(tmp_path / "bad.yaml")))
        assert code == USAGE
        assert "bad.yaml" in err
        assert "line 2" in err


class TestImportMappings:
    def test_lists_what_comes_with_the_product(self, capsys: Any) -> None:
        assert run(["import", "mappings", "--json"]) == 0
        names = [row["name"] for row in json.loads(capsys.readouterr().out)["data"]]
        assert {"cn_projects", "eu_projects", "sbir_phase1", "sbir_phase2", "techport"} <= set(names)


HEADED = [["编号", "项目名称", "阶段", "经费", "密级"], ["P1", "焊接机器人", "受理", "12.50", "内部"]]


@pytest.fixture
def import_table(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Give what imports a workbook without a mapping and returns (exit code, stdout, stderr)."""
    monkeypatch.setenv("PILOTWAY_DB", str(house.engine.url.database))
    path = tmp_path / "book.xlsx"

    def call(*options: str, rows: list[list[Any]] = HEADED) -> tuple[int, str, str]:
        book = Workbook()
        page: Any = book.active
        for row in rows:
            page.append(row)
        book.save(path)
        code = run(["import", "projects", str(path), "--programme", "bare", "--lang", "en", "--as", "admin", *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


class TestATableWithoutAMapping:
    def test_is_read_by_its_headings_and_leaves_a_receipt(self, import_table: Any, house: House) -> None:
        code, _, err = import_table()

        assert code == 0
        assert "Columns: 编号=number, 项目名称=name, 阶段=stage, 经费=money, 密级=" in err
        kept = house.one("SELECT command_id FROM command_record WHERE command_id LIKE 'import:table:%'")
        assert f"Receipt: {kept}" in err
        assert house.one("SELECT name FROM project") == "焊接机器人"

    def test_is_not_written_on_a_guess_of_a_unit(self, import_table: Any, house: House) -> None:
        rows = [["编号", "项目名称", "阶段", "经费（百万元）"], ["P1", "焊接机器人", "受理", "3"]]

        code, _, err = import_table(rows=rows)

        assert code == USAGE
        assert "The unit of the amounts under 经费（百万元） is not known" in err
        assert house.one("SELECT count(*) FROM project") == 0
        assert import_table("--columns", "经费（百万元）=fact", rows=rows)[0] == 0
        assert json.loads(house.one("SELECT outside FROM project"))["facts"] == {"经费（百万元）": "3"}
        assert import_table(rows=[rows[0], ["P2", "喷涂机器人", "受理", "4"]])[0] == 0

    def test_has_its_columns_as_they_are_said_and_remembers_that(self, import_table: Any, house: House) -> None:
        said = "阶段=,经费=fact,密级=fact"
        assert import_table("--columns", said, "--stage", "handoff")[0] == 0
        assert house.one("SELECT stage FROM project") == "handoff"
        assert json.loads(house.one("SELECT outside FROM project"))["facts"] == {"经费": "12.50", "密级": "内部"}

        again = [HEADED[0], ["P2", "喷涂机器人", "", "3", ""]]
        code, out, _ = import_table("--json", rows=again)
        document = json.loads(out)
        assert code == 0
        assert document["how"] == {
            "columns": ["number", "name", "", "fact", "fact"],
            "stage": "handoff",
            "currency": "CNY",
        }
        assert document["receipt"].startswith("import:table:")
        assert house.one("SELECT count(*) FROM project WHERE stage = 'handoff'") == 2

    def test_gives_its_wrong_rows_back_with_notes(self, import_table: Any, tmp_path: Path) -> None:
        out = tmp_path / "errors.xlsx"
        rows = [HEADED[0], ["P1", "焊接机器人", "受理", 12.332, ""]]

        code, _, err = import_table("--errors", str(out), rows=rows)

        assert code == REFUSED
        assert "It has 3 decimals; 2 at most." in err
        sheet: Any = load_workbook(out).active
        assert [cell.value for cell in sheet[1]][:5] == HEADED[0]
        assert "It has 3 decimals; 2 at most." in sheet["D2"].comment.text

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--columns", "编号"), "“编号” is written as HEADING=FIELD."),
            (("--columns", "年份=fact"), "The header has no column 年份"),
            (("--columns", "编号="), "No column is Project number; choose one."),
            (("--columns", "密级=owner"), "The columns do not fit together: owner."),
            (("--stage", "soon", "--columns", "阶段="), "This word is not known"),
            (("--currency", "XXX"), "The columns do not fit together"),
        ],
    )
    def test_is_not_read_where_its_columns_are_not_clear(
        self, import_table: Any, house: House, options: tuple[str, ...], said: str
    ) -> None:
        code, _, err = import_table(*options)

        assert code == USAGE
        assert said in err
        assert house.one("SELECT count(*) FROM project") == 0


class TestTheTemplate:
    def test_is_written_once_and_read_as_it_is(self, tmp_path: Path, capsys: Any) -> None:
        out = tmp_path / "projects.xlsx"

        assert run(["import", "template", "--out", str(out)]) == 0
        assert load_workbook(out).sheetnames == ["Projects", "pilotway"]
        assert run(["import", "template", "--out", str(out)]) == USAGE
        assert str(out) in capsys.readouterr().err

    def test_has_a_list_of_its_fields(self, capsys: Any) -> None:
        assert run(["import", "fields", "--lang", "en"]) == 0
        assert "Project number / 项目编号" in capsys.readouterr().out
