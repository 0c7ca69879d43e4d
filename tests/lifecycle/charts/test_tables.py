"""The whole table of each chart as a literal: a reviewer sees every arrow, and a new arrow shows as a diff."""

from collections.abc import Mapping
from typing import Any

import pytest

from lifecycle.chart import Chart, compiled
from lifecycle.milestones.chart import MilestoneChart
from lifecycle.payouts.batch_chart import BatchChart
from lifecycle.payouts.chart import PayoutChart
from lifecycle.projects.chart import ProjectChart
from lifecycle.reviews.chart import ReviewChart
from lifecycle.stages.chart import StageRunChart

PASSABLE = ("not_on_hold", "gate_met", "decided_to_go", "entry_met")
PROPOSABLE = (
    "not_on_hold",
    "outcome_known",
    "quorum_voted",
    "proposed_as_voted",
    "score_passed",
    "gate_allows",
    "conditions_sound",
    "outcome_complete",
)

PROJECT = {
    ("intake", "advance"): ("feasibility", PASSABLE),
    ("intake", "withdraw"): ("withdrawn", ()),
    ("intake", "stop"): ("stopped", ()),
    ("feasibility", "advance"): ("small_batch_trial", PASSABLE),
    ("feasibility", "recycle_to_intake"): ("intake", ()),
    ("feasibility", "withdraw"): ("withdrawn", ()),
    ("feasibility", "stop"): ("stopped", ()),
    ("small_batch_trial", "advance"): ("market_validation", PASSABLE),
    ("small_batch_trial", "recycle_to_intake"): ("intake", ()),
    ("small_batch_trial", "recycle_to_feasibility"): ("feasibility", ()),
    ("small_batch_trial", "withdraw"): ("withdrawn", ()),
    ("small_batch_trial", "stop"): ("stopped", ()),
    ("market_validation", "advance"): ("handoff", PASSABLE),
    ("market_validation", "recycle_to_intake"): ("intake", ()),
    ("market_validation", "recycle_to_feasibility"): ("feasibility", ()),
    ("market_validation", "recycle_to_small_batch_trial"): ("small_batch_trial", ()),
    ("market_validation", "withdraw"): ("withdrawn", ()),
    ("market_validation", "stop"): ("stopped", ()),
    ("handoff", "advance"): ("in_production", PASSABLE),
    ("handoff", "recycle_to_intake"): ("intake", ()),
    ("handoff", "recycle_to_feasibility"): ("feasibility", ()),
    ("handoff", "recycle_to_small_batch_trial"): ("small_batch_trial", ()),
    ("handoff", "recycle_to_market_validation"): ("market_validation", ()),
    ("handoff", "withdraw"): ("withdrawn", ()),
    ("handoff", "stop"): ("stopped", ()),
}
STAGE_RUN = {
    ("open", "submit"): ("submitted", ()),
    ("open", "pass"): ("passed", ()),
    ("open", "recycle"): ("recycled", ()),
    ("open", "close"): ("closed", ()),
    ("submitted", "call_review"): ("in_review", ()),
    ("submitted", "pass"): ("passed", ()),
    ("submitted", "recycle"): ("recycled", ()),
    ("submitted", "close"): ("closed", ()),
    ("in_review", "reopen"): ("submitted", ()),
    ("in_review", "pass"): ("passed", ()),
    ("in_review", "recycle"): ("recycled", ()),
    ("in_review", "close"): ("closed", ()),
}
REVIEW = {
    ("called", "open"): ("scoring", ("not_on_hold", "quorum_left")),
    ("called", "cancel"): ("cancelled", ()),
    ("scoring", "propose"): ("proposed", PROPOSABLE),
    ("scoring", "cancel"): ("cancelled", ()),
    ("proposed", "decide"): (
        "decided",
        ("not_on_hold", "quorum_voted", "panel_voted_so", "notice_over", "objections_answered", "gate_still_allows"),
    ),
    ("proposed", "reopen"): ("scoring", ("objection_upheld",)),
    ("proposed", "cancel"): ("cancelled", ()),
}
RELEASABLE = (
    "agreement_signed",
    "project_not_held",
    "not_the_submitter",
    "behind_no_wall",
    "evidence_unchanged",
    "result_reached",
    "retention_over",
)
WAIVABLE = ("behind_no_wall", "something_left")
MILESTONE = {
    ("planned", "submit"): ("submitted", ("agreement_signed",)),
    ("planned", "waive"): ("waived", WAIVABLE),
    ("submitted", "accept"): ("accepted", RELEASABLE),
    ("submitted", "reject"): ("rejected", ("not_the_submitter", "behind_no_wall")),
    ("submitted", "waive"): ("waived", WAIVABLE),
    ("rejected", "submit"): ("submitted", ("agreement_signed",)),
    ("rejected", "waive"): ("waived", WAIVABLE),
}
APPROVABLE = (
    "as_seen",
    "called_back",
    "not_decided_yet",
    "separate_approver",
    "no_interest",
    "certified",
    "within_limit",
    "minute_there",
    "payable",
    "money_left",
)
DECIDABLE = ("no_interest", "not_own_request")
PAYOUT = {
    ("requested", "approve"): ("approved", APPROVABLE),
    ("requested", "amend"): ("requested", ("request_sound",)),
    ("requested", "send_back"): ("requested", DECIDABLE),
    ("requested", "reject"): ("rejected", DECIDABLE),
    ("requested", "cancel"): ("cancelled", ()),
    ("approved", "amend"): ("requested", ("request_sound",)),
    ("approved", "cancel"): ("cancelled", ()),
    ("approved", "instruct"): ("instructed", ("last_gate",)),
    ("instructed", "recall"): ("approved", ()),
    ("instructed", "confirm"): ("paid", ()),
    ("instructed", "bounce"): ("returned", ()),
    ("paid", "bounce"): ("returned", ()),
    ("returned", "reapprove"): ("approved", APPROVABLE),
    ("returned", "amend"): ("requested", ("request_sound",)),
    ("returned", "cancel"): ("cancelled", ()),
    ("returned", "confirm"): ("paid", ()),
    ("approved", "confirm"): ("paid", ()),
    ("requested", "confirm"): ("paid", ()),
    ("rejected", "confirm"): ("paid", ()),
    ("cancelled", "confirm"): ("paid", ()),
}
BATCH = {
    ("prepared", "send"): ("sent", ("fence_holds",)),
    ("prepared", "doubt"): ("unknown", ()),
    ("prepared", "abandon"): ("abandoned", ("two_agreed", "nothing_paid")),
    ("sent", "doubt"): ("unknown", ()),
    ("sent", "acknowledge"): ("acknowledged", ()),
    ("sent", "settle"): ("settled", ("nothing_awaited",)),
    ("unknown", "find"): ("sent", ()),
    ("unknown", "acknowledge"): ("acknowledged", ()),
    ("unknown", "settle"): ("settled", ("nothing_awaited",)),
    ("unknown", "abandon"): ("abandoned", ("two_agreed", "nothing_paid")),
    ("acknowledged", "settle"): ("settled", ("nothing_awaited",)),
    ("prepared", "take_back"): ("abandoned", ("fence_holds", "may_not_leave", "nothing_paid")),
}
TABLES: Mapping[type[Chart], Mapping[tuple[str, str], Any]] = {
    ProjectChart: PROJECT,
    StageRunChart: STAGE_RUN,
    ReviewChart: REVIEW,
    MilestoneChart: MILESTONE,
    PayoutChart: PAYOUT,
    BatchChart: BATCH,
}


@pytest.mark.parametrize("chart", TABLES, ids=lambda chart: chart.__name__)
def test_whole_table(chart: type[Chart]) -> None:
    named = {
        arrow: (target, tuple(rule.__name__ for rule in rules)) for arrow, (target, rules) in compiled(chart).items()
    }
    assert named == TABLES[chart]
