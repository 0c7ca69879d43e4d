"""For which party of a project each role acts, and whose papers are whose (`domain.md` 1.4)."""

from collections.abc import Mapping

from lifecycle.standards.pack import EvidenceType, Judge, Owes, Pack, Party, Stage
from models.states import Role

ROLE_PARTY: Mapping[Role, Party] = {
    Role.PROJECT_LEAD: "sme",
    Role.FINANCE_OFFICER: "sme",
    Role.PROCESS_ENGINEER: "sme",
    Role.COORDINATOR: "platform",
    Role.TECHNICAL_MANAGER: "platform",
    Role.LAB_LEAD: "platform",
    Role.QUALITY_ENGINEER: "platform",
    Role.EHS_OFFICER: "platform",
    Role.EXPERT: "programme",
    Role.PANEL_CHAIR: "programme",
    Role.CUSTOMER_REP: "customer",
    Role.RECEIVER_LEAD: "receiver",
    Role.CERTIFIER: "funder",
    Role.FUND_MANAGER: "funder",
    Role.FUND_DIRECTOR: "funder",
    Role.PAYER: "funder",
    Role.ACCOUNTANT: "funder",
    Role.AUDITOR: "auditor_firm",
    Role.SPONSOR: "programme",
    Role.STANDARD_EDITOR: "programme",
    Role.OPERATOR: "programme",
    Role.ADMIN: "programme",
}


def judge_owes(judge: Judge) -> Owes:
    """Say who owes this judgement: the judge's own party when the pack names one, else that of the role."""
    return Owes(party=judge.party or ROLE_PARTY[judge.role], role=judge.role)


def decider_at(stage: Stage) -> Role:
    """Return who records what the panel of this gate says: its chair, or the one expert."""
    return Role.EXPERT if stage.panel.kind == "single_expert" else Role.PANEL_CHAIR


def hands_in(pack: Pack, kind: EvidenceType) -> frozenset[Role]:
    """Return the roles that hand in evidence of this type: the party that owes it (rule book 1.4).

    The type names them itself, or it is everybody who acts for a party that owes a criterion it serves.
    """
    criteria = [criterion for stage in pack.stages for criterion in stage.criteria]
    serving = [one for one in criteria if kind.id in (*one.evidence, *one.supporting)]
    owing = {owes.party for criterion in serving for owes in criterion.owed_by}
    return frozenset(kind.handed_in_by) or frozenset(role for role, party in ROLE_PARTY.items() if party in owing)
