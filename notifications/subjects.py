"""What a message is about: its project, fund and case, who plays which part there, and the names and figures to say.

The outbox says what happened; everything else is read here, in a number of statements that does not grow with the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Stamp
from models.states import InvitationKind
from notifications.facts import facts_of
from notifications.messages import kind_of
from notifications.render import language_of
from notifications.sources import OF_MONEY, Sources, read_sources, side_of
from notifications.words import Lang

_LETTER_WHY: Mapping[str, str] = {"invitation.sent": "invited", "invitation.link_asked": "asked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Somebody who is written to by mail alone, with or without an account."""

    name: str
    email: str
    language: Lang
    why: str
    user_id: UUID | None = None


Parties: TypeAlias = Mapping[str, frozenset[UUID]]

_SECOND_PERSON: Mapping[str, tuple[str, ...]] = {
    "exception.proposed": ("proposed_by",),
    "milestone.submitted": ("submitted_by",),
    "payee_account.proposed": ("proposed_by",),
    "payout.amended": ("requested_by",),
    "payout.approval_given": ("requested_by",),
    "payout.approved": ("requested_by",),
    "payout.certified": ("requested_by",),
    "payout.requested": ("requested_by",),
    "recovery.write_off_proposed": ("write_off_by",),
}
"""Kinds whose next step is a second person's: who has acted already is not asked (F7), nor anybody of an investor
in the fund that owns a part of the firm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What one message is about."""

    facts: Mapping[str, Any]
    """Plain values, for the texts in every language."""
    parties: Parties = field(default_factory=dict)
    """Part -> organisations that play it; none where the whole installation is meant."""
    project_id: UUID | None = None
    review_id: UUID | None = None
    people: Mapping[str, UUID] = field(default_factory=dict)
    """Accounts with a part in this very case: `person`, `requester`, `owner`."""
    actor_person: UUID | None = None
    """The human whose act it was."""
    letter: Letter | None = None
    """To whom the message is a letter."""
    barred: frozenset[UUID] = frozenset()
    """Humans who may not do the next step, for they did the one before."""


def about_all(
    session: Session, rows: Sequence[Any], stamp: Stamp, problems: dict[UUID, str] | None = None
) -> dict[UUID, About]:
    """Return what each of these outbox rows is about; one that cannot be said is left out, with why in `problems`."""
    sources, found = read_sources(session, rows, stamp), dict[UUID, About]()
    for row in rows:
        try:
            found[row.id] = _about(row, sources)
        except Exception as error:
            if problems is None:
                raise
            problems[row.id] = f"{type(error).__name__}: {error}"
    return found


def _about(row: Any, sources: Sources) -> About:
    own = sources.objects.get((row.object_type, row.object_id))
    project = sources.projects.get(row.object_id if row.object_type == "project" else getattr(own, "project_id", None))
    fund = sources.funds.get(row.object_id if row.object_type == "fund" else getattr(own, "fund_id", None))
    act = sources.act_of(row)
    actor = sources.users.get(act.actor_id) if act is not None else None
    return About(
        facts=facts_of(row, own, project, fund, sources),
        parties=_parties(row, own, project, fund, sources),
        project_id=project.id if project is not None else None,
        review_id=row.object_id if row.object_type == "review" else None,
        people=_people(row, own),
        actor_person=actor.person_id if actor is not None else None,
        letter=_letter(row, own),
        barred=_barred(row, own, sources),
    )


def _parties(row: Any, own: Any, project: Any, fund: Any, sources: Sources) -> Parties:
    """Return who plays which part (`lifecycle.engine.parties_of`): of money the funder is the one whose fund it is."""
    found: dict[str, Any] = {}
    if project is not None:
        programme = project.programme_organisation_id
        found = {
            "sme": project.organisation_id,
            "platform": project.platform_id,
            "receiver": project.receiver_id,
            "new_platform": project.transfer_to_id,
            "funder": programme,
            "programme": programme,
        }
    if fund is not None:
        found |= {"funder": fund.organisation_id, "programme": fund.organisation_id}
    parties = {part: frozenset({one}) for part, one in found.items() if one is not None}
    if row.object_type == "payee_account" and own is not None:
        payers = sources.payers_of.get(own.organisation_id, frozenset())
        parties = {"sme": frozenset({own.organisation_id}), **({"funder": payers} if payers else {})}
    if row.object_type == "invitation" and own is not None:
        at = frozenset({own.organisation_id} - {None})
        parties = {"sme": at}
    if row.object_type == "programme" and own is not None and own.organisation_id is not None:
        parties = {part: frozenset({own.organisation_id}) for part in ("funder", "programme")}
    return parties


def _letter(row: Any, own: Any) -> Letter | None:
    """Return whom a link is sent to; a disabled account is sent none (`flows.outbox`)."""
    if not kind_of(row.kind).is_letter:
        return None
    return Letter(
        name=own.name,
        email=own.email,
        language=language_of(own.language),
        why=_LETTER_WHY[row.kind],
        user_id=own.user_id if own.kind == InvitationKind.OWN_PAGE else None,
    )


def _people(row: Any, own: Any) -> dict[str, UUID]:
    found = {
        "person": row.object_id if row.object_type == "user" else None,
        "requester": next(filter(None, (getattr(own, name, None) for name in ("requested_by", "proposed_by"))), None),
        "owner": own.created_by if row.object_type == "invitation" else getattr(own, "owner_id", None),
    }
    return {part: one for part, one in found.items() if one is not None}


def _barred(row: Any, own: Any, sources: Sources) -> frozenset[UUID]:
    """Return the humans who did the steps before, or stand behind a wall, where the next one asks for somebody else."""
    if own is None or row.kind not in _SECOND_PERSON:
        return frozenset()
    accounts = {getattr(own, name) for name in _SECOND_PERSON[row.kind]} - {None}
    if row.object_type == "payout":
        signed = sources.approvals.get(own.id, [])
        accounts |= {one.approver_id for one in signed if one.payload_hash == own.payload_hash}
    people = {sources.users[one].person_id for one in accounts if one in sources.users}
    side = side_of(own, sources.projects) if row.object_type in OF_MONEY else None
    apart = sources.walls.get(side, frozenset()) if side is not None else frozenset()
    return frozenset(people | apart | {UUID(one) for one in getattr(own, "amended_by", None) or ()})
