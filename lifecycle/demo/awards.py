"""The money of a project: its agreement, and each tranche from the firm's report to the bank's booking."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.agreements.commands import AcceptAudit, DraftAgreement, SignAgreement, SubmitCost, VerifyCost
from lifecycle.demo.case import Case
from lifecycle.demo.people import FIRMS
from lifecycle.demo.story import Steps, Story, id_of
from lifecycle.demo.treasury import FUND
from lifecycle.endings.commands import SettleAgreement
from lifecycle.milestones.commands import AcceptMilestone, SubmitMilestone
from lifecycle.payouts.commands import Amend, Approve, Certify, Release, RequestPayout
from lifecycle.payouts.payees import CHANGE_SHOWN, ConfirmAccount, ProposeAccount, RetireAccount
from lifecycle.requirements.commands import AddEvidence
from models.states import Role

WHOLE = 10_000
RATE = 7_000
SHARES = {"T1": 4_000, "T2": 3_000, "T3": 1_500, "T4": 1_000, "R": 500}
RESULTS = {"T1": "task_contract", "T2": "verification_report", "T3": "user_report", "T4": "final_report"}
"""Tranche -> the paper that its report rests on."""
SUMMARIES = {
    "T1": "任务书已签署，立项论证通过",
    "T2": "小批量试制达标，评审通过",
    "T3": "市场验证完成，评审通过",
    "T4": "量产验证达标，结题审计通过",
}
Made = Generator[date, None, UUID]
"""Steps that end with the id of what they have made."""


@dataclass(slots=True, kw_only=True)
class Award:
    """An agreement of the story: what is promised to which project, who approves, where the money goes."""

    case: Case
    amount_minor: int
    approvers: tuple[str, ...]
    """Logins in the order in which they are asked: as many as the payment needs."""
    agreement_id: UUID
    tranches: dict[str, UUID]
    account_id: UUID
    costs_until: date
    """Last day of the cost stated so far, at first the day before the agreement starts."""
    stated_minor: int = field(default=0)
    changed_on: date | None = field(default=None)
    """Day on which another account took the place of the first one."""

    def tranche_minor(self, code: str) -> int:
        """Return what a tranche is in fen."""
        return self.amount_minor * SHARES[code] // WHOLE


def account_of(firm: str, ending: str) -> str:
    """Return an account number of a firm of the story; the sandbox bank reads its ending."""
    return f"62220210{list(FIRMS).index(firm) + 1:04d}{ending}"


def propose(story: Story, case: Case, ending: str, why: str = "") -> Made:
    """Enter an account of the firm, and two days later have the accountant call back and confirm it."""
    firm = FIRMS[case.product.firm]
    yield story.today
    asked = {
        "organisation_id": story.organisations[case.product.firm],
        "holder_name": firm.name,
        "account_number": account_of(case.product.firm, ending),
        "bank_code": "102100099996",
        "bank_name": "中国工商银行",
        "reason": why,
    }
    account = id_of(story.act(firm.finance[0], ProposeAccount, **asked))
    yield story.after(story.today, 2)
    said = f"{firm.lead[1]}，按立项登记电话回拨核实"
    story.act("tian", ConfirmAccount, payee_account_id=account, called=said)
    story.accounts[case.product.firm] = account
    return account


def agree(
    story: Story, name: str, on: str, amount_minor: int, approvers: Sequence[str], *, ending: str = "0001"
) -> Generator[date, None, Award]:
    """Draft and sign the agreement of a project from this day on, over a fourth more than the award asks."""
    start = date.fromisoformat(on)
    yield start
    case: Case = story.cases[name]
    own = amount_minor * (WHOLE - RATE) // RATE * 5 // 4
    asked = {"amount_minor": amount_minor, "own_money_minor": own, "starts_on": start}
    fund = story.funds[FUND]
    answer = story.act("chen", DraftAgreement, fund_id=fund, project_id=case.project_id, **asked)
    agreement = id_of(answer)
    for who in (case.who(Role.PROJECT_LEAD), "jin"):
        story.act(who, SignAgreement, agreement_id=agreement)
    account = story.accounts.get(case.product.firm) or (yield from propose(story, case, ending))
    return Award(
        case=case,
        amount_minor=amount_minor,
        approvers=tuple(approvers),
        agreement_id=agreement,
        tranches={code: UUID(key) for code, key in answer["tranches"].items()},
        account_id=account,
        costs_until=story.after(start, -1),
    )


def state_cost(story: Story, award: Award, share: int, paper: str = "cost_rollup", *, is_final: bool = False) -> Any:
    """State cost up to yesterday, a share of the award in hundredths, three tenths of it own money."""
    return state_cost_of(story, award, award.amount_minor * share // 100, paper, is_final=is_final)


def state_cost_of(
    story: Story,
    award: Award,
    cost: int,
    paper: str,
    *,
    is_final: bool,
    until: date | None = None,
) -> UUID:
    """State a cost up to a day, by default yesterday."""
    case, last = award.case, until or story.after(story.today, -1)
    asked = {
        "from_on": story.after(award.costs_until, 1),
        "until_on": last,
        "by_category": {"equipment": cost // 2, "materials": cost - cost // 2},
        "own_money_minor": -(-cost * (WHOLE - RATE) // WHOLE),
        "evidence_sha256": story.papers[case.project_id, paper],
        "is_final": is_final,
    }
    award.costs_until = last
    return id_of(story.act(case.who(Role.FINANCE_OFFICER), SubmitCost, agreement_id=award.agreement_id, **asked))


def verify(story: Story, cost: UUID, accepted: int, reason: str = "凭证相符") -> None:
    """Accept a stated cost, with three tenths of it as own money."""
    own = -(-accepted * (WHOLE - RATE) // WHOLE)
    story.act("wu", VerifyCost, cost_id=cost, accepted_minor=accepted, accepted_own_minor=own, reason=reason)


def report(story: Story, award: Award, code: str) -> None:
    """Hand in the report of a tranche."""
    case = award.case
    paper = story.papers[case.project_id, RESULTS[code]]
    asked = {"summary": SUMMARIES[code], "evidence": (paper,)}
    story.act(case.who(Role.PROJECT_LEAD), SubmitMilestone, milestone_id=award.tranches[code], **asked)


def accept(story: Story, award: Award, code: str) -> None:
    """Find the result of a tranche there."""
    said = "评审结论已生效，材料齐全"
    story.act(award.case.who(Role.COORDINATOR), AcceptMilestone, milestone_id=award.tranches[code], reason=said)


def file_minute(story: Story, award: Award, code: str, meeting: str) -> str:
    """File the minute in which the fund's committee agrees to a payment of this size; return its SHA-256."""
    content = f"{meeting}纪要：同意{award.case.product.name}项目拨付 {code}".encode()
    amount, day = award.tranche_minor(code), story.today.isoformat()
    sha256 = story.keep(content)
    story.act(
        "chen",
        AddEvidence,
        project_id=award.case.project_id,
        type="committee_minute",
        file_name="minute.txt",
        sha256=sha256,
        size_bytes=len(content),
        form={"meeting": meeting, "decided_on": day, "approved_minor": amount},
    )
    return sha256


