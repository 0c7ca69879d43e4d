"""Trial batches: what was made, how many were good at once, with its interval; a page for each; measured values."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import NotFound
from lifecycle.permissions import PERMISSIONS
from lifecycle.projects.cohort import stage_named
from lifecycle.standards.pack import Pack
from lifecycle.trials.queries import batch_entries, batches, last_closed, measured
from lifecycle.verdicts.cache import verdicts_of
from lifecycle.verdicts.packs import packs_of
from models.people import Organisation
from models.projects import Project
from models.reading import table_of
from models.states import STAGES, ProjectState
from models.trials import TrialBatch
from notifications.gates import reasons_of
from web.acts import Action, actions
from web.listing import Column, answer, limit_of, paged, wanted
from web.nouns import PROJECTS
from web.pages.yields import RULE, judged, thresholds, yield_chart
from web.reading_rights import readable_projects
from web.render import Words, page
from web.session import Somebody, Visit

router = APIRouter()
ADD = "trial_batch.add"
VERBS = (
    ADD,
    "trial_batch.correct",
    "trial_batch.close",
    "trial_batch.measure",
    "trial_batch.correct_measurement",
)


_LAST = (
    Column(key="number", link="url"),
    Column(key="project_name"),
    Column(key="stage", kind="word", word="state"),
    Column(key="batches", kind="number"),
    Column(key="last_closed", link="batch_url"),
    Column(key="made_on", kind="day"),
    Column(key="yield_percent", kind="number"),
    Column(key="lower_percent", kind="number"),
    Column(key="verdict", kind="word", word="verdict"),
)


@router.get("/batches")
@router.get("/batches.{form}")
def all_batches(visit: Somebody, form: str = "", q: str = "", stage: str = "", after: str = "") -> Response:
    """List the projects in which batches are made, each with what its last closed one says: a platform's day begins."""
    kind = wanted(form)
    conditions = [readable_projects(visit.rights, visit.actor), *_narrowed(q.strip(), stage_named(stage))]
    adds = PERMISSIONS[ADD] & visit.roles and kind is None
    add = Words(visit.lang, visit.house.zone).verb(ADD) if adds else ""

    def work(session: Session) -> list[dict[str, Any]]:
        found = session.execute(_with_batches(after, limit_of(kind)).where(*conditions)).all()
        packs = packs_of(session, {one.pack_sha256 for one in found if one.pack_sha256})
        last = last_closed(session, [one.id for one in found])
        return [{**_row(one, last.get(one.id), packs.get(one.pack_sha256)), "add": add} for one in found]

    columns = (*_LAST, Column(key="add", link="add_url")) if add else _LAST
    listing = paged("batches.anywhere", columns, visit.read(work), form=kind, key="number")
    return answer(visit, listing, kind, "all_batches.html", q=q, stage=stage, stages=STAGES)


def _row(project: Any, facts: Mapping[str, Any] | None, pack: Pack | None) -> dict[str, Any]:
    url = f"/projects/{project.number}"
    row = {"url": f"{url}/batches", "add_url": f"{url}/do/trial-batch-add", "project_name": project.name}
    own = {name: getattr(project, name) for name in ("number", "stage", "batches")}
    if facts is None:
        return {**row, **own}
    batch = judged(facts, thresholds(pack).get(str(facts["kind"])) if pack else None)
    return {
        **row,
        **own,
        "last_closed": facts["number"],
        "batch_url": f"{url}/batches/{facts['number']}",
        "made_on": facts["made_on"],
        "yield_percent": round(batch.point * 100, 1),
        "lower_percent": round(batch.lower * 100, 1),
        "verdict": batch.verdict or None,
    }


def _with_batches(after: str, most: int) -> Select[Any]:
    """Return the question for projects that have batches: how many."""
    project, batch = table_of(Project), table_of(TrialBatch)
    own = batch.c.project_id == project.c.id
    many = select(func.count()).select_from(batch).where(own).scalar_subquery().label("batches")
    columns = (project.c[name] for name in ("id", "number", "name", "stage", "pack_sha256"))
    found = select(*columns, many).where(project.c.number > after, select(batch.c.id).where(own).exists())
    return found.order_by(project.c.number).limit(most)


def _narrowed(text: str, stage: ProjectState | None) -> list[ColumnElement[bool]]:
    project, firm = table_of(Project), table_of(Organisation)
    of_firm = project.c.organisation_id.in_(select(firm.c.id).where(firm.c.name.icontains(text, autoescape=True)))
    named = (one.icontains(text, autoescape=True) for one in (project.c.number, project.c.name))
    found = [or_(*named, of_firm)] if text else []
    return [*found, project.c.stage == stage] if stage else found


@router.get("/projects/{ref}/batches")
def of_project(visit: Somebody, ref: str) -> Response:
    """Show the batches of a project, their intervals against the threshold, and what would be needed."""
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> dict[str, Any]:
        row = PROJECTS.find(session, visit, ref)
        asked = thresholds(packs_of(session, [row.pack_sha256])[row.pack_sha256])
        found = [judged(one, asked.get(str(one["kind"]))) for one in batches(session, row.id)]
        return {
            "row": row,
            "batches": found[::-1],
            "asked": asked,
            "chart": yield_chart(found, asked, words) if found else None,
            "needed": _needed(session, visit, row),
            "acts": _acts(session, visit, row),
        }

    return page(visit, "batches.html", **visit.read(work))


@router.get("/projects/{ref}/batches/{number}")
def one(visit: Somebody, ref: str, number: str) -> Response:
    """Show one batch: every entry of its figures, defects by number, measured values, what may be done."""

    def work(session: Session) -> dict[str, Any]:
        row = PROJECTS.find(session, visit, ref)
        asked = thresholds(packs_of(session, [row.pack_sha256])[row.pack_sha256])
        facts = next((one for one in batches(session, row.id) if one["number"] == number.upper()), None)
        if facts is None:
            raise NotFound(NotFound.code)
        batch = judged(facts, asked.get(str(facts["kind"])))
        return {
            "row": row,
            "batch": batch,
            "entries": batch_entries(session, facts["id"]),
            "defects": sorted(facts["defects"].items(), key=lambda pair: -pair[1]),
            "measured": _by_characteristic(measured(session, facts["id"])),
            "acts": _acts(session, visit, row),
        }

    return page(visit, "batch.html", **visit.read(work))


def _needed(session: Session, visit: Visit, row: Any) -> Any:
    """Return the open reason of the present gate about the yield, which says what would suffice."""
    found = verdicts_of(session, [row], visit.stamp)
    pack = packs_of(session, [row.pack_sha256])[row.pack_sha256]
    for _, verdicts in found:
        for verdict in verdicts:
            if not verdict.passes and pack.criterion(verdict.clause).rule == RULE:
                return reasons_of(verdict)[0]
    return None


def _acts(session: Session, visit: Visit, row: Any) -> dict[str, Action]:
    verbs = [verb for verb in PROJECTS.verbs if verb.permission in VERBS]
    return {one.verb.permission: one for one in actions(session, visit, PROJECTS, row, verbs)}


def _by_characteristic(values: Sequence[Mapping[str, Any]]) -> dict[str, list[list[float]]]:
    found: dict[str, dict[int, list[float]]] = {}
    for one in values:
        found.setdefault(one["characteristic"], {}).setdefault(one["subgroup"], []).append(one["value"])
    return {name: list(groups.values()) for name, groups in found.items()}
