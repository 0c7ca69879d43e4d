"""What waits for one person: open requirements, entry lines, votes, conditions, decisions; page and command line alike.

Each thing says what it blocks, since when it waits, until when, and in which part it is theirs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import Session

from lifecycle import engine
from lifecycle.actor import OF_ONESELF, PERMISSIONS, Actor
from lifecycle.commands import Stamp
from lifecycle.errors import NotFound, Unmet
from lifecycle.people.queries import Holder, WhoOwes, people_who_owe
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.queries import gates
from lifecycle.projects.rules import entry_met
from lifecycle.reviews.queries import conditions_of, votes_of
from lifecycle.verbs import BY_NAME
from models.agreements import Milestone
from models.journal import CommandRecord
from models.payouts import Payout
from models.projects import Project, ProjectMember, Requirement, StageRun
from models.reading import rows_by, table_of
from models.reviews import Review, Waiver
from models.states import ENDED, STAGES, MilestoneState, PayoutState, ProjectState, ReviewState, Role, VerdictState
from notifications.gates import in_language, reasons_of, type_names
from notifications.words import Lang, explain_unmet, sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One thing that waits for a person."""

    kind: str
    """`requirement`, `entry`, `vote`, `condition`, or the verb that is theirs (`payout.approve`)."""
    number: str
    """Of the project."""
    name: str
    clause: str = ""
    title: str = ""
    reason: str = ""
    due_on: date | None = None
    since_on: date | None = None
    blocks: str = ""
    """The state that cannot be reached without it."""
    role: str = ""
    """Why it is theirs: the role that owes it."""
    ref: str = ""
    """Number or id of what is decided, where that is not the project."""
    amount_minor: int | None = None
    currency: str = "CNY"

    @property
    def is_money(self) -> bool:
        """Say whether money waits for it."""
        return self.amount_minor is not None


def seats_and_debts(session: Session, actor: Actor, lang: Lang) -> Iterator[Owed]:
    """Yield the conditions and votes that this person owes by name."""
    for row in conditions_of(session, actor.user_id):
        title = sentence("todo_condition", {}, lang)
        yield Owed(kind="condition", title=title, reason=row.pop("note"), **row)
    for row in votes_of(session, actor.user_id):
        review_id = row.pop("review_id")
        yield Owed(kind="vote", title=sentence("todo_vote", {}, lang), ref=str(review_id), **row)


def asked_of(session: Session, actor: Actor, ids: Sequence[UUID], stamp: Stamp, lang: Lang) -> Iterator[Owed]:
    """Yield what the gates of these projects, and the entries behind them, wait for from this person."""
    people = people_who_owe(session, ids)
    for facts in gates(session, ids, stamp):
        yield from _asked(facts, people, actor, lang)


def _asked(facts: ProjectFacts, people: WhoOwes, actor: Actor, lang: Lang) -> Iterator[Owed]:
    names, project = type_names(facts.pack, lang), {"number": facts.project.number, "name": facts.project.name}
    since, blocks = facts.run.opened_on if facts.run is not None else None, _behind(facts.project.stage)
    for verdict in (one for one in facts.verdicts if not one.passes):
        mine = next((one for one in reasons_of(verdict) if _is_mine(one, facts, people, actor)), None)
        if mine is not None:
            yield Owed(
                kind="requirement",
                **project,
                due_on=verdict.due_on,
                since_on=since,
                clause=verdict.clause,
                title=in_language(facts.pack.criterion(verdict.clause).title, lang),
                reason=explain_unmet(mine, lang, names).what,
                blocks=blocks,
                role=str(mine.role),
            )
    for line in entry_met(facts):
        if line.clause is None and _is_mine(line, facts, people, actor):
            what = explain_unmet(line, lang, names).what
            title = sentence("todo_entry", {}, lang)
            yield Owed(kind="entry", **project, title=title, reason=what, since_on=since, blocks=blocks)


def _behind(stage: str) -> str:
    """Return the state behind the gate of a stage."""
    place = STAGES.index(ProjectState(stage)) + 1 if stage in STAGES else len(STAGES)
    return str(ProjectState.IN_PRODUCTION if place == len(STAGES) else STAGES[place])


