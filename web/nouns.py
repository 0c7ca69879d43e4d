"""The things that can be acted on, each registered once: its pages, its address in the API and its verbs follow.

A noun says where it stands (`/projects/{ref}`), how it is found, and which view programs read. Its verbs are those of
the lifecycle whose subject it is; `advance` is its own, `evidence-add` that of something which belongs to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.commands import Verb
from lifecycle.errors import NotFound
from lifecycle.verbs import BY_NAME
from models.base import Subject
from models.deliveries import WebhookEndpoint
from models.people import Organisation, User
from models.programmes import StandardDraft
from models.projects import Project
from models.reviews import Review
from models.runs import WorkingCalendar
from models.tables import metadata, object_type_of, subject_tables
from web.reading_rights import (
    WORKING_DAYS,
    calendar_of,
    draft_of,
    organisation_of,
    project_of,
    review_of,
    user_of,
    webhook_of,
)
from web.session import Visit

AnyVerb: TypeAlias = Verb[Any, Any]

ALL = "all"
"""How the one thing of its kind is named in addresses."""
BY_MACHINES = frozenset(
    {
        *("project.refresh", "project.reach_stop_loss", "project.import", "project.update_imported"),
        *("payout.instruct", "payout.learn", "payout.adopt", "statement.write_off", "batch.prepare", "batch.send"),
        *("batch.doubt", "batch.find", "batch.acknowledge", "batch.settle", "batch.abandon", "batch.take_back"),
        *("statement.take", "statement.take_lines", "statement.compare", "statement.complete", "statement.quarantine"),
    }
)
"""Verbs of sweeps and imports: no page and no program asks for one of them by itself."""


@dataclass(frozen=True, kw_only=True)
class Noun:
    """One kind of thing."""

    path: str
    """First part of its addresses, plural."""
    subject: type[Subject]
    find: Callable[[Session, Visit, str], Any]
    """The row, by number or id; `NotFound` also for what the reader may not see."""
    ref: Callable[[Any], str]
    """How people name it."""
    title: Callable[[Any], str]
    view: str = ""
    """What `GET /api/v1/<path>/<ref>` gives: the contract's view; without one only pages show it."""
    project_id: Callable[[Any], UUID | None] = lambda _row: None
    """Whose people owe what is missing."""
    first: tuple[str, ...] = ()
    """Permissions of the verbs on its main path, in the order in which a page offers them."""
    only: frozenset[str] = frozenset()
    """Permissions of its verbs, where not all that are asked of such a row belong to it."""
    next_word: str = ""
    """Begin of the words that say, by state, what comes after an act on it."""
    has_list: bool = True
    """Its address without a ref is a list."""
    asks_version: bool = False
    """Programs name the version that they saw (`If-Match`)."""

    @property
    def object_type(self) -> str:
        """What the journal calls it."""
        return object_type_of(str(self.subject.__tablename__))

    @cached_property
    def verbs(self) -> tuple[AnyVerb, ...]:
        """Every verb whose subject it is: its own first."""
        own = [verb for verb in BY_NAME.values() if verb.subject is self.subject and verb.permission not in BY_MACHINES]
        return tuple(
            sorted((verb for verb in own if verb.permission in (self.only or {verb.permission})), key=self._place)
        )

    def _place(self, verb: AnyVerb) -> tuple[int, bool, str]:
        place = self.first.index(verb.permission) if verb.permission in self.first else len(self.first)
        return place, verb.object_type != self.object_type, verb.permission

    def is_first(self, verb: AnyVerb) -> bool:
        """Say whether a verb is on the main path."""
        return verb.permission in self.first

    def verb(self, spoken: str) -> AnyVerb:
        """Return a verb by its word in addresses; `NotFound` for what it does not know."""
        found = next((verb for verb in self.verbs if self.spoken(verb) == spoken), None)
        if found is None:
            raise NotFound(NotFound.code)
        return found

    def spoken(self, verb: AnyVerb) -> str:
        """Return the word of a verb in addresses: `put-on-hold`, `evidence-add`."""
        name = verb.name if verb.object_type == self.object_type else f"{verb.object_type}-{verb.name}"
        return name.replace("_", "-")

    def url(self, row: Any) -> str:
        """Return the address of its page."""
        return f"/{self.path}/{self.ref(row)}"

    def name(self, row: Any) -> str:
        """Return how a page names it: number and title; an id, which nobody reads, is left out."""
        ref = self.ref(row)
        is_read = ref not in (str(row.id), WORKING_DAYS, ALL)
        return f"{ref if is_read else ''} {self.title(row)}".strip()

    def do_url(self, row: Any, verb: AnyVerb) -> str:
        """Return the address at which one of its verbs is confirmed."""
        return f"{self.url(row)}/do/{self.spoken(verb)}"


