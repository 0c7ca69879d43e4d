"""A small world for tests, built by the same commands as everybody's: one word per fact that matters.

`a_house` has every organisation and a person for every role; `projects`, `batches`, `reviews` make many at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text
from sqlmodel import Session

from lifecycle import calendar
from lifecycle import engine as melody
from lifecycle.actor import Actor
from lifecycle.agreements.commands import DraftAgreement, SignAgreement, SubmitCost
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.funds.commands import AddFund, CallCapital, Commit, Contribute
from lifecycle.installation import initialise, write_edges
from lifecycle.milestones.commands import SubmitMilestone
from lifecycle.people.commands import AddOrganisation, AddProgramme, AddUser, DisableUser, GrantRole, PublishStandard
from lifecycle.permissions import PARTIES_OF_ROLE
from lifecycle.projects.commands import Advance, Assign, PutOnHold, Submit
from lifecycle.projects.registration import ImportProject, RegisterProject
from lifecycle.requirements.commands import AddEvidence, JudgeRequirement
from lifecycle.reviews.commands import CallReview, GiveScore, OpenReview, Propose
from lifecycle.reviews.panel import Seat
from lifecycle.standards import library
from lifecycle.standards.pack import Criterion, EvidenceType, FormField, Judge, Notice, Owes, Pack, Panel, Score
from lifecycle.standards.part import Text
from lifecycle.trials.commands import AddBatch
from lifecycle.verbs import all_edges
from models.db import transaction
from models.ids import new_id
from models.states import STAGES, Competence, Door, GateOutcome, OrganisationKind, ProjectState, Role, SourceKind
from tests.remembered import remembered

START = datetime(2025, 7, 8, 1, 0, tzinfo=UTC)
"""Nine in the morning in Shanghai, on a Tuesday."""
TODAY = date(2025, 7, 8)

FUND_ACCOUNT = "6222020200112233445"
"""The account that the first fund pays from."""
EVERYWHERE = (Role.OPERATOR, Role.ADMIN, Role.AUDITOR)
SEATS = (Role.EXPERT, Role.PANEL_CHAIR)
ORGANISATIONS: Mapping[str, OrganisationKind] = {
    "sme": OrganisationKind.SME,
    "platform": OrganisationKind.PLATFORM,
    "funder": OrganisationKind.FUNDER,
    "receiver": OrganisationKind.RECEIVER,
    "customer": OrganisationKind.CUSTOMER,
    "other firm": OrganisationKind.SME,
    "other platform": OrganisationKind.PLATFORM,
}


@dataclass(slots=True)
class House:
    """A database with a world in it, and the instant at which the next command is given."""

    engine: Engine
    now: datetime = START
    parties: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)
    """Role -> its holder; besides them `second`, `stranger`, `other coordinator`, `nobody`, `disabled`."""
    programmes: dict[str, UUID] = field(default_factory=dict)
    """Pack (`bare`, `lean`, `default`) -> programme that asks for it."""
    funds_made: int = 0
    """How many funds were asked for: the first one pays from `FUND_ACCOUNT`, each later one from another account."""
    copy_of: Path | None = None
    """The file that the database is a copy of, as long as nothing was written to it (`tests/remembered.py`)."""

    @property
    def today(self) -> date:
        """The day in Shanghai."""
        return self.now.astimezone(ZoneInfo("Asia/Shanghai")).date()

    def later(self, **span: float) -> None:
        """Let time pass (`days=3`)."""
        self.now += timedelta(**span)

    def stamp(self, by: str = "clock") -> Stamp:
        """Return when and by whom; the clock may do everything."""
        actor = Actor.clock() if by == "clock" else self.people[by]
        return Stamp(now=self.now, today=self.today, actor=actor, calendar=calendar.china(), new_id=new_id)

    def ask(self, *commands: Command, by: str = "clock") -> list[Answer]:
        """Give the commands in one transaction and return what became of each."""
        with transaction(self.engine) as session:
            return melody.execute(session, commands, stamp=self.stamp(by))

    def do(self, *commands: Command, by: str = "clock") -> list[dict[str, Any]]:
        """Carry all commands out, or fail; return their answers."""
        with transaction(self.engine) as session:
            try:
                answers = melody.execute_all_or_none(session, commands, stamp=self.stamp(by))
            except melody.BatchRefused as refused:
                raise AssertionError(
                    [(type(a.command).__name__, a.unmet) for a in refused.answers if a.unmet]
                ) from None
        return [dict(answer.document) for answer in answers]

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """Ask the database past the house."""
        with Session(self.engine) as session:
            return list(session.execute(text(sql), values))

    def one(self, sql: str, **values: Any) -> Any:
        """Return the single value of a query."""
        ((value,),) = self.rows(sql, **values)
        return value


def key() -> str:
    """Return an idempotency key that nobody used."""
    return str(new_id())


def a_house(engine: Engine) -> House:
    """Fill a migrated database with organisations, people, standards and a programme for each of them."""
    house = House(engine)
    with transaction(engine) as session:
        initialise(session, mode="rehearsal", now=house.now, new_id=new_id)
        write_edges(session, all_edges())
    added = house.do(*(AddOrganisation(command_id=key(), name=name, kind=kind) for name, kind in ORGANISATIONS.items()))
    house.parties = dict(zip(ORGANISATIONS, ids_of(added), strict=True))
    house.parties["programme"] = house.parties["funder"]
    _people(house)
    for name, read in PACKS.items():
        pack = read()
        publish = PublishStandard(command_id=key(), sha256=library.sha256(pack), body=pack.canonical())
        add = AddProgramme(
            command_id=key(),
            code=name,
            name=name,
            pack_sha256=publish.sha256,
            organisation_id=house.parties["funder"],
            has_fund=name == "default",
        )
        house.programmes[name] = ids_of(house.do(publish, add))[1]
    return house


def _people(house: House) -> None:
    grants: dict[str, tuple[tuple[Role, str | None], ...]] = {
        role: ((role, None if role in (*EVERYWHERE, *SEATS) else PARTIES_OF_ROLE.get(role, ("customer",))[0]),)
        for role in Role
    }
    grants |= {
        "second": ((Role.COORDINATOR, "platform"), (Role.QUALITY_ENGINEER, "platform")),
        "stranger": ((Role.PROJECT_LEAD, "other firm"), (Role.COORDINATOR, "other firm")),
        "other coordinator": ((Role.COORDINATOR, "other platform"),),
        "nobody": (),
        "disabled": ((Role.COORDINATOR, "platform"),),
        **{f"expert {competence}": ((Role.EXPERT, None),) for competence in Competence},
    }
    house.people = dict(zip(grants, _actors(house, list(grants)), strict=True))
    house.do(
        *(
            GrantRole(
                command_id=key(),
                user_id=house.people[name].user_id,
                role=role,
                organisation_id=house.parties[party] if party else None,
            )
            for name, held in grants.items()
            for role, party in held
        )
    )
    house.do(DisableUser(command_id=key(), user_id=house.people["disabled"].user_id))


def _actors(house: House, names: Sequence[str]) -> list[Actor]:
    added = house.do(
        *(
            AddUser(
                command_id=key(),
                login=name.replace(" ", "."),
                email=f"{name.replace(' ', '.')}@example.org",
                name=name,
                competences=tuple(Competence) if name in SEATS else tuple(name.split()[1:]) if "expert" in name else (),
            )
            for name in names
        )
    )
    return [
        Actor(user_id=user_id, person_id=user_id, name=name, door=Door.CLI)
        for name, user_id in zip(names, ids_of(added), strict=True)
    ]


def ids_of(answers: Sequence[Mapping[str, Any]]) -> list[UUID]:
    """Return what these answers speak of."""
    return [UUID(answer["object_id"]) for answer in answers]


@remembered
def projects(
    house: House, count: int = 1, *, stage: ProjectState = ProjectState.INTAKE, pack: str = "bare"
) -> list[UUID]:
    """Return projects in a stage: registered and advanced where the standard lets them, else brought in there."""
    if pack not in WITHOUT_PANELS and stage != ProjectState.INTAKE:
        return _brought_in(house, count, stage, pack)
    made = ids_of(
        house.do(
            *(
                RegisterProject(
                    command_id=key(),
                    programme_id=house.programmes[pack],
                    organisation_id=house.parties["sme"],
                    platform_id=house.parties["platform"],
                    name=f"robot {key()}",
                )
                for _ in range(count)
            ),
            by=Role.PROJECT_LEAD,
        )
    )
    for _ in range(STAGES.index(stage) if stage in STAGES else len(STAGES)):
        house.do(*(Advance(command_id=key(), project_id=one, reason="ready") for one in made), by=Role.COORDINATOR)
    return made


def _brought_in(house: House, count: int, stage: ProjectState, pack: str) -> list[UUID]:
    commands = [
        ImportProject(
            command_id=key(),
            programme_id=house.programmes[pack],
            organisation_id=house.parties["sme"],
            platform_id=house.parties["platform"],
            name=f"robot {key()}",
            stage=stage,
            outside_key=key(),
            outside={"title": "robot"},
            outside_sha256="0" * 64,
            received_on=house.today,
            received_precision="day",
        )
        for _ in range(count)
    ]
    return ids_of(house.do(*commands, by=Role.COORDINATOR))


def a_project(house: House, *, stage: ProjectState = ProjectState.INTAKE, pack: str = "bare") -> UUID:
    """Return one project in a stage."""
    return projects(house, stage=stage, pack=pack)[0]


def put_on_hold(house: House, *ids: UUID, code: str = "partner", days: int = 30) -> None:
    """Put projects on hold for some days."""
    until = house.today + timedelta(days=days)
    commands = (PutOnHold(command_id=key(), project_id=one, code=code, reason="waiting", until_on=until) for one in ids)
    house.do(*commands, by=Role.EHS_OFFICER if code == "ehs" else Role.COORDINATOR)


def name_members(house: House, *ids: UUID, roles: Sequence[Role] = SEATS) -> None:
    """Name the holders of these roles for the projects."""
    people = [(role, house.people[role].user_id) for role in roles]
    commands = (
        Assign(command_id=key(), project_id=one, user_id=user, role=role) for one in ids for role, user in people
    )
    house.do(*commands, by=Role.COORDINATOR)


def hand_in(house: House, *ids: UUID, type: str = "paper", by: str = Role.PROJECT_LEAD, **form: Any) -> list[UUID]:  # noqa: A002 - the domain's word
    """Hand a document in for each project; return the documents."""
    return ids_of(house.do(*(evidence(one, type=type, **form) for one in ids), by=by))


def evidence(project_id: UUID, *, type: str = "paper", **form: Any) -> AddEvidence:  # noqa: A002 - the domain's word
    """Return the command that hands a document in."""
    sha256 = key().replace("-", "") * 2
    return AddEvidence(
        command_id=key(),
        project_id=project_id,
        type=type,
        file_name="paper.pdf",
        sha256=sha256,
        size_bytes=10,
        form={"title": "a paper", **form} if type == "paper" else form,
    )


def sign_contract(house: House, *ids: UUID, **limits: Any) -> None:
    """Hand in the task contract of projects on the default standard, with what was agreed (`stop_loss_batches=3`)."""
    signed = house.today.isoformat()
    form = {"contract_number": "1", "signed_by_sme_on": signed, "signed_by_funder_on": signed}
    hand_in(house, *ids, type="task_contract", **form, **limits)


def filled(type_id: str, **known: Any) -> dict[str, Any]:
    """Return a sound form of a type of the default standard: what it must say, and what is known."""
    return {
        **{one.name: _value(one) for one in library.default().evidence_type(type_id).fields if one.required},
        **known,
    }


def _value(one: FormField) -> Any:
    if one.kind == "table":
        return [{column.name: _value(column) for column in one.columns}]
    values = {"text": "x", "bool": True, "date": "2025-07-01", "list": ["x"], "choice": (*one.choices, "x")[0]}
    return values.get(one.kind, 1)


def batches(house: House, *ids: UUID, started: int = 50, passed: int = 48, **more: Any) -> None:
    """Record a batch of each project, which gets the number B-01 where it is the first."""
    commands = (
        AddBatch(
            command_id=key(), project_id=one, made_on=house.today, started=started, passed_first_time=passed, **more
        )
        for one in ids
    )
    house.do(*commands, by=Role.PROCESS_ENGINEER)


def panel(house: House, *, single: bool = False) -> tuple[Seat, ...]:
    """Return the panel of the lean standard: the expert alone (G1), or chair, expert and market expert (G2)."""
    expert = Seat(user_id=house.people[Role.EXPERT].user_id, role=Role.EXPERT, competences=(Competence.TECHNICAL,))
    if single:
        return (expert,)
    chair = Seat(
        user_id=house.people[Role.PANEL_CHAIR].user_id,
        role=Role.PANEL_CHAIR,
        competences=(Competence.TECHNICAL,),
        is_chair=True,
    )
    market = house.people["expert market"].user_id
    return chair, expert, Seat(user_id=market, role=Role.EXPERT, competences=(Competence.MARKET,))


@remembered
def funds(house: House, count: int = 1, *, commitment_minor: int = 2_000_000_000, **terms: Any) -> list[UUID]:
    """Return funds of the funder without any money, twenty million yuan to be promised from each."""
    commands = (new_fund(house, commitment_minor=commitment_minor, **terms) for _ in range(count))
    return ids_of(house.do(*commands, by=Role.SPONSOR))


def new_fund(house: House, **values: Any) -> AddFund:
    """Return the command that opens a fund, with an account of its own."""
    number, house.funds_made = house.funds_made, house.funds_made + 1
    usual: dict[str, Any] = {
        "code": f"F{key()}",
        "name": "pilot fund",
        "organisation_id": house.parties["funder"],
        "commitment_minor": 2_000_000_000,
        "debtor_name": "中试基金一期",
        "debtor_account": FUND_ACCOUNT if not number else f"{FUND_ACCOUNT}{number}",
        "debtor_bank": "102100099996",
    }
    return AddFund(command_id=key(), **{**usual, **values})


def sources(house: House, *fund_ids: UUID, amount_minor: int = 1_000_000_000) -> list[UUID]:
    """Have the other firm commit capital to each fund; return its commitments."""
    investor, kind = house.parties["other firm"], SourceKind.LARGE_ENTERPRISE
    commands = (
        Commit(command_id=key(), fund_id=one, organisation_id=investor, kind=kind, amount_minor=amount_minor)
        for one in fund_ids
    )
    return [UUID(answer["source_id"]) for answer in house.do(*commands, by=Role.ACCOUNTANT)]


def call_capital(house: House, *fund_ids: UUID, amount_minor: int = 500_000_000) -> None:
    """Call capital of each fund, due in thirty days."""
    due = house.today + timedelta(days=30)
    commands = (CallCapital(command_id=key(), fund_id=one, amount_minor=amount_minor, due_on=due) for one in fund_ids)
    house.do(*commands, by=Role.ACCOUNTANT)


def pay_in(house: House, *fund_ids: UUID, amount_minor: int = 500_000_000) -> None:
    """Book opening money of each fund, of no investor."""
    commands = (
        Contribute(command_id=key(), fund_id=one, amount_minor=amount_minor, received_on=house.today)
        for one in fund_ids
    )
    house.do(*commands, by=Role.ACCOUNTANT)


@remembered
def agreements(
    house: House,
    count: int = 1,
    *,
    stage: ProjectState = ProjectState.SMALL_BATCH_TRIAL,
    is_signed: bool = True,
    pack: str = "funded",
    **terms: Any,
) -> list[UUID]:
    """Return agreements over a million yuan, each of a fund of its own with a project of the funded standard."""
    ids = projects(house, count, stage=stage, pack=pack)
    commands = [draft(house, fund, one, **terms) for fund, one in zip(funds(house, count), ids, strict=True)]
    made = ids_of(house.do(*commands, by=Role.SPONSOR))
    if is_signed:
        sign(house, *made)
    return made


def draft(house: House, fund_id: UUID, project_id: UUID, **terms: Any) -> DraftAgreement:
    """Return the command that awards a million yuan to a project."""
    usual = {"amount_minor": 100_000_000, "own_money_minor": 50_000_000, "starts_on": house.today}
    return DraftAgreement(command_id=key(), fund_id=fund_id, project_id=project_id, **{**usual, **terms})


def sign(house: House, *ids: UUID, sides: Sequence[Role] = (Role.PROJECT_LEAD, Role.SPONSOR)) -> None:
    """Have agreements signed by both parties."""
    for side in sides:
        house.do(*(SignAgreement(command_id=key(), agreement_id=one) for one in ids), by=side)


def tranches(house: House, *agreement_ids: UUID, number: int = 1) -> list[UUID]:
    """Return the tranche with this number of each agreement."""
    sql = "SELECT id FROM v_milestone WHERE agreement_id = :id ORDER BY CAST(number AS integer)"
    return [UUID(house.rows(sql, id=str(one))[number - 1].id) for one in agreement_ids]


def project_of(house: House, agreement_id: UUID) -> UUID:
    """Return the project of an agreement."""
    return UUID(house.one("SELECT project_id FROM v_agreement WHERE id = :id", id=str(agreement_id)))


def papers(house: House, *agreement_ids: UUID) -> list[str]:
    """Hand a paper in for the project of each agreement; return the SHA-256 of each."""
    ids = hand_in(house, *(project_of(house, one) for one in agreement_ids), title="report")
    return [house.one("SELECT sha256 FROM v_evidence WHERE id = :id", id=str(one)) for one in ids]


def reported(house: House, *agreement_ids: UUID, number: int = 1) -> list[UUID]:
    """Hand in the report of a tranche of each agreement; return the tranches."""
    ids = tranches(house, *agreement_ids, number=number)
    commands = (
        SubmitMilestone(command_id=key(), milestone_id=one, summary="reached", evidence=(paper,))
        for one, paper in zip(ids, papers(house, *agreement_ids), strict=True)
    )
    house.do(*commands, by=Role.PROJECT_LEAD)
    return ids


def stated(house: House, *agreement_ids: UUID, cost_minor: int = 80_000_000) -> list[UUID]:
    """State the cost of today under each agreement, three tenths of it own money; return the statements."""
    commands = (
        SubmitCost(
            command_id=key(),
            agreement_id=one,
            from_on=house.today,
            until_on=house.today,
            by_category={"equipment": cost_minor},
            own_money_minor=cost_minor * 3 // 10,
            evidence_sha256=paper,
        )
        for one, paper in zip(agreement_ids, papers(house, *agreement_ids), strict=True)
    )
    return ids_of(house.do(*commands, by=Role.FINANCE_OFFICER))


VOTERS = (str(Role.PANEL_CHAIR), str(Role.EXPERT), "expert market")
REVIEW_STEPS = ("called", "scoring", "voted", "proposed")


@remembered
def reviews(
    house: House, count: int = 1, *, state: str = "called", outcome: GateOutcome = GateOutcome.GO
) -> tuple[list[UUID], list[UUID]]:
    """Return (projects, reviews) at gate G2 of the lean standard; `voted` is scoring with all votes given.

    What the gate asks for is there and accepted.
    """
    made = submitted(house, count)
    call = (CallReview(command_id=key(), project_id=one, planned_on=house.today, panel=panel(house)) for one in made)
    called = ids_of(house.do(*call, by=Role.COORDINATOR))
    steps = REVIEW_STEPS.index(state)
    if steps >= 1:
        house.do(*(OpenReview(command_id=key(), review_id=one) for one in called), by=Role.PANEL_CHAIR)
    for voter in VOTERS if steps >= 2 else ():
        votes = (GiveScore(command_id=key(), review_id=one, points=(("merit", 8),), vote=outcome) for one in called)
        house.do(*votes, by=voter)
    if steps >= 3:
        said = (Propose(command_id=key(), review_id=one, outcome=outcome, reason="as voted") for one in called)
        house.do(*said, by=Role.PANEL_CHAIR)
    return made, called


@remembered
def submitted(house: House, count: int = 1) -> list[UUID]:
    """Return projects that were handed in for gate G2 of the lean standard, whose papers are accepted."""
    made = projects(house, count, stage=ProjectState.FEASIBILITY, pack="lean")
    meet_lean_gate(house, *made)
    house.do(*(Submit(command_id=key(), project_id=one) for one in made), by=Role.PROJECT_LEAD)
    return made


def meet_lean_gate(house: House, *ids: UUID) -> None:
    """Hand in both papers of the lean standard's gate G2 and have them accepted."""
    for kind in ("paper", "plan"):
        hand_in(house, *ids, type=kind, **({} if kind == "paper" else {"title": "a plan"}))
    for clause in ("G2.1", "G2.2"):
        said = (
            JudgeRequirement(command_id=key(), project_id=one, clause=clause, yes=True, reason="seen") for one in ids
        )
        house.do(*said, by=Role.COORDINATOR)


