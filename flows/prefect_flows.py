"""Prefect's side of the clock, and the only module that imports it: it wakes us, our own slots say what is done.

One thin flow per schedule. What a flow run does, a slot of ours does once, whoever else is awake (`flows/clock.py`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio
from prefect import Flow, aserve, flow, get_client
from prefect.artifacts import acreate_table_artifact
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.context import FlowRunContext
from prefect.deployments.runner import RunnerDeployment
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.bodies import BODIES
from flows.clock import help_run, run_slot, run_waiting, tick, worth_sharing
from flows.slots import Slot
from flows.workplace import opened
from lifecycle.schedules.times import RUNS_PER_SCHEDULE, SCHEDULES, Schedule, cron_of, in_zone, latest_slot
from models.settings import load_settings

POOL = "pilotway"
"""Name of the work pool that workers pull from."""
AT_ONCE = 2
"""Runs that the embedded runner has at the same time: each is a process of its own."""
HANDS = 2
"""Flow runs that share one run of ours; each is a process of its own, on whichever worker of the pool is free."""
GONE_SECONDS = 90
"""Without a heartbeat for so long a flow run counts as crashed; our own slot is free when its lease ends."""


def woken(schedule_id: str, slot_at: datetime | None, run_id: str) -> list[Slot]:
    """Run the slot that we were woken for; without one (somebody pressed a button) one at this instant.

    The flow of every minute also takes up what people asked for and what died. In played time it makes a whole pass,
    for Prefect wakes by the machine's clock, and the others look for the latest slot of theirs.
    """
    with opened(load_settings()) as found:
        work = replace(found, outside_run=run_id)
        if work.is_played and schedule_id == MINUTE:
            return list(tick(work).slots)
        if work.is_played and slot_at is not None:
            slot_at = latest_slot(work.schedule(schedule_id), until=work.stamp.now, calendar=work.stamp.calendar)
        done = run_slot(work, schedule_id, slot_at or work.stamp.now, asked="" if slot_at else f"prefect {run_id}")
        return done + (run_waiting(work) if schedule_id == MINUTE else [])


MINUTE = "outbox"


def helped(schedule_id: str) -> list[Slot]:
    """Take a part of the run that another flow run of the schedule has begun."""
    with opened(load_settings()) as work:
        return help_run(work, schedule_id)


def _is_worth_sharing(schedule_id: str) -> bool:
    with opened(load_settings()) as work:
        return worth_sharing(work, schedule_id)


def _flow(schedule: Schedule) -> Flow[..., Any]:
    """Return the flow of a schedule, under the name that an entrypoint can find it by.

    One that finds much to do asks for further runs of itself, so that other workers of the pool take a part.
    """

    async def wake(helps: str = "") -> dict[str, int]:
        run = _flow_run()
        if helps:
            slots = await anyio.to_thread.run_sync(helped, schedule.id)
        else:
            await _call_hands(schedule, run)
            slot_at = run.expected_start_time if run.auto_scheduled else None
            slots = await anyio.to_thread.run_sync(woken, schedule.id, slot_at, str(run.id))
        await _leave(schedule, slots)
        failed = [slot for slot in slots if not slot.is_well]
        if failed:
            raise RuntimeError("; ".join(f"{one.schedule_id}: {one.why or one.failed_count}" for one in failed))
        return {one.schedule_id: one.done_count for one in slots}

    wake.__name__ = wake.__qualname__ = entrypoint_of(schedule)
    wake.__doc__ = schedule.reason
    limit = 60 * schedule.limit_minutes + GONE_SECONDS  # ours ends first, with a row that says why
    return flow(name=schedule.id, timeout_seconds=limit, persist_result=False)(wake)


async def _call_hands(schedule: Schedule, run: Any) -> None:
    if run.deployment_id is None or BODIES[schedule.id].help is None:
        return
    if await anyio.to_thread.run_sync(_is_worth_sharing, schedule.id):
        async with get_client() as client:
            for _ in range(HANDS - 1):
                await client.create_flow_run_from_deployment(run.deployment_id, parameters={"helps": str(run.id)})


def _flow_run() -> Any:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("a flow runs inside Prefect; `pilotway run` does the same without it")
    return context.flow_run


async def _leave(schedule: Schedule, slots: Sequence[Slot]) -> None:
    """Leave what the run did as a table beside Prefect's own run page: the same words as in our row."""
    table = [
        {"schedule": one.schedule_id, "slot": one.slot_at.isoformat(), "status": str(one.status), "why": one.why}
        | {"done": one.done_count, "refused": one.refused_count, "failed": one.failed_count}
        for one in slots
    ]
    table += [dict(effect) for one in slots for effect in one.effects]
    if table:
        await acreate_table_artifact(table=table, key=schedule.id, description=schedule.reason)


