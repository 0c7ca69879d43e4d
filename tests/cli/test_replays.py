import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.errors import PARTLY, USAGE
from cli.main import run
from tests.lifecycle.replays.logs import MAPPING, steps, xes

CASES = (steps("c1", "ask", "pass", "paid"), steps("c2", "ask", "paid"))


@pytest.fixture
def replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Give what replays a log of these cases and returns (exit code, stdout, stderr); there is no other database."""
    monkeypatch.setenv("PILOTWAY_DB", str(tmp_path / "none.db"))
    how = tmp_path / "office.yaml"
    how.write_text(yaml.safe_dump(dict(MAPPING)), encoding="utf-8")

    def call(*cases: str, options: tuple[str, ...] = (), mapping: str = str(how)) -> tuple[int, str, str]:
        code = run(["replay", str(xes(tmp_path, *cases)), "--mapping", mapping, "--lang", "en", *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


class TestReplay:
    def test_says_what_was_refused_and_why(self, replay: Any, tmp_path: Path) -> None:
        code, out, err = replay(*CASES)
        assert (code, out.splitlines()[1:]) == (
            0,
            ["ask\tRequest\t2\t0", "paid\tPaid\t1\t1", "pass\tApprove\t1\t0"],
        )
        assert "Refused 1 times, instruct_not_possible_when_requested: Cannot put into a batch while" in err
        assert "Cases paid in the log: 2; paid here too: 1, refused: 1." in err
        assert "Of these without an approval before the payment: 1; paid here: 0." in err
        assert not (tmp_path / "none.db").exists()

    def test_writes_the_report_with_sentences_in_both_languages(self, replay: Any, tmp_path: Path) -> None:
        path = tmp_path / "report.json"
        assert replay(*CASES, options=("--report", str(path)))[0] == 0
        document = json.loads(path.read_text(encoding="utf-8"))
        (reason,) = document["reasons"]
        assert (reason["code"], reason["acts"]) == ("instruct_not_possible_when_requested", 1)
        assert reason["zh-CN"].startswith("当前状态为")
        assert document["broken_invariants"] == []

    def test_prints_the_same_document_as_json(self, replay: Any, tmp_path: Path) -> None:
        path = tmp_path / "report.json"
        _, out, _ = replay(*CASES, options=("--report", str(path), "--json"))
        assert json.loads(out) == json.loads(path.read_text(encoding="utf-8"))

    def test_plays_only_the_first_cases(self, replay: Any) -> None:
        assert "Cases: 1, events: 3." in replay(*CASES, options=("--first", "1"))[2]

    def test_ends_with_6_when_a_case_could_not_be_read(self, replay: Any) -> None:
        code, _, err = replay(*CASES, steps("c3", "ask", amount="1e3"))
        assert code == PARTLY
        assert "Not played: c3 (line " in err

    @pytest.mark.parametrize("mapping", ["nowhere", "iati_transactions"])
    def test_ends_with_2_for_a_mapping_that_does_not_fit(self, replay: Any, mapping: str) -> None:
        assert replay(*CASES, mapping=mapping)[0] == USAGE

    def test_names_file_line_and_rule_of_a_wrong_log(self, replay: Any) -> None:
        code, _, err = replay(steps("c1", "ask", **{"time:timestamp": ""}))
        assert code == USAGE
        assert "office.xes, line 5: it has no time (rule: time:timestamp)." in err

    def test_never_writes_the_report_over_the_log(self, replay: Any, tmp_path: Path) -> None:
        assert replay(*CASES, options=("--report", str(tmp_path / "office.xes")))[0] == USAGE


class TestReplayOfARegister:
    def test_says_what_was_refused_and_why(self, tmp_path: Path, capsys: Any) -> None:
        path = tmp_path / "register.csv"
        columns = ("iati_identifier", "transaction_transaction_date_iso_date", "transaction_value")
        rows = [
            [*columns, "transaction_value_currency", "default_currency", "transaction_transaction_type_code"],
            ["A", "2020-01-01", "100", "", "EUR", "2"],
            ["A", "2020-02-01", "80", "", "EUR", "3"],
            ["A", "2020-03-01", "30", "", "EUR", "3"],
            ["A", "2020-04-01", "-70", "", "EUR", "3"],
            ["A", "2020-05-01", "30", "", "EUR", "3"],
            ["B", "2020-05-01", "5", "", "EUR", "3"],
            ["B", "2020-05-01", "5", "", "EUR", "99"],
        ]
        path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
        assert run(["replay", str(path), "--mapping", "iati_transactions", "--lang", "en", "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert [(one["place"], [reason["code"] for reason in one["reasons"]]) for one in document["refused"]] == [
            ("row 4", ["milestone_exceeded"]),
            ("row 6", ["milestone_exceeded"]),
            ("row 7", ["nothing_awarded"]),
        ]
        assert document["unknown"] == [{"code": "99", "entries": 1}]
        assert document["negative"]["accepted"] == 1
