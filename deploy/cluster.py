"""`make cluster`: several machines as plain processes on this one, payouts on their way, and workers killed meanwhile.

PostgreSQL, a Prefect server on a database of its own, two workers that share each payment run. Whoever has a part of it
in hand is killed with all it started, again and again; in the end every payout was instructed once and stands in one
file once, or the exit is 1.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from flows.serving import HOST, free_port, prefect_environment, wait_for_prefect
from models.db import make_engine
from tests import postgres, trees
from tests.witness.bank import Bank

ROOT = Path(__file__).parent.parent
FUNDS = 10
"""Each pays a tenth of the payouts from an account of its own, so a payment run has ten files to write."""
WORKERS = ("one", "two")
AMOUNT = 100_000
LEASE_SECONDS = 5
ASK_SECONDS = 10.0
"""Pause between two wishes for a payment run; one that comes while another runs takes a part of it."""
LATEST_KILL_SECONDS = 0.5
"""After it was seen at work: what it has in hand takes longer."""
LONGEST_SECONDS = 900.0
_INSTRUCTED = "SELECT COUNT(*) FROM v_payout WHERE state = 'instructed'"
_PREPARED = "SELECT COUNT(*) FROM v_batch WHERE state = 'prepared'"
_AT_WORK = """
    SELECT holder FROM scheduled_run WHERE schedule_id = 'disbursement' AND status = 'running'
     UNION SELECT holder FROM claim WHERE object_type = 'batch' ORDER BY holder
