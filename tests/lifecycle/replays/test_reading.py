"""What a log must be to be replayed, and what is said of one that is not."""

import gzip
from pathlib import Path

import pytest

from lifecycle.replays import log as logs_of
from lifecycle.replays import xes as reader
from lifecycle.replays.amounts import minor_of_text, plain_of
from lifecycle.replays.log import read_log
from lifecycle.replays.refusal import LogRefused
from models.money import AmountProblem
from tests.lifecycle.replays.logs import event, mapping, packed, steps, table, trace, xes

HEADER = ("case:concept:name", "concept:name", "time:timestamp", "org:resource", "amount")
ROW = ("c1", "ask", "2026-03-01 10:00:00+08:00", "Li", "100.00")


def refusal(path: Path, **changes: str) -> tuple[str, str, str]:
    """Return (code, place, rule) with which a log is refused."""
    with pytest.raises(LogRefused) as refused:
        read_log(path, mapping(**changes))
    (reason,) = refused.value.unmet
    assert reason.values["file"] == path.name
    return reason.code, refused.value.place, refused.value.rule


class TestXes:
    def test_reads_cases_with_their_acts(self, tmp_path: Path) -> None:
        log = read_log(xes(tmp_path, steps("c1", "ask", "look", "dance")), mapping())
        assert [(one.activity, one.deed, one.amount_minor) for one in log.cases[0].events] == [
            ("ask", "request", 10_000),
            ("look", "none", 10_000),
            ("dance", None, None),
        ]
        assert log.unknown == {"dance": 1}

    def test_reads_the_same_log_packed(self, tmp_path: Path) -> None:
        path = xes(tmp_path, steps("c1", "ask", "pass", "paid"))
        assert read_log(packed(path), mapping()).cases == read_log(path, mapping()).cases

    def test_skips_what_is_nested_below_an_attribute(self, tmp_path: Path) -> None:
        inner = '<list key="l"><values><event><string key="amount" value="1"/></event></values></list>'
        path = xes(tmp_path, steps("c1", "ask").replace("</event>", inner + "</event>"))
        assert read_log(path, mapping()).events == 1

    @pytest.mark.parametrize(
        ("start", "body", "expected"),
        [
            ('<!DOCTYPE log [<!ENTITY a "b">]>', "", ("log_xml_dtd", "line 1")),
            ('<?xml version="1.0" encoding="ISO-8859-1"?>', "", ("log_xml_encoding", "line 1")),
            ("", "<trace>" + "<a>" * 20 + "</a>" * 20 + "</trace>", ("log_xml_depth", "line 2")),
            ("", event("ask", 1), ("log_event_without_case", "line 2")),
            ("", "<trace><event><string key='a'/></event></trace>", ("log_attribute_incomplete", "line 2")),
            (
                "",
                "<trace><event>" + "<id key='a' value='1'/>" * 2 + "</event></trace>",
                ("log_attribute_twice", "line 2"),
            ),
            ("", f"<trace><id key='a' value='{'x' * 10_001}'/></trace>", ("log_value_too_long", "line 2")),
            ("", "<trace>", ("log_xml_malformed", "line 3")),
        ],
    )
    def test_refuses_what_is_no_harmless_xes(
        self, tmp_path: Path, start: str, body: str, expected: tuple[str, str]
    ) -> None:
        assert refusal(xes(tmp_path, body, start=start))[:2] == expected

    def test_refuses_another_root(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xes"
        path.write_text("<Document/>")
        assert refusal(path) == ("log_xml_no_log", "line 1", "log, XES 1.0")

    def test_refuses_bytes_that_are_no_utf_8_with_their_line(self, tmp_path: Path) -> None:
        path = xes(tmp_path, steps("c1", "ask"))
        path.write_bytes(path.read_bytes().replace(b"Li", "李".encode("gb18030")))
        assert refusal(path)[:2] == ("log_xml_token", "line 7")

    def test_refuses_utf_16(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xes"
        path.write_bytes('<log xes.version="1.0"/>'.encode("utf-16"))
        assert refusal(path)[0] == "log_xml_encoding"

    def test_refuses_a_case_longer_than_any(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "MOST_EVENTS", 2)
        assert refusal(xes(tmp_path, steps("c1", "ask", "pass", "paid")))[0] == "log_case_too_long"


class TestCases:
    @pytest.mark.parametrize(
        ("cases", "expected"),
        [
            ([steps("c1", "ask"), steps("c1", "ask")], ("log_case_twice", "line 12", "one case")),
            ([steps(" ", "ask")], ("log_case_unnamed", "line 3", "case:concept:name")),
            ([steps("c1", "")], ("log_no_activity", "line 5", "concept:name")),
            ([steps("c1", "ask", **{"time:timestamp": ""})], ("log_no_time", "line 5", "time:timestamp")),
            (
                [steps("c1", "ask", **{"time:timestamp": "01/03/2026"})],
                ("log_time_wrong", "line 5", "time:timestamp, ISO 8601"),
            ),
            (
                [steps("c1", "ask", **{"time:timestamp": "0001-01-01T00:00:00Z"})],
                ("log_time_wrong", "line 5", "time:timestamp, 1970-2199"),
            ),
            ([trace("c1", event("ask", 2), event("pass", 1))], ("log_out_of_order", "line 11", "order: refuse")),
            ([steps("c1", "dance")], ("log_nothing_known", "", "acts")),
        ],
    )
    def test_are_refused_with_file_line_and_rule(
        self, tmp_path: Path, cases: list[str], expected: tuple[str, str, str]
    ) -> None:
        assert refusal(xes(tmp_path, *cases)) == expected

    def test_are_put_in_order_only_where_the_mapping_says_so(self, tmp_path: Path) -> None:
        path = xes(tmp_path, trace("c1", event("pass", 2), event("ask", 1)))
        (case,) = read_log(path, mapping(order="by_time")).cases
        assert [one.activity for one in case.events] == ["ask", "pass"]

    def test_with_an_amount_that_cannot_be_read_are_left_out_and_listed(self, tmp_path: Path) -> None:
        path = xes(tmp_path, steps("c1", "ask", amount="1.2.3"), steps("c2", "ask"))
        log = read_log(path, mapping())
        assert [case.name for case in log.cases] == ["c2"]
        assert [(one.case, one.place, one.code) for one in log.unread] == [("c1", "line 5", "amount_separator")]

    def test_of_a_longer_log_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logs_of, "MAX_EVENTS", 2)
        assert refusal(xes(tmp_path, steps("c1", "ask", "pass", "paid")))[0] == "log_too_long"

    def test_may_be_only_the_first(self, tmp_path: Path) -> None:
        path = xes(tmp_path, steps("c1", "ask"), steps("c2", "ask"))
        assert [case.name for case in read_log(path, mapping(), first=1).cases] == ["c1"]


class TestTables:
    def test_gather_a_case_from_rows_that_lie_apart(self, tmp_path: Path) -> None:
        other = ("c2", "ask", "2026-03-01 11:00", "Li", "5.00")
        later = ("c1", "pass", "2026-03-02 10:00:00+08:00", "Zhou", "100.00")
        log = read_log(table(tmp_path, [HEADER, ROW, other, later]), mapping())
        assert [(case.name, len(case.events)) for case in log.cases] == [("c1", 2), ("c2", 1)]
        assert str(log.cases[1].events[0].at) == "2026-03-01 11:00:00+08:00"

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ([HEADER[:-1], ROW[:-1]], ("log_column_missing", "row 1", "amount")),
            ([(*HEADER, "amount"), (*ROW, "1")], ("log_column_twice", "row 1", "amount")),
            ([HEADER, ROW[:-1]], ("log_row_ragged", "row 2", "cells")),
            ([HEADER, ("", *ROW[1:])], ("log_case_unnamed", "row 2", "case:concept:name")),
            ([HEADER, (*ROW[:2], "", *ROW[3:])], ("log_no_time", "row 2", "time:timestamp")),
        ],
    )
    def test_are_refused_with_file_row_and_rule(
        self, tmp_path: Path, rows: list[tuple[str, ...]], expected: tuple[str, str, str]
    ) -> None:
        assert refusal(table(tmp_path, rows)) == expected

    def test_of_another_encoding_are_refused_with_the_row(self, tmp_path: Path) -> None:
        path = table(tmp_path, [HEADER, ROW, (*ROW[:3], "李", "1")], encoding="gb18030")
        assert refusal(path, encoding="utf-8")[:2] == ("log_encoding", "row 3")

    def test_that_are_empty_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(b"")
        assert refusal(tmp_path / "a.csv")[0] == "log_empty"


