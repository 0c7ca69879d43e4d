"""What waits for one person: open requirements, entry lines, votes, conditions, decisions; page and command line alike.

Each thing says what it blocks, since when it waits, until when, and in which part it is theirs.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, False_, literal, select
from sqlmodel import Session

from lifecycle import engine
from lifecycle.actor import Actor, Rights, read_rights
from lifecycle.commands import Stamp
from lifecycle.endings.facts import left_of
from lifecycle.engine import able
from lifecycle.people.queries import WhoOwes, people_who_owe
from lifecycle.permissions import OF_ONESELF, PERMISSIONS
from lifecycle.projects.commands import SUBMIT
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.queries import gates
from lifecycle.reach import owing, readable_projects
from lifecycle.requirements.commands import CONFIRM_WAIVER, ConfirmWaiver
from lifecycle.reviews.queries import conditions_of
from lifecycle.stages.judgement import Verdict
from lifecycle.steps import Waiting, steps_of
from models.agreements import RecoveryOrder
from models.journal import CommandRecord
from models.projects import Project, ProjectMember, StageRun
from models.reading import beside, rows_by, table_of
from models.states import ENDED, STAGES, ProjectState, RecoveryState, Role, StageRunState
from models.tables import metadata, subject_tables
from notifications.gates import entry_lines, in_language, is_among, reasons_of, type_names, waits_since
from notifications.words import Lang, explain_unmet, sentence, title, verb_title


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One thing that waits for a person."""

    kind: str
    """`requirement`, `entry`, `condition`, `debt`, or the verb that is theirs (`payout.approve`)."""
    number: str
    """Of the project; empty where it belongs to none."""
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
    evidence: str = ""
    """Type of the document that settles it, where one does."""

    @property
    def is_money(self) -> bool:
        """Say whether money waits for it."""
        return self.amount_minor is not None

    @property
    def is_named(self) -> bool:
        """Say whether the thing has a number of its own that people know it by."""
        return bool(self.ref) and self.ref != self.number and not _ID.fullmatch(self.ref)


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


LOOKED_AT = 200
"""Projects whose gates are judged, and rows of each verb that are asked, for one list; all doors look at as many."""


@dataclass(frozen=True, slots=True)
class Todo:
    """All that waits for somebody."""

    owed: list[Owed]
    is_cut: bool
    """There was more than was looked at."""


def todo_of(session: Session, stamp: Stamp, lang: Lang) -> Todo:
    """Return everything that asks the actor to do something: the same in every door."""
    rights = read_rights(session, stamp.actor, [], today=stamp.today)
    ids = _likely(session, stamp.actor, readable_projects(owing(rights), stamp.actor))
    waiting = list(steps_of(session, stamp, limit=LOOKED_AT))
    counts = Counter(one.verb for one in waiting)
    owed = [
        *_conditions(session, stamp.actor, lang),
        *(_step(one, lang) for one in waiting),
        *_debts(session, rights, lang),
        *_of_gates(session, ids[:LOOKED_AT], rights, stamp, lang),
    ]
    return Todo(owed, len(ids) > LOOKED_AT or any(count >= LOOKED_AT for count in counts.values()))


def _step(one: Waiting, lang: Lang) -> Owed:
    about = title("case", one.label, lang) if one.object_type == "exception" else ""
    absent = sentence("todo_on_behalf", {}, lang) if one.on_behalf_of else ""
    return Owed(
        kind=one.verb,
        number=one.number,
        name=one.name,
        clause="" if about else one.label,
        title=_said(one.verb, lang),
        reason=" ".join(filter(None, (about, absent))),
        due_on=one.due_on,
        since_on=one.since_on,
        ref=one.ref,
        amount_minor=one.amount_minor,
        currency=one.currency,
    )


def _said(verb: str, lang: Lang) -> str:
    """Return the words of a task: its own, else those of the verb."""
    own = title("todo", verb, lang)
    said = verb_title(verb, lang) if own == verb else own
    return said[:1].upper() + said[1:]


def _conditions(session: Session, actor: Actor, lang: Lang) -> Iterator[Owed]:
    for row in conditions_of(session, actor.user_id):
        yield Owed(kind="condition", title=sentence("todo_condition", {}, lang), reason=row.pop("note"), **row)


def _debts(session: Session, rights: Rights, lang: Lang) -> Iterator[Owed]:
    """Yield what the firm of this person has to pay back: the bank, not a verb, settles it."""
    firms = {at for role, at in rights.grants if role in (Role.PROJECT_LEAD, Role.FINANCE_OFFICER) and at is not None}
    order, project = table_of(RecoveryOrder), table_of(Project)
    statement = (
        select(order, project.c.number.label("project"), project.c.name)
        .join(project, project.c.id == order.c.project_id)
        .where(project.c.organisation_id.in_(firms), beside(order.c.state) == RecoveryState.OPEN)
        .order_by(order.c.due_on, order.c.number)
        .limit(LOOKED_AT)
    )
    for row in session.execute(statement).all() if firms and rights.is_active else ():
        yield Owed(
            kind="debt",
            number=row.project,
            name=row.name,
            title=sentence("todo_debt", {}, lang),
            due_on=row.due_on,
            since_on=row.ordered_at.date(),
            ref=row.number,
            amount_minor=left_of(row),
            currency=row.currency,
        )


def _of_gates(session: Session, ids: Sequence[UUID], rights: Rights, stamp: Stamp, lang: Lang) -> Iterator[Owed]:
    """Yield what the gates of these projects, and the entries behind them, wait for from this person."""
    people, found = people_who_owe(session, ids), gates(session, ids, stamp)
    for facts in found:
        yield from _asked(facts, people, stamp.actor, lang)
    if PERMISSIONS[SUBMIT.permission] & {role for role, _ in rights.grants}:  # who holds none of them is not asked
        yield from _submissions(session, found, stamp, lang)
    yield from _waivers(session, found, stamp, lang)


