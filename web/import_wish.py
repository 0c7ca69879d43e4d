"""A table of projects that was sent, and what is to be made of it: all of it stands in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData, QueryParams

from lifecycle.errors import Invalid, unmet
from lifecycle.imports.accepted import destination
from lifecycle.imports.arrivals import Destination
from lifecycle.imports.columns import CURRENCY_USUAL, Choice, Layout, layout_of, look_at, mapping_of
from lifecycle.imports.mapping import Mapping as ProjectMapping
from lifecycle.imports.mapping import load_mapping, shipped_mappings
from lifecycle.imports.problems import Unreadable
from web.project_book import spoken
from web.reading_rights import as_id
from web.sent_files import as_invalid, key_of, need_own
from web.session import Visit

SAID = ("name", "mapping", "programme", "platform")
_MORE = ("stage", "currency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for."""

    sha256: str
    name: str
    mapping: str
    """One that comes with Pilotway; empty where the columns are matched."""
    programme: str
    platform: str
    row: int | None = None
    """Of the header, where somebody says it."""
    columns: tuple[str, ...] = ()
    stage: str = ""
    currency: str = CURRENCY_USUAL

    @property
    def query(self) -> Sequence[tuple[str, str]]:
        """Return the parts that stand behind the question mark."""
        parts = [(name, getattr(self, name)) for name in SAID]
        if self.row is not None:
            parts.append(("row", str(self.row)))
        if self.columns:
            parts += [("column", one) for one in self.columns]
            parts += [(name, getattr(self, name)) for name in _MORE]
        return parts

    @property
    def how(self) -> Mapping[str, Any]:
        """Return how the file is read, as it is remembered."""
        if self.mapping:
            return {"mapping": self.mapping}
        return {"columns": self.columns, "stage": self.stage, "currency": self.currency}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What follows from a wish: the mapping, where the projects go, the hash by which its headings are known."""

    mapping: ProjectMapping
    into: Destination
    layout: str


def wish_of(visit: Visit, sent: str, said: QueryParams | FormData) -> Wish:
    """Return the wish of an address or form; `NotFound` where this session did not send the file itself."""
    texts = {name: str(said.get(name) or "") for name in (*SAID, *_MORE, "key", "row")}
    need_own(visit, sent, texts["key"])
    row = texts["row"]
    return Wish(
        sha256=sent,
        **{name: texts[name] for name in SAID},
        row=int(row) if row.isascii() and row.isdigit() and len(row) < 6 else None,
        columns=tuple(str(one) for one in said.getlist("column")),
        stage=texts["stage"],
        currency=texts["currency"] or CURRENCY_USUAL,
    )


def address(visit: Visit, wish: Wish, more: str = "", **further: str) -> str:
    """Return where a wish is looked at."""
    parts = [*wish.query, ("key", key_of(visit, wish.sha256)), *further.items()]
    return f"/import/{wish.sha256}{more}?{urlencode(parts)}"


def mapping_named(name: str) -> ProjectMapping:
    """Return a mapping that comes with Pilotway."""
    known = {path.stem: path for path in shipped_mappings()}
    if name not in known:
        raise Invalid(unmet("mapping_not_found", field="mapping", name=name, known=sorted(known)))
    return load_mapping(known[name])


def header_of(path: Path, row: int | None = None) -> Layout:
    """Return the header of the file; `Invalid` for what is no table."""
    try:
        return look_at(path, spoken(), row)
    except Unreadable as problem:
        raise as_invalid(problem) from problem


def read_as(visit: Visit, path: Path, wish: Wish) -> Read:
    """Return how the file is read; `Invalid` names what the choice lacks."""
    programme_id, platform_id = as_id(wish.programme), as_id(wish.platform)
    into = programme_id and visit.read(lambda session: destination(session, programme_id, platform_id))
    if not into:
        raise Invalid(unmet("field_missing", field="programme"))
    if wish.mapping:
        mapping = mapping_named(wish.mapping)
        return Read(
            mapping=mapping, into=replace(into, source=mapping.source), layout=layout_of("mapping", wish.mapping)
        )
    header = header_of(path, wish.row)
    choice = Choice(columns=wish.columns, stage=wish.stage, currency=wish.currency)
    return Read(mapping=mapping_of(header, choice, spoken(), into.source), into=into, layout=header.known_as)
