"""What stands behind `serve`, `flow deploy` and `flow status`."""

import asyncio
import os
import signal
import threading
from dataclasses import replace
from datetime import timedelta
from http.server import ThreadingHTTPServer
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from cli.door import Door
from cli.errors import CannotWork
from cli.output import Column, Output, json_text
from flows.metrics import exposition, measures
from flows.serving import (
    HOST,
    Answers,
    Child,
    console,
    free_port,
    own_clock,
    page_server,
    prefect_children,
    prefect_environment,
    wait_for_prefect,
    watch,
)
from flows.walking import walking
from flows.workplace import opened
from lifecycle.invariants.check import frozen
from lifecycle.schedules.times import slots
from models.db import reading
from models.ports import Transient
from models.readiness import NotReadyError, head_revision
from models.reading import table_of
from models.runs import ScheduledRun
from models.settings import Settings, load_settings

_A_YEAR = timedelta(days=400)
"""The rarest schedule runs once in a quarter."""
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2, the least that Python speaks: forward secrecy and authenticated encryption; those of 1.3 all are so."""
_ASKED = (signal.SIGTERM, signal.SIGINT)
_STATUS = (
    Column(key="schedule_id"),
    Column(key="last_at"),
    Column(key="status", kind="slot"),
    Column(key="next_at"),
    Column(key="prefect", kind="prefect"),
)


def serve_console(*, host: str | None, port: int | None) -> None:
    """Answer pages and the API until told to end."""
    import uvicorn

    from cli.behind.backstage import Backstage
    from flows.reconciliation import take_file
    from web.app import make_app
    from web.house import opened as house_opened

    settings = load_settings()
    own_host, own_port = settings.console_place()
    with house_opened(settings, Backstage()) as house:
        uvicorn.run(
            make_app(replace(house, take_file=take_file)),
            host=host or own_host,
            port=own_port if port is None else port,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who is believed stands in PILOTWAY_TRUSTED_PROXIES alone
            date_header=True,
            log_level="warning",
            timeout_keep_alive=75,
            limit_concurrency=200,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
            ssl_ciphers=_CIPHERS,
        )


def serve_tree(*, port: int, every: int, console_port: int | None) -> None:
    """Start the tree, say when it is ready, and keep it until told to end."""
    settings = load_settings()
    with opened(settings):
        pass  # refuses to start on a database that cannot be worked on
    stopped = threading.Event()
    for number in _ASKED:
        signal.signal(number, lambda *_: stopped.set())
    pages = _pages(settings, port)
    host, at = _console_place(settings, port, console_port)
    children = [*_children(settings, every), console(host, at)]
    try:
        with walking(settings):
            _start(children, stopped)
            ready: dict[str, Any] = {"ready": True, "pid": os.getpid(), "port": pages.server_address[1]}
            ready["console"] = f"{settings.scheme()}://{host}:{at}"
            ready["prefect"] = children[0].environment.get("PREFECT_API_URL")
            print(json_text({**ready, "children": [child.name for child in children]}), flush=True)
            watch(children, stopped)
    finally:
        for child in reversed(children):
            child.stop()
        pages.shutdown()
        pages.server_close()


def _pages(settings: Settings, port: int) -> ThreadingHTTPServer:
    try:
        pages = page_server(Answers(ready=lambda: _ready(settings), figures=lambda: _figures(settings)), port)
    except OSError as error:
        raise CannotWork("port", f"{HOST}:{port}: {error.strerror}") from error
    threading.Thread(target=pages.serve_forever, name="pages", daemon=True).start()
    return pages


def _console_place(settings: Settings, port: int, asked: int | None) -> tuple[str, int]:
    """Return where the console answers; where the other pages may have any port, and nobody says one, so may it."""
    host, own = settings.console_place()
    wanted = asked if asked is not None else own if port else 0
    return host, wanted or free_port()


def _children(settings: Settings, every: int) -> list[Child]:
    if settings.prefect == "off":
        return [own_clock(every)]
    return list(prefect_children(settings.prefect_place(), free_port()))


def _start(children: list[Child], stopped: threading.Event) -> None:
    """Start the children in their order; the runner waits for its server."""
    for child in children:
        if stopped.is_set():
            return
        if child.name == "runner":
            try:
                wait_for_prefect(str(child.environment["PREFECT_API_URL"]), children[0])
            except Transient as error:
                raise CannotWork("prefect", str(error)) from error
        child.start()


def _ready(settings: Settings) -> tuple[bool, dict[str, Any]]:
    """Say whether the database can be worked on, in the words of `/readyz`."""
    try:
        with opened(settings) as work, reading(work.engine) as session:
            return True, {"ok": True, "schema": head_revision(), "frozen": bool(frozen(session)["on"])}
    except NotReadyError as error:
        return False, {"ok": False, "schema": str(error), "frozen": None}
    except (SQLAlchemyError, OSError):
        return False, {"ok": False, "schema": None, "frozen": None}


def _figures(settings: Settings) -> str:
    with opened(settings) as work, reading(work.engine) as session:
        return exposition(measures(session, work.stamp.now, work.stamp.today))


def deploy_all(output: Output, *, is_patient: bool) -> None:
    """Write everything to the server and print the names."""
    api = _api()
    if is_patient:
        try:
            wait_for_prefect(api)
        except Transient as error:
            raise CannotWork("prefect", str(error)) from error
    flows = _prefect(api)
    output.table((Column(key="schedule_id"),), [{"schedule_id": name} for name in asyncio.run(flows.deploy())])


def show_status(door: Door) -> None:
    """Print each schedule with its last and next slot, and what Prefect knows where a server is named."""
    known: dict[str, Any] = {}
    if os.environ.get("PREFECT_API_URL"):
        known = {one["schedule_id"]: one for one in asyncio.run(_prefect(_api()).known())}
    with opened(door.settings) as work, reading(work.engine) as session:
        rows = [_status_of(door, work, session, schedule, known.get(schedule.id)) for schedule in work.on_duty()]
    door.output.table(_STATUS, rows)


def _status_of(door: Door, work: Any, session: Any, schedule: Any, known: Any) -> dict[str, Any]:
    run = table_of(ScheduledRun)
    newest = select(run).where(run.c.schedule_id == schedule.id).order_by(run.c.slot_at.desc()).limit(1)
    last = session.execute(newest).first()
    now, calendar = work.stamp.now, work.stamp.calendar
    following = next(slots(schedule, after=now, until=now + _A_YEAR, calendar=calendar), None)
    return {
        "schedule_id": schedule.id,
        "last_at": door.local(last.slot_at) if last is not None else None,
        "status": str(last.status) if last is not None else None,
        "next_at": door.local(following) if following is not None else None,
        "prefect": _prefect_word(known),
    }


def _prefect_word(known: Any) -> str | None:
    if known is None:
        return None
    if not known["is_deployed"]:
        return "not_deployed"
    return "paused" if known["is_paused"] else "deployed"


def _api() -> str:
    api = os.environ.get("PREFECT_API_URL", "")
    if not api:
        raise CannotWork("prefect", "PREFECT_API_URL names no server; `pilotway serve` has one of its own")
    return api


def _prefect(api: str) -> Any:
    """Import Prefect's side, kept to itself; imported here, for it takes seconds."""
    settings = load_settings()
    for name, value in prefect_environment(settings.prefect_place(), api).items():
        os.environ.setdefault(name, value)
    from flows import prefect_flows

    return prefect_flows
