"""What the page of a project shows: rail, gate, what may be done, what happened; plain values in one language."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from markupsafe import Markup
from sqlmodel import Session

from lifecycle.actor import Rights
from lifecycle.people.queries import WhoOwes, people_who_owe
from lifecycle.projects.dwell import dwell_of, target_days
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.queries import gates, overview
from lifecycle.reports.history import latest
from lifecycle.requirements.commands import ADD_EVIDENCE, JUDGE
from lifecycle.trials.queries import batches
from models.states import STAGES, ProjectState, VerdictState
from notifications.gates import EntryLine, Line, called, entry_lines, is_among, lines, reasons_of, standard_names
from web.acts import Action, actions
from web.charts.rail import Arc, Box, rail
from web.nouns import PROJECTS
from web.pages.money_box import MoneyBox, money_boxes
from web.pages.yields import Threshold, judged, thresholds, yield_chart
from web.render import Words
from web.session import Visit

LATEST = 30
"""Acts of the timeline that the page shows."""
_WIDTH = {"zh-CN": 150, "en": 178}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One act of the timeline."""

    seq: int
    at: datetime
    by: str
    is_system: bool
    act: str
    about: str
    is_refused: bool
    to_state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPage:
    """All of the page."""

    number: str
    name: str
    stage: str
    facts: dict[str, Any]
    standard: str
    """What people call the version that it has frozen."""
    days_overdue: int
    is_on_hold: bool
    rail: Markup
    target: str
    """The stage behind the gate; empty once the project has ended."""
    gate: Sequence[Line]
    open_count: int
    then: str
    """What is possible once the gate asks nothing more: `panel`, `move`; empty while a panel sits."""
    earliest: date | None
    """The day by which all that is open is due, where each has a day that is not past."""
    entry: Sequence[EntryLine]
    """What the next stage asks besides."""
    can_hand_in: bool
    can: Sequence[Action]
    cannot: Sequence[Action]
    others_can: Sequence[Action]
    money: Sequence[MoneyBox]
    """Empty for who may not read it, and where nothing was awarded."""
    batches: int
    yields: Markup | None
    """Drawing of the latest batches; None where none was made."""
    method: Sequence[Threshold]
    """What the standard asks of the kinds of batches that were made."""
    timeline: Sequence[Told]
    has_more: bool


def project_page(session: Session, visit: Visit, rights: Rights, row: Any, words: Words) -> ProjectPage:
    """Read the page in a fixed number of statements; `rights` are what its reader holds, whatever the project."""
    found = overview(session, row.id, today=visit.today)
    (facts,) = gates(session, [row.id], visit.stamp)
    people = people_who_owe(session, [row.id])
    gate = lines(facts, people, visit.lang)
    acts = actions(session, visit, PROJECTS, row)
    entry = entry_lines(facts, people, visit.lang, visit.actor.person_id)
    is_open = bool(entry) or any(not one.is_met for one in gate)
    events, has_more = latest(session, row.id, limit=LATEST)
    names = standard_names(session, row.id, visit.lang)
    stage = ProjectState(row.stage)
    late = facts.calendar.working_days_between(found["due_on"], visit.today) if found["due_on"] else 0
    asked, made = thresholds(facts.pack), batches(session, row.id)
    judged_batches = [judged(one, asked.get(str(one["kind"]))) for one in made]
    kinds = {str(one["kind"]) for one in made}
    return ProjectPage(
        number=row.number,
        name=row.name,
        stage=str(stage),
        facts=found,
        standard=called(facts.pack, visit.lang),
        days_overdue=max(0, late),
        is_on_hold=found["hold"] is not None,
        rail=_rail(facts, found["visits"], visit, words),
        target=_target(stage),
        gate=gate,
        open_count=sum(not line.is_met for line in gate),
        then=_then(facts),
        earliest=_earliest(gate, visit.today),
        entry=entry,
        can_hand_in=any(one.is_allowed and one.verb is ADD_EVIDENCE for one in acts),
        can=_in_order([_to_judge(one, facts, people, visit) for one in acts if one.is_allowed], is_open=is_open),
        cannot=[_behind(one) for one in acts if not one.is_allowed and not one.is_for_others],
        others_can=[one for one in acts if one.is_for_others],
        money=money_boxes(session, visit, rights, row.id, words),
        batches=len(made),
        yields=yield_chart(judged_batches, asked, words) if made else None,
        method=[one for kind, one in asked.items() if kind in kinds],
        timeline=[_told(event, words, names) for event in events],
        has_more=has_more,
    )


