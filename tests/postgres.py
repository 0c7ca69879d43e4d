"""A PostgreSQL server for tests: found on the machine, started in a temporary folder, also as root."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from models.db import make_engine
from tests import quick

WHAT_TO_INSTALL = "PostgreSQL was not found: apt-get install postgresql postgresql-contrib"
_SETTINGS = ("listen_addresses=''", "fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=50")


def programs() -> Path | None:
    """Return the folder with `initdb` and `pg_ctl`, or None."""
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    on_path = [Path(found).parent for found in (shutil.which("pg_ctl"),) if found]
    for folder in [*newest_first, *on_path, *_by_pg_config()]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


@contextmanager
def server(settings: tuple[str, ...] = ()) -> Iterator[str]:
    """Run a server of its own and give its address up to the database's name, with `{}` in that place.

    It listens on a socket in its own folder only, so nothing collides, and lies in memory where there is room, unless
    it has `settings` such as `fsync=on`: these come last.
    """
    bin_folder = programs()
    if bin_folder is None:
        raise FileNotFoundError(WHAT_TO_INSTALL)
    home = Path(tempfile.mkdtemp(prefix="pilotway-pg-", dir=None if settings else quick.folder_in_memory()))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    options = _options(str(home), settings)
    data, log = str(home / "data"), str(home / "log")
    try:
        _run(bin_folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        _run(bin_folder / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "60", "start")
        address = f"postgresql+psycopg://postgres@/{{}}?host={home}"
        try:
            yield address
        finally:
            door(address).dispose()
            _run(bin_folder / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def away(address: str) -> Iterator[None]:
    """Let a server of ours go down at once, as by a power cut, and come up again behind the block."""
    bin_folder, home = programs(), address.partition("?host=")[2]
    assert bin_folder is not None
    data, log = f"{home}/data", f"{home}/log"
    _run(bin_folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    try:
        yield
    finally:
        _run(bin_folder / "pg_ctl", "-D", data, "-l", log, "-o", _options(home), "-w", "-t", "60", "start")


def _options(home: str, settings: tuple[str, ...] = ()) -> str:
    return " ".join(["-k", home, *(f"-c {one}" for one in (*_SETTINGS, *settings))])


@cache
def door(address: str) -> Engine:
    """Return what speaks to the server itself, outside transactions: one connection for all databases that it makes."""
    return make_engine(address.format("postgres")).execution_options(isolation_level="AUTOCOMMIT")


def _run(program: Path, *arguments: str) -> None:
    # The server refuses to run as root, so root becomes the user that the package made.
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    finished = subprocess.run(
        [*become, str(program), *arguments],
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # not a pipe: the server would keep it open
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"{program.name} ended with {finished.returncode}")


def _by_pg_config() -> list[Path]:
    if not shutil.which("pg_config"):
        return []
    found = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)  # noqa: S607
    return [Path(found.stdout.strip())]
