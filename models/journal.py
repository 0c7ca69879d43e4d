"""What happened: transitions, the sealed audit trail, commands with their answers, messages to tell."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.base import Identified, Row
from models.states import DeliveryStatus, Door
from models.types import Id, JSONText, UTCDateTime, state_column


class Edge(Row, table=True):
    """The arrows of every chart version, written by `migrate`: what `v_transition` may contain."""

    object_type: str = Field(primary_key=True, max_length=20)
    definition_version: int = Field(primary_key=True)
    event: str = Field(primary_key=True, max_length=40)
    from_state: str = Field(primary_key=True, max_length=40)
    to_state: str = Field(primary_key=True, max_length=40)


class Transition(Row, table=True):
    """One move of one object. Append-only."""

    __table_args__ = (Index("ix_transition_object_type_object_id", "object_type", "object_id"),)

    seq: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    object_type: str = Field(max_length=20)
    object_id: UUID = Field(sa_type=Id)
    event: str = Field(max_length=40)
    from_state: str = Field(max_length=40)
    to_state: str = Field(max_length=40)
    actor_id: UUID | None = Field(default=None, sa_type=Id)
    command_id: str = Field(max_length=255)
    definition_version: int
    at: datetime = Field(sa_type=UTCDateTime)


class AuditRecord(Row, table=True):
    """One act on one object, chained to the act before it. Append-only."""

    __table_args__ = (
        UniqueConstraint("object_type", "object_id", "chain_seq"),
        Index("ix_audit_record_at_seq", "at", "seq"),
        Index("ix_audit_record_actor_id_at_seq", "actor_id", "at", "seq"),
        Index("ix_audit_record_action_at_seq", "action", "at", "seq"),
        CheckConstraint("chain_seq >= 1", name="chain_seq_from_one"),
        CheckConstraint("length(prev_hash) = 64 AND length(hash) = 64", name="hashes_whole"),
    )

    seq: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    at: datetime = Field(sa_type=UTCDateTime)
    actor_id: UUID | None = Field(default=None, sa_type=Id)
    door: Door = Field(sa_column=state_column(Door))
    action: str = Field(max_length=80)
    object_type: str = Field(max_length=20)
    object_id: UUID = Field(sa_type=Id)
    chain_seq: int
    from_state: str = Field(max_length=40)
    to_state: str = Field(max_length=40)
    command_id: str = Field(max_length=255)
    body: str
    """Canonical JSON of the act; the very text that was hashed."""
    prev_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class Checkpoint(Row, table=True):
    """A signed statement of all chain heads, carried out of the database. Append-only."""

    __table_args__ = (CheckConstraint("audit_seq >= 0 AND heads_count >= 0", name="counts_not_negative"),)

    seq: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    audit_seq: int = Field(sa_type=BigInteger)
    heads_count: int
    heads_sha256: str = Field(max_length=64)
    file_sha256: str = Field(max_length=64)
    at: datetime = Field(sa_type=UTCDateTime)
    key_id: str = Field(max_length=64)
    signature: str = Field(max_length=200)


class CommandRecord(Row, table=True):
    """A command that was carried out, with its answer: the same key never acts twice. Append-only."""

    __table_args__ = (Index("ix_command_record_verb_at", "verb", "at"),)

    actor_id: UUID = Field(primary_key=True, sa_type=Id)
    command_id: str = Field(primary_key=True, max_length=255)
    verb: str = Field(max_length=80)
    object_type: str = Field(max_length=20)
    object_id: UUID = Field(sa_type=Id)
    body_sha256: str = Field(max_length=64)
    answer: dict[str, Any] = Field(sa_type=JSONText)
    at: datetime = Field(sa_type=UTCDateTime)


class OutboxMessage(Identified, table=True):
    """Something to tell, in the same transaction as the fact."""

    __table_args__ = (
        Index("ix_outbox_message_status_created_at", "status", "created_at"),
        CheckConstraint("attempts >= 0 AND fence >= 0", name="counts_not_negative"),
    )

    kind: str = Field(max_length=60)
    dedupe_key: str = Field(max_length=200, unique=True)
    object_type: str = Field(max_length=20)
    object_id: UUID = Field(sa_type=Id)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSONText)
    status: DeliveryStatus = Field(sa_column=state_column(DeliveryStatus))
    attempts: int = 0
    fence: int = 0
    created_at: datetime = Field(sa_type=UTCDateTime)


class Claim(Row, table=True):
    """A process works on something now; the number of the fence is checked in the last UPDATE of its work."""

    object_type: str = Field(primary_key=True, max_length=20)
    object_id: UUID = Field(primary_key=True, sa_type=Id)
    holder: str = Field(max_length=100)
    fence: int = Field(sa_type=BigInteger)
    until_at: datetime = Field(sa_type=UTCDateTime)
    """By the database's clock."""
