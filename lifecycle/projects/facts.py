"""What the verbs of a project look at: its visit, its standard, its holds and reviews, and the verdicts of its gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlmodel import Session

from lifecycle.calendar import Calendar
from lifecycle.commands import Stamp, Task
from lifecycle.stages.judgement import Verdict, judge, judge_stage
from lifecycle.stages.records import Records
from lifecycle.stages.rules import RULES
from lifecycle.standards.pack import Pack, Stage
from lifecycle.verdicts.neighbours import compared
from lifecycle.verdicts.packs import packs_of
from lifecycle.verdicts.records import records_of
from models.holds import Hold
from models.people import Organisation, User
from models.projects import StageRun
from models.reading import Groups, rows_by, table_of
from models.reviews import Condition, Review, Waiver
from models.states import ENDED, STAGES, Competence, OrganisationKind, ProjectState, ReviewState, Role, StageRunState


@dataclass(frozen=True, kw_only=True)
class ProjectFacts:
    """One command on a project, with all that its rules may ask. Verdicts are judged when first looked at."""

    command: Any
    project: Any
    roles: frozenset[Role]
    person_roles: frozenset[Role]
    """What the actor's human holds at the parties of the project, under this or another account."""
    stamp: Stamp
    pack: Pack
    runs: tuple[Any, ...] = ()
    holds: tuple[Any, ...] = ()
    """Those that were not lifted yet."""
    lifted_holds: tuple[Any, ...] = ()
    reviews: tuple[Any, ...] = ()
    """Reviews of the present visit that were not cancelled, in order."""
    open_conditions: tuple[Any, ...] = ()
    waivers: tuple[Any, ...] = ()
    records: Records | None = None
    competences: frozenset[Competence] = frozenset()
    """What the actor is an expert for."""
    organisations: Mapping[UUID, OrganisationKind] = field(default_factory=dict)
    """Those organisations named in the command that exist, with what they are."""

    @property
    def stage(self) -> ProjectState:
        """Where the project stands."""
        return ProjectState(self.project.stage)

    @property
    def has_ended(self) -> bool:
        """Say whether nothing can move any more."""
        return self.stage in ENDED

    @property
    def asked(self) -> Stage:
        """What the present stage asks for; only while there is one."""
        return self.pack.stage(self.stage)

    @property
    def calendar(self) -> Calendar:
        """The working days that the project's deadlines count in: those of its programme."""
        return self.stamp.calendar.of(self.project.programme_id)

    @property
    def local(self) -> Stamp:
        """The stamp with the calendar of the project's programme."""
        return replace(self.stamp, calendar=self.calendar)

    @cached_property
    def run(self) -> Any:
        """The open visit, or None once the project has ended."""
        return next((run for run in self.runs if run.id == self.project.stage_run_id), None)

    @cached_property
    def hold(self) -> Any:
        """The hold in force today, or None: not lifted, and not past its day unless it needs a decision."""
        today = self.stamp.today
        return next((hold for hold in self.holds if hold.needs_decision or hold.until_on >= today), None)

    @property
    def review(self) -> Any:
        """The latest review of this visit, or None."""
        return self.reviews[-1] if self.reviews else None

    @property
    def has_open_review(self) -> bool:
        """Say whether a panel was called and has not decided yet: the evidence is frozen."""
        return self.review is not None and self.review.state != ReviewState.DECIDED

    @property
    def outcome(self) -> str | None:
        """What the latest decided review of this visit said."""
        return (
            str(self.review.outcome) if self.review is not None and self.review.state == ReviewState.DECIDED else None
        )

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict of every criterion of the present stage, judged now."""
        if self.records is None:
            return ()
        return judge_stage(self.pack, self.records, calendar=self.calendar, rules=RULES)

    def verdict_of(self, clause: str) -> Verdict:
        """Judge one criterion, also of an earlier stage."""
        if self.records is None:
            message = "these facts were read without records"
            raise LookupError(message)
        criterion = self.pack.criterion(clause)
        return judge(self.pack, criterion, self.records, calendar=self.calendar, rules=RULES)

    def as_read(self) -> dict[str, Any]:
        """Return what was read, for facts that know more."""
        return {name: getattr(self, name) for name in ProjectFacts.__dataclass_fields__}

    def recycles_of(self, stage: ProjectState) -> int:
        """Return how often this stage was sent back."""
        return sum(1 for run in self.runs if run.stage == stage and run.state == StageRunState.RECYCLED)

    def next_stage(self) -> ProjectState:
        """Return where `advance` leads."""
        place = STAGES.index(self.stage) + 1
        return STAGES[place] if place < len(STAGES) else ProjectState.IN_PRODUCTION


def project_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[ProjectFacts]:
    """Read what does not need the records of the gate."""
    return _facts(session, tasks, stamp, _known(session, tasks), {})


@dataclass(frozen=True, kw_only=True)
class NeighbourFacts(ProjectFacts):
    """A project whose firm or title changes, with the applications that it is compared with then."""

    neighbours: tuple[UUID, ...] = ()


def neighbour_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[NeighbourFacts]:
    """Read the project, and the applications at intake of its firm, or of the one that the command names."""
    firms = [getattr(task.command, "organisation_id", None) or task.project.organisation_id for task in tasks]
    applications = compared(session, firms, is_locked=all(task.is_locked for task in tasks))
    return [
        NeighbourFacts(**base.as_read(), neighbours=applications.get(firm, ()))
        for base, firm in zip(project_facts(session, tasks, stamp), firms, strict=True)
    ]


def gate_facts(
    session: Session,
    tasks: Sequence[Task[Any]],
    stamp: Stamp,
    also: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
) -> list[ProjectFacts]:
    """Read everything, the records of the gate too; `also` names registers wanted besides those the packs look at.

    With `only` the records hold just these registers: nothing can be judged from them.
    """
    known = _known(session, tasks)
    projects = [task.project for task in tasks]
    records = records_of(session, projects, today=stamp.today, known=known, also=also, only=only)
    return _facts(session, tasks, stamp, known, records)


def _known(session: Session, tasks: Sequence[Task[Any]]) -> dict[Any, Groups]:
    ids = [task.project.id for task in tasks]
    return {
        StageRun: rows_by(session, StageRun, "project_id", ids, "opened_on", "visit"),
        Review: rows_by(session, Review, "project_id", ids, "call_no"),
        Condition: rows_by(session, Condition, "project_id", ids, "due_on"),
        Waiver: rows_by(session, Waiver, "project_id", ids, "granted_at"),
    }


def _facts(
    session: Session,
    tasks: Sequence[Task[Any]],
    stamp: Stamp,
    known: dict[Any, Groups],
    records: dict[UUID, Records],
) -> list[ProjectFacts]:
    packs = packs_of(session, {task.project.pack_sha256 for task in tasks})
    holds = rows_by(session, Hold, "object_id", [task.project.id for task in tasks], "from_at")
    organisations = _named_organisations(session, tasks)
    is_expert = any(Role.EXPERT in task.roles for task in tasks)
    competences = _competences(session, stamp) if is_expert else frozenset()
    facts = []
    for task in tasks:
        project = task.project
        facts.append(
            ProjectFacts(
                command=task.command,
                project=project,
                roles=task.roles,
                person_roles=task.person_roles,
                stamp=stamp,
                pack=packs[project.pack_sha256],
                runs=tuple(known[StageRun].get(project.id, ())),
                holds=_standing(holds.get(project.id, ())),
                lifted_holds=tuple(row for row in holds.get(project.id, ()) if row.lifted_at is not None),
                reviews=tuple(
                    row
                    for row in known[Review].get(project.id, ())
                    if row.stage_run_id == project.stage_run_id and row.state != ReviewState.CANCELLED
                ),
                open_conditions=tuple(row for row in known[Condition].get(project.id, ()) if row.cleared_on is None),
                waivers=tuple(known[Waiver].get(project.id, ())),
                records=records.get(project.id),
                competences=competences,
                organisations=organisations,
            )
        )
    return facts


def _standing(holds: Sequence[Any]) -> tuple[Any, ...]:
    """Return the holds that were not lifted; one that needs a decision comes first and is lifted first."""
    return tuple(sorted((row for row in holds if row.lifted_at is None), key=lambda row: not row.needs_decision))


def _competences(session: Session, stamp: Stamp) -> frozenset[Competence]:
    if stamp.actor.is_clock:
        return frozenset()
    stored = session.connection().execute(_COMPETENCES, {"actor": stamp.actor.user_id}).scalar_one_or_none()
    return frozenset(Competence(word) for word in stored or ())


_USER = table_of(User)
_COMPETENCES = select(_USER.c.competences).where(_USER.c.id == bindparam("actor"))


def _named_organisations(session: Session, tasks: Sequence[Task[Any]]) -> dict[UUID, OrganisationKind]:
    named = {getattr(task.command, name, None) for task in tasks for name in ("platform_id", "organisation_id")}
    found = rows_by(session, Organisation, "id", {party for party in named if party is not None})
    return {key: OrganisationKind(rows[0].kind) for key, rows in found.items()}
