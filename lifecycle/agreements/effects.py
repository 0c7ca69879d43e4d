"""What a carried-out verb of an agreement, or of a cost statement, changes. Pure: facts in, effects out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lifecycle.agreements.facts import AgreementFacts, CostFacts, DraftFacts
from lifecycle.commands import Act, Effects, Message, Stamp
from lifecycle.milestones.effects import milestone_act, planned
from lifecycle.milestones.plan import tranche_amounts
from lifecycle.standards.funds import Tranche
from models.agreements import Agreement, AgreementChange, CostStatement
from models.funds import Fund
from models.states import FundStatus, Role


def agreement_act(facts: AgreementFacts, verb: str, **rest: Any) -> Act:
    """Return the act on the agreement itself; it moves no state that a chart knows."""
    return Act(
        table=Agreement,
        object_type="agreement",
        id=facts.agreement.id,
        action=f"agreement.{verb}",
        row=facts.agreement,
        values=rest.pop("values", {}),
        detail=rest.pop("detail", {}),
    )


def _told(facts: AgreementFacts, kind: str, **more: Any) -> Message:
    number = {"number": facts.agreement.number, "project": facts.on.project.number}
    return Message(
        kind=f"agreement.{kind}", object_type="agreement", object_id=facts.agreement.id, facts={**number, **more}
    )


def drafted(facts: DraftFacts, _target: str, stamp: Stamp) -> Effects:
    """Make the agreement out: the award is divided by the plan, and the fund has promised it."""
    command, agreement_id = facts.command, stamp.new_id()
    assert facts.plan is not None and facts.pack is not None  # the rule `plan_sound` has asked  # noqa: S101, PT018
    values = {
        "number": facts.number,
        "project_id": command.project_id,
        "fund_id": facts.fund.id,
        "amount_minor": command.amount_minor,
        "currency": facts.fund.currency,
        "rate_basis_points": facts.rate,
        "own_money_minor": command.own_money_minor,
        "cost_categories": dict(command.cost_categories),
        "payment_days": facts.payment_days,
        "starts_on": command.starts_on,
        "ends_on": command.ends_on,
        "status": FundStatus.ACTIVE,
        "supplement_no": 0,
        "created_at": stamp.now,
    }
    born = Act(
        table=Agreement,
        object_type="agreement",
        id=agreement_id,
        action="agreement.draft",
        values=values,
        detail={name: value for name, value in values.items() if name != "created_at"},
    )
    due = {one.code: one.due_on for one in command.tranches}
    common = {
        "project_id": command.project_id,
        "agreement_id": agreement_id,
        "fund_id": facts.fund.id,
        "currency": facts.fund.currency,
    }
    tranches = tuple(
        planned(
            stamp.new_id(),
            {
                **common,
                **_tranche(one, facts.pack.funds.retention_months),
                "number": place,
                "amount_minor": amount,
                "due_on": due.get(one.code),
            },
        )
        for place, (one, amount) in enumerate(
            zip(facts.plan, tranche_amounts(command.amount_minor, facts.plan), strict=True), 1
        )
    )
    promise = Act(
        table=Fund,
        object_type="fund",
        id=facts.fund.id,
        action="fund.promise",
        row=facts.fund,
        detail={"agreement": facts.number, "amount_minor": command.amount_minor},
    )
    told = {"number": facts.number, "project": facts.project.number}
    message = Message(kind="agreement.drafted", object_type="agreement", object_id=agreement_id, facts=told)
    return Effects(
        acts=(born, *tranches, promise),
        messages=(message,),
        numbers={facts.series[:2]: facts.series[2]},
        says={"number": facts.number, "tranches": {one.values["tranche"]: str(one.id) for one in tranches}},
    )


def _tranche(one: Tranche, retention_months: int) -> dict[str, Any]:
    return {
        "tranche": one.code,
        "share_basis_points": one.share_basis_points,
        "gate": one.gate,
        "criteria": list(one.criteria),
        "needs": list(one.needs),
        "is_retention": one.is_retention,
        "months_after": retention_months if "retention_over" in one.needs else 0,
    }


def signed(facts: AgreementFacts, _target: str, stamp: Stamp) -> Effects:
    """Sign for the firm or for the funder; the second signature makes the agreement effective."""
    side, other = ("sme", "funder") if Role.PROJECT_LEAD in facts.on.roles else ("funder", "sme")
    values: dict[str, Any] = {f"signed_by_{side}": stamp.actor.user_id}
    is_effective = getattr(facts.agreement, f"signed_by_{other}") is not None
    if is_effective:
        values["signed_on"] = stamp.today
    detail = {"side": side, "supplement_no": facts.agreement.supplement_no, "is_effective": is_effective}
    act = agreement_act(facts, "sign", values=values, detail=detail)
    messages = (_told(facts, "signed"),) if is_effective else ()
    return Effects(acts=(act,), messages=messages, says={"is_effective": is_effective})


def supplemented(facts: AgreementFacts, _target: str, stamp: Stamp) -> Effects:
    """Change amount, tranches, term or budget under the same number; it counts once both parties have signed again."""
    before, after = _terms(facts.agreement, facts.living), _new_terms(facts)
    number = facts.agreement.supplement_no + 1
    values = {
        "amount_minor": facts.award,
        "own_money_minor": facts.own,
        "cost_categories": dict(facts.categories),
        "ends_on": facts.term[1],
        "supplement_no": number,
        "signed_by_sme": None,
        "signed_by_funder": None,
        "signed_on": None,
    }
    detail = {"supplement_no": number, "reason": facts.command.reason, "before": before, "after": after}
    change = {
        "id": stamp.new_id(),
        "agreement_id": facts.agreement.id,
        "supplement_no": number,
        "before": before,
        "after": after,
        "reason": facts.command.reason.strip(),
        "at": stamp.now,
        "by": stamp.actor.user_id,
    }
    tranches = tuple(
        milestone_act(row, "change", values=changed, detail=changed)
        for row in facts.open_tranches
        if (changed := _changes(facts, row))
    )
    return Effects(
        acts=(agreement_act(facts, "supplement", values=values, detail=detail), *tranches),
        rows=((AgreementChange, change),),
        messages=(_told(facts, "supplemented", supplement=number),),
        says={"number": facts.agreement.number, "supplement_no": number},
    )


def _changes(facts: AgreementFacts, row: Any) -> dict[str, Any]:
    """Return the columns of an open tranche that become different."""
    _, gate, criteria = next(tie for tie in facts.new_ties if tie[0] == row.tranche)
    due = next((one.due_on for one in facts.command.tranches if one.code == row.tranche), None)
    new = {
        "amount_minor": facts.all_amounts[row.tranche],
        "gate": gate,
        "criteria": list(criteria),
        "due_on": due or row.due_on,
    }
    return {name: value for name, value in new.items() if value != getattr(row, name)}


def _terms(agreement: Any, tranches: Any) -> dict[str, Any]:
    return {
        "amount_minor": agreement.amount_minor,
        "own_money_minor": agreement.own_money_minor,
        "cost_categories": dict(agreement.cost_categories),
        "ends_on": _day(agreement.ends_on),
        "tranches": {
            row.tranche: {
                "amount_minor": row.amount_minor,
                "gate": row.gate,
                "criteria": list(row.criteria),
                "due_on": _day(row.due_on),
            }
            for row in tranches
        },
    }


def _new_terms(facts: AgreementFacts) -> dict[str, Any]:
    old = _terms(facts.agreement, facts.living)
    for row in facts.open_tranches:
        changed = _changes(facts, row)
        if "due_on" in changed:
            changed["due_on"] = _day(changed["due_on"])
        old["tranches"][row.tranche].update(changed)
    return {
        **old,
        "amount_minor": facts.award,
        "own_money_minor": facts.own,
        "cost_categories": dict(facts.categories),
        "ends_on": _day(facts.term[1]),
    }


def _day(day: Any) -> str | None:
    return None if day is None else day.isoformat()


def audit_accepted(facts: AgreementFacts, _target: str, stamp: Stamp) -> Effects:
    """Write down that the audit of the project's money is accepted."""
    detail = {"evidence_sha256": facts.command.evidence_sha256, "reason": facts.command.reason}
    act = agreement_act(facts, "accept_audit", values={"audit_accepted_on": stamp.today}, detail=detail)
    return Effects(acts=(act,), messages=(_told(facts, "audit_accepted"),))


