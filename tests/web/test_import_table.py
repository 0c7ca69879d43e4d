"""Projects from a table of one's own: its columns matched, what would become of each row, then the receipt."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from lifecycle.imports import errors_book, portfolio
from lifecycle.imports.accepted import PROJECTS, write_down
from lifecycle.imports.columns import FIELDS, HEADER_LAST, TEMPLATE, VERSION
from lifecycle.imports.portfolio import CHUNK
from lifecycle.imports.reader import HIDDEN_SHEET
from lifecycle.imports.report import SHOWN
from lifecycle.imports.table import MAX_COLUMNS
from lifecycle.projects.registration import RegisterProject
from lifecycle.writing import insert_rows
from models.db import transaction
from models.journal import CommandRecord
from models.states import ProjectState
from tests.factories import House
from tests.web.browser import Browser
from web.pages import bringing

ZH = ("项目编号", "项目名称", "阶段", "承担单位", "立项日期", "总经费（万元）", "负责人")
EN = ("Project no", "Title", "Status", "Company", "Start date", "Budget", "Notes")


def book(*rows: Sequence[Any], head: Sequence[str] = ZH, above: Sequence[Any] = ()) -> Workbook:
    """Return a workbook with this header, perhaps a title above it, and these rows."""
    found = Workbook()
    page: Any = found.active
    for row in (*above, head, *rows):
        page.append(list(row))
    return found


def saved(found: Workbook) -> bytes:
    """Return the file of a workbook."""
    content = io.BytesIO()
    found.save(content)
    return content.getvalue()


def robot(number: str = "A-1", **more: Any) -> list[Any]:
    """Return a good row under the Chinese header."""
    row = {
        "name": "焊接机器人",
        "stage": "受理",
        "firm": "林氏机器人",
        "day": date(2025, 3, 1),
        "money": 12.5,
        "lead": "林",
    }
    return [number, *{**row, **more}.values()]


@pytest.fixture
def visitor(signed_in: Callable[..., Browser]) -> Browser:
    """Give a coordinator in front of the form."""
    found = signed_in("coordinator")
    found.open("/import")
    return found


@pytest.fixture
def send(house: House, visitor: Browser) -> Callable[..., Any]:
    """Give what sends a table and arrives at its columns."""
    where = {"programme": str(house.programmes["bare"]), "platform": str(house.parties["platform"])}

    def sent(content: bytes | Workbook, name: str = "项目.xlsx") -> None:
        visitor.open("/import")
        file = (name, content if isinstance(content, bytes) else saved(content))
        visitor.send("Check it", file=file, **where)

    return sent


def chosen(visitor: Browser) -> list[str]:
    """Return the field of each column as the form would send it."""
    form = visitor.page.form(urlsplit(visitor.page.path).path.removesuffix("/columns"))
    return [value for name, value in form.fields if name == "column"]


def names(house: House) -> list[str]:
    """Return the names of all projects."""
    return [row.name for row in house.rows("SELECT name FROM project ORDER BY name")]


class TestTheWay:
    def test_leads_from_a_workbook_to_a_receipt_that_can_be_kept(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book(robot(), robot("A-2", name="喷涂机器人", money=7.25), above=[["2025 年项目表"]]))
        assert chosen(visitor) == ["number", "name", "stage", "organisation", "received_on", "money_10k", "fact"]
        assert "Match the columns" in visitor.page.text

        visitor.send("Check it")
        assert "nothing is written yet" in visitor.page.text
        assert "总经费（万元） ¥197,500.00" in visitor.page.text
        assert house.one("SELECT count(*) FROM project") == 0

        visitor.send("Bring in 2 rows")
        kept = visitor.page.path
        assert kept.startswith("/receipts/import:table:")
        assert "new 2" in visitor.open(kept).text
        assert [row.name for row in house.rows("SELECT name FROM project ORDER BY name")] == [
            "喷涂机器人",
            "焊接机器人",
        ]

    def test_sent_twice_brings_everything_once_and_leads_to_the_same_receipt(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book(robot()))
        visitor.send("Check it")
        asked = visitor.page

        first = visitor.send("Bring in 1 row").path
        visitor.page = asked
        again = visitor.send("Bring in 1 row").path

        assert again == first
        assert house.one("SELECT count(*) FROM command_record WHERE command_id LIKE 'import:table:%'") == 1
        assert len(names(house)) == 1

    def test_says_that_the_very_file_came_in_before(self, visitor: Browser, send: Callable[..., Any]) -> None:
        content = saved(book(robot()))
        send(content)
        visitor.send("Check it")
        kept = visitor.send("Bring in 1 row").path

        send(content)
        visitor.send("Check it")

        assert "unchanged 1" in visitor.page.text
        assert visitor.page.link("See the receipt") == kept
        assert not [form for form in visitor.page.forms if form.method == "post" and "/import/" in form.action]

    def test_names_each_change_of_a_project_that_is_there(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        for row in (robot(), robot(name="焊接机器人二代", stage="可行性", money=13, lead="周")):
            send(book(row))
            visitor.send("Check it")
            said = visitor.page.text
            visitor.send("Bring in 1 row")

        assert "changed 1" in said
        for one in (
            "Project name: 焊接机器人 → 焊接机器人二代",
            "Stage in the table (an import does not move the project): Intake → Feasibility",
            "总经费（万元）: ¥125,000.00 → ¥130,000.00",
            "负责人: 林 → 周",
        ):
            assert one in said
        assert names(house) == ["焊接机器人二代"]
        assert house.one("SELECT stage FROM project") == "intake"

    @pytest.mark.parametrize("kind", ["csv", "gb18030"])
    def test_takes_csv_as_well(self, house: House, visitor: Browser, send: Callable[..., Any], kind: str) -> None:
        text = '编号,名称,状态,预算,货币\n7,焊接机器人,小批量试制,"1,250.50",USD\n'
        send(text.encode("utf-8-sig" if kind == "csv" else kind), "项目.csv")
        assert chosen(visitor) == ["number", "name", "stage", "money", "currency"]

        visitor.send("Check it")
        assert "预算 USD 1,250.50" in visitor.page.text
        visitor.send("Bring in 1 row")

        assert house.one("SELECT stage FROM project") == "small_batch_trial"

    def test_writes_a_long_table_in_parts_and_lists_the_first_rows(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        rows = "".join(f"L-{number},机器人 {number},已投产\n" for number in range(CHUNK + 50))
        send(f"编号,名称,阶段\n{rows}".encode(), "长表.csv")
        visitor.send("Check it")
        assert f"The first {SHOWN} rows are shown" in visitor.page.text
        assert "is written in parts" in visitor.page.text

        visitor.send(f"Bring in {CHUNK + 50} rows")

        assert f"new {CHUNK + 50}" in visitor.page.text
        assert f"The first {SHOWN} are listed." in visitor.page.text
        assert house.one("SELECT count(*) FROM project") == CHUNK + 50
        assert [(row["rows"]["new"], len(row["projects"])) for row in told(house)] == [(CHUNK, SHOWN), (50, 0)]


def told(house: House) -> list[dict[str, Any]]:
    """Return the answer of each part of every table."""
    rows = house.rows("SELECT answer FROM command_record WHERE verb = :verb ORDER BY command_id", verb=PROJECTS)
    return [json.loads(row.answer) for row in rows]


def long_table(rows: int = CHUNK + 50, *, wrong: Sequence[int] = (), name: str = "机器人") -> bytes:
    """Return a table of more than one chunk, some of its rows in a stage that there is none of."""
    lines = (f"L-{one},{name} {one},{'研发' if one in wrong else '已投产'}\n" for one in range(rows))
    return f"编号,名称,阶段\n{''.join(lines)}".encode()


class TestATableThatBreaksOff:
    @pytest.mark.parametrize("wrong", [(), (1, CHUNK + 49)])
    def test_has_a_receipt_of_what_came_in_and_the_same_form_brings_the_rest(
        self,
        house: House,
        visitor: Browser,
        send: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
        wrong: Sequence[int],
    ) -> None:
        good, early = CHUNK + 50 - len(wrong), len(wrong) // 2
        button = f"Bring in the {good} good rows" if wrong else f"Bring in {good} rows"
        send(long_table(wrong=wrong), "长表.csv")
        visitor.send("Check it")
        asked, settle, chunks = visitor.page, portfolio._Parts.settle, iter((True,))

        def until_killed(parts: Any, *those: Any) -> Any:
            if not next(chunks, False):
                raise RuntimeError
            return settle(parts, *those)

        monkeypatch.setattr(portfolio._Parts, "settle", until_killed)
        assert visitor.send(button).status == 500
        assert "Nothing was changed" not in visitor.page.text
        monkeypatch.undo()
        (kept,) = house.rows("SELECT command_id FROM command_record WHERE verb = :verb", verb=PROJECTS)
        receipt = f"/receipts/{kept.command_id}"
        assert f"new {CHUNK - early} changed 0 unchanged 0 wrong {early}" in visitor.open(receipt).text

        for _ in range(2):
            visitor.page = asked
            assert visitor.send(button).path == receipt
            assert f"new {good} changed 0 unchanged 0 wrong {len(wrong)}" in visitor.page.text
            assert [row["through"] for row in told(house)] == [CHUNK + 1, CHUNK + 51]
            assert len(names(house)) == good

    def test_shows_what_is_left_where_the_database_gave_way(
        self, house: House, visitor: Browser, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send(long_table(), "长表.csv")
        visitor.send("Check it")
        settle, chunks = portfolio._Parts.settle, iter((True,))

        def until_busy(parts: Any, *those: Any) -> Any:
            if not next(chunks, False):
                raise OperationalError("INSERT", {}, Exception("database is locked"))
            return settle(parts, *those)

        monkeypatch.setattr(portfolio._Parts, "settle", until_busy)
        visitor.send(f"Bring in {CHUNK + 50} rows")
        monkeypatch.undo()

        assert "Writing broke off: the receipt tells which rows are in" in visitor.page.text
        assert f"new 50 changed 0 unchanged {CHUNK} wrong 0" in visitor.page.text
        assert "Nothing was changed" not in visitor.page.text
        visitor.send("Bring in 50 rows")
        assert f"new 50 changed 0 unchanged {CHUNK} wrong 0" in visitor.page.text
        assert len(names(house)) == CHUNK + 50

    def test_says_nothing_of_a_receipt_where_the_commit_of_the_first_part_failed(
        self, house: House, visitor: Browser, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send(long_table(), "长表.csv")
        visitor.send("Check it")
        asked = visitor.page

        def full(_session: Any) -> None:
            raise OperationalError("COMMIT", {}, Exception("database or disk is full"))

        def noted(session: Any, *those: Any) -> None:
            write_down(session, *those)
            event.listen(session, "before_commit", full, once=True)

        monkeypatch.setattr(bringing, "write_down", noted)
        visitor.send(f"Bring in {CHUNK + 50} rows")
        monkeypatch.undo()

        assert visitor.page.status == 503
        assert "Writing broke off" not in visitor.page.text
        assert (told(house), names(house)) == ([], [])
        visitor.page = asked
        assert f"new {CHUNK + 50} " in visitor.send(f"Bring in {CHUNK + 50} rows").text

    def test_counts_what_was_there_already_among_what_is_left(
        self, house: House, visitor: Browser, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        head, *rows = long_table().splitlines(keepends=True)
        send(head + b"".join(rows[CHUNK:]), "长表.csv")
        visitor.send("Check it")
        visitor.send("Bring in 50 rows")
        send(long_table(), "长表.csv")
        visitor.send("Check it")
        asked, settle, chunks = visitor.page, portfolio._Parts.settle, iter((True,))

        def until_killed(parts: Any, *those: Any) -> Any:
            if not next(chunks, False):
                raise RuntimeError
            return settle(parts, *those)

        monkeypatch.setattr(portfolio._Parts, "settle", until_killed)
        visitor.send(f"Bring in {CHUNK} rows")
        monkeypatch.undo()

        for _ in range(2):
            visitor.page = asked
            visitor.send(f"Bring in {CHUNK} rows")
            assert f"new {CHUNK} changed 0 unchanged 50 wrong 0" in visitor.page.text
            assert len(told(house)) == 3

    @pytest.mark.parametrize("chunks", [1, 2])
    def test_counts_no_row_twice_where_another_process_was_faster(
        self, house: House, visitor: Browser, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, chunks: int
    ) -> None:
        """`told` is what the slower process was told before the faster one wrote its last part and died."""
        rows, settle = CHUNK * chunks + 50, portfolio._Parts.settle
        send(long_table(rows), "长表.csv")
        visitor.send("Check it")
        asked, left = visitor.page, iter(range(chunks))

        def until_killed(parts: Any, *those: Any) -> Any:
            if next(left, None) is None:
                raise RuntimeError
            return settle(parts, *those)

        monkeypatch.setattr(portfolio._Parts, "settle", until_killed)
        visitor.send(f"Bring in {rows} rows")
        monkeypatch.undo()
        parts = told(house)
        visitor.page = asked
        monkeypatch.setattr(bringing, "told", lambda *_: [0, *(one["through"] for one in parts)][-2])
        visitor.send(f"Bring in {rows} rows")
        monkeypatch.undo()

        assert visitor.page.status == 412
        assert "The same form was sent twice" in visitor.page.text
        assert (told(house), len(names(house))) == (parts, CHUNK * chunks)
        visitor.page = asked
        assert f"new {rows} changed 0 unchanged 0" in visitor.send(f"Bring in {rows} rows").text

    def test_tells_of_rows_behind_the_last_that_came_in(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(long_table(wrong=range(CHUNK, CHUNK + 50)), "长表.csv")
        visitor.send("Check it")

        visitor.send(f"Bring in the {CHUNK} good rows")

        assert "new 400 changed 0 unchanged 0 wrong 50" in visitor.page.text
        assert [row["rows"]["wrong"] for row in told(house)] == [0, 50]


class TestARowOfSomebodyElse:
    @pytest.fixture
    def taken(self, house: House, visitor: Browser, send: Callable[..., Any]) -> None:
        """Let one project of the table be with another platform by now."""
        send(f"编号,名称,阶段\nL-{CHUNK + 49},前名,已投产\n".encode(), "a.csv")
        visitor.send("Check it")
        visitor.send("Bring in 1 row")
        with house.engine.begin() as connection:
            other = str(house.parties["other platform"])
            connection.exec_driver_sql(f"UPDATE project SET platform_id = '{other}'")

    @pytest.mark.usefixtures("taken")
    def test_is_an_error_of_its_row_and_stops_no_other(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(long_table(), "b.csv")
        visitor.send("Check it")
        assert f"new {CHUNK + 49} changed 0 unchanged 0 wrong 1" in visitor.page.text
        assert "The project with this number is somebody else's; you cannot change it." in visitor.page.text

        visitor.send(f"Bring in the {CHUNK + 49} good rows")

        assert f"new {CHUNK + 49} changed 0 unchanged 0 wrong 1" in visitor.page.text
        assert names(house).count("前名") == 1
        assert len(names(house)) == CHUNK + 50

    def test_is_told_by_row_when_the_right_to_go_on_is_lost_on_the_way(
        self, house: House, visitor: Browser, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send(long_table(), "长表.csv")
        visitor.send("Check it")
        settle, chunks = portfolio._Parts.settle, iter((True,))

        def revoked(parts: Any, *those: Any) -> Any:
            if not next(chunks, False):
                with house.engine.begin() as connection:
                    connection.exec_driver_sql(
                        "UPDATE role_grant SET revoked_at = granted_at WHERE role = 'coordinator'"
                    )
            return settle(parts, *those)

        monkeypatch.setattr(portfolio._Parts, "settle", revoked)
        visitor.send(f"Bring in {CHUNK + 50} rows")

        assert [row["rows"]["new"] for row in told(house)] == [CHUNK, 0]
        assert [row["rows"]["wrong"] for row in told(house)] == [0, 50]


class TestAKey:
    def test_of_another_table_is_refused_and_nothing_is_written(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book(robot()))
        visitor.send("Check it")
        used = visitor.send("Bring in 1 row").path.removeprefix("/receipts/")
        send(book(robot("A-9", name="别的")))
        visitor.send("Check it")

        visitor.send("Bring in 1 row", command_id=used)

        assert visitor.page.status == 422
        assert "This key was used for another command." in visitor.page.text
        assert names(house) == ["焊接机器人"]

    def test_that_a_client_gives_to_another_verb_makes_no_table_of_it(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book(robot()))
        visitor.send("Check it")
        form = next(one for one in visitor.page.forms if one.method == "post" and "/import/" in one.action)
        used = dict(form.fields)["command_id"]
        firm, platform = house.parties["sme"], house.parties["platform"]
        asked = RegisterProject(
            command_id=used, programme_id=house.programmes["bare"], organisation_id=firm, platform_id=platform, name="x"
        )
        house.do(asked, by="coordinator")

        assert "Receipt of an import" not in visitor.open(f"/receipts/{used}").text
        send(book(robot("B-1")))
        assert visitor.page.status == 200
        visitor.send("Check it")
        visitor.send("Bring in 1 row", command_id=used)

        assert visitor.page.status == 422
        assert names(house) == ["x"]


class TestATableOfTheFirstForm:
    """One record, under the verb of its rows, that does not say by whom: such rows stay as they are for good."""

    HOW: Mapping[str, Any] = {"columns": ["number", "name", "stage", "fact"], "stage": "", "currency": "CNY"}
    FILE = "编号,名称,阶段,密级\nA-1,焊接机器人,受理,内部\n".encode()

    @pytest.fixture
    def receipt(self, house: House, visitor: Browser, send: Callable[..., Any]) -> str:
        """Give the address of the receipt of such a record; it kept a column that no heading makes known."""
        send(self.FILE, "旧表.csv")
        assert chosen(visitor) == ["number", "name", "stage", ""]
        visitor.send("Check it")
        form = next(one for one in visitor.page.forms if one.method == "post" and "/import/" in one.action)
        fields = dict(form.fields)
        answer = {
            "file": "旧表.csv",
            "sha256": urlsplit(form.action).path.rsplit("/", 1)[-1],
            "how": self.HOW,
            "into": {"source": "s", "programme_id": str(house.programmes["bare"]), "platform_id": None},
            "object_type": "programme",
            "object_id": str(house.programmes["bare"]),
            "rows": {"new": 1, "changed": 0, "unchanged": 2, "wrong": 0, "skipped": 0},
            "organisations": 0,
            "stages": {"intake": 1},
            "totals": [["经费", "CNY", 12345]],
            "projects": [["PT-2025-0001", "A-1", "焊接机器人", "new"]],
        }
        return self.recorded(house, fields["command_id"], answer)

    def recorded(self, house: House, command_id: str, answer: Mapping[str, Any]) -> str:
        """Record it and return the address of its receipt."""
        row = {
            "actor_id": house.people["coordinator"].user_id,
            "command_id": command_id,
            "verb": "project.import",
            "object_type": "programme",
            "object_id": house.programmes["bare"],
            "body_sha256": "0" * 64,
            "answer": answer,
            "at": house.now,
        }
        with transaction(house.engine) as session:
            insert_rows(session, CommandRecord, [row])
        return f"/receipts/{command_id}"

    def test_is_shown_as_a_table(self, visitor: Browser, signed_in: Callable[..., Browser], receipt: str) -> None:
        for one in (visitor, signed_in("auditor")):
            assert one.open(receipt).status == 200
            assert "new 1 changed 0 unchanged 2 wrong 0" in one.page.text
            assert "¥123.45" in one.page.text
            assert one.page.link("PT-2025-0001") == "/projects/PT-2025-0001"

    def test_of_another_form_has_a_receipt_too(self, house: House, visitor: Browser) -> None:
        assert visitor.open(self.recorded(house, "old", {"object_type": "programme"})).status == 200
        assert "Receipt: " in visitor.page.text

    def test_is_remembered_for_the_next_like_it(self, visitor: Browser, send: Callable[..., Any], receipt: str) -> None:
        send(self.FILE, "旧表.csv")

        assert chosen(visitor) == self.HOW["columns"]
        visitor.send("Check it")
        assert visitor.page.link("See the receipt") == receipt


class TestTheColumns:
    def test_are_known_by_their_headings_in_english_too(self, visitor: Browser, send: Callable[..., Any]) -> None:
        send(book(robot(), head=EN))

        assert chosen(visitor) == ["number", "name", "stage", "organisation", "started_on", "money", "fact"]

    @pytest.mark.parametrize(
        ("name", "field"),
        [
            ("总经费", "money"),
            ("总经费（元）", "money"),
            ("经费 [人民币]", "money"),
            ("Budget (CNY)", "money"),
            ("总经费（万元）", "money_10k"),
            ("总经费（单位：万元）", "money_10k"),
            ("金额（万元）", "money_10k"),
            ("经费万元（万元）", "money_10k"),
            ("经费万元（元）", ""),
            ("预算（百万元）", ""),
            ("总经费（千元）", ""),
            ("总经费（万元）（含税）", ""),
            ("总经费（不含税，万元）", ""),
            ("Budget (USD)", ""),
            ("Budget (EUR m)", ""),
            ("预算（）", ""),
            ("项目名称（全称）", "name"),
        ],
    )
    def test_of_amounts_are_taken_where_their_unit_is_known_as_a_whole(
        self, visitor: Browser, send: Callable[..., Any], name: str, field: str
    ) -> None:
        send(book(["A-1", 3], head=("编号", name)))

        assert chosen(visitor) == ["number", field]
        assert ("The unit of these amounts is not known: choose." in visitor.page.text) is (field == "")

    @pytest.mark.parametrize("columns", [["number", "name", "stage"], ["number", "name", "stage", "", "fact"]])
    def test_that_are_chosen_are_as_many_as_there_are(
        self, house: House, visitor: Browser, send: Callable[..., Any], columns: list[str]
    ) -> None:
        send(book(["A-1", "焊接机器人", "受理", "内部"], head=(*ZH[:3], "密级")))
        address = urlsplit(visitor.page.path)
        query = [*parse_qsl(address.query), *(("column", one) for one in columns)]

        visitor.open(f"{address.path.removesuffix('/columns')}?{urlencode(query)}")

        assert visitor.page.status == 422
        assert f"{len(columns)} columns were given a field, the table has 4" in visitor.page.text
        assert names(house) == []

    def test_show_what_stands_in_the_first_rows(self, visitor: Browser, send: Callable[..., Any]) -> None:
        send(book(robot()))

        assert "2025-03-01" in visitor.page.text
        assert "林氏机器人" in visitor.page.text

    def test_may_be_left_out_or_kept_under_their_heading(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book([*robot(), "内部"], head=[*ZH, "密级"]))
        assert chosen(visitor)[-1] == ""

        visitor.send("Check it", column=["number", "name", "stage", "", "", "fact", "", "fact"])
        visitor.send("Bring in 1 row")

        outside = json.loads(house.one("SELECT outside FROM project"))
        assert outside["facts"] == {"总经费（万元）": "12.5", "密级": "内部"}
        assert (outside["organisation"], outside["money"]) == ({}, [])

    @pytest.mark.parametrize(
        ("columns", "said"),
        [
            (["", "name", "stage"], "No column is Project number; choose one."),
            (["number", "", "stage"], "No column is Project name; choose one."),
            (["number", "name", "name"], "Several columns are Project name; only one can be."),
            (["number", "name", ""], "No column says the stage; choose one for all projects."),
            (["number", "name", "owner"], "The columns do not fit together: owner."),
        ],
    )
    def test_that_do_not_say_enough_are_asked_for_again(
        self, visitor: Browser, send: Callable[..., Any], columns: list[str], said: str
    ) -> None:
        send(book(["A-1", "焊接机器人", "受理"], head=ZH[:3]))

        visitor.send("Check it", column=columns)

        assert visitor.page.status == 422
        assert said in visitor.page.text
        assert chosen(visitor)[: len(columns)] == [one if one in FIELDS else "" for one in columns]

    def test_take_the_stage_from_the_form_where_no_column_says_it(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book(["A-1", "焊接机器人"], head=ZH[:2]))

        visitor.send("Check it", stage=str(ProjectState.FEASIBILITY))
        visitor.send("Bring in 1 row")

        assert house.one("SELECT stage FROM project") == "feasibility"

    @pytest.mark.parametrize("login", ["coordinator", "second", "other.coordinator"])
    def test_are_remembered_for_oneself_and_colleagues_alone(
        self,
        house: House,
        visitor: Browser,
        send: Callable[..., Any],
        signed_in: Callable[..., Browser],
        login: str,
    ) -> None:
        send(book([*robot(), "内部"], head=[*ZH, "密级"]))
        own = ["number", "name", "", "", "", "", "", "fact"]
        visitor.send("Check it", column=own, stage="handoff", currency="EUR")
        visitor.send("Bring in 1 row")

        looking = visitor if login == "coordinator" else signed_in(login)
        looking.open("/import")
        where = {"programme": str(house.programmes["bare"])}
        looking.send("Check it", file=("neu.xlsx", saved(book([*robot("B-9"), "公开"], head=[*ZH, "密级"]))), **where)

        is_known = login != "other.coordinator"
        assert ("Filled in as it was chosen" in looking.page.text) is is_known
        assert (chosen(looking) == own) is is_known
        form = looking.page.form(urlsplit(looking.page.path).path.removesuffix("/columns"))
        assert (("stage", "handoff") in form.fields) is is_known

    def test_of_another_header_row_are_read_from_there(self, visitor: Browser, send: Callable[..., Any]) -> None:
        send(book(["A-1", "焊接机器人"], head=("一", "二"), above=[["编号", "名称"]]))
        assert "header stands in row 1" in visitor.page.text

        visitor.send("Read it from there", row="2")
        assert "header stands in row 2" in visitor.page.text

        visitor.send("Read it from there", row="9")
        assert visitor.page.status == 422
        assert "Row 9 is empty and cannot be the header." in visitor.page.text

    def test_of_a_header_further_down_than_is_looked_name_the_limit(
        self, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book(robot(), above=[["题"] for _ in range(HEADER_LAST)]))

        visitor.send("Read it from there", row=str(HEADER_LAST + 1))

        assert visitor.page.status == 422
        assert "A header stands in one of the first 20 rows; row 21 cannot be it." in visitor.page.text


class TestTheTemplate:
    def test_offers_what_may_be_chosen_and_says_what_it_is(self, visitor: Browser) -> None:
        found = load_workbook(io.BytesIO(visitor.ask("GET", visitor.page.link("Download the template")).content))

        page: Any = found["Projects"]
        assert [cell.value for cell in page[3]][:3] == [
            "项目编号 Project number *",
            "项目名称 Project name *",
            "阶段 Stage *",
        ]
        assert len(page[3]) == len(TEMPLATE)
        hidden: Any = found[HIDDEN_SHEET]
        assert hidden.sheet_state == "veryHidden"
        assert hidden["A1"].value == VERSION
        lists = [rule.formula1 for rule in page.data_validations.dataValidation if rule.type == "list"]
        assert len(lists) == 3
        offered = [str(cell.value) for row in hidden[lists[0].partition("!")[2].replace("$", "")] for cell in row]
        assert offered[0] == "受理 Intake"
        assert len(offered) == len(ProjectState)

    def test_filled_in_comes_in_as_it_is(self, house: House, visitor: Browser, send: Callable[..., Any]) -> None:
        found = load_workbook(io.BytesIO(visitor.ask("GET", "/import/template.xlsx").content))
        row = {
            "number": "A-1",
            "name": "焊接机器人",
            "stage": "转量产 Handoff",
            "organisation": "林氏机器人",
            "credit_code": "914403001922038216",
            "organisation_kind": "申报企业 firm",
            "organisation_country": "CN",
            "received_on": date(2025, 3, 1),
            "trl_current": 8,
            "mrl": 8,
            "money": 1250.5,
            "currency": "CNY",
            "fact": "备注文字",
        }
        page: Any = found["Projects"]
        for place, field in enumerate(TEMPLATE, start=1):
            page.cell(4, place, row.get(field))

        send(found)
        assert chosen(visitor) == list(TEMPLATE)
        visitor.send("Check it")
        visitor.send("Bring in 1 row")

        assert house.one("SELECT stage FROM project") == "handoff"
        assert house.one("SELECT credit_code FROM organisation WHERE name = '林氏机器人'") == row["credit_code"]

    @pytest.mark.parametrize("version", ["projects-0", "batches-1", None])
    def test_of_another_version_is_refused(
        self, visitor: Browser, send: Callable[..., Any], version: str | None
    ) -> None:
        found = book(robot())
        found.create_sheet(HIDDEN_SHEET)["A1"] = version
        found[HIDDEN_SHEET].sheet_state = "veryHidden"

        send(found)

        assert visitor.page.status == 422
        assert f"The template is {version or ''}; {VERSION} is read now." in visitor.page.text


def formula(page: Any) -> None:
    """Let an amount be computed."""
    page["F2"] = "=6+6"


def merged(page: Any) -> None:
    """Merge two cells of the row."""
    page.merge_cells("B2:C2")


def hidden_row(page: Any) -> None:
    """Hide the row."""
    page.row_dimensions[2].hidden = True


def third_decimal(page: Any) -> None:
    """Let an amount show two decimals and hold three."""
    page["F1"], page["F2"] = "总经费", 12345.332
    page["F2"].number_format = "0.00"


def broken(page: Any) -> None:
    """Leave an error value."""
    page["G2"] = "#REF!"


def no_stage(page: Any) -> None:
    """Name a stage that there is none of."""
    page["C2"] = "研发"


def no_name(page: Any) -> None:
    """Leave the name out."""
    page["B2"] = None


def tomorrow(page: Any) -> None:
    """Let it be received in the future."""
    page["E2"] = date(2099, 1, 1)


def twice(page: Any) -> None:
    """Let the number come twice."""
    page["A3"] = "A-1"


BAD: Mapping[str, tuple[Any, ...]] = {
    "a formula": (formula, "F2 is a formula; paste it as a value.", 2, "F2"),
    "merged cells": (merged, "The cells B2:C2 are merged", 2, "C2"),
    "a hidden row": (hidden_row, "Row 2 is hidden", 2),
    "a third decimal": (third_decimal, "It has 3 decimals; 2 at most. Nothing is rounded.", 2, "F2"),
    "an error value": (broken, "G2 holds an error value.", 2, "G2"),
    "an unknown stage": (no_stage, "The stage of this row is not known", 2, "C2"),
    "no name": (no_name, "Project name is required and empty.", 2, "B2"),
    "a day to come": (tomorrow, "2099-01-01", 2),
    "a number twice": (twice, "A-1 was there already in row 2.", 3),
}


class TestABadRow:
    @pytest.mark.parametrize("case", BAD)
    def test_is_reported_and_marked_and_never_guessed(
        self, house: House, visitor: Browser, send: Callable[..., Any], case: str
    ) -> None:
        spoil, said, row, *notes = BAD[case]
        found = book(robot(), robot("A-2", name="喷涂机器人"))
        spoil(found.active)
        send(found)

        visitor.send("Check it")

        assert said in visitor.page.text
        assert ("wrong 1" in visitor.page.text, "new 1" in visitor.page.text) == (True, True)
        answer = visitor.ask("GET", visitor.page.link("Download the wrong rows with notes"))
        sheet: Any = load_workbook(io.BytesIO(answer.content)).active
        assert len([cell.value for cell in sheet[1]]) == len(ZH)
        assert [cell.value for cell in sheet[1]][:2] == list(ZH[:2])
        assert sheet["A2"].comment.text.startswith(f"{row}")
        assert said in sheet["A2"].comment.text
        assert {cell.coordinate for cell in sheet[2] if cell.comment} == {"A2", *notes}
        assert "f" not in {cell.data_type for cell in sheet[2]}

        visitor.send("Bring in the one good row")
        assert len(names(house)) == 1
        assert "wrong 1" in visitor.page.text

    def test_is_mended_in_the_marked_workbook_and_sent_again(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        found = book(robot(), robot("A-2", name="喷涂机器人"))
        no_stage(found.active)
        send(found)
        visitor.send("Check it")
        marked = load_workbook(
            io.BytesIO(visitor.ask("GET", visitor.page.link("Download the wrong rows with notes")).content)
        )
        visitor.send("Bring in the one good row")

        sheet: Any = marked.active
        sheet["C2"] = "受理"
        send(marked)
        assert "Filled in as it was chosen" in visitor.page.text
        visitor.send("Check it")
        visitor.send("Bring in 1 row")

        assert names(house) == ["喷涂机器人", "焊接机器人"]

    def test_comes_back_as_often_as_it_is_sent(self, visitor: Browser, send: Callable[..., Any]) -> None:
        found = book(robot(stage="研发"), robot("A-2", name="喷涂机器人", stage="研发"))
        for left in (2, 1):
            send(found)
            visitor.send("Check it")
            assert f"new {2 - left} changed 0 unchanged 0 wrong {left}" in visitor.page.text
            address = visitor.page.link("Download the wrong rows with notes")
            found = load_workbook(io.BytesIO(visitor.ask("GET", address).content))
            page: Any = found.active
            assert [cell.value for cell in page[1]] == list(ZH)
            page["C2"] = "受理"
        send(found)
        visitor.send("Check it")

        assert "new 1 changed 0 unchanged 0 wrong 0" in visitor.page.text

    def test_too_many_of_them_are_said_to_be_cut(
        self, visitor: Browser, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(errors_book, "MOST_ROWS", 3)
        monkeypatch.setattr(bringing, "MOST_ROWS", 3)
        said = []
        for wrong in (3, 4):
            send(long_table(5, wrong=range(wrong)), "表.csv")
            visitor.send("Check it")
            address = visitor.page.link("Download the wrong rows with notes")
            sheet: Any = load_workbook(io.BytesIO(visitor.ask("GET", address).content)).active
            said.append((sheet.max_row, sheet.title, "It holds the first 3 wrong rows." in visitor.page.text))

        assert said == [(4, "Errors", False), (4, "First 3 of 4", True)]

    def test_shows_only_rows_of_one_kind_where_that_is_asked(self, visitor: Browser, send: Callable[..., Any]) -> None:
        found = book(robot(), robot("A-2", name="喷涂机器人"))
        no_stage(found.active)
        send(found)
        visitor.send("Check it")

        visitor.follow("wrong 1")
        assert "焊接机器人" in visitor.page.text
        assert "喷涂机器人" not in visitor.page.text


def hidden_column(page: Any) -> None:
    """Hide a column that has a heading."""
    page.column_dimensions["D"].hidden = True


def same_heading(page: Any) -> None:
    """Give two columns one heading."""
    page["D1"] = "项目名称"


def no_heading(page: Any) -> None:
    """Leave a heading out."""
    page["D1"] = None


def merged_heading(page: Any) -> None:
    """Merge two headings."""
    page.merge_cells("A1:B1")


def second_sheet(page: Any) -> None:
    """Add a sheet that is seen."""
    page.parent.create_sheet("另一张")


class TestABadTable:
    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (hidden_column, "Column D is hidden"),
            (same_heading, "again at D"),
            (no_heading, "Column D has no name"),
            (merged_heading, "The cells A1:B1 are merged"),
            (second_sheet, "leave one of them visible"),
        ],
    )
    def test_is_refused_before_it_is_kept(
        self, house: House, visitor: Browser, send: Callable[..., Any], spoil: Callable[[Any], None], said: str
    ) -> None:
        found = book(robot())
        spoil(found.active)

        send(found)

        assert visitor.page.status == 422
        assert said in visitor.page.text
        assert house.one("SELECT count(*) FROM upload") == 0

    def test_of_too_many_columns_is_refused(self, house: House, visitor: Browser, send: Callable[..., Any]) -> None:
        send(",".join(map(str, range(20_000))).encode(), "w.csv")

        assert visitor.page.status == 422
        assert f"The table has 20000 columns; {MAX_COLUMNS} at most." in visitor.page.text
        assert house.one("SELECT count(*) FROM upload") == 0

    def test_without_rows_says_so(self, visitor: Browser, send: Callable[..., Any]) -> None:
        send(book())
        visitor.send("Check it")

        assert "There is no row below the header." in visitor.page.text
        assert not [form for form in visitor.page.forms if form.method == "post" and "/import/" in form.action]

    def test_of_a_place_where_one_has_no_part_is_refused_in_the_form(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book(robot()))
        address = urlsplit(visitor.page.path)
        query = {**dict(parse_qsl(address.query)), "platform": str(house.parties["other platform"])}
        visitor.open(f"{address.path}?{urlencode(query)}")

        visitor.send("Check it")

        assert visitor.page.status == 403
        assert names(house) == []

    def test_is_not_read_while_another_is_and_says_at_once_when_to_come_again(
        self, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book(robot()))
        with bringing.DESK:
            visitor.send("Check it")

        assert visitor.page.status == 429
        assert "Another table is being read" in visitor.page.text
        assert visitor.page.answer.headers["retry-after"] == "60"

    @pytest.mark.parametrize("command_id", ["", "import:table:1:2", "import:table:" + "0" * 32 + ":" + "0" * 32])
    def test_is_not_brought_in_without_the_key_of_its_form(
        self, house: House, visitor: Browser, send: Callable[..., Any], command_id: str
    ) -> None:
        send(book(robot()))
        visitor.send("Check it")

        visitor.send("Bring in 1 row", command_id=command_id)

        assert visitor.page.status == 422
        assert names(house) == []
