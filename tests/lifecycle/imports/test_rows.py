from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lifecycle.imports.dates import PartialDate
from lifecycle.imports.rows import ProjectRow, RowSkipped
from lifecycle.imports.seen import SeenKeys
from lifecycle.imports.values import MoneyFact
from models.states import OrganisationKind, ProjectState
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


def with_rule(column: str, **changes: Any) -> list[dict[str, Any]]:
    return [{**rule, **changes} if rule["column"] == column else rule for rule in BASE["columns"]]


class TestProjectRow:
    def test_holds_what_the_source_says_in_units_of_ours(self, tmp_path: Path) -> None:
        project = only_project(csv_file(tmp_path, [HEADER, GOOD]), mapping(tmp_path))
        assert (project.key, project.file, project.row) == ("book:P1", "book.csv", 2)
        assert (project.name, project.organisation) == ("Cooking robot", "Kitchen Works")
        assert project.received_on == PartialDate(date(2025, 7, 8), "day")
        assert (project.trl_current, project.mrl) == (5, 4)
        assert project.money == (MoneyFact("grant", 120_050, "CNY"),)
        assert project.stage is ProjectState.INTAKE
        assert project.stage_why == {"zh": "都在受理", "en": "all are in intake"}

    def test_leaves_what_is_missing_empty_and_names_it(self, tmp_path: Path) -> None:
        row = good(firm="", code="", day="", trl="", mrl=" ", sum="")
        project = only_project(csv_file(tmp_path, [HEADER, row]), mapping(tmp_path))
        assert (project.organisation, project.received_on, project.trl_current, project.money) == (None, None, None, ())
        assert {"organisation", "credit_code", "received_on", "trl_current", "mrl", "money"} <= set(project.missing)
        assert "name" not in project.missing

    def test_has_the_same_content_hash_wherever_it_stands(self, tmp_path: Path) -> None:
        one = only_project(csv_file(tmp_path, [HEADER, GOOD]), mapping(tmp_path))
        moved = only_project(csv_file(tmp_path, [HEADER, [""] * 8, GOOD], name="other.csv"), mapping(tmp_path))
        changed = only_project(csv_file(tmp_path, [HEADER, good(trl="6")]), mapping(tmp_path))
        assert one.content_sha256() == moved.content_sha256() != changed.content_sha256()

    def test_tells_all_errors_of_a_row_at_once(self, tmp_path: Path) -> None:
        row = good(no="", title="", code="9144030071526726XX", day="2025-02-30", trl="10", mrl="0", sum="1,5")
        assert codes(csv_file(tmp_path, [HEADER, row]), mapping(tmp_path)) == [
            (2, "no", "row_key_empty"),
            (2, "code", "credit_code_check"),
            (2, "day", "date_impossible"),
            (2, "trl", "level_range"),
            (2, "mrl", "level_range"),
            (2, "sum", "amount_separator"),
            (2, "title", "value_required"),
        ]


class TestText:
    @pytest.mark.parametrize(
        ("title", "code"),
        [
            ("a\u202eb", "text_character"),
            ("a\u200eb", "text_character"),
            ("a\u2066b", "text_character"),
            ("a\u200bb", "text_character"),
            ("a\ufeffb", "text_character"),
            ("a\u00adb", "text_character"),
            ("a\x07b", "text_character"),
            ("a\x1bb", "text_character"),
            ("a\x7fb", "text_character"),
            ("a\x85b", "text_character"),
            ("a\tb", "text_character"),
            ("a\ufffdb", "text_character"),
            ("a\ue000b", "text_character"),
            ("a\nb", "text_line_break"),
            ("a\u2028b", "text_line_break"),
            ("a" + "\u0335" * 6, "text_combining"),
            ("=cmd|calc", "formula_text"),
            ("x" * 201, "text_too_long"),
        ],
    )
    def test_that_may_not_in_is_refused(self, tmp_path: Path, title: str, code: str) -> None:
        assert codes(csv_file(tmp_path, [HEADER, good(title=title)]), mapping(tmp_path)) == [(2, "title", code)]

    def test_is_shown_without_what_makes_it_dangerous(self, tmp_path: Path) -> None:
        (error,) = errors(csv_file(tmp_path, [HEADER, good(title="\x1b[31m\u202e" + "x" * 200)]), mapping(tmp_path))
        assert error.value.startswith("\\u{001b}[31m\\u{202e}xxx")
        assert error.value.endswith("…")

    def test_of_200_characters_and_of_4_bytes_each_is_taken(self, tmp_path: Path) -> None:
        title = "𠮷" * 200
        assert only_project(csv_file(tmp_path, [HEADER, good(title=title)]), mapping(tmp_path)).name == title

    def test_is_normalised_with_a_notice(self, tmp_path: Path) -> None:
        project = only_project(csv_file(tmp_path, [HEADER, good(title="Cafe\u0301")]), mapping(tmp_path))
        assert project.name == "Café"
        assert [(notice.column, notice.code) for notice in project.notices] == [("title", "text_normalised")]

    @pytest.mark.parametrize(("how", "name"), [("space", "烹饪 机器人"), ("remove", "烹饪机器人")])
    def test_loses_a_line_break_only_where_the_mapping_says_how(self, tmp_path: Path, how: str, name: str) -> None:
        path = csv_file(tmp_path, [HEADER, good(title="烹饪\r\n机器人\n")])
        project = only_project(path, mapping(tmp_path, columns=with_rule("title", line_breaks=how)))
        assert (project.name, project.notices[0].code) == (name, "line_break_removed")

    def test_that_is_shortened_is_kept_in_full_as_a_fact(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, good(title="x" * 255)])
        project = only_project(path, mapping(tmp_path, columns=with_rule("title", too_long="shorten")))
        assert project.name == "x" * 199 + "…"
        assert project.facts == {"title": "x" * 255}
        assert project.notices[0].code == "text_shortened"

    def test_of_several_lines_may_have_ten_thousand_characters_and_none_more(self, tmp_path: Path) -> None:
        columns = [*BASE["columns"], {"column": "note", "to": "fact", "label": "note", "as": "text"}]
        how = mapping(tmp_path, columns=columns)
        rows = [[*HEADER, "note"], [*GOOD, "y" * 10_000], [*good(no="P2"), "y" * 10_001]]
        assert codes(csv_file(tmp_path, rows), how) == [(3, "note", "text_too_long")]


