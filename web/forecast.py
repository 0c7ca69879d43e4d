"""What stands on the page of a verb above its button: what it is about, what is still open, what would be written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlmodel import Session
from starlette.datastructures import QueryParams

from lifecycle import engine as melody
from lifecycle.commands import Act, Command, Effects
from lifecycle.people.queries import people_who_owe
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.queries import gates, overview
from lifecycle.requirements.commands import ANSWER_NOTICE, ISSUE_NOTICE
from lifecycle.requirements.queries import notices
from lifecycle.requirements.rules import owed_by_firm
from lifecycle.trials.commands import CLOSE_BATCH, CORRECT_BATCH
from lifecycle.trials.queries import present_figures
from models.money import Money
from models.states import ProjectState
from notifications.gates import EntryLine, Line, NoticeItem, entry_lines, lines, notice_items
from notifications.words import is_known
from web.forms import Input, Typing
from web.money_nouns import RECOVERIES
from web.nouns import PROJECTS, AnyVerb, Noun
from web.pages.money_box import money_boxes
from web.record import Fact, Scribe
from web.render import Words
from web.session import Visit

SUBMIT = "project.submit"
OF_THE_GATE = frozenset({"project.advance", SUBMIT, "review.call"})
"""Verbs before which everything is listed that the gate and the next stage still ask."""
_TOLD = ("number", "code", "gate", "tranche", "state", "status", "role", "amount_minor", "planned_on", "due_on")
"""Columns of any other thing that its page says too; nothing else of its row is shown."""
_REASON = "…"
"""Stands for a reason that is not typed yet: what is written does not hang on its words."""
_OF_PROJECTS = frozenset({"project", "review", "notice"})
"""Kinds of verbs whose page says where the project stands; others are about one paper, batch or finding of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is said before the button is pressed; plain values in one language."""

    facts: Sequence[Fact] = ()
    open: Sequence[Line] = ()
    entry: Sequence[EntryLine] = ()
    items: Sequence[NoticeItem] = ()
    """What the firm will be told, or was told and answers now."""
    items_title: str = ""
    lists_open: bool = False
    """Whether what is open is to be named, or that nothing is."""
    says: Sequence[str] = ()
    """What would change, a sentence each."""
    button: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Figures for the words of the button."""


def forecast(  # noqa: PLR0913 - whose page of which verb on which thing
    session: Session, visit: Visit, noun: Noun, row: Any, verb: AnyVerb, asked: Command | None, *, number: str
) -> Forecast:
    """Return what the page of a verb says of a thing; `asked` is the command, as far as it can be rehearsed.

    `number` is that of the batch which the verb is about, where it is about one.
    """
    words = Words(visit.lang, visit.house.zone)
    effects = melody.foresee(session, asked, stamp=visit.stamp) if asked is not None else None
    is_of_project = noun is PROJECTS and verb.object_type in _OF_PROJECTS
    told = _of_project(session, visit, row, verb, words) if is_of_project else _of_any(noun, row, words)
    if verb in _OF_BATCHES:
        told = replace(told, facts=_of_batch(session, row, number, words))
    values = {**told.values, **(_figures(effects) if effects else {})}
    says = [*_own_words(verb, values, words), *(_changes(effects, words) if effects else ())]
    return Forecast(
        facts=told.facts,
        open=told.open,
        entry=told.entry,
        lists_open=told.lists_open,
        items=told.items,
        items_title=told.items_title,
        says=says,
        button=_button(verb, values, words),
        values=values,
    )


def _of_any(noun: Noun, row: Any, words: Words) -> Forecast:
    if noun is PROJECTS:
        return Forecast(values={"number": row.number})
    known = {name: getattr(row, name, None) for name in _TOLD}
    kinds = {"code": "recovery"} if noun is RECOVERIES else None
    scribe = Scribe(words, str(getattr(row, "currency", None) or "CNY"), kinds)
    return Forecast(facts=scribe.facts(known, _TOLD))


