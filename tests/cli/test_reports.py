"""Frozen reports on the command line."""

import json

from flows.quarter import freeze_quarter
from lifecycle.reports.quarter import body_sha256
from models.db import transaction
from tests import factories as make
from tests.cli.conftest import Line
from tests.factories import House
from tests.flows.test_quarter import OCTOBER, SHANGHAI


class TestReport:
    def test_is_listed_shown_and_proved(self, at_home: Line, house: House) -> None:
        make.projects(house, 2)
        house.now = OCTOBER
        freeze_quarter(house.engine, house.stamp(), SHANGHAI)
        assert ["bare", "2025-Q3"] in [row[:2] for row in at_home("report", "list").rows]
        shown = at_home("report", "show", "bare/2025-q3", "--json").document
        assert body_sha256(shown["body"]) == shown["sha256"]
        assert at_home("report", "verify").code == 0
        assert at_home("report", "show", "bare/2025-Q2").code == 3

    def test_that_was_changed_is_found(self, at_home: Line, house: House) -> None:
        house.now = OCTOBER
        freeze_quarter(house.engine, house.stamp(), SHANGHAI)
        with transaction(house.engine) as session:
            body = json.dumps({"format": "pilotway-quarter/1", "projects_by_state": {"in_production": 99}})
            session.connection().exec_driver_sql("UPDATE frozen_report SET body = ?", (body,))
        assert at_home("report", "verify").code == 7
