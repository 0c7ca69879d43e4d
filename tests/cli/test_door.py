import os
import pty
import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest

from cli.door import token_sha256
from lifecycle.people.commands import AddToken
from lifecycle.projects.commands import Withdraw
from models.states import ProjectState, Role
from tests.cli.conftest import Line
from tests.conftest import ROOT
from tests.factories import House, a_project, key


@pytest.fixture
def number(house: House) -> str:
    """Give the number of a project at intake that nothing keeps from moving on."""
    return number_of(house, a_project(house))


def number_of(house: House, project_id: UUID) -> str:
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(project_id)))


class TestWhoActs:
    def test_is_nobody_without_a_name_or_a_token(self, at_home: Line, number: str) -> None:
        said = at_home("project", "advance", number, "--reason", "ready", "--json")

        assert (said.code, said.document["error"]["unmet"]) == (4, ["not_signed_in"])

    def test_is_the_login_in_a_rehearsal(self, at_home: Line, number: str, house: House) -> None:
        said = at_home("project", "advance", number, "--reason", "ready", "--as", "coordinator")

        assert said.code == 0
        actor = house.one("SELECT actor_id FROM audit_record WHERE action = 'project.advance'")
        assert str(UUID(str(actor))) == str(house.people[Role.COORDINATOR].user_id)

    def test_is_nobody_for_an_unknown_or_disabled_login(self, at_home: Line, number: str) -> None:
        codes = {login: at_home("project", "submit", number, "--as", login).code for login in ("ghost", "disabled")}

        assert codes == {"ghost": 4, "disabled": 4}

    def test_is_the_owner_of_the_token(
        self, at_home: Line, number: str, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        give_token(house, days=1)
        monkeypatch.setenv("PILOTWAY_TOKEN", "pt_secret")

        assert at_home("project", "advance", number, "--reason", "ready").code == 0

    def test_is_nobody_once_the_token_has_ended(
        self, at_home: Line, number: str, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        give_token(house, days=0)
        monkeypatch.setenv("PILOTWAY_TOKEN", "pt_secret")

        said = at_home("project", "advance", number, "--reason", "ready", "--json")

        assert (said.code, said.document["error"]["code"]) == (4, "token_invalid")


class TestProduction:
    """A world where nobody plays: no `--as`, no other clock."""

    @pytest.fixture
    def in_earnest(self, line: Line) -> Line:
        assert line("init").code == 0
        return line

    @pytest.mark.parametrize("option", [("--as", "root"), ("--now", "2025-07-08T01:00:00Z")])
    def test_refuses_what_a_rehearsal_may(self, in_earnest: Line, option: tuple[str, str]) -> None:
        said = in_earnest("user", "add", "x", "--email", "x@example.org", "--name", "x", *option, "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "only_in_rehearsal")

    def test_refuses_a_clock_that_does_not_run(self, in_earnest: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PILOTWAY_CLOCK", "2025-07-08T01:00:00Z")

        said = in_earnest("user", "list", "--now", "2025-07-08T01:00:00Z", "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "settings")


class TestClock:
    def test_is_the_one_that_the_rehearsal_keeps(
        self, at_home: Line, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PILOTWAY_CLOCK")
        with house.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE installation SET clock_at = '2025-11-21T01:00:00.000000Z'")

        at_home("project", "new", "robot", *BIRTH)

        assert house.one("SELECT number FROM project") == "PT-2025-0001"
        assert house.one("SELECT received_on FROM project") == "2025-11-21"

    def test_is_the_instant_that_is_typed(self, at_home: Line, house: House) -> None:
        at_home("project", "new", "robot", *BIRTH, "--now", "2026-03-02T17:00:00Z")

        assert house.one("SELECT received_on FROM project") == "2026-03-03"

    def test_refuses_an_instant_without_an_offset(self, at_home: Line) -> None:
        said = at_home("project", "new", "robot", *BIRTH, "--now", "2026-03-02T17:00:00", "--json")

        assert (said.code, said.document["error"]["code"]) == (2, "instant_wrong")


BIRTH = ("--programme", "bare", "--firm", "sme", "--platform", "platform", "--as", "coordinator")


class TestAnswer:
    def test_is_the_document_of_the_contract(self, at_home: Line, number: str) -> None:
        said = at_home("project", "advance", number, "--reason", "ready", "--as", "coordinator", "--json")

        document = said.document
        assert document["state"] == "feasibility"
        assert set(document) >= {
            *("object_type", "object_id", "state", "version", "command_id", "transition_seq", "replayed")
        }

    def test_of_a_repeated_key_is_the_same_and_says_so(self, at_home: Line, number: str) -> None:
        once = (
            "project",
            "advance",
            number,
            "--reason",
            "ready",
            "--as",
            "coordinator",
            "--command-id",
            "k1",
            "--json",
        )

        first, again = at_home(*once).document, at_home(*once).document

        assert (first["replayed"], again["replayed"]) == (False, True)
        assert {**first, "replayed": True} == again

    def test_of_a_key_with_another_body_is_a_conflict(self, at_home: Line, number: str) -> None:
        asked = ("project", "advance", number, "--as", "coordinator", "--command-id", "k1", "--json", "--reason")
        at_home(*asked, "ready")

        said = at_home(*asked, "something else")

        assert (said.code, said.document["error"]["code"]) == (5, "key_reused")

    def test_of_a_version_that_has_passed_is_a_conflict(self, at_home: Line, number: str) -> None:
        asked = ("project", "advance", number, "--as", "coordinator", "--reason", "ready", "--version", "1", "--json")
        at_home(*asked)

        said = at_home(*asked)

        assert (said.code, said.document["error"]["code"]) == (5, "stale")

    def test_of_a_dry_run_writes_nothing(self, at_home: Line, number: str, house: House) -> None:
        before = house.one("SELECT COUNT(*) FROM audit_record")

        said = at_home("project", "advance", number, "--reason", "ready", "--as", "coordinator", "--dry-run", "--json")

        assert (said.code, said.document["state"], said.document["dry_run"]) == (0, "feasibility", True)
        assert house.one("SELECT COUNT(*) FROM audit_record") == before

    def test_speaks_the_language_that_is_asked_for(self, at_home: Line, number: str) -> None:
        said = at_home("project", "advance", number, "--reason", "好", "--as", "coordinator", "--lang", "zh-CN")

        assert said.out == f"已推进：{number}，现为“可行性”（第 2 版）\n"
        assert said.err.startswith("命令键：")

    def test_is_quiet_when_asked(self, at_home: Line, number: str) -> None:
        assert at_home("project", "advance", number, "--reason", "ready", "--as", "coordinator", "-q").err == ""


class TestRefusal:
    def test_says_what_why_and_how(self, at_home: Line, house: House) -> None:
        number = number_of(house, a_project(house, pack="default"))

        said = at_home("project", "advance", number, "--reason", "ready", "--as", "coordinator", "--lang", "zh-CN")

        lines = said.err.splitlines()
        assert said.code == 3
        assert lines[0].startswith(f"不能推进：{number}（")
        assert any(one.startswith("  G1.2 未提交：") and "营业执照" in one for one in lines)
        assert any("责任：企业 项目负责人 project_lead" in one for one in lines)
        assert lines[-1] == f"试试：pilotway gate check {number}"

    def test_lists_every_code_once_in_json(self, at_home: Line, house: House) -> None:
        number = number_of(house, a_project(house, pack="default"))

        error = at_home("project", "advance", number, "--reason", " ", "--as", "coordinator", "--json").document[
            "error"
        ]

        assert error["code"] == "gate_unmet"
        assert {"gate_unmet", "decision_missing", "reason_missing"} <= set(error["unmet"])
        assert len(error["unmet"]) == len(set(error["unmet"]))
        assert {reason["clause"] for reason in error["reasons"] if "clause" in reason} >= {"G1.1", "G1.9"}

    def test_of_a_right_is_journalled(self, at_home: Line, number: str, house: House) -> None:
        said = at_home("project", "advance", number, "--reason", "ready", "--as", "project_lead", "--json")

        assert (said.code, said.document["error"]["unmet"]) == (3, ["role"])
        assert house.one("SELECT COUNT(*) FROM audit_record WHERE action = 'project.advance.refused'") == 1

    def test_of_what_is_out_of_reach_says_no_more_than_of_what_is_not_there(self, at_home: Line, number: str) -> None:
        hidden = at_home("project", "advance", number, "--reason", "ready", "--as", "stranger", "--json")
        absent = at_home("project", "advance", "PT-1999-0001", "--reason", "ready", "--as", "stranger", "--json")

        assert (hidden.code, absent.code) == (3, 3)
        assert hidden.document["error"]["unmet"] == absent.document["error"]["unmet"] == ["not_found"]

    def test_of_a_wrong_name_says_what_there_is_none_of(self, at_home: Line) -> None:
        said = at_home("project", "new", "robot", "--programme", "bare", "--firm", "smee", "--as", "coordinator")

        assert (said.code, said.err) == (3, "smee: There is no such organisation.\n")

    def test_advises_nothing_where_it_cannot_name_the_project(self, at_home: Line, number: str) -> None:
        outside = at_home("project", "new", "robot", *BIRTH[:-1], "expert")
        inside = at_home("project", "advance", number, "--reason", "ready", "--as", "project_lead")

        assert (outside.code, inside.code) == (3, 3)
        assert "Try:" not in outside.err
        assert f"Try: pilotway project explain {number}" in inside.err

    def test_of_an_ended_project_names_its_end(self, at_home: Line, house: House) -> None:
        ended = a_project(house)
        house.do(Withdraw(command_id=key(), project_id=ended, reason="no"), by=Role.PROJECT_LEAD)

        said = at_home("project", "submit", number_of(house, ended), "--as", "project_lead")

        assert said.code == 3
        assert "Withdrawn" in said.err


class TestAtATerminal:
    """A person is asked before anything is written; a pipe never is."""

    @pytest.mark.parametrize(("typed", "stage"), [("y\n", "feasibility"), ("n\n", "intake")])
    def test_does_what_was_agreed_to(
        self, at_home: Line, number: str, house: House, typed: str, stage: ProjectState
    ) -> None:
        shown = at_terminal("project", "advance", number, "--reason", "ready", "--as", "coordinator", typed=typed)

        assert f"Would advance: {number} → Feasibility" in shown
        assert house.one("SELECT stage FROM project WHERE number = :number", number=number) == stage


def at_terminal(*arguments: str, typed: str) -> str:
    """Run the program with a terminal as its three streams and return what it shows."""
    ours, theirs = pty.openpty()
    program = [sys.executable, "-c", "from cli.main import main; main()", *arguments]
    with subprocess.Popen(
        program,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
    ) as running:
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b"".join(iter(lambda: read(ours), b""))
        running.wait(timeout=60)
    os.close(ours)
    return shown.decode().replace("\r", "")


def read(terminal: int) -> bytes:
    """Return the next output; nothing when the other side has closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def give_token(house: House, *, days: int) -> None:
    house.later(days=-1)
    command: Any = AddToken(
        command_id=key(),
        user_id=house.people[Role.COORDINATOR].user_id,
        token_sha256=token_sha256("pt_secret"),
        expires_at=house.now.replace(day=house.now.day + 1 + days),
    )
    house.do(command)
    house.later(days=1)
