"""Batches of a project from a workbook, as a firm's engineer brings them in: template, look, all or the good ones."""

import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from openpyxl import Workbook, load_workbook

from lifecycle.imports.batch_rows import COLUMNS, MOST_ROWS, REQUIRED
from lifecycle.imports.reader import HIDDEN_SHEET
from models.states import BatchKind, ProjectState
from tests.factories import House, batches, projects, sign_contract
from tests.web.browser import Browser
from web.batch_book import heading, offered

BRING = "Bring in {} rows"
ONE = "Bring in 1 row"


@pytest.fixture
def trial(house: House) -> str:
    """Give a project in its trial stage, with its contract."""
    (one,) = projects(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="default")
    sign_contract(house, one)
    return str(house.one("SELECT number FROM project WHERE id = :id", id=str(one)))


@pytest.fixture
def engineer(house: House, trial: str, signed_in: Callable[..., Browser]) -> Browser:
    """Give the firm's engineer in front of the form."""
    visitor = signed_in("process_engineer")
    visitor.open(f"/projects/{trial}/batches")
    visitor.follow("Import a workbook")
    return visitor


def table(*rows: Mapping[str, Any], lang: str = "en", project: str = "", columns: tuple[str, ...] = COLUMNS) -> bytes:
    """Return a workbook with these headings and rows."""
    book = Workbook()
    page: Any = book.active
    if project:
        page.append([f"{project} robot"])
    page.append([heading(name, lang) for name in columns])
    for row in rows:
        page.append([row.get(name) for name in columns])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def a_batch(name: str = "B-01", **more: Any) -> dict[str, Any]:
    """Return a good row."""
    return {"number": name, "made_on": date(2025, 7, 8), "started": 90, "passed_first_time": 84, **more}


def send(visitor: Browser, content: bytes, name: str = "batches.xlsx") -> None:
    """Send a table to be looked through."""
    visitor.send("Check it", file=(name, content))


def figures(house: House) -> list[tuple[str, int, int, bool]]:
    """Return every entry of the figures there are."""
    statement = (
        "SELECT b.number, f.started, f.passed_first_time, b.is_closed FROM batch_figure f"
        " JOIN trial_batch b ON b.id = f.batch_id ORDER BY b.number, f.entry_no"
    )
    return [(row.number, row.started, row.passed_first_time, bool(row.is_closed)) for row in house.rows(statement)]


class TestTheTemplate:
    def test_bears_the_project_its_batches_and_what_may_be_chosen(
        self, house: House, engineer: Browser, trial: str
    ) -> None:
        batches(house, UUID(house.one("SELECT id FROM project WHERE number = :n", n=trial)), started=90, passed=84)

        answer = engineer.ask("GET", engineer.page.link("Download the template"))

        book = load_workbook(io.BytesIO(answer.content))
        page: Any = book["Batches"]
        assert str(page["A1"].value).startswith(trial)
        assert [cell.value for cell in page[3]][:2] == ["批次号 Batch *", "制造日 Made on *"]
        assert len([1 for cell in page[3] if str(cell.value).endswith("*")]) == len(REQUIRED)
        assert [cell.value for cell in page[4]][:5:4] == ["B-01", 90]
        lists = {rule.formula1 for rule in page.data_validations.dataValidation if rule.type == "list"}
        assert f'"{",".join(offered("kind"))}"' in lists
        assert len(offered("kind")) == len(BatchKind)
        assert book[HIDDEN_SHEET].sheet_state == "veryHidden"

    def test_comes_back_as_it_is_without_a_change(self, house: House, engineer: Browser, trial: str) -> None:
        batches(house, UUID(house.one("SELECT id FROM project WHERE number = :n", n=trial)), started=90, passed=84)
        before = figures(house)

        send(engineer, engineer.ask("GET", f"/projects/{trial}/batch-table.xlsx").content)

        assert "unchanged 1" in engineer.page.text
        assert not [form for form in engineer.page.forms if "batch-table" in form.action]
        assert figures(house) == before

    def test_of_another_version_is_refused(self, engineer: Browser, trial: str) -> None:
        book = load_workbook(io.BytesIO(engineer.ask("GET", f"/projects/{trial}/batch-table.xlsx").content))
        book[HIDDEN_SHEET]["A1"] = "batches-0"
        content = io.BytesIO()
        book.save(content)

        send(engineer, content.getvalue())

        assert engineer.page.status == 422
        assert "The template is batches-0; batches-1 is read now." in engineer.page.text

    def test_of_another_project_is_refused(self, engineer: Browser, trial: str) -> None:
        send(engineer, table(a_batch(), project="PT-2099-0001"))

        assert f"This is the table of PT-2099-0001, not of {trial}." in engineer.page.text


