"""What a choice offers for a reference: field of a command -> (id, what people see), read for the subject at hand."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlencode

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.endings.rules import REASONS as RECOVERY_REASONS
from lifecycle.funds.rules import HOLD_REASONS as FUND_HOLD_REASONS
from lifecycle.people.queries import programmes, standards
from lifecycle.projects.rules import HOLD_REASONS, RECYCLE_REASONS, STOP_REASONS, stages_back
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from models.evidence import Evidence
from models.people import Organisation, RoleGrant, User
from models.projects import Project, Requirement, StageRun
from models.reading import table_of
from models.states import EvidenceStatus, OrganisationKind, ProjectState, Role, UserStatus, VerdictState
from notifications.gates import standard_names
from notifications.words import LANGUAGES
from web.forms import Options
from web.money_lookups import MONEY_OFFERS
from web.nouns import AnyVerb, Noun

Offer: TypeAlias = Callable[[Session, Any, Any], Options]
MOST = 500
"""More than this nobody chooses from a list."""


def offered(session: Session, verb: AnyVerb, noun: Noun | None, row: Any) -> dict[str, Options]:
    """Return the choices of every reference that the verb asks for."""
    names = {*verb.command.__dataclass_fields__, *_INSIDE.get(verb.permission, ())}
    own = f"{verb.subject_name}_id"
    wanted = {name: OFFERS.get(f"{verb.permission}.{name}") or OFFERS.get(name) for name in names if name != own}
    return {name: offer(session, noun, row) for name, offer in wanted.items() if offer is not None}


def seats(session: Session, _noun: Noun, _row: Any) -> Options:
    """Everybody who may sit in a panel, in each role that votes there; an option carries the seat with it."""
    user, grant = table_of(User), table_of(RoleGrant)
    statement = (
        select(user.c.id, user.c.name, user.c.competences, grant.c.role)
        .join(grant, grant.c.user_id == user.c.id)
        .where(user.c.status == UserStatus.ACTIVE, grant.c.revoked_at.is_(None), grant.c.role.in_(_SEATED))
        .order_by(grant.c.role, user.c.name)
        .limit(MOST)
    )
    found: dict[tuple[Any, str], tuple[str, Any]] = {}
    for row in session.execute(statement):
        held = [("competences", str(one)) for one in row.competences] if row.role in _EXPERTS else []
        said = urlencode([("user_id", str(row.id)), ("role", str(row.role)), *held])
        words = (row.name, ("role", str(row.role)), *held_words(row.competences if held else ()))
        found[(row.id, row.role)] = (said, words)
    return list(found.values())


def held_words(competences: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return competences as the parts of a label that pages put into words."""
    return tuple(("competence", str(one)) for one in competences)


def factors(session: Session, _noun: Noun, row: Any) -> Options:
    """The factors that a panel gives points to at the gate of its review."""
    project, run = table_of(Project), table_of(StageRun)
    asked = select(project.c.pack_sha256).where(project.c.id == row.project_id)
    pack = packs_of(session, [sha256 := session.execute(asked).scalar_one()])[sha256]
    stage = session.execute(select(run.c.stage).where(run.c.id == row.stage_run_id)).scalar_one()
    return [(one.id, {"zh-CN": one.title.zh, "en": one.title.en}) for one in pack.stage(stage).score.factors]


def people(session: Session, _noun: Noun, _row: Any) -> Options:
    """Everybody with an active account."""
    user = table_of(User)
    statement = select(user.c.id, user.c.name, user.c.login).where(user.c.status == UserStatus.ACTIVE)
    rows = session.execute(statement.order_by(user.c.name).limit(MOST))
    return [(str(row.id), f"{row.name} ({row.login})") for row in rows]


def organisations(*kinds: OrganisationKind) -> Offer:
    """Organisations of these kinds, of any where none is named."""

    def found(session: Session, _noun: Noun, _row: Any) -> Options:
        table = table_of(Organisation)
        statement = select(table.c.id, table.c.name).order_by(table.c.name).limit(MOST)
        if kinds:
            statement = statement.where(table.c.kind.in_(kinds))
        return [(str(row.id), row.name) for row in session.execute(statement)]

    return found


def papers(session: Session, noun: Noun, row: Any) -> Options:
    """The evidence of the project that counts."""
    project_id = noun.project_id(row)
    titles = {lang: standard_names(session, project_id, lang) for lang in LANGUAGES} if project_id else {}
    evidence = table_of(Evidence)
    statement = select(evidence.c.id, evidence.c.type, evidence.c.file_name).where(
        evidence.c.project_id == noun.project_id(row), evidence.c.status == EvidenceStatus.CURRENT
    )
    rows = session.execute(statement.order_by(evidence.c.type, evidence.c.id).limit(MOST))
    return [
        (str(one.id), {lang: f"{known.get(one.type, one.type)} · {one.file_name}" for lang, known in titles.items()})
        for one in rows
    ]


