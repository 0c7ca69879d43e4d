"""Sample facts for a look at messages of which nothing has happened yet."""

from collections.abc import Mapping
from typing import Any

from notifications.messages import OF_THE_CLOCK

_DAY, _INSTANT = "2026-03-02", "2026-03-02T01:00:00+00:00"
_BOTH = {"zh": "营业执照", "en": "Business licence"}

_COMMON: Mapping[str, Any] = {
    "absent": "周总",
    "accepted": "¥450,000.00",
    "account_tail": "0001",
    "agreement": "AG-2026-0001",
    "amount": "¥400,000.00",
    "amount_minor": 40_000_000,
    "approvals_needed": 2,
    "attempts": 10,
    "award": "¥1,000,000.00",
    "bank": "¥1,000,000.00",
    "bank_name": "中国工商银行",
    "batch": "B-01",
    "call": 1,
    "channel": "email",
    "checks": ["I05", "I07"],
    "claimed": "¥500,000.00",
    "clause": "G3.1",
    "clause_title": {"zh": "试制记录", "en": "Trial records"},
    "change": "add_totp",
    "code": "other",
    "commitment": "¥30,000,000.00",
    "count": 2,
    "detail": "421 try again later",
    "due": _DAY,
    "due_minor": 0,
    "due_on": _DAY,
    "entitlement": "¥210,000.00",
    "failures": 10,
    "file": "camt053-20260302.xml",
    "finding": "issue",
    "firm": "味道智能科技有限公司",
    "from_on": _DAY,
    "fund": "ZS-1",
    "fund_name": "中试基金一期",
    "gate": "G3",
    "given": 1,
    "host": "hooks.example.org",
    "is_over": False,
    "kind": "payout.paid",
    "label": "A",
    "ledger": "¥900,000.00",
    "left": "¥110,000.00",
    "left_minor": 11_000_000,
    "limit": 5,
    "limit_money": "¥500,000.00",
    "login": "li",
    "met": 1,
    "moved": 3,
    "name": "李工",
    "needed": 2,
    "new_platform": "智能硬件中试基地",
    "notice": 1,
    "notice_ends_on": _DAY,
    "number": "PT-2026-0001",
    "organisation": "味道智能科技有限公司",
    "organisation_kind": "sme",
    "outcome": "go",
    "owed": "¥190,000.00",
    "owed_minor": 19_000_000,
    "paid": "¥400,000.00",
    "pay_by_on": _DAY,
    "period": "2026-Q1",
    "planned": "¥400,000.00",
    "planned_on": _DAY,
    "platform": "智能硬件中试基地",
    "programme": "中试专项",
    "project": "PT-2026-0001",
    "proposer": "高编辑",
    "reason": "mismatch",
    "recipient": "li@example.org",
    "role": "fund_director",
    "schedule": "reminders",
    "severity": 2,
    "sha256": "0" * 64,
    "since": _INSTANT,
    "slot_at": _INSTANT,
    "stage": "small_batch_trial",
    "statement_no": 2,
    "statement_ref": "CNY00027",
    "supplement": 1,
    "to": "feasibility",
    "total": "¥400,000.00",
    "touched": ["G3.1"],
    "tranche": "T1",
    "type_title": _BOTH,
    "until": _INSTANT,
    "until_on": _DAY,
    "usable_on": _DAY,
    "used": 5,
    "used_money": "¥500,000.00",
    "version": "2026.1",
    "was": "¥20,000,000.00",
    "where": "https://www.example.org/notices/1",
    "who": "张协调",
    "why": "connection refused",
    "work": "PT-2026-0001 智能炒菜机器人",
    "year": 2027,
    "yes": True,
}

_OWED = {
    "clause": "G1.1",
    "title": _BOTH,
    "why": {"zh": ["未提交：营业执照。"], "en": ["Not there: business licence."]},
}
_DUE = {
    "what": "stage_due",
    "number": "PT-2026-0001",
    "label": {"zh": "G1.1 营业执照", "en": "G1.1 Business licence"},
    "name": "智能炒菜机器人",
    "on": _DAY,
    "working_days_left": 3,
    "is_provisional": False,
}
_MOVED = {"what": "stage_due", "ref": "PT-2026-0001", "was_on": _DAY, "is_on": "2026-03-03"}

_INVITED = {"name": "李工", "email": "li@example.org", "roles": ["project_lead"], "expires_at": _INSTANT}

_OF_A_KIND: Mapping[str, Mapping[str, Any]] = {
    "calendar.changed": {"notice": "国办发明电〔2026〕1号", "items": [_MOVED]},
    "calendar.deadlines_moved": {"notice": "国办发明电〔2026〕1号", "items": [_MOVED]},
    "checkpoint.signed": {
        "seq": 12,
        "audit_seq": 4711,
        "heads_count": 96,
        "at": _INSTANT,
        "file": "20260302T010000Z.json",
        "heads_sha256": "1" * 64,
        "key_id": "2" * 64,
        "signature": "MEUCIQ==",
    },
    "invitation.accepted": _INVITED,
    "invitation.link_asked": {**_INVITED, "who": "", "page": "link", "link_id": "0"},
    "invitation.sent": {**_INVITED, "page": "invite", "link_id": "0"},
    "digest.daily": {"items": [{"subject": "PO-2026-0001 已付 ¥400,000.00", "is_task": False}]},
    "digest.weekly": {"items": [{"subject": "PO-2026-0001 已付 ¥400,000.00", "is_task": False}]},
    "exception.closed": {"kind": "amount_differs"},
    "exception.proposed": {"kind": "amount_differs"},
    "agreement.reopened": {"payout": "PO-2026-0007"},
    "fund.called": {"number": "ZS-1"},
    "notice.issued": {"items": [_OWED]},
    "payout.contradicted": {"code": "paid_twice_by_bank"},
    "recovery.ordered": {"code": "stop"},
    "reminder.due": {"items": [_DUE, {**_DUE, "working_days_left": -1}]},
    "webhook.disabled": {"detail": "failing"},
    "statement.quarantined": {
        "code": "bank_date",
        "refusal": {"element": "BookgDt", "found": "2026-13-02", "rule": "ISO 8601"},
    },
}

_NUMBERS = {"agreement": "AG-2026-0001", "batch": "PB-2026-0001", "payout": "PO-2026-0001", "recovery": "RC-2026-0001"}


def sample_facts(kind: str) -> dict[str, Any]:
    """Return facts with which a message of this kind can be rendered."""
    topic = kind.partition(".")[0]
    own = {"number": _NUMBERS[topic]} if topic in _NUMBERS else {}
    dated = {"since": _DAY, "until": _DAY} if topic in ("user", "project") else {}
    due = {"due": "¥0.00"} if kind == "agreement.settled" else {}
    nobody = {"who": ""} if kind in OF_THE_CLOCK else {}
    return {**_COMMON, **own, **dated, **due, **nobody, **_OF_A_KIND.get(kind, {})}