class TestATable:
    @pytest.mark.parametrize("lang", ["zh-CN", "en"])
    def test_says_what_would_happen_before_anything_is_written(
        self, house: House, engineer: Browser, lang: str
    ) -> None:
        send(engineer, table(a_batch(defects="温控=4; 电机 2"), a_batch("B-02"), lang=lang))

        assert "nothing is written yet" in engineer.page.text
        assert "new 2" in engineer.page.text
        assert "Sum: Started 180" in engineer.page.text
        assert figures(house) == []

        engineer.send(BRING.format(2))
        assert "new 2 changed 0 unchanged 0 wrong 0 Sum: Started 180 Sum: Passed first time 168" in engineer.page.text
        assert figures(house) == [("B-01", 90, 84, False), ("B-02", 90, 84, False)]
        assert engineer.open(engineer.page.link("Receipt")).status == 200
        assert house.one("SELECT count(*) FROM command_record WHERE verb = 'trial_batch.add'") == 2

    def test_that_was_brought_in_has_a_receipt_that_can_be_loaded_again(self, house: House, engineer: Browser) -> None:
        send(engineer, table(a_batch("B-01", passed_first_time=91), a_batch("B-02")))

        kept = engineer.send("Bring in the one good row").path

        before = figures(house)
        for _ in range(2):
            page = engineer.open(kept)
            assert "new 1 changed 0 unchanged 0 wrong 1" in page.text
            assert "Passed first time" in page.text
            assert len([1 for name, where in page.links if name == "Receipt"]) == 1
        assert figures(house) == before

    def test_has_a_receipt_of_this_sending_alone(self, house: House, engineer: Browser, trial: str) -> None:
        kept = []
        for names in (("B-01", "B-02"), ("B-01", "B-02", "B-03")):
            engineer.open(f"/projects/{trial}/batch-table")
            send(engineer, table(*map(a_batch, names)))
            asked = engineer.page
            button = next(name for form in asked.forms for name, *_ in form.buttons if name.startswith("Bring"))
            kept.append(engineer.send(button).path)
            engineer.page = asked
            assert engineer.send(button).path == kept[-1]

        assert "new 2 changed 0 unchanged 0 wrong 0" in engineer.open(kept[0]).text
        assert "new 1 changed 0 unchanged 2 wrong 0" in engineer.open(kept[1]).text
        statement = "SELECT command_id FROM command_record WHERE verb = 'trial_batch.import_table'"
        assert {f"/receipts/{row.command_id}" for row in house.rows(statement)} == set(kept)

    @pytest.mark.parametrize("is_used", [False, True])
    def test_is_not_brought_in_under_the_key_of_another(
        self, house: House, engineer: Browser, trial: str, is_used: bool
    ) -> None:
        send(engineer, table(a_batch()))
        used = engineer.send(ONE).path.removeprefix("/receipts/")
        engineer.open(f"/projects/{trial}/batch-table")
        send(engineer, table(a_batch("B-02")))

        engineer.send(ONE, command_id=used if is_used else "1")

        assert engineer.page.status == 422
        assert ("This key was used for another command." in engineer.page.text) is is_used
        assert figures(house) == [("B-01", 90, 84, False)]

    def test_that_comes_again_changes_nothing(self, house: House, engineer: Browser, trial: str) -> None:
        for _ in range(2):
            engineer.open(f"/projects/{trial}/batch-table")
            send(engineer, table(a_batch()))
            if figures(house) == []:
                engineer.send(ONE)

        assert "unchanged 1" in engineer.page.text
        assert figures(house) == [("B-01", 90, 84, False)]

    def test_that_is_pressed_twice_records_once(self, house: House, engineer: Browser) -> None:
        send(engineer, table(a_batch()))
        look = engineer.page.path
        engineer.send(ONE)

        engineer.open(look)

        assert "unchanged 1" in engineer.page.text
        assert figures(house) == [("B-01", 90, 84, False)]

    def test_corrects_with_a_reason_and_closes(self, house: House, engineer: Browser, trial: str) -> None:
        send(engineer, table(a_batch()))
        engineer.send(ONE)
        engineer.open(f"/projects/{trial}/batch-table")
        changed = a_batch(passed_first_time=85, is_closed="yes", is_conforming="是", reason="one was counted twice")

        send(engineer, table(changed))
        assert "Passed first time: 84 → 85" in engineer.page.text
        assert "Closed: no → yes" in engineer.page.text
        engineer.send(ONE)

        assert figures(house) == [("B-01", 90, 84, True), ("B-01", 90, 85, True)]
        assert "one was counted twice" in engineer.open(f"/projects/{trial}/batches/B-01").text

    def test_keeps_what_its_cells_leave_empty(self, house: House, engineer: Browser, trial: str) -> None:
        send(engineer, table(a_batch(defects="heating=4", cost="1200.50", currency="CNY")))
        engineer.send(ONE)
        engineer.open(f"/projects/{trial}/batch-table")

        send(engineer, table(a_batch(passed_first_time=80, reason="counted again")))
        engineer.send(ONE)

        (first, last) = house.rows("SELECT defects, cost_minor FROM batch_figure ORDER BY entry_no")
        assert [json.loads(row.defects) for row in (first, last)] == [{"heating": 4}] * 2
        assert [row.cost_minor for row in (first, last)] == [120_050] * 2

    def test_of_text_is_read_as_well_and_names_what_it_does_not_read(self, house: House, engineer: Browser) -> None:
        content = "批次,日期,投入,合格,班组\nB-01,2025年7月8日,50,48,早班\n".encode("gb18030")

        send(engineer, content, "批次.csv")

        assert "Columns that were not read: 班组." in engineer.page.text
        engineer.send(ONE)
        assert figures(house) == [("B-01", 50, 48, False)]

    def test_may_hold_what_an_earlier_row_unlocks(self, house: House, engineer: Browser, trial: str) -> None:
        """With a ladder of 10 and 100 a run of 100 alone is refused; behind a good closed run of 10 it is not."""
        made = UUID(house.one("SELECT id FROM project WHERE number = :n", n=trial))
        sign_contract(house, made, ladder_sizes=[10, 100])
        small = a_batch("B-01", started=10, passed_first_time=10, size=10, is_closed="yes", is_conforming="yes")
        large = a_batch("B-02", started=100, passed_first_time=99, size=100)

        send(engineer, table(large))
        assert "wrong 1" in engineer.page.text
        engineer.open(f"/projects/{trial}/batch-table")
        send(engineer, table(small, large))
        engineer.send(BRING.format(2))

        assert figures(house) == [("B-01", 10, 10, True), ("B-02", 100, 99, False)]


