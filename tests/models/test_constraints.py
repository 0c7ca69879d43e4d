"""What SQL can hold, both databases refuse by themselves, whoever writes."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from models.db import transaction
from models.evidence import MaturityClaim
from models.holds import Hold
from models.ids import new_id
from models.installation import Installation, NumberSeries
from models.journal import AuditRecord
from models.people import OrganisationTie
from models.projects import StageRun
from models.reviews import Score, Waiver
from models.states import Door, FindingKind, MaturityScale, OrderKind, ProjectState, StageRunState, Verification
from models.trials import BatchFigure, Characteristic, Issue, Measurement, Order, VerificationTrack

AT = datetime(2025, 7, 8, 1, tzinfo=UTC)
DAY, DAY_BEFORE = date(2025, 7, 8), date(2025, 7, 7)


def a_figure(**values: Any) -> BatchFigure:
    sound: dict[str, Any] = {"batch_id": new_id(), "entry_no": 1, "started": 20, "passed_first_time": 19}
    return BatchFigure(**sound | {"user_id": new_id(), "at": AT} | values)


def a_hold(**values: Any) -> Hold:
    sound: dict[str, Any] = {
        "object_type": "project",
        "object_id": new_id(),
        "reason": "other",
        "from_at": AT,
        "from_on": DAY,
    }
    return Hold(**sound | {"until_on": DAY} | values)


def an_order(**values: Any) -> Order:
    sound: dict[str, Any] = {"project_id": new_id(), "reference": "A", "kind": OrderKind.ORDER, "quantity": 1}
    return Order(**sound | values)


def a_claim(scale: MaturityScale, level: int) -> MaturityClaim:
    return MaturityClaim(project_id=new_id(), scale=scale, item="drive", level=level, user_id=new_id(), at=AT)


def a_measurement(value: float) -> Measurement:
    return Measurement(
        batch_id=new_id(), characteristic="bore", subgroup=1, place=1, value=value, user_id=new_id(), at=AT
    )


PERSON = new_id()
REFUSED: list[tuple[str, SQLModel]] = [
    ("ck_batch_figure_passed_at_most_started", a_figure(passed_first_time=21)),
    ("ck_batch_figure_passed_at_most_started", a_figure(passed_first_time=-1)),
    ("ck_batch_figure_cost_with_currency", a_figure(cost_minor=7000)),
    ("ck_batch_figure_cost_minor_bounds", a_figure(cost_minor=-1, currency="CNY")),
    ("ck_customer_order_amount_with_currency", an_order(currency="CNY")),
    ("ck_customer_order_amount_minor_bounds", an_order(amount_minor=10**13 + 1, currency="CNY")),
    ("ck_customer_order_quantity_not_negative", an_order(quantity=-1)),
    ("ck_maturity_claim_level_on_scale", a_claim(MaturityScale.TRL, 10)),
    ("ck_maturity_claim_level_on_scale", a_claim(MaturityScale.MRL, 0)),
    ("ck_measurement_value_finite", a_measurement(float("inf"))),
    ("ck_hold_days_in_order", a_hold(until_on=DAY_BEFORE)),
    ("ck_hold_lifted_whole", a_hold(lifted_at=AT)),
    ("ck_installation_single", Installation(id=2, database_id="x", epoch="K7QX", mode="production", created_at=AT)),
    ("ck_installation_mode_known", Installation(database_id="x", epoch="K7QX", mode="demo", created_at=AT)),
    (
        "ck_installation_clock_in_rehearsal",
        Installation(database_id="x", epoch="K7QX", mode="production", created_at=AT, clock_at=AT),
    ),
    ("ck_number_series_last_not_negative", NumberSeries(kind="PT", year=2025, last=-1)),
    ("ck_organisation_tie_two_organisations", OrganisationTie(organisation_id=PERSON, other_id=PERSON)),
    (
        "ck_organisation_tie_share_at_most_all",
        OrganisationTie(organisation_id=new_id(), other_id=new_id(), share_basis_points=10_001),
    ),
    ("ck_score_points_in_range", Score(review_id=new_id(), member_id=new_id(), factor="market", points=11)),
    (
        "ck_characteristic_limits_in_order",
        Characteristic(project_id=new_id(), name="bore", unit="mm", lower_limit=2.0, upper_limit=1.0),
    ),
    (
        "ck_issue_severity_in_range",
        Issue(project_id=new_id(), number=1, kind=FindingKind.ISSUE, severity=5, title="hot", opened_on=DAY),
    ),
    (
        "ck_issue_days_in_order",
        Issue(
            project_id=new_id(),
            number=1,
            kind=FindingKind.ISSUE,
            severity=1,
            title="hot",
            opened_on=DAY,
            closed_on=DAY_BEFORE,
        ),
    ),
    (
        "ck_verification_track_finished_whole",
        VerificationTrack(project_id=new_id(), verification=Verification.DESIGN, asked_on=DAY, finished_on=DAY),
    ),
    (
        "ck_stage_run_visits_a_stage",
        StageRun(project_id=new_id(), stage=ProjectState.STOPPED, state=StageRunState.OPEN, opened_on=DAY),
    ),
    (
        "ck_waiver_two_people",
        Waiver(
            project_id=new_id(),
            stage_run_id=new_id(),
            gate="G1",
            clause="G1.4",
            reason="x",
            until_on=DAY,
            granted_by=PERSON,
            granted_person_id=PERSON,
            granted_at=AT,
            confirmed_by=PERSON,
            confirmed_at=AT,
        ),
    ),
    (
        "ck_audit_record_hashes_whole",
        AuditRecord(
            at=AT,
            door=Door.CLI,
            action="x",
            object_type="user",
            object_id=new_id(),
            chain_seq=1,
            from_state="",
            to_state="",
            command_id="k",
            body="{}",
            prev_hash="0",
            hash="a" * 64,
        ),
    ),
]


class TestConstraints:
    @pytest.mark.parametrize("place", range(len(REFUSED)), ids=[f"{name}-{n}" for n, (name, _) in enumerate(REFUSED)])
    def test_refuse_what_cannot_be(self, engine: Engine, place: int) -> None:
        name, row = REFUSED[place]
        copy = type(row)(**row.model_dump())
        with pytest.raises(IntegrityError, match=name), transaction(engine) as session:
            session.add(copy)
