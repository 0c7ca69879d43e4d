"""What stands in the row of a run: its last lines, in bounds, without account numbers, also of what libraries say."""

import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest

from flows.bodies import BODIES
from flows.clock import Clockwork, run_slot
from flows.deadlines import STAGE_DEADLINES
from flows.run_log import MOST_BYTES, MOST_LINES, line, logged, masked, note, tail
from flows.turns import Body, Outcome, Turn
from models.reading import table_of
from models.runs import ScheduledRun
from models.settings import Settings
from notifications.words import LANGUAGES, Lang, is_known, title
from tests.conftest import ROOT
from tests.factories import House

AT = datetime(2025, 11, 21, 1, 0, tzinfo=UTC)


def a_line(said: str = "x") -> dict[str, Any]:
    return line("heard", {"by": "here", "said": said}, at=AT)


class TestMasking:
    @pytest.mark.parametrize(
        ("said", "shown"),
        [
            ("to 6222021234567890123 of the firm", "to …0123 of the firm"),
            ("to 6222 0212 3456 7890 123", "to …0123"),
            ("to DE89370400440532013000.", "to …3000."),
            ("to DE89 3704 0044 0532 0130 00.", "to …3000."),
            ("stmt-6222021234567890-20261123.xml", "stmt-…1123.xml"),
            ("6222-0212-3456-7890-123", "…0123"),
            ("6222\u00a00212\u00a03456\u00a07890", "…7890"),
            ("acct6222021234567890 of de89370400440532013000", "ac…7890 of …3000"),
            ("DE89-3704-0044-0532-0130-00", "…3000"),
            ("py39 works well here and there", "py39 works well here and there"),
            ("Bearer eyJabc.def failed", "… failed"),
            ("password=hunter2, pwd: x", "… …"),
            ("from 6222021234567890123 6217001234567894321 failed", "from …4321 failed"),
            ("from NL91 ABNA 0417 1643 0012 6222021234567890123", "from …0123"),
            ("{'password': 'x', \"token\": \"y\"}", "{'… \"…"),
            ("api_key=a client_secret=b", "… …"),
            ("/cb?token=a&x=1", "/cb?…&x=1"),
            ("Authorization: Basic dXNlcjpw", "…"),
            ("https://hooks.slack.com/services/T/B/x", "https://…"),
            ("smtp://pw:s3c@ret/x@h:25", "smtp://…@h:25"),
            ("token pt_aB3-_x=", "token …"),
            ("smtp://pilotway:secret@mail:587", "smtp://…@mail:587"),
            ("PO-2025-0017 at 2025-11-21T01:00:00Z", "PO-2025-0017 at 2025-11-21T01:00:00Z"),
            ("01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"),
            ("100 of 5000000 rows", "100 of 5000000 rows"),
        ],
    )
    def test_leaves_the_last_characters_of_an_account_and_nothing_of_a_secret(self, said: str, shown: str) -> None:
        assert masked(said) == shown


class TestTheTail:
    def test_keeps_the_newest_lines(self) -> None:
        lines = [a_line(str(number)) for number in range(MOST_LINES + 5)]

        assert tail(lines) == lines[5:]

    def test_keeps_no_more_bytes_than_a_row_shall_have(self) -> None:
        lines = [a_line("中" * 400) for _ in range(MOST_LINES)]

        kept = tail(lines)

        assert 0 < len(kept) < MOST_LINES
        assert len(json.dumps(kept, ensure_ascii=False).encode()) <= MOST_BYTES

    def test_cuts_one_value_that_is_too_long(self) -> None:
        assert len(a_line("x" * 5000)["values"]["said"]) == 400


