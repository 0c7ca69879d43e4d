"""What a gate asks, in words and with names: pages, command line and messages say it alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.errors import Unmet
from lifecycle.people.queries import Holder, WhoOwes
from lifecycle.projects.facts import ProjectFacts
from lifecycle.projects.rules import entry_met, entry_open
from lifecycle.requirements.rules import still_owed
from lifecycle.stages.judgement import Verdict
from lifecycle.standards.pack import Pack
from lifecycle.standards.part import Text
from lifecycle.verdicts.packs import packs_of
from models.money import Money
from models.projects import Project
from models.reading import table_of
from models.states import Role
from notifications.words import Lang, explain_unmet, title


def in_language(text: Text, lang: Lang) -> str:
    """Return a sentence of the standard in one language."""
    return text.zh if lang == "zh-CN" else text.en


def called(pack: Pack, lang: Lang) -> str:
    """Return what people call a version of a standard: its title, its code and the version."""
    return f"{in_language(pack.title, lang)} {pack.code} {pack.version}"


def type_names(pack: Pack, lang: Lang) -> dict[str, str]:
    """Return the titles of the evidence types of a standard."""
    return {kind.id: in_language(kind.title, lang) for kind in pack.evidence_types}


def parameter(name: str, value: Any, lang: Lang) -> tuple[str, str]:
    """Return the name and the value of a number of a standard as people read them: shares in percent, money in full."""
    return title("parameter", name, lang), _value(name, value, lang)


def _value(name: str, value: Any, lang: Lang) -> str:
    if isinstance(value, bool):
        return title("answer", "yes" if value else "no", lang)
    if isinstance(value, int) and name.endswith("_minor"):
        return Money(value, "EUR" if name.startswith("eu_") else "CNY").display
    if isinstance(value, float):
        is_share = 0 < value <= 1 and not name.startswith("ratio")
        return f"{value * 100:.6g}%" if is_share else f"{value:g}"
    if isinstance(value, str):
        chosen = title("choice", value, lang)
        return title("kind", value, lang) if chosen == value else chosen
    if isinstance(value, Mapping):
        return "; ".join(f"{title('parameter', key, lang)} {_value(key, one, lang)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ("、" if lang == "zh-CN" else ", ").join(_value(name, one, lang) for one in value)
    return str(value)


def reasons_of(verdict: Verdict) -> list[Unmet]:
    """One reason for each party that owes something; at least one, for its words."""
    base = Unmet(
        code=verdict.code,
        clause=verdict.clause,
        verdict=verdict.state,
        values=verdict.values,
        due_on=verdict.due_on,
        suffices=verdict.suffices,
    )
    return [replace(base, party=owes.party, role=owes.role) for owes in verdict.owed_by] or [base]


def named(reason: Unmet, project_id: UUID, known: WhoOwes) -> Unmet:
    """Return the reason with the names of those who owe it, where it says no names itself, and of those who may not.

    Where a role is missing, those who have it for this project are named.
    """
    if reason.people:
        return reason
    if reason.role is None:
        roles = reason.values.get("needs", ()) if reason.code == "role" else ()
        found = {holder.name for role in roles for holder in known.get((project_id, Role(role)), ())}
        return replace(reason, people=tuple(sorted(found)))
    holders, barred = known.get((project_id, Role(reason.role)), ()), set(reason.values.get("not_by", ()))
    able = tuple(holder.name for holder in holders if str(holder.person_id) not in barred)
    return replace(reason, people=able, but_not=tuple(one.name for one in holders if str(one.person_id) in barred))


def standard_names(session: Session, project_id: UUID, lang: Lang) -> dict[str, str]:
    """Return the titles of the evidence types of a project's standard, in one language."""
    project = table_of(Project)
    sha256 = session.execute(select(project.c.pack_sha256).where(project.c.id == project_id)).scalar_one_or_none()
    if sha256 is None:
        return {}
    pack = packs_of(session, [sha256])[sha256]
    return type_names(pack, lang)


def is_among(reason: Unmet, project_id: UUID, known: WhoOwes, person_id: UUID) -> bool:
    """Say whether this person is among those to ask, and did not hand in what is to be judged."""
    holders: tuple[Holder, ...] = known.get((project_id, Role(reason.role)), ()) if reason.role else ()
    barred = reason.values.get("not_by", ())
    return str(person_id) not in barred and any(one.person_id == person_id for one in holders)