def request(story: Story, award: Award, code: str, minute: str | None = None) -> UUID:
    """Ask for the money of a tranche."""
    asked = {
        "payee_account_id": award.account_id,
        "new_amount_minor": award.tranche_minor(code),
        "minute_sha256": minute,
    }
    who = award.case.who(Role.FINANCE_OFFICER)
    return id_of(story.act(who, RequestPayout, milestone_id=award.tranches[code], **asked))


def certify(story: Story, award: Award, code: str, payout: UUID) -> None:
    """Say that result and cost are what the request says."""
    story.act("wu", Certify, payout_id=payout, amount_minor=award.tranche_minor(code), note="成果与费用核对无误")


def approve(story: Story, award: Award, code: str, payout: UUID) -> None:
    """Pass it for payment: one after the other, until it is enough."""
    said: dict[str, str] = {}
    if award.changed_on is not None and story.today <= award.changed_on + CHANGE_SHOWN:
        said = {"callback_by": "田会计", "callback_at": f"{story.today} 09:30"}
    for who in award.approvers:
        answer = story.act(who, Approve, payout_id=payout, amount_minor=award.tranche_minor(code), **said)
        if answer["state"] == "approved":
            return


def hand_over(story: Story, payout: UUID) -> None:
    """Release it to the bank."""
    story.act("qian", Release, payout_id=payout)
    story.is_bank_due = True


def pay(story: Story, award: Award, code: str, on: str, *, cost: int = 0, minute: str | None = None) -> Made:
    """Take a tranche from its report on this day to the bank's booking four working days later.

    With `cost` a part of the award in hundredths is stated and verified before.
    """
    yield date.fromisoformat(on)
    report(story, award, code)
    stated = state_cost(story, award, cost) if cost else None
    yield story.after(story.today, 1)
    if stated is not None:
        verify(story, stated, award.amount_minor * cost // 100)
    accept(story, award, code)
    payout = request(story, award, code, minute)
    yield story.after(story.today, 1)
    yield from carry_out(story, award, code, payout)
    return payout


def carry_out(story: Story, award: Award, code: str, payout: UUID) -> Steps:
    """Certify, approve, release, and hear from the bank on the next working day."""
    certify(story, award, code, payout)
    approve(story, award, code, payout)
    yield story.after(story.today, 1)
    hand_over(story, payout)
    yield story.after(story.today, 1)
    story.is_bank_due = True


def pay_again(story: Story, award: Award, code: str, payout: UUID, ending: str) -> Steps:
    """Pay what came back once more, to a new account, after its cooling-off."""
    wrong = award.account_id
    yield from change_account(story, award, ending, "原账户已销户，银行退回")
    story.act("tian", RetireAccount, payee_account_id=wrong, reason="账户已销户")
    yield story.after(story.today, 6)
    asked = {"payee_account_id": award.account_id, "reason": "更正收款账户"}
    story.act(award.case.who(Role.FINANCE_OFFICER), Amend, payout_id=payout, **asked)
    yield story.after(story.today, 1)
    yield from carry_out(story, award, code, payout)


def change_account(story: Story, award: Award, ending: str, why: str) -> Steps:
    """Enter another account, and have it confirmed by a second person who has called back."""
    award.account_id = yield from propose(story, award.case, ending, why)
    award.changed_on = story.today


def settle(story: Story, award: Award, on: str, *, cost: int) -> Steps:
    """State and verify the last cost, accept the audit, and settle: then the acceptance tranche can be asked for."""
    yield date.fromisoformat(on)
    project = award.case.project_id
    final = state_cost(story, award, cost, "final_financial_statement", is_final=True)
    yield story.after(story.today, 3)
    verify(story, final, award.amount_minor * cost // 100)
    asked = {"evidence_sha256": story.papers[project, "audit_report"], "reason": "审计发现已关闭"}
    story.act("jin", AcceptAudit, agreement_id=award.agreement_id, **asked)
    report(story, award, "T4")
    yield story.after(story.today, 1)
    accept(story, award, "T4")
    story.act("zhou", SettleAgreement, agreement_id=award.agreement_id, reason="结题决算")
