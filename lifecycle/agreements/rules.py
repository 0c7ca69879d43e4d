"""Facts in, reasons out: what can stand in the way of an agreement's verbs and of cost statements. Pure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lifecycle.agreements.terms import INELIGIBLE
from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.milestones.plan import plan_reasons
from models.limits import LONG_TEXT, WHOLE_SHARE
from models.money import MAX_MINOR, said
from models.states import ENDED, ProjectState, Role

if TYPE_CHECKING:
    from lifecycle.agreements.facts import AgreementFacts, CostFacts, DraftFacts

MOST_CATEGORIES = 30
CATEGORY_LENGTH = 60


@about_input
def project_fundable(facts: "DraftFacts") -> tuple[Unmet, ...]:
    """A fund pays living projects of its owner's programmes that were taken in: intake is behind them."""
    project = facts.project
    if project is None or project.programme_organisation_id not in (None, facts.fund.organisation_id):
        return (unmet("project_not_found"),)
    if project.stage in ENDED:
        return (unmet("project_ended", state=str(project.stage)),)
    return (unmet("project_in_intake"),) if project.stage == ProjectState.INTAKE else ()


@about_input
def one_at_a_time(facts: "DraftFacts") -> tuple[Unmet, ...]:
    """A project has one active agreement with a fund; changes are supplements of it (F18)."""
    known = facts.active_number
    return (unmet("agreement_exists", number=known),) if known is not None else ()


@about_input
def plan_sound(facts: "DraftFacts") -> tuple[Unmet, ...]:
    """The plan, its shares and the rate stay within what the project's standard allows (rule book 5.1, F1)."""
    if facts.pack is None:
        return ()
    if facts.plan is None:
        return (unmet("plan_wrong"),)
    clauses = {criterion.id for stage in facts.pack.stages for criterion in stage.criteria}
    return plan_reasons(
        facts.command.amount_minor,
        facts.plan,
        rate_basis_points=facts.rate,
        rules=facts.pack.funds,
        clauses=clauses,
    )


@about_input
def award_sound(facts: Any) -> tuple[Unmet, ...]:
    """An award and the firm's own money lie within the bounds of one amount."""
    amount, own = facts.award, facts.own
    if 1 <= amount <= MAX_MINOR and 0 <= own <= MAX_MINOR:
        return ()
    return (unmet("amount_out_of_bounds", amount=amount if not 1 <= amount <= MAX_MINOR else own, limit=MAX_MINOR),)


