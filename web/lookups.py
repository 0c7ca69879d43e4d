"""What a choice offers for a reference: field of a command -> (id, what people see), read for the subject at hand."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sqlalchemy import select
from sqlmodel import Session

from models.evidence import Evidence
from models.people import Organisation, User
from models.projects import Project, Requirement
from models.reading import table_of
from models.states import EvidenceStatus, OrganisationKind, UserStatus, VerdictState
from web.forms import Options
from web.money_lookups import MONEY_OFFERS
from web.nouns import AnyVerb, Noun

Offer: TypeAlias = Callable[[Session, Noun, Any], Options]
MOST = 500
"""More than this nobody chooses from a list."""


def offered(session: Session, verb: AnyVerb, noun: Noun, row: Any) -> dict[str, Options]:
    """Return the choices of every reference that the verb asks for."""
    names = verb.command.__dataclass_fields__
    own = f"{verb.subject_name}_id"
    wanted = {name: OFFERS.get(f"{verb.permission}.{name}") or OFFERS.get(name) for name in names if name != own}
    return {name: offer(session, noun, row) for name, offer in wanted.items() if offer is not None}


def people(session: Session, _noun: Noun, _row: Any) -> Options:
    """Everybody with an active account."""
    user = table_of(User)
    statement = select(user.c.id, user.c.name, user.c.login).where(user.c.status == UserStatus.ACTIVE)
    rows = session.execute(statement.order_by(user.c.name).limit(MOST))
    return [(str(row.id), f"{row.name} ({row.login})") for row in rows]


def organisations(*kinds: OrganisationKind) -> Offer:
    """Organisations of these kinds, of any where none is named."""

    def found(session: Session, _noun: Noun, _row: Any) -> Options:
        table = table_of(Organisation)
        statement = select(table.c.id, table.c.name).order_by(table.c.name).limit(MOST)
        if kinds:
            statement = statement.where(table.c.kind.in_(kinds))
        return [(str(row.id), row.name) for row in session.execute(statement)]

    return found


def papers(session: Session, noun: Noun, row: Any) -> Options:
    """The evidence of the project that counts."""
    evidence = table_of(Evidence)
    statement = select(evidence.c.id, evidence.c.type, evidence.c.file_name).where(
        evidence.c.project_id == noun.project_id(row), evidence.c.status == EvidenceStatus.CURRENT
    )
    rows = session.execute(statement.order_by(evidence.c.type, evidence.c.id).limit(MOST))
    return [(str(one.id), f"{one.type} · {one.file_name}") for one in rows]


def clauses(session: Session, noun: Noun, row: Any) -> Options:
    """What the present stage of the project asks, by clause, the open ones first."""
    requirement, project = table_of(Requirement), table_of(Project)
    statement = (
        select(requirement.c.clause, requirement.c.verdict)
        .join(project, project.c.stage_run_id == requirement.c.stage_run_id)
        .where(project.c.id == noun.project_id(row))
    )
    found = sorted((one.verdict in PASSING, natural(one.clause), one.clause) for one in session.execute(statement))
    return [(clause, clause) for _, _, clause in found]


def natural(clause: str) -> tuple[str, int]:
    """Return what sorts G3.10 behind G3.9."""
    gate, _, number = clause.partition(".")
    return gate, int(number) if number.isdecimal() else 0


PASSING = (VerdictState.MET, VerdictState.WAIVED)
OFFERS: Mapping[str, Offer] = {
    "user_id": people,
    "on_behalf_of": people,
    "organisation_id": organisations(),
    "other_id": organisations(),
    "platform_id": organisations(OrganisationKind.PLATFORM),
    "receiver_id": organisations(OrganisationKind.RECEIVER),
    "customer_id": organisations(OrganisationKind.CUSTOMER),
    "evidence_id": papers,
    "clause": clauses,
    **MONEY_OFFERS,
}
