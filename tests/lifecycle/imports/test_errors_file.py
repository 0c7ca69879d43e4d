import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.imports.errors_file import ErrorsFile, neutralised, restored
from lifecycle.imports.problems import Params
from tests.lifecycle.imports.sentences import sentence_in
from tests.lifecycle.imports.tables import GOOD, HEADER, csv_file, errors, good, mapping


def written(tmp_path: Path, source: Path, language: str) -> list[list[str]]:
    path = tmp_path / "errors.csv"

    def sentence(code: str, params: Params) -> str:
        return sentence_in(language, code, params)

    with ErrorsFile(path, sentence=sentence) as file_of_errors:
        file_of_errors.add(errors(source, mapping(tmp_path)))
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    assert len(lines) == file_of_errors.count + 1
    return lines


class TestNeutralised:
    @pytest.mark.parametrize(
        "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x", "'=1"]
    )
    def test_puts_an_apostrophe_before_what_could_be_a_formula(self, text: str) -> None:
        assert neutralised(text) == f"'{text}"

    @given(st.text())
    def test_is_taken_back_exactly(self, text: str) -> None:
        assert restored(neutralised(text)) == text


class TestErrorsFile:
    def test_says_row_column_rule_and_reason_beside_the_row_itself(self, tmp_path: Path) -> None:
        source = csv_file(tmp_path, [HEADER, GOOD, good(no="P2", trl="12", firm="+1")])
        heading, line = written(tmp_path, source, "en")
        assert heading == ["File", "Row", "Column", "Value", "Rule", "Code", "Reason", *HEADER]
        assert line[:7] == [
            "book.csv", "3", "trl", "12", "TRL 1-9", "level_range", "TRL is a whole number from 1 to 9.",
        ]  # fmt: skip
        assert [restored(cell) for cell in line[7:]] == good(no="P2", trl="12", firm="+1")
        assert line[9] == "'+1"

    def test_speaks_the_language_asked(self, tmp_path: Path) -> None:
        source = csv_file(tmp_path, [HEADER, good(trl="6", mrl="8")])
        heading, line = written(tmp_path, source, "zh")
        assert heading[:2] == ["文件", "行"]
        assert line[6] == "MRL 8 要求 TRL 至少为 7，而 TRL 为 6。"

    def test_keeps_every_line_apart_even_for_a_ragged_row(self, tmp_path: Path) -> None:
        source = csv_file(tmp_path, [HEADER, GOOD[:3], good(no="P2", trl="x")])
        lines = written(tmp_path, source, "en")
        assert {len(line) for line in lines} == {7 + len(HEADER)}

    def test_tells_what_is_wrong_with_a_whole_file(self, tmp_path: Path) -> None:
        source = tmp_path / "empty.csv"
        source.write_bytes(b"")
        assert written(tmp_path, source, "en")[1] == [
            "empty.csv",
            "",
            "",
            "",
            "not empty",
            "file_empty",
            "The file is empty.",
        ]
