"""On which day a verdict may change by itself: something begins to count, runs out or grows too old."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from lifecycle.calendar import add_months
from lifecycle.stages.forms import day, rows
from lifecycle.stages.records import EvidenceRecord, Records, Values
from lifecycle.standards.pack import FormField, Pack

_ONE_DAY = timedelta(days=1)


def next_change(pack: Pack, records: Records) -> date | None:
    """Return the first day after the records' own on which a verdict may change by itself, or None.

    Which days of a form a rule minds is not asked: a day too many costs one look, a day too few leaves a wrong verdict.
    """
    lasts = [
        *(item.valid_until for item in records.evidence),
        *(scenario.valid_until for scenario in records.scenarios),
        *(waiver.until for waiver in records.waivers if waiver.confirmed),
        *(notice.ends_on for notice in records.notices),
    ]
    months = _months(pack)
    days = {change for last in lasts if last is not None for change in _after(last)}
    days.update(change for item in records.evidence for change in _of_form(pack, item, months, records.today))
    return min((one for one in days if one > records.today), default=None)


def _months(pack: Pack) -> frozenset[int]:
    """Return the ages at which a criterion of this standard takes a dated paper for too old (`months`)."""
    asked = (item.parameters.get("months") for stage in pack.stages for item in stage.criteria)
    return frozenset(age for age in asked if isinstance(age, int))


def _of_form(pack: Pack, item: EvidenceRecord, months: frozenset[int], today: date) -> Iterator[date]:
    """Yield the days on which a dated value begins to count, runs out or is too old; validity is known already."""
    if not pack.has_evidence_type(item.type):
        return
    kind = pack.evidence_type(item.type)
    for said in _days(kind.fields, item.values, kind.valid_until_field):
        yield said
        yield from _after(said)
        if said <= today:
            yield from (add_months(said, age) + _ONE_DAY for age in months)


def _days(fields: Iterable[FormField], values: Values, known: str | None = None) -> Iterator[date]:
    for field in fields:
        if field.kind == "table":
            for row in rows(values, field.name):
                yield from _days(field.columns, row)
        elif field.kind == "date" and field.name != known and (said := day(values, field.name)) is not None:
            yield said


def _after(last: date) -> tuple[date, ...]:
    return (last + _ONE_DAY,) if last < date.max else ()
