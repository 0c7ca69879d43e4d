"""What a message is about: its project, fund and case, who plays which part there, and the names and figures to say.

The outbox says what happened; everything else is read here, in a number of statements that does not grow with the rows.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from lifecycle.canonical import sha256
from lifecycle.commands import Stamp
from lifecycle.projects.queries import project_rows
from lifecycle.standards.pack import Pack
from lifecycle.verdicts.packs import packs_of
from models.agreements import Agreement, CostStatement, Milestone, RecoveryOrder
from models.deliveries import WebhookEndpoint
from models.funds import Fund
from models.holds import ExceptionCase
from models.journal import AuditRecord
from models.money import Money
from models.payouts import Approval, PayeeAccount, PaymentBatch, Payout
from models.people import Organisation, User
from models.programmes import Programme, StandardPack
from models.projects import Project
from models.reading import rows_by, table_of
from models.reviews import Review
from models.statements import BankStatement
from models.states import ENDED
from notifications.owed import owed_items
from notifications.render import plain_facts

Rows: TypeAlias = Mapping[UUID, Any]
Parties: TypeAlias = Mapping[str, frozenset[UUID]]

_TABLES: Mapping[str, Any] = {
    "agreement": Agreement,
    "batch": PaymentBatch,
    "cost": CostStatement,
    "exception": ExceptionCase,
    "fund": Fund,
    "milestone": Milestone,
    "organisation": Organisation,
    "payee_account": PayeeAccount,
    "payout": Payout,
    "programme": Programme,
    "project": Project,
    "recovery": RecoveryOrder,
    "review": Review,
    "standard": StandardPack,
    "statement": BankStatement,
    "user": User,
    "webhook": WebhookEndpoint,
}
"""Objects that are read; any other (a run, a delivery, all disbursement) is told by its facts alone."""

_SECOND_PERSON: Mapping[str, tuple[str, ...]] = {
    "exception.proposed": ("proposed_by",),
    "payee_account.proposed": ("proposed_by",),
    "payout.amended": ("requested_by",),
    "payout.approval_given": ("requested_by",),
    "payout.approved": ("requested_by",),
    "payout.certified": ("requested_by",),
    "payout.requested": ("requested_by",),
    "recovery.write_off_proposed": ("write_off_by",),
}
"""Kinds whose next step is a second person's: who has acted already is not asked (F7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What one message is about."""

    facts: Mapping[str, Any]
    """Plain values, for the texts in every language."""
    parties: Parties = field(default_factory=dict)
    """Part -> organisations that play it; none where the whole installation is meant."""
    project_id: UUID | None = None
    review_id: UUID | None = None
    people: Mapping[str, UUID] = field(default_factory=dict)
    """Accounts with a part in this very case: `person`, `requester`, `owner`."""
    actor_person: UUID | None = None
    """The human whose act it was."""
    barred: frozenset[UUID] = frozenset()
    """Humans who may not do the next step, for they did the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Everything that a chunk of messages needs, by key."""

    objects: Mapping[tuple[str, UUID], Any]
    projects: Rows
    funds: Rows
    agreements: Rows
    milestones: Rows
    organisations: Rows
    users: Rows
    packs: Mapping[str, Pack]
    approvals: Mapping[UUID, list[Any]]
    acts: Mapping[str, Any]
    """End of a dedupe key -> the audit row of the act."""
    payers_of: Mapping[UUID, frozenset[UUID]]
    """Firm -> the organisations whose funds pay it."""
    owed: Mapping[UUID, list[dict[str, Any]]]
    """Project -> what its firm owes, in full."""


def about_all(
    session: Session, rows: Sequence[Any], stamp: Stamp, problems: dict[UUID, str] | None = None
) -> dict[UUID, About]:
    """Return what each of these outbox rows is about; one that cannot be said is left out, with why in `problems`."""
    read, found = _read(session, rows, stamp), dict[UUID, About]()
    for row in rows:
        try:
            found[row.id] = _about(row, read)
        except (KeyError, TypeError, ValueError) as error:
            if problems is None:
                raise
            problems[row.id] = f"{type(error).__name__}: {error}"
    return found