def closed(facts: AgreementFacts, _target: str, stamp: Stamp) -> Effects:
    """Close the agreement: what it did not pay is the fund's to promise again."""
    values = {"status": FundStatus.CLOSED, "closed_on": stamp.today}
    act = agreement_act(facts, "close", values=values, detail={"reason": facts.command.reason})
    return Effects(acts=(act,), messages=(_told(facts, "closed"),))


def cost_submitted(facts: AgreementFacts, _target: str, stamp: Stamp) -> Effects:
    """State the cost of a period."""
    command, cost_id = facts.command, stamp.new_id()
    number = max((row.statement_no for row in facts.statements), default=0) + 1
    values = {
        "project_id": facts.on.project.id,
        "agreement_id": facts.agreement.id,
        "fund_id": facts.agreement.fund_id,
        "statement_no": number,
        "from_on": command.from_on,
        "until_on": command.until_on,
        "claimed_minor": sum(command.by_category.values()),
        "own_money_minor": command.own_money_minor,
        "by_category": dict(command.by_category),
        "evidence_sha256": command.evidence_sha256,
        "is_final": command.is_final,
        "submitted_by": stamp.actor.user_id,
        "submitted_at": stamp.now,
    }
    born = _cost_act(cost_id, "submit", values, {name: values[name] for name in _SHOWN})
    entered = agreement_act(facts, "state_cost", detail={"statement_no": number, "cost_id": cost_id})
    message = _cost_told(facts.agreement, cost_id, "submitted", number)
    return Effects(acts=(born, entered), messages=(message,), says={"statement_no": number})


_SHOWN = ("statement_no", "from_on", "until_on", "claimed_minor", "own_money_minor", "evidence_sha256", "is_final")


def _cost_act(cost_id: UUID, verb: str, values: Mapping[str, Any], detail: Mapping[str, Any], row: Any = None) -> Act:
    return Act(
        table=CostStatement,
        object_type="cost",
        id=cost_id,
        action=f"cost.{verb}",
        row=row,
        values=values,
        detail=detail,
    )


def _cost_told(agreement: Any, cost_id: UUID, kind: str, number: int) -> Message:
    facts = {"agreement": agreement.number, "statement_no": number}
    return Message(kind=f"cost.{kind}", object_type="cost", object_id=cost_id, facts=facts)


def cost_verified(facts: CostFacts, _target: str, stamp: Stamp) -> Effects:
    """Accept what is eligible and proved; it counts as cost from now on."""
    command, cost = facts.command, facts.cost
    said = {
        "accepted_minor": command.accepted_minor,
        "accepted_own_minor": command.accepted_own_minor,
        "reason": command.reason.strip() or None,
    }
    values = {**said, "verified_by": stamp.actor.user_id, "verified_at": stamp.now}
    act = _cost_act(cost.id, "verify", values, said, cost)
    return Effects(acts=(act,), messages=(_cost_told(facts.agreement, cost.id, "verified", cost.statement_no),))
