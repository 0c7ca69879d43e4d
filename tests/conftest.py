"""What every test may ask for: a fresh migrated database of either kind, a still clock, reference data."""

import fcntl
import itertools
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Engine

from cli.main import run
from models.clock import FixedClock
from models.db import make_engine
from models.migrate import upgrade
from tests import postgres, quick
from tests.factories import House, a_house
from tests.remembered import copy_into

# Two shared cores say nothing about the time an example takes.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

quick.compile_once()

ROOT = Path(__file__).parent.parent
IN_CI = os.environ.get("CI", "").lower() == "true"


def skip_or_fail(reason: str) -> None:
    """Skip with a visible line; in CI nothing may be missing, so fail."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_configure() -> None:
    """Keep what tests write in memory, where there is room."""
    folder = quick.folder_in_memory()
    if folder is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say each reason for skipping once, with the number of tests that it kept from running."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"SKIPPED {count} tests: {reason}", yellow=True)


@pytest.hookimpl(tryfirst=True)  # before what is not wanted is taken out by its marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests, then with those that have many, so that none runs alone at the end."""
    for item in items:
        if item.path.relative_to(ROOT / "tests").as_posix() in quick.SLOW:
            item.add_marker("slow")
        if item.get_closest_marker("postgres") and item.get_closest_marker("long_on_postgres"):
            item.add_marker("long")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    many = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -many[item.path]))


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away whatever the developer's shell has set."""
    take_away_settings(monkeypatch)


def take_away_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of ours be set."""
    for name in [name for name in os.environ if name.startswith("PILOTWAY_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def clock() -> FixedClock:
    """Give a clock that stands at nine in the morning in Shanghai on 2025-07-08."""
    return FixedClock(datetime(2025, 7, 8, 1, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Give the folder with data made by others."""
    folder = Path(os.environ.get("PILOTWAY_REFERENCE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        skip_or_fail(f"reference data were not found at {folder}: set PILOTWAY_REFERENCE_DATA")
    return folder


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a migrated database file to copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    engine = make_engine(str(path))
    upgrade(engine)
    engine.dispose()  # the last connection writes the log back into the file
    return path


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """Give the address of a server of this test process, with `{}` for the database's name."""
    if postgres.programs() is None:
        skip_or_fail(postgres.WHAT_TO_INSTALL)
    with postgres.server() as address:
        yield address


@pytest.fixture(scope="session")
def postgres_template(postgres_address: str) -> str:
    """Give the address of a server that has a migrated database `template` to copy."""
    on_server(postgres_address, "CREATE DATABASE template")
    engine = make_engine(postgres_address.format("template"))
    upgrade(engine)
    engine.dispose()
    return postgres_address


_numbers = itertools.count(1)


@pytest.fixture
def empty_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a database without any table, on the engine of this run."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    address, name = request.getfixturevalue("postgres_address"), f"empty_{next(_numbers)}"
    on_server(address, f"CREATE DATABASE {name}")
    yield address.format(name)
    on_server(address, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Run the test on both databases."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a fresh migrated database, for tests that open it from several processes."""
    if database_kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "pilotway.db")
        yield f"sqlite:///{tmp_path / 'pilotway.db'}"
        return
    address, name = request.getfixturevalue("postgres_template"), f"test_{next(_numbers)}"
    on_server(address, f"CREATE DATABASE {name} TEMPLATE template STRATEGY file_copy")
    yield address.format(name)
    on_server(address, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give a fresh migrated database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """Give a fresh migrated database on SQLite only, for tests that have nothing to learn from the other one."""
    shutil.copyfile(sqlite_template, tmp_path / "only.db")
    engine = make_engine(str(tmp_path / "only.db"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_house_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, House]:
    """Give a database file with a world in it to copy."""
    path = tmp_path_factory.mktemp("house") / "house.db"
    shutil.copyfile(sqlite_template, path)
    engine = make_engine(str(path))
    house = a_house(engine)
    engine.dispose()
    return path, house


@pytest.fixture(scope="session")
def postgres_house_template(postgres_template: str) -> tuple[str, House]:
    """Give the address of a server that has a database `house` with a world in it to copy."""
    on_server(postgres_template, "CREATE DATABASE house TEMPLATE template")
    engine = make_engine(postgres_template.format("house"))
    house = a_house(engine)
    engine.dispose()
    return postgres_template, house


@pytest.fixture
def house(sqlite_house: House) -> House:
    """Give a world of one's own: on SQLite, where a module does not say otherwise."""
    return sqlite_house


@pytest.fixture
def sqlite_house(sqlite_house_template: tuple[Path, House], tmp_path: Path) -> Iterator[House]:
    """Give a world of one's own on SQLite."""
    house = copied_into(sqlite_house_template, tmp_path / "house.db")
    yield house
    house.engine.dispose()


@pytest.fixture
def each_house(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """Give a world of one's own, on both databases in turn."""
    if database_kind == "sqlite":
        yield request.getfixturevalue("sqlite_house")
        return
    address, house = request.getfixturevalue("postgres_house_template")
    name = f"house_{next(_numbers)}"
    on_server(address, f"CREATE DATABASE {name} TEMPLATE house STRATEGY file_copy")
    engine = make_engine(address.format(name))
    yield copied(house, engine)
    engine.dispose()
    on_server(address, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which `pilotway demo` was played, once for all processes that run tests; nobody writes there."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demonstration"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            begun = folder.with_suffix(".begun")
            begun.mkdir()
            with pytest.MonkeyPatch.context() as settings:
                take_away_settings(settings)
                settings.chdir(begun)
                assert run(["demo"]) == 0
            begun.rename(folder)
    return folder


def copied_into(template: tuple[Path, House], file: Path) -> House:
    """Return the same world in a file of its own, with an engine for the caller to dispose of."""
    path, house = template
    copy_into(path, file)
    return replace(copied(house, make_engine(str(file))), copy_of=path)


def copied(house: House, engine: Engine) -> House:
    """Return the same world in another database."""
    return replace(house, engine=engine, people=dict(house.people))


def on_server(address: str, statement: str) -> None:
    """Run a statement that PostgreSQL takes outside transactions only."""
    with postgres.door(address).connect() as connection:
        connection.exec_driver_sql(statement)