class TestAWrongRow:
    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"made_on": "8 July"}, "Made on The date is not written as YYYY-MM-DD, YYYY/M/D, YYYY.M.D, YYYY年M月D日."),
            ({"made_on": date(2030, 1, 1)}, "Made on The day 2030-01-01 lies in the future."),
            ({"started": 90.5}, "Started A whole number is asked for."),
            (
                {"passed_first_time": 91},
                "Passed first time Good units (91) lie between 0 and the units begun (90), and at least one was begun.",
            ),
            ({"number": None}, "Batch is required and empty."),
            ({"number": "B-00000000001"}, "Batch It has 13 characters; 10 at most."),
            (
                {"defects": "heating"},
                "Defects “heating” gives no name with a count; write heating=4; motor=2, each once.",
            ),
            (
                {"kind": "prototype"},
                f"Kind This word is not known; write one of: {' / '.join(offered('kind'))}.",
            ),
            ({"is_closed": "maybe"}, "Closed This word is not known; write one of: 是 yes / 否 no."),
            ({"cost": "12.345", "currency": "CNY"}, "Cost It has 3 decimals; 2 at most. Nothing is rounded."),
            ({"cost": "12.34"}, "Currency is required and empty."),
            (
                {"started": "=SUM(A1:A2)"},
                "Started E2 is a formula; paste it as a value. Formulas are not computed.",
            ),
            ({"hours": "long"}, "Hours A number is asked for, such as 12.5."),
        ],
    )
    def test_is_named_at_its_cell_and_stops_the_rest(
        self, house: House, engineer: Browser, wrong: dict[str, Any], said: str
    ) -> None:
        send(engineer, table(a_batch("B-01", **wrong), a_batch("B-02")))

        assert "new 1 changed 0 unchanged 0 wrong 1" in engineer.page.text
        (reasons,) = re.findall(r'<ul class="reasons">(.*?)</ul>', engineer.page.answer.text)
        assert re.sub("<[^>]+>", "", reasons) == said
        engineer.send("Bring in the one good row")
        assert figures(house) == [("B-02", 90, 84, False)]

    def test_comes_back_marked_and_mended_it_is_taken(self, house: House, engineer: Browser) -> None:
        send(engineer, table(a_batch("B-01", started=80), a_batch("B-02")))

        content = engineer.ask("GET", engineer.page.link("Download it with notes")).content

        book = load_workbook(io.BytesIO(content))
        page: Any = book["Batches"]
        cell = page.cell(4, COLUMNS.index("passed_first_time") + 1)
        assert cell.comment is not None
        assert "84" in cell.comment.text
        page.cell(4, COLUMNS.index("started") + 1).value = 90
        mended = io.BytesIO()
        book.save(mended)
        engineer.follow("Send another table")
        send(engineer, mended.getvalue())
        engineer.send(BRING.format(2))
        assert len(figures(house)) == 2

    def test_wants_the_same_number_once(self, engineer: Browser) -> None:
        send(engineer, table(a_batch(), a_batch("b-01")))

        assert "B-01 was there already in row 2" in engineer.page.text

    def test_says_what_is_fixed_and_that_a_correction_needs_a_reason(
        self, house: House, engineer: Browser, trial: str
    ) -> None:
        send(engineer, table(a_batch(is_closed="yes", is_conforming="yes")))
        engineer.send(ONE)
        engineer.open(f"/projects/{trial}/batch-table")

        send(engineer, table(a_batch(made_on=date(2025, 7, 7), started=91, is_closed="no")))

        assert "Made on It was recorded as 2025-07-08 and stays so." in engineer.page.text
        assert "Reason of the correction To correct figures that are recorded, say why." in engineer.page.text
        assert "Closed" in engineer.page.text
        assert figures(house) == [("B-01", 90, 84, True)]


