"""Organisations and people: who they are, what ties them, and which role they hold where."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, text
from sqlmodel import Field

from models.base import Identified, Subject
from models.states import OrganisationKind, Role, UserStatus
from models.types import Day, Id, JSONText, UTCDateTime, state_column


class Organisation(Subject, table=True):
    """A firm, platform, fund, plant … What it is in a project is said by the project."""

    __table_args__ = (
        Index(
            "ux_organisation_credit_code",
            "credit_code",
            unique=True,
            sqlite_where=text("credit_code IS NOT NULL"),
            postgresql_where=text("credit_code IS NOT NULL"),
        ),
        Index("ix_organisation_name_id", "name", "id"),
        Index("ix_organisation_kind_name_id", "kind", "name", "id"),
    )

    name: str = Field(max_length=200)
    kind: OrganisationKind = Field(sa_column=state_column(OrganisationKind))
    credit_code: str | None = Field(default=None, max_length=18)
    """统一社会信用代码, half-width and upper case, check character verified (GB 32100)."""
    country: str | None = Field(default=None, max_length=2)
    outside_key: str | None = Field(default=None, max_length=300, unique=True)
    """Name of the source and the key there, for what was imported."""
    created_at: datetime = Field(sa_type=UTCDateTime)


class OrganisationTie(Identified, table=True):
    """Ownership or common control between two organisations; independence of customers is judged on it (G4.2)."""

    __table_args__ = (
        CheckConstraint("share_basis_points BETWEEN 0 AND 10000", name="share_at_most_all"),
        CheckConstraint("organisation_id <> other_id", name="two_organisations"),
    )

    organisation_id: UUID = Field(sa_type=Id, foreign_key="organisation.id", index=True)
    other_id: UUID = Field(sa_type=Id, foreign_key="organisation.id", index=True)
    share_basis_points: int = 0
    """Share of ownership in basis points (2,500 = 25 %)."""
    is_common_control: bool = False
    since_on: date | None = Field(default=None, sa_type=Day)


class User(Subject, table=True):
    """One account. Two accounts of one human share `person_id`; that is what segregation of duties counts."""

    __tablename__ = "app_user"

    person_id: UUID = Field(sa_type=Id, index=True)
    login: str = Field(max_length=100, unique=True)
    email: str = Field(max_length=200, unique=True)
    """Compared case-folded and NFKC; never given to a second row."""
    name: str = Field(max_length=200)
    language: str = Field(default="zh-CN", max_length=5)
    status: UserStatus = Field(sa_column=state_column(UserStatus))
    competences: list[str] = Field(default_factory=list, sa_type=JSONText)
    """What an expert may be named for (`Competence` values)."""
    created_at: datetime = Field(sa_type=UTCDateTime)


class RoleGrant(Identified, table=True):
    """A role at one organisation; without organisation it reaches the whole installation."""

    __table_args__ = (Index("ix_role_grant_organisation_id_role", "organisation_id", "role"),)

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    role: Role = Field(sa_column=state_column(Role))
    organisation_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id")
    granted_at: datetime = Field(sa_type=UTCDateTime)
    granted_by: UUID | None = Field(default=None, sa_type=Id)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ApiToken(Identified, table=True):
    """A token that says who acts when no browser does; only its SHA-256 is stored."""

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    token_sha256: str = Field(max_length=64, unique=True)
    scopes: list[str] = Field(default_factory=list, sa_column=Column(JSONText, nullable=False, server_default="[]"))
    """What it may be used for (`Scope` values)."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """By which minute it was last shown; no act of anybody."""
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Delegation(Identified, table=True):
    """Somebody acts for somebody else in one role, from one day to another; it never widens what the other may do."""

    __table_args__ = (
        CheckConstraint("until_on >= from_on", name="days_in_order"),
        CheckConstraint("delegate_id <> delegator_id", name="two_people"),
    )

    delegator_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    delegate_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    role: Role = Field(sa_column=state_column(Role))
    organisation_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id", index=True)
    from_on: date = Field(sa_type=Day)
    until_on: date = Field(sa_type=Day)
    reason: str = Field(max_length=10000)
    at: datetime = Field(sa_type=UTCDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