"""
"""Who began a payment run, and who hands over a file of it."""


@dataclass(kw_only=True)
class Cluster:
    """Where everything lies, what every process sees, and the workers that run now."""

    folder: Path
    engine: Engine
    environment: dict[str, str]
    workers: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    """By the name under which each claims: a worker that is started again has a new one."""
    started: int = 0

    def start(self, name: str, *words: str, **more: str) -> subprocess.Popen[str]:
        """Start a module as a process of its own that writes into a log of its name."""
        with (self.folder / f"{name}.log").open("a") as log:
            return subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, "-m", *words],
                env={**self.environment, **more},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )

    def pilotway(self, *words: str) -> int:
        """Run our own program to its end; what it says stands in the log. Return its exit code."""
        return self.start("pilotway", "cli.main", *words).wait()

    def must(self, *words: str) -> None:
        """Run it, and go no further when it fails. Raises RuntimeError."""
        if code := self.pilotway(*words):
            raise RuntimeError(f"pilotway {' '.join(words)} ended with {code}: see {self.folder / 'pilotway.log'}")

    def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask the Prefect server."""
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.environment['PREFECT_API_URL']}{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
            return json.load(answer)

    def rows(self, sql: str) -> list[Any]:
        """Ask the database."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql)))

    def count(self, sql: str) -> int:
        """Return the single number of a query."""
        return int(self.rows(sql)[0][0])

    def hire(self, place: str) -> None:
        """Start a worker at this place: a new one, or one instead of one that was killed."""
        self.started += 1
        name = f"{place}-{self.started}"
        words = ("prefect", "worker", "start", "--pool", "pilotway", "--type", "process", "--name", name)
        self.workers[name] = self.start(name, *words, PILOTWAY_WORKER=name)


def main() -> int:
    """Run it all and return 0 when every payout was instructed exactly once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payouts", type=int, default=1000, help="a multiple of ten")
    parser.add_argument("--kills", type=int, default=4, help="of workers that have a payment run in hand")
    parser.add_argument("--seed", type=int, default=None, help="of the moments at which workers are killed")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended in either case
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pilotway-cluster-") as folder, ExitStack() as stack:
        cluster = stack.enter_context(running(Path(folder), asked.payouts))
        said(begun, f"{asked.payouts} approved payouts of {FUNDS} funds wait; seed {seed}")
        killed = work(cluster, asked.payouts, asked.kills, random.Random(seed), begun)  # noqa: S311 - no secret
        wrong = verdict(cluster, asked.payouts)
        said(begun, f"{killed} workers killed at work")
        for line in wrong:
            said(begun, f"WRONG: {line}")
        said(begun, "each payout was instructed once" if not wrong else f"not well; logs were in {folder}")
    return 1 if wrong else 0


def said(begun: float, line: str) -> None:
    """Print a line with the seconds since the beginning."""
    print(f"{time.monotonic() - begun:6.1f} s  {line}", flush=True)


@contextmanager
def running(folder: Path, payouts: int) -> Iterator[Cluster]:
    """Give a cluster with payouts that wait; afterwards nothing of it is left."""
    with ExitStack() as stack:
        address = stack.enter_context(postgres.server(("max_connections=100",)))
        prefect_database = _databases(address)
        api = f"http://{HOST}:{free_port()}/api"
        engine = make_engine(address.format("pilotway"))
        stack.callback(engine.dispose)
        environment = {**os.environ, **prefect_environment(folder / "prefect", api), **_own(folder, address)}
        if prefect_database:
            environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = prefect_database
        cluster = Cluster(folder=folder, engine=engine, environment=environment)
        server = ("prefect", "server", "start", "--host", HOST, "--port", str(make_url(api).port), "--no-ui")
        stack.callback(trees.end, cluster.start("prefect-server", *server))
        cluster.must("init", "--mode", "rehearsal")
        (folder / "scenario.json").write_text(json.dumps(scenario(payouts // FUNDS)))
        cluster.must("scenario", "load", "scenario.json")
        wait_for_prefect(api)
        cluster.must("flow", "deploy", "--wait")
        stack.callback(_dismiss, cluster)
        for worker in WORKERS:
            cluster.hire(worker)
        yield cluster


def _dismiss(cluster: Cluster) -> None:
    for worker in cluster.workers.values():
        trees.end(worker)


def _databases(address: str) -> str | None:
    """Make both databases; return the address of Prefect's, None where PostgreSQL lacks what it needs."""
    _run(address.format("postgres"), "CREATE DATABASE pilotway")
    _run(address.format("postgres"), "CREATE DATABASE prefect")
    try:
        _run(address.format("prefect"), "CREATE EXTENSION pg_trgm")
    except DBAPIError:
        print("pg_trgm is missing (apt-get install postgresql-contrib): Prefect keeps to an SQLite file", flush=True)
        return None
    return address.format("prefect").replace("+psycopg", "+asyncpg")


def _run(address: str, statement: str) -> None:
    engine = make_engine(address)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _own(folder: Path, address: str) -> dict[str, str]:
    """Return our own variables: everything in this folder, and claims that end soon."""
    places = {"EVIDENCE_DIR": "evidence", "CHECKPOINT_DIR": "checkpoints", "BANK_OUT": "bank/out", "BANK_IN": "bank/in"}
    for place in places.values():
        (folder / place).mkdir(parents=True)
    return {
        "PYTHONPATH": str(ROOT),
        "LC_ALL": "C.UTF-8",
        "PILOTWAY_DB": address.format("pilotway"),
        "PILOTWAY_LEASE_SECONDS": str(LEASE_SECONDS),
        "PILOTWAY_BANK_TAKE": "keep",
        **{f"PILOTWAY_{name}": str(folder / place) for name, place in places.items()},
    }


def scenario(each: int) -> dict[str, Any]:
    """Return funds, each with a project whose reached tranches are approved for payment (`pilotway-scenario/1`)."""
    funds = range(FUNDS)
    state = {"ref": "state", "name": "state", "kind": "fund"}
    grants = [{"role": "fund_manager", "organisation": "state"}]
    tranches = [(fund, number) for fund in funds for number in range(each)]
    return {
        "format": "pilotway-scenario/1",
        "organisations": [state, *map(_firm, funds)],
        "users": [{"ref": "checker", "login": "checker", "grants": grants}],
        "funds": [
            {
                "ref": f"fund-{fund}",
                "code": f"FUND-{fund}",
                "funded_minor": AMOUNT * each,
                "debtor_account": f"62220202999{fund:08d}",
                "debtor_bank": "102100099996",
                "approvals": [{"needed": 1}],
            }
            for fund in funds
        ],
        "programmes": [{"ref": f"programme-{one}", "name": f"programme {one}", "fund": f"fund-{one}"} for one in funds],
        "projects": [_project(fund, each) for fund in funds],
        "payouts": [
            {
                "ref": f"payout-{fund}-{number}",
                "milestone": f"milestone-{fund}-{number}",
                "account": f"account-{fund}",
                "approved_by": ["checker"],
            }
            for fund, number in tranches
        ],
    }


def _firm(number: int) -> dict[str, Any]:
    account = {"ref": f"account-{number}", "holder": f"firm {number}", "bank": "102100099996"}
    account["number"] = f"62220202000{number:08d}"
    return {"ref": f"firm-{number}", "name": f"firm {number}", "kind": "firm", "accounts": [account]}


def _project(number: int, each: int) -> dict[str, Any]:
    milestones = [
        {"ref": f"milestone-{number}-{one}", "amount_minor": AMOUNT, "state": "accepted"} for one in range(each)
    ]
    known = {"ref": f"project-{number}", "programme": f"programme-{number}", "organisation": f"firm-{number}"}
    return {**known, "name": f"project {number}", "stage": "small_batch_trial", "milestones": milestones}


def work(cluster: Cluster, payouts: int, kills: int, chance: random.Random, begun: float) -> int:
    """Ask for payment runs until all is instructed and sent; kill who has one in hand. Return how many were killed.

    They are killed along the way, however fast the machine is: one at the beginning, each other after a part of it.
    """
    wanted = {"deployments": {"name": {"any_": ["disbursement"]}}}
    (deployment,) = cluster.ask("/deployments/filter", wanted)
    killed, asked_at = 0, float("-inf")
    last = time.monotonic() + LONGEST_SECONDS
    while cluster.count(_INSTRUCTED) < payouts or cluster.count(_PREPARED):
        if time.monotonic() > last:
            said(begun, f"gave up after {LONGEST_SECONDS:.0f} s")
            break
        if time.monotonic() - asked_at > ASK_SECONDS:
            cluster.ask(f"/deployments/{deployment['id']}/create_flow_run", {})
            asked_at = time.monotonic()
        at_work = [row.holder for row in cluster.rows(_AT_WORK) if row.holder in cluster.workers]
        if at_work and killed < kills and cluster.count(_INSTRUCTED) * (kills + 1) >= payouts * killed:
            time.sleep(chance.uniform(0.0, LATEST_KILL_SECONDS))
            victim = chance.choice(at_work)
            trees.kill(cluster.workers.pop(victim))
            killed += 1
            cluster.hire(victim.partition("-")[0])
            said(begun, f"killed {victim}: {cluster.count(_INSTRUCTED)} instructed so far")
        time.sleep(0.05)
    return killed


def verdict(cluster: Cluster, payouts: int) -> list[str]:
    """Return what is wrong: by the views, by the files as a bank reads them, and by `pilotway check`."""
    bank = Bank(account="any", opening=0)
    bank.copy_folder(cluster.folder / "bank" / "out")
    told = [row.end_to_end_id for row in cluster.rows("SELECT end_to_end_id FROM v_instruction")]
    per_payout = cluster.count("SELECT COUNT(DISTINCT payout_id) FROM v_instruction")
    code = cluster.pilotway("check")
    found = {
        f"{cluster.count(_INSTRUCTED)} payouts of {payouts} are instructed": cluster.count(_INSTRUCTED) == payouts,
        f"{len(told)} instructions for {per_payout} payouts": len(told) == per_payout == payouts,
        f"{len(bank.orders)} orders with {len(bank.accepted)} ids in {len(bank.files)} files": (
            len(bank.orders) == len(bank.accepted) == payouts
        ),
        "the ids in the files are those of the database": set(told) == set(bank.accepted),
        f"pilotway check ends with {code}": code == 0,
    }
    for line, is_well in found.items():
        print(f"          {'ok' if is_well else '--'}  {line}", flush=True)
    return [line for line, is_well in found.items() if not is_well]


if __name__ == "__main__":
    sys.exit(main())
