"""Operations: what runs by itself, what became of it, what is on its way, and whether all is well."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from lifecycle.deliveries.commands import DROP, RETRY
from lifecycle.deliveries.queries import Tally, on_the_way, tally
from lifecycle.errors import Forbidden, Invalid, NotFound, unmet
from lifecycle.invariants.check import frozen
from lifecycle.schedules.commands import PAUSE, REQUEST, RESUME
from lifecycle.schedules.queries import Scheduled, missed, runs, schedules
from lifecycle.schedules.times import SCHEDULES
from models.states import DeliveryStatus, Role, SlotStatus
from web.asking import Ask, ask, need, show, take
from web.causes import WRONG, said_of, why_in_words
from web.errors import reasons_of, status_of
from web.listing import PER_PAGE, Column, Listing, answer, limit_of, wanted
from web.nouns import AnyVerb
from web.reading_rights import as_id
from web.render import Words, page
from web.session import Somebody, Typed, Visit

Status = TypeVar("Status", bound=StrEnum)
router = APIRouter()
OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
MOST_EFFECTS = 200
"""Effects that are kept and told of at most."""
BACK = timedelta(days=7)
"""How far back a missed run is shouted about."""
_VERBS: Mapping[str, AnyVerb] = {"run": REQUEST, "pause": PAUSE, "resume": RESUME}
_PAGES = {
    "project": "projects",
    "payout": "payouts",
    "batch": "payment-batches",
    "agreement": "agreements",
    "user": "users",
    "webhook": "webhooks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One thing of the line of health."""

    name: str
    is_well: bool | None
    """None where it was never checked, or is not set up: a warning, no alarm."""
    said: str
    url: str = ""


@router.get("/ops")
def ops(visit: Somebody) -> Response:
    """Show what runs by itself: when, with what result, what holds it."""
    for_operators(visit)
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> dict[str, Any]:
        found = schedules(session, visit.house.settings.timezone, now=visit.now, calendar=visit.stamp.calendar)
        box, holds = tally(session), frozen(session)
        late = missed(session, since=visit.now - BACK)
        told = {"schedules": found, "box": box, "missed": late, "stands_since": _stands_since(visit, found)}
        return {**told, "signs": _signs(visit, words, found, box, holds)}

    values = visit.read(work)
    return page(
        visit, "ops.html", told={one.schedule.id: _told(one.last, words) for one in values["schedules"]}, **values
    )


@router.get("/ops/schedules/{name}/{verb}")
def ask_schedule(visit: Somebody, name: str, verb: str) -> Response:
    """Ask for a run, a pause or its end, behind what a run would find."""
    return show(visit, _asked(visit, name, verb))


@router.post("/ops/schedules/{name}/{verb}")
def carry_out(visit: Somebody, form: Typed, name: str, verb: str) -> Response:
    """Leave the request for the clock."""
    return take(visit, _asked(visit, name, verb), form)


@router.get("/ops/runs")
@router.get("/ops/runs.{form}")
def list_runs(visit: Somebody, form: str = "", schedule: str = "", status: str = "", after: str = "") -> Response:
    """List the newest runs: which slot, what became of it; slots that a later run did the work of when asked for."""
    for_operators(visit)
    kind = wanted(form)
    status_asked, before = _one_of(SlotStatus, status), _behind(after)

    def work(session: Session) -> Sequence[Any]:
        return runs(
            session,
            schedule_id=schedule,
            status=status_asked,
            without=() if status_asked else (SlotStatus.MERGED,),
            before=before,
            limit=limit_of(kind),
        )

    found = visit.read(work)
    rows = [{**dict(row._mapping), "url": f"/ops/runs/{row.id}"} for row in found]  # noqa: SLF001 - its documented name
    words = Words(visit.lang, visit.house.zone)
    shown = [{**one, "why": why_in_words(one["why"], words)} for one in rows[:PER_PAGE]] if kind is None else rows
    last = shown[-1] if shown else None
    following = (
        f"{last['slot_at'].isoformat()} {last['id']}" if last and kind is None and len(rows) > PER_PAGE else None
    )
    listing = Listing(name="ops.runs", columns=_RUNS, rows=shown, following=following)
    names = [one.id for one in SCHEDULES]
    values = {"schedule": schedule, "chosen": status, "names": names, "statuses": [str(one) for one in SlotStatus]}
    return answer(visit, listing, kind, "ops_runs.html", **values)


@router.get("/ops/outbox")
@router.get("/ops/outbox.{form}")
def outbox(visit: Somebody, form: str = "", status: str = "") -> Response:
    """List what has not arrived, the oldest first, with what the other side said last."""
    need(visit, RETRY)
    return _outbox(visit, form, status)


