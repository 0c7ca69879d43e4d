"""B12: the server's time for the pages that are opened most, among few and many projects, against bare statements.

Every thousand projects have a platform and a fund of their own, and a funder; who looks after one of these reads as
many as before.
An auditor reads all. `--whole` measures among a million too, `--postgres` on PostgreSQL too, `--sizes=1000,50000` among
as many as one has time for.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from functools import partial
from statistics import median, quantiles
from typing import Any

from psycopg.conninfo import make_conninfo
from sqlalchemy import ColumnElement, case, cast, literal

from benchmarks.multiplied import Pattern, multiply, pattern
from benchmarks.stage import Place, captured, on_sqlite, places, replay, server, timed
from benchmarks.table import Result
from benchmarks.worlds import analysed
from models.db import POSTGRES_OPTIONS
from models.states import Role
from tests.factories import House, a_house, projects
from tests.paying import Paying, a_paying_fund
from tests.web.browser import Browser
from tests.web.conftest import console_of, sign_in

SIZES = next(
    (tuple(map(int, one.removeprefix("--sizes=").split(","))) for one in sys.argv if one.startswith("--sizes=")),
    (1_000, 250_000, 1_000_000) if "--whole" in sys.argv else (1_000, 250_000),
)
A_BLOCK, ONCE_IN = 1_000, 50
"""Projects of a platform; of so many payouts one waits for a decision."""
RUNS, GROWTH = 40, 1.25
_OF_BLOCK = {"organisation": "id", "fund": "id", "account": "fund_id"}
_OF_PROJECT = dict.fromkeys(("stage_run", "requirement", "agreement", "milestone", "payout"), "project_id")
"""Table -> column by which its rows belong to a block, or to a project."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One page and who opens it."""

    name: str
    path: str
    login: str


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of a page, of its bare statements, and how many statements it sends."""

    ours: Sequence[float]
    bare: float
    statements: int

    @property
    def p50(self) -> float:
        """What half of the answers take at most."""
        return median(self.ours)

    @property
    def p95(self) -> float:
        """What all but a twentieth of the answers take at most."""
        return quantiles(self.ours, n=20)[-1]


def run() -> Iterator[Result]:
    """Measure on SQLite, and on PostgreSQL where asked."""
    if "--postgres" not in sys.argv:
        with on_sqlite() as place:
            yield from _on(place)
        return
    with server() as address:
        for place in places(address):
            yield from _on(place)


def _on(place: Place) -> Iterator[Result]:
    house = a_house(place.engine)
    paying = a_paying_fund(house, tranches=1, paid_in=10**12)
    paying.requested()
    block, halves = _patterns(place, house, paying)
    looked = _pages(house)
    before: dict[str, Took] = {}
    there = 0
    for size in SIZES:
        multiply(place, block, max(1, there // A_BLOCK), size // A_BLOCK - 1)
        for half in halves:
            multiply(place, half, there // 2 + 1, size // 2, of=block, block=A_BLOCK // 2)
        there = size
        analysed(place)
        for one in looked:
            took = _opened(place, house, one)
            yield _result(place, one, size, took, before.setdefault(one.name, took))


def _patterns(place: Place, house: House, paying: Paying) -> tuple[Pattern, Sequence[Pattern]]:
    """Return what a block has, and two projects with firms of their own: one with money, one that is asked for much."""
    block = pattern(place, _OF_BLOCK, [paying.fund_id, house.parties["platform"], house.parties["funder"]], begin=1)
    (asked,) = projects(house, pack="default")
    owners = {"project": "id", "organisation": "id", **_OF_PROJECT, "payee_account": "organisation_id"}
    firm = house.parties["sme"]
    with_money = pattern(
        place,
        owners,
        [paying.money.project_id, firm],
        begin=100,
        payee_account_payee_hash=_hash,
        payout_state=_state,
        payout_paid_on=partial(_day, house.today),
    )
    asked_much = pattern(place, owners, [asked, firm], begin=200, payee_account_payee_hash=_hash)
    return block, (with_money, asked_much)


def _state(n: ColumnElement[int], kind: Any) -> ColumnElement[Any]:
    return case((n % ONCE_IN == 0, literal("requested", kind)), else_=literal("paid", kind))


def _hash(n: ColumnElement[int], kind: Any) -> ColumnElement[Any]:
    """Each firm has an account of its own: of one that all were paid to, a page would name every other payout."""
    return literal("account ", kind) + cast(n, kind)


def _day(today: date, n: ColumnElement[int], kind: Any) -> ColumnElement[Any]:
    return case((n % ONCE_IN == 0, literal(None, kind)), else_=literal(today, kind))


def _pages(house: House) -> Sequence[Looked]:
    fund, number, payout = (
        house.one(f"SELECT {column} FROM {table}")  # noqa: S608 - our own names
        for table, column in (
            ("fund", "code"),
            ("agreement JOIN project p ON p.id = project_id", "p.number"),
            ("payout", "number"),
        )
    )
    return (
        Looked("board", "/board", Role.COORDINATOR),
        Looked("board of who reads all", "/board", Role.AUDITOR),
        Looked("list of projects", "/projects", Role.COORDINATOR),
        Looked("project", f"/projects/{number}", Role.COORDINATOR),
        Looked("inbox", "/inbox", Role.COORDINATOR),
        Looked("payout queue", "/payouts", Role.FUND_MANAGER),
        Looked("payout queue of who reads all", "/payouts", Role.AUDITOR),
        Looked("payout", f"/payouts/{payout}", Role.FUND_MANAGER),
        Looked("fund", f"/funds/{fund}", Role.FUND_MANAGER),
    )


def _opened(place: Place, house: House, one: Looked) -> Took:
    with ExitStack() as stack:
        visitor = stack.enter_context(Browser(console_of(house)))
        sign_in(visitor, one.login)
        _open(visitor, one.path)
        with captured(place.engine) as kept:
            _open(visitor, one.path)
        ours = [timed(partial(_open, visitor, one.path)) for _ in range(RUNS)]
        connection = stack.enter_context(closing(place.driver(_same(place))))
        sent = [item for item in kept if item is not None and item[0].lstrip().upper().startswith(("SELECT", "WITH"))]
        bare = [timed(partial(replay, connection, sent)) for _ in range(RUNS)]
    return Took(ours, median(bare), len(sent))


def _open(visitor: Browser, path: str) -> None:
    answer = visitor.ask("GET", path, headers={"sec-fetch-site": "none"})
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")


def _same(place: Place) -> str:
    """Return where the driver finds the same database with the same plans: nothing is written, so no copy is needed."""
    url = place.engine.url
    if place.kind == "SQLite":
        return str(url.database)
    found = url.render_as_string(hide_password=False).replace("+psycopg", "")
    return make_conninfo(found, options=POSTGRES_OPTIONS)


def _result(place: Place, one: Looked, size: int, took: Took, first: Took) -> Result:
    grown = () if took is first else (took.p50 / first.p50,)
    figure = (
        f"p50 {took.p50 * 1000:,.1f} ms, p95 {took.p95 * 1000:,.1f} ms; {took.statements} statements, bare"
        f" {took.bare * 1000:,.1f} ms ({took.bare / took.p50:.2f})"
    )
    work = f"{one.name} among {size:,} projects{f' against {SIZES[0]:,}' if grown else ''}, {place.kind}"
    return Result(mark="B12", work=work, figure=figure, ratios=grown, at_most=GROWTH if grown else None)
