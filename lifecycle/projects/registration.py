"""The verbs by which a project comes to be: registered at intake, or brought in from another register."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.actor import Parties
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.engine import project_parties
from lifecycle.errors import Unmet, unmet
from lifecycle.numbers import Number, drawn
from lifecycle.projects import rules
from lifecycle.projects.chart import OBJECT_TYPE, VERSION
from lifecycle.projects.commands import ProjectCommand, project_verb
from lifecycle.projects.effects import act_on, opened
from lifecycle.projects.facts import NeighbourFacts, neighbour_facts
from lifecycle.stages.records import ClaimRecord, PartyRecord, Records
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.cache import refresh
from lifecycle.verdicts.neighbours import compared
from lifecycle.verdicts.packs import packs_of
from lifecycle.verdicts.records import UNKNOWN, title_key
from models.evidence import MaturityClaim
from models.limits import TITLE
from models.people import Organisation
from models.programmes import Programme
from models.projects import Project
from models.reading import rows_by, table_of
from models.states import ENDED, MaturityScale, ProjectState

EDGES: tuple[tuple[str, int, str, str, str], ...] = (
    (OBJECT_TYPE, VERSION, "register", "", ProjectState.INTAKE),
    *((OBJECT_TYPE, VERSION, "import", "", state) for state in ProjectState),
)
"""The two arrows that begin a project; the others are drawn in its chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterProject(Command):
    """Take an application in: the standard is frozen now, with the profiles chosen now."""

    programme_id: UUID
    organisation_id: UUID
    name: str
    platform_id: UUID | None = None
    received_on: date | None = None
    profiles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProject(Command):
    """Bring a project in from another register, in the stage it is really in. What the source lacks stays absent."""

    programme_id: UUID
    name: str
    """Empty where the source gives none; `missing` in `outside` says so."""
    stage: ProjectState
    outside_key: str
    outside: Mapping[str, Any]
    outside_sha256: str
    organisation_id: UUID | None = None
    platform_id: UUID | None = None
    received_on: date | None = None
    received_precision: str = "none"
    parent_key: str | None = None
    trl: int | None = None
    mrl: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateImported(ProjectCommand):
    """Bring what the source says now, its levels too; the stage is ours since the import and is not moved."""

    name: str
    outside: Mapping[str, Any]
    outside_sha256: str


@dataclass(frozen=True, kw_only=True)
class BirthFacts:
    """What a birth looks at: the programme with its pack, the parties, the number it will get."""

    command: Any
    stamp: Stamp
    programme: Any = None
    pack: Pack | None = None
    parties: Mapping[UUID, PartyRecord] = field(default_factory=dict)
    """Those organisations named in the command that exist."""
    known_keys: frozenset[str] = frozenset()
    neighbours: tuple[UUID, ...] = ()
    """The firm's applications that will be compared with the new project (G1.6)."""
    number: Number


def birth_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[BirthFacts]:
    """Read programmes, packs, parties and outside keys; draw the human numbers in the order of the commands."""
    wanted = {task.command.programme_id for task in tasks}
    programmes = {key: rows[0] for key, rows in rows_by(session, Programme, "id", wanted).items()}
    packs = packs_of(session, {row.pack_sha256 for row in programmes.values()})
    parties = {
        organisation
        for task in tasks
        for organisation in (task.command.organisation_id, task.command.platform_id)
        if organisation is not None
    }
    known = {
        key: PartyRecord(id=key, name=rows[0].name, credit_code=rows[0].credit_code)
        for key, rows in rows_by(session, Organisation, "id", parties).items()
    }
    keys = _known_keys(session, tasks)
    may_write = all(task.is_locked for task in tasks)
    neighbours = compared(session, [task.command.organisation_id for task in tasks], is_locked=may_write)
    years = [(task.command.received_on or stamp.today).year for task in tasks]
    numbers = drawn(session, "PT", years, may_write=may_write)
    facts = []
    for task, number in zip(tasks, numbers, strict=True):
        programme = programmes.get(task.command.programme_id)
        facts.append(
            BirthFacts(
                command=task.command,
                stamp=stamp,
                programme=programme,
                pack=packs[programme.pack_sha256] if programme else None,
                parties=known,
                known_keys=keys,
                neighbours=neighbours.get(task.command.organisation_id, ()),
                number=number,
            )
        )
    return facts


def _known_keys(session: Session, tasks: Sequence[Task[Any]]) -> frozenset[str]:
    keys = [task.command.outside_key for task in tasks if isinstance(task.command, ImportProject)]
    if not keys:
        return frozenset()
    table = table_of(Project)
    return frozenset(session.execute(select(table.c.outside_key).where(table.c.outside_key.in_(keys))).scalars())


def programme_known(facts: BirthFacts) -> tuple[Unmet, ...]:
    """A project belongs to a programme."""
    return () if facts.programme is not None else (unmet("programme_not_found"),)


