"""Which projects of the story the fund pays, when, and what goes wrong on the way. Awards in fen.

One payment is rejected (PT-2024-0009), one comes back days later (PT-2025-0005), one firm changes its bank
(PT-2025-0003), one project is stopped and owes money back (PT-2025-0008).
"""

from datetime import date
from uuid import UUID

from lifecycle.banking.sandbox import Incoming
from lifecycle.demo.awards import (
    accept,
    agree,
    carry_out,
    certify,
    change_account,
    file_minute,
    pay,
    pay_again,
    report,
    request,
    settle,
    state_cost,
    state_cost_of,
    verify,
)
from lifecycle.demo.robot import ROBOT
from lifecycle.demo.story import Chapter, Steps, Story
from lifecycle.demo.treasury import BANK_ACCOUNT
from lifecycle.endings.commands import RepayRecovery, SettleAgreement

CLOSED, RETURNED_LATER = "9004", "9106"
"""Endings of accounts to which the bank does not pay in the end."""


def sorter(story: Story) -> Steps:
    """All tranches but the retention, with audit and settlement."""
    award = yield from agree(story, "智能分拣机械手", "2024-08-26", 120_000_000, ("chen", "han"))
    yield from pay(story, award, "T1", "2024-09-02")
    yield from pay(story, award, "T2", "2024-10-28", cost=60)
    yield from pay(story, award, "T3", "2025-01-13", cost=50)
    yield from settle(story, award, "2025-03-17", cost=60)
    yield story.after(story.today, 1)
    payout = request(story, award, "T4")
    yield story.after(story.today, 1)
    yield from carry_out(story, award, "T4", payout)


def purifier(story: Story) -> Steps:
    """Three tranches; for its platform one of the fund's managers also coordinates, so two others approve."""
    award = yield from agree(story, "湿电子化学品纯化装置", "2024-10-14", 260_000_000, ("han", "zhou"))
    yield from pay(story, award, "T1", "2024-10-21")
    yield from pay(story, award, "T2", "2025-02-10", cost=60)
    yield from pay(story, award, "T3", "2025-04-24", cost=50)


def trap(story: Story) -> Steps:
    """Paid to a closed account: rejected, corrected, paid. On 21 November its third tranche waits for a manager."""
    award = yield from agree(story, "智能捕蚊机", "2024-12-16", 90_000_000, ("chen", "han"), ending=CLOSED)
    payout = yield from pay(story, award, "T1", "2024-12-23")
    yield date(2025, 1, 2)
    yield from pay_again(story, award, "T1", payout, "0002")
    yield from pay(story, award, "T2", "2025-05-20", cost=60)
    yield date(2025, 11, 18)
    report(story, award, "T3")
    cost = state_cost(story, award, 50)
    yield date(2025, 11, 19)
    verify(story, cost, award.amount_minor * 50 // 100)
    accept(story, award, "T3")
    payout = request(story, award, "T3")
    yield date(2025, 11, 20)
    certify(story, award, "T3", payout)


def inspector(story: Story) -> Steps:
    """More than two million at once: three approve, the director among them, on the committee's minute."""
    award = yield from agree(story, "AI 视觉质检仪", "2025-03-10", 540_000_000, ("chen", "han", "zhou"))
    minute = file_minute(story, award, "T1", "中试基金一期投决会 2025 年第 3 次会议")
    yield from pay(story, award, "T1", "2025-03-17", minute=minute)
    yield from pay(story, award, "T2", "2025-05-26", cost=60)
    yield from pay(story, award, "T3", "2025-08-11", cost=50)


def filters(story: Story) -> Steps:
    """The firm changes its bank: proposed by one, confirmed by another after calling back, used after cooling off."""
    award = yield from agree(story, "电子级光刻胶过滤器", "2025-04-21", 180_000_000, ("han", "zhou"))
    yield from pay(story, award, "T1", "2025-05-12")
    yield date(2025, 9, 8)
    yield from change_account(story, award, "0002", "企业更换开户银行")
    yield from pay(story, award, "T2", "2025-09-28", cost=60)


def reactor(story: Story) -> Steps:
    """Booked, and sent back six days later: paid again to a new account. Its final cost waits to be verified."""
    award = yield from agree(
        story, "连续流生物反应器", "2025-04-21", 150_000_000, ("han", "zhou"), ending=RETURNED_LATER
    )
    payout = yield from pay(story, award, "T1", "2025-05-06")
    yield date(2025, 5, 16)
    story.is_bank_due = True
    yield date(2025, 5, 19)
    yield from pay_again(story, award, "T1", payout, "0002")
    yield from pay(story, award, "T2", "2025-07-28", cost=60)
    yield from pay(story, award, "T3", "2025-10-13", cost=50)
    yield date(2025, 11, 17)
    state_cost(story, award, 50, "final_financial_statement", is_final=True)


def additive(story: Story) -> Steps:
    """Stopped with an advance that was not used up: settled on its accepted cost, and partly repaid since."""
    award = yield from agree(story, "无卤阻燃添加剂", "2025-05-26", 100_000_000, ("han", "zhou"))
    yield from pay(story, award, "T1", "2025-06-03")
    yield date(2025, 9, 8)
    cost = state_cost_of(story, award, 31_000_000, "budget", is_final=True, until=date(2025, 8, 22))
    yield date(2025, 9, 11)
    verify(story, cost, 30_000_000, "会议费一万元不在合同科目内")
    yield date(2025, 9, 15)
    said = "项目止损终止，按核定费用决算，追回未使用的预付款"
    answer = story.act("zhou", SettleAgreement, agreement_id=award.agreement_id, reason=said)
    paid_on, slip, amount = date(2025, 10, 20), "TH2025102001", 8_000_000
    yield paid_on
    of_account = {"account": BANK_ACCOUNT, "currency": "CNY"}
    story.incoming.append(Incoming(on=paid_on, amount_minor=amount, reference=slip, **of_account))
    yield date(2025, 10, 21)
    story.is_bank_due = True
    yield date(2025, 10, 22)
    booked = {"bank_ref": slip, "received_on": paid_on, "statement_line_id": story.set_aside[slip]}
    recovery = UUID(answer["recovery_id"])
    story.act("tian", RepayRecovery, recovery_id=recovery, amount_minor=amount, **booked)


def cooking_robot(story: Story) -> Steps:
    """The hero's money: one tranche by 21 November, and one more behind each gate."""
    award = yield from agree(story, ROBOT.name, "2025-08-12", 120_000_000, ("han", "zhou"))
    yield from pay(story, award, "T1", "2025-08-18")
    yield from pay(story, award, "T2", "2025-12-08", cost=60)
    yield from pay(story, award, "T3", "2026-05-11", cost=50)


def edge_box(story: Story) -> Steps:
    """On its way: on 21 November the bank has the file and has not answered yet."""
    award = yield from agree(story, "AI 边缘计算盒", "2025-10-27", 100_000_000, ("chen", "zhou"))
    yield from pay(story, award, "T1", "2025-11-18")


def patrol_drone(story: Story) -> Steps:
    """Its second tranche is reported; it waits for the test that its gate left as a condition."""
    award = yield from agree(story, "电力巡检无人机", "2025-06-23", 80_000_000, ("chen", "han"))
    yield from pay(story, award, "T1", "2025-06-30")
    yield date(2025, 11, 10)
    report(story, award, "T2")


FINANCED: tuple[Chapter, ...] = (
    *(sorter, purifier, trap, inspector, filters, reactor, additive),
    *(cooking_robot, edge_box, patrol_drone),
)
"""In the order of their agreements' first chapters: of those that go on at one day the earlier one comes first."""