class TestAFile:
    def test_without_its_columns_names_them(self, engineer: Browser) -> None:
        send(engineer, table(a_batch(), columns=("number", "started", "passed_first_time")))

        assert "The table lacks these columns: Made on." in engineer.page.text
        assert engineer.page.status == 422

    def test_with_a_column_twice_is_refused(self, engineer: Browser) -> None:
        send(engineer, table(a_batch(), columns=(*COLUMNS, "number")))

        assert engineer.page.status == 422

    def test_with_too_many_rows_is_refused(self, engineer: Browser) -> None:
        send(engineer, table(*(a_batch(f"B-{place}") for place in range(MOST_ROWS + 1))))

        assert f"A table holds {MOST_ROWS} batches at most" in engineer.page.text

    def test_is_read_by_nobody_who_did_not_send_it(self, engineer: Browser, signed_in: Callable[..., Browser]) -> None:
        send(engineer, table(a_batch()))

        assert signed_in("project_lead").open(engineer.page.path).status == 404

    def test_of_whom_may_not_record_is_not_kept(
        self, house: House, trial: str, signed_in: Callable[..., Browser]
    ) -> None:
        visitor = signed_in("auditor")
        page = visitor.open(f"/projects/{trial}/batch-table")

        assert "Check it" not in [button[0] for form in page.forms for button in form.buttons]
        assert house.one("SELECT count(*) FROM upload") == 0
