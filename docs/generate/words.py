"""The words of the standard's pages in both languages, where the product's own catalogue has none."""

from collections.abc import Mapping
from typing import Any

from lifecycle.standards.part import Text
from notifications.words import Lang, title

WORDS: Mapping[str, tuple[str, str]] = {
    "accepted_by": ("accepted by", "认可："),
    "account_confirmed": ("account confirmed", "收款账户已确认"),
    "adding_up_days": ("days within which payouts to one payee are added up", "同一收款人合并计算的天数"),
    "advance_basis_points": (
        "of the award, outstanding advance at most before G5 (F4)",
        "G5 前未核销预付款上限（F4）",
    ),
    "after": ("After", "先决条款"),
    "agreement_signed": ("agreement signed", "任务书已签署"),
    "also_needs": ("Also needs", "另需"),
    "always": ("at any time", "始终"),
    "amount_typed_again": ("the second approver types the amount again", "第二位批准人重新输入金额"),
    "application": ("application", "申请"),
    "approvals": ("Approvals", "批准人数"),
    "asks_certifier": ("a certifier certifies first", "须先经核验人核验"),
    "asks_release": ("a payer releases", "须由出纳放款"),
    "audit_accepted": ("audit accepted", "审计已接受"),
    "before_audit_basis_points": (
        "of the award, paid at most before the audit is accepted (F3)",
        "审计接受前拨付上限（F3）",
    ),
    "before_last_gate_basis_points": (
        "of the award, paid at most before the G5 go (F3)",
        "G5 通过前拨付上限（F3）",
    ),
    "bool": ("yes or no", "是或否"),
    "calendar_days": ("calendar days", "个自然日"),
    "carries": ("a condition carries", "附条件须含"),
    "choice": ("choice", "选项"),
    "clause": ("Clause", "条款"),
    "completion": ("Completion", "补正"),
    "cooling_off_working_days": (
        "working days after a change of account (F16)",
        "变更收款账户后的冷静期，工作日（F16）",
    ),
    "currency": ("currency of the tiers", "审批限额的币种"),
    "date": ("date", "日期"),
    "decided_by": ("decided by", "决定："),
    "director": ("a fund director among them", "其中须有基金主管"),
    "due": ("Due", "期限"),
    "entry": ("Asked on entry", "进入时要求"),
    "entry_maturity": ("A fall below this opens a review", "低于此成熟度须复核"),
    "evidence": ("Evidence", "证据"),
    "evidence_types": ("Evidence types", "证据种类"),
    "factor": ("Factor", "评分项"),
    "family": ("Family", "类别"),
    "fields": ("Form (*italics*: may be left out)", "表单（*斜体*可不填）"),
    "final_statement": ("final statement (F11)", "财务决算（F11）"),
    "follow_notice": ("met by the notice period itself", "由公示期本身满足"),
    "funds": ("Fund rules", "资金规则"),
    "hands_in": ("Handed in by", "提交人"),
    "how": ("How", "判断方式"),
    "int": ("whole number", "整数"),
    "judges": ("Judged by", "判断人"),
    "length": ("Length", "时限"),
    "limit": ("Limit", "限额"),
    "limits": ("Limits of outcomes, holds and waivers", "结论、暂停与豁免的限额"),
    "list": ("list", "列表"),
    "members": ("members", "人"),
    "minute": ("committee minute attached", "附投决会纪要"),
    "money": ("money", "金额"),
    "months": ("months", "个月"),
    "most": ("at most", "最长"),
    "no": ("no", "否"),
    "none": ("none", "无"),
    "nothing_open": ("no open defect, finding or recovery", "无未结缺陷、问题或追回"),
    "notice": ("Public notice", "公示"),
    "notice_days": ("calendar days of public notice before the retention (F13)", "质保金拨付前公示的自然日（F13）"),
    "number": ("number", "数"),
    "origin": ("Origin", "来源"),
    "late_interest_basis_points": (
        "interest a year on what is paid back late (F14)",
        "追回款逾期的年利率（F14）",
    ),
    "outcomes": ("Outcomes", "可选结论"),
    "owed_by": ("Owed by", "责任方"),
    "panel": ("Panel", "评审组"),
    "parameters": ("Parameters", "参数"),
    "payment_days": (
        "calendar days promised from complete request to booked (F21)",
        "自申请齐备至到账承诺的自然日（F21）",
    ),
    "payment_days_at_most": ("calendar days an agreement may promise (F21)", "合同可约定的最长自然日（F21）"),
    "per": ("one per", "每件区分："),
    "percent": ("percent", "百分数"),
    "placement": ("placement", "投放"),
    "profile": ("Profile", "选项组"),
    "profiles": ("Choices made at registration", "受理时的选择"),
    "progress": ("F5: money used, own money verified, nothing open", "F5：资金使用率、自筹资金、无未结事项"),
    "proposal": ("proposal", "拟定结论"),
    "public_notice": ("public notice", "公示"),
    "quorum": ("quorum", "法定人数"),
    "rate_cap_basis_points": ("grant at most, of eligible cost", "资助占合格费用的上限"),
    "recovery_days": ("days until a recovery order is due (F14)", "追回款的期限，天（F14）"),
    "released_by": ("Released by", "拨付条件"),
    "retention_months": ("months of retention after acceptance (F13)", "验收后质保金保留的月数（F13）"),
    "retention_over": ("retention months over", "质保期满"),
    "revision": ("for the frozen revision only", "仅限冻结版本"),
    "rounds": ("rounds", "轮"),
    "rule": ("Rule", "规则"),
    "run_limits": ("Limits of trial runs stand in", "试制限额所在"),
    "score": ("Score", "评分"),
    "score_rule": (
        "each factor 0 to 10; passes from {total} with no factor under {floor}",
        "每项 0–10 分；总分不低于 {total} 且单项不低于 {floor}",
    ),
    "share": ("Share", "比例"),
    "single_expert": ("a single expert", "一名专家"),
    "sits": ("with a vote besides", "另有表决权"),
    "stage_end": ("end of the stage", "阶段结束"),
    "stage_start": ("start of the stage", "阶段开始"),
    "statement_days": ("days for the cost statement after a stop (F12)", "终止后提交费用结算的天数（F12）"),
    "strength": ("Strength", "强度"),
    "supporting": ("also filed here", "也归档于此"),
    "table": ("table", "表"),
    "text": ("text", "文字"),
    "threshold": ("Where it stands", "所在文件"),
    "tier": ("Single payout up to", "单笔拨付不超过"),
    "tranche": ("Tranche", "拨付期次"),
    "type": ("Type", "种类"),
    "until_field": ("until", "有效期见"),
    "used_basis_points": (
        "used of the money paid, else the next tranche is cut (F5)",
        "已拨资金使用率下限，不足则扣减下一期（F5）",
    ),
    "valid": ("Valid", "有效期"),
    "value": ("Value", "值"),
    "verifications": ("Verifications", "验证"),
    "weight": ("Weight", "权重"),
    "what": ("What is asked", "要求"),
    "working_days": ("working days", "个工作日"),
    "yes": ("yes", "是"),
}
"""Word -> English, Chinese."""

