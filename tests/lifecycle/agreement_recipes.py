"""Recipes of the verbs of an agreement, of its tranches and of stated cost."""

from lifecycle.agreements import commands as agreement
from lifecycle.milestones import commands as milestone
from models.states import ProjectState, Role
from tests import factories as make
from tests.factories import House, key
from tests.lifecycle.recipes import Made, given, recipe

PLANNED = ("milestone", "plan", "", "planned")


@recipe(
    "agreement.draft",
    "agreement.draft",
    *["milestone.plan"] * 5,
    "fund.promise",
    by=Role.FUND_MANAGER,
    moves=(PLANNED,) * 5,
    tells="agreement.drafted",
)
def draft(house: House, count: int) -> Made:
    ids = make.projects(house, count, stage=ProjectState.FEASIBILITY)
    return [make.draft(house, fund, one) for fund, one in zip(make.funds(house, count), ids, strict=True)]


@recipe("agreement.sign", by=Role.SPONSOR, tells="agreement.signed")
def sign(house: House, count: int) -> Made:
    ids = make.agreements(house, count, is_signed=False)
    make.sign(house, *ids, sides=(Role.PROJECT_LEAD,))
    return given(agreement.SignAgreement, ids)


@recipe(
    "agreement.supplement",
    "agreement.supplement",
    *["milestone.change"] * 5,
    by=Role.FUND_DIRECTOR,
    tells="agreement.supplemented",
)
def supplement(house: House, count: int) -> Made:
    ids = make.agreements(house, count)
    return given(agreement.SupplementAgreement, ids, amount_minor=110_000_000, reason="a second line")


@recipe("agreement.accept_audit", by=Role.FUND_DIRECTOR, tells="agreement.audit_accepted")
def accept_audit(house: House, count: int) -> Made:
    ids = make.agreements(house, count)
    return [
        agreement.AcceptAudit(command_id=key(), agreement_id=one, evidence_sha256=paper, reason="no finding")
        for one, paper in zip(ids, make.papers(house, *ids), strict=True)
    ]


@recipe("agreement.close", by=Role.SPONSOR, tells="agreement.closed")
def close(house: House, count: int) -> Made:
    return given(agreement.CloseAgreement, make.agreements(house, count, is_signed=False), reason="never signed")


@recipe("cost.submit", "cost.submit", "agreement.state_cost", by=Role.FINANCE_OFFICER, tells="cost.submitted")
def submit_cost(house: House, count: int) -> Made:
    ids = make.agreements(house, count)
    return [
        agreement.SubmitCost(
            command_id=key(),
            agreement_id=one,
            from_on=house.today,
            until_on=house.today,
            by_category={"equipment": 60_000_000, "material": 20_000_000},
            own_money_minor=24_000_000,
            evidence_sha256=paper,
        )
        for one, paper in zip(ids, make.papers(house, *ids), strict=True)
    ]


@recipe("cost.verify", by=Role.CERTIFIER, tells="cost.verified")
def verify_cost(house: House, count: int) -> Made:
    ids = make.stated(house, *make.agreements(house, count))
    return given(agreement.VerifyCost, ids, accepted_minor=79_000_000, accepted_own_minor=24_000_000, reason="a fine")


@recipe(
    "milestone.submit",
    by=Role.PROJECT_LEAD,
    moves=(("milestone", "submit", "planned", "submitted"),),
    tells="milestone.submitted",
)
def submit(house: House, count: int) -> Made:
    ids = make.agreements(house, count)
    return [
        milestone.SubmitMilestone(command_id=key(), milestone_id=one, summary="reached", evidence=(paper,))
        for one, paper in zip(make.tranches(house, *ids), make.papers(house, *ids), strict=True)
    ]


@recipe(
    "milestone.accept",
    by=Role.CERTIFIER,
    moves=(("milestone", "accept", "submitted", "accepted"),),
    tells="milestone.accepted",
)
def accept(house: House, count: int) -> Made:
    ids = make.reported(house, *make.agreements(house, count))
    return given(milestone.AcceptMilestone, ids, reason="seen")


@recipe(
    "milestone.reject",
    by=Role.COORDINATOR,
    moves=(("milestone", "reject", "submitted", "rejected"),),
    tells="milestone.rejected",
)
def reject(house: House, count: int) -> Made:
    ids = make.reported(house, *make.agreements(house, count))
    return given(milestone.RejectMilestone, ids, reason="the report is of another project")


@recipe(
    "milestone.waive",
    "milestone.waive",
    "agreement.lower",
    by=Role.SPONSOR,
    moves=(("milestone", "waive", "planned", "waived"),),
    tells="milestone.waived",
)
def waive(house: House, count: int) -> Made:
    ids = make.tranches(house, *make.agreements(house, count), number=3)
    return given(milestone.WaiveMilestone, ids, reason="the market test is paid by the customer")
