"""Payouts in the console: the queue, the decision by two people, one word on several, the slip; and for programs."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest

from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from lifecycle.payouts.commands import Amend, Cancel, Reject, SendBack
from lifecycle.payouts.payees import ConfirmAccount, ProposeAccount
from models.states import Role
from tests import payments as pay
from tests.factories import House, ids_of, key
from tests.lifecycle.recipes import RECIPES
from tests.web.authenticator import with_app
from tests.web.browser import Browser
from tests.web.conftest import console_of, sign_in
from tests.web.test_api import Program
from web.pages import payouts_queue

MANAGER = Role.FUND_MANAGER
LARGE = 40_000_000
"""Four hundred thousand yuan: two people approve."""
SHOWN = "¥400,000.00"
PASSWORD = "correct horse battery"


def number(house: House, payout: UUID) -> str:
    """Return what people call a payout."""
    return str(house.one("SELECT number FROM v_payout WHERE id = :id", id=str(payout)))


def numbers(house: House) -> list[str]:
    """Return what people call all payouts."""
    return [row.number for row in house.rows("SELECT number FROM v_payout")]


def state(house: House) -> str:
    """Return where the one payout stands."""
    return str(house.one("SELECT state FROM v_payout"))


@pytest.fixture
def large(house: House) -> str:
    """Give the number of a payout that two people approve."""
    (made,) = pay.payouts(house, amount_minor=LARGE)
    return number(house, made)


class TestAReceipt:
    @pytest.mark.parametrize(("verb", "by"), [(Reject, MANAGER), (Cancel, Role.FINANCE_OFFICER)])
    def test_of_a_word_against_a_request_names_its_amount_and_payee(
        self, house: House, signed_in: Callable[..., Browser], verb: type[Reject], by: Role
    ) -> None:
        (payout,) = pay.payouts(house)
        told = verb(command_id=key(), payout_id=payout, reason="the invoice is wrong")
        house.do(told, by=by)

        text = signed_in("fund_manager").open(f"/receipts/{told.command_id}").text

        for said in ("¥100.00", "人民币壹佰元整", "the invoice is wrong", "Approvals 0 / 1"):
            assert said in text

    @pytest.mark.parametrize("verb", sorted(one for one in RECIPES if one.startswith("payout.")))
    def test_of_every_verb_names_the_amount(self, house: House, signed_in: Callable[..., Browser], verb: str) -> None:
        made = RECIPES[verb].make(house, 1)
        house.do(*made, by=RECIPES[verb].by)

        text = signed_in(Role.FUND_MANAGER).open(f"/receipts/{made[-1].command_id}").text

        assert "¥" in text
        assert ("Payee" in text) == (verb != "payout.send_back")  # whose form changes by it

    def test_shows_the_amount_of_the_day_and_nothing_of_what_was_amended_later(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (payout,) = pay.payouts(house)
        told = SendBack(command_id=key(), payout_id=payout, reason="look again")
        house.do(told, by=MANAGER)
        less = Amend(command_id=key(), payout_id=payout, reason="less", new_amount_minor=9_876)
        house.do(less, by=Role.FINANCE_OFFICER)

        text = signed_in("fund_manager").open(f"/receipts/{told.command_id}").text

        assert "¥100.00" in text
        for later in ("98.76", "Payee", "Approvals"):
            assert later not in text


class TestTheDecision:
    def test_is_made_by_two_people_who_each_type_the_amount(
        self, house: House, signed_in: Callable[..., Browser], large: str
    ) -> None:
        manager, director = signed_in("fund_manager"), signed_in("fund_director")

        manager.open("/payouts")
        assert "Waiting for me 1" in manager.page.text
        page = manager.follow(large)
        assert f"approve the payout {SHOWN} 人民币肆拾万元整" in page.text
        assert "as in the agreement ✓" in page.text
        assert "as planned ✓" in page.text
        assert "1 of 1 count" in page.text
        assert "approvals by different people: 2" in page.text
        assert page.text.index("Four eyes") < page.text.index("type the amount that will leave")

        page = manager.send("approve", amount_minor="400000")
        assert page.path.startswith("/receipts/")
        assert state(house) == "requested"
        director.open(f"/payouts/{large}")
        assert "approved 1 of 2" in director.page.text
        page = director.send("approve", amount_minor="400,000.00", remark="seen at the plant")
        assert page.path.startswith("/receipts/"), page.text
        for said in (SHOWN, "人民币肆拾万元整", "Approvals 2 / 2", "seen at the plant", "The money is reserved"):
            assert said in page.text
        assert state(house) == "approved"

    def test_is_refused_with_the_amount_typed_wrong_and_keeps_what_was_typed(
        self, house: House, signed_in: Callable[..., Browser], large: str
    ) -> None:
        manager = signed_in("fund_manager")
        manager.open(f"/payouts/{large}")

        page = manager.send("approve", amount_minor="40000", remark="seen it")

        assert page.status == 409
        assert page.title.startswith("Error: ")
        assert SHOWN in page.text
        sent = page.form("/decide").fields
        assert ("remark", "seen it") in sent
        assert ("amount_minor", "40000") in sent
        assert house.one("SELECT count(*) FROM v_approval") == 0

    @pytest.mark.parametrize("typed", ["", "abc"])
    def test_asks_for_the_amount(self, signed_in: Callable[..., Browser], large: str, typed: str) -> None:
        manager = signed_in("fund_manager")
        manager.open(f"/payouts/{large}")

        page = manager.send("approve", amount_minor=typed)

        assert page.status == 422
        assert page.link("Amount") == "#f-amount_minor"

    def test_of_one_person_stands_once(self, signed_in: Callable[..., Browser], large: str) -> None:
        manager = signed_in("fund_manager")
        manager.open(f"/payouts/{large}")
        manager.send("approve", amount_minor="400000")

        page = manager.open(f"/payouts/{large}")

        assert not [one for form in page.forms for one in form.buttons if one[2] == "approve"]
        assert "already" in page.text
        assert "Waiting for me 0" in manager.open("/payouts").text
        assert "Waiting for others 1" in manager.page.text

    def test_is_not_made_on_what_was_changed_meanwhile(
        self, house: House, signed_in: Callable[..., Browser], large: str
    ) -> None:
        manager = signed_in("fund_manager")
        manager.open(f"/payouts/{large}")
        payout = UUID(house.one("SELECT id FROM v_payout"))
        change = Amend(command_id=key(), payout_id=payout, reason="less", new_amount_minor=LARGE - 100)
        house.do(change, by=Role.FINANCE_OFFICER)

        page = manager.send("approve", amount_minor="400000")

        assert page.status == 412
        assert "What others changed" in page.text
        assert "¥399,999.00" in page.text
        assert house.one("SELECT count(*) FROM v_approval") == 0

    @pytest.mark.parametrize("verb", ["send-back", "reject"])
    def test_against_a_payout_needs_a_reason(
        self, house: House, signed_in: Callable[..., Browser], large: str, verb: str
    ) -> None:
        manager = signed_in("fund_manager")
        manager.open(f"/payouts/{large}")

        assert manager.send(verb).status == 422
        assert manager.send(verb, remark="the count is wrong").path.startswith("/receipts/")

        assert house.one("SELECT reason FROM payout") == "the count is wrong"

    def test_is_for_nobody_who_asked_for_it(self, signed_in: Callable[..., Browser], large: str) -> None:
        page = signed_in("finance_officer").open(f"/payouts/{large}")

        assert page.status == 200
        assert "approve" not in [one[2] for form in page.forms for one in form.buttons]
        assert "The fund after" not in page.text

    def test_shows_an_account_that_was_changed_and_asks_who_called_back(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (milestone,) = pay.accepted(house)
        pay.payee(house)
        house.later(days=1)
        named: dict[str, Any] = {**pay.ACCOUNT, "account_number": "6222 0202 0099 8877"}
        proposed = ProposeAccount(command_id=key(), organisation_id=house.parties["sme"], **named)
        (account,) = ids_of(house.do(proposed, by=Role.FINANCE_OFFICER))
        house.do(ConfirmAccount(command_id=key(), payee_account_id=account, called="Mrs Lin"), by=Role.ACCOUNTANT)
        house.later(days=8)
        asked = pay.request(house, milestone, payee_account_id=account)
        (made,) = ids_of(house.do(asked, by=Role.FINANCE_OFFICER))
        with ExitStack() as stack:
            manager = stack.enter_context(Browser(console_of(house)))
            sign_in(manager, "fund_manager")
            page = manager.open(f"/payouts/{number(house, made)}")
            assert "The account was changed on" in page.text
            assert "ending in 2233" in page.text

            refused = manager.send("approve")
            assert (refused.status, state(house)) == (409, "requested")
            assert "call the firm back on a number known before" in refused.text
            manager.send("approve", callback_by="Lin", callback_at="2025-07-15 10:00")

        assert state(house) == "approved"
        detail = house.one("SELECT body FROM audit_record WHERE action = 'payout.approve'")
        assert '"by":"Lin"' in detail


class TestSteppingUp:
    @pytest.fixture
    def manager(self, house: House) -> Any:
        """Give a manager who has signed in with a password, at a console that is no demonstration."""
        own = house.people[MANAGER].user_id
        house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed(PASSWORD)), by=MANAGER)
        with Browser(console_of(house, is_demo=False)) as found:
            found.open("/login")
            found.send("Sign in", login="fund_manager", password=PASSWORD)
            yield found

    def test_is_asked_for_on_the_form_of_the_decision_itself(self, house: House, manager: Browser, large: str) -> None:
        manager.open(f"/payouts/{large}")

        without = manager.send("approve", amount_minor="400000")
        assert without.status == 403
        assert "Prove once more who you are" in without.text
        wrong = manager.send("approve", password="wrong and long enough")
        assert wrong.status == 401
        assert ("amount_minor", "400000") in wrong.form("/decide").fields
        assert house.one("SELECT count(*) FROM v_approval") == 0

        assert manager.send("approve", password=PASSWORD).path.startswith("/receipts/")
        assert house.one("SELECT count(*) FROM v_approval") == 1

    def test_asks_for_the_second_factor_there_of_who_has_one(self, house: House, manager: Browser, large: str) -> None:
        secret = with_app(manager, house, PASSWORD)
        house.now += timedelta(minutes=6)
        with Browser(console_of(house, is_demo=False)) as later:
            later.client.cookies = manager.client.cookies
            page = later.open(f"/payouts/{large}")
            assert "password" not in page.form("/decide").names

            wrong = later.send("approve", amount_minor="400000", proof_code="000000")
            assert wrong.status == 401
            assert ("amount_minor", "400000") in wrong.form("/decide").fields
            done = later.send("approve", proof_code=pyotp.TOTP(secret).at(house.now))

        assert done.path.startswith("/receipts/")
        assert house.one("SELECT count(*) FROM v_approval") == 1

    def test_is_not_needed_to_refuse(self, house: House, manager: Browser, large: str) -> None:
        manager.open(f"/payouts/{large}")

        assert manager.send("reject", remark="no").path.startswith("/receipts/")

        assert state(house) == "rejected"

    def test_is_asked_of_programs_too(self, house: House, manager: Browser, large: str) -> None:
        csrf = dict(manager.open("/payouts").forms[0].fields)["csrf"]
        row = house.rows("SELECT version, payload_hash FROM v_payout")[0]
        headers = {
            "idempotency-key": key(),
            "if-match": f'"{row.version}"',
            "x-csrf-token": csrf,
            "sec-fetch-site": "same-origin",
        }
        called = {"by": "Lin", "at": "2025-07-08 10:00"}
        body = {"amount_minor": LARGE, "payload_hash": row.payload_hash, "callback": called}
        path = f"/api/v1/payouts/{large}/commands/approve"

        refused = manager.ask("POST", path, json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
        proven = manager.ask("POST", "/api/v1/session/step-up", json={"password": PASSWORD}, headers=headers)
        assert proven.status_code == 200
        assert manager.ask("POST", path, json=body, headers=headers).status_code == 200

    def test_is_nothing_that_a_token_can_do(self, house: House, browser: Browser, large: str) -> None:
        program = Program(house, browser, "fund_manager")
        row = house.rows("SELECT version, payload_hash FROM v_payout")[0]

        answer = program.post(
            f"payouts/{large}/commands/approve",
            {"amount_minor": LARGE, "payload_hash": row.payload_hash},
            idempotency_key=key(),
            if_match=f'"{row.version}"',
        )

        assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
        refused = "SELECT count(*) FROM v_audit WHERE action = 'payout.approve.refused' AND door = 'api'"
        assert house.one(refused) == 1
        said = {one["name"]: one for one in program.get(f"payouts/{large}/commands").json()}
        assert [reason["code"] for reason in said["approve"]["reasons"]] == ["step_up_required"]


class TestOneWordOnSeveral:
    def test_shows_list_and_total_first_and_takes_the_total_typed_again(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        made = pay.payouts(house, 2)
        manager = signed_in("fund_manager")
        manager.open("/payouts")
        page = manager.send("Approve those chosen", id=[str(one) for one in made])
        assert "Approve together ¥200.00 2 payouts" in page.text

        assert "¥200.00" in manager.send("Approve 2 payouts", total="100").text
        assert manager.page.status == 409
        assert house.one("SELECT count(*) FROM v_approval") == 0
        page = manager.send("Approve 2 payouts", total="200")

        assert "Approved together" in page.text
        assert {row.state for row in house.rows("SELECT state FROM v_payout")} == {"approved"}

    def test_is_for_all_or_none(self, house: House, signed_in: Callable[..., Browser]) -> None:
        first, second = pay.payouts(house, 2)
        manager = signed_in("fund_manager")
        manager.open(f"/payouts/together?word=approve&id={first}&id={second}")
        pay.approve(house, second, by=MANAGER)

        page = manager.send("Approve 2 payouts", total="200")

        assert page.status in (403, 409, 412)
        assert number(house, second) in page.text
        assert house.one("SELECT state FROM v_payout WHERE id = :id", id=str(first)) == "requested"

    def test_is_not_given_where_several_people_approve(self, signed_in: Callable[..., Browser], large: str) -> None:
        manager = signed_in("fund_manager")
        page = manager.open("/payouts")

        assert not [one for form in page.forms for one in form.buttons if one[2] == "approve"]

    def test_releases_what_is_approved(self, house: House, signed_in: Callable[..., Browser]) -> None:
        made = pay.payouts(house, 2, pack="strict")
        pay.certify(house, *made)
        pay.approve(house, *made)
        payer = signed_in("payer")
        payer.open("/payouts")
        payer.send("Release those chosen", id=[str(one) for one in made])

        page = payer.send("Release 2 payouts", total="200.00")

        assert "Released together" in page.text
        assert house.one("SELECT count(*) FROM v_approval WHERE decision = 'release'") == 2

    def test_says_after_the_release_that_the_next_run_pays(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (one,) = pay.payouts(house, 1, pack="strict")
        pay.certify(house, one)
        pay.approve(house, one)
        payer = signed_in("payer")
        payer.open(f"/payouts/{number(house, one)}/do/release")

        page = payer.send("release the payout ¥100.00")

        assert "It is released: the next payment run" in page.text
        assert "when the payer has released it" not in page.text

    def test_is_the_same_for_programs(self, house: House, signed_in: Callable[..., Browser]) -> None:
        first, second = pay.payouts(house, 2)
        manager = signed_in("fund_manager")
        token = dict(manager.open("/payouts").forms[0].fields)["csrf"]
        seen = {row.id: row for row in house.rows("SELECT id, version, payload_hash FROM v_payout")}
        items = [
            {"id": str(one), "version": seen[str(one)].version, "payload_hash": seen[str(one)].payload_hash}
            for one in (first, second)
        ]
        headers = {"x-csrf-token": token, "sec-fetch-site": "same-origin"}

        def post(body: Any, query: str = "") -> Any:
            own = {**headers, "idempotency-key": key()}
            return manager.ask("POST", f"/api/v1/payouts/commands/approve{query}", json=body, headers=own)

        assert post({"items": items, "total_minor": 20_000}).json()["code"] == "step_up_required"
        manager.open(f"/payouts/together?word=approve&id={first}&id={second}")
        manager.send("Approve 2 payouts", total="1")  # refused, but whoever sent it has stepped up
        assert post({"items": items, "total_minor": 19_999}).json()["code"] == "total_differs"
        stale = [{**items[0], "version": 99}, items[1]]
        refused = post({"items": stale, "total_minor": 20_000})
        assert [one["id"] for one in refused.json()["items"]] == [str(first)]
        rehearsed = post({"items": items, "total_minor": 20_000}, "?dry_run=true")
        assert [one["dry_run"] for one in rehearsed.json()["items"]] == [True, True]
        assert house.one("SELECT count(*) FROM v_approval") == 0
        assert post({"items": items, "total_minor": 20_000}).status_code == 200
        assert {row.state for row in house.rows("SELECT state FROM v_payout")} == {"approved"}


class TestTheSlip:
    def test_says_what_the_command_line_prints(self, signed_in: Callable[..., Browser], large: str) -> None:
        page = signed_in("fund_manager", lang="zh-CN").open(f"/payouts/{large}/slip")

        assert f"付款审批单 {large}" in page.text
        assert "人民币肆拾万元整" in page.text
        assert "****2233" in page.text
        assert "6222" not in page.text


class TestTheQueue:
    @pytest.mark.parametrize(
        ("login", "status"),
        [("fund_manager", 200), ("certifier", 200), ("coordinator", 200), ("auditor", 200), ("operator", 403)],
    )
    def test_is_for_who_has_a_part_in_the_money(
        self, signed_in: Callable[..., Browser], large: str, login: str, status: int
    ) -> None:
        visitor = signed_in(login)

        assert visitor.open("/payouts?tab=others").status == status
        assert visitor.open(f"/payouts/{large}").status == (200 if status == 200 else 404)

    @pytest.mark.parametrize("login", ["stranger", "other.coordinator", "nobody", "expert"])
    def test_shows_nothing_of_others(self, signed_in: Callable[..., Browser], large: str, login: str) -> None:
        visitor = signed_in(login)

        assert large not in visitor.open("/payouts?tab=others").text
        assert visitor.open(f"/payouts/{large}").status == 404
        assert visitor.open(f"/payouts/{large}/slip").status == 404
        assert visitor.ask("GET", f"/api/v1/payouts/{large}").status_code == 404

    def test_says_why_it_is_empty(self, signed_in: Callable[..., Browser]) -> None:
        assert (
            "The payouts that wait for you stand here. None does now."
            in signed_in("fund_manager").open("/payouts").text
        )

    def test_finds_by_firm_and_number(self, signed_in: Callable[..., Browser], large: str) -> None:
        manager = signed_in("fund_manager")

        assert large in manager.open(f"/payouts?q={large[-4:]}").text
        assert "Nothing fits" in manager.open("/payouts?q=nothing").text


class TestTheCounts:
    """Counted and added up as far as is said; where there are more, the page says so and names no sum."""

    @pytest.mark.parametrize("login", ["fund_manager", "auditor", "coordinator"])
    def test_are_exact_or_say_that_there_are_more(
        self, house: House, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch, login: str
    ) -> None:
        pay.payouts(house, 3, state="approved")
        visitor = signed_in(login)
        exact = visitor.open("/payouts?tab=approved").text
        assert "Approved 3 " in exact
        assert "3 payouts, in all ¥300.00" in exact

        monkeypatch.setattr(payouts_queue, "COUNTED", 2)
        more = visitor.open("/payouts?tab=approved").text

        assert "Approved 2+ " in more
        assert "At least 2 payouts: so many are not added up." in more
        assert "¥300.00" not in more
        assert all(one in more for one in numbers(house))

    def test_of_more_than_is_asked_about_lead_to_all_of_them(
        self, house: House, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = pay.payouts(house, 5)
        pay.approve(house, made[1])
        monkeypatch.setattr(payouts_queue, "ASKED", 2)
        visitor = signed_in("fund_manager")

        pages = [visitor.open("/payouts")]
        assert "Waiting for me 2+ " in pages[0].text or "Waiting for me 1+ " in pages[0].text
        assert "so many are not added up" in pages[0].text
        seen = [pages[0].text]
        while "Next page" in seen[-1]:
            seen.append(visitor.follow("Next page").text)

        waiting = house.rows("SELECT number FROM v_payout WHERE state = 'requested' ORDER BY number")
        assert [row.number for row in waiting if not any(row.number in page for page in seen)] == []
        assert len(waiting) == 4
        assert all(row.number not in visitor.open("/payouts?tab=others").text for row in waiting)
        in_file = visitor.ask("GET", "/payouts.json").json()["data"]
        assert [one["number"] for one in in_file] == [row.number for row in waiting]


class TestAmending:
    def test_by_a_program_says_the_amount_as_the_contract_does(
        self, house: House, browser: Browser, large: str
    ) -> None:
        program = Program(house, browser, "finance_officer")
        version = house.one("SELECT version FROM v_payout")

        answer = program.post(
            f"payouts/{large}/commands/amend",
            {"amount_minor": LARGE - 1, "reason": "one less"},
            idempotency_key=key(),
            if_match=f'"{version}"',
        )

        assert answer.status_code == 200, answer.text
        assert house.one("SELECT amount_minor FROM v_payout") == LARGE - 1


class TestAsking:
    def test_by_a_program_repeats_what_the_tranche_is(self, house: House, browser: Browser) -> None:
        (milestone,) = pay.accepted(house)
        account = pay.payee(house)
        program = Program(house, browser, "finance_officer")
        row = house.rows("SELECT project_id, currency FROM v_milestone WHERE id = :id", id=str(milestone))[0]
        body = {
            "project_id": row.project_id,
            "milestone_id": str(milestone),
            "payee_account_id": str(account),
            "amount_minor": 7_000,
            "currency": row.currency,
            "purpose": "milestone",
        }

        wrong = program.post("payouts", {**body, "currency": "EUR"}, idempotency_key=key())
        (fault,) = wrong.json()["errors"]
        assert (wrong.status_code, fault["pointer"], fault["code"]) == (422, "/currency", "value_wrong")
        made = program.post("payouts", body, idempotency_key=key())

        assert made.status_code == 201
        assert made.json()["state"] == "requested"


class TestExplaining:
    def test_counts_the_money_of_a_payout_once_however_many_verbs_are_asked_about(
        self, signed_in: Callable[..., Browser], large: str
    ) -> None:
        """Its fund has five million, its tranche its own amount: neither holds it for each verb."""
        answer = signed_in("fund_manager").ask("GET", f"/api/v1/payouts/{large}/commands")

        said = {one["name"]: one for one in answer.json()}

        assert said["approve"]["allowed"], said["approve"]["reasons"]
        assert said["send-back"]["allowed"]


class TestTheSearch:
    def test_opens_what_has_this_number_for_who_may_see_it(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (one,) = pay.payouts(house, 1)
        payout, agreement = number(house, one), house.one("SELECT number FROM agreement")
        manager, stranger = signed_in("fund_manager"), signed_in("stranger")

        assert manager.open(f"/search?q={payout.lower()}").path == f"/payouts/{payout}"
        assert manager.open(f"/search?q={agreement}").path == f"/agreements/{agreement}"
        assert "Nothing fits" in stranger.open(f"/search?q={payout}").text
