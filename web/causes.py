"""Why a run did not do all of its work: what went wrong, grouped by cause, each with what somebody can do about it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.states import SlotStatus
from notifications.words import is_known
from web.render import Words

WRONG = frozenset({"failed", "refused", "file.quarantined", "batch.doubt", "batch.unknown", "invariant.broken"})
"""Effects that somebody has to look at."""
_NUMBERS = re.compile(r"\d+")
_OF_A_VERB = re.compile(r"(?P<verb>[a-z_]+\.[a-z_]+)(?:: |$)")
_ERROR = re.compile(r"(?P<type>[A-Za-z]+(?:Error|Refused|NotPut))\b")
_PLACES: Mapping[str, str] = {
    "frozen": "/disbursement/all",
    "undelivered": "/ops/outbox",
    "batch.doubt": "/exceptions",
    "batch.unknown": "/exceptions",
    "file.quarantined": "/statements",
    "too_late": "/ops/health",
    "died": "/ops/health",
}
"""Cause -> the page where it is mended."""


@dataclass(slots=True, kw_only=True)
class Cause:
    """One thing that stood in the way, as people read it."""

    kind: str
    """The word before it: failed, refused …"""
    said: str
    action: str
    """What somebody can do, in a sentence."""
    place: str = ""
    ones: list[Mapping[str, Any]] = field(default_factory=list)
    """What it stood in the way of."""
    count: int = 0


def causes_of(run: Any, effects: Sequence[Mapping[str, Any]], words: Words) -> list[Cause]:
    """Return the causes of a run, first that of the whole run, then the most frequent."""
    found: dict[tuple[str, ...], Cause] = {}
    for one in effects:
        effect, detail = str(one["effect"]), str(one["detail"])
        key = (effect, _NUMBERS.sub("#", detail))
        if key not in found:
            found[key] = _cause(effect, detail, words)
        found[key].ones.append(one)
        found[key].count += 1
    undelivered = run.failed_count - sum(one["effect"] != "refused" for one in effects)
    if run.schedule_id == "outbox" and undelivered > 0:
        code = "undelivered"
        said = words.t("run.undelivered", count=undelivered)
        kind = words.word("effect", "failed")
        found[(code,)] = Cause(
            kind=kind, said=said, action=_action(code, words), place=_PLACES[code], count=undelivered
        )
    several = sorted(found.values(), key=lambda one: -one.count)
    is_whole = run.why and (run.status in (SlotStatus.FAILED, SlotStatus.MISSED) or run.refused_count)
    return [*([_whole(run, words)] if is_whole else ()), *several]


def said_of(effect: str, detail: str, words: Words) -> str:
    """Return what an effect says of itself: the verb, then why not, each code in words."""
    verb = _OF_A_VERB.match(detail)
    rest = detail[verb.end() :] if verb else detail
    if effect == "refused":
        rest = words.among([_of_code(code, words) for code in rest.split(", ") if code])
    return ": ".join(filter(None, (words.verb(verb["verb"]) if verb else "", rest)))


def _whole(run: Any, words: Words) -> Cause:
    code, _, _ = run.why.partition(": ")
    error = _ERROR.match(run.why)
    kind = words.word("slot", run.status)
    return Cause(
        kind=words.word("effect", "refused") if run.status == SlotStatus.DONE else kind,
        said=why_in_words(run.why, words),
        action=_action(error["type"] if error else code, words) or _action("failed", words),
        place=_PLACES.get(code, ""),
    )


def _cause(effect: str, detail: str, words: Words) -> Cause:
    verb = _OF_A_VERB.match(detail)
    rest = detail[verb.end() :] if verb else detail
    error = _ERROR.match(rest)
    code = error["type"] if error else rest.partition(", ")[0]
    known = next((one for one in (code, effect) if is_known(f"remedy.{one}")), "failed")
    title = words.word("effect", effect)
    return Cause(
        kind=title,
        said=said_of(effect, detail, words),
        action=_action(known, words),
        place=_PLACES.get(code, _PLACES.get(effect, "")),
    )


def why_in_words(why: str, words: Words) -> str:
    """Return why a run was what it was: the words of its code, and what stands behind it."""
    if not why:
        return ""
    code, sign, detail = why.partition(": ")
    known = words.word("why", code)
    return f"{known}{sign}{detail}" if known != code else words.word("refusal", why)


def _of_code(code: str, words: Words) -> str:
    known = (words.word(kind, code) for kind in ("refusal", "why"))
    return next((one for one in known if one != code), None) or words.code(code)


def _action(code: str, words: Words) -> str:
    return words.code(f"remedy.{code}") if is_known(f"remedy.{code}") else ""
