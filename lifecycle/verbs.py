"""Every verb there is: importing this module fills the registry, and doors find verbs by subject and name here."""

from typing import Any

from lifecycle.access import commands as access
from lifecycle.agreements import commands as agreements
from lifecycle.calendars import commands as calendars
from lifecycle.chart import edges
from lifecycle.commands import REGISTRY, Verb
from lifecycle.deliveries import commands as deliveries
from lifecycle.disbursement import commands as disbursement
from lifecycle.endings import commands as endings
from lifecycle.entrance import commands as entrance
from lifecycle.exceptions import commands as exceptions
from lifecycle.funds import commands as funds
from lifecycle.funds import corrections
from lifecycle.milestones import chart as milestone_chart
from lifecycle.milestones import commands as milestones
from lifecycle.payouts import (
    adoption,
    batch_chart,
    batches,
    learning,
    payees,
    quarantine,
    statements,
    taking_back,
    write_off,
)
from lifecycle.payouts import chart as payout_chart
from lifecycle.payouts import commands as payouts
from lifecycle.people import commands as people
from lifecycle.projects import chart as project_chart
from lifecycle.projects import commands as projects
from lifecycle.projects import registration
from lifecycle.requirements import commands as requirements
from lifecycle.reviews import chart as review_chart
from lifecycle.reviews import commands as reviews
from lifecycle.schedules import commands as schedules
from lifecycle.stages import chart as stage_chart
from lifecycle.trials import commands as trials

MODULES = (
    access,
    disbursement,
    agreements,
    calendars,
    deliveries,
    endings,
    entrance,
    exceptions,
    funds,
    corrections,
    milestones,
    adoption,
    batches,
    learning,
    payees,
    payouts,
    quarantine,
    statements,
    write_off,
    taking_back,
    people,
    projects,
    registration,
    requirements,
    reviews,
    schedules,
    trials,
)

BY_NAME: dict[tuple[str, str], Verb[Any, Any]] = {
    (verb.object_type, verb.name): verb for verb in sorted(REGISTRY.values(), key=lambda verb: verb.permission)
}
"""(object type, verb) -> verb."""

CHARTS = {
    project_chart.OBJECT_TYPE: (project_chart.ProjectChart, project_chart.VERSION, project_chart.PUBLIC_VERB),
    stage_chart.OBJECT_TYPE: (stage_chart.StageRunChart, stage_chart.VERSION, {}),
    batch_chart.OBJECT_TYPE: (batch_chart.BatchChart, batch_chart.VERSION, {}),
    payout_chart.OBJECT_TYPE: (payout_chart.PayoutChart, payout_chart.VERSION, {}),
    review_chart.OBJECT_TYPE: (review_chart.ReviewChart, review_chart.VERSION, {}),
    milestone_chart.OBJECT_TYPE: (milestone_chart.MilestoneChart, milestone_chart.VERSION, {}),
}
"""Object type -> chart, its version, and public names of its arrows."""


def all_edges() -> tuple[tuple[str, int, str, str, str], ...]:
    """Return (object type, version, event, from, to) of every arrow, births included: what `v_edge` holds."""
    drawn = [
        (object_type, version, event, source, target)
        for object_type, (chart, version, renamed) in CHARTS.items()
        for event, source, target in edges(chart, renamed)
    ]
    births = [
        (stage_chart.OBJECT_TYPE, stage_chart.VERSION, "open", "", "open"),
        (review_chart.OBJECT_TYPE, review_chart.VERSION, "call", "", "called"),
        (batch_chart.OBJECT_TYPE, batch_chart.VERSION, "prepare", "", "prepared"),
        (payout_chart.OBJECT_TYPE, payout_chart.VERSION, "request", "", "requested"),
        milestone_chart.BIRTH,
        *((kind, version, event, source, str(target)) for kind, version, event, source, target in registration.EDGES),
    ]
    return tuple(sorted(dict.fromkeys([*drawn, *births])))
