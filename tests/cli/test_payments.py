"""Payouts on the command line: from the request to the bank's answer, the slip, and what is left after a crash."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from flows.desk import teller_of
from lifecycle.banking.template import GENERIC
from lifecycle.canonical import plain, sha256
from lifecycle.disbursement.commands import Freeze
from lifecycle.payouts.payees import ConfirmAccount, ProposeAccount
from models.settings import load_settings
from models.states import Role
from tests import payments as pay
from tests.cli.conftest import Line
from tests.factories import House, ids_of, key

CSV = "booked_on,amount,currency,direction,counterparty_account,counterparty_name,end_to_end_id,bank_ref\n"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folders of the bank."""
    for name in ("out", "in"):
        (tmp_path / "bank" / name).mkdir(parents=True)
        monkeypatch.setenv(f"PILOTWAY_BANK_{name.upper()}", str(tmp_path / "bank" / name))
    return tmp_path / "bank"


def number_of(house: House, view: str = "v_payout") -> str:
    return str(house.one(f"SELECT number FROM {view}"))


def statement(house: House, folders: Path, name: str = "a.csv", *lines: str) -> Path:
    """Leave a table of the bank that books every payment of ours, and these lines."""
    sent = house.rows("SELECT end_to_end_id FROM v_instruction ORDER BY end_to_end_id")
    ours = [f"2025-07-08,100.00,CNY,debit,6222020200112233,sme,{row.end_to_end_id},B{n}" for n, row in enumerate(sent)]
    path = folders / "in" / name
    path.write_text(CSV + "".join(f"{line}\n" for line in [*ours, *lines]), encoding="utf-8")
    return path