class TestMaturity:
    @pytest.mark.parametrize(("trl", "mrl"), [("1", "1"), ("7", "7"), ("7", "8"), ("8", "9"), ("9", "10"), ("9", "1")])
    def test_pair_that_m1_allows_comes_in(self, tmp_path: Path, trl: str, mrl: str) -> None:
        project = only_project(csv_file(tmp_path, [HEADER, good(trl=trl, mrl=mrl)]), mapping(tmp_path))
        assert (project.trl_current, project.mrl) == (int(trl), int(mrl))

    @pytest.mark.parametrize(
        ("trl", "mrl", "least"), [("1", "2", 2), ("6", "7", 7), ("6", "8", 7), ("7", "9", 8), ("8", "10", 9)]
    )
    def test_pair_that_breaks_m1_says_which_trl_would_do(self, tmp_path: Path, trl: str, mrl: str, least: int) -> None:
        (error,) = errors(csv_file(tmp_path, [HEADER, good(trl=trl, mrl=mrl)]), mapping(tmp_path))
        assert (error.code, error.rule, error.column) == ("maturity_pair", "M1", "mrl")
        assert error.params == {"trl": int(trl), "mrl": int(mrl), "least": least}

    @pytest.mark.parametrize("trl", ["0", "10", "-1", "4.0", "4.5", "IV", "４", "04", "4-5", "TRL 4", "9" * 30])
    def test_level_is_a_whole_number_within_its_scale(self, tmp_path: Path, trl: str) -> None:
        assert codes(csv_file(tmp_path, [HEADER, good(trl=trl, mrl="")]), mapping(tmp_path)) == [
            (2, "trl", "level_range")
        ]


