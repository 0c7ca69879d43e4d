"""`v_edge` holds every arrow of every chart under its public name, births included, and nothing else."""

from typing import Any

from lifecycle.verbs import all_edges
from tests.factories import House
from tests.lifecycle.charts.test_tables import BATCH, MILESTONE, PAYOUT, PROJECT, REVIEW, STAGE_RUN

ANY_STATE = (
    "intake",
    "feasibility",
    "small_batch_trial",
    "market_validation",
    "handoff",
    "in_production",
    "withdrawn",
    "stopped",
)
BIRTHS = {
    ("project", "register", "", "intake"),
    *(("project", "import", "", state) for state in ANY_STATE),
    ("stage_run", "open", "", "open"),
    ("review", "call", "", "called"),
    ("milestone", "plan", "", "planned"),
    ("payout", "request", "", "requested"),
    ("batch", "prepare", "", "prepared"),
}


def drawn() -> set[tuple[str, str, str, str]]:
    tables: dict[str, Any] = {
        "project": PROJECT,
        "stage_run": STAGE_RUN,
        "review": REVIEW,
        "milestone": MILESTONE,
        "payout": PAYOUT,
        "batch": BATCH,
    }
    return {
        (kind, "recycle" if event.startswith("recycle_to_") else event, source, target)
        for kind, table in tables.items()
        for (source, event), (target, _) in table.items()
    }


class TestEdges:
    def test_are_those_of_the_tables_and_the_births(self) -> None:
        assert {(kind, event, source, target) for kind, _, event, source, target in all_edges()} == drawn() | BIRTHS

    def test_are_all_in_the_view(self, each_house: House) -> None:
        stored = each_house.rows("SELECT object_type, definition_version, event, from_state, to_state FROM v_edge")
        assert sorted(map(tuple, stored)) == sorted(all_edges())
