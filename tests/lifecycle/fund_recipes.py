"""Recipes of the verbs of a fund."""

from datetime import timedelta

from lifecycle.funds import commands as fund
from lifecycle.funds import corrections
from models.states import Role, SourceKind
from tests import factories as make
from tests.factories import House, key
from tests.lifecycle.recipes import Made, given, recipe


@recipe("fund.add", by=Role.SPONSOR, tells="fund.added")
def add_fund(house: House, count: int) -> Made:
    return [make.new_fund(house) for _ in range(count)]


@recipe("fund.resize", by=Role.SPONSOR, tells="fund.resized")
def resize_fund(house: House, count: int) -> Made:
    return given(fund.ResizeFund, make.funds(house, count), commitment_minor=3_000_000_000, reason="one more year")


@recipe("fund.commit", "fund.commit", "fund_source.commit", by=Role.ACCOUNTANT, tells="fund.committed")
def commit(house: House, count: int) -> Made:
    investor = house.parties["other firm"]
    said = {"organisation_id": investor, "kind": SourceKind.SOCIAL_CAPITAL, "amount_minor": 500_000_000}
    return given(fund.Commit, make.funds(house, count), **said)


@recipe("fund.correct", by=Role.SPONSOR, tells="fund.corrected")
def correct_fund(house: House, count: int) -> Made:
    said = {"name": "the right name", "debtor_name": "the right holder", "reason": "mistyped"}
    return given(corrections.CorrectFund, make.funds(house, count), **said)


@recipe(
    "fund.amend_commitment",
    "fund.amend_commitment",
    "fund_source.amend",
    by=Role.ACCOUNTANT,
    tells="fund.commitment_amended",
)
def amend_commitment(house: House, count: int) -> Made:
    ids = make.funds(house, count)
    return [
        corrections.AmendCommitment(
            command_id=key(), fund_id=one, source_id=source, amount_minor=100_000_000, reason="a nought too many"
        )
        for one, source in zip(ids, make.sources(house, *ids), strict=True)
    ]


@recipe("fund.cancel_call", "fund.cancel_call", "fund_source.call", by=Role.ACCOUNTANT, tells="fund.call_cancelled")
def cancel_call(house: House, count: int) -> Made:
    ids = make.funds(house, count)
    make.sources(house, *ids)
    make.call_capital(house, *ids)
    return given(corrections.CancelCall, ids, call_no=1, reason="called too early")


@recipe("fund.call", "fund.call", "fund_source.call", by=Role.ACCOUNTANT, tells="fund.called")
def call_capital(house: House, count: int) -> Made:
    ids = make.funds(house, count)
    make.sources(house, *ids)
    return given(fund.CallCapital, ids, amount_minor=400_000_000, due_on=house.today + timedelta(days=30))


@recipe("fund.contribute", "fund.contribute", "fund_source.contribute", by=Role.ACCOUNTANT, tells="fund.contributed")
def contribute(house: House, count: int) -> Made:
    ids = make.funds(house, count)
    sources = make.sources(house, *ids)
    make.call_capital(house, *ids)
    return [
        fund.Contribute(
            command_id=key(), fund_id=one, source_id=source, amount_minor=300_000_000, received_on=house.today
        )
        for one, source in zip(ids, sources, strict=True)
    ]


@recipe("fund.hold", by=Role.FUND_DIRECTOR, tells="fund.held")
def hold_fund(house: House, count: int) -> Made:
    until = house.today + timedelta(days=30)
    return given(fund.HoldFund, make.funds(house, count), code="mismatch", reason="0.01 differs", until_on=until)


@recipe("fund.resume", by=Role.ACCOUNTANT, tells="fund.resumed")
def resume_fund(house: House, count: int) -> Made:
    held = hold_fund(house, count)
    ids = make.ids_of(house.do(*held, by=Role.FUND_DIRECTOR))
    house.do(*given(fund.ResumeFund, ids, reason="found"), by=Role.FUND_DIRECTOR)
    return given(fund.ResumeFund, ids, reason="the bank has corrected it")


@recipe("fund.set_tiers", by=Role.SPONSOR)
def set_tiers(house: House, count: int) -> Made:
    tiers = (
        fund.Tier(up_to_minor=10_000_000, approvers_needed=1),
        fund.Tier(up_to_minor=10**13, approvers_needed=3, is_director_needed=True),
    )
    return given(fund.SetTiers, make.funds(house, count), tiers=tiers, reason="smaller steps")


@recipe("fund.set_limit", by=Role.FUND_DIRECTOR)
def set_limit(house: House, count: int) -> Made:
    user = house.people[Role.FUND_MANAGER].user_id
    return given(fund.SetLimit, make.funds(house, count), user_id=user, up_to_minor=50_000_000, reason="new here")


@recipe("fund.close", by=Role.SPONSOR, tells="fund.closed")
def close_fund(house: House, count: int) -> Made:
    return given(fund.CloseFund, make.funds(house, count), reason="all is paid")
