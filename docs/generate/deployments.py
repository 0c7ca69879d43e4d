"""`deploy/prefect.yaml`: every schedule as a deployment, for those who deploy with Prefect's own command."""

import yaml

from flows.bodies import BODIES
from lifecycle.schedules.times import RUNS_PER_SCHEDULE, SCHEDULES, Schedule, cron_of

_HEAD = """\
# Generated from lifecycle/schedules/times.py by `make docs`; `pilotway flow deploy` does the same and the rest besides.
# prefect work-pool create pilotway --type process
# prefect --no-prompt deploy --all --prefect-file deploy/prefect.yaml
"""


def prefect_file() -> str:
    """Return the file: entrypoints are modules, so it works wherever Pilotway is installed."""
    found = [_deployment(one) for one in SCHEDULES if one.id in BODIES]
    document = {"name": "pilotway", "build": None, "push": None, "pull": None, "deployments": found}
    return _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _deployment(schedule: Schedule) -> dict[str, object]:
    cron, timezone = cron_of(schedule)
    return {
        "name": schedule.id,
        "description": schedule.reason,
        "tags": ["pilotway"],
        "entrypoint": f"flows.prefect_flows.{schedule.id.replace('-', '_')}",
        "schedules": [{"cron": cron, "timezone": timezone}],
        "concurrency_limit": {"limit": RUNS_PER_SCHEDULE, "collision_strategy": "CANCEL_NEW"},
        "work_pool": {"name": "pilotway"},
    }