def parties_known(facts: BirthFacts) -> tuple[Unmet, ...]:
    """Applicant and platform are known organisations."""
    command = facts.command
    parties = {"sme": command.organisation_id, "platform": command.platform_id}
    absent = [kind for kind, party in parties.items() if party is not None and party not in facts.parties]
    return tuple(unmet("organisation_not_found", kind=kind) for kind in absent)


def sides_apart(facts: BirthFacts) -> tuple[Unmet, ...]:
    """Nobody registers with the platform that they are themselves."""
    is_own = facts.command.organisation_id == facts.command.platform_id is not None
    return (unmet("own_platform"),) if is_own else ()


def name_given(facts: BirthFacts) -> tuple[Unmet, ...]:
    """A project has a name of at most 500 characters."""
    length = len(facts.command.name.strip())
    return () if 0 < length <= TITLE else (unmet("name_length", limit=TITLE, length=length),)


def name_fits(facts: BirthFacts) -> tuple[Unmet, ...]:
    """An imported title may be absent, but not overlong."""
    length = len(facts.command.name.strip())
    return () if length <= TITLE else (unmet("name_length", limit=TITLE, length=length),)


def received_already(facts: BirthFacts) -> tuple[Unmet, ...]:
    """An application arrived today or earlier."""
    day = facts.command.received_on
    return (unmet("day_in_future", day=day.isoformat()),) if day is not None and day > facts.stamp.today else ()


def profiles_known(facts: BirthFacts) -> tuple[Unmet, ...]:
    """Profiles are choices of the pack."""
    if facts.pack is None:
        return ()
    wrong = [
        f"{name}={choice}"
        for name, choice in facts.command.profiles.items()
        if choice not in facts.pack.profiles.get(name, ())
    ]
    known = [f"{name}={choice}" for name, choices in facts.pack.profiles.items() for choice in choices]
    return (unmet("profile_unknown", given=wrong, known=known),) if wrong else ()


def key_new(facts: BirthFacts) -> tuple[Unmet, ...]:
    """A row of another register comes in once."""
    key = facts.command.outside_key
    return (unmet("already_exists", field="outside_key", value=key),) if key in facts.known_keys else ()


def levels_sound(facts: BirthFacts) -> tuple[Unmet, ...]:
    """Levels are on their scales; the pair was checked when the row was read."""
    command = facts.command
    wrong = (command.trl is not None and not 1 <= command.trl <= 9) or (
        command.mrl is not None and not 1 <= command.mrl <= 10
    )
    return (
        (unmet("level_off_scale", scale="trl/mrl", level=f"{command.trl}/{command.mrl}", highest="9/10"),)
        if wrong
        else ()
    )


def _local(command: Any, stamp: Stamp) -> Stamp:
    return replace(stamp, calendar=stamp.calendar.of(command.programme_id))


def _profiles(pack: Pack, programme: Any, chosen: Mapping[str, str]) -> dict[str, str]:
    first = {name: choices[0] for name, choices in pack.profiles.items()}
    return {**first, **programme.profiles, **chosen}


def _born(facts: BirthFacts, event: str, values: Mapping[str, Any], stamp: Stamp) -> tuple[UUID, dict[str, Any], Any]:
    command = facts.command
    assert facts.pack is not None  # the rule `programme_known` has asked  # noqa: S101
    project_id = stamp.new_id()
    row = {
        "number": str(facts.number),
        "name": command.name.strip(),
        "title_key": title_key(command.name),
        "programme_id": command.programme_id,
        "organisation_id": command.organisation_id,
        "platform_id": command.platform_id,
        "pack_sha256": facts.programme.pack_sha256,
        "definition_version": VERSION,
        "created_at": stamp.now,
        **values,
    }

    def act(**more: Any) -> Act:
        return Act(
            table=Project,
            object_type=OBJECT_TYPE,
            id=project_id,
            action=f"project.{event}",
            event=event,
            from_state="",
            to_state=str(row["stage"]),
            values={**row, **more},
            detail={"number": str(facts.number), "name": row["name"], "pack_sha256": row["pack_sha256"]},
        )

    return project_id, row, act


def _message(facts: BirthFacts, project_id: UUID, kind: str) -> Message:
    return Message(kind=kind, object_type=OBJECT_TYPE, object_id=project_id, facts={"number": str(facts.number)})


def _says(facts: BirthFacts) -> dict[str, Any]:
    return {"number": str(facts.number)}


def registered(facts: BirthFacts, _target: str, stamp: Stamp) -> Effects:
    """Open intake."""
    pack, command = facts.pack, facts.command
    assert pack is not None  # the rule `programme_known` has asked  # noqa: S101
    values = {
        "stage": ProjectState.INTAKE,
        "received_on": command.received_on or stamp.today,
        "profiles": _profiles(pack, facts.programme, command.profiles),
    }
    project_id, _, act = _born(facts, "register", values, stamp)
    opening, rows = opened(pack, _begun(facts, project_id, values, ()), (), _local(command, stamp))
    return Effects(
        acts=(act(stage_run_id=opening.id), opening),
        rows=rows,
        messages=(_message(facts, project_id, "project.received"),),
        numbers=facts.number.series,
        says=_says(facts),
        touched=facts.neighbours,
    )


