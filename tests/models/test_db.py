"""Transactions keep their promises on both databases, also when two writers meet."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlmodel import Session

from models.db import (
    ATTEMPTS,
    LostTransactionError,
    db_now,
    is_retryable,
    is_sqlite,
    make_engine,
    reading,
    run_in_transaction,
    transaction,
)


@pytest.fixture
def fund(empty_url: str) -> Iterator[Engine]:
    """Give a database with one fund that has room for exactly one payment of 70."""
    engine = make_engine(empty_url)
    with transaction(engine) as session:
        session.execute(text("CREATE TABLE fund (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)"))
        session.execute(text("INSERT INTO fund VALUES (1, 100), (2, 100)"))
    yield engine
    engine.dispose()


def balance(session: Session, fund_id: int = 1, suffix: str = "") -> int:
    found: int = session.execute(text(f"SELECT balance FROM fund WHERE id = {fund_id} {suffix}")).scalar_one()
    return found


def take(session: Session, amount: int, fund_id: int = 1) -> None:
    session.execute(text(f"UPDATE fund SET balance = balance - {amount} WHERE id = {fund_id}"))


def lock_suffix(engine: Engine) -> str:
    return "" if is_sqlite(engine) else "FOR UPDATE"


class TestTransaction:
    def test_commits_at_the_end(self, fund: Engine) -> None:
        with transaction(fund) as session:
            take(session, 70)

        with reading(fund) as session:
            assert balance(session) == 30

    def test_leaves_nothing_when_the_block_raises(self, fund: Engine) -> None:
        with pytest.raises(ZeroDivisionError), transaction(fund) as session:
            take(session, 70)
            raise ZeroDivisionError

        with reading(fund) as session:
            assert balance(session) == 100

    def test_throws_the_connection_away_after_a_database_error(self, fund: Engine) -> None:
        def driver(session: Session) -> object:
            return session.connection().connection.dbapi_connection

        with pytest.raises(IntegrityError), transaction(fund) as session:
            broken = driver(session)
            session.execute(text("INSERT INTO fund VALUES (1, 5)"))

        with transaction(fund) as session:
            assert driver(session) is not broken

    def test_keeps_the_connection_after_a_refusal_of_ours(self, fund: Engine) -> None:
        with pytest.raises(ZeroDivisionError), transaction(fund) as session:
            before = session.connection().connection.dbapi_connection
            raise ZeroDivisionError

        with transaction(fund) as session:
            assert session.connection().connection.dbapi_connection is before

    def test_two_writers_cannot_both_read_first(self, fund: Engine) -> None:
        barrier = threading.Barrier(2, timeout=30)

        def pay() -> bool:
            barrier.wait()
            with transaction(fund) as session:
                if balance(session, suffix=lock_suffix(fund)) < 70:
                    return False
                take(session, 70)
                return True

        for _ in range(20):
            with transaction(fund) as session:
                session.execute(text("UPDATE fund SET balance = 100"))
            with ThreadPoolExecutor(2) as pool:
                paid = [pool.submit(pay) for _ in range(2)]
                assert sorted(one.result() for one in paid) == [False, True]

    def test_a_session_that_did_nothing_needs_no_database(self, tmp_path: Path) -> None:
        engine = make_engine(str(tmp_path / "never.db"))

        with transaction(engine):
            pass

        assert not (tmp_path / "never.db").exists()


class TestAFullDisk:
    """SQLite has rolled back by itself when the error arrives (S6): what follows would run without a transaction."""

    @pytest.fixture
    def nearly_full(self, sqlite_engine: Engine) -> Engine:
        with transaction(sqlite_engine) as session:
            session.execute(text("CREATE TABLE note (body TEXT) STRICT"))
        return sqlite_engine

    def fill(self, session: Session) -> None:
        session.execute(text("INSERT INTO note VALUES ('first')"))
        session.execute(text("PRAGMA max_page_count = 1"))  # as many as there are: the file may not grow
        session.execute(text("INSERT INTO note VALUES (:body)"), {"body": "x" * 1_000_000})

    def test_stores_nothing_and_the_next_transaction_works(self, nearly_full: Engine) -> None:
        with pytest.raises(OperationalError, match="full"), transaction(nearly_full) as session:
            self.fill(session)

        with transaction(nearly_full) as session:
            session.execute(text("INSERT INTO note VALUES ('second')"))
        with reading(nearly_full) as session:
            assert session.execute(text("SELECT body FROM note")).scalars().all() == ["second"]

    def test_is_no_commit_even_when_the_error_is_swallowed(self, nearly_full: Engine) -> None:
        with (
            pytest.raises(LostTransactionError),
            transaction(nearly_full) as session,
            suppress(OperationalError),
        ):
            self.fill(session)

        with reading(nearly_full) as session:
            assert session.execute(text("SELECT body FROM note")).scalars().all() == []


class TestReading:
    def test_sees_one_snapshot_while_others_write(self, fund: Engine) -> None:
        with reading(fund) as session:
            assert balance(session) == 100
            with transaction(fund) as other:
                take(other, 70)

            assert balance(session) == 100

    def test_refuses_to_write(self, fund: Engine) -> None:
        with pytest.raises(DBAPIError, match=r"read-?only"), reading(fund) as session:
            take(session, 70)

    def test_does_not_leave_the_connection_read_only(self, fund: Engine) -> None:
        for _ in range(2):
            with reading(fund) as session:
                balance(session)
            with transaction(fund) as session:
                take(session, 1)

    def test_has_sqlite_prepare_statements_anew_only_where_writing_follows_reading(self, fund: Engine) -> None:
        def turned() -> list[str]:
            return [one for one in sent if one.startswith("PRAGMA query_only")]

        sent: list[str] = []
        event.listen(fund, "before_cursor_execute", lambda _c, _cursor, statement, *_: sent.append(statement))
        for _ in range(3):
            with reading(fund) as session:
                balance(session)
        assert turned() == (["PRAGMA query_only = ON"] if is_sqlite(fund) else [])

        for _ in range(3):
            with transaction(fund) as session:
                take(session, 1)
        assert turned()[1:] == (["PRAGMA query_only = OFF"] if is_sqlite(fund) else [])

    def test_gives_rows_that_can_be_used_afterwards(self, fund: Engine) -> None:
        with reading(fund) as session:
            row = session.execute(text("SELECT id, balance FROM fund WHERE id = 1")).one()

        assert row.balance == 100


class TestRunInTransaction:
    def test_returns_what_the_work_returns(self, fund: Engine) -> None:
        assert run_in_transaction(fund, balance) == 100

    def test_runs_again_when_a_race_was_lost_and_waits_ever_longer_at_most(self, fund: Engine) -> None:
        runs: list[int] = []
        pauses: list[float] = []

        def work(session: Session) -> int:
            take(session, 70)
            runs.append(1)
            if len(runs) < 3:
                raise lost_race()
            return balance(session)

        assert run_in_transaction(fund, work, pause=pauses.append) == 30
        assert len(pauses) == 2
        assert all(0 <= pause <= 0.05 * 2**number for number, pause in enumerate(pauses, start=1))

    def test_gives_up_after_five_attempts(self, fund: Engine) -> None:
        runs: list[int] = []

        def work(session: Session) -> None:
            runs.append(1)
            raise lost_race()

        with pytest.raises(OperationalError):
            run_in_transaction(fund, work, pause=lambda _: None)
        assert len(runs) == ATTEMPTS == 5

    def test_does_not_repeat_what_would_fail_again(self, fund: Engine) -> None:
        runs: list[int] = []

        def work(session: Session) -> None:
            runs.append(1)
            session.execute(text("INSERT INTO fund VALUES (7, NULL)"))

        with pytest.raises(IntegrityError):
            run_in_transaction(fund, work)
        assert len(runs) == 1

    @pytest.mark.postgres
    @pytest.mark.parametrize("database_kind", ["postgres"])
    def test_two_that_lock_each_other_both_get_through(self, fund: Engine) -> None:
        barrier = threading.Barrier(2, timeout=30)

        def move(source: int, target: int) -> Callable[[Session], None]:
            runs = []

            def work(session: Session) -> None:
                runs.append(1)
                take(session, 10, source)
                if len(runs) == 1:
                    barrier.wait()
                take(session, -10, target)

            return work

        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(run_in_transaction, fund, move(*way)) for way in ((1, 2), (2, 1))]
            for one in both:
                one.result()

        with reading(fund) as session:
            assert (balance(session, 1), balance(session, 2)) == (100, 100)


def lost_race() -> OperationalError:
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("UPDATE", {}, busy)


class TestIsRetryable:
    def test_knows_a_busy_sqlite_in_each_of_its_spellings(self) -> None:
        for code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY):
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = code
            assert is_retryable(OperationalError("", {}, error))

    def test_knows_that_a_full_disk_does_not_empty_itself(self) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        assert not is_retryable(OperationalError("", {}, error))

    @pytest.mark.parametrize(
        ("state", "again"), [("40001", True), ("40P01", True), ("23505", True), ("55P03", False), (None, False)]
    )
    def test_goes_by_the_code_of_postgresql(self, state: str | None, again: bool) -> None:
        error = type("Error", (Exception,), {"sqlstate": state})()
        assert is_retryable(OperationalError("", {}, error)) is again


class TestDbNow:
    def test_is_the_present_in_utc(self, fund: Engine) -> None:
        with reading(fund) as session:
            found = session.execute(select(db_now())).scalar_one()

        assert found.tzinfo is UTC
        assert abs(datetime.now(UTC) - found) < timedelta(minutes=1)  # noqa: TID251 - compared with the machine


class TestMakeEngine:
    @pytest.mark.parametrize("wrong", ["mysql://host/db", "postgresql://host/db", "postgresql+asyncpg://host/db"])
    def test_refuses_other_databases_and_drivers(self, wrong: str) -> None:
        with pytest.raises(ValueError, match="expected a file name"):
            make_engine(wrong)

    @pytest.mark.parametrize("wrong", ["sqlite://", ":memory:", "sqlite:///:memory:", ""])
    def test_refuses_a_database_in_memory(self, wrong: str) -> None:
        with pytest.raises(ValueError, match="needs a file"):
            make_engine(wrong)

    def test_takes_a_file_name_with_percent_and_question_mark(self, tmp_path: Path) -> None:
        name = str(tmp_path / "100% ?中.db")
        engine = make_engine(name)

        with transaction(engine) as session:
            session.execute(text("CREATE TABLE t (id INTEGER)"))
        engine.dispose()

        assert Path(name).exists()

    @pytest.mark.parametrize(
        ("pragma", "value"),
        [
            ("journal_mode", "wal"),
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("busy_timeout", 10_000),
            ("trusted_schema", 0),
            ("cell_size_check", 1),
        ],
    )
    def test_sets_sqlite_up_for_safety(self, sqlite_engine: Engine, pragma: str, value: object) -> None:
        with transaction(sqlite_engine) as session:
            assert session.execute(text(f"PRAGMA {pragma}")).scalar_one() == value

    def test_begins_a_write_before_the_first_read(self, sqlite_engine: Engine) -> None:
        with transaction(sqlite_engine) as session:
            session.execute(text("SELECT 1"))
            other = sqlite3.connect(str(sqlite_engine.url.database), timeout=0, isolation_level=None)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            other.close()

    @pytest.mark.postgres
    @pytest.mark.parametrize("database_kind", ["postgres"])
    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("lock_timeout", "5s"),
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "30s"),
            ("transaction_isolation", "read committed"),
            ("synchronous_commit", "on"),
            ("TimeZone", "UTC"),
        ],
    )
    def test_sets_postgresql_up_for_safety(self, fund: Engine, setting: str, value: str) -> None:
        with transaction(fund) as session:
            assert session.execute(text(f"SHOW {setting}")).scalar_one() == value
