"""Who is told of what: one entry per kind of the outbox, with its texts in `messages/*.yaml` (docs/messages.md).

Who is meant stands here as codes (`notifications.recipients` finds the people); the lifecycle knows neither. Rule book
1.4 says who calls the next verb: they have the task, everybody else only knows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.states import Frequency
from notifications.words import Lang

TEXTS = Path(__file__).parent / "messages"

PARTS = ("subject", "text", "next", "then", "item")
"""What an entry says: headline, what happened, what who has the task does next, what comes next for everybody else,
and one line for each of `facts["items"]`."""

_KEY: Mapping[Lang, str] = {"zh-CN": "zh", "en": "en"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Some people, and how soon they are mailed where they do not say otherwise.

    `people`: a role of the rule book, where it reaches the object (`certifier`); with a party, at that party only
    (`coordinator@new_platform`); of the whole installation (`every:operator`); or a part in this very case: `person`
    (whom it is about), `requester` (who asked for it), `owner`, `panel`, `voters`, `chair`.
    """

    people: str
    is_task: bool = False
    mail: Frequency

    @property
    def role(self) -> str:
        """The role, or the part in this very case."""
        return self.people.removeprefix("every:").partition("@")[0]

    @property
    def party(self) -> str:
        """The only party at which the role counts; empty where it counts at all those that it belongs to."""
        return self.people.partition("@")[2]

    @property
    def is_everywhere(self) -> bool:
        """Say whether the role counts wherever it is held."""
        return self.people.startswith("every:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of message: for whom it is. What no program elsewhere is told of says `lifecycle.deliveries.rules`."""

    audiences: tuple[Audience, ...]
    is_letter: bool = False
    """Goes to one mail address that the case itself names, at once and whatever anybody prefers: with a link in it
    that is for nobody else, so it stands in no inbox and reaches no robot."""


def task(*people: str) -> tuple[Audience, ...]:
    """Return who has to do the next step: mailed at once."""
    return tuple(Audience(people=one, is_task=True, mail=Frequency.IMMEDIATE) for one in people)


def tell(*people: str) -> tuple[Audience, ...]:
    """Return who is to know at once."""
    return _known(people, Frequency.IMMEDIATE)


def daily(*people: str) -> tuple[Audience, ...]:
    """Return who is to know, in the digest of the day."""
    return _known(people, Frequency.DAILY)


def inbox(*people: str) -> tuple[Audience, ...]:
    """Return who finds it in the inbox when they look; no mail tells of it."""
    return _known(people, Frequency.NEVER)


def _known(people: tuple[str, ...], mail: Frequency) -> tuple[Audience, ...]:
    return tuple(Audience(people=one, mail=mail) for one in people)


def _kind(*audiences: tuple[Audience, ...]) -> Kind:
    return Kind(audiences=tuple(one for group in audiences for one in group))


def letter() -> Kind:
    """Return a kind that is one mail to one address."""
    return Kind(audiences=(), is_letter=True)


_FIRM = ("project_lead", "finance_officer")
_PLATFORM = ("coordinator", "technical_manager")
_APPROVERS = ("fund_manager", "fund_director")
_BOOKS = ("accountant", "fund_manager")

KINDS: Mapping[str, Kind] = {
    "agreement.audit_accepted": _kind(tell(*_FIRM), daily("coordinator", "fund_manager")),
    "agreement.closed": _kind(tell(*_FIRM), daily(*_BOOKS)),
    "agreement.drafted": _kind(task("project_lead", "sponsor"), inbox("finance_officer", "coordinator")),
    "agreement.reopened": _kind(tell(*_BOOKS, "fund_director"), daily(*_FIRM)),
    "agreement.settled": _kind(tell(*_FIRM), daily(*_BOOKS, "fund_director")),
    "agreement.signed": _kind(tell(*_FIRM), daily("coordinator", "fund_manager")),
    "agreement.statement_due": _kind(task(*_FIRM), daily("certifier", "fund_manager")),
    "agreement.supplemented": _kind(task("project_lead", "sponsor"), inbox("finance_officer", "coordinator")),
    "batch.abandoned": _kind(tell("payer", *_BOOKS)),
    "batch.acknowledged": _kind(inbox("payer", "accountant")),
    "batch.sent": _kind(inbox("payer", "accountant")),
    "batch.settled": _kind(daily("payer", "accountant")),
    "batch.unknown": _kind(task(*_BOOKS), tell("payer")),
    "cost.submitted": _kind(task("certifier"), inbox("project_lead")),
    "cost.verified": _kind(tell(*_FIRM), inbox("fund_manager")),
    "disbursement.frozen": _kind(
        task("every:accountant", "every:fund_director"), tell("every:payer", "every:fund_manager", "every:operator")
    ),
    "disbursement.lifted": _kind(
        tell("every:accountant", "every:fund_director", "every:payer", "every:fund_manager", "every:operator")
    ),
    "exception.closed": _kind(tell("requester"), daily(*_BOOKS)),
    "exception.proposed": _kind(task("accountant", *_APPROVERS)),
    "fund.added": _kind(daily("fund_director", *_BOOKS)),
    "fund.called": _kind(tell("accountant", "fund_director"), inbox("fund_manager")),
    "fund.call_cancelled": _kind(tell("accountant", "fund_director"), inbox("fund_manager")),
    "fund.closed": _kind(tell("fund_director", *_BOOKS), daily("payer", "certifier")),
    "fund.commitment_amended": _kind(daily("fund_director", *_BOOKS)),
    "fund.committed": _kind(daily("fund_director", *_BOOKS)),
    "fund.contributed": _kind(daily("fund_director", *_BOOKS)),
    "fund.corrected": _kind(tell("fund_director", *_BOOKS), inbox("payer")),
    "fund.held": _kind(task("fund_director", "accountant"), tell("fund_manager", "payer")),
    "fund.mismatch": _kind(task("accountant", "fund_director"), tell("fund_manager")),
    "fund.resized": _kind(daily("fund_director", *_BOOKS)),
    "fund.resumed": _kind(tell("fund_director", *_BOOKS, "payer")),
    "invitation.accepted": _kind(tell("owner", *_FIRM), inbox("every:admin")),
    "invitation.link_asked": letter(),
    "invitation.sent": letter(),
    "milestone.accepted": _kind(task(*_FIRM), inbox("fund_manager")),
    "milestone.announced": _kind(tell(*_FIRM), daily("fund_manager")),
    "milestone.rejected": _kind(task(*_FIRM), inbox("coordinator")),
    "milestone.submitted": _kind(task("coordinator", "certifier"), inbox("project_lead")),
    "milestone.waived": _kind(tell(*_FIRM), daily("coordinator", "fund_manager")),
    "notice.answered": _kind(task("coordinator"), inbox("technical_manager")),
    "notice.issued": _kind(task("project_lead"), tell("finance_officer", "process_engineer"), inbox(*_PLATFORM)),
    "organisation.added": _kind(inbox("every:admin")),
    "payee_account.confirmed": _kind(tell(*_FIRM), inbox("accountant")),
    "payee_account.proposed": _kind(task(*_BOOKS), tell(*_FIRM)),
    "payee_account.retired": _kind(tell(*_FIRM), inbox("accountant")),
    "payout.amended": _kind(task("certifier"), tell("requester"), inbox(*_FIRM)),
    "payout.approval_given": _kind(task(*_APPROVERS), inbox("requester")),
    "payout.approved": _kind(task("payer"), tell("requester"), daily(*_FIRM)),
    "payout.cancelled": _kind(tell("requester"), daily(*_FIRM, "certifier", "fund_manager")),
    "payout.certified": _kind(task(*_APPROVERS), inbox("requester")),
    "payout.contradicted": _kind(task(*_BOOKS), tell("fund_director")),
    "payout.instructed": _kind(inbox("requester", "payer")),
    "payout.paid": _kind(tell("requester", *_FIRM), daily(*_BOOKS, "coordinator")),
    "payout.rejected": _kind(tell("requester", *_FIRM), daily("certifier")),
    "payout.released": _kind(inbox("requester", "accountant")),
    "payout.requested": _kind(task("certifier"), inbox(*_FIRM)),
    "payout.returned": _kind(task("requester", "finance_officer"), tell(*_BOOKS, "payer")),
    "payout.sent_back": _kind(task("requester"), tell(*_FIRM), inbox("certifier")),
    "programme.added": _kind(inbox("every:admin")),
    "project.advanced": _kind(task(*_PLATFORM), tell(*_FIRM, "process_engineer"), daily("fund_manager")),
    "project.evidence_added": _kind(inbox(*_PLATFORM, "quality_engineer")),
    "project.held": _kind(tell(*_FIRM, *_PLATFORM, "fund_manager")),
    "project.issue_added": _kind(tell(*_PLATFORM, "quality_engineer", "ehs_officer"), daily("project_lead")),
    "project.judged": _kind(daily("project_lead"), inbox("coordinator", "process_engineer")),
    "project.order_recorded": _kind(inbox(*_PLATFORM, "project_lead")),
    "project.received": _kind(task("coordinator"), tell("project_lead")),
    "project.recycled": _kind(task("project_lead"), tell("process_engineer", *_PLATFORM), daily("fund_manager")),
    "project.requirement_reopened": _kind(task("project_lead"), tell("process_engineer", *_PLATFORM)),
    "project.requirement_waived": _kind(tell("project_lead", "coordinator")),
    "project.resumed": _kind(tell(*_FIRM, *_PLATFORM, "fund_manager")),
    "project.revision_frozen": _kind(inbox(*_PLATFORM, "quality_engineer")),
    "project.scenario_recorded": _kind(inbox(*_PLATFORM, "project_lead")),
    "project.stop_loss_reached": _kind(
        task("coordinator"), tell("project_lead", "technical_manager", "fund_manager", "sponsor")
    ),
    "project.stopped": _kind(tell(*_FIRM, *_PLATFORM, *_APPROVERS, "accountant")),
    "project.submitted": _kind(task("coordinator"), daily("technical_manager", "project_lead")),
    "project.transfer_asked": _kind(task("coordinator@new_platform"), tell("project_lead", "technical_manager")),
    "project.transferred": _kind(tell("project_lead", *_PLATFORM, "fund_manager")),
    "project.waiver_asked": _kind(task("coordinator"), inbox("project_lead", "technical_manager")),
    "project.withdrawn": _kind(tell(*_FIRM, *_PLATFORM, *_APPROVERS, "accountant")),
    "recovery.ordered": _kind(task(*_FIRM), tell(*_BOOKS)),
    "recovery.repaid": _kind(tell(*_FIRM), daily(*_BOOKS)),
    "recovery.set_off": _kind(tell(*_FIRM), daily(*_BOOKS)),
    "recovery.write_off_proposed": _kind(task(*_APPROVERS), inbox("accountant")),
    "recovery.written_off": _kind(tell(*_FIRM), daily(*_BOOKS)),
    "review.called": _kind(task("panel"), tell("project_lead", "technical_manager")),
    "review.cancelled": _kind(tell("panel", "project_lead", *_PLATFORM)),
    "review.decided": _kind(task("coordinator"), tell("project_lead", "technical_manager", "panel", "fund_manager")),
    "review.objected": _kind(task("chair", "sponsor"), tell("coordinator", "project_lead")),
    "review.opened": _kind(task("voters"), inbox("project_lead", "technical_manager")),
    "review.proposed": _kind(tell("project_lead", *_PLATFORM), daily("fund_manager")),
    "review.reopened": _kind(task("voters"), tell("project_lead", *_PLATFORM)),
    "standard.proposed": _kind(task("every:standard_editor")),
    "standard.published": _kind(daily("every:coordinator", "every:standard_editor")),
    "statement.quarantined": _kind(task("accountant", "every:operator")),
    "statement.unmatched": _kind(task("accountant"), inbox("fund_manager")),
    "trial_batch.closed": _kind(daily(*_PLATFORM, "quality_engineer")),
    "trial_batch.corrected": _kind(tell("coordinator", "quality_engineer"), inbox("technical_manager")),
    "trial_batch.recorded": _kind(inbox(*_PLATFORM, "quality_engineer")),
    "user.access_changed": _kind(tell("person")),
    "user.added": _kind(tell("person"), inbox("every:admin")),
    "user.delegated": _kind(tell("person")),
}
"""What verbs tell."""

OF_THE_CLOCK: Mapping[str, Kind] = {
    "backup.failed": _kind(task("every:operator")),
    "calendar.changed": _kind(tell("every:coordinator", "every:fund_manager", "every:operator")),
    "calendar.deadlines_moved": _kind(daily(*_FIRM, "technical_manager"), inbox("coordinator")),
    "checkpoint.signed": _kind(tell("every:auditor")),
    "delivery.given_up": _kind(task("every:operator")),
    "digest.daily": _kind(tell("person")),
    "digest.weekly": _kind(tell("person")),
    "invariant.broken": _kind(task("every:operator", "every:accountant", "every:fund_director")),
    "reminder.due": _kind(task("person")),
    "report.frozen": _kind(tell("sponsor", "fund_director"), daily("every:coordinator")),
    "run.failed": _kind(task("every:operator")),
    "run.missed": _kind(tell("every:operator")),
    "webhook.disabled": _kind(task("owner"), tell("every:operator")),
}
"""What the clock tells, and the installation of itself."""


def kind_of(kind: str) -> Kind:
    """Return the entry of a kind; `KeyError` where nobody ever wrote one."""
    return KINDS[kind] if kind in KINDS else OF_THE_CLOCK[kind]


def topic_of(kind: str) -> str:
    """Return what somebody can prefer to hear of more or less often: `payout` of `payout.paid`."""
    return kind.partition(".")[0]


def texts_of(kind: str, lang: Lang) -> Mapping[str, str]:
    """Return the templates of one kind in one language, by part; `KeyError` for a kind without texts."""
    found: Mapping[str, str] = _texts()[kind][_KEY[lang]]
    return found


def entries() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield (file, kind, {zh, en}) for all texts as they are written; a kind that stands twice comes twice."""
    import yaml  # noqa: PLC0415 - `pilotway --help` must not wait for its reader

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(TEXTS.glob("*.yaml")):
        for kind, texts in yaml.load(path.read_text(encoding="utf-8"), loader).items():  # noqa: S506
            yield path.name, kind, texts


@cache
def _texts() -> Mapping[str, Mapping[str, Any]]:
    return {kind: texts for _, kind, texts in entries()}
