"""`docs/clock.md`: what runs by itself and when, and who is reminded of which deadline."""

from calendar import day_name, month_name
from collections.abc import Iterable

from docs.generate.markdown import code, page, table
from lifecycle.schedules.times import SCHEDULES, Schedule, When
from notifications.deadlines import DEADLINES, Deadline, Ladder
from notifications.reminders import AHEAD, STALE, TOLD_AT
from notifications.words import title

_DAYS = tuple(day_name)
_MONTHS = tuple(month_name)
"""By number, from 1."""
_STEADY = 60
"""Minutes: what runs at least so often runs by the hour, not by the day."""

_INTRO = """# The clock

What time does by itself. Nothing here needs Prefect: `pilotway serve` and `pilotway worker` wake the schedules
in a loop of their own, `pilotway tick` is one pass (for cron), and with `PILOTWAY_PREFECT=on` an embedded
Prefect server wakes them. All go the same way and do each slot once, also at the same time. How to run them:
[deploy/README.md](../deploy/README.md)."""

_SLOTS = """## Schedules

Times are those of the installation's wall clock (`PILOTWAY_TIMEZONE`); working days those of `pilotway
calendar`. The order is that of one pass."""

_MEANING = """## Slots

A slot is one instant at which a schedule is due, and one row in `v_schedule_slot` says for good what became of
it (`pilotway runs list`, `runs show`):

| Status | It means |
|---|---|
| `done` | it ran; the row keeps what was found, done, refused and failed, its effects and its last lines |
| `failed` | its body broke off or used its minutes up; the operators are told, the next slot goes on |
| `running` | a process has it, by a lease; when the lease is over, whoever comes next takes it over |
| `merged` | a later slot was due too and did its work as well |
| `skipped` | the schedule was paused, or its run before was still going on |
| `missed` | nobody was awake for longer than it is made good; the operators are told |

Of several slots that are due only the latest runs; of a schedule that never ran only the latest counts. A slot
that is asked for by hand (`pilotway run NAME`) takes none away from the schedule. A time that a change of
summer time leaps over is made up for at the leap; one that comes twice counts once. A slot is made good for 7 days,
that of the quarterly report for 80. What fails again and again in the same way is told once a day. Where the clock of
the machine ran ahead and was put right, what it had given up as merged or missed runs when its time comes, and what
it ran is not run again.

On PostgreSQL a second worker that comes while `disbursement` or `outbox` runs takes a part of the same run. Each
payout is judged by one of them; what a killed worker had begun comes back as soon as the database has noticed,
a file that it was handing over when its claim is over. The row of the run sums up, also what a helper adds after
the run has ended."""

_REMINDERS = f"""## Reminders

Each rung of a deadline is a row before it is a message (`planned_reminder`), and keeps what became of it: sent,
suppressed with the reason (it is done, its day moved, the project is on hold or has ended), or missed. Rungs
are planned {AHEAD.days} days ahead and told at {TOLD_AT:%H:%M} on working days; what is older than {STALE.days}
days is told no more, but for the days off before this day, on which nobody tells any. A calendar that changes moves the
rungs that are still to come. What falls due for one person in one pass is one message. Who stands in for a role is told
beside its holder; where nobody holds a role, whoever runs the installation. `pilotway reminders preview` shows
what is to come, `pilotway reminders explain REF` what became of what was.

Days are working days before (−) or after (+) the deadline; *daily* are calendar days, for a promise of payment runs
in them (F21). On days off nobody is told: what is late on a Saturday and a Sunday comes with Monday's message, in one
line, and each day keeps its row. Where the last column says so, a hold of the project stops the service clock and with
it the reminders. When a change of the calendar moves deadlines, firm, technical manager and coordinator hear of all
that move in a project in one message; whoever owes a single thing, the owner of a condition too, hears of the new
day from its rungs. While a completion notice waits for its answer, its day is told of what the firm alone owes, and
the days of these requirements rest."""

_OPERATING = """## Pause, request, outage

```console
$ pilotway flow list
$ pilotway flow status
$ pilotway flow pause digest --reason "office move" --until 2026-03-06
$ pilotway flow resume digest --reason "we are back"
$ pilotway flow request reminders --reason "somebody asked"
$ pilotway run outbox
```

A pause lets the slots pass; each leaves a row with the reason. Who paused, resumed or asked stands in the audit
trail, in the chain of the account. Money is stopped by `pilotway disbursement
freeze`, not by a pause. After an outage nothing has to be done: the next pass brings unfinished work to its
end, runs the latest slot of each schedule, marks those in between as merged and those that are too old as
missed, and tells each person in one message what fell due. `pilotway doctor` then says whether every schedule
is on time, and what to do where it is not.

## The demonstration

The clock of a database that `pilotway demo` made stands where the story ends: each command finds the same day.
What it told more than three days before counts as told, so that the first pass tells of the last days only and
sends no mail of a year ago. `pilotway demo --forward 30d` moves the clock; while `pilotway serve` runs it walks, from
its next quarter of an hour on, and stands again where that ends
([why](decisions/0019-the-clock-of-a-demonstration.md))."""


def clock() -> str:
    """Return the page."""
    schedules = table(("Schedule", "When", "Minutes", "Why"), map(_schedule, SCHEDULES))
    ladders = table(("Deadline", "Who, and when", "Settled by", "On hold"), map(_deadline, DEADLINES))
    return page(_INTRO, _SLOTS, schedules, _MEANING, _REMINDERS, ladders, _OPERATING)


def _schedule(one: Schedule) -> tuple[str, ...]:
    return code(one.id), _when(one.when, is_working=one.is_for_working_days), str(one.limit_minutes), one.reason


def _when(when: When, *, is_working: bool) -> str:
    if when.every_minutes:
        often = "every minute" if when.every_minutes == 1 else f"every {when.every_minutes} minutes"
        return "every hour" if when.every_minutes == _STEADY else often
    times = ", ".join(f"{at:%H:%M}" for at in when.at)
    kind = "working day" if is_working else "day"
    if when.months:
        return f"{times}, first {kind} of {_listed(_MONTHS[month] for month in when.months)}"
    return f"{times}, {f'each {kind}' if when.weekday is None else _DAYS[when.weekday]}"


def _deadline(one: Deadline) -> tuple[str, ...]:
    words = title("deadline", one.name, "en")
    return (
        f"{words} ({code(one.name)})",
        _ladder(one.ladder),
        code(one.step),
        "stands still" if one.is_service else "runs on",
    )


def _ladder(ladder: Ladder) -> str:
    """Return the rungs with the same audience together, in the order of days."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for rung in sorted(ladder.rungs):
        groups.setdefault(ladder.rungs[rung], []).append(f"{rung:+d}".replace("-", "−") if rung else "the day")
    lines = [f"{', '.join(days)}: {_people(told)}" for told, days in groups.items()]
    lines += [f"daily from +{begins}: {_people(told)}" for begins, told in ladder.daily]
    return "\n".join(lines)


def _people(codes: Iterable[str]) -> str:
    return _listed(title("audience", one, "en") for one in codes)


def _listed(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
