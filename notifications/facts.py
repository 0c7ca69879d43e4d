"""What a message says of its case besides what the outbox says: names, figures and days, and where it is seen.

Plain values for every language: what is worded differently in each stays a code, or comes as `{"zh": …, "en": …}`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from models.money import Money
from models.states import ENDED
from notifications.render import plain_facts
from notifications.sources import Sources


def facts_of(row: Any, own: Any, project: Any, fund: Any, sources: Sources) -> dict[str, Any]:
    """Return the facts of one message; what the outbox says came first and wins."""
    act = sources.act_of(row)
    actor = sources.users.get(act.actor_id) if act is not None else None
    facts = {
        **_of_the_case(row, own, sources),
        **(_of_the_project(project, sources) if project is not None else {}),
        **(_of_the_fund(fund) if fund is not None else {}),
        "who": actor.name if actor is not None else "",
        "note": _reason(act),
        **row.facts,
    }
    facts |= _words_of_the_kind(row, facts, project, sources)
    return plain_facts({**_place(row, own, facts), **_with_amounts(facts)})


def _reason(act: Any) -> str:
    """Return why somebody did it, in their own words, as the audit trail keeps it."""
    detail = json.loads(act.body)["detail"] if act is not None else {}
    said = detail.get("reason") or detail.get("note") or ""
    return said.strip() if isinstance(said, str) else ""


def _of_the_project(project: Any, sources: Sources) -> dict[str, Any]:
    def name(key: Any) -> str:
        return sources.organisations[key].name if key in sources.organisations else ""

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
    "fund": ("code", "commitment_minor"),
    "invitation": ("name", "email", "roles", "expires_at"),
    "milestone": ("tranche",),
    "organisation": ("name",),
    "payee_account": ("bank_name", "usable_on"),
    "payout": ("number", "amount_minor", "currency", "approvals_needed", "pay_by_on"),
    "programme": ("code", "name"),
    "review": ("gate", "planned_on", "notice_ends_on"),
    "standard": ("code",),
    "standard_draft": ("code", "reason"),
    "statement": ("statement_ref",),
    "user": ("login", "name"),
}
"""What is said of an object besides what the outbox says."""


def _of_the_case(row: Any, own: Any, sources: Sources) -> dict[str, Any]:
    """Return what the object itself says; what the outbox says of it came first and wins."""
    if own is None:
        return {}
    found = {name: getattr(own, name) for name in _COLUMNS.get(row.object_type, ())}
    agreement = sources.agreements.get(getattr(own, "agreement_id", None))
    if agreement is not None:
        found["agreement"] = agreement.number
    more = _MORE.get(row.object_type)
    return {**found, **(more(own, sources) if more else {})}


def _of_payout(own: Any, sources: Sources) -> dict[str, Any]:
    milestone = sources.milestones.get(own.milestone_id)
    return {"tranche": milestone.tranche if milestone is not None else ""}


def _of_invitation(own: Any, sources: Sources) -> dict[str, Any]:
    place = sources.organisations.get(own.organisation_id)
    link = {"link_id": own.id} if own.used_at is None else {}
    return {"organisation": place.name if place is not None else "", **link}


def _of_recovery(own: Any, _: Sources) -> dict[str, Any]:
    return {"left_minor": own.amount_minor - own.repaid_minor - own.set_off_minor - own.written_off_minor}


_MORE: Mapping[str, Callable[[Any, Sources], dict[str, Any]]] = {
    "agreement": lambda own, _: {"award_minor": own.amount_minor},
    "batch": lambda own, _: {"count": own.instruction_count},
    "exception": lambda _own, _: {"fund_name": ""},
    "invitation": _of_invitation,
    "milestone": lambda own, _: {"planned_minor": own.amount_minor},
    "organisation": lambda own, _: {"organisation_kind": own.kind},
    "payee_account": lambda own, _: {"account_tail": own.account_number[-4:]},
    "payout": _of_payout,
    "recovery": _of_recovery,
    "standard": lambda own, _: {"version": own.pack_version},
    "standard_draft": lambda own, _: {"version": own.pack_version},
    "statement": lambda own, _: {"fund_name": "", "refusal": own.refusal or {}},
}


_KEPT_WORDS: Mapping[str, str] = {"for": "absent", "from": "since"}
"""Names that a template keeps for itself."""


def _words_of_the_kind(row: Any, facts: Mapping[str, Any], project: Any, sources: Sources) -> dict[str, Any]:
    """Return what only some kinds have to say: titles of the standard, other names for words that a template keeps."""
    found: dict[str, Any] = {}
    found |= {ours: facts[theirs] for theirs, ours in _KEPT_WORDS.items() if theirs in facts}
    if row.kind == "project.stop_loss_reached" and facts["code"] == "stop_loss_money":
        found |= {name: Money(facts[name.partition("_")[0]], "CNY").display for name in ("limit_money", "used_money")}
    if row.kind == "project.advanced":
        found["is_over"] = facts["to"] in ENDED
    if project is not None:
        pack = sources.packs[project.pack_sha256]
        if "clause" in facts and pack.has(facts["clause"]):
            found["clause_title"] = pack.criterion(facts["clause"]).title.model_dump()
        elif "clause" in facts:
            found["clause_title"] = {"zh": "", "en": ""}
        if row.kind == "project.evidence_added":
            named = pack.has_evidence_type(facts["type"])
            plain = {"zh": facts["type"], "en": facts["type"]}
            found["type_title"] = pack.evidence_type(facts["type"]).title.model_dump() if named else plain
    if row.kind == "notice.answered":
        found |= {"met": facts.get("met"), "count": facts.get("count")}
    if row.kind == "notice.issued":
        asked = set(facts["clauses"])
        found["items"] = [one for one in sources.owed.get(row.object_id, ()) if one["key"] in asked]
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


_INBOX = ("inbox", "notify list")
_OF_THE_INBOX = frozenset({"reminder.due"})
"""Kinds that tell of several things at once."""
_LINKS: Mapping[str, str] = {"invitation.sent": "invite", "invitation.link_asked": "link"}
"""Kind of letter -> where its link leads; the rest of the address is made when the mail is written."""


def _place(row: Any, own: Any, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return where it is seen: the page of the console, and the command that shows it."""
    number, fund = facts.get("project", ""), facts.get("fund", "")
    of = {
        "agreement": (f"agreements/{facts.get('number')}", f"agreement show {facts.get('number')}"),
        "batch": (f"payment-batches/{facts.get('number')}", f"bank show {facts.get('number')}"),
        "cost": (f"costs/{row.object_id}", f"cost show {facts.get('agreement')}/{facts.get('statement_no')}"),
        "disbursement": ("disbursement/all", "disbursement show"),
        "exception": (f"exceptions/{row.object_id}", f"exception show {row.object_id}"),
        "fund": (f"funds/{fund}", f"fund show {fund}"),
        "invitation": (_LINKS.get(row.kind, ""), ""),
        "milestone": (f"milestones/{row.object_id}", f"milestone show {facts.get('agreement')}/{facts.get('tranche')}"),
        "organisation": ("", "organisation list"),
        "payee_account": (f"payees/{row.object_id}", "payee list"),
        "payout": (f"payouts/{facts.get('number')}", f"payout show {facts.get('number')}"),
        "programme": ("", "programme list"),
        "project": (f"projects/{number}", f"gate check {number}" if own is not None else ""),
        "recovery": (f"recoveries/{facts.get('number')}", f"recovery show {facts.get('number')}"),
        "review": (f"reviews/{row.object_id}", f"review show {number}/{facts.get('gate')}"),
        "standard": (f"standards/{facts.get('code')}/{facts.get('version')}", "standard list"),
        "standard_draft": (f"standard-drafts/{row.object_id}", "standard list"),
        "statement": (f"statements/{row.object_id}", "statement list"),
    }
    page, command = _INBOX if row.kind in _OF_THE_INBOX else of.get(row.object_type, ("", ""))
    return {"page": page, "command": f"pilotway {command}" if command else ""}
