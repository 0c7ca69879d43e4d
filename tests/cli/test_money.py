"""The nouns of money on the command line: opened, signed, reported and shown by what people type."""

from models.states import ProjectState, Role
from tests.cli.conftest import Line
from tests.factories import House, agreements, papers, projects


def _open(at_home: Line, code: str = "F1", *more: str) -> None:
    debtor = ("--debtor-name", "中试基金", "--debtor-account", "62220202", "--debtor-bank", "102100099996")
    size = ("--organisation", "funder", "--commitment", "20000000")
    assert at_home("fund", "add", code, "一期", *size, *debtor, *more, "--as", "sponsor").code == 0


class TestFund:
    def test_shows_what_was_committed_called_and_paid_in(self, at_home: Line) -> None:
        _open(at_home)
        investor = ("--investor", "other firm", "--kind", "state")
        assert at_home("fund", "commit", "F1", *investor, "--amount", "8000000", "--as", "accountant").code == 0
        at_home("fund", "call", "F1", "--amount", "5000000", "--due", "2025-08-01", "--as", "accountant")
        paid = ("--investor", "F1/other firm", "--received", "today")
        at_home("fund", "contribute", "F1", "--amount", "3000000.50", *paid, "--as", "accountant")
        at_home("fund", "contribute", "F1", "--amount", "-0.50", *paid, "--note", "too much", "--as", "accountant")

        shown = at_home("fund", "show", "F1", "--json").document

        assert (shown["subscribed_minor"], shown["called_minor"], shown["paid_in_minor"]) == (
            800_000_000,
            500_000_000,
            300_000_000,
        )
        assert (shown["available"], shown["free"]) == ("¥3,000,000.00", "¥20,000,000.00")
        kinds = [row[2] for row in at_home("fund", "ledger", "F1").rows]
        assert kinds == ["paid in", "paid out"]
        assert at_home("fund", "burn", "F1").rows == [["2025-07", "¥0.00", "¥3,000,000.50", "¥0.50", "¥0.00", "¥0.00"]]

    def test_says_what_follows_from_a_contribution_without_investor_and_from_too_large_a_commitment(
        self, at_home: Line
    ) -> None:
        _open(at_home)
        investor = ("--investor", "other firm", "--kind", "state", "--as", "accountant")

        within = at_home("fund", "commit", "F1", *investor, "--amount", "20000000")
        beyond = at_home("fund", "commit", "F1", *investor, "--amount", "0.01", "--json")
        came = at_home("fund", "contribute", "F1", "--amount", "1", "--received", "today", "--as", "accountant")

        assert "Mind" not in within.err
        assert [one["code"] for one in beyond.document["remarks"]] == ["subscribed_beyond_size"]
        assert "as paid in by nobody" in came.err
        assert "waits for two people" in came.err

    def test_refuses_an_account_that_can_be_none(self, at_home: Line) -> None:
        terms = ("--organisation", "funder", "--commitment", "1", "--debtor-name", "x", "--as", "sponsor", "--json")
        for number, bank, code in (
            ("62220202", "ICBC", "bank_code_wrong"),
            ("62-22A", "102100099996", "account_not_digits"),
            ("DE89370400440532013001", "COBADEFF", "iban_check_wrong"),
        ):
            said = at_home("fund", "add", "F9", "x", "--debtor-account", number, "--debtor-bank", bank, *terms)
            assert (said.code, said.document["error"]["unmet"]) == (2, [code])
        account = ("--holder", "sme", "--account", "12", "--bank", "1021", "--as", "finance_officer", "--json")
        assert at_home("payee", "propose", "sme", *account).document["error"]["unmet"] == ["bank_code_wrong"]

    def test_takes_a_call_back_and_shows_both(self, at_home: Line) -> None:
        _open(at_home)
        investor = ("--investor", "other firm", "--kind", "state", "--as", "accountant")
        at_home("fund", "commit", "F1", *investor, "--amount", "800")
        at_home("fund", "call", "F1", "--amount", "500", "--due", "2025-08-01", "--as", "accountant")
        least = ("--investor", "F1/other firm", "--amount", "0", "--reason", "why", "--as", "accountant")
        assert "cancel-call" in at_home("fund", "amend-commitment", "F1", *least).err

        assert at_home("fund", "cancel-call", "F1", "1", "--reason", "early", "--as", "accountant").code == 0

        rows = at_home("fund", "investors", "F1").rows
        assert [row[0] + row[2] + row[4] for row in rows[2:]] == ["1¥500.00", "2-¥500.001"]
        assert at_home("fund", "amend-commitment", "F1", *least).code == 0

    def test_reads_amounts_in_its_own_currency(self, at_home: Line, house: House) -> None:
        _open(at_home, "F2", "--currency", "JPY")

        at_home("fund", "contribute", "F2", "--amount", "300", "--received", "today", "--as", "accountant")

        assert house.one("SELECT balance_minor FROM v_account WHERE kind = 'available'") == 300

    def test_takes_tiers_as_they_are_typed(self, at_home: Line, house: House) -> None:
        _open(at_home)
        tiers = ("--tier", "500000.00:1", "--tier", "max:3:director:minute")

        said = at_home("fund", "set-tiers", "F1", *tiers, "--reason", "larger steps", "--as", "sponsor")

        assert said.code == 0
        sql = "SELECT up_to_minor, approvers_needed, is_director_needed FROM approval_tier WHERE until_at IS NULL"
        assert house.rows(f"{sql} ORDER BY up_to_minor") == [(50_000_000, 1, 0), (10**13, 3, 1)]
        wrong = at_home("fund", "set-tiers", "F1", "--tier", "max", "--reason", "x", "--as", "sponsor", "--json")
        assert (wrong.code, wrong.document["error"]["code"]) == (2, "value_wrong")


