"""Prefect as it is: a real server, a real runner, real flow runs; and `pilotway serve` as a real process tree.

Starting these takes most of a minute, so all tests share one server.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from flows.bodies import BODIES
from flows.serving import HOST, free_port, prefect_environment, wait_for_prefect
from models.db import transaction
from tests import factories as make
from tests import trees
from tests.conftest import ROOT
from tests.factories import House
from tests.witness.mail import MailSink, mail_sink

pytestmark = pytest.mark.slow
PATIENCE = 240.0
"""Seconds: two busy cores start an interpreter with Prefect in ten to twenty."""


def come(found: Callable[[], Any]) -> Any:
    """Wait for something that other processes do, and return it."""
    return trees.until(found, seconds=PATIENCE)


def rows(document: Any) -> list[dict[str, Any]]:
    """Return the rows of a table of the command line."""
    found: list[dict[str, Any]] = document["data"]
    return found


@dataclass(kw_only=True)
class Place:
    """A folder with a database of its own, and the variables that processes in it see."""

    folder: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What every process gets."""
        own = {"PILOTWAY_DB": str(self.folder / "pilotway.db"), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
        return {**os.environ, **own, **self.more}

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """Start a module of Python as a process of its own."""
        argv = [sys.executable, "-m", *words]
        return subprocess.Popen(argv, env=self.environment, cwd=self.folder, text=True, **more)

    def run(self, *words: str, cwd: Path | None = None) -> str:
        """Run one to its end and return what it says."""
        argv = [sys.executable, "-m", *words]
        done = subprocess.run(
            argv, env=self.environment, cwd=cwd or self.folder, text=True, capture_output=True, timeout=180, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pilotway(self, *words: str) -> Any:
        """Run our own program and return its document."""
        return json.loads(self.run("cli.main", *words, "--json"))

    def slots(self, schedule: str) -> list[dict[str, Any]]:
        """Return what became of the slots of a schedule."""
        return rows(self.pilotway("runs", "list", "--schedule", schedule))


@contextmanager
def running(place: Place, *words: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """Keep a process for a while; afterwards nothing of it is left."""
    process = place.start(*words, **more)
    try:
        yield process
    finally:
        trees.end(process)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give a rehearsal beside a Prefect server of its own, with everything deployed to it twice."""
    folder = tmp_path_factory.mktemp("prefect")
    port = free_port()
    api = f"http://{HOST}:{port}/api"
    here = Place(folder=folder, more=prefect_environment(folder / "prefect", api))
    here.run("cli.main", "init", "--mode", "rehearsal", "--admin", "alice", "--email", "alice@example.org")
    with running(here, "prefect", "server", "start", "--host", HOST, "--port", str(port), "--no-ui"):
        wait_for_prefect(api)
        yield here


@pytest.fixture
def alone(tmp_path: Path) -> Place:
    """Give a rehearsal of its own."""
    here = Place(folder=tmp_path, more={"PREFECT_HOME": str(tmp_path / "prefect")})
    here.run("cli.main", "init", "--mode", "rehearsal", "--admin", "alice", "--email", "alice@example.org")
    return here


def asked(place: Place, path: str, body: Any = None) -> Any:
    """Ask the server itself."""
    data = json.dumps(body or {}).encode()
    request = urllib.request.Request(
        f"{place.more['PREFECT_API_URL']}{path}", data=data, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.long
class TestDeploying:
    def test_writes_pool_schedules_and_automation_once_however_often(self, place: Place) -> None:
        for _ in range(2):
            names = [row["schedule_id"] for row in rows(place.pilotway("flow", "deploy", "--wait"))]
            assert set(names) == set(BODIES)
        assert sorted(one["name"] for one in asked(place, "/deployments/filter")) == sorted(BODIES)
        assert [one["name"] for one in asked(place, "/work_pools/filter")] == ["pilotway"]
        assert len(asked(place, "/automations/filter")) == 1

    def test_is_what_the_status_says(self, place: Place) -> None:
        told = {row["schedule_id"]: row["prefect"] for row in rows(place.pilotway("flow", "status"))}
        assert told == dict.fromkeys(BODIES, "deployed")

    def test_says_the_same_as_prefects_own_command(self, place: Place) -> None:
        def terms() -> dict[str, Any]:
            named = ("entrypoint", "work_pool_name", "concurrency_options", "tags", "paused", "description")
            found = asked(place, "/deployments/filter")
            crons = {one["name"]: [each["schedule"]["cron"] for each in one["schedules"]] for one in found}
            limits = {one["name"]: one["global_concurrency_limit"]["limit"] for one in found}
            return {
                one["name"]: [*(one[name] for name in named), crons[one["name"]], limits[one["name"]]] for one in found
            }

        ours = terms()
        file = str(ROOT / "deploy" / "prefect.yaml")
        place.run("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", file, cwd=ROOT)
        assert terms() == ours


WOKEN_TWICE = """
import sys
from datetime import datetime
from flows.prefect_flows import woken
slot_at = datetime.fromisoformat(sys.argv[1])
for run in "ab":
    print(*(f"{one.schedule_id} {one.status} {one.slot_at.isoformat()}" for one in woken("housekeeping", slot_at, run)))
"""


def left_beside(place: Place, schedule: str) -> list[dict[str, Any]]:
    """Return what the tables beside Prefect's runs say of slots of a schedule that were done."""
    tables = asked(place, "/artifacts/filter", {"artifacts": {"key": {"any_": [schedule]}}})
    found = [row for table in tables for row in json.loads(table["data"])]
    return [row for row in found if (row.get("schedule"), row.get("status")) == (schedule, "done")]


class TestAFlowRun:
    @pytest.mark.long
    def test_does_our_slot_and_leaves_a_table_beside_it(self, place: Place) -> None:
        place.run("cli.main", "flow", "deploy")
        with running(place, "prefect", "worker", "start", "--pool", "pilotway", "--type", "process"):
            done = come(lambda: [row for row in place.slots("outbox") if row["status"] == "done"])
            told = come(lambda: left_beside(place, "outbox"))
        assert done[-1]["done_count"] > 0, "alice hears of her account"
        slots = {datetime.fromisoformat(row["slot_at"]) for row in done}
        assert {datetime.fromisoformat(row["slot"]) for row in told} & slots

    @pytest.mark.long
    def test_does_a_slot_once_that_it_is_woken_for_twice(self, alone: Place) -> None:
        now = datetime.now(UTC)  # noqa: TID251 - the processes live by the machine's clock
        at_three_in_shanghai = now.replace(hour=19, minute=0, second=0, microsecond=0)
        slot_at = at_three_in_shanghai - timedelta(days=at_three_in_shanghai > now)
        said = subprocess.run(
            [sys.executable, "-c", WOKEN_TWICE, slot_at.isoformat()],
            env=alone.environment,
            cwd=alone.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout.splitlines()
        assert said == [f"housekeeping done {slot_at.isoformat()}"] * 2
        assert len(alone.slots("housekeeping")) == 1


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the line with which `serve` says that it is there."""
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def page(port: int, path: str) -> Any:
    """Return a page of `serve`."""
    with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=30) as answer:
        return json.load(answer)


def ended(process: subprocess.Popen[str]) -> list[int]:
    """Ask a tree to end, and return what is left of it."""
    family = trees.below(process.pid)
    assert family
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    return [pid for pid in family if trees.is_there(pid)]


COMING = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
SERVE = ("cli.main", "serve", "--port", "0", "--every", "1")


A_MINUTE = 60.0
ON_THE_QUARTER = {"recovery", "reconciliation", "invariants", "outbox"}
"""What fires again and again while somebody watches."""


@pytest.fixture
def demo(demonstration: Path, tmp_path: Path) -> Place:
    """Give the story as `make run` leaves it, and told: by a clock that stands nothing more would fire."""
    shutil.copytree(demonstration, tmp_path / "demo")
    here = Place(folder=tmp_path / "demo", more={"PREFECT_HOME": str(tmp_path / "prefect")})
    here.pilotway("tick")
    assert here.pilotway("tick")["slots"] == []
    return here


def fired(place: Place, since: datetime) -> dict[str, dict[str, Any]]:
    """Return the newest run of each schedule that ran for a slot after an instant, as `runs list` shows it."""
    found = [row for row in rows(place.pilotway("runs", "list", "--limit", "100")) if row["status"] == "done"]
    return {row["schedule_id"]: row for row in reversed(found) if datetime.fromisoformat(row["slot_at"]) > since}


def played(place: Place) -> datetime:
    """Return the instant at which the demonstration's clock stands."""
    return datetime.fromisoformat(place.pilotway("demo")["clock_at"])


@pytest.mark.long
class TestServingADemonstration:
    """As somebody who types `make run` sees it."""

    def test_fires_schedules_within_a_minute(self, demo: Place) -> None:
        stood = played(demo)
        with running(demo, *SERVE, stdout=subprocess.PIPE) as tree:
            assert ready(tree)["children"] == ["worker", "console"]
            seen = trees.until(lambda: (new := fired(demo, stood)).keys() >= ON_THE_QUARTER and new, seconds=A_MINUTE)
            assert seen["invariants"]["done_count"] > 30
            assert ended(tree) == []
        assert stood < played(demo) < stood + timedelta(minutes=20)

    def test_fires_them_with_prefect_too(self, demo: Place) -> None:
        demo.more["PILOTWAY_PREFECT"] = "on"
        stood = played(demo)
        with running(demo, *SERVE, stdout=subprocess.PIPE) as tree:
            assert ready(tree)["children"] == ["prefect", "runner", "console"]
            trees.until(lambda: fired(demo, stood).keys() >= ON_THE_QUARTER, seconds=A_MINUTE)
            now = played(demo)
            come(lambda: fired(demo, now))  # by Prefect's own schedule, a process each
            assert ended(tree) == []


def at(day: str, time: str = "09:00") -> str:
    """Return an instant in Shanghai, as it is written down."""
    return f"{datetime.fromisoformat(f'2025-07-{day}T{time}+08:00').astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def lines_of(sink: MailSink, numbers: Sequence[str]) -> dict[str, list[list[str]]]:
    """Return recipient -> for each mail of reminders the projects that it lists, line by line."""
    found: dict[str, list[list[str]]] = {}
    for to, mail in sink.mails:
        if "reminder.due" in str(mail["X-Pilotway-Dedupe-Key"]):
            plain: Any = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
            lines = plain.get_payload(decode=True).decode().splitlines()
            listed = [one for line in lines if line[:1].isdigit() for one in numbers if one in line]
            found.setdefault(to.partition("@")[0], []).append(listed)
    return found


@pytest.mark.long
class TestAWeekWithoutPrefect:
    """A clock in a file says what day it is; Prefect sleeps from a Wednesday to the Thursday of the week after."""

    @pytest.fixture
    def numbers(self, house: House) -> list[str]:
        """Have three visits due, on the Monday, Tuesday and Thursday of the second week; return their projects."""
        ids = make.projects(house, 3)
        with transaction(house.engine) as session:
            session.execute(text("UPDATE requirement SET due_on = NULL"))
            for one, day in zip(ids, ("21", "22", "24"), strict=True):
                change = text("UPDATE stage_run SET due_on = :on, maximum_on = NULL WHERE project_id = :id")
                session.execute(change, {"on": f"2025-07-{day}", "id": str(one)})
        return [house.one("SELECT number FROM project WHERE id = :id", id=str(one)) for one in ids]

    def test_leaves_a_row_for_each_slot_and_tells_each_reminder_once(
        self, house: House, numbers: list[str], tmp_path: Path
    ) -> None:
        place = Place(folder=tmp_path, more={"PILOTWAY_DB": str(house.engine.url.database), "PILOTWAY_PREFECT": "on"})
        clock = tmp_path / "clock"
        with mail_sink() as sink:
            place.more |= {"PILOTWAY_CLOCK": f"file:{clock}", "PILOTWAY_SMTP_URL": f"smtp://127.0.0.1:{sink.port}"}
            self.serve(place, clock, at("16", "09:05"))
            first, second, third = numbers
            assert lines_of(sink, numbers) == {who: [[first]] for who in ("coordinator", "second")}
            self.serve(place, clock, at("24", "10:00"))
            told = lines_of(sink, numbers)
            assert place.pilotway("tick")["slots"] == []
            assert lines_of(sink, numbers) == told
        assert told == {who: [[first], [first, second, third]] for who in ("coordinator", "second")}
        keys = Counter((to, mail["X-Pilotway-Dedupe-Key"]) for to, mail in sink.mails)
        assert set(keys.values()) == {1}
        assert self.rungs(house) == {
            (first, -3, "sent"), (first, 0, "sent"), (first, 3, "sent"), (first, 10, "planned"),
            (second, -3, "missed"), (second, 0, "sent"), (second, 3, "planned"), (second, 10, "planned"),
            (third, -3, "sent"), (third, 0, "sent"), (third, 3, "planned"), (third, 10, "planned"),
        }  # fmt: skip
        week = {row["slot_at"]: row["status"] for row in place.slots("reminders")}
        merged = dict.fromkeys(map(at, ("18", "21", "22", "23")), "merged")
        assert week == {at("16"): "done", at("17"): "missed", **merged, at("24"): "done"}
        assert self.minutes(house) == {"done": 2, "missed": 24 * 60 + 55 - 1, "merged": 7 * 24 * 60}

    def serve(self, place: Place, clock: Path, now: str) -> None:
        """Have Prefect wake us at an instant, until the pass is through."""
        clock.write_text(now, encoding="utf-8")
        with running(place, *SERVE, stdout=subprocess.PIPE) as tree:
            line = ready(tree)
            assert page(line["port"], "/readyz")["ok"] is True
            come(lambda: [row for row in place.slots("outbox") if (row["slot_at"], row["status"]) == (now, "done")])
            place.more["PREFECT_API_URL"] = line["prefect"]
            come(lambda: len(asked(place, "/deployments/filter")) == len(BODIES))
            come(lambda: asked(place, "/flow_runs/filter", COMING))
            assert [one["name"] for one in asked(place, "/deployments/filter") if one["paused"]] == []
            assert len(asked(place, "/automations/filter")) == 1
            assert ended(tree) == []

    def rungs(self, house: House) -> set[tuple[str, int, str]]:
        sql = """SELECT number, rung, planned_reminder.status FROM planned_reminder
                 JOIN project ON project.id = planned_reminder.project_id WHERE what = 'stage_due'"""
        return {tuple(row) for row in house.rows(sql)}

    def minutes(self, house: House) -> dict[str, int]:
        sql = "SELECT status, count(*) FROM scheduled_run WHERE schedule_id = 'outbox' GROUP BY status"
        return dict(house.rows(sql))


@pytest.mark.long
class TestServingAlone:
    def test_ticks_and_starts_a_killed_worker_again(self, alone: Place) -> None:
        with running(alone, *SERVE, stdout=subprocess.PIPE) as tree:
            assert ready(tree)["children"] == ["worker", "console"]
            come(lambda: alone.slots("outbox"))
            worker = trees.below(tree.pid)[0]
            before = set(trees.below(tree.pid))
            os.kill(worker, signal.SIGKILL)
            come(lambda: [pid for pid in trees.below(tree.pid) if pid not in before and trees.is_there(pid)])
            assert ended(tree) == []