def _of_batch(session: Session, row: Any, number: str, words: Words) -> list[Fact]:
    figures = present_figures(session, row.id, number.strip().upper())
    scribe = Scribe(words, str(figures.get("currency") or "CNY"))
    told = {"batch": number, **figures, "defects": ", ".join(_counts(figures.get("defects") or {}))}
    return scribe.facts(told, ("batch", "started", "passed_first_time", "is_conforming", "defects", "cost_minor"))


def _counts(defects: Mapping[str, int]) -> list[str]:
    return [f"{name}={many}" for name, many in defects.items()]


def begun(session: Session, row: Any, verb: AnyVerb, typed: Typing | None) -> Typing | None:
    """Return what a form begins with: a correction with all present figures of its batch, so that it loses none."""
    number = str(typed.get("number", "")) if typed is not None else ""
    figures = present_figures(session, row.id, number.strip().upper()) if verb is CORRECT_BATCH and number else {}
    if typed is None or not figures:
        return typed
    currency, conforming = str(figures["currency"] or "CNY"), figures["is_conforming"]
    known = {
        "started": figures["started"],
        "passed_first_time": figures["passed_first_time"],
        "is_conforming": "" if conforming is None else "yes" if conforming else "no",
        "defects": "\n".join(_counts(figures["defects"] or {})),
        "cost_minor": "" if figures["cost_minor"] is None else Money(figures["cost_minor"], currency).plain,
        "currency": figures["currency"] or "",
    }
    return QueryParams({**{name: str(value) for name, value in known.items()}, **dict(typed)})


_OF_BATCHES = (CORRECT_BATCH, CLOSE_BATCH)


def _of_project(session: Session, visit: Visit, row: Any, verb: AnyVerb, words: Words) -> Forecast:
    (facts,) = gates(session, [row.id], visit.stamp)
    found = overview(session, row.id, today=visit.today)
    people = people_who_owe(session, [row.id])
    gate = lines(facts, people, visit.lang)
    entry = entry_lines(facts, people, visit.lang, visit.actor.person_id)
    missing = [one for one in gate if not one.is_met]
    target = "" if facts.has_ended else str(facts.next_stage())
    shown = {
        "organisation": found["organisation"],
        "platform": found["platform"],
        "stage": words.word("state", row.stage),
        "due_on": facts.run.due_on if facts.run else None,
        "open_items": words.t("gate.tally", met=len(gate) - len(missing), count=len(gate)) if gate else None,
        "until_on": facts.hold.until_on if facts.hold else None,
        "next_tranche": _tranche(session, visit, row, words),
    }
    limits = facts.pack.limits
    values = {
        "number": row.number,
        "state": str(row.stage),
        "target": target,
        "count": len(missing) + len(entry),
        "limit": limits.hold_calendar_days,
        "used": facts.recycles_of(ProjectState(row.stage)),
        "most": limits.recycles_per_stage,
        "day": facts.hold.until_on.isoformat() if facts.hold else None,
        "days": limits.transfer_accept_days,
    }
    items = _items(session, row, facts, verb)
    told = notice_items(facts, items, people, visit.lang)
    if verb.object_type == "notice":
        met = sum(bool(one.is_met) for one in told)
        due = facts.calendar.add_working_days(visit.today, facts.asked.completion_days) if target else None
        values |= {"items": len(told), "count": len(told), "met": met, "left": len(told) - met, "due": words.day(due)}
        values |= {"firm": found["organisation"] or "–"}
        values |= {"days": facts.asked.completion_days, "rounds": facts.asked.completion_rounds} if target else {}
    is_asked = verb.permission in OF_THE_GATE
    return Forecast(
        facts=Scribe(words).facts(shown, shown),
        open=missing if is_asked else (),
        entry=entry if is_asked else (),
        lists_open=is_asked,
        items=told,
        items_title=words.t(_TITLES[verb.permission], count=len(told)) if told else "",
        values=values,
    )


_TITLES: Mapping[str, str] = {ISSUE_NOTICE.permission: "act.will_tell", ANSWER_NOTICE.permission: "act.asked_of_you"}


