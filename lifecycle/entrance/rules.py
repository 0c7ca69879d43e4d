"""Facts in, reasons out: what can stand in the way of inviting somebody, and of a link that was sent. Pure."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from models.limits import OPEN_LINKS
from models.states import INSTALLATION, InvitationKind, Role

if TYPE_CHECKING:
    from lifecycle.entrance.facts import IdentityFacts, InvitationFacts, Reach

OF_FIRMS = frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER, Role.PROCESS_ENGINEER})
"""Roles in which somebody acts for a firm."""
_WITHOUT_A_PLACE = INSTALLATION | {Role.EXPERT, Role.PANEL_CHAIR}


def givable(reach: "Reach", organisation_id: UUID | None) -> frozenset[Role]:
    """Return the roles that somebody may give at an organisation; without one, those that need none.

    An administrator of the installation gives every role, one of an organisation those that stay inside it, a
    coordinator those of a firm whose project is with their platform.
    """
    if not reach.is_active:
        return frozenset()
    if (Role.ADMIN, None) in reach.grants:
        return frozenset(Role) if organisation_id is not None else _WITHOUT_A_PLACE
    if organisation_id is None:
        return frozenset()
    own = frozenset(Role) - INSTALLATION if (Role.ADMIN, organisation_id) in reach.grants else frozenset()
    return own | (OF_FIRMS if organisation_id in reach.firms else frozenset())


def _beyond(reach: "Reach", roles: Any, organisation_id: UUID | None) -> tuple[Unmet, ...]:
    more = {Role(one) for one in roles} - givable(reach, organisation_id)
    return (unmet("invitation_exceeds", roles=sorted(more)),) if more else ()


@about_input
def gives_no_more(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """Nobody invites to more than they may give themselves, here and now."""
    return _beyond(facts.inviter, facts.command.roles, facts.command.organisation_id)


@about_input
def brings_a_role(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """An invitation is to something, in roles that reach there."""
    command = facts.command
    if not command.roles:
        return (unmet("field_missing", field="roles"),)
    lost = sorted(set(command.roles) - _WITHOUT_A_PLACE) if command.organisation_id is None else []
    return tuple(unmet("role_needs_organisation", role=one) for one in lost)


@about_input
def nobody_yet(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """Who has an account is given a role instead, and who was invited is not invited twice."""
    email = facts.email
    if facts.is_taken:
        return (unmet("already_exists", field="email", value=email),)
    return (unmet("invitation_open", email=email),) if facts.is_invited else ()


@about_input
def fits_the_link(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """Who uses a link has it."""
    return () if facts.command.token_sha256 == facts.row.token_sha256 else (unmet("link_void"),)


def invitation_holds(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """It was neither used nor taken back, has not run out, and who sent it may still give what it brings."""
    holds = facts.is_open and facts.row.kind == InvitationKind.INVITATION
    still = holds and not _beyond(facts.inviter, facts.row.roles, facts.row.organisation_id)
    return () if still and not facts.is_taken else (unmet("link_void"),)


def link_holds(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """A link to one's own page was not used, has not run out, and whose it is still acts for a firm."""
    holds = facts.is_open and facts.row.kind == InvitationKind.OWN_PAGE
    return () if holds and _acts_for_a_firm(facts.reader) else (unmet("link_void"),)


def to_be_revoked(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """Only what can still be used is taken back."""
    return () if facts.is_open else (unmet("invitation_over"),)


@about_input
def own_or_admin(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """Who sent an invitation takes it back, or an administrator."""
    own = facts.row.created_by == facts.stamp.actor.user_id
    return () if own or Role.ADMIN in facts.roles else (unmet("role", needs=[Role.ADMIN], verb="revoke"),)


def has_an_own_page(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """Only who acts for a firm has a page that a link from a mail opens."""
    return () if _acts_for_a_firm(facts.reader) else (unmet("no_own_page"),)


def few_links(facts: "InvitationFacts") -> tuple[Unmet, ...]:
    """Whoever asks again and again fills nobody's mailbox: the links that were sent hold, for whom they were sent."""
    return () if facts.open_links < OPEN_LINKS else (unmet("links_enough", most=OPEN_LINKS),)


def _acts_for_a_firm(reach: "Reach") -> bool:
    return reach.is_active and any(role in OF_FIRMS and at is not None for role, at in reach.grants)


@about_input
def not_linked_elsewhere(facts: "IdentityFacts") -> tuple[Unmet, ...]:
    """One identity of a provider is one account's, and one account has one at a provider."""
    return (unmet("identity_taken"),) if facts.is_taken or facts.has_another else ()


@about_input
def identity_is_live(facts: "IdentityFacts") -> tuple[Unmet, ...]:
    """There is something to end."""
    return () if facts.identity is not None else (unmet("identity_not_found"),)
