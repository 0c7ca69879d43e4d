"""A scenario from outside: loaded, approved, paid and checked by nothing but the program, its files and its views."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from models.db import make_engine
from tests.cli.conftest import Said
from tests.lifecycle.scenarios.story import changed, example, written
from tests.witness.bank import Bank

Program = Callable[..., Said]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.prove])])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Run on SQLite always: the whole path on PostgreSQL, process by process, belongs to a release."""
    kind: str = request.param
    return kind


@pytest.fixture
def place(tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with the bank's folders, and settings of a rehearsal on either database."""
    for name in ("out", "in"):
        (tmp_path / "bank" / name).mkdir(parents=True)
        monkeypatch.setenv(f"PILOTWAY_BANK_{name.upper()}", str(tmp_path / "bank" / name))
    monkeypatch.setenv("PILOTWAY_EVIDENCE_DIR", str(tmp_path / "evidence"))
    monkeypatch.setenv("PILOTWAY_CLOCK", "2026-03-02T02:00:00Z")
    return tmp_path


@pytest.fixture
def outside(line: Any, program: Program, empty_url: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Give the program on an empty rehearsal."""
    monkeypatch.setenv("PILOTWAY_DB", empty_url)
    assert program("init", "--mode", "rehearsal", "-q").code == 0
    return program


def saved(place: Path, story: dict[str, Any]) -> str:
    """Write a scenario file; return its name."""
    (place / "scenario.json").write_bytes(written(story))
    return str(place / "scenario.json")


def asked(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Ask the views, as anybody may."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]
    finally:
        engine.dispose()


def waiting_for_a_second() -> dict[str, Any]:
    """Return the example with a fund that asks two people, of whom one has approved."""
    story = changed("/funds/0/approvals", [{"needed": 2}])
    story["payouts"][0]["approved_by"] = ["checker1"]
    return story


@pytest.mark.long  # fifteen processes, each with a start of its own
class TestAPayment:
    def test_goes_from_a_scenario_to_the_bank_and_back(
        self, outside: Program, place: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = outside("scenario", "load", saved(place, waiting_for_a_second()), "--json")
        assert (said.code, said.document["ok"], said.err) == (0, True, "")
        payout, tokens = said.document["ids"]["x1p"], said.document["tokens"]

        own = outside("payout", "approve", payout, "--amount", "70.00", "--json")
        assert (own.code, own.document["error"]["code"]) == (4, "not_signed_in")
        monkeypatch.setenv("PILOTWAY_TOKEN", tokens["checker1"])
        twice = outside("payout", "approve", payout, "--amount", "70.00", "--json")
        assert (twice.code, twice.document["error"]["unmet"]) == (3, ["already_decided"])
        monkeypatch.setenv("PILOTWAY_TOKEN", tokens["checker2"])
        approved = outside("payout", "approve", payout, "--amount", "70.00", "--json")
        assert (approved.code, approved.document["state"]) == (0, "approved")
        monkeypatch.delenv("PILOTWAY_TOKEN")

        ran = outside("run", "disbursement", "--json")
        assert (ran.code, ran.document["slots"][0]["done_count"]) == (0, 1)
        bank = Bank("6222000000000000001", opening=10_000_000, day="2026-03-02")
        (order,) = bank.empty_folder(place / "bank" / "out")
        assert (order.amount, order.account, order.name) == (7000, "6222020200112233445", "甲公司")
        assert order.file == f"{order.message}.xml"

        answer = place / "bank" / "in" / "answer.xml"
        answer.write_bytes(bank.report(order.message, {order.end_to_end_id: "ACSP"}))
        heard = outside("run", "reconciliation", "--json")
        assert (heard.code, heard.document["slots"][0]["done_count"]) == (0, 1)
        assert asked(empty_url, "SELECT state FROM v_batch") == [("acknowledged",)]
        bank.pay(order)
        statement = place / "statement.xml"
        statement.write_bytes(bank.statement())
        taken = outside("bank", "import", str(statement), "--json")
        assert (taken.code, [one["status"] for one in taken.document["files"]]) == (0, ["imported"])

        assert asked(empty_url, "SELECT state FROM v_payout") == [("paid",)]
        assert asked(empty_url, "SELECT state FROM v_batch") == [("settled",)]
        paid = asked(empty_url, "SELECT kind, balance_minor FROM v_account WHERE fund_id IS NOT NULL ORDER BY kind")
        assert paid == [("available", 9_993_000), ("fee", 0), ("paid", 7000), ("reserved", 0)]
        checked, verified = outside("check", "--json"), outside("audit", "verify", "--json")
        assert (checked.code, checked.document["ok"]) == (0, True)
        assert (verified.code, verified.document["ok"]) == (0, True)


class TestAWrongScenario:
    @pytest.mark.parametrize(
        ("at", "value", "where", "ends"),
        [
            ("/payouts/0/account", "nowhere", "/payouts/0/account", (2, "scenario_ref_unknown")),
            ("/users/0/grants/0/role", "king", "/users/0/grants/0/role", (2, "scenario_wrong")),
            ("/payouts/0/amount_minor", -1, "/payouts/0/amount_minor", (2, "scenario_wrong")),
            ("/projects/0/milestones/0/amount_minor", 10**9, "/projects/0", (3, "fund_over_committed")),
            ("/programmes/0/standard", "none@v1.0", "/programmes/0/standard", (2, "scenario_standard_unknown")),
        ],
    )
    def test_is_refused_with_its_place_and_writes_nothing(
        self, line: Any, tmp_path: Path, *, at: str, value: Any, where: str, ends: tuple[int, str]
    ) -> None:
        line("init", "--mode", "rehearsal", "-q")
        written_before = asked(str(tmp_path / "pilotway.db"), "SELECT count(*) FROM v_audit")

        said = line("scenario", "load", saved(tmp_path, changed(at, value)), "--json")

        error = said.document["error"]
        assert (said.code, error["code"], error["unmet"]) == (*ends, [ends[1]])
        assert error["detail"].startswith(f"{where}: ")
        assert asked(str(tmp_path / "pilotway.db"), "SELECT count(*) FROM v_audit") == written_before

    def test_says_where_to_a_person_too(self, line: Any, tmp_path: Path) -> None:
        assert line("init", "--mode", "rehearsal", "-q").code == 0

        said = line("scenario", "load", saved(tmp_path, changed("/payouts/0/amount_minor", 7001)))

        assert (said.code, said.out) == (3, "")
        assert "/payouts/0" in said.err

    def test_is_refused_in_a_database_for_real_work(self, line: Any, tmp_path: Path) -> None:
        assert line("init", "-q").code == 0

        said = line("scenario", "load", saved(tmp_path, example()), "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "only_in_rehearsal")
        assert asked(str(tmp_path / "pilotway.db"), "SELECT count(*) FROM v_user") == [(0,)]
        assert not (tmp_path / "evidence").exists()


class TestWhatIsPrinted:
    def test_has_the_keys_of_the_contract(self, line: Any, tmp_path: Path) -> None:
        line("init", "--mode", "rehearsal", "-q")

        said = line("scenario", "load", saved(tmp_path, example()), "--json")

        assert list(said.document) == ["ok", "ids", "tokens"]

    def test_names_every_ref_and_shows_tokens_once(self, line: Any, tmp_path: Path) -> None:
        line("init", "--mode", "rehearsal", "-q")

        said = line("scenario", "load", saved(tmp_path, example()))

        rows = {row[0]: row[1:] for row in said.rows}
        assert set(rows) == {"firm", "acc", "house", "maker", "checker1", "checker2", "f1", "p", "x", "x1", "x1p"}
        assert rows["checker2"][1].startswith("pt_")
        assert rows["x1p"][1] == ""

    def test_keeps_passwords_out_of_what_is_stored(self, line: Any, tmp_path: Path) -> None:
        line("init", "--mode", "rehearsal", "-q")

        line("scenario", "load", saved(tmp_path, example()))

        (paper,) = (path for path in (tmp_path / "evidence").rglob("*") if path.is_file())
        assert b"horse" not in paper.read_bytes()
        assert b"correct horse" not in (tmp_path / "pilotway.db").read_bytes()
        assert json.loads(line("doctor", "--json").out)["ok"]