def _is_mine(reason: Unmet, facts: ProjectFacts, people: WhoOwes, actor: Actor) -> bool:
    """Say whether this person is among those to ask, and did not hand in what is to be judged."""
    holders: tuple[Holder, ...] = people.get((facts.project.id, Role(reason.role)), ()) if reason.role else ()
    barred = reason.values.get("not_by", ())
    return str(actor.person_id) not in barred and any(one.person_id == actor.person_id for one in holders)


def likely_projects(session: Session, actor: Actor, reach: ColumnElement[bool], *, limit: int) -> list[UUID]:
    """Return projects that may wait for this person, those first in which they are named, each part soonest due first.

    A page looks at no more than twice `limit`, however many projects there are.
    """
    project, run, requirement, member = map(table_of, (Project, StageRun, Requirement, ProjectMember))
    is_open = (
        select(requirement.c.id)
        .where(requirement.c.stage_run_id == run.c.id)
        .where(requirement.c.verdict.not_in((VerdictState.MET, VerdictState.WAIVED)))
        .exists()
    )
    mine = select(member.c.project_id).where(member.c.user_id == actor.user_id, member.c.until_at.is_(None))
    found: dict[UUID, None] = {}
    for condition in (and_(project.c.id.in_(mine), reach), reach):
        statement = (
            select(project.c.id)
            .join(run, run.c.id == project.c.stage_run_id)
            .where(condition, project.c.stage.not_in(ENDED), is_open)
            .order_by(run.c.due_on.is_(None), run.c.due_on)
            .limit(limit)
        )
        found |= dict.fromkeys(session.execute(statement).scalars())
    return list(found)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A kind of subject that waits for a decision: its open states, and the verbs that go on with it."""

    model: Any
    states: tuple[str, ...]
    verbs: tuple[str, ...]


_PENDING = (
    _Pending(
        Payout,
        (PayoutState.REQUESTED, PayoutState.APPROVED, PayoutState.RETURNED),
        ("payout.certify", "payout.approve", "payout.reapprove"),
    ),
    _Pending(Milestone, (MilestoneState.SUBMITTED,), ("milestone.accept",)),
    _Pending(
        Review,
        (ReviewState.CALLED, ReviewState.SCORING, ReviewState.PROPOSED),
        ("review.open", "review.propose", "review.decide"),
    ),
)


def decisions(
    session: Session, reach: ColumnElement[bool], stamp: Stamp, *, limit: int, roles: frozenset[Role]
) -> Iterator[Owed]:
    """Yield what this person can decide at this moment, by the engine's own answer; at most `limit` of each kind."""
    project = table_of(Project)
    for pending in _PENDING:
        verbs = [_verb(name) for name in pending.verbs]
        if not any(PERMISSIONS.get(verb.permission, frozenset()) & roles for verb in verbs):
            continue
        table = table_of(pending.model)
        statement = (
            select(table, project.c.number.label("project"), project.c.name.label("project_name"))
            .join(project, project.c.id == table.c.project_id)
            .where(reach, table.c.state.in_(pending.states))
            .order_by(table.c.id)
            .limit(limit)
        )
        for row in session.execute(statement).all():
            name = _open_verb(session, row.id, verbs, stamp)
            if name:
                yield _decision(row, name)
    yield from _waivers(session, reach, stamp, limit=limit)


def _verb(permission: str) -> Any:
    kind, _, name = permission.partition(".")
    return BY_NAME[(kind, name)]


def _open_verb(session: Session, subject: UUID, verbs: Sequence[Any], stamp: Stamp) -> str:
    try:
        answers = engine.explain(session, subject, verbs, stamp=stamp)
    except NotFound:
        return ""
    return next((verb.permission for verb, reasons in answers if not reasons), "")


