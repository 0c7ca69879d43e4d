"""How projects come to be and are found again: a new application, and the search."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Invalid, LifecycleError, NotFound, Unmet
from lifecycle.projects.queries import Wanted, cards
from lifecycle.projects.registration import REGISTER, RegisterProject
from lifecycle.verdicts.packs import packs_of
from models.evidence import Evidence
from models.people import Organisation
from models.programmes import Programme
from models.projects import Project
from models.reading import table_of
from models.states import EvidenceStatus, OrganisationKind
from web.asking import need
from web.errors import reasons_of, status_of
from web.forms import KEY, Input, Options, as_typed, inputs, read
from web.menu import OF_FIRMS
from web.money_nouns import AGREEMENTS, BATCHES, PAYOUTS, RECOVERIES
from web.reading_rights import own_platforms, readable_projects
from web.render import Words, page
from web.session import Somebody, Typed, Visit, text_of

router = APIRouter()
MOST = 20
MOST_CHOICES = 500


@router.get("/projects/new")
def ask(visit: Somebody) -> Response:
    """Ask what an application says."""
    need(visit, REGISTER)
    return _page(visit, None)


@router.post("/projects/new")
def register(visit: Somebody, form: Typed) -> Response:
    """Take the application in and lead to the receipt, else show why not and what was typed."""
    need(visit, REGISTER)
    asked, profiles = _inputs(visit)
    key = text_of(form, KEY) or str(visit.house.new_id())
    try:
        values = read(asked, form)
        values["profiles"] = {name: values.pop(one) for one, name in profiles.items() if one in values}
    except Invalid as error:
        return _page(visit, form, error=error)
    answer = visit.act(RegisterProject(command_id=key, **values))
    if answer.error is not None:
        return _page(visit, form, error=answer.error)
    return RedirectResponse(f"/receipts/{key}", status_code=303)


def _inputs(visit: Visit) -> tuple[tuple[Input, ...], dict[str, str]]:
    """Return what is asked, and of the inputs that choose a profile which one they choose."""
    words = Words(visit.lang, visit.house.zone)
    found, choices = visit.read(lambda session: (inputs(REGISTER, _offered(session, visit)), _profiles(session)))
    own = {one.name: one for one in found}
    if own_platforms(visit.rights, REGISTER.permission) is not None:
        own["platform_id"] = replace(own["platform_id"], is_required=True)
    asked = [
        replace(own[name], label=words.t(f"intake.field.{name}")) if name in _CALLED else own[name] for name in _ORDER
    ]
    for name, options in choices.items():
        offered = [(one, words.word("profile_choice", one)) for one in options]
        label = words.word("profile", name)
        asked.append(Input(name=f"profiles.{name}", kind="choice", options=offered, label=label, is_required=False))
    return tuple(asked), {f"profiles.{name}": name for name in choices}


_ORDER = ("name", "organisation_id", "programme_id", "platform_id", "received_on")
_CALLED = ("name", "organisation_id")
"""What bears a plainer name here than elsewhere."""


def _profiles(session: Session) -> dict[str, list[str]]:
    """Return the profiles that the standards of the programmes know: name -> choices, the usual one first."""
    programme = table_of(Programme)
    hashes = session.execute(select(programme.c.pack_sha256).distinct()).scalars().all()
    found: dict[str, list[str]] = {}
    for _, pack in sorted(packs_of(session, hashes).items()):
        for name, choices in pack.profiles.items():
            found[name] = list(dict.fromkeys([*found.get(name, ()), *choices]))
    return found


def _offered(session: Session, visit: Visit) -> dict[str, Options]:
    """Return the programmes, the platforms, and the firms that somebody may apply for."""
    organisation, programme = table_of(Organisation), table_of(Programme)
    own = {at for role, at in visit.rights.grants if role in OF_FIRMS and at is not None}
    chosen = select(organisation.c.id, organisation.c.name, organisation.c.kind).order_by(organisation.c.name)
    if visit.roles and visit.roles <= OF_FIRMS:
        chosen = chosen.where((organisation.c.kind != OrganisationKind.SME) | organisation.c.id.in_(own))
    rows = session.execute(chosen.limit(MOST_CHOICES)).all()
    places = own_platforms(visit.rights, REGISTER.permission)
    programmes = session.execute(select(programme.c.id, programme.c.name, programme.c.code).order_by(programme.c.code))
    return {
        "organisation_id": [(str(row.id), row.name) for row in rows if row.kind == OrganisationKind.SME],
        "platform_id": [
            (str(row.id), row.name)
            for row in rows
            if row.kind == OrganisationKind.PLATFORM and (places is None or row.id in places)
        ],
        "programme_id": [(str(row.id), f"{row.name} ({row.code})") for row in programmes],
    }


def _page(visit: Visit, form: FormData | None, *, error: LifecycleError | None = None) -> Response:
    asked, _ = _inputs(visit)
    reasons = reasons_of(error) if error else ()
    wrong = {_field(one): one for one in reasons if _field(one) in {item.name for item in asked}}
    typed = as_typed(asked, form)
    if form is None:
        typed |= {one.name: one.options[0][0] for one in asked if one.kind == "choice" and len(one.options) == 1}
    return page(
        visit,
        "new_project.html",
        is_firm=visit.roles <= OF_FIRMS,
        status=status_of(error) if error else 200,
        inputs=asked,
        typed=typed,
        key=str(visit.house.new_id()),
        reasons=reasons,
        wrong=wrong,
    )


def _field(reason: Unmet) -> str:
    known = {
        "name_length": "name",
        "own_platform": "platform_id",
        "role": "platform_id",
        "day_in_future": "received_on",
    }
    return str(reason.values.get("field", known.get(reason.code, "")))


@router.get("/search")
def search(visit: Somebody, q: str = "") -> Response:
    """Find projects by number, name or firm, documents by file name or hash, and what is of money by its number."""
    wanted, reach = q.strip(), readable_projects(visit.rights, visit.actor)

    def work(session: Session) -> tuple[list[Any], list[Any]]:
        found = cards(session, Wanted(reach=reach, text=wanted), today=visit.today, limit=MOST)
        return found, _papers(session, reach, wanted)

    found, papers = visit.read(work) if wanted else ([], [])
    if wanted and (money := visit.read(lambda session: _of_money(session, visit, wanted))):
        return RedirectResponse(money, status_code=303)
    exact = next((one for one in found if one.number == wanted.upper()), None)
    if exact is not None:
        return RedirectResponse(f"/projects/{exact.number}", status_code=303)
    return page(visit, "search.html", q=wanted, projects=found, papers=papers, most=MOST)


def _of_money(session: Session, visit: Visit, wanted: str) -> str:
    """Return the page of the payout, agreement, payment batch or recovery with this number; nothing for none to see."""
    for noun in _NUMBERED:
        with suppress(NotFound):
            return noun.url(noun.find(session, visit, wanted))
    return ""


_NUMBERED = (PAYOUTS, AGREEMENTS, BATCHES, RECOVERIES)


def _papers(session: Session, reach: Any, wanted: str) -> list[Any]:
    evidence, project = table_of(Evidence), table_of(Project)
    fits = evidence.c.file_name.icontains(wanted, autoescape=True) | evidence.c.sha256.startswith(
        wanted.lower(), autoescape=True
    )
    statement = (
        select(evidence.c.id, evidence.c.file_name, evidence.c.submitted_on, project.c.number, project.c.name)
        .join(project, project.c.id == evidence.c.project_id)
        .where(reach, fits, evidence.c.status == EvidenceStatus.CURRENT)
        .order_by(evidence.c.id.desc())
        .limit(MOST)
    )
    return list(session.execute(statement))
