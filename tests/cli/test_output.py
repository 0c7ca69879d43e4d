import io
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli.output import Column, Output, cleaned, folded, language, padded, width_of
from lifecycle.errors import Invalid

COLUMNS = (Column(key="number"), Column(key="stage", kind="state"))
ROWS: list[dict[str, Any]] = [
    {"number": "PT-2026-0001", "stage": "intake", "more": 1},
    {"number": "PT-2026-0002", "stage": None},
]


class TestTable:
    def test_gives_a_pipe_the_words_of_people_below_their_headings(self, capsys: pytest.CaptureFixture[str]) -> None:
        Output(lang="zh-CN").table(COLUMNS, ROWS)

        assert capsys.readouterr().out == "编号\t阶段\nPT-2026-0001\t受理\nPT-2026-0002\t\n"

    def test_gives_a_program_every_key(self, capsys: pytest.CaptureFixture[str]) -> None:
        Output(lang="en", as_json=True).table(COLUMNS, ROWS[:1])

        assert '"more": 1' in capsys.readouterr().out

    def test_picks_the_columns_that_are_asked_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        Output(lang="en", fields=("stage",)).table(COLUMNS, ROWS)

        assert capsys.readouterr().out == "stage\nIntake\n\n"

    @pytest.mark.parametrize("as_json", [False, True])
    def test_refuses_a_column_that_is_none(self, *, as_json: bool) -> None:
        with pytest.raises(Invalid) as refused:
            Output(lang="en", as_json=as_json, fields=("wish",)).table(COLUMNS, ROWS)

        assert refused.value.codes == ("output_field_unknown",)

    def test_shows_instants_by_the_clock_on_the_wall_and_says_which_once(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        row = {"at": datetime(2025, 7, 8, 20, 30, tzinfo=UTC), "opened_at": datetime(2025, 7, 8, 1, 0, tzinfo=UTC)}
        output = Output(lang="en", zone=lambda: ZoneInfo("Asia/Shanghai"))

        output.table((Column(key="at"), Column(key="opened_at")), [row])

        assert capsys.readouterr().out.split("\n")[:2] == [
            "at (Asia/Shanghai)\topened",
            "2025-07-09 04:30\t2025-07-08 09:00",
        ]
        Output(lang="en", as_json=True, zone=output.zone).table((Column(key="at"),), [row])
        assert "2025-07-08T20:30:00.000000Z" in capsys.readouterr().out

    def test_keeps_what_people_typed_within_its_cell(self, capsys: pytest.CaptureFixture[str]) -> None:
        Output(lang="en").table(COLUMNS, [{"number": "a\tb\nc", "stage": "\x1b[31mred"}])

        assert capsys.readouterr().out == "number\tstage\na b c\t�[31mred\n"


class TestAtATerminal:
    """Of 40 columns, that somebody looks at."""

    @pytest.fixture(autouse=True)
    def narrow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "40")

    def test_shows_a_table_where_it_fits(self) -> None:
        plain = Output(lang="zh-CN", is_colourful=False)

        assert [line.split() for line in shown(lambda: plain.table(COLUMNS, ROWS[:1])).splitlines()] == [
            ["编号", "阶段"],
            ["PT-2026-0001", "受理"],
        ]

    def test_shows_a_block_for_each_row_where_a_table_would_be_cut(self) -> None:
        columns, row = (*COLUMNS, Column(key="sha256")), {**ROWS[0], "sha256": "0" * 24}

        said = shown(lambda: Output(lang="en").table(columns, [row]))

        assert said == f"number   PT-2026-0001\nstage    Intake\nSHA-256  {'0' * 24}\n\n"

    def test_folds_long_text_instead_of_cutting_it(self) -> None:
        columns = (Column(key="number"), Column(key="name", is_wide=True))
        row = {"number": "PT-2026-0001", "name": "wok robot " * 6}

        said = shown(lambda: Output(lang="en", is_colourful=False).table(columns, [row]))

        assert said.count("robot") == 6
        assert max(map(len, said.splitlines())) <= 40

    def test_is_coloured_only_where_colours_are_wanted(self) -> None:
        assert shown(lambda: Output(lang="en").line("done", "green")) == "\x1b[32m\x1b[1mdone\x1b[0m\n"
        assert shown(lambda: Output(lang="en", is_colourful=False).line("done", "green")) == "done\n"


class Terminal(io.StringIO):
    """What is written to a screen."""

    def isatty(self) -> bool:
        """Say that somebody looks on."""
        return True


def shown(show: Callable[[], None]) -> str:
    """Return what is written to a terminal."""
    terminal = Terminal()
    with redirect_stdout(terminal):
        show()
    return terminal.getvalue()


class TestCleaned:
    def test_takes_away_what_could_steer_a_terminal(self) -> None:
        assert cleaned("\x1b]0;title\x07 \u202etxt.exe") == "�]0;title� �txt.exe"

    def test_leaves_chinese_and_line_ends_alone(self) -> None:
        assert cleaned("中试\n通") == "中试\n通"


class TestFolded:
    def test_breaks_between_words(self) -> None:
        assert folded("Hand in the licence and the sample today.", 20) == [
            "Hand in the licence",
            "and the sample",
            "today.",
        ]

    def test_breaks_between_chinese_characters(self) -> None:
        assert folded("尚未提交营业执照中小企业声明样品", 20) == ["尚未提交营业执照中小", "企业声明样品"]

    def test_never_begins_a_line_with_closing_punctuation(self) -> None:
        lines = folded("尚未提交营业执照样品，中小企业声明。", 20)

        assert all(line[0] not in "，。" for line in lines)

    def test_loses_nothing(self) -> None:
        text = "PT-2025-0014 的“合格率”为 93.3%（84/90），下限 87.3%，要求 90%：再检 60 件 [G3.4]。"

        assert "".join(folded(text, 24)).replace(" ", "") == text.replace(" ", "")


class TestWidth:
    def test_of_a_chinese_character_is_two(self) -> None:
        assert width_of("中试 PT") == 7
        assert padded("中试", 6) == "中试  "


class TestLanguage:
    @pytest.mark.parametrize(
        ("wanted", "locale", "spoken"),
        [
            (None, "zh_CN.UTF-8", "zh-CN"),
            (None, "de_DE.UTF-8", "en"),
            ("en", "zh_CN.UTF-8", "en"),
            ("zh", "C", "zh-CN"),
        ],
    )
    def test_is_the_one_asked_for_else_that_of_the_locale(
        self, monkeypatch: pytest.MonkeyPatch, wanted: str | None, locale: str, spoken: str
    ) -> None:
        monkeypatch.setenv("LC_ALL", locale)

        assert language(wanted) == spoken
