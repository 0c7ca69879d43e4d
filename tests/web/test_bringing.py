"""A portfolio brought in by the browser: looked through first, then all of it or nothing; what deceives is refused."""

import csv
import io
from collections.abc import Callable

import pytest

from tests.factories import House
from tests.web.browser import Browser
from tests.web.test_papers import SHEET, workbook

HEAD = "award_url_id,firm,firm_key,title,phase,award_year,award_amount_usd"


def table(*rows: str) -> bytes:
    """Return a table of the mapping's source with these rows."""
    from lifecycle.imports.mapping import load_mapping, shipped_mappings  # noqa: PLC0415 - its columns only

    path = next(one for one in shipped_mappings() if one.stem == "sbir_phase1")
    names = [column.column for column in load_mapping(path).columns]
    columns = [*HEAD.split(","), *(name for name in dict.fromkeys(names) if name not in HEAD.split(","))]
    lines = [",".join(columns), *(row + "," * (len(columns) - row.count(",") - 1) for row in rows)]
    return "\n".join(lines).encode()


GOOD = "1,Robots Inc,k1,Robot arm,Phase I,2020,150000.00"
WRONG = "2,Robots Inc,k1,Other arm,Phase I,2020,many"


@pytest.fixture
def visitor(house: House, signed_in: Callable[..., Browser]) -> Browser:
    """Give a coordinator in front of the form."""
    found = signed_in("coordinator")
    found.open("/import")
    return found


def send(visitor: Browser, house: House, name: str, content: bytes) -> None:
    """Send a file."""
    where = {"mapping": "sbir_phase1", "programme": str(house.programmes["bare"])}
    visitor.send("Check it", file=(name, content), platform=str(house.parties["platform"]), **where)


class TestAFile:
    def test_says_what_would_happen_before_anything_is_written(self, house: House, visitor: Browser) -> None:
        send(visitor, house, "awards.csv", table(GOOD))

        assert "nothing is written yet" in visitor.page.text
        assert "new 1" in visitor.page.text
        assert house.one("SELECT count(*) FROM project") == 0

        visitor.send("Bring in 1 row")
        assert visitor.page.path.startswith("/receipts/")
        assert "Receipt of an import" in visitor.page.text
        assert house.one("SELECT name FROM project") == "Robot arm"

    def test_that_comes_again_changes_nothing(self, house: House, visitor: Browser) -> None:
        for _ in range(2):
            visitor.open("/import")
            send(visitor, house, "awards.csv", table(GOOD))
            if not house.one("SELECT count(*) FROM project"):
                visitor.send("Bring in 1 row")

        assert "unchanged 1" in visitor.page.text
        assert "You brought this very file in" in visitor.page.text
        assert not [form for form in visitor.page.forms if "/import/" in form.action]
        assert house.one("SELECT count(*) FROM project") == 1

    def test_with_wrong_rows_names_them_and_gives_them_back_as_a_table(self, house: House, visitor: Browser) -> None:
        send(visitor, house, "awards.csv", table(GOOD, WRONG))

        assert "wrong 1" in visitor.page.text
        assert "many" in visitor.page.text
        answer = visitor.ask("GET", visitor.page.link("Download the wrong rows with reasons"))
        assert answer.headers["content-disposition"] == 'attachment; filename="import-errors.csv"'
        (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert (row["Row"], row["Column"], row["award_amount_usd"]) == ("3", "award_amount_usd", "many")
        assert "An amount is written as 12345.60" in row["Reason"]

        visitor.send("Bring in the one good row")
        assert house.one("SELECT count(*) FROM project") == 1

    def test_is_read_by_nobody_who_did_not_send_it(
        self, house: House, visitor: Browser, signed_in: Callable[..., Browser]
    ) -> None:
        send(visitor, house, "awards.csv", table(GOOD))

        assert signed_in("second").open(visitor.page.path).status == 404

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("f.xlsx", workbook('<!DOCTYPE x [<!ENTITY a "b">]>' + SHEET.format("")), ""),
            ("p.csv", b"", "empty"),
            ("p.csv", b"a\0b", "NUL"),
        ],
    )
    def test_that_is_no_table_is_refused(
        self, house: House, visitor: Browser, name: str, content: bytes, said: str
    ) -> None:
        send(visitor, house, name, content)

        assert visitor.page.status == 422
        assert said in visitor.page.text
        assert house.one("SELECT count(*) FROM project") == 0

    def test_with_a_formula_names_the_cell(self, house: House, visitor: Browser) -> None:
        send(visitor, house, "awards.csv", table('3,Robots Inc,k1,"=HYPERLINK(1)",Phase I,2020,1.00'))

        assert "may be a formula" in visitor.page.text
        assert not [one for form in visitor.page.forms for one in form.buttons if "Bring" in one[0]]

    def test_of_whom_has_no_part_in_importing_is_not_taken(self, signed_in: Callable[..., Browser]) -> None:
        page = signed_in("project_lead").open("/import")

        assert page.status == 403
        assert "coordinator" in page.text
