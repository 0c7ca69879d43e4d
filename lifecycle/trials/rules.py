"""What can stand in the way of recording trials. Pure: facts in, reasons out."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.stages.ladder import agreed_ladder, evidence_batches, refused_run
from models.limits import SHORT_TEXT
from models.states import BatchKind

if TYPE_CHECKING:
    from lifecycle.trials.facts import TrialFacts

MOST_UNITS = 10**9
MOST_VALUES = 10_000
LARGEST_VALUE = 1e300
MOST_MINOR = 10**13
"""The largest single amount in minor units (`safety.md` 2.2)."""


def evidence_open(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """Once a panel is called, records that a gate is computed from stand still like all evidence."""
    if not facts.has_open_review:
        return ()
    return (unmet("evidence_frozen", gate=facts.review.gate, planned=facts.review.planned_on.isoformat()),)


@about_input
def characteristic_sound(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A characteristic has a new name and at least one limit; the lower one lies below the upper one."""
    command = facts.command
    reasons = []
    if command.name in facts.characteristics:
        reasons.append(unmet("already_exists", field="characteristic", value=command.name))
    limits = [limit for limit in (command.lower_limit, command.upper_limit) if limit is not None]
    wrong = not limits or not all(map(math.isfinite, limits)) or limits != sorted(set(limits))
    if wrong or not command.name.strip() or not command.unit.strip():
        reasons.append(unmet("characteristic_limits", lower=command.lower_limit, upper=command.upper_limit))
    return tuple(reasons)


