"""The bank in the console: files taken, cases closed by two, accounts confirmed, what operators do not see."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from flows.reconciliation import take_file
from tests import payments as pay
from tests.factories import House, key
from tests.flows.test_whose_files import accountant_of_others
from tests.lifecycle.banking.statements import pain002
from tests.web.browser import ADDRESS, Browser
from tests.web.conftest import console_of, sign_in
from tests.web.test_papers import zipped

LAUGHS = b'<!DOCTYPE Document [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><Document>&b;</Document>'
HEAD = "booked_on,amount,currency,direction,counterparty_account,counterparty_name,end_to_end_id,bank_ref\n"


@pytest.fixture
def desk(house: House, tmp_path: Path) -> Iterator[Callable[[str], Browser]]:
    """Give a browser of somebody, at a console that can read files of the bank and keeps papers in a folder."""
    app = console_of(house)
    place = app.state.house
    settings = place.settings.model_copy(update={"evidence_dir": str(tmp_path / "papers")})
    app.state.house = replace(place, take_file=take_file, settings=settings)
    opened: list[Browser] = []

    def enter(login: str) -> Browser:
        visitor = Browser(app)
        visitor.__enter__()
        opened.append(visitor)
        sign_in(visitor, login)
        return visitor

    yield enter
    for one in opened:
        one.__exit__(None, None, None)


def send_file(visitor: Browser, form_to: str, name: str, content: bytes, **typed: str) -> httpx.Response:
    """Fill in a form that takes a file, and send it."""
    form = next(one for one in visitor.page.forms if one.action.endswith(form_to))
    data = {**dict(form.fields), **typed}
    data.pop("file", None)
    headers = {"sec-fetch-site": "same-origin", "origin": ADDRESS}
    return visitor.ask("POST", form.action, data=data, files={"file": (name, content)}, headers=headers)


class TestAFileOfTheBank:
    def test_is_taken_once(self, house: House, desk: Callable[[str], Browser]) -> None:
        pay.batches(house, state="sent")
        end = house.one("SELECT end_to_end_id FROM v_instruction")
        accountant = desk("accountant")
        accountant.open("/bank")
        content = f"{HEAD}2025-07-08,100.00,CNY,debit,,sme,{end},B1\n".encode()

        first = send_file(accountant, "/bank", "a.csv", content).headers["location"]
        second = send_file(accountant, "/bank", "a.csv", content).headers["location"]

        for _ in range(2):
            assert "The file was taken" in accountant.open(first).text
            assert "matched 1" in accountant.page.text.lower()
        assert "This file was taken before" in accountant.open(second).text
        assert desk("accountant").open(first).status == 404, "another session did not send it"
        assert accountant.open(first.replace("imported", "quarantined")).status == 404
        assert house.one("SELECT state FROM v_payout") == "paid"
        actors = house.rows("SELECT actor_id FROM v_audit WHERE action = 'statement.take'")
        assert {row.actor_id for row in actors} == {str(house.people["accountant"].user_id)}

    def test_that_is_wrong_goes_to_quarantine_with_the_reason(
        self, house: House, desk: Callable[[str], Browser]
    ) -> None:
        accountant = desk("accountant")
        accountant.open("/bank")

        answer = send_file(accountant, "/bank", "a.xml", b"<Document>")

        page = accountant.open(answer.headers["location"])
        assert "The file is wrong and was not used" in page.text
        assert 'class="alert bad"' in page.answer.text
        assert house.one("SELECT count(*) FROM v_statement WHERE status = 'quarantined'") == 1

    def test_of_another_funders_money_is_not_used(self, house: House, desk: Callable[[str], Browser]) -> None:
        pay.batches(house, state="sent")
        end = house.one("SELECT end_to_end_id FROM v_instruction")
        stranger = desk(accountant_of_others(house))
        stranger.open("/bank")
        content = f"{HEAD}2025-07-08,100.00,CNY,debit,,sme,{end},B1\n".encode()

        answer = send_file(stranger, "/bank", "a.csv", content)

        assert answer.status_code == 303
        assert "is of no fund that you act for" in stranger.open(answer.headers["location"]).text
        assert house.one("SELECT state FROM v_payout") == "instructed"

    def test_over_fifty_mebibytes_is_not_taken(self, house: House, desk: Callable[[str], Browser]) -> None:
        accountant = desk("accountant")
        accountant.open("/bank")

        answer = send_file(accountant, "/bank", "a.csv", b"," * ((50 << 20) + 1))

        assert answer.status_code == 422
        assert "larger than 50 MiB" in answer.text
        assert house.one("SELECT count(*) FROM v_statement") == 0

    def test_is_taken_from_programs_too(self, house: House, desk: Callable[[str], Browser]) -> None:
        accountant = desk("accountant")
        csrf = dict(accountant.open("/bank").forms[0].fields)["csrf"]
        headers = {"x-csrf-token": csrf, "sec-fetch-site": "same-origin", "idempotency-key": key()}

        answer = accountant.ask("POST", "/api/v1/statements", files={"file": ("a.xml", b"<x/>")}, headers=headers)

        assert answer.status_code == 201
        assert answer.json()["files"][0]["status"] == "quarantined"

    def test_is_not_for_who_decides(self, desk: Callable[[str], Browser]) -> None:
        manager = desk("fund_manager")
        page = manager.open("/bank")

        assert not [form for form in page.forms if form.action == "/bank"]


class TestAStatement:
    def test_counts_as_open_what_waits_and_says_what_was_settled(
        self, house: House, desk: Callable[[str], Browser]
    ) -> None:
        (statement,) = pay.statements(house)
        pay.set_aside(house, statement)
        accountant = desk("accountant")
        before = accountant.ask("GET", "/statements.json").json()["data"][0]
        assert "Case settled" not in accountant.open(f"/statements/{statement}").text

        with house.engine.begin() as connection:
            for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                connection.exec_driver_sql(f"DROP TRIGGER {row.name}")
            connection.exec_driver_sql("UPDATE exception_case SET closed_at = opened_at")

        after = accountant.ask("GET", "/statements.json").json()["data"][0]
        assert [(one["exception"], one["settled"]) for one in (before, after)] == [(1, 0), (0, 1)]
        assert "Case settled" in accountant.open(f"/statements/{statement}").text


class TestACase:
    def test_is_closed_by_two_people_and_carried_out(self, house: House, desk: Callable[[str], Browser]) -> None:
        (batch,) = pay.batches(house, state="unknown")
        accountant, manager = desk("accountant"), desk("fund_manager")
        accountant.open("/bank")
        page = accountant.follow("The bank has not answered")
        assert "confirm it was rejected" in page.text

        answer = send_file(
            accountant, "/propose", "letter.txt", b"never seen", action="abandon_batch", reason="the bank wrote"
        )
        assert answer.status_code == 303, answer.text
        own = accountant.open(page.path)
        assert not [form for form in own.forms if form.action.endswith("/confirm")]
        manager.open(page.path)
        assert "Confirm: abandon the batch" in manager.page.text
        assert str(house.one("SELECT number FROM v_payout")) in manager.page.text
        assert manager.page.link(str(house.one("SELECT number FROM v_batch"))).startswith("/payment-batches/")
        assert "None" not in manager.page.text
        given = manager.ask("GET", manager.page.link(hashlib.sha256(b"never seen").hexdigest()))
        assert (given.status_code, given.content) == (200, b"never seen")
        assert "letter.txt" in given.headers["content-disposition"]
        page = manager.send("confirm the way out")

        assert page.path.startswith("/receipts/"), page.text
        assert house.one("SELECT state FROM v_batch WHERE id = :id", id=str(batch)) == "abandoned"
        assert house.one("SELECT state FROM v_payout") == "approved"

    def test_stands_on_the_page_of_its_batch_and_says_why_in_either_language(
        self, house: House, desk: Callable[[str], Browser]
    ) -> None:
        (batch,) = pay.batches(house, state="unknown")
        accountant = desk("accountant")
        accountant.open(f"/payment-batches/{house.one('SELECT number FROM v_batch WHERE id = :id', id=str(batch))}")

        page = accountant.follow("The bank has not answered")

        assert page.path == f"/exceptions/{pay.case_of(house, batch)}"
        assert "the bank has not answered in time" in page.text
        assert "银行在约定时间内没有答复" in accountant.open(f"{page.path}?lang=zh-CN").text
        assert desk("fund_manager").ask("GET", f"{page.path}/file").status_code == 404

    def test_is_not_proposed_without_a_file(self, house: House, desk: Callable[[str], Browser]) -> None:
        (batch,) = pay.batches(house, state="unknown")
        accountant = desk("accountant")
        accountant.open(f"/exceptions/{pay.case_of(house, batch)}")

        page = accountant.send("propose a way out", action="abandon_batch", reason="the bank wrote")

        assert page.status == 422
        assert house.one("SELECT proposed_by FROM exception_case") is None

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("letter.pdf", b"<html><script>alert(1)</script></html>"),
            ("letter.txt", b"%PDF-1.7\n"),
            ("letter.xml", b"<html><script>alert(1)</script></html>"),
            ("letter.xml", LAUGHS),
            ("letter.zip", zipped(("more.zip", zipped(("a.txt", b"x"))))),
            ("letter.csv", b"=HYPERLINK(A1)\n"),
            ("letter.txt", b""),
        ],
    )
    def test_is_not_proposed_on_a_file_that_deceives(
        self, house: House, desk: Callable[[str], Browser], name: str, content: bytes
    ) -> None:
        (batch,) = pay.batches(house, state="unknown")
        accountant = desk("accountant")
        accountant.open(f"/exceptions/{pay.case_of(house, batch)}")

        answer = send_file(accountant, "/propose", name, content, action="abandon_batch", reason="the bank wrote")

        assert answer.status_code == 422
        assert house.one("SELECT proposed_by FROM exception_case") is None

    def test_is_proposed_on_a_message_of_the_bank(self, house: House, desk: Callable[[str], Browser]) -> None:
        (batch,) = pay.batches(house, state="unknown")
        accountant = desk("accountant")
        accountant.open(f"/exceptions/{pay.case_of(house, batch)}")
        said = {"action": "abandon_batch", "reason": "the bank wrote"}

        answer = send_file(accountant, "/propose", "answer.xml", pain002("<GrpSts>RJCT</GrpSts>"), **said)

        assert answer.status_code == 303, answer.text

    def test_does_nothing_where_what_follows_is_refused(self, house: House, desk: Callable[[str], Browser]) -> None:
        (batch,) = pay.batches(house, state="unknown")
        case = pay.case_of(house, batch)
        house.do(pay.propose(case, "abandon_batch"), by="accountant")
        manager = desk("fund_manager")
        manager.open(f"/exceptions/{case}")
        house.do(pay.propose(case, "confirm_paid"), by="accountant")  # another proposal takes its place

        page = manager.send("confirm the way out")

        assert page.status in (409, 412)
        assert house.one("SELECT closed_at FROM exception_case") is None


class TestAnAccount:
    def test_is_entered_by_the_firm_and_confirmed_by_a_second_person(
        self, house: House, desk: Callable[[str], Browser]
    ) -> None:
        officer, accountant = desk("finance_officer"), desk("accountant")
        officer.open("/payees")
        officer.follow("enter the account")
        officer.send("enter the account", holder_name="sme", account_number="6222 0202 0011 2233", bank_code="ICBKCNBJ")
        accountant.open("/payees")

        page = accountant.follow("sme")
        assert "6222" not in page.text
        assert "ending in 2233" in page.text
        accountant.follow("confirm the account")
        page = accountant.send("confirm the account", called="021-5555 0101, Mrs Lin")

        assert page.path.startswith("/receipts/"), page.text
        assert house.one("SELECT status FROM v_payee_account") == "confirmed"


class TestAnOperator:
    def test_sees_files_by_count_total_and_hash_and_nobody_who_is_paid(
        self, house: House, desk: Callable[[str], Browser]
    ) -> None:
        (batch,) = pay.batches(house, state="sent")
        row: Any = house.rows("SELECT number, file_sha256 FROM v_batch WHERE id = :id", id=str(batch))[0]
        operator = desk("operator")

        assert row.number in operator.open("/bank").text
        page = operator.open(f"/payment-batches/{row.number}")

        assert row.file_sha256 in page.text
        assert "¥100.00" in page.text
        assert "2233" not in page.text
        assert "PO-" not in page.text
        pay.batches(house, state="unknown")
        case = house.one("SELECT id FROM v_exception")
        assert operator.open(f"/exceptions/{case}").status == 404
        assert "only the people of the funder see them" in operator.open("/exceptions").text
        assert "PO-" in desk("payer").open(f"/payment-batches/{row.number}").text

    @pytest.mark.parametrize("login", ["stranger", "finance_officer", "coordinator"])
    def test_alone_of_those_outside_the_fund_sees_them(
        self, house: House, desk: Callable[[str], Browser], login: str
    ) -> None:
        (batch,) = pay.batches(house)
        visitor = desk(login)

        assert visitor.open("/bank").status == 403
        assert visitor.open(f"/payment-batches/{UUID(str(batch))}").status == 404
