"""The clock at the command line: passes, runs at once, pauses and requests, and a worker as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.bodies import BODIES
from tests.cli.conftest import Line
from tests.conftest import ROOT
from tests.factories import House
from tests.house.test_contract import table, words

TEN = "2025-07-08T02:00:00Z"


class TestTick:
    def test_runs_what_is_due_and_prints_the_document_of_the_contract(self, at_home: Line) -> None:
        said = at_home("tick", "--now", TEN, "--json")
        keys = {name: words(cell) for name, cell in table("| Document | Keys |")}
        assert said.code == 0
        assert list(said.document) == keys["tick"]
        assert list(said.document["slots"][0]) == keys["tick.slots[]"]
        assert list(said.document["outbox"]) == keys["tick.outbox"]
        assert {one["schedule_id"] for one in said.document["slots"]} == set(BODIES) - {"report"}
        assert at_home("tick", "--now", TEN, "--json").document["slots"] == []

    def test_tells_people_once_of_all_slots_that_a_later_one_did(self, at_home: Line) -> None:
        at_home("tick", "--now", TEN)

        said = at_home("tick", "--now", "2025-07-08T04:00:00Z")

        assert "earlier slots were done by a later one" in said.err
        assert [row[0] for row in said.rows].count("outbox") == 1

    def test_plays_another_instant_in_a_rehearsal_only(self, line: Line) -> None:
        line("init", "--mode", "production")
        assert line("tick", "--now", TEN).code == 2

    def test_ends_with_6_when_a_run_fails(self, at_home: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "a file").write_text("no folder")
        monkeypatch.setenv("PILOTWAY_BACKUP_DIR", str(tmp_path / "a file"))
        said = at_home("tick", "--now", TEN, "--json")
        failed = [one["schedule_id"] for one in said.document["slots"] if one["failed_count"]]
        assert (said.code, failed) == (6, ["backup"])


class TestRun:
    def test_at_the_same_instant_does_its_work_once(self, at_home: Line) -> None:
        one, two = (at_home("run", "stage-deadlines", "--now", TEN, "--json").document for _ in range(2))
        assert one["slots"] == two["slots"]
        assert one["slots"][0]["slot_at"] == "2025-07-08T02:00:00.000000Z"

    def test_of_an_unknown_name_is_wrong_usage(self, at_home: Line) -> None:
        said = at_home("run", "nothing", "--json")
        assert (said.code, said.document["error"]["code"]) == (2, "schedule_unknown")

    @pytest.mark.parametrize(
        ("name", "code"), [("checkpoint", "private_key_missing"), ("backup", "backup_dir_missing")]
    )
    def test_that_is_refused_ends_with_3_also_when_repeated(self, at_home: Line, name: str, code: str) -> None:
        for _ in range(2):
            said = at_home("run", name, "--now", TEN, "--json")
            assert (said.code, said.document["error"]["code"]) == (3, code)

    def test_dry_writes_nothing(self, at_home: Line, house: House) -> None:
        said = at_home("run", "stage-deadlines", "--dry-run", "--json")
        assert (said.code, said.document["slots"][0]["status"]) == (0, "due")
        assert at_home("run", "housekeeping", "--dry-run", "--json").document["error"]["code"] == "no_dry_run"
        assert house.one("SELECT count(*) FROM scheduled_run") == 0


class TestRuns:
    def test_are_listed_and_shown_with_their_effects(
        self, at_home: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("PILOTWAY_BACKUP_DIR", str(tmp_path / "backups"))
        at_home("tick", "--now", TEN)
        (one,) = at_home("runs", "list", "--schedule", "backup", "--json").document["data"]
        shown = at_home("runs", "show", one["run_id"], "--json").document
        assert [told["effect"] for told in shown["effects"]] == ["backup.written"]
        assert "backup written" in at_home("runs", "show", one["run_id"]).out
        assert at_home("runs", "show", "nobody").code == 3


class TestFlow:
    def test_is_paused_requested_and_resumed_by_an_operator(self, at_home: Line, house: House) -> None:
        who = ("--as", "operator", "--now", TEN)
        paused = at_home("flow", "pause", "invariants", "--reason", "the disk is slow", "--until", "2025-07-09", *who)
        assert paused.code == 0
        held = {
            row["schedule_id"]: row["paused"]
            for row in at_home("flow", "list", "--now", TEN, "--json").document["data"]
        }
        assert [name for name, why in held.items() if why] == ["invariants"]
        assert at_home("flow", "request", "invariants", "--reason", "look once", *who).code == 0
        slots = at_home("tick", "--now", TEN, "--json").document["slots"]
        assert [one["status"] for one in slots if one["schedule_id"] == "invariants"] == ["skipped", "done"]
        assert at_home("flow", "resume", "invariants", "--reason", "it is fast again", *who).code == 0
        assert at_home("flow", "resume", "invariants", "--reason", "again", *who).code == 3
        assert house.rows("SELECT reason FROM pause") == [("the disk is slow / it is fast again",)]
        (operator,) = house.rows("SELECT id FROM app_user WHERE login = 'operator'")
        acts = house.rows("SELECT action, body FROM audit_record WHERE action LIKE 'schedule.%' ORDER BY seq")
        assert [row.action for row in acts] == ["schedule.pause", "schedule.request", "schedule.resume"]
        assert all(json.loads(row.body)["actor_id"] == operator.id for row in acts)
        assert json.loads(acts[0].body)["detail"] == {
            "schedule": "invariants",
            "reason": "the disk is slow",
            "until_on": "2025-07-09",
        }

    def test_is_run_for_each_request_though_time_stands_still(self, at_home: Line, house: House) -> None:
        """Ten o'clock is a slot of its own, which has run; neither it nor the other request takes this one's place."""
        at_home("tick", "--now", TEN)
        for reason in ("one", "two"):
            at_home("flow", "request", "invariants", "--reason", reason, "--as", "operator", "--now", TEN)
        at_home("tick", "--now", TEN)
        ran = house.rows("SELECT why, status FROM scheduled_run WHERE schedule_id = 'invariants' ORDER BY slot_at")
        assert ran == [("", "done"), ("one", "done"), ("two", "done")]

    def test_is_nothing_for_others(self, at_home: Line) -> None:
        asked = ("flow", "request", "disbursement", "--reason", "please", "--json")
        assert at_home(*asked).code == 4
        said = at_home(*asked, "--as", "project_lead")
        assert (said.code, said.document["error"]["code"]) == (3, "role")
        late = at_home(
            "flow", "pause", "backup", "--reason", "x", "--until", "2020-01-01", "--as", "operator", "--json"
        )
        assert late.document["error"]["code"] == "pause_is_over"


class TestBackupAndRestore:
    def test_say_the_documents_of_the_contract(
        self, at_home: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        keys = {name: words(cell) for name, cell in table("| Document | Keys |")}
        made = at_home("backup", "--out", str(tmp_path / "b"), "--json")
        assert (made.code, list(made.document)) == (0, keys["backup"])
        assert at_home("backup", "--out", str(tmp_path / "b"), "--json").document["error"]["code"] == "file_exists"
        assert at_home("restore", str(tmp_path / "b"), "--json").document["error"]["code"] == "database_not_empty"
        monkeypatch.setenv("PILOTWAY_DB", str(tmp_path / "new.db"))
        restored = at_home("restore", str(tmp_path / "b"), "--json")
        assert (restored.code, list(restored.document)) == (0, keys["restore"])
        assert restored.document["heads_sha256"] == made.document["heads_sha256"]
        assert at_home("check", "--json").document["frozen"]["on"]
        (tmp_path / "c").write_text("nothing")
        monkeypatch.setenv("PILOTWAY_DB", str(tmp_path / "newer.db"))
        assert at_home("restore", str(tmp_path / "c"), "--json").document["error"]["code"] == "no_backup"


@pytest.fixture
def worker(house: House, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a worker as a process of its own, on a world of one's own."""
    found = {**os.environ, "PYTHONPATH": str(ROOT), "PILOTWAY_DB": str(house.engine.url.database)}
    command = [sys.executable, "-m", "cli.main", "worker", "--every", "0.2"]
    with subprocess.Popen(command, cwd=tmp_path, env=found, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def read(worker: subprocess.Popen[str]) -> dict[str, Any]:
    assert worker.stdout is not None
    document: dict[str, Any] = json.loads(worker.stdout.readline())
    return document


class TestAWorker:
    def test_says_that_it_is_ready_works_and_ends_when_told_to(
        self, worker: subprocess.Popen[str], house: House
    ) -> None:
        assert read(worker) == {"ready": True, "pid": worker.pid, "port": None}
        first = read(worker)
        assert first["recover"]["format"] == "pilotway-recover/1"
        assert {one["schedule_id"] for one in first["tick"]["slots"]} >= set(BODIES) - {"report"}
        assert {one["schedule_id"] for one in read(worker)["tick"]["slots"]} <= {"outbox"}  # of the next minute
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
        assert house.one("SELECT count(*) FROM scheduled_run WHERE status = 'running'") == 0
        assert house.one("SELECT count(*) FROM claim") == 0

    def test_waits_for_a_database_that_is_away(self, worker: subprocess.Popen[str], house: House) -> None:
        read(worker)
        place = Path(str(house.engine.url.database))
        place.rename(place.with_suffix(".away"))
        while (line := read(worker)).get("error", {}).get("code") != "database_missing":
            # Taken away in the middle of a pass, an open file may first answer as a database in trouble.
            assert "tick" in line or line["error"]["code"] == "database", line
        place.with_suffix(".away").rename(place)
        while "error" in (line := read(worker)):
            pass
        assert line["tick"]["format"] == "pilotway-tick/1"

    def test_killed_in_its_work_leaves_it_to_another(self, worker: subprocess.Popen[str], at_home: Line) -> None:
        read(worker)
        worker.kill()
        worker.wait()
        said = at_home("worker", "--once", "--json")
        assert (said.code, set(said.document)) == (0, {"recover", "tick"})


class TestFlowStatus:
    def test_shows_the_wall_clock_of_the_installation_to_people_and_utc_to_programs(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PILOTWAY_CLOCK", "2026-03-02T01:00:00Z")
        assert line("init", "--mode", "rehearsal").code == 0
        line("tick")
        shown = {row[0]: row[1:4] for row in line("flow", "status", "--lang", "zh-CN").rows}
        assert shown["reminders"] == ["2026-03-02 09:00", "完成", "2026-03-03 09:00"]
        told = {one["schedule_id"]: one for one in line("flow", "status", "--json").document["data"]}
        assert told["reminders"]["last_at"] == "2026-03-02T01:00:00.000000Z"
        assert told["reminders"]["next_at"] == "2026-03-03T01:00:00.000000Z"
        assert (told["outbox"]["status"], told["report"]["status"]) == ("done", None)