def _items(session: Session, row: Any, facts: ProjectFacts, verb: AnyVerb) -> Sequence[str]:
    """Return what the notice names that a verb sends, or that it answers."""
    if verb is ISSUE_NOTICE and not facts.has_ended:
        return owed_by_firm(facts)
    told = notices(session, row.id) if verb is ANSWER_NOTICE else []
    return next((one["clauses"] for one in told if one["answered_on"] is None and one["is_present"]), ())


def _tranche(session: Session, visit: Visit, row: Any, words: Words) -> str:
    """Return the next tranche that is still to be paid, for who may read it."""
    boxes = money_boxes(session, visit, visit.rights, row.id, words)
    following = [(one.following, one.currency) for one in boxes if one.following]
    return "; ".join(
        f"{one.tranche} {words.money(one.amount_minor, currency)} {words.word('state', one.payout_state or one.state)}"
        for one, currency in following
    )


def _figures(effects: Effects) -> dict[str, Any]:
    return {name: value for name, value in effects.says.items() if isinstance(value, str | int)}


def _own_words(verb: AnyVerb, values: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Give the sentence that the catalogue has for this verb alone."""
    if is_known(f"page.foreseen.{verb.permission}"):
        yield words.t(f"foreseen.{verb.permission}", **values)
    if values.get("left") and is_known(f"page.foreseen.{verb.permission}_open"):
        yield words.t(f"foreseen.{verb.permission}_open", **values)


def _button(verb: AnyVerb, values: Mapping[str, Any], words: Words) -> str:
    is_early = verb.permission == SUBMIT and values.get("count")
    own = f"button.{verb.permission}{'_open' if is_early else ''}"
    return words.t(own, **values) if is_known(f"page.{own}") else words.verb(verb.permission)


def _changes(effects: Effects, words: Words) -> Iterator[str]:
    """Say what a command would write: moves, days and amounts that change, what begins, who is told."""
    for act in effects.acts:
        what = words.word("object", act.object_type)
        if act.row is not None and act.from_state != act.to_state and act.event:
            before, after = (words.word("state", one) for one in (act.from_state, act.to_state))
            yield words.t("foreseen.moves", what=what, before=before, after=after)
        yield from _values(act, what, words)
    tables: dict[str, int] = {}
    for table, _ in effects.rows:
        tables[str(table.__tablename__)] = tables.get(str(table.__tablename__), 0) + 1
    for name, many in tables.items():
        if is_known(f"object.{name}"):
            yield words.t("foreseen.begins", what=words.word("object", name), count=many)
    kinds = dict.fromkeys(message.kind for message in effects.messages)
    if kinds:
        yield words.t("foreseen.tells", what=[words.word("kind_of_message", kind) for kind in kinds])


def _values(act: Act, what: str, words: Words) -> Iterator[str]:
    currency = str(act.values.get("currency") or getattr(act.row, "currency", None) or "CNY")
    for name, value in act.values.items():
        is_day, is_amount = isinstance(value, date) and name.endswith("_on"), name.endswith("_minor")
        before = getattr(act.row, name, None) if act.row is not None else None
        if not (is_day or is_amount) or value in (None, before) or name not in _SAID:
            continue
        shown = words.money(value, currency) if is_amount else words.day(value)
        was = None if before is None else words.money(before, currency) if is_amount else words.day(before)
        key = "foreseen.will_be" if was is None else "foreseen.changes"
        yield words.t(key, what=what, field=words.heading(name), before=was, after=shown)


_SAID = frozenset({"due_on", "maximum_on", "until_on", "amount_minor", "pay_by_on", "transfer_due_on"})
"""Columns whose change is told."""


def rehearsable(asked: Sequence[Input]) -> dict[str, Any] | None:
    """Return values to rehearse a verb with where only its reason is still missing; None where more is."""
    needed = [one.name for one in asked if one.is_required]
    return dict.fromkeys(needed, _REASON) if set(needed) <= {"reason"} else None