def imported(facts: BirthFacts, _target: str, stamp: Stamp) -> Effects:
    """Open the stage the project is really in; its due day is not known, and levels come without evidence."""
    pack, command = facts.pack, facts.command
    assert pack is not None  # the rule `programme_known` has asked  # noqa: S101
    values = {
        "stage": command.stage,
        "received_on": command.received_on,
        "received_precision": command.received_precision,
        "outside_key": command.outside_key,
        "parent_key": command.parent_key,
        "outside": dict(command.outside),
        "outside_sha256": command.outside_sha256,
        "profiles": _profiles(pack, facts.programme, {}),
    }
    project_id, _, act = _born(facts, "import", values, stamp)
    claims = tuple(
        (MaturityClaim, _claim(project_id, scale, level, stamp))
        for scale, level in ((MaturityScale.TRL, command.trl), (MaturityScale.MRL, command.mrl))
        if level is not None
    )
    known: dict[str, Any] = {
        "numbers": facts.number.series,
        "says": _says(facts),
        "touched": facts.neighbours,
    }
    if command.stage in ENDED:
        return Effects(acts=(act(),), rows=claims, **known)
    levels = tuple(ClaimRecord(scale=row["scale"], item=row["item"], level=row["level"]) for _, row in claims)
    begun = _begun(facts, project_id, values, levels)
    opening, rows = opened(pack, begun, (), _local(command, stamp), due_on=None, maximum_on=None)
    acts = (act(stage_run_id=opening.id), opening)
    return Effects(acts=acts, rows=(*rows, *claims), **known)


def _begun(facts: BirthFacts, project_id: UUID, values: Mapping[str, Any], claims: tuple[ClaimRecord, ...]) -> Records:
    """Return what is known of a project that begins now: its parties, its day of receipt, the levels it came with."""
    command = facts.command
    return Records(
        project_id=project_id,
        stage=values["stage"],
        today=facts.stamp.today,
        stage_started_on=facts.stamp.today,
        received_on=values["received_on"],
        applicant=facts.parties.get(command.organisation_id, UNKNOWN),
        platform=facts.parties.get(command.platform_id),
        profiles=values["profiles"],
        claims=claims,
    )


def _claim(project_id: UUID, scale: MaturityScale, level: int, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": stamp.new_id(),
        "project_id": project_id,
        "scale": scale,
        "item": "as imported",
        "level": level,
        "user_id": stamp.actor.user_id,
        "at": stamp.now,
    }


def updated(facts: NeighbourFacts, _target: str, stamp: Stamp) -> Effects:
    """Keep what the source says now beside what we know, and claim the levels that it says anew.

    With a new title the firm's applications are compared anew.
    """
    command = facts.command
    values = {
        "name": command.name.strip(),
        "title_key": title_key(command.name),
        "outside": dict(command.outside),
        "outside_sha256": command.outside_sha256,
    }
    detail = {"outside_sha256": command.outside_sha256, "was": facts.project.outside_sha256}
    touched = facts.neighbours if values["title_key"] != facts.project.title_key else ()
    act = act_on(facts, "update_imported", values=values, detail=detail)
    was, now = _levels(facts.project.outside), _levels(command.outside)
    moved = tuple(
        (MaturityClaim, _claim(facts.project.id, scale, level, stamp))
        for scale, level in now.items()
        if level is not None and level != was[scale]
    )
    return Effects(acts=(act,), rows=moved, touched=touched)


def _levels(outside: Mapping[str, Any] | None) -> dict[MaturityScale, int | None]:
    """Return the levels of an imported row, as the import keeps them."""
    said = (outside or {}).get("levels", {})
    return {MaturityScale.TRL: said.get("trl_current"), MaturityScale.MRL: said.get("mrl")}


def _register_parties(task: Task[RegisterProject]) -> Parties:
    return {"sme": task.command.organisation_id, "platform": task.command.platform_id}


def _import_parties(task: Task[ImportProject]) -> Parties:
    return {"platform": task.command.platform_id} if task.command.platform_id else {}


def _imported_parties(task: Task[UpdateImported]) -> Parties:
    """Who may bring a project in without a platform may bring it again."""
    return project_parties(task.project) if task.project.platform_id else {}


REGISTER: Verb[RegisterProject, BirthFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="register",
    command=RegisterProject,
    facts=birth_facts,
    rules=(programme_known, parties_known, sides_apart, name_given, received_already, profiles_known),
    parties=_register_parties,
    effects=registered,
    follow=refresh,
)
IMPORT: Verb[ImportProject, BirthFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="import",
    command=ImportProject,
    once=lambda command: (command.outside_key,),
    facts=birth_facts,
    rules=(programme_known, parties_known, name_fits, received_already, key_new, levels_sound),
    parties=_import_parties,
    effects=imported,
    follow=refresh,
)
UPDATE_IMPORTED = project_verb(
    "update_imported",
    UpdateImported,
    facts=neighbour_facts,
    rules=(rules.was_imported,),
    parties=_imported_parties,
    effects=updated,
    follow=refresh,
)
