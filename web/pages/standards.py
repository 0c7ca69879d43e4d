"""Standards: the list, one version in full, two versions beside each other, and whom a new one would touch."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import yaml
from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.errors import NotFound
from lifecycle.people.queries import drafts, standards
from lifecycle.permissions import PERMISSIONS
from lifecycle.projects.board import COUNTED
from lifecycle.projects.queries import living_count
from lifecycle.standards import library
from lifecycle.standards.compare import compare
from lifecycle.standards.difference import Difference, differences
from lifecycle.standards.pack import Criterion, Pack
from lifecycle.verdicts.packs import packs_of
from notifications.gates import in_language, parameter, type_names
from notifications.words import sentence
from web.listing import Column, Listing, answer, wanted
from web.pages.impact import Impact, impact_of, table_of_clauses
from web.render import Words, page
from web.session import Somebody, Visit

router = APIRouter()
_STRENGTHS = {"H": "hard", "C": "conditional", "W": "waivable"}


@router.get("/standards")
@router.get("/standards.{form}")
def list_standards(visit: Somebody, form: str = "") -> Response:
    """List the published versions, the newest of each code with what to compare it with."""

    def work(session: Session) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Mapping[str, Pack]]:
        found = standards(session)
        return found, drafts(session), packs_of(session, [one["sha256"] for one in found])

    rows, waiting, packs = visit.read(work)
    before: dict[str, str] = {}
    told: list[dict[str, Any]] = []
    for one in rows:
        previous = before.get(one["code"], "")
        links = {
            "title": in_language(packs[one["sha256"]].title, visit.lang),
            "url": f"/standards/{one['code']}/{one['version']}",
        }
        if previous:
            links |= {"diff": f"/standards/{one['code']}/diff/{previous}..{one['version']}", "previous": previous}
        told.append({**one, **links})
        before[one["code"]] = one["version"]
    listing = Listing(name="standards", columns=_STANDARDS, rows=told)
    may = {"may_edit": bool(visit.roles & PERMISSIONS["standard_draft.propose"])}
    return answer(visit, listing, wanted(form), "standards.html", **may, drafts=waiting if may["may_edit"] else ())


@router.get("/standards/{code}/{version}")
def show_standard(visit: Somebody, code: str, version: str) -> Response:
    """Show one version: what each stage asks for, of whom, until when, from which evidence."""
    if version.endswith(".yaml"):
        return _as_yaml(visit, code, version.removesuffix(".yaml"))

    def work(session: Session) -> tuple[Any, Pack, list[str], int]:
        rows = standards(session)
        row = _row(rows, code, version)
        others = [one["version"] for one in rows if one["code"] == code and one["version"] != version]
        return (
            row,
            packs_of(session, [row["sha256"]])[row["sha256"]],
            others,
            living_count(session, row["sha256"], most=COUNTED),
        )

    row, pack, others, count = visit.read(work)
    words = Words(visit.lang, visit.house.zone)
    stages = [_stage(pack, stage, words) for stage in pack.stages]
    title = in_language(pack.title, visit.lang)
    return page(
        visit,
        "standard.html",
        row=row,
        pack=pack,
        title=title,
        stages=stages,
        others=others,
        living=words.at_least(count, COUNTED),
        may_edit=bool(visit.roles & PERMISSIONS["standard_draft.propose"]),
    )


@router.get("/standards/{code}/diff/{pair}")
def diff(visit: Somebody, code: str, pair: str) -> Response:
    """Show what differs between two versions, with signs and words, and whom it would touch."""

    def work(session: Session) -> tuple[Pack, Pack, Impact]:
        old, new = _pair(session, code, pair)
        return old, new, impact_of(session, visit, old, new)

    old, new, impact = visit.read(work)
    here = f"/standards/{code}/diff/{pair}"
    return page(visit, "standard_diff.html", code=code, **comparison(visit, old, new), impact=impact, here_at=here)


@router.get("/standards/{code}/diff/{pair}/simulation.{form}")
def simulation(visit: Somebody, code: str, pair: str, form: str) -> Response:
    """Give the clauses at which another version would have said something else, as a table."""
    return answer(
        visit, visit.read(lambda session: table_of_clauses(session, visit, *_pair(session, code, pair))), wanted(form)
    )


def _pair(session: Session, code: str, pair: str) -> tuple[Pack, Pack]:
    first, _, second = pair.partition("..")
    rows = standards(session)
    old, new = (_row(rows, code, one)["sha256"] for one in (first, second))
    known = packs_of(session, [old, new])
    return known[old], known[new]


def comparison(visit: Visit, old: Pack, new: Pack) -> dict[str, Any]:
    """Return what a page says of two packs beside each other."""
    words = Words(visit.lang, visit.house.zone)
    found = differences(old, new)
    looser = [sentence(one.code, one.values, visit.lang) for one in compare(old, new) if one.path != "based_on"]
    return {
        "first": old.version,
        "second": new.version,
        "parts": _by_part(found, old, new, words),
        "count": len(found),
        "looser": looser,
    }


def _row(rows: Sequence[Mapping[str, Any]], code: str, version: str) -> Mapping[str, Any]:
    found = next((one for one in rows if (one["code"], one["version"]) == (code, version)), None)
    if found is None:
        raise NotFound(NotFound.code)
    return found


def _as_yaml(visit: Visit, code: str, version: str) -> Response:
    def work(session: Session) -> Pack:
        sha256 = _row(standards(session), code, version)["sha256"]
        return packs_of(session, [sha256])[sha256]

    pack = visit.read(work)
    name = f'attachment; filename="{code}-{version}.yaml"'
    return Response(
        text_of_pack(pack), media_type="application/yaml; charset=utf-8", headers={"content-disposition": name}
    )


def text_of_pack(pack: Pack, gate: str = "") -> str:
    """Return a pack as the one YAML document that an editor changes, or one gate of it; the rest is as it always is."""
    said = pack.model_dump(mode="json", exclude_defaults=True)
    if gate:
        said = {
            **{key: said[key] for key in ("code", "version")},
            library.REST: f"{pack.code}@{pack.version}",
            **{
                part: [one for one in said.get(part, ()) if one["gate"] == gate]
                for part in ("evidence_types", "stages")
            },
        }
    return str(yaml.dump(said, Dumper=_Short, allow_unicode=True, sort_keys=False, width=160))


class _Short(yaml.CSafeDumper):
    """Writes what is small on one line: a field of a form, the parameters of a clause."""


_ON_ONE_LINE = 2
"""Levels of lists and mappings."""


def _levels(value: Any) -> int:
    if not isinstance(value, Mapping | list):
        return 0
    return 1 + max(map(_levels, value.values() if isinstance(value, Mapping) else value), default=0)


def _mapping(dumper: Any, value: Mapping[str, Any]) -> Any:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=_levels(value) <= _ON_ONE_LINE)


def _sequence(dumper: Any, value: list[Any]) -> Any:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=_levels(value) <= _ON_ONE_LINE)


_Short.add_representer(dict, _mapping)
_Short.add_representer(list, _sequence)


def _stage(pack: Pack, stage: Any, words: Words) -> dict[str, Any]:
    return {
        "id": str(stage.id),
        "gate": stage.gate,
        "title": in_language(stage.title, words.lang),
        "target": words.t(f"rail.target_{stage.default_unit}", target=stage.default_days),
        "most": words.t(f"standard.most_{stage.maximum_unit}", count=stage.maximum_days),
        "panel": words.t(f"standard.panel_{stage.panel.kind}", count=stage.panel.minimum_members),
        "criteria": [_criterion(pack, one, words) for one in stage.criteria],
    }


def _criterion(pack: Pack, one: Criterion, words: Words) -> dict[str, Any]:
    names = type_names(pack, words.lang)
    owed = [f"{words.word('party', owes.party)} {words.word('role', owes.role)}" for owes in one.owed_by]
    return {
        "clause": one.id,
        "title": in_language(one.title, words.lang),
        "text": in_language(one.text, words.lang),
        "how": [words.t(f"standard.how_{how}") for how in one.how],
        "strength": words.t(f"standard.strength_{_STRENGTHS[one.strength]}"),
        "owed": owed,
        "judged": [words.word("role", judge.role) for judge in one.judges],
        "evidence": [names[kind] for kind in one.evidence],
        "due": words.t(
            f"standard.due_{one.due.unit}", anchor=words.t(f"standard.anchor_{one.due.anchor}"), count=one.due.days
        ),
        "parameters": [parameter(name, value, words.lang) for name, value in one.parameters.items()],
    }


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(one)}" for key, one in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _by_part(found: Sequence[Difference], old: Pack, new: Pack, words: Words) -> list[dict[str, Any]]:
    """Return the differences in groups: by clause, else by the stage or chapter that they stand in."""
    ordered = [(one.clause or one.path.partition("/")[0], one) for one in found]
    groups = groupby(
        sorted(ordered, key=lambda pair: (not pair[1].clause, _natural(pair[0]))), key=lambda pair: pair[0]
    )
    return [
        {"name": name, "title": _title(name, old, new, words), "rows": [_told(one, name, words) for _, one in rows]}
        for name, rows in groups
    ]


def _natural(name: str) -> tuple[str, int]:
    gate, _, number = name.partition(".")
    return gate, int(number) if number.isdecimal() else 0


def _title(name: str, old: Pack, new: Pack, words: Words) -> str:
    pack = next((one for one in (new, old) if one.has(name)), None)
    return in_language(pack.criterion(name).title, words.lang) if pack else words.word("state", name)


def _told(one: Difference, name: str, words: Words) -> dict[str, Any]:
    _, _, tail = one.path.partition(f"{name}/")
    if tail in _TEXTS:
        return {"path": words.t(f"diff.{_TEXTS[tail]}"), "kind": one.kind, "old": one.old, "new": one.new}
    _, is_parameter, own = tail.rpartition("parameters/")
    if is_parameter and "/" not in own:
        said = {
            key: None if value is None else parameter(own, value, words.lang)[1]
            for key, value in (("old", one.old), ("new", one.new))
        }
        return {"path": words.word("parameter", own), "kind": one.kind, **said}
    shown = {"old": None if one.old is None else _value(one.old), "new": None if one.new is None else _value(one.new)}
    return {"path": tail or one.path, "kind": one.kind, **shown}


_TEXTS = {"title/zh": "title_zh", "title/en": "title_en", "text/zh": "text_zh", "text/en": "text_en"}
"""Places that hold what a clause says, and their words."""


_STANDARDS = (
    Column(key="title", link="url", label="standard_title"),
    Column(key="code", label="own_code"),
    Column(key="version", link="url"),
    Column(key="published_at", kind="at"),
    Column(key="previous", link="diff", label="compared_with"),
    Column(key="sha256", kind="hash"),
)