class TestDates:
    @pytest.mark.parametrize(
        ("text", "form", "expected"),
        [
            ("1987", "YYYY", PartialDate(date(1987, 1, 1), "year")),
            ("2016年", "YYYY年", PartialDate(date(2016, 1, 1), "year")),
            ("Oct 2011", "Mon YYYY", PartialDate(date(2011, 10, 1), "month")),
            ("September 2012", "Mon YYYY", PartialDate(date(2012, 9, 1), "month")),
            ("2025-07", "YYYY-MM", PartialDate(date(2025, 7, 1), "month")),
            ("2025年7月8日", "YYYY年M月D日", PartialDate(date(2025, 7, 8), "day")),
            ("2025/7/8", "YYYY/M/D", PartialDate(date(2025, 7, 8), "day")),
            ("8.7.2025", "D.M.YYYY", PartialDate(date(2025, 7, 8), "day")),
            ("07/08/2025", "M/D/YYYY", PartialDate(date(2025, 7, 8), "day")),
            ("20240229", "YYYYMMDD", PartialDate(date(2024, 2, 29), "day")),
        ],
    )
    def test_keep_the_precision_of_their_source(
        self, tmp_path: Path, text: str, form: str, expected: PartialDate
    ) -> None:
        how = mapping(tmp_path, columns=with_rule("day", formats=[form]))
        assert only_project(csv_file(tmp_path, [HEADER, good(day=text)]), how).received_on == expected

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("2025-02-29", "date_impossible"),
            ("2025-13-01", "date_impossible"),
            ("2025-00-10", "date_impossible"),
            ("0001-01-01", "date_year"),
            ("1899-12-31", "date_year"),
            ("2101-01-01", "date_year"),
            ("9999-12-31", "date_year"),
            ("08.07.2025", "date_malformed"),
            ("2025-07-08T00:00", "date_malformed"),
            ("45846", "date_malformed"),
            ("２０２５-07-08", "date_malformed"),
            ("soon", "date_malformed"),
        ],
    )
    def test_that_cannot_be_are_refused(self, tmp_path: Path, text: str, code: str) -> None:
        assert codes(csv_file(tmp_path, [HEADER, good(day=text)]), mapping(tmp_path)) == [(2, "day", code)]

    def test_end_before_start_is_refused_at_the_precision_given(self, tmp_path: Path) -> None:
        columns = [
            {"column": "a", "to": "started_on", "formats": ["YYYY-MM-DD"]},
            {"column": "b", "to": "ended_on", "formats": ["YYYY", "YYYY-MM-DD"]},
        ]
        how = mapping(tmp_path, row_key=["no"], columns=columns, required=[])
        rows = [
            ["no", "a", "b"],
            ["1", "2020-05-01", "2020"],
            ["2", "2020-05-01", "2019"],
            ["3", "2020-05-01", "2020-04-30"],
        ]
        found = codes(csv_file(tmp_path, rows), how)
        assert found == [(3, "b", "dates_reversed"), (4, "b", "dates_reversed")]


class TestCreditCode:
    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("9144030071526726X", "credit_code_length"),
            ("9144030071526726XO", "credit_code_alphabet"),
            ("9144030071526726XA", "credit_code_check"),
            ("9144030017526726XG", "credit_code_check"),
        ],
    )
    def test_that_is_wrong_says_how(self, tmp_path: Path, code: str, reason: str) -> None:
        assert codes(csv_file(tmp_path, [HEADER, good(code=code)]), mapping(tmp_path)) == [(2, "code", reason)]

    def test_is_stored_in_its_plain_form_with_a_notice(self, tmp_path: Path) -> None:
        project = only_project(csv_file(tmp_path, [HEADER, good(code="9144030071526726xg")]), mapping(tmp_path))
        assert project.credit_code == "9144030071526726XG"
        assert [notice.code for notice in project.notices] == ["credit_code_normalised"]


class TestDuplicates:
    ROWS = (HEADER, GOOD, good(no="P2"), good(title="Again"))

    def test_are_errors_that_name_the_first_row(self, tmp_path: Path) -> None:
        (error,) = errors(csv_file(tmp_path, self.ROWS), mapping(tmp_path))
        assert (error.row, error.column, error.code) == (4, "no", "row_key_duplicate")
        assert error.params == {"first": 2, "key": "book:P1"}

    def test_are_skipped_where_the_first_counts(self, tmp_path: Path) -> None:
        last = outcomes(csv_file(tmp_path, self.ROWS), mapping(tmp_path, duplicates="first"))[-1]
        assert isinstance(last, RowSkipped)
        assert (last.row, last.code, last.params["first"]) == (4, "duplicate_skipped", 2)

    def test_point_to_the_first_row_where_they_are_merged(self, tmp_path: Path) -> None:
        found = outcomes(csv_file(tmp_path, self.ROWS), mapping(tmp_path, duplicates="merge"))
        assert [item.first_row for item in found if isinstance(item, ProjectRow)] == [None, None, 2]

    def test_are_found_when_the_first_of_them_is_wrong(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, good(trl="x"), GOOD])
        assert codes(path, mapping(tmp_path)) == [(2, "trl", "level_range"), (3, "no", "row_key_duplicate")]

    def test_of_a_key_of_two_columns_need_both_to_be_equal(self, tmp_path: Path) -> None:
        path = csv_file(tmp_path, [HEADER, GOOD, good(firm="Other"), GOOD])
        found = codes(path, mapping(tmp_path, row_key=["no", "firm"]))
        assert found == [(4, "no", "row_key_duplicate")]

    def test_of_several_columns_keeps_them_apart(self, tmp_path: Path) -> None:
        path = csv_file(
            tmp_path, [HEADER, good(no="x/y", firm="z"), good(no="x", firm="y/z"), good(no="x%2Fy", firm="z")]
        )
        found = outcomes(path, mapping(tmp_path, row_key=["no", "firm"]))
        keys = [item.key for item in found if isinstance(item, ProjectRow)]
        assert keys == ["book:x%2Fy/z", "book:x/y%2Fz", "book:x%252Fy/z"]

    def test_are_remembered_beyond_the_first_size_of_the_table(self) -> None:
        seen, count = SeenKeys(), 60_000
        assert all(seen.first_row(f"k{number}", number) is None for number in range(1, count))
        assert all(seen.first_row(f"k{number}", count) == number for number in range(1, count))


