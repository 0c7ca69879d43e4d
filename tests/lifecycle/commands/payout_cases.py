"""Refusals of the verbs of payouts, accounts of payees, payment batches, statements and cases."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from flows.claims import claim_batch
from lifecycle.agreements.commands import SupplementAgreement
from lifecycle.disbursement.commands import Freeze
from lifecycle.exceptions.proposal import Action
from lifecycle.funds.commands import Contribute, HoldFund, SetLimit, SetTiers, Tier
from lifecycle.payouts.batches import Settle
from lifecycle.payouts.commands import Approve, Certify, Instruct, Reapprove, Reject, Release, SendBack
from lifecycle.payouts.payees import ConfirmAccount, ProposeAccount, RetireAccount
from lifecycle.payouts.statements import TakeLines
from lifecycle.payouts.taking_back import TakeBack
from lifecycle.payouts.write_off import WriteOff
from lifecycle.people.commands import AddOrganisation, DisableUser, GrantRole, TieOrganisations
from lifecycle.projects.commands import Assign, Stop
from lifecycle.requirements.commands import WithdrawEvidence
from models.db import transaction
from models.ids import new_id
from models.money import MAX_MINOR
from models.states import BankEventKind, BankSource, OrganisationKind, Role
from tests import factories as make
from tests import payments as pay
from tests.factories import House, key
from tests.lifecycle.commands.refusals import again, done, made, on, refused, wrong

NOWHERE = UUID(int=5)
TWO_NEEDED = 30_000_001
"""From here on two people approve."""


def edit(house: House, sql: str) -> None:
    with transaction(house.engine) as session:
        session.execute(text(sql))


def a_second_account(house: House, *, is_confirmed: bool) -> UUID:
    """Return another account of the firm that has one already."""
    make.agreements(house, 1)
    pay.payee(house)
    values: dict[str, Any] = {**pay.ACCOUNT, "account_number": "9999"}
    propose = ProposeAccount(command_id=key(), organisation_id=house.parties["sme"], **values)
    (account,) = make.ids_of(house.do(propose, by=Role.FINANCE_OFFICER))
    if is_confirmed:
        house.do(on(ConfirmAccount, account, called="021"), by=Role.ACCOUNTANT)
    return account


def also(house: House, name: str, role: Role, party: str) -> None:
    """Give somebody one more role."""
    user, organisation = house.people[name].user_id, house.parties[party]
    grant = GrantRole(command_id=key(), user_id=user, role=role, organisation_id=organisation)
    house.do(grant, by=Role.ADMIN)


def approve(payout: UUID, amount_minor: int = pay.AMOUNT, **more: Any) -> Approve:
    return on(Approve, payout, amount_minor=amount_minor, **more)  # type: ignore[no-any-return]


# Asked for

wrong("payout.request", "amount_not_positive", new_amount_minor=0)
wrong("payout.request", "amount_not_positive", new_amount_minor=-1)
wrong("payout.request", "milestone_exceeded", new_amount_minor=40_000_001)
wrong("payout.request", "payee_of_another", payee_account_id=NOWHERE)
wrong("payout.request", "evidence_not_current", new_evidence=("f" * 64,))
wrong("payout.request", "evidence_not_current", minute_sha256="f" * 64)


@refused("payout.request", "milestone_exceeded")
def _together_one_fen_more_than_the_tranche(house: House) -> Any:
    first = done(house, "payout.request", new_amount_minor=30_000_000)
    return again("payout.request", first, new_amount_minor=10_000_001)


@refused("payout.request", "payee_retired")
def _to_a_retired_account(house: House) -> Any:
    command = made(house, "payout.request")
    house.do(on(RetireAccount, command.payee_account_id, reason="closed"), by=Role.ACCOUNTANT)
    return command


@refused("payout.request", "milestone_not_accepted")
def _before_the_milestone_is_accepted(house: House) -> Any:
    return pay.request(house, make.tranches(house, *make.agreements(house))[0])


@refused("payout.request", "project_ended")
def _of_a_stopped_project(house: House) -> Any:
    command = made(house, "payout.request")
    project = UUID(house.one("SELECT project_id FROM v_milestone WHERE id = :id", id=str(command.milestone_id)))
    house.do(Stop(command_id=key(), project_id=project, code="misuse", reason="why"), by=Role.FUND_MANAGER)
    return command


@refused("payout.request", "project_on_hold")
def _of_a_held_project(house: House) -> Any:
    command = made(house, "payout.request")
    project = house.one("SELECT project_id FROM v_milestone WHERE id = :id", id=str(command.milestone_id))
    make.put_on_hold(house, UUID(project))
    return command


@refused("payout.request", "fund_on_hold")
def _of_a_held_fund(house: House) -> Any:
    command = made(house, "payout.request")
    hold = on(HoldFund, pay.fund_of(house, command.milestone_id), code="audit", reason="why", until_on=house.today)
    house.do(hold, by=Role.FUND_DIRECTOR)
    return command


@refused("payout.request", "fund_closed")
def _of_a_closed_fund(house: House) -> Any:
    command = made(house, "payout.request")
    edit(house, "UPDATE fund SET status = 'closed'")  # no fund with an active agreement can be closed
    return command


@refused("payout.request", "agreement_not_in_force")
def _while_a_supplement_waits_for_signatures(house: House) -> Any:
    command = made(house, "payout.request")
    agreement = house.one("SELECT agreement_id FROM v_milestone WHERE id = :id", id=str(command.milestone_id))
    house.do(on(SupplementAgreement, UUID(agreement), amount_minor=110_000_000, reason="why"), by=Role.SPONSOR)
    return command


wrong("payout.amend", "reason_missing", reason=" ")
wrong("payout.amend", "milestone_exceeded", new_amount_minor=40_000_001)
wrong("payout.amend", "evidence_not_current", new_evidence=("f" * 64,))
wrong("payout.cancel", "reason_missing", reason="")
wrong("payout.reject", "reason_missing", reason="")
wrong("payout.send_back", "reason_missing", reason="")


@refused("payout.cancel", "cancel_not_possible_when_instructed")
def _cancelled_when_the_bank_has_it(house: House) -> Any:
    return made(house, "payout.cancel", payout_id=pay.payouts(house, state="instructed")[0])


# Decided

wrong("payout.approve", "amount_differs", amount_minor=pay.AMOUNT + 1)
wrong("payout.approve", "payload_changed", payload_hash="0" * 64)
wrong("payout.certify", "amount_differs", amount_minor=1)
wrong("payout.certify", "payload_changed", payload_hash="0" * 64)
wrong("payout.reapprove", "amount_differs", amount_minor=1)


@refused("payout.approve", "already_decided")
def _approved_twice_by_one(house: House) -> Any:
    (one,) = pay.payouts(house, amount_minor=TWO_NEEDED)
    pay.approve(house, one, amount_minor=TWO_NEEDED)
    return approve(one, TWO_NEEDED)


@refused("payout.approve", "already_decided", by="other self")
def _approved_twice_with_another_account(house: House) -> Any:
    (one,) = pay.payouts(house, amount_minor=TWO_NEEDED)
    pay.approve(house, one, amount_minor=TWO_NEEDED)
    manager = house.people[Role.FUND_MANAGER]
    (user,) = make.ids_of(house.do(made(house, "user.add", person_id=manager.person_id), by=Role.ADMIN))
    house.people["other self"] = type(manager)(user_id=user, person_id=manager.person_id, name="x", door=manager.door)
    also(house, "other self", Role.FUND_DIRECTOR, "funder")
    return approve(one, TWO_NEEDED)


@refused("payout.approve", "approve_not_possible_when_approved")
def _approved_already(house: House) -> Any:
    return approve(pay.payouts(house, state="approved")[0])


@refused("payout.approve", "four_eyes", "conflict_of_interest", by=Role.FINANCE_OFFICER)
def _approved_by_who_asked(house: House) -> Any:
    (one,) = pay.payouts(house)
    also(house, Role.FINANCE_OFFICER, Role.FUND_MANAGER, "funder")
    return approve(one)


@refused("payout.approve", "four_eyes", by=Role.ACCOUNTANT)
def _approved_by_who_confirmed_the_account(house: House) -> Any:
    (one,) = pay.payouts(house)
    also(house, Role.ACCOUNTANT, Role.FUND_MANAGER, "funder")
    return approve(one)


@refused("payout.approve", "four_eyes", by="nobody")
def _approved_by_who_certified(house: House) -> Any:
    (one,) = pay.payouts(house)
    also(house, "nobody", Role.CERTIFIER, "funder")
    house.do(on(Certify, one, amount_minor=pay.AMOUNT), by="nobody")
    also(house, "nobody", Role.FUND_MANAGER, "funder")
    return approve(one)


@refused("payout.approve", "four_eyes", by=Role.CERTIFIER)
def _approved_by_who_accepted_the_milestone(house: House) -> Any:
    (one,) = pay.payouts(house)
    also(house, Role.CERTIFIER, Role.FUND_MANAGER, "funder")
    return approve(one)


@refused("payout.approve", "four_eyes", by=Role.TECHNICAL_MANAGER)
def _approved_by_a_member_of_the_team(house: House) -> Any:
    (one,) = pay.payouts(house)
    project = UUID(house.one("SELECT project_id FROM v_payout"))
    make.name_members(house, project, roles=(Role.TECHNICAL_MANAGER,))
    also(house, Role.TECHNICAL_MANAGER, Role.FUND_MANAGER, "funder")
    return approve(one)


@refused("payout.approve", "conflict_of_interest")
def _approved_by_somebody_of_the_firm(house: House) -> Any:
    (one,) = pay.payouts(house)
    also(house, Role.FUND_MANAGER, Role.PROCESS_ENGINEER, "sme")
    return approve(one)


def stand_behind_the_wall(house: House, fund: UUID, name: str) -> None:
    """Give somebody a part at an investor of the fund that controls an owner of the firm."""
    investor = house.parties["other firm"]
    (owner,) = make.ids_of(
        house.do(AddOrganisation(command_id=key(), name="holding", kind=OrganisationKind.SME), by=Role.ADMIN)
    )
    control = TieOrganisations(command_id=key(), organisation_id=investor, other_id=owner, is_common_control=True)
    firm = house.parties["sme"]
    share = TieOrganisations(command_id=key(), organisation_id=owner, other_id=firm, share_basis_points=6000)
    house.do(control, share, by=Role.ADMIN)
    make.sources(house, fund)
    also(house, name, Role.PROJECT_LEAD, "other firm")


@refused("payout.approve", "conflict_of_interest")
def _approved_by_somebody_of_an_investor_that_holds_the_firms_owner(house: House) -> Any:
    (one,) = pay.payouts(house)
    stand_behind_the_wall(house, pay.payer_of(house, one), Role.FUND_MANAGER)
    return approve(one)


@refused("payout.reject", "four_eyes", "conflict_of_interest", by=Role.FINANCE_OFFICER)
def _refused_by_who_asked(house: House) -> Any:
    (one,) = pay.payouts(house)
    also(house, Role.FINANCE_OFFICER, Role.FUND_MANAGER, "funder")
    return on(Reject, one, reason="why")


@refused("payout.send_back", "conflict_of_interest")
def _sent_back_by_somebody_of_the_firm(house: House) -> Any:
    (one,) = pay.payouts(house)
    also(house, Role.FUND_MANAGER, Role.PROCESS_ENGINEER, "sme")
    return on(SendBack, one, reason="why")


@refused("payout.approve", "not_certified")
def _approved_before_it_is_certified(house: House) -> Any:
    return approve(pay.payouts(house, pack="strict")[0])


@refused("payout.approve", "over_limit")
def _approved_above_ones_own_limit(house: House) -> Any:
    (one,) = pay.payouts(house)
    user = house.people[Role.FUND_MANAGER].user_id
    limit = on(SetLimit, pay.payer_of(house, one), user_id=user, up_to_minor=pay.AMOUNT - 1, reason="new")
    house.do(limit, by=Role.FUND_DIRECTOR)
    return approve(one)


@refused("payout.request", "tiers_missing")
def _asked_of_a_fund_without_tiers(house: House) -> Any:
    command = made(house, "payout.request")
    edit(house, "DELETE FROM approval_tier")
    return command


@refused("payout.approve", "tiers_missing")
def _approved_where_nobody_knows_by_how_many(house: House) -> Any:
    (one,) = pay.payouts(house)
    edit(house, "DELETE FROM approval_tier")
    return approve(one)


@refused("payout.approve", "limit_unreadable")
def _approved_where_no_limit_can_be_read(house: House) -> Any:
    (one,) = pay.payouts(house)
    edit(house, "DELETE FROM approval_limit")
    return approve(one)


def _of_the_highest_tier(house: House) -> UUID:
    (milestone,) = pay.accepted(house)
    tier = Tier(up_to_minor=MAX_MINOR, approvers_needed=1, is_director_needed=True, is_minute_needed=True)
    house.do(on(SetTiers, pay.fund_of(house, milestone), tiers=(tier,), reason="why"), by=Role.SPONSOR)
    return make.ids_of(house.do(pay.request(house, milestone), by=Role.FINANCE_OFFICER))[0]


@refused("payout.approve", "minute_missing", "director_missing")
def _approved_without_director_and_minute(house: House) -> Any:
    return approve(_of_the_highest_tier(house))


@refused("payout.approve", "director_missing")
def _approved_without_a_director(house: House) -> Any:
    one = _of_the_highest_tier(house)
    (minute,) = pay.minutes_of(house, one)
    return approve(one, minute_sha256=minute)


@refused("payout.approve", "evidence_not_current", "director_missing")
def _approved_on_a_minute_that_is_not_there(house: House) -> Any:
    return approve(_of_the_highest_tier(house), minute_sha256="the committee agreed")


@refused("payout.approve", "evidence_not_current", "director_missing")
def _approved_on_a_minute_of_another_project(house: House) -> Any:
    one = _of_the_highest_tier(house)
    (minute,) = pay.minutes_of(house, *pay.payouts(house))
    return approve(one, minute_sha256=minute)


@refused("payout.approve", "insufficient_funds")
def _approved_without_money(house: House) -> Any:
    (one,) = pay.payouts(house)
    back = {"amount_minor": 1 - pay.PAID_IN, "received_on": house.today, "note": "back"}
    house.do(on(Contribute, pay.payer_of(house, one), **back), by=Role.ACCOUNTANT)
    return approve(one)


@refused("payout.approve", "payee_not_confirmed")
def _approved_for_an_account_nobody_confirmed(house: House) -> Any:
    asked = made(house, "payout.request", payee_account_id=a_second_account(house, is_confirmed=False))
    return approve(make.ids_of(house.do(asked, by=Role.FINANCE_OFFICER))[0])


@refused("payout.approve", "payee_cooling_off", "callback_needed")
def _approved_for_an_account_just_changed(house: House) -> Any:
    asked = made(house, "payout.request", payee_account_id=a_second_account(house, is_confirmed=True))
    return approve(make.ids_of(house.do(asked, by=Role.FINANCE_OFFICER))[0])


@refused("payout.approve", "callback_needed")
def _approved_for_a_changed_account_that_nobody_called_back_about(house: House) -> Any:
    return approve(_to_a_changed_account(house), callback_by="Lin", callback_at=" ")


@refused("payout.reapprove", "callback_needed")
def _approved_once_more_with_the_call_back_of_the_time_before(house: House) -> Any:
    one = _to_a_changed_account(house)
    house.do(approve(one, callback_by="Lin", callback_at="10:00"), by=Role.FUND_MANAGER)
    pay.instruct(house, one)
    pay.tell(house, one, kind="settle")
    pay.tell(house, one, kind="return")
    return on(Reapprove, one, amount_minor=pay.AMOUNT)


@refused("payout.release", "callback_void")
def _released_when_who_called_back_may_not_approve_any_more(house: House) -> Any:
    one = _to_a_changed_account(house)
    house.do(approve(one, callback_by="Lin", callback_at="10:00"), by=Role.FUND_MANAGER)
    house.do(on(DisableUser, house.people[Role.FUND_MANAGER].user_id), by=Role.ADMIN)
    return on(Release, one)


@refused("payout.instruct", "callback_void", "approvals_missing")
def _paid_when_who_called_back_may_not_approve_any_more(house: House) -> Any:
    return instruct(_released_when_who_called_back_may_not_approve_any_more(house).payout_id)


def _to_a_changed_account(house: House) -> UUID:
    """Return a request to a second account of the firm that has cooled off; nobody has called back since."""
    (milestone,) = pay.accepted(house)
    pay.payee(house)
    account = a_second_account(house, is_confirmed=True)
    house.later(days=7)
    asked = pay.request(house, milestone, payee_account_id=account)
    (one,) = make.ids_of(house.do(asked, by=Role.FINANCE_OFFICER))
    return one


@refused("payout.approve", "payload_changed", "evidence_not_current")
def _approved_on_evidence_that_was_withdrawn(house: House) -> Any:
    (one,) = pay.payouts(house)
    withdraw_evidence(house)
    return approve(one)


def withdraw_evidence(house: House, sha256: str = "") -> None:
    """Take back a file, or all of them."""
    for row in house.rows("SELECT id, object_id, sha256 FROM v_evidence"):
        if sha256 not in ("", row.sha256):
            continue
        withdraw = WithdrawEvidence(
            command_id=key(), project_id=UUID(row.object_id), evidence_id=UUID(row.id), reason="wrong file"
        )
        house.do(withdraw, by=Role.PROJECT_LEAD)


@refused("payout.reapprove", "reapprove_not_possible_when_requested")
def _approved_once_more_what_never_came_back(house: House) -> Any:
    return on(Reapprove, pay.payouts(house)[0], amount_minor=pay.AMOUNT)


@refused("payout.certify", "already_decided")
def _certified_twice(house: House) -> Any:
    return again("payout.certify", done(house, "payout.certify"))


@refused("payout.certify", "approved_already")
def _certified_after_an_approval(house: House) -> Any:
    (one,) = pay.payouts(house, amount_minor=TWO_NEEDED)
    pay.approve(house, one, amount_minor=TWO_NEEDED)
    return on(Certify, one, amount_minor=TWO_NEEDED)


@refused("payout.certify", "certify_not_possible_when_cancelled")
def _certified_when_it_is_cancelled(house: House) -> Any:
    return on(Certify, pay.payouts(house, state="cancelled")[0], amount_minor=pay.AMOUNT)


@refused("payout.release", "already_decided")
def _released_twice(house: House) -> Any:
    return again("payout.release", done(house, "payout.release"))


@refused("payout.release", "release_not_possible_when_paid")
def _released_when_it_is_paid(house: House) -> Any:
    return on(Release, pay.payouts(house, state="paid")[0])


@refused("payout.release", "release_not_possible_when_requested")
def _released_before_it_is_approved(house: House) -> Any:
    return on(Release, pay.payouts(house)[0])


@refused("payout.release", "four_eyes", by=Role.FUND_MANAGER)
def _released_by_who_approved(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    also(house, Role.FUND_MANAGER, Role.PAYER, "funder")
    return on(Release, one)


@refused("payout.release", "four_eyes", by=Role.ACCOUNTANT)
def _released_by_who_confirmed_the_account(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    also(house, Role.ACCOUNTANT, Role.PAYER, "funder")
    return on(Release, one)


# The last gate


def instruct(payout: UUID) -> Any:
    return on(Instruct, payout, batch_id=new_id())


def released_under_the_strict_standard(house: House) -> list[UUID]:
    """Return a payout that was certified, approved and released."""
    made = pay.payouts(house, pack="strict")
    pay.certify(house, *made)
    pay.approve(house, *made)
    pay.release(house, *made)
    return made


@refused("payout.instruct", "not_released")
def _paid_before_it_is_released(house: House) -> Any:
    (one,) = pay.payouts(house, pack="strict")
    pay.certify(house, one)
    pay.approve(house, one)
    return instruct(one)


@refused("payout.instruct", "not_released")
def _paid_on_the_release_of_who_confirmed_the_account(house: House) -> Any:
    (one,) = released_under_the_strict_standard(house)
    same = "(SELECT person_id FROM app_user WHERE login = 'accountant')"
    edit(house, f"UPDATE app_user SET person_id = {same} WHERE login = 'payer'")  # found to be one human
    return instruct(one)


@refused("payout.instruct", "not_released")
def _paid_on_the_release_of_a_payer_who_left(house: House) -> Any:
    (one,) = pay.payouts(house, pack="strict")
    pay.certify(house, one)
    pay.approve(house, one)
    also(house, "nobody", Role.PAYER, "funder")
    house.do(on(Release, one), by="nobody")
    house.do(DisableUser(command_id=key(), user_id=house.people["nobody"].user_id), by=Role.ADMIN)
    return instruct(one)


@refused("payout.instruct", "not_certified")
def _paid_on_the_word_of_a_certifier_who_left(house: House) -> Any:
    (one,) = released_under_the_strict_standard(house)
    house.do(DisableUser(command_id=key(), user_id=house.people[Role.CERTIFIER].user_id), by=Role.ADMIN)
    return instruct(one)


@refused("payout.instruct", "frozen")
def _paid_while_all_is_frozen(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    house.do(Freeze(command_id=key(), reason="why"), by=Role.ACCOUNTANT)
    return instruct(one)


@refused("payout.instruct", "approvals_missing")
def _paid_on_the_word_of_somebody_who_left(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    house.do(DisableUser(command_id=key(), user_id=house.people[Role.FUND_MANAGER].user_id), by=Role.ADMIN)
    return instruct(one)


@refused("payout.instruct", "conflict_of_interest")
def _paid_on_the_word_of_somebody_who_joined_the_firm(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    also(house, Role.FUND_MANAGER, Role.PROCESS_ENGINEER, "sme")
    return instruct(one)


@refused("payout.instruct", "conflict_of_interest")
def _paid_on_the_word_of_somebody_whom_the_wall_keeps_out_since(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    stand_behind_the_wall(house, pay.payer_of(house, one), Role.FUND_MANAGER)
    return instruct(one)


@refused("payout.instruct", "approvals_missing")
def _paid_on_the_word_of_somebody_who_joined_the_team(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    also(house, Role.FUND_MANAGER, Role.TECHNICAL_MANAGER, "platform")
    user, project = house.people[Role.FUND_MANAGER].user_id, UUID(house.one("SELECT project_id FROM v_payout"))
    member = Assign(command_id=key(), project_id=project, user_id=user, role=Role.TECHNICAL_MANAGER)
    house.do(member, by=Role.COORDINATOR)
    return instruct(one)


def _released(house: House) -> UUID:
    """Return a payout that was certified, approved and released."""
    (one,) = pay.payouts(house, pack="strict")
    pay.certify(house, one)
    pay.approve(house, one)
    pay.release(house, one)
    house.later(days=30)
    return one


@refused("payout.instruct", "conflict_of_interest")
def _paid_on_the_certificate_of_somebody_who_joined_the_firm(house: House) -> Any:
    one = _released(house)
    also(house, Role.CERTIFIER, Role.PROCESS_ENGINEER, "sme")
    return instruct(one)


@refused("payout.instruct", "conflict_of_interest")
def _paid_where_the_payer_joined_the_firm(house: House) -> Any:
    one = _released(house)
    also(house, Role.PAYER, Role.PROCESS_ENGINEER, "sme")
    return instruct(one)


@refused("payout.certify", "four_eyes", by=Role.TECHNICAL_MANAGER)
def _certified_by_one_of_the_team(house: House) -> Any:
    (one,) = pay.payouts(house, pack="strict")
    _in_the_team(house, Role.CERTIFIER)
    return on(Certify, one, amount_minor=pay.AMOUNT)


@refused("payout.release", "four_eyes", by=Role.TECHNICAL_MANAGER)
def _released_by_one_of_the_team(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    _in_the_team(house, Role.PAYER)
    return on(Release, one)


@refused("payout.instruct", "payload_changed", "evidence_not_current")
def _paid_on_evidence_that_was_withdrawn(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    withdraw_evidence(house)
    return instruct(one)


@refused("payout.instruct", "evidence_not_current")
def _paid_on_a_minute_that_was_withdrawn(house: House) -> Any:
    one = _of_the_highest_tier(house)
    (minute,) = pay.minutes_of(house, one)
    house.do(approve(one, minute_sha256=minute), by=Role.FUND_DIRECTOR)
    withdraw_evidence(house, minute)
    return instruct(one)


@refused("payout.instruct", "batch_may_be_alive")
def _paid_while_an_attempt_is_alive(house: House) -> Any:
    (one,) = pay.payouts(house, state="instructed")
    edit(house, "UPDATE payout SET state = 'approved'")  # no way of ours leads there
    return instruct(one)


# Accounts of payees

wrong("payee_account.propose", "holder_missing", holder_name=" ")
wrong("payee_account.propose", "account_number_wrong", account_number="62/22")
wrong("payee_account.propose", "account_number_wrong", account_number="6" * 35)
wrong("payee_account.propose", "bank_code_wrong", bank_code="工行")
wrong("payee_account.confirm", "callback_missing", called=" ")
wrong("payee_account.retire", "reason_missing", reason="")


@refused("payee_account.propose", "account_not_digits")
def _entered_for_real_work_where_it_can_be_none(house: House) -> Any:
    edit(house, "UPDATE installation SET mode = 'production', clock_at = NULL")
    return made(house, "payee_account.propose", account_number="1234A")


@refused("payee_account.propose", "account_known_already")
def _the_same_account_written_otherwise(house: House) -> Any:
    first = done(house, "payee_account.propose")
    return again("payee_account.propose", first, account_number="６２２２0202-0011-2233", bank_code="icbkcnbj")


@refused("payee_account.confirm", "confirm_not_possible_when_confirmed")
def _confirmed_twice(house: House) -> Any:
    return again("payee_account.confirm", done(house, "payee_account.confirm"))


@refused("payee_account.confirm", "payee_without_agreement", by="nobody")
def _confirmed_by_who_does_not_pay_the_firm(house: House) -> Any:
    also(house, "nobody", Role.ACCOUNTANT, "other firm")
    return made(house, "payee_account.confirm")


@refused("payee_account.retire", "payee_without_agreement", by="nobody")
def _retired_by_who_does_not_pay_the_firm(house: House) -> Any:
    also(house, "nobody", Role.FUND_MANAGER, "other firm")
    return made(house, "payee_account.retire")


@refused("payee_account.confirm", "conflict_of_interest")
def _confirmed_by_one_of_the_firm(house: House) -> Any:
    command = made(house, "payee_account.confirm")
    also(house, Role.ACCOUNTANT, Role.PROCESS_ENGINEER, "sme")
    return command


@refused("payee_account.confirm", "conflict_of_interest")
def _confirmed_by_one_whom_the_wall_keeps_out(house: House) -> Any:
    command = made(house, "payee_account.confirm")
    (agreement,) = make.agreements(house)
    fund = UUID(house.one("SELECT fund_id FROM v_agreement WHERE id = :id", id=str(agreement)))
    stand_behind_the_wall(house, fund, Role.ACCOUNTANT)
    return command


@refused("payee_account.confirm", "four_eyes", "conflict_of_interest", by=Role.FINANCE_OFFICER)
def _confirmed_by_who_entered_it(house: House) -> Any:
    command = made(house, "payee_account.confirm")
    also(house, Role.FINANCE_OFFICER, Role.ACCOUNTANT, "funder")
    return command


@refused("payee_account.retire", "retire_not_possible_when_retired")
def _retired_twice(house: House) -> Any:
    return again("payee_account.retire", done(house, "payee_account.retire"))


@refused("statement.write_off", "booking_explained")
def _written_off_twice(house: House) -> Any:
    return again("statement.write_off", done(house, "statement.write_off"))


# Batches

wrong("batch.send", "fence_lost", fence=1)
wrong("batch.prepare", "batch_empty", payout_ids=())
wrong("batch.prepare", "batch_of_others", payout_ids=lambda house: tuple(pay.payouts(house)))
wrong("batch.take_back", "fence_lost", fence=2)
wrong("batch.abandon", "two_people_missing", exception_id=NOWHERE)


@refused("batch.prepare", "batch_of_others")
def _what_another_batch_carries(house: House) -> Any:
    first = done(house, "batch.prepare")
    return again("batch.prepare", first, batch_id=new_id())


@refused("batch.settle", "bank_word_missing")
def _settled_before_the_bank_has_booked(house: House) -> Any:
    return on(Settle, pay.batches(house, state="sent")[0])


@refused("batch.take_back", "batch_may_leave")
def _taken_back_where_nothing_keeps_it(house: House) -> Any:
    return on(TakeBack, pay.batches(house)[0], fence=0)


@refused("batch.take_back", "batch_may_be_alive")
def _taken_back_after_somebody_else_began(house: House) -> Any:
    command = made(house, "batch.take_back")
    with transaction(house.engine) as session:
        fence = claim_batch(session, command.batch_id, "another", lease=timedelta(0))
    return again("batch.take_back", command, fence=fence)


@refused("batch.abandon", "batch_may_be_alive")
def _abandoned_when_the_bank_has_paid(house: House) -> Any:
    (batch,) = pay.batches(house, state="unknown")
    command = pay.abandon(house, batch)
    pay.tell(house, pay.payout_of(house, batch), kind="settle")
    return command


@refused("batch.doubt", "doubt_not_possible_when_settled")
def _doubted_when_it_is_over(house: House) -> Any:
    return made(house, "batch.doubt", batch_id=pay.batches(house, state="settled")[0])


# The bank's word

wrong("payout.learn", "not_found", instruction_id=NOWHERE)
wrong("payout.learn", "two_people_missing", source=BankSource.PEOPLE)
wrong("statement.write_off", "two_people_missing", exception_id=NOWHERE)
wrong("statement.write_off", "not_found", "foreign_currency", statement_line_id=NOWHERE)


@refused("payout.learn", "not_found")
def _of_another_payouts_attempt(house: House) -> Any:
    command = made(house, "payout.learn")
    return again("payout.learn", command, payout_id=pay.payouts(house, state="instructed")[0])


@refused("statement.take", "already_exists")
def _a_statement_taken_twice(house: House) -> Any:
    return again("statement.take", done(house, "statement.take"))


@refused("statement.take_lines", "already_exists")
def _lines_taken_twice(house: House) -> Any:
    return again("statement.take_lines", done(house, "statement.take_lines"))


@refused("payout.learn", "already_exists")
def _a_word_of_the_bank_heard_twice(house: House) -> Any:
    return again("payout.learn", done(house, "payout.learn"))


@refused("statement.quarantine", "already_exists")
def _a_file_put_aside_twice(house: House) -> Any:
    return again("statement.quarantine", done(house, "statement.quarantine"))


@refused("statement.write_off", "insufficient_funds", by=Role.FUND_MANAGER)
def _more_than_the_fund_has(house: House) -> Any:
    return _written_off(house, pay.unexplained(-pay.PAID_IN - 1))


@refused("statement.write_off", "foreign_currency", by=Role.FUND_MANAGER)
def _in_another_currency(house: House) -> Any:
    return _written_off(house, pay.unexplained(-1, currency="USD"))


def _written_off(house: House, found: Any) -> WriteOff:
    (one,) = pay.statements(house)
    (answer,) = house.do(TakeLines(command_id=key(), statement_id=one, first_place=1, found=found))
    line = UUID(answer["line_ids"][0])
    case = pay.case_of(house, line)
    pay.agree(house, case, action="write_off")
    asked = {"statement_line_id": line, "exception_id": case, "reason": "fee"}
    return on(WriteOff, one, **asked)  # type: ignore[no-any-return]


# Cases

wrong("exception.propose", "way_out_not_possible", action=Action.WRITE_OFF)
wrong("exception.propose", "way_out_not_possible", "match_names_nothing", action=Action.MATCH, end_to_end_id="E1")
wrong("exception.propose", "reason_missing", reason=" ")
wrong("exception.propose", "file_hash_wrong", evidence_sha256="A" * 64)
wrong("exception.propose", "file_name_wrong", file_name="")
wrong("exception.propose", "file_size_wrong", size_bytes=0)


@refused("exception.propose", "match_names_nothing")
def _matched_to_nothing_known(house: House) -> Any:
    (line,) = pay.set_aside(house, *pay.statements(house))
    return pay.propose(pay.case_of(house, line), "match", kind=BankEventKind.SETTLE, end_to_end_id="E1")


def _matched(house: House, amount_minor: int, kind: BankEventKind, **more: Any) -> Any:
    """Match a booking of a fund to its payment, or to that of another fund."""
    (payout, other) = pay.payouts(house, 2, state="instructed")
    end = house.one("SELECT end_to_end_id FROM v_instruction WHERE payout_id = :id", id=str(payout))
    fund = pay.payer_of(house, other if more.pop("is_other", False) else payout)
    (statement,) = make.ids_of(house.do(pay.take(fund)))
    found = pay.unexplained(amount_minor, **more)
    (answer,) = house.do(TakeLines(command_id=key(), statement_id=statement, first_place=1, found=found))
    case = pay.case_of(house, UUID(answer["line_ids"][0]))
    return pay.propose(case, "match", end_to_end_id=end, kind=kind)


@refused("exception.propose", "match_kind_wrong")
def _a_credit_does_not_settle(house: House) -> Any:
    return _matched(house, pay.AMOUNT, BankEventKind.SETTLE)


@refused("exception.propose", "match_kind_wrong")
def _a_debit_is_what_it_pays(house: House) -> Any:
    return _matched(house, -pay.AMOUNT, BankEventKind.DEBIT)


@refused("exception.propose", "foreign_currency")
def _matched_in_another_currency(house: House) -> Any:
    return _matched(house, -pay.AMOUNT, BankEventKind.SETTLE, currency="USD")


@refused("exception.propose", "match_of_another_fund")
def _matched_across_funds(house: House) -> Any:
    return _matched(house, -pay.AMOUNT, BankEventKind.SETTLE, is_other=True)


@refused("payout.learn", "match_known_already")
def _explained_as_what_is_known(house: House) -> Any:
    (payout,) = pay.payouts(house, state="paid")
    (statement,) = make.ids_of(house.do(pay.take(pay.payer_of(house, payout))))
    (line,) = pay.set_aside(house, statement, amount_minor=-pay.AMOUNT)
    case = pay.case_of(house, line)
    pay.agree(house, case, action="write_off")
    aside: dict[str, Any] = {"exception_id": case, "statement_line_id": line, "set_aside_minor": -pay.AMOUNT}
    return pay.word(house, payout, "settle", source=BankSource.PEOPLE, **aside)


@refused("payout.learn", "booking_explained")
def _said_to_be_more_than_lies_aside(house: House) -> Any:
    (payout,) = pay.payouts(house, state="instructed")
    (line,) = pay.set_aside(house, *make.ids_of(house.do(pay.take(pay.payer_of(house, payout)))))
    case = pay.case_of(house, line)
    pay.agree(house, case, action="write_off")
    aside: dict[str, Any] = {"exception_id": case, "statement_line_id": line, "set_aside_minor": -pay.AMOUNT}
    return pay.word(house, payout, "settle", source=BankSource.PEOPLE, **aside)


def _paid_after_all(house: House) -> Any:
    """Return the words of two people that a rejected attempt was settled; its payout is free for a next one."""
    (batch,) = pay.batches(house, state="sent")
    payout = pay.payout_of(house, batch)
    pay.tell(house, payout, kind="reject", source="pain002")
    (line,) = pay.set_aside(house, *make.ids_of(house.do(pay.take(pay.payer_of(house, payout)))))
    case = pay.case_of(house, line)
    pay.agree(house, case, action="write_off")
    command = pay.word(house, payout, "settle", source=BankSource.PEOPLE, exception_id=case)
    house.do(on(Reapprove, payout, amount_minor=pay.AMOUNT), by=Role.FUND_MANAGER)
    return command


@refused("payout.learn", "batch_may_be_alive")
def _paid_beside_a_living_attempt(house: House) -> Any:
    command = _paid_after_all(house)
    pay.instruct(house, command.payout_id)
    return command


@refused("payout.learn", "amount_differs")
def _paid_another_amount_than_is_approved_since(house: House) -> Any:
    command = _paid_after_all(house)
    edit(house, "UPDATE payout SET amount_minor = 9999")
    return command


def explain(house: House) -> None:
    """Let the case be about a payment of which nothing of the booking lies aside."""
    edit(house, """UPDATE exception_case SET facts = '{"instruction": "E1"}'""")


wrong("payout.adopt", "two_people_missing", "adopt_names_nothing", exception_id=NOWHERE)
wrong("payout.adopt", "adopt_names_nothing", end_to_end_id="PWK7QXPO20250001A1")


@refused("payout.adopt", "two_people_missing", by=Role.FUND_MANAGER)
def _adopted_by_one(house: House) -> Any:
    command = made(house, "payout.adopt")
    edit(house, "UPDATE exception_case SET confirmed_by = NULL")
    return command


@refused("payout.adopt", "adopt_needs_approval", by=Role.FUND_MANAGER)
def _adopted_by_what_was_sent_back(house: House) -> Any:
    command = made(house, "payout.adopt")
    edit(house, "UPDATE payout SET state = 'requested'")
    return command


@refused("exception.propose", "adopt_names_nothing")
def _adopted_for_another_amount(house: House) -> Any:
    (payout,) = pay.payouts(house, state="approved")
    return pay.propose(pay.lost(house, payout, -pay.AMOUNT + 1), "adopt")


@refused("exception.propose", "adopt_names_nothing")
def _adopted_without_an_id_of_ours(house: House) -> Any:
    (line,) = pay.set_aside(house, *pay.statements(house))
    return pay.propose(pay.case_of(house, line), "adopt")


@refused("exception.propose", "adopt_needs_approval")
def _adopted_by_what_waits_for_approval(house: House) -> Any:
    return pay.propose(pay.lost(house, pay.payouts(house)[0]), "adopt")


@refused("exception.confirm", "adopt_needs_approval", by=Role.FUND_MANAGER)
def _adopted_by_what_was_sent_back_meanwhile(house: House) -> Any:
    case = pay.lost(house, pay.payouts(house, state="approved")[0])
    house.do(pay.propose(case, "adopt"), by=Role.ACCOUNTANT)
    edit(house, "UPDATE payout SET state = 'requested'")
    return pay.confirm(house, case, "adopt")


@refused("payout.instruct", "fund_on_hold", "batch_may_be_alive")
def _paid_while_a_lost_attempt_may_have_paid_it(house: House) -> Any:
    (one,) = pay.payouts(house, state="approved")
    pay.lost(house, one)
    return instruct(one)


@refused("exception.propose", "booking_explained")
def _what_was_posted_is_no_more_open(house: House) -> Any:
    (line,) = pay.set_aside(house, *pay.statements(house))
    explain(house)
    return pay.propose(pay.case_of(house, line), "write_off")


@refused("exception.confirm", "booking_explained", by=Role.FUND_MANAGER)
def _agreed_on_what_was_explained_meanwhile(house: House) -> Any:
    (line,) = pay.set_aside(house, *pay.statements(house))
    case = pay.case_of(house, line)
    house.do(pay.propose(case, "write_off"), by=Role.ACCOUNTANT)
    explain(house)
    return pay.confirm(house, case, "write_off")


@refused("exception.confirm", "nothing_proposed")
def _agreed_to_nothing(house: House) -> Any:
    (batch,) = pay.batches(house, state="unknown")
    return pay.confirm(house, pay.case_of(house, batch))


@refused("exception.confirm", "another_way_out")
def _agreed_to_what_was_proposed_before(house: House) -> Any:
    command = made(house, "exception.confirm")
    house.do(pay.propose(command.exception_id, "confirm_paid"), by=Role.ACCOUNTANT)
    return command


@refused("exception.confirm", "proposal_changed")
def _agreed_to_what_has_another_reason_now(house: House) -> Any:
    command = made(house, "exception.confirm")
    house.do(pay.propose(command.exception_id, reason="the bank wrote anew"), by=Role.ACCOUNTANT)
    return command


def _in_the_team(house: House, role: Role) -> None:
    """Let the technical manager hold a role at the funder, and work on the project."""
    also(house, Role.TECHNICAL_MANAGER, role, "funder")
    make.name_members(house, UUID(house.one("SELECT project_id FROM v_payout")), roles=(Role.TECHNICAL_MANAGER,))


@refused("exception.propose", "conflict_of_interest")
def _proposed_by_one_of_the_firm(house: House) -> Any:
    command = made(house, "exception.propose")
    also(house, Role.ACCOUNTANT, Role.PROJECT_LEAD, "sme")
    return command


@refused("exception.confirm", "conflict_of_interest")
def _agreed_by_one_of_the_firm(house: House) -> Any:
    command = made(house, "exception.confirm")
    also(house, Role.FUND_MANAGER, Role.PROJECT_LEAD, "sme")
    return command


@refused("exception.confirm", "conflict_of_interest")
def _agreed_to_what_one_proposed_who_joined_the_firm(house: House) -> Any:
    command = made(house, "exception.confirm")
    also(house, Role.ACCOUNTANT, Role.PROJECT_LEAD, "sme")
    return command


@refused("exception.confirm", "conflict_of_interest")
def _agreed_by_one_whom_the_wall_keeps_out(house: House) -> Any:
    command = made(house, "exception.confirm")
    stand_behind_the_wall(house, UUID(house.one("SELECT fund_id FROM v_payout")), Role.FUND_MANAGER)
    return command


@refused("exception.propose", "four_eyes")
def _proposed_by_who_entered_the_account(house: House) -> Any:
    command = made(house, "exception.propose")
    edit(house, "UPDATE payee_account SET proposed_by = confirmed_by, confirmed_by = proposed_by")
    return command


@refused("exception.confirm", "four_eyes")
def _agreed_by_who_confirmed_the_account(house: House) -> Any:
    command = made(house, "exception.confirm")
    manager = house.people[Role.FUND_MANAGER].user_id
    edit(house, f"UPDATE payee_account SET confirmed_by = '{manager}'")
    return command


@refused("exception.confirm", "four_eyes", by=Role.TECHNICAL_MANAGER)
def _agreed_by_one_of_the_team(house: House) -> Any:
    command = made(house, "exception.confirm")
    _in_the_team(house, Role.FUND_MANAGER)
    return command


@refused("exception.confirm", "four_eyes")
def _agreed_to_what_one_of_the_team_proposed_before(house: House) -> Any:
    case = made(house, "exception.confirm").exception_id
    also(house, Role.TECHNICAL_MANAGER, Role.ACCOUNTANT, "funder")
    house.do(pay.propose(case), by=Role.TECHNICAL_MANAGER)
    _in_the_team(house, Role.FUND_MANAGER)
    return pay.confirm(house, case)


@refused("exception.confirm", "exception_closed")
def _agreed_twice(house: House) -> Any:
    return again("exception.confirm", done(house, "exception.confirm"))


@refused("exception.confirm", "four_eyes", by=Role.ACCOUNTANT)
def _agreed_with_oneself(house: House) -> Any:
    return made(house, "exception.confirm")
