"""Killed between any two steps from the last approval to the bank's answer: money leaves once (B1-B16).

The bank of `tests.witness` takes whatever lies in the folder, as often as it finds it there. After each death it looks
first, then the work is done again as the next process would.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flows.bank_channel import DropFolders
from flows.disbursement import Teller, disburse
from flows.reconciliation import take_inbox
from lifecycle.canonical import sha256_of_bytes
from lifecycle.exceptions.proposal import Action
from lifecycle.payouts.batches import file_of
from lifecycle.payouts.commands import Approve
from models.db import make_engine, reading
from models.payouts import PaymentBatch, PaymentInstruction
from models.reading import rows_by, table_of
from models.states import Role
from models.tables import metadata
from tests.conftest import copied, on_server
from tests.factories import House
from tests.lifecycle.concurrency.races import assert_sound
from tests.lifecycle.crashes import victim
from tests.lifecycle.crashes.conftest import KILLED, Victims
from tests.money import AMOUNT
from tests.paying import ACCOUNT, a_paying_fund, approve, settle_case
from tests.witness.bank import Bank

pytestmark = [pytest.mark.slow, pytest.mark.long_on_postgres]
PAID_IN = 1_000_000
_TABLES = [table.name for table in metadata.sorted_tables]
_PLACES = (("out", "*.xml"), ("out", ".*"), ("in", "*.xml"), ("in", "done/*"))
STRIDES = {"few": 61, "reduced": 17, "whole": 1}
"""In which sweep every so-manieth boundary is tried: a prime, so that all kinds are met."""


def teller(folder: Path, takes: Any) -> Teller:
    """Return a teller whose claims end at once: whoever died holds nobody up."""
    bank = DropFolders(folder / "out", folder / "in")
    return Teller(bank=bank, holder="any", takes=takes, lease=timedelta(0))


def pay(last_word: Approve, folder: Path, takes: str, house: House) -> bool:
    """Give the last approval and run the payment run."""
    done = victim.given(last_word, Role.FUND_MANAGER, house)
    disburse(house.engine, teller(folder, takes), house.stamp())
    return done


def take(folder: Path, takes: str, house: House) -> bool:
    """Take what the bank answered."""
    found = take_inbox(house.engine, teller(folder, takes).bank, house.stamp())
    return all(one.status != "quarantined" for one in found)


@dataclass(slots=True)
class Scene:
    """A database that can be put back to where it began, two folders, and the bank."""

    house: House
    put_back: Callable[[], None]
    folder: Path
    last_word: Approve
    bank: Bank = field(default_factory=lambda: Bank(account=ACCOUNT, opening=PAID_IN))

    def begin(self) -> None:
        """Put everything back."""
        self.house.engine.dispose()
        self.put_back()
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "out").mkdir(parents=True)
        (self.folder / "in").mkdir()
        self.bank = Bank(account=ACCOUNT, opening=PAID_IN)

    def bank_looks(self, takes: str) -> None:
        """Let the bank accept and pay whatever is new in the folder."""
        look = self.bank.copy_folder if takes == "keep" else self.bank.empty_folder
        for order in look(self.folder / "out"):
            self.bank.pay(order)

    def bank_answers(self) -> None:
        """Let the bank say first that it has the orders, then what it did."""
        for message in {order.message for order in self.bank.orders}:
            words = {order.end_to_end_id: "ACSP" for order in self.bank.orders if order.message == message}
            (self.folder / "in" / f"1-{message}.xml").write_bytes(self.bank.report(message, words))
        (self.folder / "in" / "2-statement.xml").write_bytes(self.bank.statement())

    def what_is_there(self) -> str:
        """Return how many rows each table has, the states, the files and the orders, without names made at random."""
        counted = " UNION ALL ".join(f"SELECT '{name}' AS name, COUNT(*) AS many FROM {name}" for name in _TABLES)
        states = "SELECT state FROM v_payout UNION ALL SELECT state FROM v_batch"
        versions = "SELECT fence, version FROM payment_batch UNION ALL SELECT 0, version FROM payout"
        rows = [sorted(map(tuple, self.house.rows(sql))) for sql in (counted, states, versions)]
        files = [len(list((self.folder / where).glob(what))) for where, what in _PLACES]
        return repr((rows, files, len(self.bank.orders)))

    def balances(self) -> dict[str, int]:
        """Return the kept balances of the ledger."""
        return {row.kind: row.balance_minor for row in self.house.rows("SELECT kind, balance_minor FROM v_account")}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """Give a fund with one payout that lacks its last word."""
    if request.param == "sqlite":
        path, template = request.getfixturevalue("sqlite_house_template")
        base, file = tmp_path / "base.db", tmp_path / "now.db"
        shutil.copyfile(path, base)
        house = copied(template, make_engine(str(base)))
        last_word = _waiting(house)
        house.engine = make_engine(str(file))

        def put_back() -> None:
            for left in tmp_path.glob("now.db*"):  # the log of whoever died belongs to the file before
                left.unlink()
            shutil.copyfile(base, file)

        yield Scene(house, put_back, tmp_path / "bank", last_word)
        house.engine.dispose()
        return
    address, template = request.getfixturevalue("postgres_house_template")
    on_server(address, "CREATE DATABASE crash_base TEMPLATE house")
    house = copied(template, make_engine(address.format("crash_base")))
    last_word = _waiting(house)
    house.engine = make_engine(address.format("crash_now"))

    def put_back_there() -> None:
        on_server(address, "DROP DATABASE IF EXISTS crash_now WITH (FORCE)")
        on_server(address, "CREATE DATABASE crash_now TEMPLATE crash_base STRATEGY file_copy")

    yield Scene(house, put_back_there, tmp_path / "bank", last_word)
    house.engine.dispose()
    for name in ("crash_now", "crash_base"):
        on_server(address, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _waiting(house: House) -> Approve:
    (payout,) = a_paying_fund(house, tranches=1, paid_in=PAID_IN).requested()
    house.engine.dispose()
    return approve(payout)


EXTENT = ("few", pytest.param("reduced", marks=pytest.mark.long), pytest.param("whole", marks=pytest.mark.prove))
RECOVERED = 2
"""How often a reduced sweep recovers from the same rows, files and orders; a further death has but to leave them."""


@dataclass(slots=True)
class Sweep:
    """Which boundaries are tried, and from which deaths the work is then brought to its end."""

    scene: Scene
    extent: str
    left: Counter[str] = field(default_factory=Counter)
    """What the deaths so far have left."""

    def boundaries(self, first: int, last: int) -> range:
        """Return which are tried: a handful by `make test`, more by `make test-long`, all of them by `make prove`."""
        return range(first, last + 1, STRIDES[self.extent])

    def is_new(self) -> bool:
        """Remember what this death has left; check what was never seen. Say whether to recover from it."""
        what = self.scene.what_is_there()
        self.left[what] += 1
        if self.left[what] == 1:
            assert_nothing_is_half_done(self.scene)
        return self.extent == "whole" or self.left[what] <= RECOVERED


@pytest.mark.parametrize("extent", EXTENT)
@pytest.mark.parametrize("takes", ["move", "keep"])
def test_killed_on_the_way_to_the_bank_it_pays_once(
    scene: Scene, victims: Victims, takes: str, extent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    work = partial(pay, scene.last_word, scene.folder, takes)
    boundaries = _counted(scene, victims, work)
    # What the other side does with the file matters only once it may be there: the rest is swept once.
    first = 1 if takes == "move" else _counted(scene, victims, partial(_approved, scene.last_word))
    found, sweep = {"not there": 0, "there": 0, "given up": 0}, Sweep(scene, extent)

    for boundary in sweep.boundaries(first, boundaries):
        scene.begin()
        assert victims.send(scene.house, work, boundary) == (KILLED, boundary)
        scene.bank_looks(takes)
        found["there" if scene.bank.orders else "not there"] += 1
        if not sweep.is_new():
            continue

        assert work(scene.house)
        scene.bank_looks(takes)
        if not scene.bank.orders:  # nobody could know; the bank says in writing that it has nothing
            _given_up(scene)
            found["given up"] += 1
            assert work(scene.house)
            scene.bank_looks(takes)
        scene.bank_answers()
        assert take(scene.folder, takes, scene.house)

        assert_paid_once(scene)
        assert work(scene.house)
        scene.bank_looks(takes)
        assert len(scene.bank.orders) == 1, "once more and nothing more"

    with capsys.disabled():
        name = scene.house.engine.dialect.name
        print(f"\n{name}, {takes}: approve and disburse have {boundaries} boundaries {found}, {len(sweep.left)} states")  # noqa: T201
    assert boundaries > 150


@pytest.mark.parametrize("extent", EXTENT)
def test_killed_while_it_takes_the_answers_it_counts_each_once(
    scene: Scene, victims: Victims, extent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = partial(pay, scene.last_word, scene.folder, "move")
    work = partial(take, scene.folder, "move")

    def begin() -> None:
        scene.begin()
        assert begun(scene.house)
        scene.bank_looks("move")
        scene.bank_answers()

    begin()
    code, boundaries = victims.send(scene.house, work, victim.NOBODY_IS_KILLED)
    assert code == 0
    assert_paid_once(scene)
    kept = _saved(scene, begin)

    sweep = Sweep(scene, extent)
    for boundary in sweep.boundaries(1, boundaries):
        kept()
        assert victims.send(scene.house, work, boundary) == (KILLED, boundary)
        if not sweep.is_new():
            continue

        assert work(scene.house)

        assert_paid_once(scene)
        assert [path.name for path in (scene.folder / "in").iterdir()] == ["done"]

    with capsys.disabled():
        said = f"two answers have {boundaries} boundaries, {len(sweep.left)} states"
        print(f"\n{scene.house.engine.dialect.name}: {said}")  # noqa: T201
    assert boundaries > 80


def _saved(scene: Scene, begin: Callable[[], None]) -> Callable[[], None]:
    """Return what puts everything back to where the answers lie there; cheaper than paying again where it can be."""
    begin()
    if scene.house.engine.dialect.name != "sqlite":
        return begin
    scene.house.engine.dispose()
    file = Path(str(scene.house.engine.url.database))
    shutil.copyfile(file, file.with_name("sent.db"))
    shutil.copytree(scene.folder, scene.folder.with_name("sent"))

    def put_back() -> None:
        scene.house.engine.dispose()
        for left in file.parent.glob("now.db*"):
            left.unlink()
        shutil.copyfile(file.with_name("sent.db"), file)
        shutil.rmtree(scene.folder)
        shutil.copytree(scene.folder.with_name("sent"), scene.folder)

    return put_back


def _counted(scene: Scene, victims: Victims, work: victim.Work) -> int:
    """Play the work to its end, twice: the first time a process reads more; return the boundaries it has."""
    passed = 0
    for _ in range(2):
        scene.begin()
        code, passed = victims.send(scene.house, work, victim.NOBODY_IS_KILLED)
        assert code == 0
    return passed


def _approved(last_word: Approve, house: House) -> bool:
    return victim.given(last_word, Role.FUND_MANAGER, house)


def _given_up(scene: Scene) -> None:
    (case,) = scene.house.rows("SELECT id FROM v_exception WHERE object_type = 'batch' AND closed_at IS NULL")
    answers = settle_case(scene.house, UUID(case.id), Action.ABANDON_BATCH)
    assert [answer.is_done for answer in answers] == [True, True]


def assert_nothing_is_half_done(scene: Scene) -> None:
    """Ask every invariant, and that the reserved money is that of the payout's state."""
    assert_sound(scene.house.engine, scene.house)
    state = scene.house.one("SELECT state FROM v_payout")
    reserved = AMOUNT if state in ("approved", "instructed") else 0
    assert scene.balances()["reserved"] == reserved
    assert scene.house.one("SELECT COUNT(*) FROM v_approval") == (0 if state == "requested" else 1)


