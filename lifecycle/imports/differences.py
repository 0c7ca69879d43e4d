"""What a row says otherwise than the last time: what a project keeps of its source, before and after. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Change: TypeAlias = tuple[str, Any, Any]
"""(field, or the heading of an amount or a fact; before; after): texts, numbers, or (minor, currency) of an amount."""
_FIELDS = {"name": "organisation", "key": "organisation_id", "country": "organisation_country",
           "kind": "organisation_kind", "credit_code": "credit_code"}  # fmt: skip
_HEADED = "="
"""Stands before a name that is a heading of the table, not a field of ours."""


def changes_of(
    name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any], new_name: str | None
) -> Iterator[Change]:
    """Yield every field in which two rows of one project differ; `None` stands where one of them says nothing."""
    was, now = dict(_flat(name, before or {})), dict(_flat(new_name or "", after))
    for field in dict.fromkeys((*was, *now)):
        if was.get(field) != now.get(field):
            yield field, was.get(field), now.get(field)


def heading_of(field: str) -> str | None:
    """Return the heading that a change is about, None where it is about a field."""
    return field.removeprefix(_HEADED) if field.startswith(_HEADED) else None


def _flat(name: str, told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "name", name or None
    yield "stage", told.get("stage")
    for key, value in told.get("organisation", {}).items():
        yield _FIELDS[key], value
    for key, day in told.get("dates", {}).items():
        yield key, _day(day)
    yield from told.get("levels", {}).items()
    for one in told.get("money", ()):
        yield f"{_HEADED}{one['label']}", (one["amount_minor"], one["currency"])
    for label, value in told.get("facts", {}).items():
        yield f"{_HEADED}{label}", value


def _day(day: Mapping[str, str]) -> str:
    """Return a day as exactly as the source gives it."""
    return day["on"][: {"year": 4, "month": 7}.get(day["precision"], 10)]