class TestMappingRules:
    def test_words_for_nothing_are_missing_and_other_words_replaced(self, tmp_path: Path) -> None:
        columns = with_rule("firm", empty=["N/A"], replace={"ACME_Ltd": "ACME Ltd"})
        path = csv_file(tmp_path, [HEADER, good(firm="N/A"), good(no="P2", firm="ACME_Ltd")])
        found = outcomes(path, mapping(tmp_path, columns=columns))
        assert [item.organisation for item in found if isinstance(item, ProjectRow)] == [None, "ACME Ltd"]

    def test_filter_skips_and_says_so(self, tmp_path: Path) -> None:
        how = mapping(tmp_path, filters=[{"column": "firm", "is": ["Kitchen Works"]}])
        kept, left = outcomes(csv_file(tmp_path, [HEADER, GOOD, good(no="", firm="Other", trl="x")]), how)
        assert isinstance(kept, ProjectRow)
        assert isinstance(left, RowSkipped)
        assert left.code == "row_filtered"

    def test_placeholder_is_no_key_and_no_parent(self, tmp_path: Path) -> None:
        how = mapping(tmp_path, columns=[{"column": "title", "to": "parent"}], placeholders=["其他"], required=[],
                      ignore="rest")  # fmt: skip
        path = csv_file(tmp_path, [HEADER, good(no="其他"), good(title="其他"), good(no="P2", title="P1")])
        assert codes(path, how) == [(2, "no", "row_key_placeholder"), (3, "title", "row_key_placeholder")]
        last = outcomes(path, how)[-1]
        assert isinstance(last, ProjectRow)
        assert last.parent_key == "book:P1"

    def test_first_stage_that_fits_decides_and_none_is_an_error(self, tmp_path: Path) -> None:
        stages: list[dict[str, Any]] = [
            {"when": [{"level": "trl_current", "at_least": 8}, {"column": "firm", "is": ["A"]}], "stage": "handoff"},
            {"when": [{"level": "trl_current", "missing": True}], "stage": "intake"},
            {"when": [{"day": "received_on", "until": "2020-12-31"}], "stage": "stopped"},
            {"when": [{"day": "received_on", "after": "2025-12-31"}], "stage": "feasibility"},
        ]
        rows = [
            HEADER,
            good(no="1", trl="8", firm="A", mrl=""),
            good(no="2", trl="", mrl=""),
            good(no="3", day="2020-12-31"),
            good(no="4", day="2026-01-01"),
            good(no="5", trl="8"),
        ]
        how = mapping(tmp_path, stages=[{**stage, "why": {"zh": "因", "en": "why"}} for stage in stages])
        found = outcomes(csv_file(tmp_path, rows), how)
        projects = [str(item.stage) for item in found if isinstance(item, ProjectRow)]
        assert projects == ["handoff", "intake", "stopped", "feasibility"]
        assert codes(csv_file(tmp_path, rows), how) == [(6, "firm", "stage_unknown")]

    def test_lists_choices_kinds_and_currencies_are_read(self, tmp_path: Path) -> None:
        columns = [
            {"column": "a", "to": "fact", "label": "countries", "as": "list", "strip": "[]'", "empty": ["nan"]},
            {"column": "b", "to": "organisation_kind", "choices": {"Lab": "lab", "Person": None}},
            {"column": "c", "to": "money", "label": "sum", "currency_column": "d", "scale": 10_000},
            {"column": "e", "to": "fact", "label": "open", "as": "choice", "choices": {"Y": "yes"}},
            {"column": "f", "to": "organisation_country"},
        ]
        how = mapping(tmp_path, columns=columns, required=[])
        rows = [
            ["no", "a", "b", "c", "d", "e", "f"],
            ["1", "['CA' nan 'NZ']", "Lab", "120.5", "CNY", "Y", "NZ"],
            ["2", "", "Club", "1", "KWD", "?", "nz"],
        ]
        project = outcomes(csv_file(tmp_path, rows), how)[0]
        assert isinstance(project, ProjectRow)
        assert project.facts == {"countries": "CA; NZ", "open": "yes"}
        assert project.money == (MoneyFact("sum", 120_500_000, "CNY"),)
        assert (project.organisation_kind, project.organisation_country) == (OrganisationKind.LAB, "NZ")
        assert codes(csv_file(tmp_path, rows), how) == [
            (3, "b", "choice_unknown"),
            (3, "c", "currency_unknown"),
            (3, "e", "choice_unknown"),
            (3, "f", "country_malformed"),
        ]