@router.post("/ops/outbox")
def act_on_outbox(visit: Somebody, form: Typed) -> Response:
    """Try again, or give up, what was ticked."""
    ids = tuple(known for one in form.getlist("message_ids") if (known := as_id(str(one))))
    verb: AnyVerb = DROP if form.get("drop") else RETRY
    need(visit, verb)
    said: dict[str, Any] = {"message_ids": ids, "reason": str(form.get("reason", ""))}
    key = str(form.get("command_id", "")) or str(visit.house.new_id())
    done = visit.act(verb.command(command_id=key, user_id=visit.actor.user_id, **said))
    if done.error is None:
        return RedirectResponse(f"/receipts/{done.command.command_id}", status_code=303)
    return _outbox(visit, "", "", error=done.error, typed={**said, "message_ids": [str(one) for one in ids]})


@router.get("/ops/health")
def health(visit: Somebody) -> Response:
    """Show what a doctor finds, and the light check of the books."""
    for_operators(visit)
    words = Words(visit.lang, visit.house.zone)

    def work(session: Session) -> list[Sign]:
        found = schedules(session, visit.house.settings.timezone, now=visit.now, calendar=visit.stamp.calendar)
        return _signs(visit, words, found, tally(session), frozen(session))

    return page(visit, "ops_health.html", signs=visit.read(work), findings=visit.house.backstage.findings(visit.lang))


def for_operators(visit: Visit) -> None:
    """Raise `Forbidden` for everybody else."""
    if not visit.roles & OPERATORS:
        raise Forbidden(unmet("role", needs=sorted(OPERATORS), verb="operate"))


def _asked(visit: Visit, name: str, spoken: str) -> Ask:
    verb = _VERBS.get(spoken)
    if verb is None or name not in {one.id for one in SCHEDULES}:
        raise NotFound(NotFound.code)
    words = Words(visit.lang, visit.house.zone)

    def look() -> tuple[tuple[tuple[str, str], ...], Listing | None]:
        effects = visit.house.backstage.foreseen(name)
        due = visit.house.backstage.due(name)
        rows = [in_words({**one, "url": page_of(one)}, words) for one in effects or ()]
        listing = Listing(name="ops.foreseen", columns=EFFECTS, rows=rows)
        return ((words.t("ops.would_find"), _found(due, effects, words)),), listing

    fixed = {"user_id": visit.actor.user_id, "schedule": name}
    note = words.t(f"ops.note_{spoken}")
    return ask(
        visit,
        verb,
        back="/ops",
        fixed=fixed,
        facts=((words.field("schedule_id"), words.word("schedule", name)),),
        note=note,
        look=look if verb is REQUEST else None,
        crumb=words.t("ops.title"),
    )


def _found(due: int | None, effects: Sequence[Any] | None, words: Words) -> str:
    """Return how much a run would find: as it counts itself, else as many as can be told of."""
    if due is None and effects is None:
        return words.t("ops.nobody_can_tell")
    if due is None and len(effects or ()) >= MOST_EFFECTS:
        return words.t("ops.at_least", count=MOST_EFFECTS)
    return str(len(effects or ()) if due is None else due)


def _outbox(
    visit: Visit, form: str, status: str, *, error: Any = None, typed: Mapping[str, Any] | None = None
) -> Response:
    kind = wanted(form)
    asked = _one_of(DeliveryStatus, status)
    rows = visit.read(lambda session: on_the_way(session, asked))
    rows = [{**row, "channel": row["channel"] or "outbox"} for row in rows]
    listing = Listing(name="ops.outbox", columns=_OUTBOX, rows=rows)
    values: dict[str, Any] = {
        "chosen": status,
        "statuses": [str(one) for one in DeliveryStatus],
        "key": str(visit.house.new_id()),
        "reasons": reasons_of(error) if error else (),
        "typed": typed or {"reason": "", "message_ids": []},
    }
    found = answer(visit, listing, kind, "ops_outbox.html", **values)
    found.status_code = status_of(error) if error else 200
    return found


def _signs(visit: Visit, words: Words, found: Sequence[Scheduled], box: Tally, held: Mapping[str, Any]) -> list[Sign]:
    known = {one.schedule.id: one for one in found}
    late = [one.schedule.id for one in found if one.is_late and not visit.house.is_demo]
    newest = max((one.last.started_at for one in found if one.last is not None), default=None)
    books, stopped, settings = known["invariants"].last, bool(held["on"]), visit.house.settings
    names = [words.word("schedule", one) for one in late]
    return [
        Sign(name="database", is_well=True, said=words.t("ops.sign.answers")),
        Sign(
            name="clock",
            is_well=None if newest is None else not late,
            said=words.t("ops.sign.late", schedules=names) if names else _when(newest, words),
            url="/ops/runs",
        ),
        _ran(known["backup"], words, is_set=settings.backup_dir is not None, must_be=not visit.house.is_rehearsal),
        Sign(
            name="books",
            is_well=_books_hold(books, is_stopped=stopped),
            said=words.t("ops.sign.frozen") if stopped else _when(books.slot_at if books else None, words),
            url="/disbursement/all" if stopped else f"/ops/runs/{books.id}" if books else "",
        ),
        _ran(known["checkpoint"], words, is_set=settings.checkpoint_key is not None),
        Sign(
            name="outbox",
            is_well=not box.given_up and not box.failed,
            said=words.t("ops.sign.box", waiting=box.waiting, dead=box.given_up + box.failed),
            url="/ops/outbox",
        ),
        Sign(
            name="webhooks",
            is_well=not box.disabled,
            said=words.t("ops.sign.ends", count=box.endpoints, disabled=box.disabled),
            url="/ops/webhooks",
        ),
    ]


