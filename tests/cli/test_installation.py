import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from models.db import transaction
from tests.cli.conftest import Line
from tests.factories import House, a_project, hand_in
from tests.money import a_fund


@pytest.fixture
def fresh(line: Line) -> Line:
    """Give the command line on a new rehearsal database."""
    assert line("init", "--mode", "rehearsal").code == 0
    return line


class TestInit:
    def test_makes_a_database_with_the_default_standard(self, fresh: Line) -> None:
        assert [row[:2] for row in fresh("standard", "list").rows] == [["default", "2026.1"]]

    def test_is_safe_to_repeat(self, fresh: Line) -> None:
        again = fresh("init", "--json")

        assert again.code == 0
        assert again.document["mode"] == "rehearsal"
        assert len(fresh("standard", "list").rows) == 1

    def test_refuses_to_turn_a_rehearsal_into_production(self, fresh: Line) -> None:
        said = fresh("init", "--mode", "production", "--json")

        assert said.code == 2
        assert said.document["error"]["code"] == "other_mode"

    def test_makes_an_administrator_whose_token_acts(self, fresh: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PILOTWAY_TOKEN", fresh("init", "--admin", "root").out.strip())

        said = fresh("organisation", "add", "味道智能", "--kind", "sme")

        assert said.code == 0
        assert [row[0] for row in fresh("organisation", "list").rows] == ["味道智能"]

    def test_says_how_the_token_is_used_and_where_one_comes_from(self, fresh: Line) -> None:
        nobody = fresh("organisation", "add", "味道智能", "--kind", "sme")

        assert (nobody.code, "pilotway init --admin LOGIN" in nobody.err) == (4, True)
        assert "export PILOTWAY_TOKEN=" in fresh("init", "--admin", "root").err

    def test_makes_the_key_files_that_are_missing(
        self, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        private, public, secret = tmp_path / "c.key", tmp_path / "c.pub", tmp_path / "secret"
        monkeypatch.setenv("PILOTWAY_CHECKPOINT_KEY", str(private))
        monkeypatch.setenv("PILOTWAY_CHECKPOINT_PUBLIC_KEY", str(public))
        monkeypatch.setenv("PILOTWAY_SECRET_FILE", str(secret))

        line("init", "--mode", "rehearsal")
        before = private.read_bytes(), secret.read_bytes()
        line("init")

        assert (private.read_bytes(), secret.read_bytes()) == before
        assert secret.stat().st_mode & 0o077 == 0


class TestVersion:
    def test_answers_without_a_database(self, line: Line) -> None:
        said = line("version", "--json")

        assert said.code == 0
        assert said.document["contract"] == 1
        assert said.document["schema_revision"] is None
        assert set(said.document) == {
            *("version", "contract", "schema_revision", "head_revision", "mode", "database_id", "epoch", "packages")
        }

    def test_refuses_a_variable_that_nobody_knows(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PILOTWAY_TOEKN", "pt_x")

        said = line("version")

        assert (said.code, said.out) == (2, "")
        assert "docs/settings.md" in said.err

    def test_says_which_database_it_is(self, fresh: Line) -> None:
        found = fresh("version", "--json").document

        assert found["schema_revision"] == found["head_revision"]
        assert (found["mode"], len(found["epoch"]), len(found["database_id"])) == ("rehearsal", 4, 36)


class TestMigrate:
    def test_is_safe_to_repeat(self, fresh: Line) -> None:
        assert fresh("migrate").code == 0
        assert fresh("migrate").out.startswith("schema")


class TestDoctor:
    def test_is_content_with_a_new_database(self, fresh: Line) -> None:
        said = fresh("doctor", "--json")

        assert said.code == 0
        assert said.document["ok"] is True

    def test_misses_the_folder_of_documents_that_were_handed_in(
        self, at_home: Line, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hand_in(house, a_project(house, pack="lean"))
        monkeypatch.setenv("PILOTWAY_EVIDENCE_DIR", str(tmp_path / "elsewhere"))

        said = at_home("doctor", "--json")

        assert said.code == 7
        assert [one["name"] for one in said.document["checks"] if not one["ok"]] == ["evidence files"]

    def test_speaks_chinese(self, fresh: Line) -> None:
        assert "\n正常 证据文件" in fresh("doctor", "--lang", "zh-CN").out

    def test_ends_with_7_and_names_what_is_missing(self, line: Line) -> None:
        said = line("doctor", "--json")

        assert said.code == 7
        assert [one["name"] for one in said.document["checks"] if not one["ok"]] == ["database"]


class TestCheck:
    def test_ends_with_0_when_all_is_well(self, at_home: Line, house: House) -> None:
        a_project(house)

        said = at_home("check", "--json")

        assert (said.code, said.document["ok"]) == (0, True)
        assert said.document["format"] == "pilotway-check/1"

    def test_takes_only_what_is_asked(self, at_home: Line) -> None:
        assert [one["id"] for one in at_home("check", "--only", "I15", "--json").document["checks"]] == ["I15"]

    def test_ends_with_2_for_an_invariant_nobody_knows(self, at_home: Line) -> None:
        said = at_home("check", "--only", "I99", "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "check_unknown")

    def test_ends_with_7_when_somebody_tampered(self, at_home: Line, house: House) -> None:
        tampered_with(house)

        assert at_home("check", "--json").code == 7


class TestABrokenInvariantOfMoney:
    @pytest.fixture
    def broken(self, house: House) -> None:
        a_fund(house)
        with transaction(house.engine) as session:
            session.execute(text("UPDATE account SET balance_minor = balance_minor + 1 WHERE kind = 'available'"))

    @pytest.mark.usefixtures("broken")
    def test_stops_disbursement_once(self, at_home: Line, house: House) -> None:
        first, second = at_home("check", "--json"), at_home("check", "--only", "I04", "--json")

        assert (first.code, second.code) == (7, 7)
        assert first.document["frozen"] == second.document["frozen"]
        assert first.document["frozen"]["on"]
        assert house.one("SELECT reason FROM v_hold") == "invariant"
        assert house.one("SELECT door FROM v_audit WHERE action = 'disbursement.freeze'") == "cli"

    @pytest.mark.usefixtures("broken")
    def test_stops_nothing_where_that_is_asked(self, at_home: Line, house: House) -> None:
        said = at_home("check", "--no-freeze", "--json")

        assert (said.code, said.document["frozen"]["on"]) == (7, False)
        assert house.one("SELECT COUNT(*) FROM v_hold") == 0

    @pytest.mark.usefixtures("broken")
    def test_comes_on_top_of_what_people_stopped(self, at_home: Line, house: House) -> None:
        assert at_home("disbursement", "freeze", "--reason", "odd", "--as", "accountant", "--yes").code == 0
        at_home("check")
        shown = at_home("disbursement", "show")
        assert [row[0] for row in shown.rows[-2:]] == ["decision", "invariant"]

    def test_of_the_house_stops_nothing(self, at_home: Line, house: House) -> None:
        tampered_with(house)
        assert not at_home("check", "--json").document["frozen"]["on"]


class TestDisbursement:
    def test_is_let_go_on_by_two_people(self, at_home: Line) -> None:
        def said(verb: str, who: str) -> int:
            return at_home("disbursement", verb, "--reason", "why", "--as", who, "--yes", "--json").code

        def words(who: str) -> str:
            return at_home("disbursement", "lift", "--reason", "why", "--as", who, "--lang", "en").out

        assert said("freeze", "operator") == 0
        assert said("lift", "operator") == 3
        assert (said("lift", "accountant"), said("lift", "accountant")) == (0, 3)
        assert said("lift", "fund_director") == 0
        assert said("lift", "fund_director") == 3

        assert said("freeze", "operator") == 0
        assert "Done: sign, as the first of two," in words("accountant")
        assert "Done: let disbursement go on, all disbursement" in words("fund_director")

    def test_has_its_row_from_migrate_too(self, line: Line) -> None:
        """An older database gets the one row with `migrate`, or nobody could stop anything."""
        assert line("init", "--mode", "rehearsal").code == 0
        with closing(sqlite3.connect("pilotway.db")) as file, file:
            file.execute("DELETE FROM disbursement")
        assert line("migrate").code == 0
        with closing(sqlite3.connect("pilotway.db")) as file:
            assert file.execute("SELECT id, audit_seq FROM disbursement").fetchall() == [
                ("00000000-0000-0000-0000-000000000000", 0)
            ]


class TestAudit:
    def test_verifies_an_honest_trail(self, at_home: Line) -> None:
        said = at_home("audit", "verify", "--json")

        assert (said.code, said.document["ok"]) == (0, True)
        assert said.document["rows_count"] > 0

    def test_ends_with_7_when_a_row_was_changed(self, at_home: Line, house: House) -> None:
        tampered_with(house)

        said = at_home("audit", "verify", "--json")

        assert (said.code, said.document["ok"]) == (7, False)
        assert said.document["problems"]

    def test_signs_a_checkpoint_that_verifies(
        self, at_home: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PILOTWAY_CHECKPOINT_KEY", str(tmp_path / "c.key"))
        monkeypatch.setenv("PILOTWAY_CHECKPOINT_PUBLIC_KEY", str(tmp_path / "c.pub"))
        assert at_home("init").code == 0
        made = at_home("audit", "checkpoint", "--out", str(tmp_path / "c.json"), "--json")

        said = at_home("audit", "verify", "--checkpoint", str(tmp_path / "c.json"), "--json")

        assert (made.code, said.code) == (0, 0)
        assert said.document["checkpoints"] == [{"file": str(tmp_path / "c.json"), "seq": 1, "ok": True}]
        assert "\ufffd" not in at_home("audit", "checkpoint", "--out", str(tmp_path / "d.json")).out

    def test_writes_checkpoints_beside_the_database_when_nobody_says_where(
        self, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PILOTWAY_CHECKPOINT_KEY", str(tmp_path / "c.key"))
        monkeypatch.setenv("PILOTWAY_CHECKPOINT_PUBLIC_KEY", str(tmp_path / "c.pub"))
        line("init", "--mode", "rehearsal")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")

        assert line("audit", "checkpoint", "--now", "2025-11-21T02:00:00Z").code == 0
        assert [file.name for file in (tmp_path / "checkpoints").iterdir()] == ["20251121T020000Z.json"]

    def test_needs_a_key_to_sign(self, at_home: Line, tmp_path: Path) -> None:
        said = at_home("audit", "checkpoint", "--out", str(tmp_path / "c.json"), "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "private_key_missing")


class TestRecover:
    def test_finds_nothing_left_over(self, at_home: Line) -> None:
        said = at_home("recover", "--json")

        assert (said.code, said.document["format"]) == (0, "pilotway-recover/1")


def tampered_with(house: House) -> None:
    """Change a sealed row past the house, as somebody who holds the database file can."""
    house.engine.dispose()
    with sqlite3.connect(str(house.engine.url.database)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE audit_record SET body = body || ' ' WHERE seq = 5")
    connection.close()