def _in_order(can: Sequence[Action], *, is_open: bool) -> list[Action]:
    """Return what may be done, what closes the gate first: a stage with something missing is handed in last."""
    return sorted(can, key=lambda one: is_open and one.verb.permission == "project.submit")


def _to_judge(act: Action, facts: ProjectFacts, people: WhoOwes, visit: Visit) -> Action:
    """Lead who is asked to judge to the first requirement that waits for them; who is not finds the verb behind others.

    There the requirement stands with its evidence, and a word on it is given.
    """
    if act.verb is not JUDGE:
        return act
    project_id, person = facts.project.id, visit.actor.person_id
    waiting = (
        verdict.clause
        for verdict in facts.verdicts
        if verdict.state == VerdictState.WAITING
        and any(is_among(reason, project_id, people, person) for reason in reasons_of(verdict))
    )
    clause = next(waiting, None)
    if clause is None:
        return replace(act, is_first=False)
    return replace(act, url=f"{PROJECTS.url(facts.project)}/gate/{clause}")


def _behind(act: Action) -> Action:
    """Return a verb that there is nothing to do for as one that stands behind the others: nothing waits for it."""
    return replace(act, is_first=False) if set(act.codes) & _NOTHING_THERE else act


_NOTHING_THERE = frozenset({"not_on_hold", "no_transfer_asked", "no_notice_open"})


def _then(facts: ProjectFacts) -> str:
    if facts.has_ended or facts.has_open_review:
        return ""
    return "panel" if facts.asked.panel.kind != "none" and facts.outcome is None else "move"


def _earliest(gate: Sequence[Line], today: date) -> date | None:
    days = [line.due_on for line in gate if not line.is_met]
    known = [day for day in days if day is not None and day >= today]
    return max(known) if known and len(known) == len(days) else None


def _target(stage: ProjectState) -> str:
    if stage not in STAGES:
        return ""
    place = STAGES.index(stage) + 1
    return str(ProjectState.IN_PRODUCTION if place == len(STAGES) else STAGES[place])


def about_of(event: Any, names: Any, words: Words) -> str:
    """Return what an act is about, in words: a kind of document, a part that somebody takes, a verification."""
    found: str = names.get(event.about, event.about)
    return words.word("verification", words.word("role", found))


def _told(event: Any, words: Words, names: Any) -> Told:
    moves = event.from_state != event.to_state and not event.is_refused
    return Told(
        seq=event.seq,
        at=event.at,
        by=event.actor_name or words.word("actor", event.actor),
        is_system=event.actor == "clock",
        act=words.verb(event.verb),
        about=about_of(event, names, words),
        is_refused=event.is_refused,
        to_state=event.to_state if moves else "",
        reason=_why(event, words),
    )


def _why(event: Any, words: Words) -> str:
    """Return the reason of an act: what somebody wrote as it stands, in words what Pilotway itself gives."""
    if event.is_refused:
        return ", ".join(words.word("refusal", code) for code in event.codes)
    is_own = event.action.endswith(".move_due_day")
    return words.word("own_reason", event.reason) if is_own else event.reason


def _rail(facts: ProjectFacts, visits: Sequence[dict[str, Any]], visit: Visit, words: Words) -> Markup:
    counted = {stage: dwell_of(stage, visits, facts.calendar, visit.today) for stage in STAGES}
    boxes, arcs, said = [], [], []
    for stage in STAGES:
        one, name = counted[stage], words.word("state", stage)
        target = target_days(facts.pack.stage(stage))
        unit = facts.pack.stage(stage).default_unit
        kind = "now" if stage == facts.project.stage else "been" if one.first_on else "next"
        key = f"rail.{'dwell' if one.first_on else 'target'}_{unit}"
        is_again = kind == "now" and one.visits > 1
        dwell = words.t(key, days=one.all_days if kind == "now" else one.days, target=target)
        first = one.last_on if kind == "now" else one.first_on
        entered = words.short_day(first) if first else ""
        if is_again:
            entered = words.t("rail.again", day=entered, visits=one.visits, days=one.all_days)
        boxes.append(Box(id=stage, name=name, kind=kind, dwell=dwell, entered=entered))
        said.append(words.t(f"rail.said_{kind}", stage=name, dwell=dwell))
        for source, (count, days) in one.back.items():
            back = words.t("rail.recycled", count=count, days=days)
            arcs.append(Arc(source=source, target=stage, said=back))
            said.append(words.t("rail.said_back", stage=name, said=back))
    return rail(boxes, arcs, label=words.t("rail.label", said=said), width=_WIDTH[visit.lang])