class TestPayout:
    def test_goes_from_the_request_to_the_bank_and_back(self, at_home: Line, house: House, folders: Path) -> None:
        (milestone,) = pay.accepted(house)
        pay.payee(house)
        asked = ("--payee", "sme/2233", "--amount", "100.00", "--as", "finance_officer", "--json")
        made = at_home("payout", "request", str(milestone), *asked)
        number = made.document["number"]
        wrong = at_home("payout", "approve", number, "--amount", "100.01", "--as", "fund_manager", "--json")
        assert (wrong.code, wrong.document["error"]["unmet"]) == (3, ["amount_differs"])
        seen = ("--amount", "100.00", "--payload-hash", made.document["payload_hash"], "--version", "1")
        assert at_home("payout", "approve", number, *seen, "--as", "fund_manager").code == 0
        assert at_home("payout", "release", number, "--as", "payer").code == 0

        ran = at_home("run", "disbursement", "--json")

        assert (ran.code, ran.document["format"], ran.document["slots"][0]["done_count"]) == (0, "pilotway-tick/1", 1)
        (file,) = (folders / "out").iterdir()
        batch = number_of(house, "v_batch")
        again = at_home("bank", "render", batch, "--out", str(folders / "again.xml"))
        assert (again.code, (folders / "again.xml").read_bytes()) == (0, file.read_bytes())
        statement(house, folders)
        taken = at_home("run", "reconciliation", "--json")
        assert (taken.code, taken.document["slots"][0]["done_count"]) == (0, 1)
        assert [row[6] for row in at_home("payout", "list", "--state", "paid").rows] == ["Paid"]
        shown = at_home("payout", "show", number, "--json").document
        assert [word["decision"] for word in shown["words"]] == ["approve", "release"]
        assert (shown["account_last"], shown["instructions"][0]["status"]) == ("2233", "settled")
        assert "62220202" not in json.dumps(shown)
        assert at_home("bank", "batches").rows[0][2] == "Settled"
        assert at_home("bank", "show", batch).code == 0
        assert at_home("statement", "list").rows[0][2:4] == ["Imported", "1"]
        ref = house.one("SELECT statement_ref FROM v_statement")
        assert at_home("statement", "show", ref).code == 0
        assert at_home("payee", "list", "--organisation", "sme").rows[0][2] == "2233"

    def test_goes_to_a_bank_that_takes_workbooks_and_back(
        self, at_home: Line, house: House, folders: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pay.payouts(house, 2, state="released")
        bank = house.one("SELECT DISTINCT debtor_bank FROM fund")
        (folders / f"{bank}.yaml").write_text(yaml.safe_dump(plain(GENERIC), allow_unicode=True), encoding="utf-8")
        monkeypatch.setenv("PILOTWAY_BANK_TEMPLATES", str(folders))

        assert at_home("run", "disbursement", "--json").document["slots"][0]["done_count"] == 2

        files = sorted((folders / "out").iterdir())
        batches = house.rows("SELECT number, file_name, file_sha256 FROM v_batch ORDER BY file_name")
        assert [file.name for file in files] == [row.file_name for row in batches]
        monkeypatch.delenv("PILOTWAY_BANK_TEMPLATES")  # the batch knows its template
        again = at_home("bank", "render", batches[0].number, "--out", str(folders / "again.xlsx"))
        assert (again.code, (folders / "again.xlsx").read_bytes()) == (0, files[0].read_bytes())
        filled(files[0], folders / "in" / "a.xlsx", "交易成功", "", "B1", "2025-07-08")
        filled(files[1], folders / "in" / "b.xlsx", "失败", "户名不符", "", "")
        taken = at_home("run", "reconciliation", "--json")
        assert (taken.code, taken.document["slots"][0]["done_count"]) == (0, 2)
        assert sorted(row[6] for row in at_home("payout", "list").rows) == ["Paid", "Returned"]
        assert {row[2] for row in at_home("bank", "batches").rows} == {"Settled"}
        filled(files[0], folders / "wrong.xlsx", "交易成功", "", "=1+1", "2025-07-08")
        wrong = at_home("bank", "import", str(folders / "wrong.xlsx"))
        assert wrong.code == 6
        assert "批量付款/L2" in wrong.err
        assert "values, not formulas" in wrong.err

    def test_is_not_run_by_a_template_that_is_wrong(
        self, at_home: Line, folders: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folders / "102100099996.yaml").write_text("sheet: a\n", encoding="utf-8")
        monkeypatch.setenv("PILOTWAY_BANK_TEMPLATES", str(folders))

        assert at_home("run", "disbursement").code == 2
        assert at_home("doctor").code == 7

    def test_has_a_slip_with_the_amount_in_capitals(self, at_home: Line, house: House) -> None:
        pay.payouts(house, state="approved")
        number = number_of(house)

        said = at_home("payout", "slip", number, "--lang", "zh-CN").out

        assert "付款审批单" in said
        assert "人民币壹佰元整" in said
        assert "****2233" in said
        assert "6222" not in said
        assert "¥5,000,000.00" in said
        assert "¥4,999,900.00" in said
        assert "1 / 1" in said
        page = at_home("payout", "slip", number, "--html").out
        assert page.startswith("<!doctype html>")
        assert "人民币壹佰元整" in page

    def test_that_came_back_says_why_where_it_is_shown_and_on_its_slip(self, at_home: Line, house: House) -> None:
        (payout,) = pay.payouts(house, state="instructed")
        pay.tell(house, payout, kind="reject", reason="AC04 账户已销户")
        number, batch = number_of(house), number_of(house, "v_batch")

        assert at_home("payout", "show", number, "--json").document["instructions"][0]["why"] == "AC04 账户已销户"
        assert "AC04 账户已销户" in at_home("payout", "show", number).out
        assert "AC04 账户已销户" in at_home("bank", "show", batch).out
        assert "退汇或驳回" in at_home("payout", "slip", number, "--lang", "zh-CN").out

    def test_asked_for_a_second_time_names_the_first(self, at_home: Line, house: House) -> None:
        (milestone,) = pay.accepted(house)
        pay.payee(house)
        asked = ("--payee", "sme/2233", "--amount", "400000", "--as", "finance_officer")
        assert at_home("payout", "request", str(milestone), *asked).code == 0

        assert "asked for already: PO-2025-0001" in at_home("payout", "request", str(milestone), *asked).err

    def test_to_one_of_two_accounts_that_end_alike_asks_for_more_digits(self, at_home: Line, house: House) -> None:
        (milestone,) = pay.accepted(house)
        pay.payee(house)
        other = {**pay.ACCOUNT, "account_number": "99992233"}
        house.do(
            ProposeAccount(command_id=key(), organisation_id=house.parties["sme"], **other), by=Role.FINANCE_OFFICER
        )
        asked = ("--amount", "100.00", "--as", "finance_officer")

        said = at_home("payout", "request", str(milestone), "--payee", "sme/2233", *asked)

        assert (said.code, "fits 2 accounts of the firm: give more of its last digits" in said.err) == (2, True)
        assert at_home("payout", "request", str(milestone), "--payee", "sme/112233", *asked).code == 0

    def test_shows_the_account_before_a_change_for_30_days(self, at_home: Line, house: House) -> None:
        (milestone,) = pay.accepted(house)
        pay.payee(house)
        other = {**pay.ACCOUNT, "account_number": "9999 8888"}
        propose = ProposeAccount(command_id=key(), organisation_id=house.parties["sme"], **other)
        (account,) = ids_of(house.do(propose, by=Role.FINANCE_OFFICER))
        house.later(days=1)
        confirm = ConfirmAccount(command_id=key(), payee_account_id=account, called="021-5555 0101")
        house.do(confirm, by=Role.ACCOUNTANT)
        house.do(pay.request(house, milestone, payee_account_id=account), by=Role.FINANCE_OFFICER)

        soon, later = (("--now", f"2025-08-{day}T04:00:00Z") for day in ("08", "09"))

        shown = at_home("payout", "show", number_of(house), "--json", *soon).document
        assert (shown["account_last"], shown["account_last_before"]) == ("8888", "2233")
        assert shown["account_changed_on"] == "2025-07-09"
        assert "****2233 (2025-07-09)" in at_home("payout", "slip", number_of(house), *soon).out
        assert "2233" not in at_home("payout", "slip", number_of(house), *later).out

    def test_to_a_changed_account_is_approved_by_who_called_back(self, at_home: Line, house: House) -> None:
        (milestone,) = pay.accepted(house)
        pay.payee(house)
        other = {**pay.ACCOUNT, "account_number": "9999 8888"}
        propose = ProposeAccount(command_id=key(), organisation_id=house.parties["sme"], **other)
        (account,) = ids_of(house.do(propose, by=Role.FINANCE_OFFICER))
        confirm = ConfirmAccount(command_id=key(), payee_account_id=account, called="021-5555 0101")
        house.do(confirm, by=Role.ACCOUNTANT)
        house.later(days=8)
        house.do(pay.request(house, milestone, payee_account_id=account), by=Role.FINANCE_OFFICER)
        asked = ("--amount", "100.00", "--as", "fund_manager", "--now", f"{house.now.isoformat()}")

        said = at_home("payout", "approve", number_of(house), *asked, "--json")

        assert (said.code, said.document["error"]["unmet"]) == (3, ["callback_needed"])
        called = ("--callback-by", "Chen", "--callback-at", "2025-07-16 09:30")
        assert at_home("payout", "approve", number_of(house), *asked, *called).code == 0
        assert '"by":"Chen"' in str(house.one("SELECT called_back FROM approval"))

    def test_ends_with_3_while_disbursement_is_frozen(self, at_home: Line, house: House, folders: Path) -> None:
        pay.payouts(house, state="released")
        assert at_home("disbursement", "freeze", "--reason", "why", "--as", "accountant").code == 0

        said = at_home("run", "disbursement", "--json")

        assert (said.code, said.document["error"]["code"]) == (3, "frozen")
        assert list((folders / "out").iterdir()) == []

    def test_frozen_in_the_middle_tells_what_it_did_and_why_it_stopped(
        self, at_home: Line, house: House, folders: Path
    ) -> None:
        pay.batches(house, 2)
        house.do(Freeze(command_id=key(), reason="why"), by=Role.ACCOUNTANT)
        with house.engine.begin() as connection:  # somebody else freezes as soon as the first file is sent
            all_of_it = connection.exec_driver_sql("SELECT object_id FROM hold").scalar_one()
            connection.exec_driver_sql(f"UPDATE hold SET object_id = '{key()}'")
            connection.exec_driver_sql(
                "CREATE TRIGGER meanwhile AFTER UPDATE OF state ON payment_batch WHEN NEW.state = 'sent'"
                f" BEGIN UPDATE hold SET object_id = '{all_of_it}'; END"
            )

        said = at_home("run", "disbursement", "--json")
        (slot,) = said.document["slots"]
        shown = at_home("runs", "show", slot["run_id"], "--json")

        assert (said.code, len(list((folders / "out").iterdir()))) == (3, 1)
        assert (slot["status"], slot["done_count"], slot["refused_count"], slot["failed_count"]) == ("done", 1, 1, 0)
        assert [one["effect"] for one in shown.document["effects"]] == ["refused", "batch.send"]
        assert (shown.document["why"], shown.document["effects"][0]["detail"]) == ("frozen", "frozen")


class TestAPaymentRun:
    def test_claims_what_it_works_on_under_its_name_for_its_lease(
        self, monkeypatch: pytest.MonkeyPatch, house: House
    ) -> None:
        monkeypatch.setenv("PILOTWAY_WORKER", "night-run")
        monkeypatch.setenv("PILOTWAY_LEASE_SECONDS", "3600")

        found = teller_of(house.engine, load_settings(), house.stamp())

        assert (found.holder, found.lease) == ("night-run", timedelta(hours=1))


class TestPromise:
    def test_is_listed_and_reported_when_it_is_broken(self, at_home: Line, house: House) -> None:
        pay.payouts(house, state="approved")
        number, late = number_of(house), ("--now", "2025-08-10T04:00:00Z")

        shown = at_home("payout", "show", number, "--json", *late).document

        assert (shown["complete_on"], shown["pay_by_on"]) == ("2025-07-08", "2025-08-07")
        assert (shown["promise"], shown["days_left"], shown["days_late"]) == ("overdue", -3, 3)
        assert at_home("payout", "list", "--overdue", *late).rows[0][-2:] == ["overdue", "-3"]
        assert at_home("payout", "list", "--overdue").rows == []
        assert at_home("payout", "list", "--due-within", "30").rows[0][-2:] == ["running", "30"]
        assert at_home("payout", "list", "--due-within", "29").rows == []
        (row,) = at_home("payout", "terms", "--by", "quarter", "--json", *late).document["data"]
        assert (row["period"], row["asked"], row["open_overdue"]) == ("2025-Q3", 1, 1)
        assert "已逾期" in at_home("payout", "terms", "--lang", "zh-CN", *late).out
        assert at_home("payout", "terms", "--by", "week").code == 2


class TestBankFile:
    def test_is_not_written_when_its_bytes_differ(self, at_home: Line, house: House, folders: Path) -> None:
        pay.batches(house)
        house_edit(house, "UPDATE payment_batch SET debtor_name = 'another'")

        said = at_home("bank", "render", number_of(house, "v_batch"), "--out", str(folders / "x.xml"), "--json")

        assert (said.code, said.document["ok"]) == (7, False)
        assert not (folders / "x.xml").exists()

    def test_is_imported_once_and_quarantined_when_it_is_wrong(
        self, at_home: Line, house: House, folders: Path
    ) -> None:
        pay.batches(house, state="sent")
        good, bad = statement(house, folders), folders / "bad.csv"
        bad.write_text("nonsense\n", encoding="utf-8")

        said = at_home("bank", "import", str(good), str(bad), "--json")

        assert said.code == 6
        assert [one["status"] for one in said.document["files"]] == ["imported", "quarantined"]
        assert said.document["files"][1]["why"] == "bank_csv_header"
        again = at_home("bank", "import", str(good), "--json")
        assert (again.code, again.document["files"][0]["status"]) == (0, "duplicate")

    def test_is_imported_by_who_is_named_with_their_rights(self, at_home: Line, house: House, folders: Path) -> None:
        pay.batches(house, state="sent")
        good = str(statement(house, folders))

        refused = at_home("bank", "import", good, "--as", "fund_manager", "--json")

        assert (refused.code, refused.document["error"]["unmet"]) == (3, ["role"])
        assert house.one("SELECT count(*) FROM v_statement") == 0
        assert at_home("bank", "import", good, "--as", "accountant").code == 0
        actors = house.rows("SELECT DISTINCT actor_id FROM v_audit WHERE object_type = 'statement'")
        assert [row.actor_id for row in actors] == [str(house.people["accountant"].user_id)]


class TestCase:
    def test_is_proposed_by_one_and_carried_out_by_another(self, at_home: Line, house: House, folders: Path) -> None:
        pay.batches(house, state="sent")
        statement(house, folders, "a.csv", "2025-07-08,12.00,CNY,debit,,,,B9")
        at_home("run", "reconciliation")
        assert at_home("statement", "unmatched").rows[0][2] == "-¥12.00"
        ((case, *_),) = at_home("exception", "list").rows
        letter = folders / "letter.txt"
        letter.write_text("a fee of ours", encoding="utf-8")
        for name, content in (("letter.exe", b"MZ\x90\x00"), ("camt.xml", b"<!DOCTYPE x><Document/>")):
            wrong = folders / name
            wrong.write_bytes(content)
            word = ("--reason", "a fee", "--evidence", str(wrong))
            assert at_home("exception", "propose", case, "write_off", *word, "--as", "accountant").code == 2
        assert house.one("SELECT count(*) FROM upload") == 0
        word = ("--reason", "a fee", "--evidence", str(letter))
        assert at_home("exception", "propose", case, "write_off", *word, "--as", "accountant").code == 0
        seen = ("--proposal-hash", at_home("exception", "show", case, "--json").document["proposal_hash"])
        own = at_home("exception", "confirm", case, "write_off", *seen, "--as", "accountant", "--json")
        assert (own.code, own.document["error"]["code"]) == (3, "four_eyes")
        (kept,) = house.rows("SELECT sha256, file_name FROM v_evidence WHERE object_type = 'exception'")
        assert tuple(kept) == (sha256("a fee of ours"), "letter.txt")
        (files,) = at_home("check", "--only", "I22", "--json").document["checks"]
        assert kept.sha256 not in {one["sha256"] for one in files["sample"]}

        said = at_home("exception", "confirm", case, "write_off", *seen, "--as", "fund_manager")

        assert said.code == 0
        assert house.one("SELECT balance_minor FROM v_account WHERE kind = 'suspense'") == 0
        assert at_home("exception", "list").rows == []
        shown = at_home("exception", "show", case, "--lang", "zh-CN").out
        assert "银行流水" in shown
        assert "-¥12.00" in shown
        assert "statement_line" not in shown

    def test_stays_open_when_what_was_agreed_cannot_be_done(self, at_home: Line, house: House) -> None:
        (batch,) = pay.batches(house, state="unknown")
        case = pay.case_of(house, batch)
        house.do(pay.propose(case), by=Role.ACCOUNTANT)
        pay.tell(house, pay.payout_of(house, batch), kind="acknowledge")

        seen = ("--proposal-hash", pay.seen(house, case))
        said = at_home("exception", "confirm", str(case), "abandon_batch", *seen, "--as", "fund_manager", "--json")

        assert (said.code, said.document["error"]["unmet"]) == (3, ["batch_may_be_alive"])
        assert house.one("SELECT count(*) FROM v_exception WHERE closed_at IS NULL") == 1


class TestRecover:
    def test_delivers_what_was_prepared_and_names_what_is_unknown(
        self, at_home: Line, house: House, folders: Path
    ) -> None:
        (unknown,) = pay.batches(house, state="unknown")
        (prepared,) = pay.batches(house)
        (folders / "out" / ".M.xml.999999999.part").write_bytes(b"half")

        said = at_home("recover", "--json")

        assert said.code == 0
        assert said.document["moved"] == [moved(prepared, "sent", "file-put")]
        assert said.document["unknown"] == [str(unknown)]
        assert (said.document["waiting"], said.document["swept"]["temp_files"]) == ([], 1)
        assert at_home("recover", "--json").document["moved"] == []

    def test_keeps_prepared_files_here_while_disbursement_is_frozen(
        self, at_home: Line, house: House, folders: Path
    ) -> None:
        (prepared,) = pay.batches(house)
        at_home("disbursement", "freeze", "--reason", "why", "--as", "accountant")

        said = at_home("recover", "--json")

        assert (said.code, said.document["waiting"], said.document["moved"]) == (0, [str(prepared)], [])
        assert list((folders / "out").iterdir()) == []


def filled(out: Path, answer: Path, *values: str) -> None:
    """Fill our workbook in as the bank does."""
    book = openpyxl.load_workbook(out)
    columns = ("处理状态", "失败原因", "交易流水号", "交易日期")
    for line, cells in enumerate((columns, values), start=1):
        for place, value in enumerate(cells, start=10):
            book.worksheets[0].cell(line, place, value)
    book.save(answer)


def moved(batch: Any, to: str, why: str) -> dict[str, str]:
    return {"object_type": "batch", "object_id": str(batch), "from": "prepared", "to": to, "why": why}


def house_edit(house: House, sql: str) -> None:
    """Change the database past the house."""
    with house.engine.begin() as connection:
        connection.exec_driver_sql(sql)