def assert_paid_once(scene: Scene) -> None:
    """The bank has one order and paid it; the ledger says so too; the file can be made again (W1, W2, W5, I30)."""
    bank, house = scene.bank, scene.house
    assert list(bank.accepted.values()) == [1], "W1"
    ends = "SELECT end_to_end_id FROM v_instruction WHERE status NOT IN ('prepared', 'abandoned')"
    assert [row.end_to_end_id for row in house.rows(ends)] == list(bank.accepted), "W2"
    assert house.one("SELECT state FROM v_payout") == "paid"
    balances = scene.balances()
    assert (balances["reserved"], balances["paid"]) == (0, AMOUNT)
    assert bank.balance == balances["available"] + balances["reserved"] + balances["suspense"], "W5"
    assert not house.rows("SELECT 1 FROM v_exception WHERE closed_at IS NULL")
    assert_sound(house.engine, house)
    sent = dict(bank.files)
    with reading(house.engine) as session:
        batches = session.execute(table_of(PaymentBatch).select()).all()
        rows = rows_by(session, PaymentInstruction, "batch_id", [batch.id for batch in batches])
    for batch in batches:
        again = file_of(batch, rows[batch.id])
        assert sha256_of_bytes(again) == batch.file_sha256, "I30"
        assert sent.get(batch.file_name, again) == again, "byte by byte"
    DropFolders(scene.folder / "out", scene.folder / "in").sweep()
    left = chain((scene.folder / "out").glob(".*"), (scene.folder / "out").glob("*.part"))
    assert not list(left)
