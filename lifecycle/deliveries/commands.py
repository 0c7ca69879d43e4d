"""Programs elsewhere that are told what happens, and what did not reach those whom it was for."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from lifecycle.commands import Command, Verb
from lifecycle.deliveries import effects, facts, rules
from models.deliveries import WebhookEndpoint
from models.people import User


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEndpoint(Command):
    """Tell a program elsewhere what happens: a signed call to its address for every message of these types."""

    url: str
    owner_id: UUID
    """Who is told when it is disabled."""
    secret: str = field(repr=False)
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCommand(Command):
    """Something about one endpoint."""

    webhook_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableEndpoint(EndpointCommand):
    """Tell an endpoint nothing more; the clock does so when it is gone or failed ten times in a row."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableEndpoint(EndpointCommand):
    """Tell an endpoint again, from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateSecret(EndpointCommand):
    """Give an endpoint a new secret; the old one signs too until the change is ended."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRotation(EndpointCommand):
    """Forget the old secret of an endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping(EndpointCommand):
    """Send a test event to one endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(EndpointCommand):
    """Send one message or those of a span of time again to an endpoint, also what it missed; at most 1,000."""

    since_at: datetime | None = None
    """Given with no message: from here on."""
    until_at: datetime | None = None
    """Left out: until now."""
    message_id: UUID | None = None
    """Given: this message only, whenever it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCommand(Command):
    """Something about what did not go out. It stands in the history of the account that acts."""

    user_id: UUID
    message_ids: tuple[UUID, ...]
    """Deliveries, or messages that nobody was told yet."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryMessages(OutboxCommand):
    """Try again to deliver what was refused or given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropMessages(OutboxCommand):
    """Give up what waits or was refused."""


ADD = Verb(
    object_type=effects.OBJECT_TYPE,
    name="add",
    command=AddEndpoint,
    once=lambda command: (command.url,),
    facts=facts.entries,
    rules=(rules.sound_url, rules.sound_types, rules.sound_secret, rules.owner_is_there, rules.url_is_new),
    effects=effects.added,
)
DISABLE = Verb(
    object_type=effects.OBJECT_TYPE,
    name="disable",
    command=DisableEndpoint,
    subject=WebhookEndpoint,
    subject_id=lambda command: command.webhook_id,
    facts=facts.endpoints,
    rules=(rules.is_active, rules.has_reason),
    effects=effects.disabled,
)
ENABLE = Verb(
    object_type=effects.OBJECT_TYPE,
    name="enable",
    command=EnableEndpoint,
    subject=WebhookEndpoint,
    subject_id=lambda command: command.webhook_id,
    facts=facts.endpoints,
    rules=(rules.is_disabled,),
    effects=effects.enabled,
)
ROTATE = Verb(
    object_type=effects.OBJECT_TYPE,
    name="rotate",
    command=RotateSecret,
    subject=WebhookEndpoint,
    subject_id=lambda command: command.webhook_id,
    facts=facts.endpoints,
    rules=(rules.no_rotation, rules.sound_secret),
    effects=effects.rotated,
)
END_ROTATION = Verb(
    object_type=effects.OBJECT_TYPE,
    name="end_rotation",
    command=EndRotation,
    subject=WebhookEndpoint,
    subject_id=lambda command: command.webhook_id,
    facts=facts.endpoints,
    rules=(rules.in_rotation,),
    effects=effects.rotation_ended,
)
PING = Verb(
    object_type=effects.OBJECT_TYPE,
    name="ping",
    command=Ping,
    subject=WebhookEndpoint,
    subject_id=lambda command: command.webhook_id,
    facts=facts.endpoints,
    rules=(rules.is_active,),
    effects=effects.pinged,
)
REPLAY = Verb(
    object_type=effects.OBJECT_TYPE,
    name="replay",
    command=Replay,
    subject=WebhookEndpoint,
    subject_id=lambda command: command.webhook_id,
    facts=facts.replays,
    rules=(rules.is_active, rules.something_to_replay),
    effects=effects.replayed,
)
RETRY = Verb(
    object_type="outbox",
    name="retry",
    command=RetryMessages,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.undelivered,
    rules=(rules.has_reason, rules.all_there, rules.can_be_retried),
    effects=effects.retried,
)
DROP = Verb(
    object_type="outbox",
    name="drop",
    command=DropMessages,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.undelivered,
    rules=(rules.has_reason, rules.all_there, rules.can_be_dropped),
    effects=effects.dropped,
)
