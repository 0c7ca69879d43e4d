import struct
import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from time import process_time

import pytest

from lifecycle.imports.archive import check_archive
from lifecycle.imports.problems import Unreadable
from lifecycle.imports.rows import ProjectRow
from tests.lifecycle.imports.tables import (
    BASE,
    GOOD,
    HEADER,
    codes,
    errors,
    good,
    mapping,
    only_project,
    outcomes,
    xlsx_file,
)

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
NATIVE = ["P1", "烹饪机器人", "Kitchen Works", "9144030071526726XG", date(2025, 7, 8), 5, 4, 1200.5]


def saved(tmp_path: Path, rows: list[list[object]]) -> Path:
    path, book = xlsx_file(tmp_path, rows)
    book.save(path)
    return path


def repacked(path: Path, **changes: str) -> Path:
    """Write the archive again with parts changed (`/` is written `__`) or added."""
    changed = {name.replace("__", "/"): text for name, text in changes.items()}
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in {**parts, **{name: text.encode() for name, text in changed.items()}}.items():
            new.writestr(name, data)
    return path


class TestValues:
    def test_are_the_same_as_from_csv_whether_typed_or_text(self, tmp_path: Path) -> None:
        native = only_project(saved(tmp_path, [[*HEADER], NATIVE]), mapping(tmp_path))
        text = only_project(saved(tmp_path, [[*HEADER], [*good(title="烹饪机器人")]]), mapping(tmp_path))
        assert native.content_sha256() == text.content_sha256()
        assert native.money[0].amount_minor == 120_050

    def test_keep_the_third_decimal_behind_a_rounded_display_to_be_refused(self, tmp_path: Path) -> None:
        path, book = xlsx_file(tmp_path, [HEADER, [*NATIVE[:-1], 12345.332]])
        book.active["H2"].number_format = "0.00"
        book.save(path)
        (error,) = errors(path, mapping(tmp_path))
        assert (error.code, error.value) == ("amount_decimals", "12345.332")

    @pytest.mark.parametrize(
        ("stored", "minor"), [("1.1000000000000001", 110), ("50000", 5_000_000), ("1E3", 100_000), ("2019.0", 201_900)]
    )
    def test_numbers_are_read_as_the_shortest_digits_that_mean_them(
        self, tmp_path: Path, stored: str, minor: int
    ) -> None:
        path = saved(tmp_path, [[*HEADER], [*NATIVE[:-1], 777]])
        with zipfile.ZipFile(path) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        path = repacked(path, **{"xl__worksheets__sheet1.xml": sheet.replace("<v>777</v>", f"<v>{stored}</v>")})
        assert only_project(path, mapping(tmp_path)).money[0].amount_minor == minor

    @pytest.mark.parametrize(
        ("value", "code"),
        [(True, "amount_malformed"), (-5, "amount_sign"), (1e300, "amount_malformed"), (" 5", "amount_separator")],
    )
    def test_amounts_get_the_verdict_that_text_would_get(self, tmp_path: Path, value: object, code: str) -> None:
        assert codes(saved(tmp_path, [[*HEADER], [*NATIVE[:-1], value]]), mapping(tmp_path)) == [(2, "sum", code)]

    def test_are_read_from_shared_strings_as_excel_writes_them(self, tmp_path: Path) -> None:
        path = _with_shared_strings(saved(tmp_path, [[*HEADER], NATIVE]), ["x", "压力罐", "=1+1"])
        with zipfile.ZipFile(path) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        cells = sheet.split('<c r="B2" ')[1].split("</c>")[0]
        how = mapping(tmp_path)
        one = repacked(path, **{"xl__worksheets__sheet1.xml": sheet.replace(cells, 't="s"><v>1</v>')})
        assert only_project(one, how).name == "压力罐"
        two = repacked(path, **{"xl__worksheets__sheet1.xml": sheet.replace(cells, 't="s"><v>2</v>')})
        assert codes(two, how) == [(2, "title", "formula_text")]

    def test_with_a_time_of_day_are_no_day(self, tmp_path: Path) -> None:
        row = [*NATIVE[:4], datetime(2025, 7, 8, 13, 30), *NATIVE[5:]]  # noqa: DTZ001 - a cell has no zone
        assert codes(saved(tmp_path, [[*HEADER], row]), mapping(tmp_path)) == [(2, "day", "date_malformed")]


