"""How people get in: passwords, second factors, invitations, sessions, and who tried. Secrets are stored as hashes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Identified, Subject
from models.states import ChallengeKind, InvitationKind, SignInKind
from models.types import Id, JSONText, UTCDateTime, state_column


class Credential(Identified, table=True):
    """The password of an account; a new one takes the place of the old."""

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", unique=True)
    password_hash: str = Field(max_length=200)
    """Argon2id with its own salt and cost."""
    set_at: datetime = Field(sa_type=UTCDateTime)
    set_by: UUID = Field(sa_type=Id)
    is_to_change: bool = False
    """Somebody else set it: nothing is open with it but the page where it is changed."""


class TotpSecret(Identified, table=True):
    """A time-based second factor (RFC 6238), kept once a code of it was shown."""

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    secret: str = Field(max_length=400)
    """Sealed with the key of the installation; base32 where there is none, which only a rehearsal may do without."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    last_step: int = 0
    """The time step of the latest code that was taken: a code is taken once."""
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class RecoveryCode(Identified, table=True):
    """A code to be kept on paper for the day when every other second factor is lost; good once."""

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    code_sha256: str = Field(max_length=64)
    """140 random bits need no slower hash."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """Used, or replaced by newer ones."""


class Passkey(Identified, table=True):
    """A key of a device of its owner (WebAuthn)."""

    __table_args__ = (
        Index(
            "uq_passkey_credential_id",
            "credential_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    credential_id: str = Field(max_length=1400)
    """Base64url, as the browser names it."""
    public_key: str = Field(max_length=2000)
    """Base64url of the COSE key."""
    sign_count: int = 0
    name: str = Field(max_length=200)
    created_at: datetime = Field(sa_type=UTCDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Challenge(Identified, table=True):
    """What is answered once and soon: the second step of signing in, or what a passkey is to sign."""

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    kind: ChallengeKind = Field(sa_column=state_column(ChallengeKind))
    token_sha256: str = Field(max_length=64, unique=True)
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Invitation(Subject, table=True):
    """A link that was sent to somebody, good for one use: to come in for the first time, or to see one's own page.

    The link itself is nowhere: it follows from the key of the installation and the id (`lifecycle.entrance.links`).
    """

    __table_args__ = (
        CheckConstraint("expires_at > created_at", name="ends_after_it_began"),
        Index(
            "ix_invitation_kind_created_at_id",
            "kind",
            "created_at",
            "id",
            sqlite_where=text("used_at IS NULL AND revoked_at IS NULL"),
            postgresql_where=text("used_at IS NULL AND revoked_at IS NULL"),
        ),
    )

    kind: InvitationKind = Field(sa_column=state_column(InvitationKind))
    user_id: UUID = Field(sa_type=Id, index=True)
    """The account; of an invitation the one that it will become."""
    email: str = Field(max_length=200, index=True)
    name: str = Field(max_length=200)
    language: str = Field(default="zh-CN", max_length=5)
    roles: list[str] = Field(default_factory=list, sa_type=JSONText)
    """What an invitation brings with it (`Role` values), all at the one organisation."""
    organisation_id: UUID | None = Field(default=None, sa_type=Id, foreign_key="organisation.id", index=True)
    token_sha256: str = Field(max_length=64, unique=True)
    created_at: datetime = Field(sa_type=UTCDateTime)
    created_by: UUID = Field(sa_type=Id, index=True)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class OutsideIdentity(Identified, table=True):
    """Under which name an identity provider knows an account (OpenID Connect: `iss` and `sub`)."""

    __table_args__ = (
        Index(
            "ux_outside_identity_issuer_subject",
            "issuer",
            "subject",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    issuer: str = Field(max_length=500)
    subject: str = Field(max_length=255)
    created_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class OutsideAnswer(Identified, table=True):
    """An answer of an identity provider that was taken: none is taken twice. Kept as long as it could be sent again."""

    state_sha256: str = Field(max_length=64, unique=True)
    at: datetime = Field(sa_type=UTCDateTime, index=True)


class WebSession(Identified, table=True):
    """A browser in which somebody is signed in. `seen_at` moves by itself; everything else is an audited act."""

    __table_args__ = (CheckConstraint("expires_at > created_at", name="ends_after_it_began"),)

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id", index=True)
    token_sha256: str = Field(max_length=64, unique=True)
    kind: SignInKind = Field(sa_column=state_column(SignInKind))
    created_at: datetime = Field(sa_type=UTCDateTime)
    seen_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    stepped_up_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """Until then money may be decided without proving oneself again."""
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    address: str = Field(max_length=45)
    agent: str = Field(max_length=200)
    """What the browser calls itself, for its owner's list of sessions."""
    is_own_page_only: bool = False
    """Signed in by a link from a mail: nothing but the firm's own page is open."""


class KnownDevice(Identified, table=True):
    """A browser that has signed in as somebody before: strangers' attempts do not count against it."""

    __table_args__ = (UniqueConstraint("user_id", "token_sha256"),)

    user_id: UUID = Field(sa_type=Id, foreign_key="app_user.id")
    token_sha256: str = Field(max_length=64)
    created_at: datetime = Field(sa_type=UTCDateTime)


class SignInAttempt(Identified, table=True):
    """Somebody tried to prove who they are. Kept for a day; limits are counted from it."""

    __table_args__ = (
        Index("ix_sign_in_attempt_login_sha256_address_at", "login_sha256", "address", "at"),
        Index("ix_sign_in_attempt_address_at", "address", "at"),
    )

    at: datetime = Field(sa_type=UTCDateTime)
    kind: SignInKind = Field(sa_column=state_column(SignInKind))
    login_sha256: str = Field(max_length=64)
    """Of the login as it is compared, whether or not there is such an account."""
    address: str = Field(max_length=45)
    device_sha256: str | None = Field(default=None, max_length=64)
    """Of the browser that is known for this account; those have a count of their own."""
    is_good: bool
