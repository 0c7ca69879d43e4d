"""The board of stages: of each project shown what is missing and who owes it, whom it waits for, and its money."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.payouts.queries import Which, payouts
from lifecycle.payouts.terms import WAITING
from lifecycle.permissions import PERMISSIONS
from lifecycle.projects.board import Counts, Panel, columns, counts, held, panels, spells
from lifecycle.projects.dwell import dwell_of, target_days
from lifecycle.projects.queries import Card, Wanted, stages_named_in, visits_of
from lifecycle.reports.survival import lasting
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from models.funds import Fund
from models.holds import Hold
from models.installation import DISBURSEMENT_ID
from models.payouts import Payout
from models.reading import table_of
from models.states import ENDED, STAGES, PayoutState, ProjectState
from web.acts import actions
from web.money_rights import of_fund_or_project
from web.nouns import PROJECTS
from web.pages.seeking import Seeking
from web.render import page
from web.session import Somebody, Visit

router = APIRouter()
PER_COLUMN = 20
DWELT = 2_000
"""Projects up to which the days of all visits are read for their median; of more the board says the target alone."""
_URGENT = (PayoutState.RETURNED, *(one for one in WAITING if one is not PayoutState.RETURNED))
REMIND = "notice.issue"
_MENU = ("project.assign", REMIND)
"""What a card offers besides the next act: to name somebody, and to tell the firm once what it owes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The payout of a project that its firm waits for: of several the one that came back, else the earliest."""

    number: str
    tranche: str
    state: str
    is_stopped: bool
    """Nothing leaves its fund, or nothing at all."""
    others: int
    """How many more of the project wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A card on the board, with the days that the standard's calendar counts."""

    card: Card
    day: int
    """Working days in its stage, over all visits of it: what its page says too, and what its due day counts."""
    visits: int
    """How often it has been in its stage."""
    days_overdue: int
    panel: Panel | None
    money: Money | None
    """None also for who may not read about payouts."""
    acts: Sequence[tuple[str, str]]
    """(address, permission) of what the menu offers besides the next act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How long projects stay in a stage."""

    median: int | None
    """Working days; None where too few have left, or where there are too many projects to read."""
    target: int | None
    """Working days, of the standard that most of the cards have frozen; None for an empty column."""
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All of the page."""

    counted: Counts
    columns: Mapping[str, Sequence[Placed]]
    heads: Mapping[str, Head]
    late: int
    """Overdue ones of those asked for; also where only these are shown."""
    held: int
    """Those of them that are on hold, likewise."""
    my_stages: frozenset[str]


@router.get("/board")
def board(visit: Somebody, sought: Seeking) -> Response:
    """Show where everything stands, by stage."""
    wanted, reach = sought.wanted(visit), sought.reach(visit)
    shown = visit.read(lambda session: _board(session, visit, wanted, reach))
    values: dict[str, Any] = {
        "board": shown,
        "counts": {str(state): shown.counted.by_stage.get(state, 0) for state in ProjectState},
        "ended": [str(state) for state in ProjectState if state in ENDED],
        "counted": shown.counted.most,
        "is_filtered": bool(sought.said(stage="")),
    }
    return page(visit, "board.html", **values, **sought.shown(visit))


@router.get("/projects/{ref}/next")
def next_act(visit: Somebody, ref: str) -> Response:
    """Lead to the page that confirms the first act that somebody may do now; where there is none, to the project."""

    def work(session: Session) -> str:
        row = PROJECTS.find(session, visit, ref)
        main = [verb for verb in PROJECTS.verbs if PROJECTS.is_first(verb)]
        possible = [one.url for one in actions(session, visit, PROJECTS, row, main) if one.is_allowed]
        return next(iter(possible), f"{PROJECTS.url(row)}#actions-title")

    return RedirectResponse(visit.read(work), status_code=303)


def _board(session: Session, visit: Visit, wanted: Wanted, reach: ColumnElement[bool]) -> Board:
    counted = counts(session, wanted, today=visit.today)
    found = columns(session, wanted, counted, today=visit.today, limit=PER_COLUMN)
    cards = [card for column in found.values() for card in column]
    ids = [card.id for card in cards]
    visits, sitting = visits_of(session, ids), panels(session, ids)
    money = _money(session, visit, ids)
    placed = {
        str(stage): [
            _placed(one, visit, visits.get(one.id, ()), sitting.get(one.id), money.get(one.number))
            for one in found[stage]
        ]
        for stage in STAGES
        if wanted.stage in (None, stage)
    }
    whole = counts(session, Wanted(reach=reach), today=visit.today) if wanted.is_narrowed else counted
    named_in = stages_named_in(session, visit.actor.user_id)
    return Board(
        counted=counted,
        columns=placed,
        heads=_heads(session, visit, found, spells(session, reach) if _are_few(whole) else []),
        late=_late(counted, wanted.stage),
        held=held(session, wanted, today=visit.today),
        my_stages=named_in & {stage for stage, column in placed.items() if column} or _busy(placed),
    )


def _late(counted: Counts, stage: ProjectState | None) -> int:
    return counted.all_late if stage is None else counted.late.get(stage, 0)


def _are_few(whole: Counts) -> bool:
    return sum(whole.by_stage.values()) <= DWELT


def _busy(columns: Mapping[str, Sequence[Placed]]) -> frozenset[str]:
    """Return the stages where something is late, else where anything is: for who is named nowhere."""
    late = frozenset(stage for stage, placed in columns.items() if any(one.days_overdue for one in placed))
    return late or frozenset(stage for stage, placed in columns.items() if placed)


def _placed(card: Card, visit: Visit, visits: Sequence[Any], panel: Panel | None, money: Money | None) -> Placed:
    calendar = visit.stamp.calendar.of(card.programme_id)
    spent = dwell_of(card.stage, visits, calendar, visit.today)
    late = calendar.working_days_between(card.due_on, visit.today) if card.due_on else 0
    return Placed(
        card=card,
        day=spent.all_days,
        visits=spent.visits,
        days_overdue=max(0, late),
        panel=panel,
        money=money,
        acts=_menu(card, visit),
    )


def _menu(card: Card, visit: Visit) -> list[tuple[str, str]]:
    """Return what somebody's roles allow of the menu; the page behind it says why where it is not possible."""
    asked = [name for name in _MENU if visit.roles & PERMISSIONS[name] and (name != REMIND or "sme" in card.owed_by)]
    return [(PROJECTS.do_url(card, verb), verb.permission) for verb in PROJECTS.verbs if verb.permission in asked]


