"""What pages and programs share when something is done: which verbs there are now, and the command out of values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle import engine as melody
from lifecycle.commands import REGISTRY, Answer, Command, Stamp
from lifecycle.errors import PERSONAL_CODES, Forbidden, Invalid, LifecycleError, NotFound, Unmet, unmet
from lifecycle.exceptions.carrying_out import carry_out
from lifecycle.exceptions.commands import ConfirmWayOut
from lifecycle.imports.taking_in import has_brought
from lifecycle.people.queries import people_who_owe
from lifecycle.permissions import IN_PERSON
from models.evidence import Evidence
from models.journal import AuditRecord
from models.people import User
from models.reading import table_of
from notifications.gates import named, standard_names
from notifications.words import Names
from web.nouns import AnyVerb, Noun
from web.proving import need_money_proof
from web.reading_rights import of_readable_projects
from web.session import Visit

REFUSED = ".refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A verb on one thing for one person: possible, or every reason why not."""

    verb: AnyVerb
    name: str
    """Its word in addresses."""
    url: str
    is_first: bool = False
    """On the main path of the thing."""
    reasons: tuple[Unmet, ...] = ()
    names: Names = field(default_factory=dict)
    """Titles that only the standard of its project knows, for the reasons."""

    @property
    def is_allowed(self) -> bool:
        """Say whether nothing but input is missing."""
        return not self.reasons

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that stands in the way, in order, once."""
        return tuple(dict.fromkeys(reason.code for reason in self.reasons))

    @property
    def needs(self) -> tuple[str, ...]:
        """The roles one of which may, where it is none of this person's."""
        roles = next((reason.values.get("needs", ()) for reason in self.reasons if reason.code == "role"), ())
        return tuple(str(role) for role in roles)

    @property
    def is_for_others(self) -> bool:
        """Say whether it is no role of this person that may."""
        return any(reason.code == "role" for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What somebody did to a thing since a form was opened."""

    at: datetime
    by: str
    action: str
    to_state: str


def actions(
    session: Session, visit: Visit, noun: Noun, row: Any, verbs: Sequence[AnyVerb] | None = None
) -> list[Action]:
    """Return the engine's answer for each verb of a thing, with names of those who owe; `NotFound` for strangers."""
    answers = melody.explain(session, row.id, verbs or noun.verbs, stamp=visit.stamp)
    told = with_names(session, noun, row, [reason for _, reasons in answers for reason in reasons])
    known = names(session, visit, noun, row) if told else {}
    return [
        Action(
            verb=verb,
            name=noun.spoken(verb),
            url=noun.do_url(row, verb),
            is_first=noun.is_first(verb),
            reasons=tuple(told[id(one)] for one in reasons),
            names=known,
        )
        for verb, reasons in answers
    ]


def right_first(visit: Visit, noun: Noun, row: Any, verb: AnyVerb, error: LifecycleError) -> LifecycleError:
    """Return what somebody is told of what cannot be read: a right that is missing, before what was typed."""
    if not isinstance(error, Invalid):
        return error
    (action,) = visit.read(lambda session: actions(session, visit, noun, row, [verb]))
    missing = [reason for reason in action.reasons if reason.code in PERSONAL_CODES]
    return Forbidden(*missing) if missing else error


def with_names(session: Session, noun: Noun, row: Any, reasons: Sequence[Unmet]) -> dict[int, Unmet]:
    """Return each reason (by identity) with the people who owe it, as its project knows them."""
    project_id = noun.project_id(row)
    if project_id is None or not reasons:
        return {id(one): one for one in reasons}
    people = people_who_owe(session, [project_id])
    return {id(one): named(one, project_id, people) for one in reasons}


def refusal(visit: Visit, noun: Noun, row: Any, error: LifecycleError) -> LifecycleError:
    """Return the same refusal with the names of those who owe."""
    if isinstance(error, NotFound) or not error.unmet:
        return error
    told = visit.read(lambda session: with_names(session, noun, row, error.unmet))
    return type(error)(*(told[id(one)] for one in error.unmet))


def names(session: Session, visit: Visit, noun: Noun, row: Any) -> Names:
    """Return the titles that only the standard of the thing's project knows."""
    project_id = noun.project_id(row)
    return standard_names(session, project_id, visit.lang) if project_id else {}


def command(verb: AnyVerb, subject_id: UUID, values: Mapping[str, Any], *, key: str, version: int | None) -> Command:
    """Return the command of a verb on a subject."""
    made: Command = verb.command(command_id=key, **{f"{verb.subject_name}_id": subject_id, **values})
    return replace(made, expected_version=version)


def carry(visit: Visit, asked: Command) -> Answer:
    """Carry a command out with what follows from it; a decision about money only for who has stepped up."""
    if REGISTRY[type(asked)].permission in IN_PERSON and visit.session is not None:  # of a program the engine says so
        try:
            need_money_proof(visit)
        except Forbidden as error:
            return Answer(command=asked, error=error, unmet=error.unmet)
    # what else stands in the way comes first
    if not _is_own_file(visit, asked) and visit.rehearse(asked).error is None:
        strange = Invalid(unmet("file_not_brought", field=_hash_of(asked)[0]))
        return Answer(command=asked, error=strange, unmet=strange.unmet)
    follow = _FOLLOWS.get(type(asked))
    if follow is None:
        return visit.act(asked)
    stamp = visit.stamp

    def work(session: Session) -> Answer:
        (answer,) = melody.execute(session, [asked], stamp=stamp)
        if answer.error is None and not answer.is_replay:
            follow(session, answer, stamp)
        return answer

    try:
        return visit.write(work)
    except LifecycleError as error:  # of what follows: nothing of both stays
        return Answer(command=asked, error=error, unmet=error.unmet)


def _hash_of(asked: Command) -> tuple[str, str]:
    """Return under which name a command brings a file, and the hash; two empty texts for one that brings none."""
    name = next((name for name in ("sha256", "evidence_sha256") if hasattr(asked, name)), "")
    return (name, str(getattr(asked, name))) if name and hasattr(asked, "size_bytes") else ("", "")


def _is_own_file(visit: Visit, asked: Command) -> bool:
    """Say whether the file that a command brings is one that somebody brought or may read: a hash alone is no file."""
    _, sha256 = _hash_of(asked)

    def work(session: Session) -> bool:
        evidence = table_of(Evidence)
        readable = of_readable_projects(Evidence)(visit)
        known = select(evidence.c.id).where(evidence.c.sha256 == sha256, readable).limit(1)
        return has_brought(session, visit.actor.user_id, sha256) or session.execute(known).first() is not None

    return not sha256 or visit.read(work)


def _carried_out(session: Session, answer: Answer, stamp: Stamp) -> None:
    """Do what two people agreed on, with their agreement or not at all."""
    for one in carry_out(session, UUID(answer.document["object_id"]), answer.command.command_id, stamp):
        if one.error is not None:
            raise one.error


_FOLLOWS: Mapping[type[Command], Callable[[Session, Answer, Stamp], None]] = {ConfirmWayOut: _carried_out}


def changes_since(session: Session, noun: Noun, row: Any, seen: int) -> list[Change]:
    """Return what others did to a thing since this version, the newest first."""
    audit, user = table_of(AuditRecord), table_of(User)
    statement = (
        select(audit.c.at, audit.c.action, audit.c.to_state, user.c.name.label("by"))
        .outerjoin(user, user.c.id == audit.c.actor_id)
        .where(audit.c.object_type == noun.object_type, audit.c.object_id == row.id)
        .where(audit.c.action.not_like(f"%{REFUSED}"))
        .order_by(audit.c.chain_seq.desc())
        .limit(max(row.version - seen, 1))
    )
    return [
        Change(at=one.at, by=one.by or "", action=one.action, to_state=one.to_state)
        for one in session.execute(statement)
    ]
