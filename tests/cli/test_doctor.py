"""What `doctor` finds ill, each by a real illness."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cli.behind.doctor import PINS, announced, fitting, make_path, room
from cli.behind.ways import ways
from lifecycle.audit.keys import write_key_pair
from lifecycle.errors import Invalid
from models.clock import SystemClock
from models.db import make_engine, transaction
from models.ids import new_id
from models.settings import load_settings
from notifications.words import entries
from tests.cli.conftest import Line, Said
from tests.conftest import ROOT


@pytest.fixture
def fresh(line: Line) -> Line:
    assert line("init", "--mode", "rehearsal").code == 0
    return line


def ills(said: Said) -> dict[str, str]:
    """Return what is wrong, each with what to do; all is told in one document and one exit code."""
    found = {one["name"]: one["remedy"] for one in said.document["checks"] if not one["ok"]}
    assert (said.code, said.document["ok"]) == ((7, False) if found else (0, True))
    return found


def line_of(said: Said, name: str) -> dict[str, Any]:
    return next(one for one in said.document["checks"] if one["name"] == name)


def change(statement: str, **values: Any) -> None:
    engine = make_engine(load_settings().db)
    try:
        with transaction(engine) as session:
            session.execute(text(statement), values)
    finally:
        engine.dispose()


@contextmanager
def prefect_server(version: str) -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(True if self.path.endswith("/health") else version).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep still."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
    finally:
        server.shutdown()
        server.server_close()


class TestMail:
    def test_that_goes_to_stderr_is_said_plainly(self, fresh: Line) -> None:
        assert "stderr" in line_of(fresh("doctor", "--json"), "mail")["detail"]

    def test_without_an_answer_is_ill(self, fresh: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PILOTWAY_SMTP_URL", "smtp://name:secret@127.0.0.1:1")
        said = fresh("doctor", "--json")
        assert "PILOTWAY_SMTP_URL" in ills(said)["mail"]
        assert "secret" not in said.out


class TestPrefect:
    def test_that_nobody_wants_is_well(self, fresh: Line) -> None:
        assert line_of(fresh("doctor", "--json"), "prefect")["ok"]

    def test_that_is_named_and_silent_is_ill(self, fresh: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
        assert "PREFECT_API_URL" in ills(fresh("doctor", "--json"))["prefect"]

    def test_of_our_version_is_well_and_of_another_ill(self, fresh: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        with prefect_server(PINS["prefect"][0]) as api:
            monkeypatch.setenv("PREFECT_API_URL", api)
            assert ills(fresh("doctor", "--json")) == {}
        with prefect_server("3.1.0") as api:
            monkeypatch.setenv("PREFECT_API_URL", api)
            assert "flow deploy" in ills(fresh("doctor", "--json"))["prefect"]


class TestVersions:
    def test_are_those_of_the_project_file(self) -> None:
        said = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        assert '"prefect==3.8.8"' in said
        for name in ("fastapi", "sqlalchemy"):
            assert f'"{name}>={PINS[name][0]},<{PINS[name][1]}"' in said

    def test_that_do_not_work_together_are_named(self) -> None:
        good = {"prefect": "3.8.8", "fastapi": "0.150.1", "sqlalchemy": "2.0.58"}
        assert "0.150.1" in fitting(good)
        for name, version in (("fastapi", "0.151.0"), ("sqlalchemy", "2.1.0"), ("prefect", None)):
            with pytest.raises(Invalid) as refused:
                fitting({**good, name: version})
            assert refused.value.unmet[0].values["found"] == [f"{name} {version}"]


class TestKeys:
    def test_that_others_may_read_are_ill(self, fresh: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        private = tmp_path / "c.key"
        write_key_pair(private, tmp_path / "c.pub")
        monkeypatch.setenv("PILOTWAY_CHECKPOINT_KEY", str(private))
        assert ills(fresh("doctor", "--json")) == {}
        private.chmod(0o640)
        assert "chmod 600" in ills(fresh("doctor", "--json"))["keys"]

    def test_that_do_not_belong_together_are_ill(
        self, fresh: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_key_pair(tmp_path / "a.key", tmp_path / "a.pub")
        write_key_pair(tmp_path / "b.key", tmp_path / "b.pub")
        monkeypatch.setenv("PILOTWAY_CHECKPOINT_KEY", str(tmp_path / "a.key"))
        monkeypatch.setenv("PILOTWAY_CHECKPOINT_PUBLIC_KEY", str(tmp_path / "b.pub"))
        assert list(ills(fresh("doctor", "--json"))) == ["keys"]


class TestTheClock:
    def test_that_never_ran_is_missed_after_a_day(self, line: Line) -> None:
        line("init", "--mode", "production")
        assert "pilotway serve" in line_of(line("doctor", "--json"), "schedules")["detail"]
        change("UPDATE installation SET created_at = '2026-01-02T00:00:00.000000Z'")
        assert "pilotway tick" in ills(line("doctor", "--json"))["schedules"]

    def test_that_stands_is_named_with_what_is_late(self, fresh: Line) -> None:
        assert fresh("tick").code == 0
        assert ills(fresh("doctor", "--json")) == {}
        change("UPDATE scheduled_run SET slot_at = :at WHERE schedule_id = 'recovery'", at=_ago(hours=1))
        said = fresh("doctor", "--json")
        assert list(ills(said)) == ["schedules"]
        assert "recovery" in line_of(said, "schedules")["detail"]

    def test_that_stands_is_late_though_a_clock_once_ran_ahead(self, fresh: Line) -> None:
        fresh("tick")
        change("UPDATE scheduled_run SET slot_at = :at WHERE schedule_id = 'recovery'", at=_ago(hours=1))
        change(
            "INSERT INTO scheduled_run (id, schedule_id, slot_at, status, holder, fence, started_at, ended_at,"
            " found_count, done_count, refused_count, failed_count, effects, progress, why)"
            " SELECT :id, schedule_id, :at, 'merged', holder, 0, :at, :at, 0, 0, 0, 0, '[]', '{}', ''"
            " FROM scheduled_run WHERE schedule_id = 'recovery'",
            id=str(new_id()),
            at=_ago(days=-60),
        )
        assert "recovery" in line_of(fresh("doctor", "--json"), "schedules")["detail"]

    def test_whose_latest_run_failed_is_ill(self, fresh: Line) -> None:
        fresh("tick")
        change("UPDATE scheduled_run SET status = 'failed' WHERE schedule_id = 'outbox'")
        assert "outbox" in line_of(fresh("doctor", "--json"), "schedules")["detail"]

    def test_that_was_set_back_is_ill(self, fresh: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PILOTWAY_CLOCK", "2026-01-05T01:00:00Z")
        assert list(ills(fresh("doctor", "--json"))) == ["clocks"]

    def test_may_stand_where_time_is_played(self, fresh: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        fresh("tick")
        later = SystemClock().now() + timedelta(hours=3)
        monkeypatch.setenv("PILOTWAY_CLOCK", later.isoformat())
        assert ills(fresh("doctor", "--json")) == {}


class TestTheOutbox:
    def test_that_nobody_empties_is_ill(self, fresh: Line) -> None:
        fresh("tick")
        fresh("init", "--admin", "root")
        assert ills(fresh("doctor", "--json")) == {}
        change("UPDATE outbox_message SET created_at = :at", at=_ago(minutes=11))
        assert "pilotway run outbox" in ills(fresh("doctor", "--json"))["outbox"]

    def test_whose_mails_nobody_takes_is_ill(self, fresh: Line) -> None:
        """The server greets us, and wants none of what we send."""
        fresh("init", "--admin", "root")
        fresh("tick")
        assert ills(fresh("doctor", "--json")) == {}
        change("UPDATE delivery SET status = 'waiting', attempts = 4")
        change("UPDATE delivery_attempt SET detail = '550 not from here'")
        said = fresh("doctor", "--json")
        assert "PILOTWAY_MAIL_FROM" in ills(said)["outbox"]
        assert "550 not from here" in line_of(said, "outbox")["detail"]


class TestTheDisk:
    def test_that_is_nearly_full_is_named_with_its_folder(self, tmp_path: Path) -> None:
        later = tmp_path / "not" / "yet"
        assert "evidence" in room({"evidence": later}, least=0)
        with pytest.raises(Invalid) as refused:
            room({"evidence": later}, least=1 << 60)
        assert str(later) in refused.value.unmet[0].values["places"][0]

    def test_is_that_of_the_database_file(self, tmp_path: Path) -> None:
        assert make_path(f"sqlite:///{tmp_path}/a.db") == tmp_path / "a.db"
        assert make_path("postgresql+psycopg://host/name") is None


class TestTheCalendar:
    def test_needs_this_year_and_late_in_december_the_next(self) -> None:
        assert announced(date(2026, 12, 14), [2025, 2026]) == "2025-2026"
        for today in (date(2026, 12, 15), date(2027, 1, 4)):
            with pytest.raises(Invalid) as refused:
                announced(today, [2025, 2026])
            assert refused.value.unmet[0].values == {"year": 2027}


class TestWays:
    OPEN = "postgresql+psycopg://p@db.example.org/p"

    @pytest.mark.parametrize(
        ("variable", "address", "is_safe"),
        [
            ("API", "https://pilot.example.org", True),
            ("API", "http://pilot.example.org", False),
            ("API", "http://localhost:8701", True),
            ("CONSOLE", "0.0.0.0:8701", False),
            ("DB", OPEN, False),
            ("DB", OPEN + "?sslmode=require", False),
            ("DB", OPEN + "?sslmode=verify-full", True),
            ("DB", "postgresql+psycopg:///p?host=/run/postgresql", True),
            ("DB", "postgresql+psycopg://p@127.0.0.1/p", True),
            ("DB", "postgresql+psycopg://p@postgres/p", True),
            ("SMTP_URL", "smtp://mail.example.org", False),
            ("SMTP_URL", "smtp://mail.example.org?starttls=required", True),
            ("SMTP_URL", "smtp://name:secret@mail.example.org", True),
            ("SMTP_URL", "smtps://mail.example.org", True),
            ("SMTP_URL", "smtp://127.0.0.1:2525", True),
        ],
    )
    def test_are_closed_by_tls_or_stay_inside(
        self, monkeypatch: pytest.MonkeyPatch, variable: str, address: str, is_safe: bool
    ) -> None:
        monkeypatch.setenv("PILOTWAY_PLAIN_HOSTS", "postgres, prefect")
        monkeypatch.setenv(f"PILOTWAY_{variable}", address)
        assert all(one.is_safe for one in ways(load_settings())) is is_safe

    def test_that_are_open_are_ill_where_the_work_is_real(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        line("init", "--mode", "production")
        assert "ways" not in ills(line("doctor", "--json"))
        monkeypatch.setenv("PILOTWAY_SMTP_URL", "smtp://mail.example.org")
        monkeypatch.setenv("PREFECT_API_URL", "http://10.0.0.7:4200/api")
        said = line("doctor", "--json")
        assert "sslmode=verify-full" in ills(said)["ways"]
        detail = line_of(said, "ways")["detail"]
        assert "mail.example.org (PILOTWAY_SMTP_URL)" in detail
        assert "10.0.0.7 (PREFECT_API_URL)" in detail
        assert "console" not in detail

    def test_that_are_open_are_said_in_a_rehearsal(self, fresh: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PILOTWAY_API", "http://pilot.example.org")
        assert line_of(fresh("doctor", "--json"), "ways") == {
            "name": "ways",
            "ok": True,
            "pending": "",
            "detail": "console pilot.example.org (!)",
            "remedy": "",
        }


class TestBackups:
    def test_that_nobody_keeps_are_ill_where_the_work_is_real(self, line: Line) -> None:
        line("init", "--mode", "production")
        assert "PILOTWAY_BACKUP_DIR" in ills(line("doctor", "--json"))["backups"]

    def test_say_when_the_last_was_made(self, fresh: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        unset = line_of(fresh("doctor", "--json"), "backups")
        assert ("PILOTWAY_BACKUP_DIR" in unset["detail"], unset["pending"]) == (True, "unset")
        monkeypatch.setenv("PILOTWAY_BACKUP_DIR", str(tmp_path / "kept"))
        unmade = line_of(fresh("doctor", "--json"), "backups")
        assert ("no backup was made yet" in unmade["detail"], unmade["pending"]) == (True, "unchecked")
        assert fresh("run", "backup").code == 0
        assert f"{SystemClock().now():%Y-%m-}" in line_of(fresh("doctor", "--json"), "backups")["detail"]


class TestTheWords:
    def test_say_what_to_do_in_the_persons_language(self, line: Line) -> None:
        said = line("doctor", "--lang", "zh-CN")
        assert said.code == 7
        assert "→ pilotway init" in said.out

    def test_leave_nothing_english_in_a_line(self, fresh: Line) -> None:
        checks = fresh("doctor", "--json", "--lang", "zh-CN").document["checks"]
        said = " ".join(one["detail"] for one in checks)
        assert [word for word in ("ids", "rehearsal", "GiB · evidence", "console") if word in said.split()] == []
        assert "演练" in said

    def test_say_what_to_do_of_every_illness(self) -> None:
        said = {code for name, code, _ in entries() if name == "doctor.yaml"}
        source = (ROOT / "cli/behind/doctor.py").read_text(encoding="utf-8")
        ill = [part.partition('"')[0] for part in source.split('unmet("')[1:]]
        assert [code for code in ill if f"remedy.{code}" not in said] == []


def _ago(**back: int) -> str:
    return (SystemClock().now() - timedelta(**back)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
