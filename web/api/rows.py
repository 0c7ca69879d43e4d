"""Everything that programs can list and read: projects, people, what runs; and, from `money_rows`, the money."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlmodel import Session

from lifecycle.projects.queries import Wanted, ids_of
from lifecycle.reports.summaries import gates_as_judged, money_of
from lifecycle.standards.pack import Party
from models.agreements import Agreement, Milestone
from models.deliveries import Delivery, Notification, WebhookEndpoint
from models.evidence import Evidence
from models.journal import AuditRecord, OutboxMessage
from models.payouts import Payout
from models.people import ApiToken, Organisation, RoleGrant, User
from models.programmes import Programme, StandardPack
from models.projects import Project, ProjectMember, Requirement, StageRun
from models.reading import table_of
from models.reviews import CompletionNotice, Review
from models.runs import ScheduledRun
from models.states import (
    BatchKind,
    DeliveryStatus,
    EndpointStatus,
    EvidenceStatus,
    OrganisationKind,
    ProjectState,
    ReviewState,
    Role,
    SlotStatus,
    UserStatus,
    VerdictState,
)
from models.trials import TrialBatch
from models.types import says
from web import money_rights as money
from web import reading_rights as reading
from web.api import money_rows
from web.api.included import GATE, MONEY
from web.api.resources import (
    Filter,
    Include,
    Part,
    Reach,
    Resource,
    Sort,
    acted_on_since,
    by_column,
    of_columns,
    text_in,
)
from web.session import Visit


def _projects(visit: Visit, **asked: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = _PROJECT.c.id.in_(ids_of(Wanted(reach=true(), **asked), today=visit.today))
    return found


def _hold(visit: Visit, value: bool) -> ColumnElement[bool]:  # noqa: FBT001 - a value that is asked for
    on_hold = _projects(visit, is_on_hold=True)
    return on_hold if value else ~on_hold


def _overdue(visit: Visit, value: bool) -> ColumnElement[bool]:  # noqa: FBT001 - a value that is asked for
    late = _projects(visit, is_overdue=True)
    return late if value else ~late


def _owed_by(visit: Visit, party: str) -> ColumnElement[bool]:
    return _projects(visit, owed_by=party)


def _gates(session: Session, _visit: Visit, ids: Sequence[UUID]) -> Mapping[UUID, Any]:
    return gates_as_judged(session, ids)


def _money(session: Session, visit: Visit, ids: Sequence[UUID]) -> Mapping[UUID, Any]:
    """Return the money of projects for who reads money, as far as the lists of agreements, tranches and payouts go."""
    if not visit.roles & money.MONEY_ROLES:
        return {}
    agreements, milestones, payouts = (
        money.of_fund_or_project(table_of(one), visit.rights, visit.actor, among=ids)
        for one in (Agreement, Milestone, Payout)
    )
    return money_of(session, ids, agreements=agreements, milestones=milestones, payouts=payouts)


def _requirement_owed_by(_visit: Visit, party: str) -> ColumnElement[bool]:
    return says(table_of(Requirement).c.owed_by, party)


def _own_notes(visit: Visit) -> ColumnElement[bool]:
    found: ColumnElement[bool] = table_of(Notification).c.user_id == visit.actor.user_id
    return found


def _of_users(model: Any) -> Reach:
    user = table_of(User)
    return lambda visit: table_of(model).c.user_id.in_(select(user.c.id).where(reading.readable_users(visit)))


def _holding(_visit: Visit, role: Role) -> ColumnElement[bool]:
    grant = table_of(RoleGrant)
    held = select(grant.c.user_id).where(grant.c.role == role, grant.c.revoked_at.is_(None))
    found: ColumnElement[bool] = table_of(User).c.id.in_(held)
    return found


def _own_tokens(visit: Visit) -> ColumnElement[bool]:
    """Return the condition on `api_token`: one's own, and everybody's for who gives and takes them."""
    own: ColumnElement[bool] = table_of(ApiToken).c.user_id == visit.actor.user_id
    return true() if reading.wide_roles(visit) & {Role.ADMIN, Role.AUDITOR} else own


def _programmes(visit: Visit) -> ColumnElement[bool]:
    return reading.readable_programmes(visit.rights, visit.actor)


def _platforms(visit: Visit) -> ColumnElement[bool]:
    kind = table_of(Organisation).c.kind == OrganisationKind.PLATFORM
    return and_(reading.for_everybody(visit), kind)


_PROJECT = table_of(Project)
_OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
_OWING = Filter(kind=str, where=_owed_by, words=get_args(Party), about="party that owes what the present gate lacks")
_EVIDENCE = ("id", "project_id", "type", "key", "version_no", "file_name", "sha256", "size_bytes", "status", "at")

_ALL = (
    Resource(
        path="projects",
        model=Project,
        view="v_project",
        reach=lambda visit: reading.readable_projects(visit.rights, visit.actor),
        fields=("name", "platform_id", "receiver_id", "received_on"),
        order="number",
        orders={"age": Sort(column="received_on", kind=date, is_falling=True)},
        includes={"gate": Include(read=_gates, schema=GATE), "money": Include(read=_money, schema=MONEY)},
        filters={
            "q": Filter(
                kind=str,
                where=lambda visit, value: _projects(visit, text=value.strip()),
                about="part of the number, the name or the firm's name",
            ),
            "overdue": Filter(kind=bool, where=_overdue, about="behind the day on which its stage is due"),
            "hold": Filter(kind=bool, where=_hold, about="on hold today"),
            "owed_by": _OWING,
            **acted_on_since(Project),
            **of_columns(Project, stage=ProjectState, platform_id=UUID, organisation_id=UUID, programme_id=UUID),
        },
    ),
    Resource(
        path="stage-runs",
        model=StageRun,
        view="v_stage_run",
        reach=reading.of_readable_projects(StageRun),
        filters={**acted_on_since(StageRun), **of_columns(StageRun, project_id=UUID, stage=ProjectState)},
    ),
    Resource(
        path="requirements",
        model=Requirement,
        view="v_requirement",
        fields=("owed_by",),
        reach=reading.of_readable_projects(Requirement),
        filters={
            "owed_by": replace(_OWING, where=_requirement_owed_by, about="party that owes the next step"),
            **of_columns(Requirement, project_id=UUID, stage_run_id=UUID, verdict=VerdictState, clause=str),
        },
    ),
    Resource(
        path="evidence",
        model=Evidence,
        fields=_EVIDENCE,
        reach=reading.of_readable_projects(Evidence),
        filters={
            **acted_on_since(Evidence),
            **of_columns(Evidence, project_id=UUID, type=str, status=EvidenceStatus, sha256=str),
        },
    ),
    Resource(
        path="batches",
        model=TrialBatch,
        fields=("id", "project_id", "number", "kind", "made_on", "revision", "is_closed", "version", "at"),
        reach=reading.of_readable_projects(TrialBatch),
        filters={
            **acted_on_since(TrialBatch),
            **of_columns(TrialBatch, project_id=UUID, kind=BatchKind, is_closed=bool),
        },
    ),
    Resource(
        path="reviews",
        model=Review,
        view="v_review",
        reach=reading.of_readable_projects(Review),
        filters={**acted_on_since(Review), **of_columns(Review, project_id=UUID, state=ReviewState, gate=str)},
    ),
    Resource(
        path="notices",
        model=CompletionNotice,
        fields=("id", "project_id", "stage_run_id", "number", "clauses", "issued_on", "due_on", "answered_on"),
        reach=reading.of_readable_projects(CompletionNotice),
        filters=of_columns(CompletionNotice, project_id=UUID),
    ),
    Resource(
        path="organisations",
        model=Organisation,
        fields=("id", "name", "kind", "credit_code", "country", "version", "created_at"),
        reach=reading.readable_organisations,
        filters={
            **text_in(table_of(Organisation).c.name),
            **acted_on_since(Organisation),
            **of_columns(Organisation, kind=OrganisationKind, credit_code=str),
        },
    ),
    Resource(
        path="platforms",
        model=Organisation,
        fields=("id", "name", "country"),
        reach=_platforms,
        filters=text_in(table_of(Organisation).c.name),
    ),
    Resource(
        path="programmes",
        model=Programme,
        fields=("id", "code", "name", "organisation_id", "pack_sha256", "has_fund", "version", "created_at"),
        reach=_programmes,
        order="code",
        filters=text_in(table_of(Programme).c.code, table_of(Programme).c.name),
    ),
    Resource(
        path="standards",
        model=StandardPack,
        fields=("id", "code", "pack_version", "sha256", "published_at"),
        reach=reading.for_everybody,
        filters=of_columns(StandardPack, code=str),
    ),
    Resource(
        path="users",
        model=User,
        view="v_user",
        reach=reading.readable_users,
        order="login",
        filters={
            **text_in(*(table_of(User).c[name] for name in ("login", "name", "email"))),
            "role": Filter(kind=Role, where=_holding, about="holds this role today"),
            **of_columns(User, status=UserStatus),
        },
    ),
    Resource(
        path="grants",
        model=RoleGrant,
        view="v_grant",
        reach=_of_users(RoleGrant),
        filters=of_columns(RoleGrant, user_id=UUID, role=Role, organisation_id=UUID),
    ),
    Resource(
        path="tokens",
        model=ApiToken,
        fields=("id", "user_id", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"),
        reach=_own_tokens,
        filters=of_columns(ApiToken, user_id=UUID),
    ),
    Resource(
        path="notifications",
        model=Notification,
        fields=("id", "outbox_id", "kind", "object_type", "object_id", "why", "is_task", "read_at", "created_at"),
        reach=_own_notes,
        is_newest_first=True,
        filters=of_columns(Notification, kind=str, is_task=bool),
    ),
    Resource(
        path="webhooks",
        model=WebhookEndpoint,
        fields=("id", "url", "types", "status", "failures", "owner_id", "version", "created_at"),
        reach=reading.for_operators,
        readers=_OPERATORS,
        filters=of_columns(WebhookEndpoint, status=EndpointStatus),
    ),
    Resource(
        path="deliveries",
        model=Delivery,
        view="v_delivery",
        reach=reading.for_operators,
        readers=_OPERATORS,
        is_newest_first=True,
        filters=of_columns(Delivery, status=DeliveryStatus, outbox_id=UUID, endpoint_id=UUID),
    ),
    Resource(
        path="outbox",
        model=OutboxMessage,
        view="v_outbox",
        reach=reading.for_operators,
        readers=_OPERATORS,
        is_newest_first=True,
        filters=of_columns(OutboxMessage, status=DeliveryStatus, kind=str),
    ),
    Resource(
        path="runs",
        model=ScheduledRun,
        fields=(
            *("id", "schedule_id", "slot_at", "status", "started_at", "ended_at", "found_count", "done_count"),
            *("refused_count", "failed_count", "why"),
        ),
        reach=reading.for_operators,
        readers=_OPERATORS,
        is_newest_first=True,
        filters=of_columns(ScheduledRun, schedule_id=str, status=SlotStatus),
    ),
)
RESOURCES: Mapping[str, Resource] = {**{one.path: one for one in _ALL}, **money_rows.RESOURCES}
PEOPLE = Resource(
    path="people",
    model=ProjectMember,
    fields=("id", "project_id", "user_id", "role", "since_at", "until_at"),
    reach=reading.of_readable_projects(ProjectMember),
)


TIMELINE = Resource(
    path="timeline",
    model=AuditRecord,
    fields=(
        *("seq", "at", "actor_id", "door", "action", "object_type", "object_id", "from_state", "to_state"),
        *("command_id", "hash"),
    ),
    reach=reading.for_everybody,
    key="seq",
    order="seq",
    is_newest_first=True,
)
"""Acts on a project and its parts; who may read them is asked of the project."""
_ITS_PARTS = (StageRun, Requirement, Evidence, TrialBatch, Review)


def _acts_on(project_id: UUID) -> ColumnElement[bool]:
    audit = table_of(AuditRecord)
    tables = [table_of(one) for one in _ITS_PARTS]
    parts = [audit.c.object_id.in_(select(one.c.id).where(one.c.project_id == project_id)) for one in tables]
    return or_(audit.c.object_id == project_id, *parts)


_OF_PROJECTS = ("stage-runs", "requirements", "evidence", "batches", "reviews", "notices")
PARTS: Mapping[tuple[str, str], Part] = {
    **{("projects", name): by_column(RESOURCES[name], "project_id") for name in _OF_PROJECTS},
    ("projects", "files"): by_column(RESOURCES["evidence"], "project_id"),
    ("projects", "timeline"): Part(resource=TIMELINE, within=_acts_on),
    ("projects", "people"): by_column(PEOPLE, "project_id"),
    ("users", "grants"): by_column(RESOURCES["grants"], "user_id"),
    ("users", "tokens"): by_column(RESOURCES["tokens"], "user_id"),
    ("webhooks", "deliveries"): by_column(RESOURCES["deliveries"], "endpoint_id"),
    **money_rows.PARTS,
}
"""(noun, part) -> its rows."""
