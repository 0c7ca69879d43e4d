"""What a play has to say: what became of every act, by act, by activity and by reason, and where the cases ended."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lifecycle.errors import Unmet
from lifecycle.replays.log import Case, Event, Log
from lifecycle.replays.mapping import Deed, PayoutMapping

FORMAT = "pilotway-replay/1"
SHOWN = 50
"""Refused acts that the report shows one by one."""
NEVER_REQUESTED = "never_requested"


@dataclass(slots=True)
class Count:
    """How often something was asked, and with what outcome."""

    accepted: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, codes: Sequence[str]) -> None:
        """Count one act: accepted without codes, else refused for each of them."""
        if codes:
            self.refused += 1
            self.reasons.update(dict.fromkeys(codes, 1))
        else:
            self.accepted += 1

    def document(self) -> dict[str, Any]:
        """Return the plain JSON."""
        return {"accepted": self.accepted, "refused": self.refused, "reasons": dict(sorted(self.reasons.items()))}


@dataclass(slots=True)
class Story:
    """What became of one case."""

    state: str = ""
    """Of its last request; empty where none was accepted."""
    first_refusal: tuple[Unmet, ...] = ()
    is_paid: bool = False


@dataclass(slots=True)
class Tally:
    """The counts, as they grow."""

    deeds: dict[Deed, Count] = field(default_factory=dict)
    activities: dict[tuple[str, Deed], Count] = field(default_factory=dict)
    stories: dict[str, Story] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)
    first: dict[str, Unmet] = field(default_factory=dict)
    """Code -> the first reason that had it: its values make a sentence."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Activity without a counterpart -> its events."""

    def add(self, case: str, event: Event, unmet: Iterable[Unmet]) -> None:
        """Count one act; no reason means that it was carried out."""
        reasons = tuple(unmet)
        codes = tuple(dict.fromkeys(reason.code for reason in reasons))
        deed = event.deed or Deed.NONE
        self.deeds.setdefault(deed, Count()).add(codes)
        self.activities.setdefault((event.activity, deed), Count()).add(codes)
        story = self.story(case)
        if codes and not story.first_refusal:
            story.first_refusal = reasons
        if deed is Deed.PAID and not codes:
            story.is_paid = True
        for reason in reasons:
            self.first.setdefault(reason.code, reason)
        if codes and len(self.examples) < SHOWN:
            where = {"case": case, "place": event.place, "at": event.at.isoformat(), "activity": event.activity}
            self.examples.append({**where, "act": str(deed), "reasons": [reason.document() for reason in reasons]})

    def story(self, case: str) -> Story:
        """Return what is known of a case so far."""
        return self.stories.setdefault(case, Story())


def document_of(log: Log, mapping: PayoutMapping, tally: Tally) -> dict[str, Any]:
    """Return the report as plain JSON: the same log with the same mapping makes the same document."""
    whole = Count()
    for count in tally.deeds.values():
        whole.accepted += count.accepted
        whole.refused += count.refused
        whole.reasons.update(count.reasons)
    why = {rule.activity: rule.why for rule in mapping.acts if rule.why is not None}
    return {
        "format": FORMAT,
        "reads": mapping.reads,
        "file": log.file,
        "source": mapping.source,
        "about": {"zh": mapping.about.zh, "en": mapping.about.en},
        "cases": len(log.cases),
        "events": log.events,
        "acts": whole.document(),
        "by_act": {str(deed): tally.deeds[deed].document() for deed in Deed if deed in tally.deeds},
        "by_activity": [
            {"activity": activity, "act": str(deed), **count.document()}
            for (activity, deed), count in sorted(tally.activities.items())
        ],
        "left_out": [
            {"activity": name, "events": count, "why": {"zh": why[name].zh, "en": why[name].en}}
            for name, count in sorted(tally.left_out.items())
        ],
        "unknown": [{"activity": name, "events": count} for name, count in sorted(log.unknown.items())],
        "unread": [
            {"case": one.case, "place": one.place, "code": one.code, "rule": one.rule, "values": dict(one.values)}
            for one in log.unread
        ],
        "ended": dict(sorted(Counter(tally.story(case.name).state or NEVER_REQUESTED for case in log.cases).items())),
        "payments": _payments(log.cases, tally),
        "rejections": _rejections(log.cases, tally),
        "refused_first": tally.examples,
    }


def _payments(cases: Sequence[Case], tally: Tally) -> dict[str, Any]:
    """Cases that the log says were paid: how many pay here too, why not, and what became of those nobody approved."""
    paid = [case for case in cases if _has(case, Deed.PAID)]
    unapproved = [case for case in paid if not _before(case, Deed.APPROVE, Deed.PAID)]
    refused = [case for case in paid if not tally.story(case.name).is_paid]
    return {
        "cases": len(paid),
        "made": len(paid) - len(refused),
        "refused": len(refused),
        "first_reasons": _because(refused, tally),
        "without_approval": {
            "cases": len(unapproved),
            "made": sum(tally.story(case.name).is_paid for case in unapproved),
        },
    }


def _rejections(cases: Sequence[Case], tally: Tally) -> dict[str, Any]:
    """Cases that somebody rejected, gave back or gave up: how many the log pays all the same, and how many pay here."""
    rejected = [case for case in cases if _has(case, Deed.SEND_BACK, Deed.REJECT, Deed.CANCEL)]
    paid = [case for case in rejected if _has(case, Deed.PAID)]
    refused = [case for case in paid if not tally.story(case.name).is_paid]
    return {
        "cases": len(rejected),
        "paid_in_log": len(paid),
        "made": len(paid) - len(refused),
        "refused": len(refused),
        "first_reasons": _because(refused, tally),
    }


def _because(cases: Sequence[Case], tally: Tally) -> Mapping[str, int]:
    """Count what stopped each case first: what follows from it is not counted again."""
    first = (tally.story(case.name).first_refusal for case in cases)
    return dict(sorted(Counter("+".join(dict.fromkeys(one.code for one in reasons)) for reasons in first).items()))


def _has(case: Case, *deeds: Deed) -> bool:
    return any(event.deed in deeds for event in case.events)


def _before(case: Case, earlier: Deed, later: Deed) -> bool:
    """Say whether one act comes before the first of another in the log."""
    for event in case.events:
        if event.deed in (earlier, later):
            return event.deed is earlier
    return False