def _read(session: Session, rows: Sequence[Any], stamp: Stamp) -> _Read:
    wanted: dict[str, set[UUID]] = {}
    for row in rows:
        if row.object_type in _TABLES:
            wanted.setdefault(row.object_type, set()).add(row.object_id)
    objects = {
        (kind, key): found[0]
        for kind, ids in wanted.items()
        for key, found in rows_by(session, _TABLES[kind], "id", ids).items()
    }
    known = list(objects.values())
    projects = {
        row.id: row for row in project_rows(session, list(_ids(known, "project_id") | wanted.get("project", set())))
    }
    funds = _by_id(session, Fund, _ids(known, "fund_id"))
    firms = {row.organisation_id for (kind, _), row in objects.items() if kind == "payee_account"}
    payers_of = _payers_of(session, firms)
    places = (
        _ids(projects.values(), "organisation_id", "platform_id", "receiver_id", "transfer_to_id")
        | _ids(funds.values(), "organisation_id")
        | firms
    )
    approvals = rows_by(session, Approval, "payout_id", wanted.get("payout", set()), "seq")
    acts = _acts(session, rows)
    people = _ids(known, "requested_by", "proposed_by", "submitted_by", "granted_by", "write_off_by", "owner_id")
    signers = {one.approver_id for group in approvals.values() for one in group}
    users = _by_id(session, User, people | signers | _ids(acts.values(), "actor_id"))
    packs = packs_of(session, {row.pack_sha256 for row in projects.values()}) if projects else {}
    noticed = [row.object_id for row in rows if row.kind == "notice.issued"]
    return _Read(
        objects=objects,
        projects=projects,
        funds={**funds, **{key: row for (kind, key), row in objects.items() if kind == "fund"}},
        agreements=_by_id(session, Agreement, _ids(known, "agreement_id")),
        milestones=_by_id(session, Milestone, _ids(known, "milestone_id")),
        organisations=_by_id(session, Organisation, places),
        users=users,
        packs=packs,
        approvals=approvals,
        acts=acts,
        payers_of=payers_of,
        owed=owed_items(session, noticed, stamp) if noticed else {},
    )


def _ids(rows: Iterable[Any], *columns: str) -> set[UUID]:
    found = {getattr(row, column, None) for row in rows for column in columns}
    return {one for one in found if one is not None}


def _by_id(session: Session, model: Any, ids: Collection[UUID]) -> dict[UUID, Any]:
    return {key: found[0] for key, found in rows_by(session, model, "id", ids).items()}


def _payers_of(session: Session, firms: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """Return firm -> organisations whose funds have an agreement with it: they call back about its bank account."""
    if not firms:
        return {}
    project, agreement, fund = table_of(Project), table_of(Agreement), table_of(Fund)
    statement = (
        select(project.c.organisation_id.label("firm"), fund.c.organisation_id)
        .join(agreement, agreement.c.project_id == project.c.id)
        .join(fund, fund.c.id == agreement.c.fund_id)
        .where(project.c.organisation_id.in_(firms))
        .distinct()
    )
    found: dict[UUID, set[UUID]] = {}
    for row in session.execute(statement):
        found.setdefault(row.firm, set()).add(row.organisation_id)
    return {firm: frozenset(places) for firm, places in found.items()}


def _acts(session: Session, rows: Sequence[Any]) -> dict[str, Any]:
    """Return end of a dedupe key -> the audit row of the act that wrote the message.

    The key ends in a hash over who acted and under which command id (`lifecycle.journal`), so that nobody else's act
    of the same instant is taken for it.
    """
    audit = table_of(AuditRecord)
    columns = (audit.c.actor_id, audit.c.command_id, audit.c.object_id, audit.c.body, audit.c.action)
    statement = select(*columns).where(
        audit.c.object_type.in_({row.object_type for row in rows}),
        audit.c.object_id.in_({row.object_id for row in rows}),
        audit.c.at.in_({row.created_at for row in rows}),
    )
    return {
        f"{row.object_id}:{sha256(f'{row.actor_id}:{row.command_id}')[:16]}": row for row in session.execute(statement)
    }


def _about(row: Any, read: _Read) -> About:
    own = read.objects.get((row.object_type, row.object_id))
    project = read.projects.get(row.object_id if row.object_type == "project" else getattr(own, "project_id", None))
    fund = read.funds.get(row.object_id if row.object_type == "fund" else getattr(own, "fund_id", None))
    act = read.acts.get(row.dedupe_key.partition(":")[2])
    actor = read.users.get(act.actor_id) if act is not None else None
    facts = {
        **_of_the_case(row, own, read),
        **(_of_the_project(project, read) if project is not None else {}),
        **(_of_the_fund(fund) if fund is not None else {}),
        "who": actor.name if actor is not None else "",
        "note": _reason(act),
        **row.facts,
    }
    facts |= _words_of_the_kind(row, facts, project, read)
    return About(
        facts=plain_facts({**_place(row, own, facts), **_with_amounts(facts)}),
        parties=_parties(row, own, project, fund, read),
        project_id=project.id if project is not None else None,
        review_id=row.object_id if row.object_type == "review" else None,
        people=_people(row, own),
        actor_person=actor.person_id if actor is not None else None,
        barred=_barred(row, own, read),
    )


def _reason(act: Any) -> str:
    """Return why somebody did it, in their own words, as the audit trail keeps it."""
    detail = json.loads(act.body)["detail"] if act is not None else {}
    said = detail.get("reason") or detail.get("note") or ""
    return said.strip() if isinstance(said, str) else ""


def _of_the_project(project: Any, read: _Read) -> dict[str, Any]:
    def name(key: Any) -> str:
        return read.organisations[key].name if key in read.organisations else ""

    return {
        "project": project.number,
        "work": f"{project.number} {project.name}",
        "firm": name(project.organisation_id),
        "platform": name(project.platform_id),
        "new_platform": name(project.transfer_to_id),
    }


def _of_the_fund(fund: Any) -> dict[str, Any]:
    return {"fund": fund.code, "fund_name": fund.name, "currency": fund.currency}


_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "agreement": ("number",),
    "cost": ("from_on", "until_on", "claimed_minor", "accepted_minor"),
    "fund": ("commitment_minor",),
    "milestone": ("tranche",),
    "organisation": ("name",),
    "payee_account": ("bank_name", "usable_on"),
    "payout": ("number", "amount_minor", "currency", "approvals_needed", "pay_by_on"),
    "programme": ("code", "name"),
    "review": ("gate", "planned_on", "notice_ends_on"),
    "standard": ("code",),
    "statement": ("statement_ref",),
    "user": ("login", "name"),
}
"""What is said of an object besides what the outbox says."""


