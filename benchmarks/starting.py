"""How long `pilotway serve` takes until it is ready, with our own clock and with Prefect, against `import prefect`."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.stage import on_sqlite, timed
from benchmarks.table import Result
from tests.factories import a_house

RUNS = 3
SERVE = "from cli.main import main; import sys; sys.argv = ['pilotway', 'serve', '--port', '0']; main()"


def run() -> list[Result]:
    """Measure on SQLite: what starts is the same on both databases."""
    with on_sqlite() as place, tempfile.TemporaryDirectory() as folder:
        a_house(place.engine)
        settings = {"PILOTWAY_DB": str(place.engine.url.database), "PILOTWAY_MODE": "rehearsal"}
        imported = [timed(partial(_run, "import prefect", {})) for _ in range(RUNS)]
        return [_started(prefect, {**settings, "HOME": folder}, folder, imported) for prefect in ("off", "on")]


def _started(prefect: str, settings: dict[str, str], folder: str, imported: list[float]) -> Result:
    place = str(Path(folder) / "prefect")
    environment = {
        **settings,
        "PILOTWAY_PREFECT": prefect,
        **({"PILOTWAY_PREFECT_HOME": place} if prefect == "on" else {}),
    }
    seconds = []
    for _ in range(RUNS):
        with _serving(environment) as tree:
            seconds.append(timed(partial(_ready, tree)))
    first = f", the first time {seconds[0]:.1f} s" if prefect == "on" else ""
    return Result(
        mark="–",
        work=f"`pilotway serve` until it is ready, Prefect {prefect}, against `import prefect`",
        figure=f"{median(seconds):.1f} s{first}; `import prefect` {median(imported):.1f} s",
        ratios=tuple(one / median(imported) for one in seconds),
    )


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    tree = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", SERVE],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield tree
    finally:
        tree.terminate()
        tree.communicate(timeout=60)


def _ready(tree: subprocess.Popen[str]) -> None:
    """Wait for the line that says so; other processes of the tree write lines too."""
    assert tree.stdout is not None  # noqa: S101 - we asked for it
    if not any('"ready":true' in line.replace(" ", "") for line in tree.stdout):
        raise RuntimeError("it ended before it was ready")


def _run(program: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **environment}, check=True)  # noqa: S603
