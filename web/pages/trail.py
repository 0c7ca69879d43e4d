"""The audit trail: the latest acts, or those of one object, person, act or time; and whether a chain holds."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends
from sqlmodel import Session
from starlette.responses import Response

from lifecycle.audit.queries import Chain, Sought, account_of, acts, chain_of, checkpoints, object_of, trail_length
from lifecycle.errors import Forbidden, Invalid, unmet
from lifecycle.people.queries import organisation_names
from lifecycle.permissions import PERMISSIONS
from models.states import Door, Role
from web.listing import PER_PAGE, Column, Listing, answer, limit_of, wanted
from web.render import Words
from web.session import Somebody, Visit, number_of

router = APIRouter()
AUDITORS = frozenset({Role.AUDITOR, Role.OPERATOR, Role.ADMIN})
_SHORT = 12
_CHECKPOINTS = 5
_FIRST, _LAST = date(1, 1, 2), date.max - timedelta(days=1)
"""So that their midnights are instants in every zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filters, as they stand in the address."""

    q: str = ""
    """Number, code, login or id of what was acted on."""
    by: str = ""
    """Login of who acted."""
    act: str = ""
    since: str = ""
    until: str = ""
    """The last day."""

    def sought(self, session: Session, visit: Visit) -> Sought:
        """Return which rows these are; `Invalid` for what is no verb or no day."""
        if self.act and self.act not in PERMISSIONS:
            raise Invalid(unmet("value_wrong", field="act", value=self.act, form="payout.approve"))
        first, last = _day(self.since, "since"), _day(self.until, "until")
        return Sought(
            about=object_of(session, self.q.strip()) if self.q.strip() else None,
            by=account_of(session, self.by.strip()) if self.by.strip() else None,
            act=self.act,
            since=_begin(max(first, _FIRST), visit) if first else None,
            before=_begin(min(last, _LAST) + timedelta(days=1), visit) if last else None,
        )

    def unknown(self, sought: Sought) -> str:
        """Return the filter whose value names nothing that there is."""
        return "q" if self.q.strip() and not sought.about else "by" if self.by.strip() and not sought.by else ""


@router.get("/audit")
@router.get("/audit.{form}")
def audit(visit: Somebody, asked: Annotated[Asked, Depends()], form: str = "", after: str = "") -> Response:
    """Show the latest acts that are asked for; of one object with whether its chain holds."""
    _for_auditors(visit)
    kind = wanted(form)

    def work(session: Session) -> tuple[str, list[dict[str, Any]], Chain | None, dict[str, Any]]:
        sought = asked.sought(session, visit)
        state = {"length": trail_length(session), "checkpoints": checkpoints(session, limit=_CHECKPOINTS)}
        if unknown := asked.unknown(sought):
            return unknown, [], None, state
        rows = acts(session, sought, after=number_of(after, 0) or None, limit=limit_of(kind))
        return "", rows, chain_of(session, sought.about) if sought.about else None, state

    unknown, found, chain, state = visit.read(work)
    words = Words(visit.lang, visit.house.zone)
    rows = [_shown(row, words) for row in found]
    shown = rows[:PER_PAGE] if kind is None else rows
    following = str(shown[-1]["seq"]) if kind is None and len(rows) > PER_PAGE else None
    listing = Listing(name="audit", columns=_ACTS, rows=shown, following=following)
    verbs = sorted(((one, words.verb(one)) for one in PERMISSIONS), key=lambda one: one[1])
    return answer(visit, listing, kind, "audit.html", asked=asked, unknown=unknown, chain=chain, verbs=verbs, **state)


def _for_auditors(visit: Visit) -> None:
    """Refuse who audits nothing, and who does so at some organisations only, naming them: the trail is of all."""
    held = {(role, at) for role, at in visit.rights.grants if role in AUDITORS}
    if any(at is None for _, at in held):
        return
    if held:
        places = visit.read(lambda session: organisation_names(session, {at for _, at in held if at}))
        raise Forbidden(unmet("role_held_at", roles=sorted({role for role, _ in held}), places=sorted(places.values())))
    raise Forbidden(unmet("role", needs=sorted(AUDITORS), verb="audit"))


def _day(text: str, field: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(unmet("value_wrong", field=field, value=text, form="2025-07-08")) from None


def _begin(day: date, visit: Visit) -> datetime:
    return datetime.combine(day, time(), visit.house.zone)


def _shown(row: dict[str, Any], words: Words) -> dict[str, Any]:
    states = [row["from_state"], row["to_state"]]
    return {
        **row,
        "short": row["hash"][:_SHORT],
        "by": row["by"] or (words.t("audit.system") if row["door"] == Door.FLOW else None),
        "by_url": f"/audit?by={quote(row['login'], safe='')}" if row["login"] else "",
        "ref": row["ref"] or str(row["object_id"])[:_SHORT],
        "url": f"/audit?q={row['object_id']}",
        "moved": " → ".join(words.word("state", one) or "–" for one in states) if states[0] != states[1] else "",
        "is_refused": str(row["action"]).endswith(".refused") or None,
    }


_ACTS = (
    Column(key="seq", kind="number"),
    Column(key="at", kind="instant"),
    Column(key="by", link="by_url"),
    Column(key="act", kind="verb"),
    Column(key="is_refused", kind="yes"),
    Column(key="object_type", kind="word", word="object"),
    Column(key="ref", link="url", label="number"),
    Column(key="moved"),
    Column(key="door", kind="word", word="door"),
    Column(key="short", kind="hash", label="hash"),
)