class TestAgreement:
    def test_is_drafted_signed_reported_and_shown(self, at_home: Line, house: House) -> None:
        _open(at_home)
        (project,) = projects(house, stage=ProjectState.SMALL_BATCH_TRIAL, pack="funded")
        plan = ("--tranche", "T1:6000:G2", "--tranche", "R:4000:G5")
        terms = ("--amount", "1000000.01", "--starts", "today", "--category", "equipment=1000000.01")
        said = at_home("agreement", "draft", "F1", str(project), *terms, *plan, "--as", "fund_manager", "--json")
        number = said.document["number"]
        assert at_home("fund", "burn", "F1").rows == [["no day yet", "¥1,000,000.01", *["¥0.00"] * 4]]
        assert at_home("agreement", "list").rows[0][7] == "Not signed by both"
        for side in (Role.PROJECT_LEAD, Role.SPONSOR):
            assert at_home("agreement", "sign", number, "--as", side).code == 0
        (agreement,) = [row.id for row in house.rows("SELECT id FROM agreement")]
        (paper,) = papers(house, agreement)
        period = ("--from", "2025-07-08", "--until", "2025-07-08")
        stated = ("--category", "equipment=10.00", "--own-money", "3.00", "--evidence", paper)
        assert at_home("cost", "submit", number, *period, *stated, "--as", "finance_officer").code == 0
        twice = at_home(
            "cost", "submit", number, *period, *stated, "--category", "equipment=5", "--as", "finance_officer"
        )
        assert (twice.code, "“equipment” is given twice" in twice.err) == (2, True)
        accepted = ("--accepted", "10.00", "--accepted-own", "3.00")
        assert at_home("cost", "verify", f"{number}/1", *accepted, "--as", "certifier").code == 0
        report = ("--summary", "built", "--evidence", paper)
        at_home("milestone", "submit", f"{number}/T1", *report, "--as", "project_lead")

        accept = at_home("milestone", "accept", f"{number}/T1", "--reason", "seen", "--as", "coordinator", "--json")

        assert (accept.code, accept.document["state"]) == (0, "accepted")
        shown = at_home("agreement", "show", number, "--json").document
        assert (shown["standing"], shown["rate"]) == ("in_force", "100%")
        assert None not in (shown["signed_by_sme"], shown["signed_by_funder"])
        assert [row["amount_minor"] for row in shown["tranches"]] == [60_000_000, 40_000_001]
        assert [row["accepted"] for row in shown["costs"]] == ["¥10.00"]
        assert at_home("milestone", "list", "--state", "accepted").rows[0][1] == "T1"
        assert at_home("cost", "list").rows[0][0] == number
        assert at_home("milestone", "show", f"{number}/T1", "--lang", "zh-CN").code == 0
        assert at_home("cost", "show", f"{number}/1").code == 0
        assert at_home("agreement", "list", "--fund", "F1").rows[0][0] == number

    def test_is_supplemented_by_tranche(self, at_home: Line, house: House) -> None:
        agreements(house)
        number = house.one("SELECT number FROM agreement")
        change = ("--tranche", "T2:300000.00:G3:2025-12-01", "--reason", "later")

        said = at_home("agreement", "supplement", number, *change, "--as", "sponsor")

        assert said.code == 0
        assert house.one("SELECT due_on FROM milestone WHERE tranche = 'T2'") == "2025-12-01"