def entrypoint_of(schedule: Schedule) -> str:
    """Return the name of a schedule's flow in this module."""
    return schedule.id.replace("-", "_")


FLOWS: dict[str, Any] = {schedule.id: _flow(schedule) for schedule in SCHEDULES}
globals().update({entrypoint_of(schedule): FLOWS[schedule.id] for schedule in SCHEDULES})


async def deployments(work_pool: str | None = None) -> list[RunnerDeployment]:
    """Return one deployment per schedule that has a body, each with its cron."""
    zone = load_settings().timezone
    return [await _deployment(one, zone, work_pool) for one in SCHEDULES if one.id in BODIES]


async def _deployment(schedule: Schedule, zone: str, work_pool: str | None) -> RunnerDeployment:
    cron, timezone = cron_of(in_zone(schedule, zone))
    deployment: RunnerDeployment = await FLOWS[schedule.id].ato_deployment(
        name=schedule.id,
        description=schedule.reason,
        schedule=Cron(cron, timezone=timezone),
        concurrency_limit=ConcurrencyLimitConfig(
            limit=RUNS_PER_SCHEDULE, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        tags=["pilotway"],
        work_pool_name=work_pool,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return deployment


async def deploy() -> list[str]:
    """Write work pool, deployments and the automation for lost runs to the server; safe to repeat. Return the names."""
    async with get_client() as client:
        await _make_pool(client)
        await _watch_for_lost_runs(client)
    made = []
    for deployment in await deployments(POOL):
        await deployment.aapply()
        made.append(deployment.name)
    return made


async def _make_pool(client: PrefectClient) -> None:
    try:
        await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    except ObjectAlreadyExists:
        return


LOST_RUNS = "pilotway: runs whose worker is gone"


async def _watch_for_lost_runs(client: PrefectClient) -> None:
    """Set up the automation that marks a run as crashed when its heartbeats end, unless it is there."""
    if await client.read_automations_by_name(LOST_RUNS):
        return
    beat, ends = "prefect.flow-run.heartbeat", ("Completed", "Failed", "Cancelled", "Crashed")
    trigger = EventTrigger(
        after={beat},
        expect={beat, *(f"prefect.flow-run.{end}" for end in ends)},
        match={"prefect.resource.id": ["prefect.flow-run.*"]},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=GONE_SECONDS),
    )
    crashed = ChangeFlowRunState(name="Crashed", state=StateType.CRASHED, message="its worker is gone", force=False)
    await client.create_automation(
        AutomationCore(name=LOST_RUNS, trigger=trigger, actions=[crashed], description="Set up by `flow deploy`.")
    )


async def known() -> list[dict[str, Any]]:
    """Return what the server knows of each schedule: deployed or not, paused or not, when it wakes us next."""
    found = []
    async with get_client() as client:
        for schedule in SCHEDULES:
            try:
                deployment = await client.read_deployment_by_name(f"{schedule.id}/{schedule.id}")
            except ObjectNotFound:
                found.append({"schedule_id": schedule.id, "is_deployed": False, "is_paused": None, "next_at": None})
                continue
            runs = await client.get_scheduled_flow_runs_for_deployments([deployment.id], limit=1)
            next_at = runs[0].next_scheduled_start_time if runs else None
            found.append(
                {
                    "schedule_id": schedule.id,
                    "is_deployed": True,
                    "is_paused": deployment.paused,
                    "next_at": next_at.isoformat() if next_at else None,
                }
            )
    return found


async def _wake_at_once() -> None:
    """In played time do not wait for the machine's next minute: somebody watches."""
    with opened(load_settings()) as work:
        is_played = work.is_played
    if is_played:
        await FLOWS[MINUTE](return_state=True)  # what fails in it is said in our rows and on its page


def serve_here() -> None:
    """Be the runner of the embedded server until told to end: it polls, and runs each flow in a process of its own.

    It leaves the schedules as they are: Prefect would pause them all at its end, and nothing would wake them again.
    """

    async def serve() -> None:
        async with get_client() as client:
            await _watch_for_lost_runs(client)
        await _wake_at_once()
        await aserve(*await deployments(), limit=AT_ONCE, print_starting_message=False, pause_on_shutdown=False)

    asyncio.run(serve())
