import gzip
from pathlib import Path
from typing import Any

import pytest

from lifecycle.imports.rows import ProjectRow
from tests.lifecycle.imports.tables import (
    BASE,
    GOOD,
    HEADER,
    codes,
    csv_file,
    errors,
    good,
    mapping,
    only_project,
    outcomes,
)


class TestEncoding:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_reads_chinese_in_utf8_with_or_without_mark_and_in_gb18030(self, tmp_path: Path, encoding: str) -> None:
        path = csv_file(
            tmp_path, [HEADER, good(title="智能烹饪机器人", firm="深圳某某科技有限公司")], encoding=encoding
        )
        project = only_project(path, mapping(tmp_path))
        assert (project.name, project.organisation) == ("智能烹饪机器人", "深圳某某科技有限公司")

    def test_says_that_gb18030_was_assumed_unless_the_mapping_declares_it(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, good(title="机器人")], encoding="gb18030")
        assert [notice.code for notice in only_project(path, mapping(tmp_path)).notices] == ["encoding_assumed"]
        assert only_project(path, mapping(tmp_path, encoding="gb18030")).notices == ()

    def test_names_the_row_of_the_first_byte_that_is_neither(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, GOOD, good(no="P2")])
        path.write_bytes(path.read_bytes() + b'"P3","\xff\xff"\r\n')
        assert codes(path, mapping(tmp_path)) == [(4, None, "encoding_unknown")]

    def test_holds_the_file_to_a_declared_encoding(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, good(title="机器人")], encoding="gb18030")
        assert codes(path, mapping(tmp_path, encoding="utf-8")) == [(2, None, "encoding_unknown")]

    def test_refuses_utf16(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, GOOD], encoding="utf-16")
        assert codes(path, mapping(tmp_path)) == [(1, None, "encoding_unknown")]

    def test_names_the_row_of_a_nul(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, GOOD, good(no="P2", title="a\0b")])
        assert codes(path, mapping(tmp_path)) == [(3, None, "file_nul")]


class TestFileAsAWhole:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"", (None, None, "file_empty")),
            (b"\r\n\r\n", (None, None, "file_empty")),
            (b"\xef\xbb\xbf", (None, None, "file_empty")),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", (None, None, "xls_old_or_encrypted")),
            (b"\x1f\x8b\x08\x00broken", (None, None, "gzip_damaged")),
            (gzip.compress(b"no,title\r\n" * 50, mtime=0)[:-12], (None, None, "gzip_damaged")),
        ],
    )
    def test_is_refused_with_its_reason(
        self, tmp_path: Path, data: bytes, expected: tuple[int | None, str | None, str]
    ) -> None:
        path = tmp_path / "book.csv"
        path.write_bytes(data)
        assert codes(path, mapping(tmp_path)) == [expected]

    def test_needs_a_row_below_its_header(self, tmp_path: Path) -> None:
        assert codes(csv_file(tmp_path, [HEADER]), mapping(tmp_path)) == [(None, None, "file_no_rows")]

    def test_is_read_through_gzip_by_content_not_by_name(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, GOOD])
        path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        assert only_project(path, mapping(tmp_path)).name == "Cooking robot"

    def test_refuses_a_gzip_bomb_before_it_is_unpacked(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.csv.gz"
        with gzip.open(path, "wb", compresslevel=9) as file:
            for _ in range(64):
                file.write(bytes(1 << 20).replace(b"\0", b"x"))
        assert codes(path, mapping(tmp_path)) == [(None, None, "archive_ratio")]

    def test_refuses_a_line_without_an_end(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, GOOD])
        path.write_bytes(path.read_bytes() + b"," * (3 << 20))
        assert codes(path, mapping(tmp_path)) == [(3, None, "csv_line_too_long")]

    @pytest.mark.parametrize(
        ("tail", "code"),
        [
            (b'"P2","never closed\r\n', "csv_malformed"),
            (b'"P2"x,"a"\r\n', "csv_malformed"),
            (b'"' + b"a\r\n" * 70_000, "csv_cell_too_long"),
        ],
    )
    def test_stops_at_a_broken_quotation_because_nothing_after_it_can_be_trusted(
        self, tmp_path: Path, tail: bytes, code: str
    ) -> None:
        path = csv_file(tmp_path, [HEADER, GOOD])
        path.write_bytes(path.read_bytes() + tail)
        first, second = outcomes(path, mapping(tmp_path))
        assert isinstance(first, ProjectRow)
        assert codes(path, mapping(tmp_path)) == [(3, None, code)]
        assert not isinstance(second, ProjectRow)

    def test_shows_an_awkward_file_name_harmlessly(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER], name="a\n\u202eb.csv")
        assert errors(path, mapping(tmp_path))[0].file == "a\\u{000a}\\u{202e}b.csv"

    def test_is_held_to_the_format_of_the_mapping(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, GOOD])
        assert codes(path, mapping(tmp_path, format="xlsx")) == [(None, None, "format_mismatch")]