def _stands_since(visit: Visit, found: Sequence[Scheduled]) -> datetime | None:
    """Return since when no clock has passed, where any of what it wakes is late; None while it goes."""
    is_late = any(one.is_late for one in found) and not visit.house.is_demo
    return max((one.last.started_at for one in found if one.last is not None), default=None) if is_late else None


def _when(at: datetime | None, words: Words) -> str:
    return words.t("ops.pending.unchecked") if at is None else words.at(at)


def _books_hold(last: Any, *, is_stopped: bool) -> bool | None:
    """Say whether the books balance; None where nobody has asked them yet."""
    if last is None:
        return False if is_stopped else None
    return last.status == SlotStatus.DONE and not last.failed_count and not is_stopped


def _ran(one: Scheduled, words: Words, *, is_set: bool, must_be: bool = False) -> Sign:
    """Return what the last run of a schedule says; one that is not set up warns, and is an alarm where it must be."""
    last = one.last
    is_well = None if last is None else bool(last.status == SlotStatus.DONE and not last.refused_count)
    if not is_well and not is_set:
        unset = words.t("ops.pending.unset")
        return Sign(name=one.schedule.id, is_well=False if must_be else None, said=unset, url="/ops/health")
    url = f"/ops/runs/{last.id}" if last else ""
    refused = why_in_words(last.why, words) if last is not None and not is_well and last.why else ""
    said = refused or _when(last.slot_at if last else None, words)
    return Sign(name=one.schedule.id, is_well=is_well, said=said, url=url)


def _told(last: Any, words: Words) -> str:
    """Return what a run did, in the words of the business: its effects counted, else its figures."""
    if last is None:
        return ""
    if last.why and (last.status != SlotStatus.DONE or last.refused_count):
        return why_in_words(last.why, words)
    told: Counter[str] = Counter()
    for one in last.effects:
        count = int(one["detail"]) if not one["object_id"] and str(one["detail"]).isdecimal() else 1
        told[_effect(one["effect"], words)] += count
    said = [words.t("ops.effect_count", effect=name, count=count) for name, count in told.most_common(4) if count]
    return words.t("ops.did", said=said) if said else words.t("ops.found", count=last.found_count)


def _effect(effect: str, words: Words) -> str:
    own = words.word("effect", effect)
    return own if own != effect else words.verb(effect)


def in_words(one: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """Return an effect as people read it."""
    detail = str(one["detail"])
    is_project = one["object_type"] == "project" and one["effect"] not in WRONG
    said = words.word("state", detail) if is_project else said_of(one["effect"], detail, words)
    ref = words.word("topic", one["ref"]) if one["object_type"] == "message" else one["ref"] or one["object_id"]
    named = (one.get("label") or {}).get(words.lang[:2], "")
    said = f"{named} · {said}" if named else said
    return {**one, "effect": _effect(one["effect"], words), "ref": ref, "detail": said}


def page_of(one: Mapping[str, Any]) -> str:
    """Return the page of what an effect names; empty where it has none."""
    path, ref = _PAGES.get(str(one["object_type"])), one["ref"] or one["object_id"]
    return f"/{path}/{ref}" if path and ref else ""


def _one_of(kind: type[Status], text: str) -> Status | None:
    try:
        return kind(text) if text else None
    except ValueError:
        raise Invalid(unmet("value_wrong", field="status", value=text, form=", ".join(kind))) from None


def _behind(after: str) -> tuple[datetime, UUID] | None:
    at, _, ref = after.partition(" ")
    known = as_id(ref)
    try:
        return (datetime.fromisoformat(at), known) if known else None
    except ValueError:
        return None


_RUNS = (
    Column(key="slot_at", kind="at", link="url"),
    Column(key="schedule_id", kind="word", word="schedule"),
    Column(key="status", kind="word", word="slot", bad=("failed", "missed")),
    Column(key="found_count", kind="number"),
    Column(key="done_count", kind="number"),
    Column(key="refused_count", kind="number"),
    Column(key="failed_count", kind="number"),
    Column(key="why", kind="word", word="why"),
)
EFFECTS = (
    Column(key="effect"),
    Column(key="object_type", kind="word", word="object"),
    Column(key="ref", link="url"),
    Column(key="detail"),
)
_OUTBOX = (
    Column(key="created_at", kind="at"),
    Column(key="kind", kind="word", word="kind_of_message"),
    Column(key="channel", kind="word"),
    Column(key="recipient"),
    Column(key="status", kind="word", word="delivery_status", bad=("failed", "given_up")),
    Column(key="attempts", kind="number"),
    Column(key="said"),
)
