"""The whole list behind a completion notice: each requirement with what exactly is missing, in both languages."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlmodel import Session

from lifecycle.commands import Stamp
from lifecycle.errors import Unmet
from lifecycle.projects.queries import gates
from lifecycle.projects.rules import entry_open
from lifecycle.stages.judgement import Verdict
from lifecycle.standards.pack import Pack
from notifications.words import Lang, explain_unmet, title

_LANGS: tuple[tuple[str, Lang], ...] = (("zh", "zh-CN"), ("en", "en"))


def owed_items(session: Session, project_ids: Collection[UUID], stamp: Stamp) -> dict[UUID, list[dict[str, Any]]]:
    """Return project -> every requirement of its present stage, then what the next one asks on entry, with what lacks.

    Judged in one go for all projects: a notice tells what is missing, not only where (一次性告知).
    """
    return {
        facts.project.id: [
            *(_item(verdict, facts.pack) for verdict in facts.verdicts),
            *(_entry_item(name, reason, facts.pack) for name, reason in entry_open(facts)),
        ]
        for facts in gates(session, list(dict.fromkeys(project_ids)), stamp)
    }


def _entry_item(name: str, reason: Unmet, pack: Pack) -> dict[str, Any]:
    """Return what the next stage asks on entry: by its criterion where it has one, else by its name."""
    is_clause = reason.clause is not None and pack.has(reason.clause)
    said = pack.criterion(str(reason.clause)).title.model_dump() if is_clause else None
    return {
        "key": reason.clause or name,
        "clause": reason.clause or "",
        "title": said or {key: title("on_entry", name, lang) for key, lang in _LANGS},
        "why": {key: [explain_unmet(reason, lang, _titles(pack, lang)).what] for key, lang in _LANGS},
    }


def _titles(pack: Pack, lang: Lang) -> dict[str, str]:
    return {kind.id: kind.title.zh if lang == "zh-CN" else kind.title.en for kind in pack.evidence_types}


def _item(verdict: Verdict, pack: Pack) -> dict[str, Any]:
    return {
        "key": verdict.clause,
        "clause": verdict.clause,
        "title": pack.criterion(verdict.clause).title.model_dump(),
        "why": {key: _lines(verdict, pack, lang) for key, lang in _LANGS},
    }


def _lines(verdict: Verdict, pack: Pack, lang: Lang) -> list[str]:
    reason = Unmet(code=verdict.code, clause=verdict.clause, values=verdict.values, suffices=verdict.suffices)
    said = explain_unmet(reason, lang, _titles(pack, lang))
    asked = pack.criterion(verdict.clause).text
    return [line for line in (asked.zh if lang == "zh-CN" else asked.en, said.what, said.suffices) if line]
