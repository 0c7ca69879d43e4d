"""Recipes of the verbs of settlement, recovery, retention and standing in for somebody."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from lifecycle.endings import commands as ending
from lifecycle.milestones.commands import AnnounceRelease
from lifecycle.people import commands as people
from lifecycle.projects.commands import Stop
from models.states import Role
from tests import factories as make
from tests import paid as paying
from tests import payments as pay
from tests.factories import House, key
from tests.lifecycle.recipes import Made, add_user, given, recipe


def paid(house: House, count: int) -> list[UUID]:
    """Return agreements of which a hundred yuan was paid."""
    payouts = pay.payouts(house, count, state="paid")
    sql = "SELECT agreement_id FROM payout WHERE id = :id"
    return [UUID(str(house.one(sql, id=str(one)))) for one in payouts]


def stop(house: House, *ids: UUID) -> None:
    """Stop the projects of these agreements."""
    projects = [make.project_of(house, one) for one in ids]
    stops = (Stop(command_id=key(), project_id=one, code="misuse", reason="why") for one in projects)
    house.do(*stops, by=Role.FUND_MANAGER)


def stopped(house: House, count: int, cost: int) -> list[UUID]:
    """Return agreements whose projects were stopped, with their final cost accepted."""
    ids = paid(house, count)
    stops = (Stop(command_id=key(), project_id=make.project_of(house, one), code="misuse", reason="why") for one in ids)
    house.do(*stops, by=Role.FUND_MANAGER)
    paying.accept_cost(house, *ids, cost=cost)
    return ids


def orders(house: House, count: int) -> list[UUID]:
    """Return recovery orders over ten yuan."""
    return make.ids_of(house.do(*order(house, count), by=Role.FUND_MANAGER))


@recipe(
    "agreement.settle",
    "agreement.settle",
    "milestone.settle",
    *["milestone.waive"] * 4,
    "recovery.order",
    by=Role.FUND_DIRECTOR,
    moves=(("milestone", "waive", "planned", "waived"),) * 4,
    tells="agreement.settled recovery.ordered",
)
def settle(house: House, count: int) -> Made:
    return given(ending.SettleAgreement, stopped(house, count, 8_000), reason="as stated")


@recipe(
    "payout.settle",
    "payout.request",
    by=Role.FINANCE_OFFICER,
    moves=(("payout", "request", "", "requested"),),
    tells="payout.requested",
)
def ask_settlement(house: House, count: int) -> Made:
    ids = stopped(house, count, 12_000)
    house.do(*given(ending.SettleAgreement, ids, reason="as stated"), by=Role.FUND_DIRECTOR)
    return [paying.ask_settlement(house, one, 2_000) for one in ids]


@recipe("recovery.order", by=Role.FUND_MANAGER, tells="recovery.ordered")
def order(house: House, count: int) -> Made:
    asked: dict[str, Any] = {"amount_minor": 1_000, "code": "ineligible_cost", "reason": "a fine"}
    return given(ending.OrderRecovery, paid(house, count), **asked)


def repayment(house: House, order: UUID, amount_minor: int = 400) -> ending.RepayRecovery:
    """Return the command that books what came in at the fund's bank as a repayment of an order."""
    fund = UUID(str(house.one("SELECT fund_id FROM recovery_order WHERE id = :id", id=str(order))))
    line = pay.credited(house, fund, amount_minor)
    booked: dict[str, Any] = {"bank_ref": "B-1", "received_on": house.today, "statement_line_id": line}
    return ending.RepayRecovery(command_id=key(), recovery_id=order, amount_minor=amount_minor, **booked)


@recipe("recovery.repay", "recovery.repay", "exception.close", by=Role.ACCOUNTANT, tells="recovery.repaid")
def repay(house: House, count: int) -> Made:
    return [repayment(house, one) for one in orders(house, count)]


@recipe("recovery.set_off", "recovery.set_off", "milestone.set_off", by=Role.FUND_MANAGER, tells="recovery.set_off")
def set_off(house: House, count: int) -> Made:
    ids = orders(house, count)
    sql = (
        "SELECT m.id FROM milestone m JOIN recovery_order o ON o.agreement_id = m.agreement_id"
        " WHERE m.number = 1 AND o.id = :id"
    )
    return [
        ending.SetOffRecovery(
            command_id=key(),
            recovery_id=one,
            milestone_id=UUID(str(house.one(sql, id=str(one)))),
            amount_minor=400,
            notified_on=house.today,
            reason="as told by letter",
        )
        for one in ids
    ]


@recipe("recovery.write_off", by=Role.FUND_DIRECTOR, tells="recovery.write_off_proposed")
def write_off(house: House, count: int) -> Made:
    """The first of two people proposes."""
    return given(ending.WriteOffRecovery, orders(house, count), reason="the firm is gone")


@recipe("milestone.announce", by=Role.COORDINATOR, tells="milestone.announced")
def announce(house: House, count: int) -> Made:
    ids = make.tranches(house, *make.agreements(house, count), number=5)
    return given(AnnounceRelease, ids, where="notice board")


@recipe("user.delegate", by=Role.FUND_MANAGER, tells="user.delegated")
def delegate(house: House, count: int) -> Made:
    said: dict[str, Any] = {
        "role": Role.FUND_MANAGER,
        "organisation_id": house.parties["funder"],
        "from_on": house.today,
        "until_on": house.today + timedelta(days=14),
        "reason": "on leave",
    }
    users = make.ids_of(house.do(*add_user(house, count)))
    return given(people.Delegate, users, **said)


@recipe("user.end_delegation", by=Role.FUND_MANAGER)
def end_delegation(house: House, count: int) -> Made:
    lent = house.do(*delegate(house, count), by=Role.FUND_MANAGER)
    return [
        people.EndDelegation(
            command_id=key(), user_id=UUID(one["object_id"]), delegation_id=UUID(str(one["delegation_id"]))
        )
        for one in lent
    ]