class TestReportedNotGuessed:
    def test_formulas_and_texts_like_formulas_and_error_values_by_their_cell(self, tmp_path: Path) -> None:
        path, book = xlsx_file(
            tmp_path, [HEADER, [*NATIVE[:-1], "=1200+0.5"], [*good(no="P2")], [*good(no="P3", title="#REF!")]]
        )
        book.active["B3"].value = "=HYPERLINK(0)"
        book.active["B3"].data_type = "s"
        book.save(path)
        found = [(error.row, error.column, error.code, error.params) for error in errors(path, mapping(tmp_path))]
        assert found[0] == (2, "sum", "formula_cell", {"cell": "H2"})
        assert (3, "title", "formula_text", {"cell": "B3"}) in found
        assert (4, "title", "error_cell", {"cell": "B4"}) in found

    def test_a_formula_is_not_computed(self, tmp_path: Path) -> None:
        path = saved(tmp_path, [[*HEADER], [*NATIVE[:-1], "=1200+0.5"]])
        assert errors(path, mapping(tmp_path))[0].value == "=1200+0.5"

    def test_hidden_rows(self, tmp_path: Path) -> None:
        path, book = xlsx_file(tmp_path, [HEADER, NATIVE, good(no="P2")])
        book.active.row_dimensions[2].hidden = True
        book.save(path)
        assert codes(path, mapping(tmp_path)) == [(2, None, "hidden_row")]

    def test_hidden_columns_that_would_be_read(self, tmp_path: Path) -> None:
        path, book = xlsx_file(tmp_path, [HEADER, NATIVE])
        book.active.column_dimensions["H"].hidden = True
        book.save(path)
        assert codes(path, mapping(tmp_path)) == [(1, "sum", "hidden_column")]

    def test_merged_cells_in_every_row_they_touch(self, tmp_path: Path) -> None:
        path, book = xlsx_file(tmp_path, [HEADER, NATIVE, good(no="P2"), good(no="P3")])
        book.active.merge_cells("C2:C3")
        book.save(path)
        found = codes(path, mapping(tmp_path))
        assert found[0] == (2, None, "merged_cells")
        assert {row for row, _, _ in found} == {2, 3}
        assert errors(path, mapping(tmp_path))[0].params == {"range": "C2:C3"}

    def test_a_merged_title_above_the_header_does_no_harm(self, tmp_path: Path) -> None:
        path, book = xlsx_file(tmp_path, [["2025 年项目表"], HEADER, NATIVE])
        book.active.merge_cells("A1:H1")
        book.save(path)
        assert only_project(path, mapping(tmp_path, header_row=2)).row == 3

    def test_several_sheets_unless_one_is_named(self, tmp_path: Path) -> None:
        path, book = xlsx_file(tmp_path, [HEADER, NATIVE])
        book.create_sheet("other")
        book.save(path)
        assert codes(path, mapping(tmp_path)) == [(None, None, "sheet_ambiguous")]
        assert codes(path, mapping(tmp_path, sheet="none")) == [(None, None, "sheet_missing")]
        assert only_project(path, mapping(tmp_path, sheet="Sheet")).key == "book:P1"

    def test_cells_to_the_right_of_the_header(self, tmp_path: Path) -> None:
        assert codes(saved(tmp_path, [[*HEADER], [*NATIVE, "more"]]), mapping(tmp_path)) == [(2, None, "row_ragged")]


