"""For which party of a project each role acts, when a judge of the pack does not say (`domain.md` 1.4)."""

from collections.abc import Mapping

from lifecycle.standards.pack import Judge, Owes, Party
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