def _of_the_case(row: Any, own: Any, read: _Read) -> dict[str, Any]:
    """Return what the object itself says; what the outbox says of it came first and wins."""
    if own is None:
        return {}
    found = {name: getattr(own, name) for name in _COLUMNS.get(row.object_type, ())}
    agreement = read.agreements.get(getattr(own, "agreement_id", None))
    if agreement is not None:
        found["agreement"] = agreement.number
    more = _MORE.get(row.object_type)
    return {**found, **(more(own, read) if more else {})}


def _of_payout(own: Any, read: _Read) -> dict[str, Any]:
    milestone = read.milestones.get(own.milestone_id)
    return {"tranche": milestone.tranche if milestone is not None else ""}


def _of_recovery(own: Any, _: _Read) -> dict[str, Any]:
    return {"left_minor": own.amount_minor - own.repaid_minor - own.set_off_minor - own.written_off_minor}


_MORE: Mapping[str, Callable[[Any, _Read], dict[str, Any]]] = {
    "agreement": lambda own, _: {"award_minor": own.amount_minor},
    "batch": lambda own, _: {"count": own.instruction_count},
    "exception": lambda _own, _: {"fund_name": ""},
    "milestone": lambda own, _: {"planned_minor": own.amount_minor},
    "organisation": lambda own, _: {"organisation_kind": own.kind},
    "payee_account": lambda own, _: {"account_tail": own.account_number[-4:]},
    "payout": _of_payout,
    "recovery": _of_recovery,
    "standard": lambda own, _: {"version": own.pack_version},
    "statement": lambda own, _: {"fund_name": "", "refusal": own.refusal or {}},
}


_KEPT_WORDS: Mapping[str, str] = {"for": "absent", "from": "since"}
"""Names that a template keeps for itself."""


def _words_of_the_kind(row: Any, facts: Mapping[str, Any], project: Any, read: _Read) -> dict[str, Any]:
    """Return what only some kinds have to say: titles of the standard, other names for words that a template keeps."""
    found: dict[str, Any] = {}
    found |= {ours: facts[theirs] for theirs, ours in _KEPT_WORDS.items() if theirs in facts}
    if row.kind == "project.stop_loss_reached" and facts["code"] == "stop_loss_money":
        found |= {name: Money(facts[name.partition("_")[0]], "CNY").display for name in ("limit_money", "used_money")}
    if row.kind == "project.advanced":
        found["is_over"] = facts["to"] in ENDED
    if project is not None:
        pack = read.packs[project.pack_sha256]
        if "clause" in facts and pack.has(facts["clause"]):
            found["clause_title"] = pack.criterion(facts["clause"]).title.model_dump()
        elif "clause" in facts:
            found["clause_title"] = {"zh": "", "en": ""}
        if row.kind == "project.evidence_added":
            named = pack.has_evidence_type(facts["type"])
            plain = {"zh": facts["type"], "en": facts["type"]}
            found["type_title"] = pack.evidence_type(facts["type"]).title.model_dump() if named else plain
    if row.kind == "notice.issued":
        asked = set(facts["clauses"])
        found["items"] = [one for one in read.owed.get(row.object_id, ()) if one["clause"] in asked]
    return found


