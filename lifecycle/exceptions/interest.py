"""Whose payments a case touches, and who therefore has no word on its way out: the same people as for the payment (F7).

A case touches what it is about, what its booking names, and what the proposal names.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, union
from sqlmodel import Session

from lifecycle.funds.wall import people_of, walls_of
from lifecycle.payouts.near import teams_of, tied_to
from models.payouts import PayeeAccount, PaymentBatch, PaymentInstruction, Payout
from models.people import User
from models.projects import Project
from models.reading import rows_by, table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """What one case speaks of: an object, end-to-end ids, message ids, projects of recovery orders."""

    about: UUID
    ends: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()
    project_ids: frozenset[UUID] = frozenset()
    fund_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Human beings who have no word on a case."""

    interested: frozenset[UUID] = field(default=frozenset())
    """They belong to the firm, to one tied to it, or to an investor that owns a part of it."""
    involved: frozenset[UUID] = field(default=frozenset())
    """They work on the project, or entered the account that its money goes to."""
    vouched: frozenset[UUID] = field(default=frozenset())
    """They confirmed that account: they may say what they know of it, and another agrees."""


def apart_from(session: Session, concerns: Sequence[Concern]) -> list[Apart]:
    """Return for each case who has no word on it; the same number of statements for one and for many."""
    paid = _payments(session, concerns)
    known = {row.project_id for row in paid} | {one for concern in concerns for one in concern.project_ids}
    projects = rows_by(session, Project, "id", known)
    firms = {row.organisation_id for rows in projects.values() for row in rows} - {None}
    tied = tied_to(session, firms)
    belong = people_of(session, firms | {other for others in tied.values() for other in others})
    of_case = [_projects_of(one, paid) for one in concerns]
    sides = {
        (fund, firm)
        for named in of_case
        for project, fund in named
        for firm in _firm(projects, project)
        if fund is not None
    }
    walls = walls_of(session, sorted(sides))
    teams = teams_of(session, known)
    accounts = rows_by(session, PayeeAccount, "id", {row.payee_account_id for row in paid})
    users = {row.user_id for rows in teams.values() for row in rows}
    users |= {one for rows in accounts.values() for row in rows for one in (row.proposed_by, row.confirmed_by)} - {None}
    person_of = {key: rows[0].person_id for key, rows in rows_by(session, User, "id", users).items()}
    found = []
    for concern, named in zip(concerns, of_case, strict=True):
        interested: set[UUID] = set()
        for project, fund in named:
            for firm in _firm(projects, project):
                near = {firm} | tied.get(firm, frozenset())
                interested |= {person for one in near for person in belong.get(one, ())}
                interested |= walls.get((fund, firm), frozenset()) if fund is not None else frozenset()
        involved = {row.user_id for project, _ in named for row in teams.get(project, ())}
        paid_to = [
            row for payment in paid if _touches(concern, payment) for row in accounts.get(payment.payee_account_id, ())
        ]
        involved |= {row.proposed_by for row in paid_to}
        vouched = {row.confirmed_by for row in paid_to}
        found.append(
            Apart(
                interested=frozenset(interested),
                involved=frozenset(person_of[one] for one in involved if one in person_of),
                vouched=frozenset(person_of[one] for one in vouched if one in person_of),
            )
        )
    return found


def _firm(projects: Any, project_id: UUID) -> Iterator[UUID]:
    yield from (row.organisation_id for row in projects.get(project_id, ()) if row.organisation_id is not None)


def _projects_of(concern: Concern, paid: Sequence[Any]) -> frozenset[tuple[UUID, UUID | None]]:
    """Return the projects that a case touches, each with the fund that pays it."""
    named = {(row.project_id, row.fund_id) for row in paid if _touches(concern, row)}
    return frozenset(named | {(one, concern.fund_id) for one in concern.project_ids})


def _touches(concern: Concern, row: Any) -> bool:
    is_it = concern.about in (row.instruction_id, row.batch_id)
    return is_it or row.end_to_end_id in concern.ends or row.msg_id in concern.messages


def _payments(session: Session, concerns: Collection[Concern]) -> Sequence[Any]:
    payout, instruction, batch = table_of(Payout), table_of(PaymentInstruction), table_of(PaymentBatch)
    about = [one.about for one in concerns]
    ends = sorted({end for one in concerns for end in one.ends})
    messages = sorted({message for one in concerns for message in one.messages})
    found = (
        select(
            instruction.c.id.label("instruction_id"),
            instruction.c.end_to_end_id,
            instruction.c.batch_id,
            batch.c.msg_id,
            payout.c.project_id,
            payout.c.fund_id,
            payout.c.payee_account_id,
        )
        .join_from(instruction, payout, payout.c.id == instruction.c.payout_id)
        .join(batch, batch.c.id == instruction.c.batch_id)
    )
    named = ((instruction.c.id, about), (batch.c.id, about), (instruction.c.end_to_end_id, ends))
    by_index = (found.where(column.in_(values)) for column, values in (*named, (batch.c.msg_id, messages)))
    return session.connection().execute(union(*by_index)).all()