FAMILIES: Mapping[str, tuple[str, str]] = {
    "data": ("data", "数据"),
    "equipment": ("equipment", "装备"),
    "material": ("material", "物料"),
    "ownership": ("ownership", "权属"),
    "people": ("people", "人员"),
    "project": ("project", "项目"),
    "result": ("result", "成果"),
    "risk": ("risk", "风险"),
    "service": ("service", "服务"),
    "verification": ("verification", "验证"),
}
"""Family of the standard-system guide -> English, Chinese."""


class Words:
    """Speaks one of the two languages."""

    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        self._place = 0 if lang == "en" else 1
        self.comma = ", " if lang == "en" else "、"

    def __call__(self, word: str, **values: Any) -> str:
        """Return a word of these pages."""
        return WORDS[word][self._place].format(**values)

    def family(self, word: str) -> str:
        """Return the family of an evidence type."""
        return FAMILIES[word][self._place]

    def text(self, text: Text) -> str:
        """Return a sentence of the pack."""
        return text.en if self.lang == "en" else text.zh

    def titled(self, kind: str, *values: str) -> str:
        """Return stored words as the product shows them."""
        return self.comma.join(title(kind, value, self.lang) for value in values)

    def span(self, days: int, unit: str) -> str:
        """Return a length of time."""
        return f"{days} {self(unit)}"
