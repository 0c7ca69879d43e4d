"""Programmes and the standard packs they ask for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field

from models.base import Subject
from models.types import Id, JSONText, UTCDateTime


class StandardPack(Subject, table=True):
    """A published pack, kept once under the SHA-256 of its canonical JSON and never changed."""

    sha256: str = Field(max_length=64, unique=True)
    code: str = Field(max_length=60)
    pack_version: str = Field(max_length=20)
    """Version of the standard; `version` counts the acts on this row, as in every subject."""
    body: dict[str, Any] = Field(sa_type=JSONText)
    published_at: datetime = Field(sa_type=UTCDateTime)


class StandardDraft(Subject, table=True):
    """A pack that one editor hands to a second one; who reads it publishes it or gives it back."""

    sha256: str = Field(max_length=64, index=True)
    code: str = Field(max_length=60)
    pack_version: str = Field(max_length=20)
    body: dict[str, Any] = Field(sa_type=JSONText)
    reason: str
    """Why the standard changes, for who reads the difference."""
    proposed_by: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    proposed_at: datetime = Field(sa_type=UTCDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """Published or given back; until then a second editor is awaited."""


class Programme(Subject, table=True):
    """A call: whose it is, which pack it asks for and which profiles it allows."""

    code: str = Field(max_length=60, unique=True)
    name: str = Field(max_length=200)
    organisation_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id")
    """The programme office or fund: the party `funder` and `programme` of its projects."""
    pack_sha256: str = Field(max_length=64, foreign_key="standard_pack.sha256")
    profiles: dict[str, str] = Field(default_factory=dict, sa_type=JSONText)
    has_fund: bool = False
    """Where it has none, what an entry asks about money is not asked."""
    created_at: datetime = Field(sa_type=UTCDateTime)