@cache
def lean() -> Pack:
    """Return the bare standard with two papers and a panel at gate G2, a single expert at G1, one paper at G1 and G4.

    G2.1 and G1.1 can be waived, G2.2 can become a condition; G2 is shown publicly for five working days.
    """
    bare = library.bare()
    score = Score(factors=({"id": "merit", "title": _text("价值", "Merit"), "weight": 100},))  # type: ignore[arg-type]
    outcomes = tuple(GateOutcome)
    panels = {
        "G1": Panel(kind="single_expert", quorum_share=(1, 1), competences=(Competence.TECHNICAL,)),
        "G2": Panel(
            kind="panel",
            minimum_members=3,
            maximum_members=5,
            competences=(Competence.TECHNICAL, Competence.MARKET),
        ),
    }
    criteria = {
        "G1": (_criterion("G1.1", "W", "paper"),),
        "G2": (_criterion("G2.1", "W", "paper"), _criterion("G2.2", "C", "plan", condition_needs=("owner",))),
        "G4": (_criterion("G4.1", "W", "paper"),),
    }
    stages = tuple(
        stage.model_copy(
            update={
                "panel": panels.get(stage.gate, stage.panel),
                "criteria": criteria.get(stage.gate, ()),
                "outcomes": outcomes if stage.gate in panels else (),
                "score": score if stage.gate in panels else stage.score,
                "notice": Notice(days=5, unit="working_days") if stage.gate == "G2" else None,
            }
        )
        for stage in bare.stages
    )
    changes = {"code": "lean", "stages": stages, "evidence_types": (_paper("paper", "G1"), _paper("plan", "G2"))}
    return Pack.model_validate(bare.model_copy(update=changes).model_dump())