@about_input
def own_money_enough(facts: Any) -> tuple[Unmet, ...]:
    """The award is at most its rate of award and own money together (F6)."""
    award, own, rate = facts.award, facts.own, facts.rate
    if award * WHOLE_SHARE <= rate * (award + own) or rate < 1:
        return ()
    needed = -(-award * (WHOLE_SHARE - rate) // rate)
    return (Unmet(code="own_money_missing", values=said(facts.fund.currency, have=own, needed=needed)),)


@about_input
def budget_sound(facts: Any) -> tuple[Unmet, ...]:
    """The categories of cost, where they are named, are eligible (F19) and add up to award and own money."""
    categories = facts.categories
    reasons = list(category_reasons(categories))
    total = sum(categories.values())
    if categories and total != facts.award + facts.own:
        values = said(facts.fund.currency, total=total, needed=facts.award + facts.own)
        reasons.append(Unmet(code="budget_does_not_add_up", values=values))
    return tuple(reasons)


def category_reasons(categories: Mapping[str, int]) -> tuple[Unmet, ...]:
    """Return why these categories of cost are none: ineligible ones, and amounts that are no amounts."""
    reasons = [unmet("category_ineligible", category=name) for name in categories if name in INELIGIBLE]
    named = all(0 < len(name) <= CATEGORY_LENGTH for name in categories) and len(categories) <= MOST_CATEGORIES
    if not named or not all(type(amount) is int and 1 <= amount <= MAX_MINOR for amount in categories.values()):
        reasons.append(unmet("categories_wrong", limit=MOST_CATEGORIES))
    return tuple(reasons)


@about_input
def within_fund(facts: Any) -> tuple[Unmet, ...]:
    """What a fund promises in all stays within its commitment; a closed agreement counts with what it paid."""
    left = facts.fund.commitment_minor - facts.promised_minor
    if facts.award <= left:
        return ()
    return (Unmet(code="fund_over_committed", values=said(facts.fund.currency, left=left, asked=facts.award)),)


@about_input
def term_sound(facts: Any) -> tuple[Unmet, ...]:
    """An agreement ends after it begins."""
    starts, ends = facts.term
    return () if ends is None or ends >= starts else (unmet("days_out_of_order", field="ends_on"),)


@about_input
def promise_sound(facts: "DraftFacts") -> tuple[Unmet, ...]:
    """An agreement may promise payment in more days than its standard, up to what the law allows (F21)."""
    limit = facts.pack.funds.payment_days_at_most if facts.pack else 0
    if facts.pack is None or 1 <= facts.payment_days <= limit:
        return ()
    return (unmet("payment_days_wrong", have=facts.payment_days, limit=limit),)


def _side(facts: "AgreementFacts") -> str:
    return "sme" if Role.PROJECT_LEAD in facts.on.roles else "funder"


def not_signed_yet(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """Each party signs once."""
    signed = getattr(facts.agreement, f"signed_by_{_side(facts)}")
    return (unmet("signed_already", number=facts.agreement.number),) if signed is not None else ()


def two_sides(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """Firm and funder are two people, also where one person may speak for both."""
    other = "funder" if _side(facts) == "sme" else "sme"
    signer = facts.persons.get(getattr(facts.agreement, f"signed_by_{other}"))
    is_same = signer is not None and signer == facts.on.stamp.actor.person_id
    return (unmet("four_eyes", verb="sign"),) if is_same else ()


def project_not_ended(facts: Any) -> tuple[Unmet, ...]:
    """Nothing is agreed on a project that has ended."""
    return (unmet("project_ended", state=str(facts.on.stage)),) if facts.on.has_ended else ()


@about_input
def supplement_sound(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """Only tranches of which nothing was asked for are changed; the tranches still sum to the award (F1)."""
    if facts.new_amounts is None:
        fixed = facts.agreement.amount_minor - sum(row.amount_minor for row in facts.open_tranches)
        values = said(facts.fund.currency, award=facts.award, fixed=fixed)
        return (Unmet(code="tranches_do_not_add_up", values=values),)
    return ()


@about_input
def tranches_tied(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """Every tranche waits for a gate or for criteria, none for an earlier gate than the one before it (5.1, F20)."""
    clauses = {criterion.id for stage in facts.on.pack.stages for criterion in stage.criteria}
    gates = {stage.gate for stage in facts.on.pack.stages}
    reasons, before = [], 0
    for code, gate, criteria in facts.new_ties:
        if (gate is None) != bool(criteria) or (gate is not None and gate not in gates):
            reasons.append(unmet("tranche_not_tied", tranche=code))
        elif unknown := [clause for clause in criteria if clause not in clauses]:
            reasons.append(unmet("tranche_clause_unknown", tranche=code, name=unknown[0]))
        else:
            reached = _reached(gate, criteria)
            reasons += [unmet("tranche_out_of_order", tranche=code)] if reached < before else []
            before = max(before, reached)
    return tuple(reasons)


def _reached(gate: str | None, criteria: tuple[str, ...]) -> int:
    return max((int(tied[1]) for tied in (gate, *criteria) if tied), default=0)


@about_input
def early_money_within_cap(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """Before the last gate no more may be planned than may be paid (F3)."""
    if facts.new_amounts is None:
        return ()
    limit = facts.on.pack.funds.before_last_gate_basis_points
    tied = {code: _reached(gate, criteria) for code, gate, criteria in facts.new_ties}
    early = sum(amount for code, amount in facts.all_amounts.items() if 0 < tied.get(code, 0) < 5)
    if early * WHOLE_SHARE <= facts.award * limit:
        return ()
    return (unmet("plan_over_cap", have=early * WHOLE_SHARE // facts.award, limit=limit),)


def audit_open(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """An audit is accepted once."""
    day = facts.agreement.audit_accepted_on
    return (unmet("audit_accepted_already", day=day.isoformat()),) if day is not None else ()


@about_input
def report_there(facts: Any) -> tuple[Unmet, ...]:
    """What a decision about money rests on is current evidence of the project."""
    return () if facts.command.evidence_sha256 in facts.hashes else (unmet("evidence_not_found"),)


def not_who_stated(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """Who stated the cost does not accept its audit."""
    is_own = facts.on.stamp.actor.person_id in facts.stated_by
    return (unmet("four_eyes", verb="accept_audit"),) if is_own else ()


def _never_in_force(facts: "AgreementFacts") -> bool:
    return facts.agreement.signed_on is None and facts.agreement.supplement_no == 0


def manager_gives_up_drafts(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """Who drafts agreements gives up a draft; one that was in force is closed by sponsor or director."""
    if _never_in_force(facts) or facts.on.stamp.actor.is_clock or not _CLOSING.isdisjoint(facts.on.roles):
        return ()
    return (unmet("role", needs=sorted(_CLOSING), verb="close"),)


_CLOSING = frozenset({Role.SPONSOR, Role.FUND_DIRECTOR})


def nothing_open(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """An agreement is closed when nothing is on its way and nothing is owed; early only after its project has ended."""
    reasons = []
    if facts.open_payouts:
        reasons.append(unmet("payouts_open", count=facts.open_payouts))
    if facts.open_recoveries:
        reasons.append(unmet("recoveries_open", count=facts.open_recoveries))
    waiting = [row.tranche for row in facts.milestones if row.state not in ("accepted", "waived")]
    if waiting and not facts.on.has_ended and not _never_in_force(facts):
        reasons.append(unmet("tranches_open", tranches=waiting))
    return tuple(reasons)


def is_settled(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """After the end of its project an agreement with money paid or cost accepted is settled first (F11, F12).

    Nobody closes it alone with an advance that is not cleared, or with cost that is not paid for.
    """
    agreement = facts.agreement
    has_money = facts.paid_minor != 0 or any(row.accepted_minor for row in facts.statements)
    if agreement.settled_on is not None or not facts.on.has_ended or not has_money:
        return ()
    return (Unmet(code="not_settled", values={"number": agreement.number}, party="funder", role=Role.FUND_MANAGER),)


@about_input
def period_sound(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """A period lies within the agreement and in the past, and no day is stated twice (F19)."""
    command, agreement = facts.command, facts.agreement
    reasons = []
    if not command.from_on <= command.until_on:
        reasons.append(unmet("days_out_of_order", field="until_on"))
    if command.from_on < agreement.starts_on:
        reasons.append(unmet("cost_before_start", day=agreement.starts_on.isoformat()))
    if command.until_on > facts.on.stamp.today:
        reasons.append(unmet("day_in_future", day=command.until_on.isoformat()))
    taken = [
        row.statement_no
        for row in facts.statements
        if row.accepted_minor != 0 and row.from_on <= command.until_on and command.from_on <= row.until_on
    ]
    if taken:
        reasons.append(unmet("period_stated_already", statement=taken[0]))
    return tuple(reasons)


@about_input
def cost_sound(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """Cost is eligible, in the categories that were agreed; own money is a part of it (F6, F19)."""
    command = facts.command
    total = sum(command.by_category.values())
    reasons = list(category_reasons(command.by_category))
    agreed = facts.agreement.cost_categories
    reasons.extend(
        unmet("category_not_agreed", category=name)
        for name in command.by_category
        if agreed and name not in agreed and name not in INELIGIBLE
    )
    if not 1 <= total <= MAX_MINOR:
        reasons.append(unmet("amount_out_of_bounds", amount=total, limit=MAX_MINOR))
    if not 0 <= command.own_money_minor <= total:
        reasons.append(
            Unmet(
                code="own_money_over_cost", values=said(facts.fund.currency, own=command.own_money_minor, total=total)
            )
        )
    return tuple(reasons)


@about_input
def final_once(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """After a final statement nothing more is stated, unless it was refused."""
    final = [row.statement_no for row in facts.statements if row.is_final and row.accepted_minor != 0]
    return (unmet("final_stated_already", statement=final[0]),) if final else ()


def not_settled_yet(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """The settlement rests on cost and award as they were: nothing more is stated or agreed after it (F11)."""
    day = facts.agreement.settled_on
    return (unmet("settled_already", day=day.isoformat()),) if day is not None else ()


@about_input
def before_the_stop(facts: "AgreementFacts") -> tuple[Unmet, ...]:
    """After a stop, cost up to its day is stated (F12)."""
    closed = [run.closed_on for run in facts.on.runs if run.closed_on is not None]
    is_stopped = str(facts.on.stage) in ("stopped", "withdrawn")
    if not is_stopped or not closed or facts.command.until_on <= max(closed):
        return ()
    return (unmet("cost_after_stop", day=max(closed).isoformat()),)


def verified_once(facts: "CostFacts") -> tuple[Unmet, ...]:
    """A cost statement is verified once."""
    return () if facts.cost.verified_at is None else (unmet("cost_verified_already"),)


def not_who_submitted(facts: "CostFacts") -> tuple[Unmet, ...]:
    """Who stated the cost does not verify it, under whichever account (F7)."""
    is_own = facts.submitter is not None and facts.submitter == facts.on.stamp.actor.person_id
    return (unmet("four_eyes", verb="verify"),) if is_own else ()


@about_input
def accepted_within_claim(facts: "CostFacts") -> tuple[Unmet, ...]:
    """At most what was stated is accepted, own money at most within it; what is cut says why."""
    command, cost = facts.command, facts.cost
    reasons = []
    if not 0 <= command.accepted_minor <= cost.claimed_minor:
        reasons.append(_over_claim(facts, command.accepted_minor, cost.claimed_minor))
    own_limit = min(cost.own_money_minor, max(command.accepted_minor, 0))
    if not 0 <= command.accepted_own_minor <= own_limit:
        reasons.append(_over_claim(facts, command.accepted_own_minor, own_limit))
    is_cut = command.accepted_minor < cost.claimed_minor or command.accepted_own_minor < cost.own_money_minor
    if is_cut and not 0 < len(command.reason.strip()) <= LONG_TEXT:
        reasons.append(unmet("reason_missing"))
    return tuple(reasons)


def _over_claim(facts: "CostFacts", accepted: int, claimed: int) -> Unmet:
    values = said(facts.agreement.currency, accepted=accepted, claimed=claimed)
    return Unmet(code="accepted_over_claim", values=values)


def evidence_current(facts: "CostFacts") -> tuple[Unmet, ...]:
    """The file that the statement rests on is still current evidence."""
    return () if facts.cost.evidence_sha256 in facts.hashes else (unmet("evidence_not_found"),)