def _with_amounts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts with every `…_minor` as people read it beside it; a word that is there already stays."""
    currency = str(facts.get("currency") or "CNY")
    read = {
        name.removesuffix("_minor"): Money(value, currency).display
        for name, value in facts.items()
        if name.endswith("_minor") and isinstance(value, int)
    }
    return {**read, **facts}


def _place(row: Any, own: Any, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return where it is seen: the page of the console, and the command that shows it."""
    number, fund = facts.get("project", ""), facts.get("fund", "")
    of = {
        "agreement": (f"projects/{number}/money", f"agreement show {facts.get('number')}"),
        "batch": (f"funds/{fund}", f"bank show {facts.get('number')}"),
        "cost": (f"projects/{number}/money", f"cost show {facts.get('agreement')}/{facts.get('statement_no')}"),
        "disbursement": ("ops", "disbursement show"),
        "exception": (f"funds/{fund}" if fund else "ops", f"exception show {row.object_id}"),
        "fund": (f"funds/{fund}", f"fund show {fund}"),
        "milestone": (f"projects/{number}/money", f"milestone show {facts.get('agreement')}/{facts.get('tranche')}"),
        "organisation": ("", "organisation list"),
        "payee_account": ("", "payee list"),
        "payout": (f"payouts/{facts.get('number')}", f"payout show {facts.get('number')}"),
        "programme": ("", "programme list"),
        "project": (f"projects/{number}", f"gate check {number}" if own is not None else ""),
        "recovery": (f"projects/{number}/money", f"recovery show {facts.get('number')}"),
        "review": (f"projects/{number}/gate", f"review show {number}/{facts.get('gate')}"),
        "standard": (f"standards/{facts.get('code')}/{facts.get('version')}", "standard list"),
        "statement": (f"funds/{fund}" if fund else "ops", "statement list"),
    }
    page, command = of.get(row.object_type, ("", ""))
    return {"page": page, "command": f"pilotway {command}" if command else ""}


def _parties(row: Any, own: Any, project: Any, fund: Any, read: _Read) -> Parties:
    """Return who plays which part (`lifecycle.engine.parties_of`): where money is concerned the funder is the fund's."""
    found: dict[str, Any] = {}
    if project is not None:
        programme = project.programme_organisation_id
        found = {
            "sme": project.organisation_id,
            "platform": project.platform_id,
            "receiver": project.receiver_id,
            "new_platform": project.transfer_to_id,
            "funder": programme,
            "programme": programme,
        }
    if fund is not None:
        found |= {"funder": fund.organisation_id, "programme": fund.organisation_id}
    parties = {part: frozenset({one}) for part, one in found.items() if one is not None}
    if row.object_type == "payee_account" and own is not None:
        payers = read.payers_of.get(own.organisation_id, frozenset())
        parties = {"sme": frozenset({own.organisation_id}), **({"funder": payers} if payers else {})}
    if row.object_type == "programme" and own is not None and own.organisation_id is not None:
        parties = {part: frozenset({own.organisation_id}) for part in ("funder", "programme")}
    return parties


def _people(row: Any, own: Any) -> dict[str, UUID]:
    found = {
        "person": row.object_id if row.object_type == "user" else None,
        "requester": next(filter(None, (getattr(own, name, None) for name in ("requested_by", "proposed_by"))), None),
        "owner": getattr(own, "owner_id", None),
    }
    return {part: one for part, one in found.items() if one is not None}


def _barred(row: Any, own: Any, read: _Read) -> frozenset[UUID]:
    """Return the humans who did the steps before, where the next one asks for somebody else."""
    if own is None or row.kind not in _SECOND_PERSON:
        return frozenset()
    accounts = {getattr(own, name) for name in _SECOND_PERSON[row.kind]}
    if row.object_type == "payout":
        signed = read.approvals.get(own.id, [])
        accounts |= {one.approver_id for one in signed if one.payload_hash == own.payload_hash}
    people = {read.users[one].person_id for one in accounts if one in read.users}
    return frozenset(people | {UUID(one) for one in getattr(own, "amended_by", None) or ()})
