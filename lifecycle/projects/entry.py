"""What `advance` into a stage asks besides the gate before it: the entry lines of the standard (rule book 3.2-3.5)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from lifecycle.errors import Unmet
from lifecycle.stages.forms import day
from models.states import VerdictState

if TYPE_CHECKING:
    from lifecycle.projects.facts import ProjectFacts

Check: TypeAlias = "Callable[[ProjectFacts], Unmet | None]"

_PASSING = (VerdictState.MET, VerdictState.WAIVED)


def _follows(code: str, clause: str) -> Check:
    """A part that repeats a criterion follows it: met, waived or under a condition."""

    def check(facts: "ProjectFacts") -> Unmet | None:
        if not facts.pack.has(clause) or clause in {row.clause for row in facts.open_conditions}:
            return None
        verdict = facts.verdict_of(clause)
        if verdict.state in _PASSING:
            return None
        owed = verdict.owed_by[0] if verdict.owed_by else None
        return Unmet(
            code=code,
            clause=clause,
            verdict=verdict.state,
            values=verdict.values,
            party=owed.party if owed else None,
            role=owed.role if owed else None,
        )

    return check


def _handed_in(code: str, evidence_type: str, party: str, role: str) -> Check:
    """A part that a document shows; one that says a day of signing still to come shows nothing yet."""

    def check(facts: "ProjectFacts") -> Unmet | None:
        if not facts.pack.has_evidence_type(evidence_type):
            return None
        records = facts.records
        paper = records.latest(evidence_type) if records is not None else None
        if records is None or paper is None:
            return Unmet(code=code, party=party, role=role, values={"evidence": evidence_type})
        signed = [day(paper.values, name) for name in paper.values if name.startswith("signed")]
        ahead = max((one for one in signed if one is not None and one > records.today), default=None)
        if ahead is None:
            return None
        values = {"evidence": evidence_type, "day": ahead.isoformat()}
        return Unmet(code="signed_in_future", party=party, role=role, values=values)

    return check


def _where_there_is_a_fund(check: Check) -> Check:
    def asked(facts: "ProjectFacts") -> Unmet | None:
        return check(facts) if facts.project.has_fund else None

    return asked


def _receiver_named(facts: "ProjectFacts") -> Unmet | None:
    if facts.project.receiver_id is not None:
        return None
    return Unmet(code="receiver_not_named", party="platform", role="coordinator")


def _application_received(facts: "ProjectFacts") -> Unmet | None:
    return (
        None
        if facts.project.received_on is not None
        else Unmet(code="receipt_day_unknown", party="platform", role="coordinator")
    )


ENTRY: Mapping[str, Check] = {
    "application_received": _application_received,
    "contract_signed": _handed_in("contract_not_signed", "task_contract", "sme", "project_lead"),
    "first_tranche_paid": _where_there_is_a_fund(
        _handed_in("first_tranche_not_paid", "tranche_record", "funder", "payer")
    ),
    "facility_booked": _follows("facility_not_booked", "G2.6"),
    "ehs_cleared": _follows("ehs_not_cleared", "G2.8"),
    "units_from_conforming_batches": _follows("units_not_from_conforming_batches", "G3.1"),
    "trial_agreement_signed": _handed_in("trial_agreement_missing", "trial_agreement", "sme", "project_lead"),
    "receiver_named": _receiver_named,
    "fee_and_capacity_quote": _handed_in("quote_missing", "fee_and_capacity_quote", "platform", "coordinator"),
}
"""Name in the pack -> check. A pack that names another entry does not pass `standard lint`."""