class TestExtent:
    @pytest.mark.long
    def test_of_20_000_rows_is_read_and_one_more_is_refused(self, tmp_path: Path) -> None:
        how = mapping(tmp_path, columns=[{"column": "title", "to": "name"}])
        path = saved(tmp_path, [["no", "title"]])
        found = outcomes(_with_rows(path, 20_000), how)
        assert sum(isinstance(item, ProjectRow) for item in found) == 20_000
        assert codes(_with_rows(path, 20_001), how) == [(None, None, "sheet_rows")]

    def test_of_100_columns_is_read_and_one_more_is_refused(self, tmp_path: Path) -> None:
        more = [f"c{n}" for n in range(92)]
        how = mapping(tmp_path, ignore="rest")
        assert only_project(saved(tmp_path, [[*HEADER, *more], [*NATIVE, *more]]), how).key == "book:P1"
        wide: list[list[object]] = [[*HEADER, *more, "c"], [*NATIVE, *more, "c"]]
        assert codes(saved(tmp_path, wide), how) == [(None, None, "sheet_columns")]

    def test_that_lies_far_away_costs_nothing(self, tmp_path: Path) -> None:
        path, book = xlsx_file(tmp_path, [HEADER, NATIVE])
        book.active["A1048576"] = "far"
        book.save(path)
        began = process_time()
        assert codes(path, mapping(tmp_path)) == [(None, None, "sheet_rows")]
        assert process_time() - began < 5

    @pytest.mark.parametrize("columns", ['min="-20000000" max="1"', 'min="0" max="1"', 'min="3" max="2"'])
    def test_of_hidden_columns_that_cannot_be_costs_nothing(self, tmp_path: Path, columns: str) -> None:
        path = saved(tmp_path, [[*HEADER], NATIVE])
        with zipfile.ZipFile(path) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        hidden = sheet.replace("<sheetData>", f'<cols><col {columns} hidden="1"/></cols><sheetData>')
        repacked(path, **{"xl__worksheets__sheet1.xml": hidden})
        began = process_time()
        assert codes(path, mapping(tmp_path)) == [(None, None, "xlsx_damaged")]
        assert process_time() - began < 5

    def test_of_formatted_but_empty_cells_does_not_count(self, tmp_path: Path) -> None:
        path, book = xlsx_file(tmp_path, [HEADER, NATIVE])
        book.active["ZZ30000"].number_format = "0.00"
        book.save(path)
        assert only_project(path, mapping(tmp_path)).key == "book:P1"