def _decision(row: Any, verb: str) -> Owed:
    kept: Mapping[str, Any] = row._mapping  # noqa: SLF001 - the documented name of a row's mapping
    amount = kept.get("amount_minor")
    created = kept.get("created_at") or kept.get("submitted_at")
    return Owed(
        kind=verb,
        number=row.project,
        name=row.project_name,
        clause=kept.get("gate") or "",
        due_on=kept.get("pay_by_on") or kept.get("planned_on"),
        since_on=created.date() if created else None,
        ref=str(kept.get("number") if verb.startswith("payout.") else row.id),
        amount_minor=amount,
        currency=kept.get("currency") or "CNY",
    )


def _waivers(session: Session, reach: ColumnElement[bool], stamp: Stamp, *, limit: int) -> Iterator[Owed]:
    waiver, project = table_of(Waiver), table_of(Project)
    statement = (
        select(waiver.c.clause, waiver.c.until_on, waiver.c.granted_at, waiver.c.project_id, project)
        .join(project, project.c.id == waiver.c.project_id)
        .where(reach, waiver.c.confirmed_by.is_(None), waiver.c.until_on >= stamp.today)
        .where(waiver.c.granted_person_id != stamp.actor.person_id, waiver.c.stage_run_id == project.c.stage_run_id)
        .limit(limit)
    )
    verb = _verb("requirement.confirm_waiver")
    for row in session.execute(statement).all():
        if _open_verb(session, row.project_id, [verb], stamp):
            yield Owed(
                kind=verb.permission,
                number=row.number,
                name=row.name,
                clause=row.clause,
                due_on=row.until_on,
                since_on=row.granted_at.date(),
                blocks=_behind(row.stage),
            )


BEGINNINGS = frozenset(
    {
        "project.register",
        "evidence.add",
        "review.call",
        "notice.issue",
        "requirement.waive",
        "milestone.submit",
        "payout.request",
        "payout.settle",
        "cost.submit",
        "exception.propose",
    }
)
"""Verbs by which somebody begins what others go on with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One command that somebody gave."""

    at: Any
    verb: str
    object_type: str
    object_id: UUID
    command_id: str
    state: str
    """As it stands now, where it has one."""
    number: str
    name: str
    """Of the project it belongs to."""


def deeds(session: Session, user_id: UUID, *, limit: int, begun_only: Sequence[str] = ()) -> list[Deed]:
    """Return the latest commands of somebody, the newest first; with `begun_only` those of these verbs."""
    record = table_of(CommandRecord)
    statement = select(record).where(record.c.actor_id == user_id, ~record.c.verb.in_(OF_ONESELF))
    if begun_only:
        statement = statement.where(record.c.verb.in_(begun_only))
    rows = session.execute(statement.order_by(record.c.at.desc()).limit(limit)).all()
    homes = _homes(session, rows)
    return [_deed(row, homes) for row in rows]


def _homes(session: Session, rows: Sequence[Any]) -> dict[UUID, tuple[Any, str]]:
    """Return object -> (its project, its state), for the kinds that belong to a project."""
    found: dict[UUID, tuple[Any, str]] = {}
    owners: dict[UUID, tuple[UUID, str]] = {}
    for kind, model in {"payout": Payout, "review": Review, "milestone": Milestone}.items():
        ids = [row.object_id for row in rows if row.object_type == kind]
        for key, (own, *_) in rows_by(session, model, "id", ids).items():
            owners[key] = (own.project_id, str(own.state))
    wanted = {row.object_id for row in rows if row.object_type == "project"} | {one for one, _ in owners.values()}
    wanted |= {UUID(row.answer["project_id"]) for row in rows if row.answer.get("project_id")}
    projects = {key: own for key, (own, *_) in rows_by(session, Project, "id", wanted).items()}
    for key, (project_id, state) in owners.items():
        found[key] = (projects.get(project_id), state)
    for key, own in projects.items():
        found[key] = (own, str(own.stage))
    return found


def _deed(row: Any, homes: Mapping[UUID, tuple[Any, str]]) -> Deed:
    project, state = homes.get(row.object_id, (None, str(row.answer.get("state") or "")))
    return Deed(
        at=row.at,
        verb=row.verb,
        object_type=row.object_type,
        object_id=row.object_id,
        command_id=row.command_id,
        state=state,
        number=project.number if project is not None else "",
        name=project.name if project is not None else "",
    )