@about_input
def batch_new(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A batch number is used once."""
    number = facts.command.number
    if number is None:
        return ()
    if number in facts.batches:
        return (unmet("already_exists", field="batch", value=number),)
    return () if 0 < len(number) <= 10 else (unmet("batch_number_wrong", number=number[:20]),)


@about_input
def batch_known(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """The batch exists."""
    return () if facts.batch is not None else (unmet("batch_not_found", number=facts.command.number),)


@about_input
def batch_open(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A batch is closed once, and nothing is added to it afterwards: what was judged is only corrected."""
    closed = facts.batch is not None and facts.batch.is_closed
    return (unmet("batch_closed_already", number=facts.batch.number),) if closed else ()


@about_input
def figures_sound(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """0 <= passed first time <= started; money has a currency."""
    command = facts.command
    reasons = []
    if not 0 <= command.passed_first_time <= command.started <= MOST_UNITS or command.started < 1:
        reasons.append(unmet("batch_figures", passed=command.passed_first_time, started=command.started))
    if any(count < 0 for count in command.defects.values()):
        reasons.append(unmet("batch_defects"))
    return (*reasons, *_money_reasons(command.cost_minor, command.currency))


def _money_reasons(amount: int | None, currency: str | None) -> list[Unmet]:
    if (amount is None) != (currency is None) or (amount or 0) < 0:
        return [unmet("cost_needs_currency")]
    return [unmet("amount_over_limit", limit=MOST_MINOR)] if (amount or 0) > MOST_MINOR else []


@about_input
def size_sound(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A size is above zero, hours are not below."""
    size, hours = facts.command.size, facts.command.hours
    is_size = size is None or (math.isfinite(size) and size > 0)
    is_time = hours is None or (math.isfinite(hours) and hours >= 0)
    return () if is_size and is_time else (unmet("batch_size_wrong", size=size, hours=hours),)


@about_input
def made_already(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A batch was made today or earlier."""
    made_on = facts.command.made_on
    return () if made_on <= facts.stamp.today else (unmet("day_in_future", day=made_on.isoformat()),)


@about_input
def within_ladder(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A run above the size unlocked by evidence is refused (scale-up ladder)."""
    command = facts.command
    limits = facts.asked.run_limits if not facts.has_ended else None
    if limits is None or facts.records is None or command.kind != BatchKind.TRIAL:
        return ()
    ladder = agreed_ladder(limits, facts.records)
    if ladder is None:
        return ()
    size = command.size if command.size is not None else float(command.started)
    refused = refused_run(size, ladder, evidence_batches(facts.records))
    if refused is None:
        return ()
    return (Unmet(code=refused.code, values=asdict(refused)),)


def limit_used_up(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A limit agreed in the contract is used up and was not told in this visit (stop-loss)."""
    is_new = facts.spending is not None and facts.spending.new_hits()
    return () if is_new else (unmet("stop_loss_not_reached"),)


@about_input
def characteristic_known(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """Values are measured of a characteristic that was named before."""
    name = facts.command.characteristic
    return () if name in facts.characteristics else (unmet("characteristic_not_found", name=name),)


@about_input
def values_sound(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """Subgroups are of one size, 1 to 10 finite values each, at most 10,000 values at a time."""
    groups = facts.command.subgroups
    sizes = {len(group) for group in groups}
    values = [value for group in groups for value in group]
    sound = len(sizes) == 1 and 1 <= min(sizes) <= 10 and len(values) <= MOST_VALUES and all(map(_storable, values))
    return () if sound else (unmet("measurements_wrong", sizes=sorted(sizes), count=len(values)),)


def _storable(value: float) -> bool:
    return abs(value) <= LARGEST_VALUE  # also refuses what is no number


@about_input
def value_sound(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A measured value is a finite number."""
    return () if _storable(facts.command.value) else (unmet("measurements_wrong", sizes=[1], count=1),)


def measurement_of(facts: "TrialFacts") -> Any:
    """Return the standing value at this place, or None."""
    command = facts.command
    known = facts.values.get((facts.batch.id, command.characteristic), ()) if facts.batch is not None else ()
    return next((row for row in known if (row.subgroup, row.place) == (command.subgroup, command.place)), None)


@about_input
def measurement_known(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """Only a value that was recorded can be corrected."""
    if measurement_of(facts) is not None:
        return ()
    return (unmet("measurement_not_found", subgroup=facts.command.subgroup, place=facts.command.place),)


@about_input
def issue_sound(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A finding has a title, a severity 1 to 4, and a day that is not in the future."""
    command = facts.command
    reasons = []
    if not 0 < len(command.title.strip()) <= SHORT_TEXT:
        reasons.append(unmet("name_length", limit=SHORT_TEXT, length=len(command.title)))
    if not 1 <= command.severity <= 4:
        reasons.append(unmet("severity_range", severity=command.severity))
    if command.opened_on is not None and command.opened_on > facts.stamp.today:
        reasons.append(unmet("day_in_future", day=command.opened_on.isoformat()))
    if command.batch_number is not None and command.batch_number not in facts.batches:
        reasons.append(unmet("batch_not_found", number=command.batch_number))
    return tuple(reasons)


@about_input
def issue_open(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """Only an open finding can be closed."""
    issue = facts.issues.get(facts.command.number)
    return (
        () if issue is not None and issue.closed_on is None else (unmet("issue_not_open", number=facts.command.number),)
    )


@about_input
def disposition_given(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A finding is closed with its disposition."""
    return () if facts.command.disposition.strip() else (unmet("reason_missing"),)


@about_input
def track_startable(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """A verification is started once, and again after it failed."""
    track = facts.tracks.get(str(facts.command.verification))
    running = track is not None and track.started_on is not None and track.is_passed is not False
    if running:
        return (unmet("track_started_already", verification=facts.command.verification),)
    day = facts.command.started_on
    return () if day <= facts.stamp.today else (unmet("day_in_future", day=day.isoformat()),)


@about_input
def track_running(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """Only a running verification can be finished, and not before it began."""
    command = facts.command
    track = facts.tracks.get(str(command.verification))
    if track is None or track.started_on is None or track.finished_on is not None:
        return (unmet("track_not_running", verification=command.verification),)
    if not track.started_on <= command.finished_on <= facts.stamp.today:
        return (unmet("days_out_of_order", field="finished_on"),)
    return ()


@about_input
def customer_known(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """The customer is a known organisation."""
    customer = facts.command.customer_id
    return (
        () if customer is None or customer in facts.customers else (unmet("organisation_not_found", kind="customer"),)
    )


@about_input
def scenario_sound(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """Days of a scenario follow each other, counts are not negative, limits are limits."""
    command, known = facts.command, facts.scenarios.get(facts.command.site)
    reasons = []

    def now(name: str) -> Any:
        given = getattr(command, name)
        return given if given is not None else getattr(known, name, None)

    days = [now(name) for name in ("agreement_signed_on", "started_on", "ended_on", "report_signed_on")]
    told = [day for day in days if day is not None]
    if told != sorted(told):
        reasons.append(unmet("days_out_of_order", field="scenario"))
    if any(day > facts.stamp.today for day in told):
        reasons.append(unmet("day_in_future", day=max(told).isoformat()))
    if (command.units or 0) < 0 or (command.failures or 0) < 0:
        reasons.append(unmet("count_negative", field="units"))
    if not command.site.strip() or not _limits_sound(command.limits or {}):
        reasons.append(unmet("scenario_limits"))
    return tuple(reasons)


def _limits_sound(limits: Mapping[str, Any]) -> bool:
    return all(isinstance(limit, Mapping) and {"lower", "upper"} & set(limit) for limit in limits.values())


@about_input
def order_sound(facts: "TrialFacts") -> tuple[Unmet, ...]:
    """An order has a kind and a quantity from the start; money has a currency; days are past, payment after signing."""
    command, known = facts.command, facts.orders.get(facts.command.reference)
    reasons = []
    if known is None and (command.kind is None or command.quantity is None):
        reasons.append(unmet("order_incomplete"))
    if command.quantity is not None and command.quantity < 1:
        reasons.append(unmet("count_negative", field="quantity"))
    reasons.extend(_money_reasons(command.amount_minor, command.currency))
    signed = command.signed_on or getattr(known, "signed_on", None)
    later = [day for day in (command.paid_on, command.cancelled_on) if day is not None]
    ahead = [day for day in (command.signed_on, *later) if day is not None and day > facts.stamp.today]
    if ahead:
        reasons.append(unmet("day_in_future", day=max(ahead).isoformat()))
    if later and (signed is None or min(later) < signed):
        reasons.append(unmet("days_out_of_order", field="order"))
    return tuple(reasons)