class TestHeader:
    def test_that_is_absent_is_said(self, tmp_path: Path) -> None:
        assert codes(csv_file(tmp_path, [GOOD]), mapping(tmp_path)) == [(1, None, "header_missing")]

    def test_tells_every_unknown_missing_duplicate_and_nameless_column_at_once(self, tmp_path: Path) -> None:
        header = [*HEADER[:-1], "extra", "", "firm"]
        found = codes(csv_file(tmp_path, [header, [*GOOD, "", ""]]), mapping(tmp_path))
        assert found == [
            (1, "extra", "column_unknown"),
            (1, None, "header_empty"),
            (1, "firm", "column_duplicate"),
            (1, "sum", "column_missing"),
        ]

    @pytest.mark.parametrize("ignore", [["extra"], "rest"])
    def test_lets_an_unknown_column_pass_that_the_mapping_ignores(
        self, tmp_path: Path, ignore: list[str] | str
    ) -> None:
        path = csv_file(tmp_path, [[*HEADER, "extra"], [*GOOD, "=HYPERLINK(1)"]])
        assert only_project(path, mapping(tmp_path, ignore=ignore)).key == "book:P1"

    def test_may_stand_below_a_title(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [["A title"], HEADER, GOOD])
        assert only_project(path, mapping(tmp_path, header_row=2)).row == 3


class TestColumns:
    @pytest.mark.parametrize(("more", "found"), [(["x"] * 92, []), (["x"] * 93, [(1, None, "sheet_columns")])])
    def test_have_a_limit_as_in_a_workbook(self, tmp_path: Path, more: list[str], found: list[Any]) -> None:
        header = [*HEADER, *(f"{one}{place}" for place, one in enumerate(more)), *[""] * 20]
        path = csv_file(tmp_path, [header, [*GOOD, *[""] * (len(more) + 20)]])
        assert codes(path, mapping(tmp_path, ignore="rest")) == found


class TestRowNumbers:
    def test_are_those_of_a_spreadsheet_with_blank_rows_and_cells_of_several_lines(self, tmp_path: Path) -> None:
        fact = {"column": "note", "to": "fact", "label": "note", "as": "text"}
        rows = [[*HEADER, "note"], [*GOOD, "one\r\ntwo\r\nthree"], [""] * 9, [*good(no="P2", trl="ten"), ""]]
        path = csv_file(tmp_path, rows)
        how = mapping(tmp_path, columns=[*BASE["columns"], fact])
        first = outcomes(path, how)[0]
        assert isinstance(first, ProjectRow)
        assert first.facts == {"note": "one\ntwo\nthree"}
        assert codes(path, how) == [(4, "trl", "level_range")]

    @pytest.mark.parametrize(("row", "found"), [(GOOD[:-1], 7), ([*GOOD, "more"], 9)])
    def test_name_a_ragged_row_and_the_next_row_goes_on(self, tmp_path: Path, row: list[str], found: int) -> None:
        path = csv_file(tmp_path, [HEADER, row, good(no="P2")])
        wrong, right = outcomes(path, mapping(tmp_path))
        assert isinstance(right, ProjectRow)
        (error,) = errors(path, mapping(tmp_path))
        assert (error.row, error.code, error.params) == (2, "row_ragged", {"expected": 8, "found": found})
        assert wrong == error
