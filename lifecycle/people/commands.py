"""Who is who: organisations and their ties, users, grants, tokens, programmes and the standards they ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from lifecycle.commands import Command, Verb
from lifecycle.people import effects, facts, rules
from lifecycle.verdicts.cache import refresh
from models.people import ApiToken, Organisation, User
from models.programmes import Programme, StandardDraft, StandardPack
from models.states import OrganisationKind, Role, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOrganisation(Command):
    """Enter an organisation; its credit code, where it has one, is checked (GB 32100) and given once."""

    name: str
    kind: OrganisationKind
    credit_code: str | None = None
    country: str | None = None
    outside_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectOrganisation(Command):
    """Put a wrong or missing name or credit code of an organisation right; its open applications are judged again.

    Only what is given changes. Decisions that were taken stay as they are.
    """

    organisation_id: UUID
    reason: str
    name: str | None = None
    credit_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TieOrganisations(Command):
    """Record ownership or common control between two organisations (independence of customers, G4.2)."""

    organisation_id: UUID
    other_id: UUID
    share_basis_points: int = 0
    is_common_control: bool = False
    since_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUser(Command):
    """Enter a person's account. A second account of the same human names the first one's `person_id`."""

    login: str
    email: str
    name: str
    language: str = "zh-CN"
    competences: tuple[str, ...] = ()
    person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole(Command):
    """Give a user a role at one organisation; only operator, admin and auditor may be without one."""

    user_id: UUID
    role: Role
    organisation_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRole(Command):
    """Take a grant back; it ends with the next request."""

    user_id: UUID
    grant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableUser(Command):
    """Disable an account; the row and its history stay."""

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableUser(Command):
    """Let a disabled account in again, with the roles that nobody took back meanwhile."""

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLanguage(Command):
    """Choose the language in which one reads pages, mails and cards; everybody does so for their own account."""

    user_id: UUID
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToken(Command):
    """Give a user an API token; only its SHA-256 is handed over and stored."""

    user_id: UUID
    token_sha256: str
    expires_at: datetime
    scopes: tuple[Scope, ...] = tuple(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken(Command):
    """Take an API token back; it opens nothing from the next request on."""

    user_id: UUID
    token_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate(Command):
    """Let somebody stand in for oneself in one role, from one day to another."""

    user_id: UUID
    """Who stands in."""
    role: Role
    organisation_id: UUID
    from_on: date
    until_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDelegation(Command):
    """End a delegation before its last day."""

    user_id: UUID
    """Who stands in."""
    delegation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishStandard(Command):
    """Publish a pack that passes `standard lint`; it is kept under its SHA-256 and never changed."""

    sha256: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddProgramme(Command):
    """Open a programme: whose it is and which published pack it asks for."""

    code: str
    name: str
    pack_sha256: str
    organisation_id: UUID | None = None
    profiles: Mapping[str, str] = field(default_factory=dict)
    has_fund: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeStandard(Command):
    """Hand a pack that passes `standard lint` to a second editor, who reads what changes and publishes it."""

    sha256: str
    body: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawStandard(Command):
    """Give a draft back, with the reason; what shall be published after all is handed over anew."""

    standard_draft_id: UUID
    reason: str


ADD_ORGANISATION = Verb(
    object_type="organisation",
    name="add",
    command=AddOrganisation,
    once=facts.once(facts.NEW_ORGANISATION),
    facts=facts.entries(Organisation, facts.NEW_ORGANISATION),
    rules=(rules.named, rules.sound_credit_code, rules.not_taken),
    effects=effects.organisation_added,
)
CORRECT_ORGANISATION = Verb(
    object_type="organisation",
    name="correct",
    command=CorrectOrganisation,
    subject=Organisation,
    subject_id=lambda command: command.organisation_id,
    once=facts.once({"credit_code": facts.RIGHT_ORGANISATION["credit_code"]}),
    facts=facts.corrections,
    rules=(
        rules.has_reason,
        rules.named,
        rules.sound_credit_code,
        rules.credit_code_free,
        rules.something_corrected,
    ),
    effects=effects.organisation_corrected,
    follow=refresh,
)
TIE_ORGANISATIONS = Verb(
    object_type="organisation",
    name="tie",
    command=TieOrganisations,
    subject=Organisation,
    subject_id=lambda command: command.organisation_id,
    facts=facts.ties,
    rules=(rules.all_there, rules.sound_share),
    effects=effects.organisations_tied,
    follow=refresh,
)
ADD_USER = Verb(
    object_type="user",
    name="add",
    command=AddUser,
    once=facts.once(facts.NEW_USER),
    facts=facts.entries(User, facts.NEW_USER, {"person_id": (User, "person_id")}),
    rules=(rules.named, rules.sound_account, rules.all_there, rules.not_taken),
    effects=effects.user_added,
)
GRANT_ROLE = Verb(
    object_type="user",
    name="grant",
    command=GrantRole,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.entries(references={"organisation_id": (Organisation, "id")}),
    rules=(rules.all_there, rules.grant_reaches, rules.not_oneself, rules.user_is_active),
    effects=effects.role_granted,
)
REVOKE_ROLE = Verb(
    object_type="user",
    name="revoke",
    command=RevokeRole,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.grants_of,
    rules=(rules.not_oneself, rules.grant_is_live),
    effects=effects.role_revoked,
)
DISABLE_USER = Verb(
    object_type="user",
    name="disable",
    command=DisableUser,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.with_sessions,
    rules=(rules.not_oneself, rules.user_is_active),
    effects=effects.user_disabled,
)
ENABLE_USER = Verb(
    object_type="user",
    name="enable",
    command=EnableUser,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.entries(),
    rules=(rules.not_oneself, rules.user_is_disabled),
    effects=effects.user_enabled,
)
SET_LANGUAGE = Verb(
    object_type="user",
    name="set_language",
    command=SetLanguage,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.entries(),
    rules=(rules.user_is_active, rules.language_known),
    effects=effects.language_set,
)
ADD_TOKEN = Verb(
    object_type="user",
    name="add_token",
    command=AddToken,
    subject=User,
    subject_id=lambda command: command.user_id,
    once=facts.once(facts.NEW_TOKEN),
    facts=facts.entries(ApiToken, facts.NEW_TOKEN),
    rules=(rules.not_oneself, rules.user_is_active, rules.sound_token, rules.token_ends, rules.not_taken),
    effects=effects.token_added,
)
REVOKE_TOKEN = Verb(
    object_type="user",
    name="revoke_token",
    command=RevokeToken,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.tokens_of,
    rules=(rules.token_is_live,),
    effects=effects.token_revoked,
)
DELEGATE = Verb(
    object_type="user",
    name="delegate",
    command=Delegate,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.delegations,
    rules=(
        rules.delegable,
        rules.holds_it,
        rules.another_human,
        rules.user_is_active,
        rules.separate_duties,
        rules.sound_days,
        rules.has_reason,
    ),
    effects=effects.delegated,
)
END_DELEGATION = Verb(
    object_type="user",
    name="end_delegation",
    command=EndDelegation,
    subject=User,
    subject_id=lambda command: command.user_id,
    facts=facts.delegations,
    rules=(rules.delegation_is_live, rules.own_delegation),
    effects=effects.delegation_ended,
)
PUBLISH_STANDARD = Verb(
    object_type="standard",
    name="publish",
    command=PublishStandard,
    once=facts.once(facts.NEW_STANDARD),
    facts=facts.standards,
    rules=(rules.sound_pack, rules.not_taken, rules.second_editor),
    effects=effects.standard_published,
)
PROPOSE_STANDARD = Verb(
    object_type="standard_draft",
    name="propose",
    command=ProposeStandard,
    once=facts.once(facts.NEW_STANDARD),
    facts=facts.proposals,
    rules=(rules.has_reason, rules.sound_pack, rules.version_is_new, rules.not_handed_over),
    effects=effects.standard_proposed,
)
WITHDRAW_STANDARD = Verb(
    object_type="standard_draft",
    name="withdraw",
    command=WithdrawStandard,
    subject=StandardDraft,
    subject_id=lambda command: command.standard_draft_id,
    facts=facts.entries(),
    rules=(rules.draft_is_open, rules.has_reason),
    effects=effects.standard_withdrawn,
)
ADD_PROGRAMME = Verb(
    object_type="programme",
    name="add",
    command=AddProgramme,
    once=facts.once(facts.NEW_PROGRAMME),
    facts=facts.entries(
        Programme,
        facts.NEW_PROGRAMME,
        {"pack_sha256": (StandardPack, "sha256"), "organisation_id": (Organisation, "id")},
    ),
    rules=(rules.named, rules.all_there, rules.not_taken),
    effects=effects.programme_added,
)
