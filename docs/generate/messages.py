"""`docs/messages.md`: every kind of message, what it tells, and who is told how soon."""

import re

from docs.generate.markdown import ROOT
from models.states import Frequency
from notifications.messages import KINDS, OF_THE_CLOCK, Audience, kind_of

_PAGE = ROOT / "docs" / "messages.md"
_HEAD = """# Messages

What Pilotway has to tell, by its kind in `v_outbox.kind`: past tense, with a dot. A message is written in the
transaction of the act it tells of, once, and waits there until somebody takes it out; nothing is sent from inside a
transaction.

Taken out, it becomes a line in the inbox of each person named here, and a mail to those who have something **to do**
or hear of it **at once**; who hears of it **daily** finds it in the digest of the day, and with **inbox** no mail
tells of it. Each person sets this otherwise by channel and topic, the first part of the kind (`pilotway notify
preferences set`). A role counts where it reaches the object (`every:` anywhere), for those named in the project
first; who stands in for somebody today is told too, a disabled account never, and who acted is told of no act of
their own. `pilotway notify preview KIND` shows the words.

The texts stand in `notifications/messages/*.yaml`, the audiences in `notifications/messages.py`, from which the last
column is written by `make docs`; the second one is written here by hand.

| Kind | It tells that | Who is told |
|---|---|---|
"""
_ROW = re.compile(r"^\| `([a-z_.]+)` \| ([^|]+?) \|", re.MULTILINE)


def messages() -> str:
    """Return the page: sentences as they stand there, audiences as the registry says."""
    told = dict(_ROW.findall(_PAGE.read_text(encoding="utf-8")))
    kinds = sorted({**KINDS, **OF_THE_CLOCK})
    return _HEAD + "".join(f"| `{kind}` | {told.get(kind, '?')} | {_audience(kind)} |\n" for kind in kinds)


def _audience(kind: str) -> str:
    if kind_of(kind).is_letter:
        return "**to do**, by mail alone: whom it is about"
    groups: dict[str, list[str]] = {}
    for one in kind_of(kind).audiences:
        groups.setdefault(_how(one), []).append(one.people.replace("_", " "))
    return "; ".join(f"{how}: {', '.join(people)}" for how, people in groups.items())


def _how(one: Audience) -> str:
    if one.is_task:
        return "**to do**"
    return {Frequency.IMMEDIATE: "at once", Frequency.NEVER: "inbox"}.get(one.mail, str(one.mail))