def clauses(session: Session, noun: Noun, row: Any) -> Options:
    """What the present stage of the project asks, by clause, the open ones first."""
    requirement, project = table_of(Requirement), table_of(Project)
    statement = (
        select(requirement.c.clause, requirement.c.verdict)
        .join(project, project.c.stage_run_id == requirement.c.stage_run_id)
        .where(project.c.id == noun.project_id(row))
    )
    found = sorted((one.verdict in PASSING, natural(one.clause), one.clause) for one in session.execute(statement))
    pack = _pack_of(session, noun, row)
    return [(clause, _titled(pack, clause)) for _, _, clause in found]


def judged_clauses(session: Session, noun: Noun, row: Any) -> Options:
    """What somebody says yes or no to: not what is computed alone."""
    pack = _pack_of(session, noun, row)
    return [
        (clause, said)
        for clause, said in clauses(session, noun, row)
        if pack.has(clause) and pack.criterion(clause).judges
    ]


def _pack_of(session: Session, noun: Noun, row: Any) -> Pack:
    project = table_of(Project)
    asked = select(project.c.pack_sha256).where(project.c.id == noun.project_id(row))
    return packs_of(session, [sha256 := session.execute(asked).scalar_one()])[sha256]


def _titled(pack: Pack, clause: str) -> Any:
    """Return a clause with its title, by language; the clause alone where the standard knows it no more."""
    if not pack.has(clause):
        return clause
    title = pack.criterion(clause).title
    return {"zh-CN": f"{clause} {title.zh}", "en": f"{clause} {title.en}"}


def stages_of_return(_session: Session, _noun: Noun, row: Any) -> Options:
    """The stages that a project can be sent back to."""
    return [(str(stage), (("state", str(stage)),)) for stage in stages_back(ProjectState(row.stage))]


def humans(session: Session, _noun: Any, _row: Any) -> Options:
    """Everybody by their first account: a second account of the same human names them."""
    user = table_of(User)
    statement = select(user.c.person_id, user.c.name, user.c.login).order_by(user.c.name, user.c.created_at).limit(MOST)
    found: dict[str, str] = {}
    for row in session.execute(statement):
        found.setdefault(str(row.person_id), f"{row.name} ({row.login})")
    return list(found.items())


def packs(session: Session, _noun: Any, _row: Any) -> Options:
    """The published standards."""
    return [(one["sha256"], f"{one['code']}@{one['version']}") for one in standards(session)]


def programmes_there(session: Session, _noun: Any, _row: Any) -> Options:
    """Every programme."""
    return [(str(one["id"]), f"{one['code']} · {one['name']}") for one in programmes(session)]


def codes(kind: str, known: Sequence[str]) -> Offer:
    """The codes that a reason is given by, in the words for each."""
    found = [(one, ((kind, one),)) for one in known]
    return lambda _session, _noun, _row: found


def natural(clause: str) -> tuple[str, int]:
    """Return what sorts G3.10 behind G3.9."""
    gate, _, number = clause.partition(".")
    return gate, int(number) if number.isdecimal() else 0


_EXPERTS = (Role.EXPERT, Role.PANEL_CHAIR)
_SEATED = (*_EXPERTS, Role.CUSTOMER_REP, Role.RECEIVER_LEAD, Role.QUALITY_ENGINEER, Role.LAB_LEAD)
_INSIDE: Mapping[str, tuple[str, ...]] = {"review.propose": ("clause", "owner_id")}
"""Verb -> references inside of the lists that it asks for."""
PASSING = (VerdictState.MET, VerdictState.WAIVED)
OWN_NAMES = (("zh-CN", "中文"), ("en", "English"))
"""Each language in its own words, whatever the page speaks."""
OFFERS: Mapping[str, Offer] = {
    "user_id": people,
    "owner_id": people,
    "panel": seats,
    "points": factors,
    "on_behalf_of": people,
    "organisation_id": organisations(),
    "other_id": organisations(),
    "platform_id": organisations(OrganisationKind.PLATFORM),
    "receiver_id": organisations(OrganisationKind.RECEIVER),
    "customer_id": organisations(OrganisationKind.CUSTOMER),
    "evidence_id": papers,
    "person_id": humans,
    "pack_sha256": packs,
    "programme_id": programmes_there,
    "language": lambda _session, _noun, _row: OWN_NAMES,
    "clause": clauses,
    "requirement.judge.clause": judged_clauses,
    "project.hold.code": codes("reason", HOLD_REASONS),
    "project.recycle.target": stages_of_return,
    "project.recycle.code": codes("recycle_reason", RECYCLE_REASONS),
    "project.stop.code": codes("stop_reason", STOP_REASONS),
    "fund.hold.code": codes("reason", FUND_HOLD_REASONS),
    "disbursement.freeze.code": codes("reason", ("decision", "other")),
    "recovery.order.code": codes("recovery", RECOVERY_REASONS),
    **MONEY_OFFERS,
}