def noun_at(path: str) -> Noun:
    """Return the noun with these addresses; `NotFound` for none."""
    if path not in NOUNS:
        raise NotFound(NotFound.code)
    return NOUNS[path]


def home_of(session: Session, visit: Visit, object_type: str, object_id: UUID) -> tuple[Noun, Any] | None:
    """Return the noun and row on whose page a thing stands: its own, else that of its project; None for neither."""
    own = next((noun for noun in NOUNS.values() if noun.object_type == object_type), None)
    if own is not None:
        return own, own.find(session, visit, str(object_id))
    table = metadata.tables.get(subject_tables().get(object_type, ""))
    if table is None or "project_id" not in table.c:
        return None
    project_id = session.execute(select(table.c.project_id).where(table.c.id == object_id)).scalar_one_or_none()
    return (PROJECTS, PROJECTS.find(session, visit, str(project_id))) if project_id else None


PROJECTS = Noun(
    path="projects",
    subject=Project,
    view="v_project",
    find=project_of,
    ref=lambda row: row.number,
    title=lambda row: row.name,
    project_id=lambda row: row.id,
    asks_version=True,
    first=(
        "project.advance",
        "project.submit",
        "review.call",
        "project.accept_transfer",
        "project.resume",
        "requirement.judge",
        "evidence.add",
        "notice.issue",
        "trial_batch.add",
        "project.recycle",
        "project.hold",
        "project.stop",
        "project.withdraw",
    ),
)

WEBHOOKS = Noun(
    path="webhooks",
    has_list=False,
    subject=WebhookEndpoint,
    find=webhook_of,
    ref=lambda row: str(row.id),
    title=lambda row: row.url,
    first=("webhook.ping", "webhook.replay", "webhook.enable", "webhook.disable"),
)
USERS = Noun(
    path="users",
    has_list=False,
    subject=User,
    view="v_user",
    find=user_of,
    ref=lambda row: row.login,
    title=lambda row: row.name,
    first=("user.grant", "user.revoke", "user.delegate", "user.end_delegation"),
    only=frozenset(
        {
            "user.grant",
            "user.revoke",
            "user.disable",
            "user.enable",
            "user.reset_access",
            "user.add_token",
            "user.revoke_token",
            "user.delegate",
            "user.end_delegation",
        }
    ),
)
ORGANISATIONS = Noun(
    path="organisations",
    has_list=False,
    subject=Organisation,
    find=organisation_of,
    ref=lambda row: str(row.id),
    title=lambda row: row.name,
    first=("payee_account.propose", "organisation.tie", "organisation.correct"),
)
CALENDARS = Noun(
    path="calendars",
    has_list=False,
    subject=WorkingCalendar,
    find=calendar_of,
    ref=lambda _row: WORKING_DAYS,
    title=lambda _row: "",
    first=("calendar.override", "calendar.announce"),
)
DRAFTS = Noun(
    path="standard-drafts",
    has_list=False,
    subject=StandardDraft,
    find=draft_of,
    ref=lambda row: str(row.id),
    title=lambda row: f"{row.code} {row.pack_version}",
    first=("standard_draft.withdraw",),
)
REVIEWS = Noun(
    path="reviews",
    has_list=False,
    subject=Review,
    view="v_review",
    find=review_of,
    ref=lambda row: str(row.id),
    title=lambda row: row.gate,
    project_id=lambda row: row.project_id,
    first=("review.open", "review.score", "review.propose", "review.decide", "review.recuse"),
)

_ALL: Sequence[Noun] = (
    PROJECTS,
    WEBHOOKS,
    USERS,
    ORGANISATIONS,
    CALENDARS,
    DRAFTS,
    REVIEWS,
)
NOUNS = {noun.path: noun for noun in _ALL}