class TestPackedLogs:
    def test_of_one_gibibyte_are_refused_before_they_are_unpacked(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.xes.gz"
        member = gzip.compress(b" " * (1 << 20))
        path.write_bytes(gzip.compress(b'<log xes.version="1.0">') + member * 1024)
        assert refusal(path)[0] == "log_too_dense"

    def test_that_are_cut_off_are_refused(self, tmp_path: Path) -> None:
        path = packed(xes(tmp_path, *(steps(f"c{number}", "ask") for number in range(50))))
        path.write_bytes(path.read_bytes()[:-20])
        assert refusal(path)[0] == "log_damaged"


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("26.85120450862128", 2_685),
            ("0.005", 1),
            ("-0.005", -1),
            ("1473400.0", 147_340_000),
            ("0.0", 0),
            ("7", 700),
        ],
    )
    def test_are_rounded_where_the_mapping_says_so(self, text: str, expected: int) -> None:
        assert minor_of_text(text, "EUR", is_rounded=True) == expected

    @pytest.mark.parametrize("text", ["1.005", "1e3", "NaN", "１", "", "1,000", "--1", "1.-1"])
    def test_are_never_guessed(self, text: str) -> None:
        with pytest.raises(AmountProblem):
            minor_of_text(text, "EUR", is_rounded=False)

    @pytest.mark.parametrize(
        ("text", "expected"), [("6.0E7", "60000000"), ("-1.25e1", "-12.5"), ("6.0E99", "6.0E99"), ("0.0E1", "0.0E1")]
    )
    def test_with_exponents_become_plain_digits(self, text: str, expected: str) -> None:
        assert plain_of(text) == expected
