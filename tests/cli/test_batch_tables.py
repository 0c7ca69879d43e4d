"""Batches of a project from a table on the command line: the console's way in, its errors by cell, the exit codes."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from cli.errors import NOT_SIGNED_IN, PARTLY, REFUSED, USAGE
from cli.main import run
from lifecycle.imports.batch_rows import COLUMNS
from models.states import ProjectState
from tests.factories import House, projects, sign_contract
from web.batch_book import heading

Said = tuple[int, str, str]


@pytest.fixture
def trial(house: House, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the number of a project in its trial stage."""
    monkeypatch.setenv("PILOTWAY_DB", str(house.engine.url.database))
    (one,) = projects(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")
    sign_contract(house, one)
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(one)))


@pytest.fixture
def bring(trial: str, tmp_path: Path, capsys: Any) -> Any:
    """Give what brings rows in and returns (exit code, stdout, stderr)."""

    def call(*rows: Mapping[str, Any], options: tuple[str, ...] = (), by: str | None = "process_engineer") -> Said:
        book = Workbook()
        page: Any = book.active
        page.append([heading(name, "en") for name in COLUMNS])
        for row in rows:
            page.append([row.get(name) for name in COLUMNS])
        book.save(tmp_path / "batches.xlsx")
        actor = () if by is None else ("--as", by)
        asked = ["batch", "import", str(tmp_path / "batches.xlsx"), "--project", trial, "--lang", "en"]
        code = run([*asked, *actor, *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def a_batch(name: str = "B-01", **more: Any) -> dict[str, Any]:
    """Return a good row."""
    return {"number": name, "made_on": date(2025, 7, 8), "started": 90, "passed_first_time": 84, **more}


def count(house: House) -> int:
    """Return how many batches there are."""
    return int(house.one("SELECT count(*) FROM trial_batch"))


class TestImport:
    def test_brings_all_in_once_and_a_repeat_changes_nothing(self, bring: Any, house: House) -> None:
        first, again = bring(a_batch(), a_batch("B-02")), bring(a_batch(), a_batch("B-02"))

        assert (first[0], again[0], count(house)) == (0, 0, 2)
        assert "Batches: 2 new, 0 changed, 0 unchanged, 0 wrong." in first[2]
        assert "Batches: 0 new, 0 changed, 2 unchanged, 0 wrong." in again[2]
        kept = house.one("SELECT command_id FROM command_record WHERE verb = 'trial_batch.import_table'")
        assert (f"Receipt: {kept}" in first[2], "Receipt:" in again[2]) == (True, False)

    def test_says_what_a_correction_changes(self, bring: Any) -> None:
        bring(a_batch())

        code, out, _ = bring(a_batch(passed_first_time=80, reason="counted again"))

        assert code == 0
        assert "Passed first time 84 → 80" in out

    def test_looks_only_where_that_is_asked(self, bring: Any, house: House) -> None:
        code, out, err = bring(a_batch(), options=("--dry-run",))

        assert (code, count(house)) == (0, 0)
        assert "new" in out
        assert "Dry run: 1 rows, 0 of them wrong; nothing was written." in err

    def test_names_the_cell_that_is_wrong_and_writes_nothing(self, bring: Any, house: House) -> None:
        code, _, err = bring(a_batch(), a_batch("B-02", started="many"))

        assert (code, count(house)) == (REFUSED, 0)
        letter = "ABCDEFGH"[COLUMNS.index("started")]
        assert f"{letter}3 Started:" in err
        assert "1 of 2 rows are wrong, so nothing was written" in err

    def test_names_the_cell_that_a_verb_refuses(self, bring: Any, house: House) -> None:
        code, _, err = bring(a_batch(passed_first_time=91))

        assert (code, count(house)) == (REFUSED, 0)
        assert f"{'ABCDEFGH'[COLUMNS.index('passed_first_time')]}2 Passed first time:" in err

    @pytest.mark.parametrize(("options", "there"), [((), 1), (("--dry-run",), 0)])
    def test_brings_the_good_rows_in_with_partial_and_ends_with_6(
        self, bring: Any, house: House, options: tuple[str, ...], there: int
    ) -> None:
        code, _, _ = bring(a_batch(), a_batch("B-02", started="many"), options=("--partial", *options))

        assert (code, count(house)) == (PARTLY, there)

    def test_ends_with_3_when_no_row_at_all_could_come_in(self, bring: Any) -> None:
        assert bring(a_batch(started="many"), options=("--partial",))[0] == REFUSED

    def test_gives_the_table_back_with_notes(self, bring: Any, tmp_path: Path) -> None:
        path = tmp_path / "marked.xlsx"

        bring(a_batch(started="many"), options=("--marked", str(path)))

        page: Any = load_workbook(path)["Batches"]
        (note,) = [cell.comment.text for row in page.iter_rows() for cell in row if cell.comment]
        assert "whole number" in note.lower()
        assert bring(a_batch(started="many"), options=("--marked", str(path)))[0] == USAGE

    def test_prints_one_document_with_cells_and_both_languages(self, bring: Any) -> None:
        code, out, _ = bring(a_batch(), a_batch("B-02", started="many"), options=("--json",))

        error = json.loads(out)["error"]
        (wrong,) = error["report"]["errors"]
        assert (code, error["code"], error["unmet"]) == (REFUSED, "import_wrong_rows", ["int_malformed"])
        assert (wrong["row"], wrong["column"], set(wrong["reason"])) == (3, "started", {"zh-CN", "en"})
        assert error["report"]["written"] is False

    def test_is_for_who_may_record_a_batch(self, bring: Any, house: House) -> None:
        assert bring(a_batch(), by=None)[0] == NOT_SIGNED_IN
        assert bring(a_batch(), by="auditor")[0] == REFUSED
        assert count(house) == 0

    def test_refuses_a_table_without_its_columns(self, trial: str, tmp_path: Path, capsys: Any) -> None:
        (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")

        code = run(
            ["batch", "import", str(tmp_path / "other.csv"), "--project", trial, "--as", "admin", "--lang", "en"]
        )

        assert code == REFUSED
        assert "Made on" in capsys.readouterr().err


class TestTheTemplate:
    def test_comes_back_filled_in(self, bring: Any, trial: str, house: House, tmp_path: Path, capsys: Any) -> None:
        bring(a_batch())
        path = tmp_path / "template.xlsx"

        code = run(["batch", "template", "--project", trial, "--out", str(path), "--lang", "en"])

        assert code == 0
        assert f"pilotway batch import FILE --project {trial} --dry-run" in capsys.readouterr().err
        again = ["batch", "import", str(path), "--project", trial, "--as", "process_engineer", "--lang", "en"]
        assert run(again) == 0
        assert "1 unchanged" in capsys.readouterr().err
        assert count(house) == 1

    @pytest.mark.parametrize("mine", ["mine", None])
    def test_is_never_written_over_a_file(self, trial: str, tmp_path: Path, capsys: Any, mine: str | None) -> None:
        """Neither over one that is there nor through a link that leads to none yet."""
        path, behind = tmp_path / "template.xlsx", tmp_path / "behind"
        if mine:
            path.write_text(mine, encoding="utf-8")
        else:
            path.symlink_to(behind)

        assert run(["batch", "template", "--project", trial, "--out", str(path), "--lang", "en"]) == USAGE
        assert f"The file {path} exists already." in capsys.readouterr().err
        assert (behind.exists(), path.read_text(encoding="utf-8") if mine else None) == (False, mine)