class TestTheThreadOfARun:
    def test_hears_a_warning_once_however_many_runs_go_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        root, heard = logging.getLogger(), StringIO()
        monkeypatch.setattr(root, "handlers", [])
        monkeypatch.setattr(logging, "lastResort", logging.StreamHandler(heard))

        with logged(lambda: AT) as outer, logged(lambda: AT) as inner:
            logging.getLogger("somebody").warning("once")

        assert heard.getvalue() == "once\n"
        assert [len(one.lines()) for one in (outer, inner)] == [0, 1]
        assert root.handlers == []

    def test_hears_itself_and_libraries_that_warn(self) -> None:
        with logged(lambda: AT) as log:
            note("swept", sweep="ended-holds", found=1, done=1, refused=0, failed=0)
            logging.getLogger("a.library").warning("%s is gone\nwith details", "the pool")
            logging.getLogger("a.library").info("nothing of note")
        note("swept", sweep="afterwards")
        logging.getLogger("a.library").warning("afterwards")

        said = [(one["code"], one["level"], one["values"]) for one in log.lines()]
        assert said == [
            ("swept", "info", {"sweep": "ended-holds", "found": 1, "done": 1, "refused": 0, "failed": 0}),
            ("heard", "warn", {"by": "a.library", "said": "the pool is gone"}),
        ]


def work_of(house: House, run: Any) -> Clockwork:
    """Return a clock whose stage deadlines do what the test says."""
    bodies = {**BODIES, "stage-deadlines": Body(run=run)}
    return Clockwork(engine=house.engine, settings=Settings(), stamp=house.stamp(), bodies=bodies)


def kept(house: House) -> list[dict[str, Any]]:
    """Return the lines in the row of the one run."""
    with house.engine.connect() as connection:
        return list(connection.execute(table_of(ScheduledRun).select()).one().log or ())


class TestARun:
    def test_that_had_nothing_to_do_keeps_no_line(self, house: House) -> None:
        run_slot(work_of(house, lambda _: Outcome()), "stage-deadlines", house.now, asked="look")

        assert kept(house) == []

    def test_keeps_when_it_began_what_it_said_and_how_it_ended(self, house: House) -> None:
        def body(_: Turn) -> Outcome:
            note("swept", sweep="ended-holds", found=3, done=2, refused=1, failed=0)
            return Outcome(found=3, done=2, refused=1)

        run_slot(work_of(house, body), "stage-deadlines", house.now, asked="look")

        assert [one["code"] for one in kept(house)] == ["begun", "swept", "ended"]
        assert kept(house)[-1]["values"] == {"found": 3, "done": 2, "refused": 1, "failed": 0}

    def test_that_breaks_says_what_and_where_without_an_account(self, house: House) -> None:
        def body(_: Turn) -> Outcome:
            raise OSError("cannot write 6222021234567890123.xml")

        (slot,) = run_slot(work_of(house, body), "stage-deadlines", house.now, asked="look")

        (broke,) = [one for one in kept(house) if one["code"] == "broke"]
        assert slot.why == broke["values"]["said"] == "OSError: cannot write …0123.xml"
        assert broke["values"]["where"].startswith("test_run_log.py:")

    def test_names_the_schedulers_own_run(self, house: House) -> None:
        work = replace(work_of(house, lambda _: Outcome()), outside_run="0193")

        run_slot(work, "stage-deadlines", house.now, asked="look")

        assert house.one("SELECT outside_run FROM scheduled_run") == "0193"


class TestTheWords:
    def test_are_there_for_every_line_that_is_said(self) -> None:
        said = {code for path in (ROOT / "flows").glob("*.py") for code in _SAID.findall(path.read_text("utf-8"))}

        assert {"begun", "ended", "heard", "swept", "taken_over"} <= said
        assert [code for code in said if not is_known(f"log.{code}")] == []

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_name_each_sweep(self, lang: Lang) -> None:
        assert [one.name for one in STAGE_DEADLINES if title("sweep", one.name, lang) == one.name] == []


_SAID = re.compile(r"""(?:\bnote|\bline|log\.say)\("([a-z_]+)\"""")
