"""What a database holds already of that which a scenario names: a second load takes it as it is."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from models.access import TotpSecret
from models.agreements import Agreement
from models.funds import Fund
from models.payouts import PayeeAccount
from models.people import Organisation, RoleGrant, User
from models.programmes import Programme, StandardPack
from models.projects import Project
from models.reading import rows_by, table_of
from models.states import PayeeStatus, Role


def users(session: Session, logins: Iterable[str]) -> dict[str, Any]:
    """Return login -> account."""
    return _by(session, User, "login", logins)


def organisations(session: Session, names: Iterable[str]) -> dict[str, Any]:
    """Return name -> organisation, the one entered first."""
    return _by(session, Organisation, "name", names)


def funds(session: Session, codes: Iterable[str]) -> dict[str, Any]:
    """Return code -> fund."""
    return _by(session, Fund, "code", codes)


def programmes(session: Session, names: Iterable[str]) -> dict[str, Any]:
    """Return name -> programme, the one opened first."""
    return _by(session, Programme, "name", names)


def published(session: Session, hashes: Iterable[str]) -> set[str]:
    """Return which packs are published."""
    return set(_by(session, StandardPack, "sha256", hashes))


def grants(session: Session, user_ids: Collection[UUID]) -> set[tuple[UUID, Role, UUID | None]]:
    """Return (account, role, organisation) of every live grant of these accounts."""
    found = rows_by(session, RoleGrant, "user_id", user_ids)
    return {
        (row.user_id, Role(row.role), row.organisation_id)
        for rows in found.values()
        for row in rows
        if row.revoked_at is None
    }


def accounts(session: Session, organisation_ids: Collection[UUID]) -> dict[tuple[UUID, str], Any]:
    """Return (organisation, hash) -> account that is not retired."""
    found = rows_by(session, PayeeAccount, "organisation_id", organisation_ids)
    return {
        (row.organisation_id, row.payee_hash): row
        for rows in found.values()
        for row in rows
        if row.status != PayeeStatus.RETIRED
    }


def payers(session: Session, organisation_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return firm -> funder whose fund has an agreement with it, the one that opened its fund first."""
    agreement, fund, project = table_of(Agreement), table_of(Fund), table_of(Project)
    statement = (
        select(project.c.organisation_id, fund.c.organisation_id.label("funder_id"))
        .join_from(agreement, project, project.c.id == agreement.c.project_id)
        .join(fund, fund.c.id == agreement.c.fund_id)
        .where(project.c.organisation_id.in_(list(organisation_ids)))
        .order_by(fund.c.id.desc())
    )
    return {row.organisation_id: row.funder_id for row in session.connection().execute(statement)}


def names(session: Session, organisation_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return organisation -> its name."""
    return {key: rows[0].name for key, rows in rows_by(session, Organisation, "id", organisation_ids).items()}


def _by(session: Session, model: Any, column: str, values: Iterable[str]) -> dict[str, Any]:
    table = table_of(model)
    wanted = list(dict.fromkeys(values))
    statement = select(table).where(table.c[column].in_(wanted)).order_by(table.c.id.desc())
    return {getattr(row, column): row for row in session.connection().execute(statement)}


def with_authenticator(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Return which of these accounts have an authenticator app."""
    table = table_of(TotpSecret)
    rows = session.execute(select(table.c.user_id).where(table.c.user_id.in_(ids), table.c.revoked_at.is_(None)))
    return set(rows.scalars())