@cache
def funded() -> Pack:
    """Return the bare standard with a paper that reports rest on, and one requirement at gate G3 about it."""
    bare = library.bare()
    stages = tuple(
        stage.model_copy(update={"criteria": (_criterion("G3.1", "W", "paper"),)}) if stage.gate == "G3" else stage
        for stage in bare.stages
    )
    changes = {"code": "funded", "stages": stages, "evidence_types": (_paper("paper", "G1"), _paper("minute", "G1"))}
    return Pack.model_validate(bare.model_copy(update=changes).model_dump())


@cache
def granted() -> Pack:
    """Return the funded standard with the fund rules of the default one: caps, cuts, retention, audit, settlement."""
    asked = library.default().funds.model_copy(update={"asks_certifier": False, "asks_release": False})
    changes = {"code": "granted", "funds": asked}
    return Pack.model_validate(funded().model_copy(update=changes).model_dump())


@cache
def strict() -> Pack:
    """Return the funded standard with a certifier, a payer, and a cooling-off of ten days."""
    base = funded()
    asked = {"asks_certifier": True, "asks_release": True, "cooling_off_working_days": 10}
    funds = base.funds.model_copy(update=asked)
    return Pack.model_validate(base.model_copy(update={"code": "strict", "funds": funds}).model_dump())


