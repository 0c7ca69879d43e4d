"""The melody, written once: lock, replayed?, unchanged?, permitted?, facts, judge, effects, write, journal.

`execute` plays it to the end, `rehearse` stops before the write (dry run), `explain` asks every verb of a subject
without a lock. A batch is the primitive: one answer per command, and a refused one stops nobody.
"""

import functools
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle import journal
from lifecycle.actor import Actor, Parties, Rights, read_rights
from lifecycle.chart import Rule, compiled, judged, not_possible, of_the_situation
from lifecycle.commands import REGISTRY, Answer, Command, Effects, Stamp, Task, Verb
from lifecycle.errors import (
    PERSONAL_CODES,
    Forbidden,
    Invalid,
    KeyReused,
    LifecycleError,
    NotFound,
    Refused,
    Stale,
    Unmet,
)
from lifecycle.permissions import BY_LINK, BY_NO_PROGRAM, BY_PEOPLE, IN_PERSON, OF_ONESELF, ON_OWN_PAGE, PERMISSIONS
from lifecycle.readable import unreadable
from lifecycle.writing import misfits
from models.base import Subject
from models.funds import Fund
from models.programmes import Programme
from models.projects import Project
from models.reading import one_of, rows_by, wanted
from models.states import Role


class BatchRefused(LifecycleError):
    """One of the commands was refused and all or none was asked for; nothing was written."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        super().__init__(*(reason for answer in answers if answer.error for reason in answer.error.unmet))
        self.answers = tuple(answers)


class Later:
    """What follows a write, verdict caches above all, put off until `run` at the end of one transaction."""

    def __init__(self) -> None:
        self._waiting: dict[Callable[[Session, Sequence[UUID], Stamp], None], dict[UUID, Stamp]] = {}

    def put(self, follow: Callable[[Session, Sequence[UUID], Stamp], None], ids: Sequence[UUID], stamp: Stamp) -> None:
        """Remember whom it concerns, as of the latest instant."""
        self._waiting.setdefault(follow, {}).update(dict.fromkeys(ids, stamp))

    def run(self, session: Session) -> None:
        """Do everything once, for all subjects at the latest instant."""
        for follow, concerned in self._waiting.items():
            follow(session, list(concerned), max(concerned.values(), key=lambda stamp: stamp.now))
        self._waiting.clear()


def execute(session: Session, commands: Sequence[Command], *, stamp: Stamp, later: Later | None = None) -> list[Answer]:
    """Carry out each command that may be, and answer all of them in the order they came.

    Who carries out many commands of several people in one transaction hands over `later`, and runs it before the end.
    """
    answers: dict[int, Answer] = {}
    for wave in _waves(commands):
        answers.update(_play(session, wave, stamp, later))
    return [answers[place] for place in range(len(commands))]


def execute_all_or_none(session: Session, commands: Sequence[Command], *, stamp: Stamp) -> list[Answer]:
    """Carry out all commands; raise `BatchRefused` when one is refused, so that the transaction writes nothing."""
    answers = execute(session, commands, stamp=stamp)
    if not all(answer.is_done for answer in answers):
        raise BatchRefused(answers)
    return answers


def refuse(session: Session, command: Command, codes: Sequence[str], *, stamp: Stamp) -> None:
    """Write the audit row of what a door refused before it came here: a proof that was wrong, or one too many."""
    desk = _Desk(session, ((0, command),), stamp, is_locked=True)
    journal.write_refusals(session, [(desk.verb, task, tuple(codes)) for task in desk.tasks.values()], stamp)


def rehearse(session: Session, commands: Sequence[Command], *, stamp: Stamp) -> list[Answer]:
    """Judge each command as `execute` would, without lock and without writing anything (dry run)."""
    answers: dict[int, Answer] = {}
    for wave in _waves(commands):
        desk = _Desk(session, wave, stamp, is_locked=False)
        for place, _, effects in desk.judged():
            answers[place] = Answer(command=commands[place], document=_preview(effects))
        answers.update(desk.answers)
    return [answers[place] for place in range(len(commands))]


def foresee(session: Session, command: Command, *, stamp: Stamp) -> Effects | None:
    """Return all that a command would write, without lock and without writing anything; None where it is refused."""
    desk = _Desk(session, ((0, command),), stamp, is_locked=False)
    return next((effects for _, _, effects in desk.judged()), None)


def explain(
    session: Session, subject: UUID, verbs: Sequence[Verb[Any, Any]], *, stamp: Stamp
) -> list[tuple[Verb[Any, Any], tuple[Unmet, ...]]]:
    """Say of each verb every reason why this actor cannot call it now; none means that nothing but input is missing.

    All verbs have the same kind of subject; one that makes something new out of nothing is left out. A missing right
    does not hide a missing fact: both are named; what a command itself would say wrongly is not asked. Raises
    `NotFound` when the actor may not see the subject.
    """
    verbs = [verb for verb in verbs if verb.subject is not None]
    if not verbs:
        return []
    desk = _Desk(session, ((0, verbs[0].example(subject)),), stamp, is_locked=False)
    tasks = {verb.permission: desk.lent(verb, verb.example(subject)) for verb in verbs}
    reasons: dict[str, tuple[Unmet, ...]] = {}
    for facts_of, group in groupby(sorted(verbs, key=_facts_name), key=lambda verb: verb.facts):
        asked = list(group)
        found = facts_of(session, [tasks[verb.permission] for verb in asked], stamp)
        for verb, fact in zip(asked, found, strict=True):
            wrong = desk.right(verb, tasks[verb.permission])
            reasons[verb.permission] = (*wrong, *_verdict(verb, fact, of_the_situation)[1])
    if any(reason.code == NotFound.code for told in reasons.values() for reason in told):
        raise NotFound(NotFound.code)
    return [(verb, reasons[verb.permission]) for verb in verbs]


def able(
    session: Session,
    verb: Verb[Any, Any],
    subjects: Collection[UUID],
    *,
    stamp: Stamp,
    absent: UUID | None = None,
    typed: Collection[str] = (),
) -> set[UUID]:
    """Return those of the subjects with which this actor can do something now; nothing but input is missing there.

    The same answer as `explain`, in a fixed number of reads for any number of subjects. `absent` is the account in
    whose name the actor would act, `typed` are codes of what is added while the command is given.
    """
    examples = [verb.example(one) for one in subjects]
    if absent is not None:
        examples = [replace(one, on_behalf_of=absent) for one in examples]
    desk = _Desk(session, tuple(enumerate(examples)), stamp, is_locked=False)
    tasks = [task for task in desk.tasks.values() if not desk.right(verb, task)]
    found = verb.facts(session, tasks, stamp) if tasks else ()
    told = [(task.row.id, _verdict(verb, fact, of_the_situation)[1]) for task, fact in zip(tasks, found, strict=True)]
    return {row_id for row_id, reasons in told if {reason.code for reason in reasons} <= set(typed)}


def _facts_name(verb: Verb[Any, Any]) -> str:
    """Bring verbs with the same facts together: they are read once."""
    return f"{getattr(verb.facts, '__module__', '')}.{getattr(verb.facts, '__qualname__', '')}.{id(verb.facts)}"


def _verdict(
    verb: Verb[Any, Any], fact: Any, asked: Callable[[tuple[Rule, ...]], tuple[Rule, ...]] = tuple
) -> tuple[str, tuple[Unmet, ...]]:
    """Return the state that the verb leads to and every reason against it; `asked` picks among the rules."""
    further = judged(asked(verb.rules), fact)
    state = verb.state(fact)
    event = verb.event(fact) if verb.event else verb.name
    if verb.chart is None or event is None:
        return state, further
    arrow = compiled(verb.chart).get((state, event))
    if arrow is None:
        return state, (not_possible(verb.name, state),)
    target, rules = arrow
    return target, judged(asked(rules), fact) + further


def _waves(commands: Sequence[Command]) -> Iterator[tuple[tuple[int, Command], ...]]:
    """Split into runs of one verb in which each key, subject and new value appears once; what repeats one waits."""
    numbered = list(enumerate(commands))
    for _, group in groupby(numbered, key=lambda item: type(item[1])):
        waiting = list(group)
        while waiting:
            seen: set[Hashable] = set()
            now, later = [], []
            for item in waiting:
                brings, minds = _marks(item[1])
                if seen.isdisjoint(minds):
                    now.append(item)
                else:
                    later.append(item)
                seen |= brings  # also of one that waits: a third must not overtake it
            yield tuple(now)
            waiting = later


def _marks(command: Command) -> tuple[set[Hashable], set[Hashable]]:
    """Return what later commands may mind of this one, and what this one minds of earlier ones.

    One that expects a version shares its subject with nobody, whatever tells them apart: each changes the version.
    """
    verb = REGISTRY[type(command)]
    marks: set[Hashable] = {("key", command.command_id), *(("new", value) for value in verb.once(command))}
    if verb.subject_id is None:
        return marks, marks
    subject = verb.subject_id(command)
    marks.add(("subject", subject, verb.apart(command) if verb.apart else None))
    any_one, versioned = ("any", subject), ("versioned", subject)
    if command.expected_version is None:
        return marks | {any_one}, marks | {versioned}
    return marks | {any_one, versioned}, marks | {any_one}


def _play(
    session: Session, wave: Sequence[tuple[int, Command]], stamp: Stamp, later: Later | None
) -> dict[int, Answer]:
    desk = _Desk(session, wave, stamp, is_locked=True)
    done: dict[int, journal.Done] = {}
    for place, task, effects in desk.judged():
        done[place] = journal.Done(desk.verb, task, effects)
    if done:
        journal.write(session, list(done.values()), stamp)
        concerned = _projects_of(done.values())
        if desk.verb.follow and concerned and later is None:
            desk.verb.follow(session, concerned, stamp)
        elif desk.verb.follow and concerned and later is not None:
            later.put(desk.verb.follow, concerned, stamp)
    if desk.personal:
        journal.write_refusals(session, desk.refused(is_written=bool(done)), stamp)
    answers = {place: Answer(command=item.task.command, document=item.document) for place, item in done.items()}
    return {**desk.answers, **answers}


def _projects_of(done: Any) -> list[UUID]:
    """Return the projects concerned; one that is born with the act was judged as it began."""
    found = []
    for item in done:
        if item.task.project is not None:
            found.append(item.task.project.id)
        found.extend(item.effects.touched)
    return list(dict.fromkeys(found))


def _preview(effects: Effects) -> dict[str, Any]:
    first = effects.acts[0]
    own = [act for act in effects.acts if act.id == first.id]
    return {
        "object_type": first.object_type,
        "object_id": str(first.id),
        "state": str(own[-1].to_state),
        "version": (0 if first.row is None else first.row.version) + len(own),
        "dry_run": True,
        **effects.says,
    }


class _Desk:
    """The first six steps of the melody for one verb and one wave of commands."""

    def __init__(self, session: Session, wave: Sequence[tuple[int, Command]], stamp: Stamp, *, is_locked: bool) -> None:
        self.session, self.stamp, self.is_locked = session, stamp, is_locked
        self.verb: Verb[Any, Any] = REGISTRY[type(wave[0][1])]
        self.answers: dict[int, Answer] = {}
        self.personal: list[tuple[Verb[Any, Any], Task[Any], tuple[str, ...]]] = []
        self.tasks: dict[int, Task[Any]] = {}
        self.wave = [item for item in wave if self._is_readable(*item)]
        self._lock()

    def judged(self) -> Iterator[tuple[int, Task[Any], Effects]]:
        """Yield what may be carried out, with its effects; the others get their answers."""
        self._replays()
        wrong = {place: self.right(self.verb, task) for place, task in self.tasks.items()}
        for place, missing in wrong.items():
            if any(reason.code == NotFound.code for reason in missing):  # before its version is told
                self._refuse(place, NotFound(*missing))
        self._versions()
        for place in list(self.tasks):
            if wrong[place]:
                self._refuse(place, Forbidden(*wrong[place]))
        tasks = list(self.tasks.items())
        facts = self.verb.facts(self.session, [task for _, task in tasks], self.stamp) if tasks else ()
        for (place, task), fact in zip(tasks, facts, strict=True):
            target, reasons = _verdict(self.verb, fact)
            if reasons:
                self._refuse(place, Refused(*reasons))
                continue
            effects = self.verb.effects(fact, target, self.stamp)
            if too_large := misfits(effects):
                self._refuse(place, Invalid(*too_large))
            else:
                yield place, task, effects

    def refused(self, *, is_written: bool) -> list[tuple[Verb[Any, Any], Task[Any], tuple[str, ...]]]:
        """Return the refusals about a person, each with its row as it is after what was written beside it."""
        if not is_written or self.verb.apart is None or self.verb.subject is None:
            return self.personal
        ids = [task.row.id for _, task, _ in self.personal]
        rows = rows_by(self.session, self.verb.subject, "id", ids)
        return [(verb, replace(task, row=rows[task.row.id][0]), codes) for verb, task, codes in self.personal]

    def lent(self, verb: Verb[Any, Any], command: Command) -> Task[Any]:
        """Return the task of another verb on the subject of this desk, with what was read for it already."""
        if 0 not in self.tasks:
            raise NotFound(NotFound.code)
        task = replace(self.tasks[0], command=command)
        roles = self._roles(verb, task)
        return replace(task, roles=roles)

    def _is_readable(self, place: int, command: Command) -> bool:
        faults = unreadable(command)
        if faults:
            self._refuse_command(place, command, Invalid(*faults))
        return not faults

    def _lock(self) -> None:
        verb = self.verb
        if verb.subject is None or verb.subject_id is None:
            self.tasks = {place: Task(command=command, is_locked=self.is_locked) for place, command in self.wave}
            self._rights(())
            return
        asked = {place: verb.subject_id(command) for place, command in self.wave}
        rows, projects, funds = self._locked(verb.subject, sorted(set(asked.values())))
        for place, command in self.wave:
            row = rows.get(asked[place])
            if row is None:
                self._refuse_command(place, command, NotFound(NotFound.code))
                continue
            project = projects.get(row.id if verb.subject is Project else getattr(row, "project_id", row.id))
            fund = funds.get(row.id if verb.subject is Fund else getattr(row, "fund_id", row.id))
            self.tasks[place] = Task(command=command, row=row, project=project, fund=fund, is_locked=self.is_locked)
        self._rights({task.project.id for task in self.tasks.values() if task.project is not None})

    def _locked(self, subject: type[Subject], ids: list[UUID]) -> tuple[dict[UUID, Any], ...]:
        """Lock parents first, one statement per table, in the order of ids: fund, project, the subject itself."""
        parents = self._parents(subject, ids)
        funds = self._locked_rows(Fund, parents["fund_id"])
        projects = self._locked_projects(ids if subject is Project else parents["project_id"])
        if subject is Fund:
            return funds, projects, funds
        rows = projects if subject is Project else self._locked_rows(subject, ids)
        return rows, projects, funds

    def _parents(self, subject: type[Subject], ids: list[UUID]) -> dict[str, list[UUID]]:
        """Return the ids of the funds and projects above these subjects, in the order they are locked in."""
        found: dict[str, list[UUID]] = {"fund_id": [], "project_id": []}
        if subject is Fund:
            found["fund_id"] = ids
        elif self.verb.funds:
            found["fund_id"] = sorted(set(self.verb.funds(self.session, ids)))
        statement = _select_parents(subject, is_single=len(ids) == 1)
        if statement is not None:
            rows = self.session.connection().execute(statement, wanted(ids)).mappings().all()
            for name in rows[0] if rows else ():
                found[name] = sorted({row[name] for row in rows} - {None})
        return found

    def _locked_rows(self, subject: type[Subject], ids: list[UUID]) -> dict[UUID, Any]:
        if not ids:
            return {}
        statement = _select_rows(subject, is_locked=self.is_locked, is_single=len(ids) == 1)
        return {row.id: row for row in self.session.connection().execute(statement, wanted(ids))}

    def _locked_projects(self, ids: list[UUID]) -> dict[UUID, Any]:
        if not ids:
            return {}
        statement = _select_projects(is_locked=self.is_locked, is_single=len(ids) == 1)
        rows = self.session.connection().execute(statement, wanted(ids))
        return {row.id: row for row in rows}

    def _replays(self) -> None:
        keys = [task.command.command_id for task in self.tasks.values()]
        known = journal.recorded(self.session, self.stamp.actor.user_id, keys) if keys else {}
        for place, task in list(self.tasks.items()):
            if task.command.command_id not in known:
                continue
            body, answer = known[task.command.command_id]
            del self.tasks[place]
            if body == self.verb.body_sha256(task.command):
                self.answers[place] = Answer(
                    command=task.command, document={**answer, "replayed": True}, is_replay=True
                )
            else:
                self._refuse_command(place, task.command, KeyReused(KeyReused.code))

    def _versions(self) -> None:
        for place, task in list(self.tasks.items()):
            expected = task.command.expected_version
            if expected is not None and task.row is not None and task.row.version != expected:
                reason = Unmet(code=Stale.code, values={"seen": expected, "current": task.row.version})
                self._refuse(place, Stale(reason))

    def _rights(self, project_ids: Collection[UUID]) -> None:
        actor = self.stamp.actor
        self._held = Rights(is_active=True) if actor.is_clock else self._read(list(project_ids))
        for place, task in self.tasks.items():
            self.tasks[place] = replace(task, roles=self._roles(self.verb, task), person_roles=self._person_roles(task))

    def _read(self, project_ids: list[UUID]) -> Rights:
        return read_rights(self.session, self.stamp.actor, project_ids, today=self.stamp.today)

    def _roles(self, verb: Verb[Any, Any], task: Task[Any]) -> frozenset[Role]:
        if self.stamp.actor.is_clock:
            return frozenset(Role)
        parties = verb.parties(task) if verb.parties else parties_of(task)
        absent = getattr(task.command, "on_behalf_of", None)
        if absent is not None:  # who stands in for somebody has that one's role there, and no other
            return self._held.roles_of(absent, parties)
        return self._held.roles_for(parties, _id(task.project), _id(task.row))

    def _person_roles(self, task: Task[Any]) -> frozenset[Role]:
        parties = project_parties(task.project) if task.project is not None else parties_of(task)
        return self._held.person_roles_for(parties)

    def right(self, verb: Verb[Any, Any], task: Task[Any]) -> list[Unmet]:
        """Return why the actor may not call this verb: a missing role, no part in the project, or nobody there."""
        allowed = PERMISSIONS[verb.permission]
        may = bool(task.roles & allowed) and not (self.stamp.actor.is_clock and verb.permission in BY_PEOPLE)
        if self.stamp.actor.is_on_own_page and verb.permission not in ON_OWN_PAGE:
            return [Unmet(code="own_page_only")]
        may = may or (verb.permission in OF_ONESELF and self._is_own_account(verb, task))
        if may and self.stamp.actor.is_program and verb.permission in BY_NO_PROGRAM:
            return [Unmet(code="step_up_required" if verb.permission in IN_PERSON else "program_may_not")]
        if may:
            return []
        if not task.roles and self._stands_in_for_nobody(task):
            return [Unmet(code="delegation_not_in_force")]
        if not task.roles and self._is_hidden(verb, task):
            return [Unmet(code=NotFound.code)]
        return [Unmet(code="role", values={"needs": sorted(allowed), "verb": verb.name})]

    def _is_own_account(self, verb: Verb[Any, Any], task: Task[Any]) -> bool:
        """Say whether the subject is the acting account itself, and it is active; or a link that was sent to it."""
        if verb.permission in BY_LINK:
            return task.row is not None and task.row.user_id == self.stamp.actor.user_id
        return task.row is not None and task.row.id == self.stamp.actor.user_id and self._held.is_active

    def _stands_in_for_nobody(self, task: Task[Any]) -> bool:
        """Say whether somebody who sees the subject acts in the name of another who has not asked them to."""
        own = self._held.roles_for(parties_of(task), _id(task.project), _id(task.row))
        return getattr(task.command, "on_behalf_of", None) is not None and bool(own)

    def _is_hidden(self, verb: Verb[Any, Any], task: Task[Any]) -> bool:
        """Say whether the actor does not see the project or fund at all, by whichever part they have in it."""
        if task.project is None:
            return task.fund is not None
        parties = project_parties(task.project)
        return verb.parties is None or not self._held.roles_for(parties, task.project.id)

    def _refuse(self, place: int, error: LifecycleError) -> None:
        task = self.tasks.pop(place)
        if set(error.codes) & PERSONAL_CODES and self.is_locked:
            self.personal.append((self.verb, task, error.codes))
        self._refuse_command(place, task.command, error)

    def _refuse_command(self, place: int, command: Command, error: LifecycleError) -> None:
        self.answers[place] = Answer(command=command, error=error, unmet=error.unmet)


@functools.cache
def _select_rows(subject: type[Subject], *, is_locked: bool, is_single: bool) -> Any:
    """Return the statement that reads, or locks, rows of one table; built once: building costs more than running."""
    table = _table(subject)
    statement = select(table).where(one_of(table.c.id, is_single=is_single)).order_by(table.c.id)
    return statement.with_for_update() if is_locked else statement


@functools.cache
def _select_parents(subject: type[Subject], *, is_single: bool) -> Any:
    """Return the statement that names the fund and the project of rows of a table; None where it has neither."""
    table = _table(subject)
    columns = [table.c[name] for name in ("fund_id", "project_id") if name in table.c]
    return select(*columns).where(one_of(table.c.id, is_single=is_single)) if columns else None


@functools.cache
def _select_projects(*, is_locked: bool, is_single: bool) -> Any:
    project, programme = _table(Project), _table(Programme)
    statement = (
        select(project, programme.c.organisation_id.label("programme_organisation_id"), programme.c.has_fund)
        .join(programme, programme.c.id == project.c.programme_id)
        .where(one_of(project.c.id, is_single=is_single))
        .order_by(project.c.id)
    )
    return statement.with_for_update(of=project) if is_locked else statement


def project_parties(project: Any) -> Parties:
    """Return which organisation plays which part in this project (a row that carries its programme's organisation)."""
    return {
        "sme": project.organisation_id,
        "platform": project.platform_id,
        "receiver": project.receiver_id,
        "funder": project.programme_organisation_id,
        "programme": project.programme_organisation_id,
    }


def parties_of(task: Task[Any]) -> Parties:
    """Return who plays which part for a subject: those of its project, and the funder whose money it is.

    Where money is concerned the funder's own sponsor speaks for it, also for a project of another's programme.
    """
    parties = dict(project_parties(task.project)) if task.project is not None else {}
    if task.fund is None:
        return parties
    return {**parties, "funder": task.fund.organisation_id, "programme": task.fund.organisation_id}


def may_see(session: Session, project_id: UUID, actor: Actor, *, today: date) -> bool:
    """Say whether somebody has any part in this project: by a grant at a party, everywhere (auditors), or by name."""
    (project,) = session.connection().execute(_select_projects(is_locked=False, is_single=True), wanted([project_id]))
    rights = read_rights(session, actor, [project_id], today=today)
    return bool(rights.roles_for(project_parties(project), project_id))


def _id(row: Any) -> UUID | None:
    return None if row is None else row.id


def _table(model: Any) -> Any:
    return model.__table__
