"""The portfolio: funnel, dwell, conversion and money of the projects that the reader may see, and quarterly reports."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import Forbidden, NotFound, unmet
from lifecycle.projects.dwell import target_days
from lifecycle.reports.portfolio import (
    CONFIDENCE,
    LEAST,
    Conversion,
    Portfolio,
    StageFigures,
    filters,
    portfolio_figures,
)
from lifecycle.reports.quarter import reports
from lifecycle.stages.statistics import wilson_interval
from lifecycle.standards.pack import Pack
from models.states import ProjectState
from notifications.gates import called, in_language
from web.charts.portfolio import Bar, Reference, Room, Span, funnel, share, strip
from web.listing import Column, Listing, answer, wanted
from web.menu import PORTFOLIO
from web.pages.seeking import Sought
from web.reading_rights import readable_programmes
from web.render import Words, address, page
from web.session import Somebody, Visit

router = APIRouter()
WITH_PILOT_TEST, WITHOUT = 0.8, 0.3
"""Shares of success with and without a pilot test as a newspaper reported them (Yang Guang Wang, 2025-07-07)."""
_ROOM = {"zh-CN": (96, 180), "en": (128, 210)}
_COUNT, _PHONE = 80, 308
"""Room behind a bar; how wide a drawing is on a phone, where words stand above their row."""
STAGES, CONVERSION, MONEY = "stages", "conversion", "money"
"""Parts of the figures, each a table of its own."""


@router.get("/portfolio")
@router.get("/portfolio.{form}")
def portfolio(  # noqa: PLR0913, PLR0917 - the filters of the figures
    visit: Somebody,
    form: str = "",
    since: str = "",
    until: str = "",
    platform: str = "",
    programme: str = "",
    standard: str = "",
    part: str = STAGES,
) -> Response:
    """Show the figures of a cohort of projects: those received in a span of months; each part is a table and a file."""
    _for_readers(visit)
    kind = wanted(form)
    sought = Sought(since=since, until=until, platform=platform, programme=programme, standard=standard)
    cohort = sought.wanted(visit)

    def work(session: Session) -> tuple[Portfolio, tuple[list[Any], list[Any], dict[str, Pack]]]:
        figures = portfolio_figures(session, cohort, today=visit.today, calendar=visit.stamp.calendar)
        return figures, filters(session, cohort.reach)

    figures, (platforms, programmes, standards) = visit.read(work)
    words = Words(visit.lang, visit.house.zone)
    ends = _ends(figures.conversion, sought)
    parts = {
        STAGES: Listing(
            name="portfolio", columns=_STAGES, rows=[_row(one, figures.pack, sought) for one in figures.stages]
        ),
        CONVERSION: Listing(name="portfolio.ends", columns=_ENDS, rows=[ends]),
        MONEY: Listing(name="portfolio.sums", columns=_SUMS, rows=[asdict(one) for one in figures.money]),
    }
    if part not in parts:
        raise NotFound(NotFound.code)
    values: dict[str, Any] = {
        "figures": figures,
        "standard": called(figures.pack, visit.lang),
        "ends": ends,
        "funnel": _funnel(figures, words, sought),
        "strip": _strip(figures, words, sought),
        "share": _share(figures, words),
        "least": LEAST,
        "recycled": _recycled(figures, words),
        "parts": parts,
        "as_part": lambda name, form: address(visit, {"part": name}, suffix=f".{form}"),
        "platforms": [(str(one.id), one.name) for one in platforms],
        "programmes": [(str(one.id), one.name) for one in programmes],
        "standards": [(code, f"{in_language(pack.title, visit.lang)} ({code})") for code, pack in standards.items()],
        "sought": sought,
    }
    return answer(visit, parts[part], kind, "portfolio.html", **values)


@router.get("/portfolio/reports")
@router.get("/portfolio/reports.{form}")
def list_reports(visit: Somebody, form: str = "") -> Response:
    """List the quarters that were frozen, each with whether its body is still the one that was."""
    _for_readers(visit)
    reach = readable_programmes(visit.rights, visit.actor)
    found = visit.read(lambda session: reports(session, reach=reach))
    rows = [{**one, "url": f"/portfolio/reports/{one['programme']}/{one['period']}"} for one in found]
    return answer(visit, Listing(name="reports", columns=_REPORTS, rows=rows), wanted(form), "list.html")


@router.get("/portfolio/reports/{programme}/{period}")
def one_report(visit: Somebody, programme: str, period: str) -> Response:
    """Show one frozen quarter: its figures as they were, and its hash."""
    _for_readers(visit)
    reach = readable_programmes(visit.rights, visit.actor)
    found = visit.read(lambda session: reports(session, period=period, reach=reach))
    report = next((one for one in found if one["programme"] == programme), None)
    if report is None:
        raise NotFound(NotFound.code)
    body = json.dumps(report["body"], ensure_ascii=False, indent=2, sort_keys=True)
    return page(visit, "report.html", report=report, body=body)


def _for_readers(visit: Visit) -> None:
    if not visit.roles & PORTFOLIO:
        raise Forbidden(unmet("role", needs=sorted(PORTFOLIO), verb="portfolio"))


def _row(one: StageFigures, pack: Pack, sought: Sought) -> dict[str, Any]:
    stage, running = pack.stage(one.stage), one.dwell.n - one.dwell.ended
    return {
        "stage": str(one.stage),
        "entered": one.entered,
        "visits": one.visits,
        "recycled": one.recycled,
        "running": running,
        "median_days": one.dwell.median,
        "p90_days": one.dwell.p90,
        "target_days": stage.default_days if stage.default_unit == "working_days" else None,
        "url": _list(sought, one.entered, ever=str(one.stage)),
        "running_url": _list(sought, running, stage=str(one.stage)),
    }


def _list(sought: Sought, count: int, **which: Any) -> str:
    """Return where the projects are listed that a figure counts; nowhere where there are none."""
    return sought.address("list", **which) if count else ""


def _ends(conversion: Conversion, sought: Sought) -> dict[str, Any]:
    """Return what became of the decided ones as a row; a share of too few is none."""
    share = conversion.share
    shown = {"share": share.point, "lower": share.lower, "upper": share.upper} if share else {}
    counts = {name: getattr(conversion, name) for name in ("decided", *_STAGE_OF)}
    which = {name: {"stage": str(stage)} for name, stage in _STAGE_OF.items()} | {"decided": {"decided": True}}
    return {
        **counts,
        **{f"{name}_url": _list(sought, count, **which[name]) for name, count in counts.items()},
        **{name: round(value, 4) for name, value in shown.items()},
    }


def _recycled(figures: Portfolio, words: Words) -> list[str]:
    """Return how often each stage was sent back, with its interval; stages with too few visits are left out."""
    found = []
    for one in figures.stages:
        if one.visits >= LEAST:
            share = wilson_interval(one.recycled, one.visits, confidence=CONFIDENCE)
            shown = {"point": f"{share.point:.0%}", "lower": f"{share.lower:.0%}", "upper": f"{share.upper:.0%}"}
            name = words.word("state", one.stage)
            found.append(words.t("portfolio.recycled_of", stage=name, count=one.recycled, of=one.visits, **shown))
    return found


def _funnel(figures: Portfolio, words: Words, sought: Sought) -> Any:
    counts = [(str(one.stage), one.entered, "ever") for one in figures.stages]
    counts.append((str(ProjectState.IN_PRODUCTION), figures.produced, "stage"))
    bars = [
        Bar(
            name=words.word("state", stage),
            count=count,
            said=words.t("portfolio.bar", count=count),
            url=_list(sought, count, **{field: stage}),
        )
        for stage, count, field in counts
    ]
    label = words.t("portfolio.funnel_label", said=[f"{bar.name} {bar.count}" for bar in bars])
    return _for_both(partial(funnel, bars, label=label), left=_ROOM[words.lang][0], tail=_COUNT, narrow_tail=_COUNT)


def _for_both(draw: Callable[..., Markup], *, left: int = 0, tail: int = 0, narrow_tail: int = 0) -> Markup:
    """Return a drawing twice, for a desk and for a phone: the page shows the one for which there is room."""
    narrow = Room(wide=_PHONE, tail=narrow_tail, above=22, kind="narrow")
    return draw(room=Room(left=left, tail=tail)) + draw(room=narrow)


def _strip(figures: Portfolio, words: Words, sought: Sought) -> Any:
    left, tail = _ROOM[words.lang]
    spans = []
    for one in figures.stages:
        stage = figures.pack.stage(one.stage)
        target = target_days(stage)
        meant = words.t(f"portfolio.target_{stage.default_unit}", count=target)
        said = words.t("portfolio.dwell", median=_days(one.dwell.median), p90=_days(one.dwell.p90), target=meant)
        name = words.word("state", one.stage)
        url = _list(sought, one.entered, ever=str(one.stage))
        spans.append(Span(name=name, median=one.dwell.median, p90=one.dwell.p90, target=target, said=said, url=url))
    label = words.t("portfolio.strip_label", said=[f"{one.name} {one.said}" for one in spans])
    return _for_both(partial(strip, spans, label=label), left=left, tail=tail)


def _days(days: int | None) -> str:
    return "–" if days is None else str(days)


def _share(figures: Portfolio, words: Words) -> Any:
    found = figures.conversion.share
    if found is None:
        return None
    shown = {"point": f"{found.point:.1%}", "lower": f"{found.lower:.1%}", "upper": f"{found.upper:.1%}"}
    said = words.t("portfolio.share", **shown)
    label = words.t("portfolio.share_label", n=found.n, confidence=f"{CONFIDENCE:.0%}", **shown)
    references = (
        Reference(at=WITHOUT, said=words.t("portfolio.without")),
        Reference(at=WITH_PILOT_TEST, said=words.t("portfolio.with")),
    )
    return _for_both(partial(share, found, references, label=label, said=said))


_STAGE_OF = {
    "succeeded": ProjectState.IN_PRODUCTION,
    "stopped": ProjectState.STOPPED,
    "withdrawn": ProjectState.WITHDRAWN,
}
_ENDS = (
    *(Column(key=key, kind="number", link=f"{key}_url") for key in ("decided", *_STAGE_OF)),
    *(Column(key=key, kind="number") for key in ("share", "lower", "upper")),
)
_SUMS = (
    Column(key="currency"),
    Column(key="paid_minor", kind="money"),
    Column(key="per_success_minor", kind="money"),
    Column(key="successes", kind="number"),
    Column(key="days_to_first", kind="number"),
)
_STAGES = (
    Column(key="stage", kind="word", word="state", link="url"),
    Column(key="entered", kind="number", link="url"),
    Column(key="visits", kind="number"),
    Column(key="running", kind="number", link="running_url"),
    Column(key="recycled", kind="number"),
    Column(key="median_days", kind="number"),
    Column(key="p90_days", kind="number"),
    Column(key="target_days", kind="number"),
)
_REPORTS = (
    Column(key="period", link="url"),
    Column(key="programme"),
    Column(key="at", kind="at"),
    Column(key="is_sound", kind="yes"),
    Column(key="sha256", kind="hash"),
)
