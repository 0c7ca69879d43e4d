"""Projects from a table of one's own: its columns matched, what would become of each row, then the receipt."""

import io
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from openpyxl import Workbook

from tests.factories import House
from tests.web.browser import Browser

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
    return [
        value for name, value in visitor.page.form(urlsplit(visitor.page.path).path[:-8]).fields if name == "column"
    ]


def names(house: House) -> list[str]:
    """Return the names of all projects."""
    return [row.name for row in house.rows("SELECT name FROM project ORDER BY name")]


class TestTheWay:
    def test_leads_from_a_workbook_to_a_receipt_that_can_be_kept(
        self, house: House, visitor: Browser, send: Callable[..., Any]
    ) -> None:
        send(book(robot(), robot("A-2", name="喷涂机器人", money=7.25), above=[["2025 年项目表"]]))
        assert chosen(visitor) == ["number", "name", "stage", "organisation", "received_on", "money_10k", "fact"]

        visitor.send("Check it")
        assert "nothing is written yet" in visitor.page.text
        assert "Sum: 总经费（万元） ¥197,500.00" in visitor.page.text
        assert house.one("SELECT count(*) FROM project") == 0

        visitor.send("Bring in 2 rows")
        kept = visitor.page.path
        assert kept.startswith("/receipts/import:table:")
        assert "new 2" in visitor.open(kept).text
        assert [row.name for row in house.rows("SELECT name FROM project ORDER BY name")] == [
            "喷涂机器人",
            "焊接机器人",
        ]
