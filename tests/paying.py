"""A fund that can pay, for tests that follow money to the bank and back: made by commands, but for its tranches."""

from dataclasses import dataclass, field, replace
from uuid import UUID, uuid5

from lifecycle.commands import Answer, Command
from lifecycle.engine import execute
from lifecycle.exceptions.carrying_out import follow_up
from lifecycle.exceptions.proposal import Action
from lifecycle.funds.commands import SetTiers, Tier
from lifecycle.ledger.accounts import accounts_of
from lifecycle.payouts.commands import Approve, RequestPayout
from models.db import reading, transaction
from models.money import MAX_MINOR
from models.states import Role
from tests.factories import FUND_ACCOUNT, House, funds, ids_of, key, pay_in
from tests.money import AMOUNT, Money, an_agreement
from tests.payments import confirm, propose
from tests.remembered import remembered

ACCOUNT = FUND_ACCOUNT
MAKER, APPROVERS = Role.FINANCE_OFFICER, (Role.FUND_MANAGER, Role.FUND_DIRECTOR)


@dataclass(slots=True)
class Paying:
    """A fund, its accepted tranches of 7,000 fen, and the account of the firm."""

    house: House
    money: Money
    used: int = field(default=0)

    @property
    def fund_id(self) -> UUID:
        """The fund."""
        return self.money.fund_id

    def request(self, *, amount: int = AMOUNT, milestone: UUID | None = None) -> RequestPayout:
        """Return the command that asks for money of the next tranche that nobody asked for, or of this one."""
        if milestone is None:
            milestone, self.used = self.money.milestones[self.used], self.used + 1
        assert self.money.payee_id is not None
        return RequestPayout(
            command_id=key(), milestone_id=milestone, payee_account_id=self.money.payee_id, new_amount_minor=amount
        )

    def requested(self, count: int = 1) -> list[UUID]:
        """Return payouts that wait for approval."""
        return ids_of(self.house.do(*(self.request() for _ in range(count)), by=MAKER))

    def approved(self, count: int = 1) -> list[UUID]:
        """Return payouts that the next payment run takes."""
        payouts = self.requested(count)
        self.house.do(*(approve(one) for one in payouts), by=Role.FUND_MANAGER)
        return payouts


@remembered
def a_paying_fund(
    house: House, *, tranches: int = 10, paid_in: int = 1_000_000, approvers: int = 1, account: str = ACCOUNT
) -> Paying:
    """Return a fund with money, an agreement in force over accepted tranches, and a confirmed account."""
    (fund,) = funds(house, debtor_account=account)
    pay_in(house, fund, amount_minor=paid_in)
    if approvers > 1:
        tiers = (Tier(up_to_minor=MAX_MINOR, approvers_needed=approvers),)
        house.do(SetTiers(command_id=key(), fund_id=fund, tiers=tiers, reason="two look"), by=Role.SPONSOR)
    with reading(house.engine) as session:
        accounts = accounts_of(session, [fund])[fund]
    money = Money(house, fund, fund, accounts)
    an_agreement(money, tranches=tranches)
    return Paying(house, money)


def approve(payout: UUID, amount: int = AMOUNT) -> Approve:
    """Return the command that passes it for payment."""
    return Approve(command_id=key(), payout_id=payout, amount_minor=amount)


def settle_case(
    house: House, case: UUID, action: Action, *, by: tuple[str, str] = (Role.ACCOUNTANT, Role.FUND_MANAGER)
) -> list[Answer]:
    """Let one person propose the way out of a case and another confirm it; what follows runs in that transaction."""
    house.do(propose(case, action), by=by[0])
    confirming = replace(confirm(house, case, action), command_id=str(uuid5(case, "confirm")))
    with transaction(house.engine) as session:
        answers = execute(session, [confirming], stamp=house.stamp(by[1]))
        more: list[Command] = follow_up(session, case, confirming.command_id)
        return [*answers, *execute(session, more, stamp=house.stamp(by[1]))]
