"""Everything that a chunk of messages needs to read, by key: one statement for each kind of row, however many."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.canonical import sha256
from lifecycle.commands import Stamp
from lifecycle.funds.wall import Side, walls_of
from lifecycle.projects.queries import project_rows
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from models.access import Invitation
from models.agreements import Agreement, CostStatement, Milestone, RecoveryOrder
from models.deliveries import WebhookEndpoint
from models.funds import Fund
from models.holds import ExceptionCase
from models.journal import AuditRecord
from models.payouts import Approval, PayeeAccount, PaymentBatch, Payout
from models.people import Organisation, User
from models.programmes import Programme, StandardDraft, StandardPack
from models.projects import Project
from models.reading import rows_by, table_of
from models.reviews import Review
from models.statements import BankStatement
from notifications.owed import owed_items

Rows: TypeAlias = Mapping[Any, Any]
"""Id -> row; what has no id is asked for too, and not found."""

_TABLES: Mapping[str, Any] = {
    "agreement": Agreement,
    "batch": PaymentBatch,
    "cost": CostStatement,
    "exception": ExceptionCase,
    "fund": Fund,
    "invitation": Invitation,
    "milestone": Milestone,
    "organisation": Organisation,
    "payee_account": PayeeAccount,
    "payout": Payout,
    "programme": Programme,
    "project": Project,
    "recovery": RecoveryOrder,
    "review": Review,
    "standard": StandardPack,
    "standard_draft": StandardDraft,
    "statement": BankStatement,
    "user": User,
    "webhook": WebhookEndpoint,
}
"""Objects that are read; any other (a run, a delivery, all disbursement) is told by its facts alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that a chunk of messages needs, by key."""

    objects: Mapping[tuple[str, UUID], Any]
    projects: Rows
    funds: Rows
    agreements: Rows
    milestones: Rows
    organisations: Rows
    users: Rows
    packs: Mapping[str, Pack]
    approvals: Mapping[UUID, list[Any]]
    acts: Mapping[str, Any]
    """End of a dedupe key -> the audit row of the act."""
    payers_of: Mapping[UUID, frozenset[UUID]]
    """Firm -> the organisations whose funds pay it."""
    walls: Mapping[Side, frozenset[UUID]]
    """(fund, firm) -> the humans who do not decide on its money."""
    owed: Mapping[UUID, list[dict[str, Any]]]
    """Project -> what its firm owes, in full."""

    def act_of(self, row: Any) -> Any:
        """Return the audit row of the act that wrote a message; None where there is none."""
        return self.acts.get(row.dedupe_key.partition(":")[2])


def read_sources(session: Session, rows: Sequence[Any], stamp: Stamp) -> Sources:
    """Read all that these outbox rows need."""
    wanted: dict[str, set[UUID]] = {}
    for row in rows:
        if row.object_type in _TABLES:
            wanted.setdefault(row.object_type, set()).add(row.object_id)
    objects = {
        (kind, key): found[0]
        for kind, ids in wanted.items()
        for key, found in rows_by(session, _TABLES[kind], "id", ids).items()
    }
    known = list(objects.values())
    projects = {
        row.id: row for row in project_rows(session, list(_ids(known, "project_id") | wanted.get("project", set())))
    }
    funds = _by_id(session, Fund, _ids(known, "fund_id"))
    firms = {row.organisation_id for (kind, _), row in objects.items() if kind == "payee_account"}
    payers_of = _payers_of(session, firms)
    places = (
        _ids(projects.values(), "organisation_id", "platform_id", "receiver_id", "transfer_to_id")
        | _ids(funds.values(), "organisation_id")
        | firms
        | {row.organisation_id for (kind, _), row in objects.items() if kind == "invitation"} - {None}
    )
    approvals = rows_by(session, Approval, "payout_id", wanted.get("payout", set()), "seq")
    acts = _acts(session, rows)
    people = _ids(known, "requested_by", "proposed_by", "submitted_by", "granted_by", "write_off_by", "owner_id")
    signers = {one.approver_id for group in approvals.values() for one in group}
    users = _by_id(session, User, people | signers | _ids(acts.values(), "actor_id"))
    packs = packs_of(session, {row.pack_sha256 for row in projects.values()}) if projects else {}
    sides = {side_of(row, projects) for (kind, _), row in objects.items() if kind in OF_MONEY} - {None}
    noticed = [row.object_id for row in rows if row.kind == "notice.issued"]
    return Sources(
        objects=objects,
        projects=projects,
        funds={**funds, **{key: row for (kind, key), row in objects.items() if kind == "fund"}},
        agreements=_by_id(session, Agreement, _ids(known, "agreement_id")),
        milestones=_by_id(session, Milestone, _ids(known, "milestone_id")),
        organisations=_by_id(session, Organisation, places),
        users=users,
        packs=packs,
        approvals=approvals,
        acts=acts,
        payers_of=payers_of,
        walls=walls_of(session, sorted(one for one in sides if one is not None)) if sides else {},
        owed=owed_items(session, noticed, stamp) if noticed else {},
    )


OF_MONEY = frozenset({"milestone", "payout", "recovery"})
"""Objects on which nobody of an investor decides whose own firm they are about."""


def side_of(row: Any, projects: Rows) -> Side | None:
    """Return the fund that pays and the firm that is paid."""
    firm = projects[row.project_id].organisation_id if row.project_id in projects else None
    return (row.fund_id, firm) if firm is not None else None


def _ids(rows: Iterable[Any], *columns: str) -> set[UUID]:
    found = {getattr(row, column, None) for row in rows for column in columns}
    return {one for one in found if one is not None}


def _by_id(session: Session, model: Any, ids: Collection[UUID]) -> dict[UUID, Any]:
    return {key: found[0] for key, found in rows_by(session, model, "id", ids).items()}


def _payers_of(session: Session, firms: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """Return firm -> organisations whose funds have an agreement with it: they call back about its bank account."""
    if not firms:
        return {}
    project, agreement, fund = table_of(Project), table_of(Agreement), table_of(Fund)
    statement = (
        select(project.c.organisation_id.label("firm"), fund.c.organisation_id)
        .join(agreement, agreement.c.project_id == project.c.id)
        .join(fund, fund.c.id == agreement.c.fund_id)
        .where(project.c.organisation_id.in_(firms))
        .distinct()
    )
    found: dict[UUID, set[UUID]] = {}
    for row in session.execute(statement):
        found.setdefault(row.firm, set()).add(row.organisation_id)
    return {firm: frozenset(places) for firm, places in found.items()}


def _acts(session: Session, rows: Sequence[Any]) -> dict[str, Any]:
    """Return end of a dedupe key -> the audit row of the act that wrote the message.

    The key ends in a hash over who acted and under which command id (`lifecycle.journal`), so that nobody else's act
    of the same instant is taken for it.
    """
    audit = table_of(AuditRecord)
    columns = (audit.c.actor_id, audit.c.command_id, audit.c.object_id, audit.c.body, audit.c.action)
    statement = select(*columns).where(
        audit.c.object_type.in_({row.object_type for row in rows}),
        audit.c.object_id.in_({row.object_id for row in rows}),
        audit.c.at.in_({row.created_at for row in rows}),
    )
    return {
        f"{row.object_id}:{sha256(f'{row.actor_id}:{row.command_id}')[:16]}": row for row in session.execute(statement)
    }