def _text(zh: str, en: str) -> Text:
    return Text(zh=zh, en=en)


def _paper(name: str, gate: Any) -> EvidenceType:
    title = FormField(name="title", title=_text("题目", "Title"), kind="text")
    by = (
        (Role.PROJECT_LEAD, Role.PROCESS_ENGINEER, Role.FINANCE_OFFICER, Role.COORDINATOR)
        if name in ("paper", "minute")
        else ()
    )
    return EvidenceType(
        id=name, title=_text("文件", "Paper"), family="project", gate=gate, fields=(title,), handed_in_by=by
    )


def _criterion(clause: str, strength: Any, evidence_type: str, **more: Any) -> Criterion:
    return Criterion(
        id=clause,
        title=_text("文件", "Paper"),
        text=_text("文件已被认可。", "The paper is accepted."),
        how=("accepted",),
        strength=strength,
        owed_by=(Owes(party="sme", role=Role.PROJECT_LEAD),),
        due={"anchor": "stage_end"},  # type: ignore[arg-type]
        evidence=(evidence_type,),
        judges=(Judge(role=Role.COORDINATOR, party="platform", kind="accepted"),),
        origin="design",
        **more,
    )


WITHOUT_PANELS = ("bare", "funded", "granted", "strict")
PACKS: Mapping[str, Any] = {
    "bare": library.bare,
    "lean": lean,
    "default": library.default,
    "funded": funded,
    "granted": granted,
    "strict": strict,
}