def _heads(
    session: Session, visit: Visit, found: Mapping[ProjectState, Sequence[Card]], spent: Sequence[Any]
) -> dict[str, Head]:
    """Return stage -> how long it lasts, as the portfolio counts it, and how long it should."""
    packs = packs_of(session, {card.pack_sha256 for column in found.values() for card in column})
    days: dict[str, list[tuple[int, bool]]] = {}
    for row in spent:
        count = visit.stamp.calendar.working_days_between(row.opened_on, row.closed_on or visit.today)
        days.setdefault(row.stage, []).extend([(count, row.closed_on is not None)] * row.times)
    return {str(stage): _head(stage, found[stage], packs, days.get(stage, [])) for stage in STAGES}


def _head(
    stage: ProjectState, cards: Sequence[Card], packs: Mapping[str, Pack], days: Sequence[tuple[int, bool]]
) -> Head:
    most = Counter(card.pack_sha256 for card in cards).most_common(1)
    asked = packs[most[0][0]].stage(stage) if most else None
    return Head(
        median=lasting(days).median if days else None,
        target=target_days(asked) if asked else None,
        unit=asked.default_unit if asked else "",
    )


def _money(session: Session, visit: Visit, ids: Sequence[UUID]) -> dict[str, Money]:
    """Return number of a project -> its money that waits, of what somebody may read; two statements."""
    if not ids:
        return {}
    reach = of_fund_or_project(table_of(Payout), visit.rights, visit.actor, among=ids)
    which = Which(reach=reach, states=WAITING)
    waiting = payouts(session, today=visit.today, calendar=visit.stamp.calendar, which=which)
    stopped = _stopped(session, {one["fund"] for one in waiting}, visit.today)
    found: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(waiting, key=lambda one: (_URGENT.index(one["state"]), one["number"])):
        found.setdefault(one["project"], []).append(one)
    return {
        project: Money(
            number=those[0]["number"],
            tranche=those[0]["tranche"] or "",
            state=str(those[0]["state"]),
            is_stopped=bool({None, those[0]["fund"]} & stopped),
            others=len(those) - 1,
        )
        for project, those in found.items()
    }


def _stopped(session: Session, funds: set[str], today: date) -> set[str | None]:
    """Return the codes of those funds that are on hold today, and None where all disbursement is stopped."""
    hold, fund = table_of(Hold), table_of(Fund)
    own = select(fund.c.id).where(fund.c.code.in_(funds))
    about = or_(hold.c.object_id == DISBURSEMENT_ID, hold.c.object_id.in_(own))
    in_force = (hold.c.lifted_at.is_(None), or_(hold.c.needs_decision.is_(True), hold.c.until_on >= today))
    statement = select(fund.c.code).select_from(hold.outerjoin(fund, fund.c.id == hold.c.object_id))
    return set(session.execute(statement.where(about, *in_force)).scalars())