def _asked(facts: ProjectFacts, people: WhoOwes, actor: Actor, lang: Lang) -> Iterator[Owed]:
    names, project = type_names(facts.pack, lang), {"number": facts.project.number, "name": facts.project.name}
    since, blocks = facts.run.opened_on if facts.run is not None else None, _behind(facts.project.stage)
    for verdict in (one for one in facts.verdicts if not one.passes and not follows_a_panel(one, facts)):
        mine = next(
            (one for one in reasons_of(verdict) if is_among(one, facts.project.id, people, actor.person_id)), None
        )
        if mine is not None:
            yield Owed(
                kind="requirement",
                **project,
                due_on=verdict.due_on,
                since_on=waits_since(verdict, facts),
                clause=verdict.clause,
                title=in_language(facts.pack.criterion(verdict.clause).title, lang),
                reason=explain_unmet(mine, lang, names).what,
                blocks=blocks,
                role=str(mine.role),
            )
    for line in entry_lines(facts, people, lang, actor.person_id):
        if line.is_yours:
            said = sentence("todo_entry", {}, lang)
            more: dict[str, Any] = {"since_on": since, "blocks": blocks, "evidence": line.evidence}
            yield Owed(kind="entry", **project, title=said, reason=line.reason, **more)


def follows_a_panel(verdict: Verdict, facts: ProjectFacts) -> bool:
    """Say whether only an open review goes on with this requirement: its own steps ask for it."""
    return facts.has_open_review and facts.pack.criterion(verdict.clause).follow_notice


def _submissions(session: Session, found: Sequence[ProjectFacts], stamp: Stamp, lang: Lang) -> Iterator[Owed]:
    """Yield the gates for which the firm owes nothing more, and has not said so."""
    ready = {facts.project.id: facts for facts in found if _is_ready(facts)}
    for project_id in able(session, SUBMIT, list(ready), stamp=stamp) if ready else ():
        facts = ready[project_id]
        yield _on_project(SUBMIT.permission, facts, lang, since_on=facts.run.opened_on)


def _is_ready(facts: ProjectFacts) -> bool:
    is_open = facts.run is not None and facts.run.state == StageRunState.OPEN
    return is_open and not any(owes.party == "sme" for one in facts.verdicts if not one.passes for owes in one.owed_by)


def _waivers(session: Session, found: Sequence[ProjectFacts], stamp: Stamp, lang: Lang) -> Iterator[Owed]:
    """Yield the waivers of present gates that wait for this person as the second."""
    waiting = [(facts, row) for facts in found for row in facts.waivers if _waits(row, facts)]
    commands = [
        ConfirmWaiver(command_id=f"rehearsal:{row.id}", project_id=facts.project.id, clause=row.clause)
        for facts, row in waiting
    ]
    for (facts, row), answer in zip(waiting, engine.rehearse(session, commands, stamp=stamp), strict=True):
        if answer.error is None:
            granted = row.granted_at.date()
            verb = CONFIRM_WAIVER.permission
            yield _on_project(verb, facts, lang, clause=row.clause, due_on=row.until_on, since_on=granted)


def _waits(row: Any, facts: ProjectFacts) -> bool:
    is_present = row.stage_run_id == facts.project.stage_run_id
    return is_present and row.confirmed_by is None and row.until_on >= facts.stamp.today


def _on_project(verb: str, facts: ProjectFacts, lang: Lang, **more: Any) -> Owed:
    return Owed(
        kind=verb,
        number=facts.project.number,
        name=facts.project.name,
        title=_said(verb, lang),
        ref=facts.project.number,
        blocks=_behind(facts.project.stage),
        **more,
    )


def _behind(stage: str) -> str:
    """Return the state behind the gate of a stage."""
    place = STAGES.index(ProjectState(stage)) + 1 if stage in STAGES else len(STAGES)
    return str(ProjectState.IN_PRODUCTION if place == len(STAGES) else STAGES[place])


def _likely(session: Session, actor: Actor, reach: ColumnElement[bool]) -> list[UUID]:
    """Return living projects within reach, those first in which somebody is named, each part soonest due first.

    One more than are looked at, where there are more. What the next stage asks on entry is owed by a project, too, of
    which nothing is open at its gate.
    """
    if isinstance(reach, False_):
        return []
    project, run, member = map(table_of, (Project, StageRun, ProjectMember))
    mine = select(member.c.project_id).where(member.c.user_id == actor.user_id, member.c.until_at.is_(None))
    statement = (
        select(project.c.id)
        .outerjoin(run, run.c.id == project.c.stage_run_id)
        .where(reach, project.c.stage.not_in(ENDED))
        .order_by(project.c.id.not_in(mine), run.c.due_on.is_(None), run.c.due_on, project.c.number)
    )
    return list(session.execute(statement.limit(LOOKED_AT + 1)).scalars())


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
    for kind in {row.object_type for row in rows} - {"project"}:
        table = metadata.tables.get(subject_tables().get(kind, ""))
        if table is None or "project_id" not in table.c:
            continue
        column: Any = table.c.state if "state" in table.c else literal("")
        ids = [row.object_id for row in rows if row.object_type == kind]
        statement = select(table.c.id, table.c.project_id, column.label("state")).where(table.c.id.in_(ids))
        for own in session.execute(statement):
            owners[own.id] = (own.project_id, str(own.state))
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