class TestArchive:
    @pytest.mark.slow
    def test_with_a_member_of_1_gib_is_refused_before_it_is_unpacked(self, tmp_path: Path) -> None:
        path = saved(tmp_path, [[*HEADER], NATIVE])
        with (
            zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as book,
            book.open("xl/media/bomb.bin", "w") as member,
        ):
            for _ in range(64):
                member.write(bytes(1 << 24))
        assert codes(path, mapping(tmp_path)) == [(None, None, "archive_ratio")]

    def test_with_too_much_in_all_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "total.xlsx"
        with zipfile.ZipFile(path, "w") as book:
            book.writestr("a", "x")
        _lie_about_size(path, 201 << 20, packed=40 << 20)
        with pytest.raises(Unreadable) as caught:
            check_archive(path)
        assert caught.value.code == "archive_total"

    @pytest.mark.parametrize(("count", "is_refused"), [(1_000, False), (1_001, True)])
    def test_may_have_a_thousand_members(self, tmp_path: Path, *, count: int, is_refused: bool) -> None:
        path = tmp_path / "many.xlsx"
        with zipfile.ZipFile(path, "w") as book:
            for number in range(count):
                book.writestr(f"m{number}", "")
        assert codes(path, mapping(tmp_path)) == [(None, None, "archive_members" if is_refused else "xlsx_damaged")]

    @pytest.mark.parametrize(
        ("member", "code"),
        [
            ("../evil.xml", "archive_names"),
            ("/etc/evil.xml", "archive_names"),
            ("XL/WORKBOOK.XML", "archive_names"),
            ("xl/vbaProject.bin", "xlsx_active_content"),
            ("xl/externalLinks/externalLink1.xml", "xlsx_active_content"),
        ],
    )
    def test_with_a_member_that_has_no_business_there_is_refused(self, tmp_path: Path, member: str, code: str) -> None:
        path = repacked(saved(tmp_path, [[*HEADER], NATIVE]), **{member.replace("/", "__"): "x"})
        assert codes(path, mapping(tmp_path)) == [(None, None, code)]

    def test_with_shared_strings_beyond_32_mib_is_refused_whatever_their_name(self, tmp_path: Path) -> None:
        texts = (f"{number:032x}{number * 7919:040x}" for number in range(450_000))
        path = _with_shared_strings(saved(tmp_path, [[*HEADER], NATIVE]), texts, part="xl/worksheets/strings.bin")
        assert codes(path, mapping(tmp_path)) == [(None, None, "archive_part")]

    @pytest.mark.parametrize(
        "prolog",
        [
            '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
            '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        ],
    )
    @pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
    def test_with_a_document_type_is_refused(self, tmp_path: Path, part: str, prolog: str) -> None:
        path = saved(tmp_path, [[*HEADER], NATIVE])
        with zipfile.ZipFile(path) as book:
            text = book.read(part).decode()
        start = text.index("?>") + 2 if text.startswith("<?xml") else 0
        repacked(path, **{part.replace("/", "__"): text[:start] + prolog + text[start:]})
        ((row, column, code),) = codes(path, mapping(tmp_path))
        # In a sheet, defusedxml may meet the entities before the survey meets the DTD.
        assert (row, column) == (None, None)
        assert code in (("xlsx_dtd", "xlsx_damaged") if "sheet" in part else ("xlsx_dtd",))

    def test_with_deep_nesting_is_refused(self, tmp_path: Path) -> None:
        deep = "<a>" * 40 + "</a>" * 40
        path = repacked(saved(tmp_path, [[*HEADER], NATIVE]), **{"docProps__app.xml": deep})
        assert codes(path, mapping(tmp_path)) == [(None, None, "xlsx_depth")]

    @pytest.mark.parametrize("keep", [100, 2_000])
    def test_that_is_cut_off_is_damaged(self, tmp_path: Path, keep: int) -> None:
        path = saved(tmp_path, [[*HEADER], NATIVE])
        path.write_bytes(path.read_bytes()[:keep])
        assert codes(path, mapping(tmp_path)) == [(None, None, "xlsx_damaged")]

    @pytest.mark.parametrize("value", ['t="s"><v>99999999</v>', 't="n"><v>x</v>', 't="s"><v>-</v>'])
    def test_with_values_that_point_nowhere_is_damaged(self, tmp_path: Path, value: str) -> None:
        path = saved(tmp_path, [[*HEADER], NATIVE])
        with zipfile.ZipFile(path) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert 't="n"><v>5</v>' in sheet
        repacked(path, **{"xl__worksheets__sheet1.xml": sheet.replace('t="n"><v>5</v>', value)})
        assert codes(path, mapping(tmp_path)) == [(None, None, "xlsx_damaged")]

    @pytest.mark.parametrize(("old", "new"), [('<row r="3">', '<row r="2">'), ('<c r="B3" ', '<c r="A3" ')])
    def test_with_rows_or_cells_out_of_order_is_damaged(self, tmp_path: Path, old: str, new: str) -> None:
        path = saved(tmp_path, [[*HEADER], NATIVE, [*good(no="P2")]])
        with zipfile.ZipFile(path) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert old in sheet
        repacked(path, **{"xl__worksheets__sheet1.xml": sheet.replace(old, new)})
        assert codes(path, mapping(tmp_path)) == [(None, None, "xlsx_damaged")]

    def test_that_is_encrypted_says_so(self, tmp_path: Path) -> None:
        path = saved(tmp_path, [[*HEADER], NATIVE])
        data = bytearray(path.read_bytes())
        at = data.index(b"PK\x01\x02")
        data[at + 8] |= 1
        path.write_bytes(data)
        assert codes(path, mapping(tmp_path)) == [(None, None, "xlsx_encrypted")]


def _with_rows(path: Path, count: int) -> Path:
    """Write a sheet with a header and so many rows straight as XML, which is faster than cell by cell."""
    rows = [("no", "title"), *((f"P{number}", f"T{number}") for number in range(count))]
    cells = "".join(
        f'<row r="{at}">' + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in row) + "</row>"
        for at, row in enumerate(rows, start=1)
    )
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'
    return repacked(path, **{"xl__worksheets__sheet1.xml": sheet})


def _with_shared_strings(path: Path, texts: Iterable[str], *, part: str = "xl/sharedStrings.xml") -> Path:
    """Give the book a table of shared strings, as Excel writes and openpyxl does not."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    with zipfile.ZipFile(path) as book:
        types = book.read("[Content_Types].xml").decode()
    return repacked(
        path,
        **{
            "[Content_Types].xml": types.replace(
                "</Types>", f'<Override PartName="/{part}" ContentType="{kind}"/></Types>'
            ),
            part.replace(
                "/", "__"
            ): f'<sst xmlns="{MAIN}">{"".join(f"<si><t>{text}</t></si>" for text in texts)}</sst>',
        },
    )


def _lie_about_size(path: Path, size: int, *, packed: int) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 20 : at + 28] = struct.pack("<2L", packed, size)
    path.write_bytes(data)


def test_the_base_mapping_reads_every_column_it_has() -> None:
    assert [rule["column"] for rule in BASE["columns"]] == HEADER[1:]
    assert len(GOOD) == len(HEADER)
