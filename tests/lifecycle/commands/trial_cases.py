"""Refusals of what is made, measured, found and placed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from lifecycle.trials import commands as trial
from models.money import MAX_MINOR
from models.states import ProjectState, Role
from tests.factories import House, a_project, batches, reviews, sign_contract
from tests.lifecycle.commands.refusals import again, done, made, on, refused, wrong

NOWHERE = UUID(int=5)
TRIAL = ProjectState.SMALL_BATCH_TRIAL
INFINITE = float("inf")


def tomorrow(house: House) -> Any:
    return house.today + timedelta(days=1)


def yesterday(house: House) -> Any:
    return house.today - timedelta(days=1)


wrong("characteristic.add", "characteristic_limits", lower_limit=None)
wrong("characteristic.add", "characteristic_limits", upper_limit=0.5)
wrong("characteristic.add", "characteristic_limits", lower_limit=INFINITE)
wrong("characteristic.add", "characteristic_limits", unit="")
wrong("trial_batch.add", "batch_number_wrong", number="B-00000001x")
wrong("trial_batch.add", "batch_figures", passed_first_time=51)
wrong("trial_batch.add", "batch_figures", started=0, passed_first_time=0)
wrong("trial_batch.add", "batch_defects", defects={"scratch": -1})
wrong("trial_batch.add", "batch_size_wrong", size=0.0)
wrong("trial_batch.add", "batch_size_wrong", hours=-1.0)
wrong("trial_batch.add", "cost_needs_currency", cost_minor=5)
wrong("trial_batch.add", "amount_over_limit", cost_minor=MAX_MINOR + 1, currency="CNY")
wrong("trial_batch.add", "day_in_future", made_on=tomorrow)
wrong("trial_batch.correct", "batch_not_found", number="B-09")
wrong("trial_batch.correct", "reason_missing", reason="")
wrong("trial_batch.close", "batch_not_found", number="B-09")
wrong("trial_batch.measure", "batch_not_found", number="B-09")
wrong("trial_batch.measure", "characteristic_not_found", characteristic="weight")
wrong("trial_batch.measure", "measurements_wrong", subgroups=())
wrong("trial_batch.measure", "measurements_wrong", subgroups=((1.0,), (1.0, 2.0)))
wrong("trial_batch.measure", "measurements_wrong", subgroups=((INFINITE,),))
wrong("trial_batch.measure", "measurements_wrong", subgroups=((2e300,),))
wrong("trial_batch.correct_measurement", "measurement_not_found", place=9)
wrong("trial_batch.correct_measurement", "measurements_wrong", value=float("nan"))
wrong("trial_batch.correct_measurement", "reason_missing", reason="")
wrong("issue.add", "name_length", title=" ")
wrong("issue.add", "severity_range", severity=5)
wrong("issue.add", "day_in_future", opened_on=tomorrow)
wrong("issue.add", "batch_not_found", batch_number="B-09")
wrong("issue.close", "issue_not_open", number=7)
wrong("issue.close", "reason_missing", disposition=" ")
wrong("track.start", "day_in_future", started_on=tomorrow)
wrong("track.finish", "days_out_of_order", finished_on=yesterday)
wrong("scenario.record", "organisation_not_found", customer_id=NOWHERE)
wrong("scenario.record", "days_out_of_order", started_on=lambda house: house.today, ended_on=yesterday)
wrong("scenario.record", "day_in_future", started_on=tomorrow)
wrong("scenario.record", "count_negative", units=-1)
wrong("scenario.record", "scenario_limits", site=" ")
wrong("scenario.record", "scenario_limits", limits={"noise": {"unit": "dB"}})
wrong("order.record", "organisation_not_found", customer_id=NOWHERE)
wrong("order.record", "order_incomplete", quantity=None)
wrong("order.record", "count_negative", quantity=0)
wrong("order.record", "cost_needs_currency", currency=None)
wrong("order.record", "amount_over_limit", amount_minor=MAX_MINOR + 1)
wrong("order.record", "days_out_of_order", paid_on=lambda house: house.today)
wrong("order.record", "day_in_future", signed_on=yesterday, paid_on=tomorrow)


@refused("trial_batch.measure", "batch_closed_already", by=Role.PROCESS_ENGINEER)
def _more_values_for_a_closed_batch(house: House) -> Any:
    """A favourable stretch would dilute what was judged; a wrong value is corrected, with its reason."""
    command = made(house, "trial_batch.measure")
    close = on(trial.CloseBatch, command.project_id, number=command.number, is_conforming=True)
    house.do(close, by=Role.PROCESS_ENGINEER)
    return replace(command)


@refused("characteristic.add", "already_exists")
def _named_twice(house: House) -> Any:
    return again("characteristic.add", done(house, "characteristic.add"))


@refused("trial_batch.add", "already_exists")
def _the_same_number(house: House) -> Any:
    one = a_project(house, stage=TRIAL)
    batches(house, one)
    return made(house, "trial_batch.add", project_id=one, number="B-01")


@refused("trial_batch.add", "evidence_frozen")
def _after_the_call(house: House) -> Any:
    ((one,), _) = reviews(house)
    return made(house, "trial_batch.add", project_id=one)


@refused("trial_batch.close", "batch_closed_already")
def _closed_twice(house: House) -> Any:
    return again("trial_batch.close", done(house, "trial_batch.close"))


@refused("trial_batch.correct_measurement", "measurement_not_found")
def _at_no_batch(house: House) -> Any:
    return made(house, "trial_batch.correct_measurement", characteristic="weight")


@refused("issue.close", "issue_not_open")
def _issue_closed_twice(house: House) -> Any:
    return again("issue.close", done(house, "issue.close"))


@refused("track.start", "track_started_already")
def _started_twice(house: House) -> Any:
    return again("track.start", done(house, "track.start"))


@refused("track.finish", "track_not_running")
def _finished_twice(house: House) -> Any:
    return again("track.finish", done(house, "track.finish"))


@refused("trial_batch.add", "run_above_unlocked_size")
def _above_the_ladder(house: House) -> Any:
    """Ten, then a hundred: the second step opens with a conforming batch of the first."""
    one = a_project(house, stage=TRIAL, pack="default")
    sign_contract(house, one, ladder_sizes=[10, 100])
    return on(trial.AddBatch, one, made_on=house.today, started=50, passed_first_time=48, size=50.0)


@refused("project.reach_stop_loss", "stop_loss_not_reached")
def _told_before(house: House) -> Any:
    return again("project.reach_stop_loss", done(house, "project.reach_stop_loss"))
