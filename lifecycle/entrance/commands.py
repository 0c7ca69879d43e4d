"""Coming in from outside: invitations, links to the firm's own page, and what an identity provider vouches for.

A door draws ids and links and hands over fingerprints: no command holds what opens anything.
"""

from dataclasses import dataclass
from uuid import UUID

from lifecycle.access.rules import account_is_active, sound_hash
from lifecycle.commands import Command, Verb
from lifecycle.entrance import effects, facts, rules
from lifecycle.people import rules as people
from models.access import Invitation
from models.people import User
from models.states import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(Command):
    """Invite somebody who has no account yet; accepting makes the account, with these roles at this organisation."""

    invitation_id: UUID
    """Drawn by the door: the link follows from it."""
    user_id: UUID
    """Of the account that it will become."""
    token_sha256: str
    email: str
    name: str
    roles: tuple[Role, ...]
    organisation_id: UUID | None = None
    language: str = "zh-CN"

    @property
    def login(self) -> str:
        """What they sign in with: the mail address."""
        return self.email.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationCommand(Command):
    """Base of what is asked of one invitation or link."""

    invitation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptInvitation(InvitationCommand):
    """Come in by the link of an invitation, with a password of which only the hash is handed over."""

    token_sha256: str
    password_hash: str
    address: str
    """From where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLink(InvitationCommand):
    """Use up a link to the firm's own page."""

    token_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeInvitation(InvitationCommand):
    """Take an invitation back, or a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskLink(Command):
    """Have a link to the firm's own page sent to an account that acts for a firm."""

    user_id: UUID
    invitation_id: UUID
    token_sha256: str
    address: str
    """From where somebody asks: who it is nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkIdentity(Command):
    """Remember under which name an identity provider knows one's own account."""

    user_id: UUID
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkIdentity(Command):
    """Forget under which name an identity provider knows an account."""

    user_id: UUID
    identity_id: UUID


SEND = Verb(
    object_type="invitation",
    name="send",
    command=Invite,
    once=lambda command: (("email", command.email), ("token_sha256", command.token_sha256)),
    facts=facts.sent,
    rules=(
        people.named,
        people.sound_account,
        people.sound_token,
        people.all_there,
        rules.brings_a_role,
        rules.gives_no_more,
        rules.nobody_yet,
        people.not_taken,
    ),
    effects=effects.invited,
)
ACCEPT = Verb(
    object_type="invitation",
    name="accept",
    command=AcceptInvitation,
    subject=Invitation,
    subject_id=lambda command: command.invitation_id,
    facts=facts.of_an_invitation,
    rules=(rules.fits_the_link, rules.invitation_holds, sound_hash),
    effects=effects.accepted,
)
OPEN = Verb(
    object_type="invitation",
    name="open",
    command=OpenLink,
    subject=Invitation,
    subject_id=lambda command: command.invitation_id,
    facts=facts.of_an_invitation,
    rules=(rules.fits_the_link, rules.link_holds),
    effects=effects.opened,
)
REVOKE = Verb(
    object_type="invitation",
    name="revoke",
    command=RevokeInvitation,
    subject=Invitation,
    subject_id=lambda command: command.invitation_id,
    facts=facts.of_an_invitation,
    rules=(rules.own_or_admin, rules.to_be_revoked),
    effects=effects.revoked,
)
ASK_LINK = Verb(
    object_type="invitation",
    name="ask_link",
    command=AskLink,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.asked,
    rules=(account_is_active, rules.has_an_own_page, rules.few_links, people.sound_token),
    effects=effects.link_asked,
)
LINK_IDENTITY = Verb(
    object_type="user",
    name="link_identity",
    command=LinkIdentity,
    subject=User,
    subject_id=lambda command: command.user_id,
    once=lambda command: ((command.issuer, command.subject),),
    facts=facts.identities,
    rules=(account_is_active, rules.not_linked_elsewhere),
    effects=effects.identity_linked,
)
UNLINK_IDENTITY = Verb(
    object_type="user",
    name="unlink_identity",
    command=UnlinkIdentity,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.identities,
    rules=(rules.identity_is_live,),
    effects=effects.identity_ended,
)