def entry_reasons(facts: ProjectFacts) -> list[Unmet]:
    """Return what the next stage asks on entry and the gate does not ask already."""
    known = {verdict.clause for verdict in facts.verdicts}
    return [one for one in entry_met(facts) if one.clause not in known]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """One thing that the next stage asks on entry, as people read it."""

    reason: str
    party: str
    owed_by: str
    """Party, role and people, in words."""
    evidence: str
    """Type of the document that shows it; empty where none does."""
    title: str
    """Of that document."""
    is_yours: bool
    """The reader is among those to ask."""


def entry_lines(facts: ProjectFacts, people: WhoOwes, lang: Lang, person_id: UUID) -> list[EntryLine]:
    """Return what stands between the gate and the next stage, for one reader."""
    names, found = type_names(facts.pack, lang), []
    for one in entry_reasons(facts):
        words = explain_unmet(named(one, facts.project.id, people), lang, names)
        evidence = str(one.values.get("evidence", ""))
        found.append(
            EntryLine(
                reason=words.what,
                party=one.party or "",
                owed_by=words.owed_by,
                evidence=evidence,
                title=names.get(evidence, evidence),
                is_yours=is_among(one, facts.project.id, people, person_id),
            )
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One requirement of a gate, as people read it."""

    clause: str
    title: str
    verdict: str
    is_met: bool
    reason: str
    parties: tuple[str, ...]
    owed_by: tuple[str, ...]
    """Party, role and people, in words."""
    since_on: date | None
    due_on: date | None
    suffices: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeItem:
    """One thing that a completion notice names, and where it stands now."""

    clause: str
    """Empty where it is asked on entry to the next stage by no criterion."""
    title: str
    text: str
    verdict: str
    """Stored word of its verdict; empty for what is asked on entry, and for what a passed stage asked."""
    is_met: bool | None
    """None where the visit is over in which it was asked."""
    reason: str
    suffices: str


def notice_items(
    facts: ProjectFacts, named_in: Sequence[str], people: WhoOwes, lang: Lang, *, is_present: bool = True
) -> list[NoticeItem]:
    """Return the items of a completion notice in their order, as they stand now where it is of the present visit."""
    known = {line.clause: line for line in lines(facts, people, lang)} if is_present else {}
    asked = {reason.clause or name: reason for name, reason in entry_open(facts)} if is_present else {}
    still = still_owed(facts, named_in) if is_present else ()
    names, found = type_names(facts.pack, lang), []
    for one in named_in:
        line, entry = known.get(one), asked.get(one)
        criterion = facts.pack.criterion(one) if facts.pack.has(one) else None
        reason = line.reason if line is not None else explain_unmet(entry, lang, names).what if entry else ""
        found.append(
            NoticeItem(
                clause=one if criterion is not None else "",
                title=in_language(criterion.title, lang) if criterion is not None else title("on_entry", one, lang),
                text=in_language(criterion.text, lang) if criterion is not None else "",
                verdict=line.verdict if line is not None else "",
                is_met=one not in still if is_present else None,
                reason=reason if one in still else "",
                suffices=line.suffices if line is not None and one in still else "",
            )
        )
    return found


def waits_since(verdict: Verdict, facts: ProjectFacts) -> date | None:
    """Return since when a requirement waits for who owes it: the day of its last paper, else of the stage."""
    if facts.run is None:
        return None
    asked = facts.pack.criterion(verdict.clause).evidence
    papers = facts.records.evidence if facts.records is not None else ()
    began: date = facts.run.opened_on
    return max([began, *(one.submitted_on for one in papers if one.type in asked)])


def lines(facts: ProjectFacts, people: WhoOwes, lang: Lang) -> list[Line]:
    """Return every requirement of the present stage, the open ones first: who owes it, since when, until when."""
    found = [_line(verdict, facts, people, lang) for verdict in facts.verdicts]
    return sorted(found, key=lambda line: line.is_met)


def _line(verdict: Verdict, facts: ProjectFacts, people: WhoOwes, lang: Lang) -> Line:
    reasons = [named(reason, facts.project.id, people) for reason in reasons_of(verdict)]
    words = [explain_unmet(reason, lang, type_names(facts.pack, lang)) for reason in reasons]
    return Line(
        clause=verdict.clause,
        title=in_language(facts.pack.criterion(verdict.clause).title, lang),
        verdict=str(verdict.state),
        is_met=verdict.passes,
        reason=words[0].what,
        parties=tuple(reason.party for reason in reasons if reason.party),
        owed_by=tuple(word.owed_by for word in words if word.owed_by),
        since_on=waits_since(verdict, facts),
        due_on=verdict.due_on,
        suffices=words[0].suffices,
    )
