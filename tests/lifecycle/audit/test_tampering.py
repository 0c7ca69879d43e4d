"""Whatever is done to the rows, somebody who re-computes them sees it; what was not touched raises no alarm."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from lifecycle.actor import Actor
from lifecycle.audit.findings import ProblemKind, Verification
from lifecycle.audit.keys import key_id, new_key
from lifecycle.audit.verify import verify
from lifecycle.projects.commands import Advance
from models.db import reading, transaction
from models.ids import new_id
from models.states import Door
from models.triggers import drop_triggers
from tests.lifecycle.audit import edits
from tests.lifecycle.audit.conftest import History, signed
from tests.lifecycle.world import a_world, some_projects


def kinds(found: Verification) -> set[ProblemKind]:
    return {problem.kind for problem in found.problems}


def spoil(history: History, edit: edits.Edit) -> None:
    with edits.open_past_triggers(history.path) as connection:
        edit(connection)
    connection.close()


class TestAnUntouchedHistory:
    def test_raises_no_alarm_after_any_act_on_either_database(self, engine: Engine) -> None:
        world, programme, firm = a_world(engine)
        for _ in range(3):
            some_projects(world, programme, firm, 3)
            with reading(engine) as session:
                found = verify(session)
            assert found.problems == ()
            counted = "SELECT COUNT(*), COUNT(DISTINCT object_id) FROM v_audit"
            with reading(engine) as session:
                assert tuple(session.execute(text(counted)).one()) == (found.rows_count, found.chains_count)

    def test_raises_no_alarm_after_checkpoints_and_further_acts(self, engine: Engine) -> None:
        world, programme, firm = a_world(engine)
        key = new_key()
        some_projects(world, programme, firm, 3)
        files = {"1.json": signed(world, key).content}
        some_projects(world, programme, firm, 3)
        files["2.json"] = signed(world, key).content
        some_projects(world, programme, firm, 3)
        keys = {key_id(key.public_key()): key.public_key()}

        with reading(engine) as session:
            found = verify(session, files=files, keys=keys)

        assert found.problems == ()
        assert [(one.file, one.seq, one.is_ok) for one in found.files] == [("1.json", 1, True), ("2.json", 2, True)]

    def test_raises_no_alarm_after_a_refusal_that_left_a_row(self, engine: Engine) -> None:
        world, programme, firm = a_world(engine)
        (project, *_) = some_projects(world, programme, firm, 3)
        nobody = new_id()
        world.actor = Actor(user_id=nobody, person_id=nobody, name="nobody", door=Door.CLI)

        (answer,) = world.act(Advance(command_id="try", project_id=project, reason="why not"))

        assert answer.error is not None
        with reading(engine) as session:
            assert verify(session).problems == ()

    def test_is_verified_whole_with_both_its_checkpoints(self, history: History) -> None:
        found = history.verified(files=True)
        assert found.is_ok
        assert found.document()["checkpoints"] == [
            {"file": "1.json", "seq": 1, "ok": True},
            {"file": "2.json", "seq": 2, "ok": True},
        ]


@pytest.mark.slow
class TestAHundredEdits:
    def test_are_all_found_without_any_checkpoint(self, history_template: History, tmp_path: Path) -> None:
        unseen, count = [], 0
        for name, edit in edits.a_hundred_edits(history_template.path, seed=20250708):
            copy = tmp_path / "edited.db"
            shutil.copyfile(history_template.path, copy)
            spoiled = History(copy, history_template.key, history_template.checkpoints)
            spoil(spoiled, edits.statement("DELETE FROM checkpoint"))
            spoil(spoiled, edit)
            count += 1
            if spoiled.verified().is_ok:
                unseen.append(name)
        assert (unseen, count) == ([], 100)


class TestKindsOfProblems:
    def test_a_changed_body_breaks_its_hash_and_its_number_is_told(self, history: History) -> None:
        spoil(history, edits.changed("audit_record", "body", 7)[1])
        found = history.verified()
        assert ProblemKind.HASH in kinds(found)
        assert found.first_bad_seq == 7

    def test_a_changed_column_differs_from_the_body(self, history: History) -> None:
        spoil(history, edits.changed("audit_record", "actor_id", 7)[1])
        assert [(one.kind, one.detail) for one in history.verified().problems] == [
            (ProblemKind.ROW, "body and columns differ: actor_id")
        ]

    def test_a_row_taken_out_leaves_a_gap_and_a_broken_link(self, history: History) -> None:
        with edits.open_past_triggers(history.path) as connection:
            (seq,) = connection.execute(
                "SELECT a.seq FROM audit_record a JOIN audit_record b ON b.object_id = a.object_id"
                " WHERE a.chain_seq = 2 AND b.chain_seq = 3"
            ).fetchone()
        spoil(history, edits.statement("DELETE FROM audit_record WHERE seq = ?", seq))
        assert {ProblemKind.GAP, ProblemKind.LINK} <= kinds(history.verified())

    def test_a_changed_transition_is_not_as_the_body_wrote_it(self, history: History) -> None:
        spoil(history, edits.changed("transition", "at", 3)[1])
        assert [one.detail for one in history.verified().problems] == ["transition 3 is not as it was written"]

    def test_a_transition_that_no_body_names_is_foreign(self, history: History) -> None:
        with edits.open_past_triggers(history.path) as connection:
            move = edits.rows_of(connection, "transition")[0]
        spoil(history, edits.inserted(None, move)[1])
        found = history.verified()
        assert kinds(found) == {ProblemKind.FOREIGN}
        assert found.first_bad_seq is None

    def test_a_cut_tail_is_truncated_by_the_head_of_its_object(self, history: History) -> None:
        with edits.open_past_triggers(history.path) as connection:
            row = connection.execute("SELECT * FROM audit_record WHERE chain_seq = 4 LIMIT 1").fetchone()
        spoil(history, edits.cut(row["object_id"], 4)[1])
        assert {ProblemKind.TRUNCATED, ProblemKind.FOREIGN} <= kinds(history.verified())

    def test_bytes_that_are_no_text_are_reported_and_crash_nothing(self, history: History) -> None:
        statement = "UPDATE audit_record SET body = CAST(x'ff7b7d' AS TEXT) WHERE seq = 5"
        spoil(history, edits.statement(statement))
        found = history.verified()
        assert ProblemKind.HASH in kinds(found)
        assert found.first_bad_seq == 5

    def test_only_a_hundred_problems_are_listed_and_all_are_counted(self, history: History) -> None:
        spoil(history, edits.statement("UPDATE audit_record SET action = 'x', body = '{}'"))
        found = history.verified()
        assert len(found.problems) == 100
        assert found.problems_count > 100


class TestWhatNoChainShows:
    def test_a_complete_rewrite_is_shown_by_the_stored_checkpoints(self, history: History) -> None:
        spoil(history, edits.rewritten)
        found = history.verified()
        assert {"checkpoint 1 saw other heads", "checkpoint 2 saw other heads"} <= {
            one.detail for one in found.problems
        }

    def test_a_complete_rewrite_without_stored_checkpoints_is_shown_by_a_file(self, history: History) -> None:
        def edit(connection: sqlite3.Connection) -> None:
            edits.rewritten(connection)
            connection.execute("DELETE FROM checkpoint")

        spoil(history, edit)

        assert history.verified().is_ok, "the rewrite must be perfect, or this test shows nothing"
        found = history.verified(files=True)
        assert {ProblemKind.REWRITTEN, ProblemKind.MISSING} == kinds(found)
        assert [one.is_ok for one in found.files] == [False, False]

    def test_a_chain_that_is_gone_with_its_object_is_shown_by_a_file(self, history: History) -> None:
        with edits.open_past_triggers(history.path) as connection:
            (user_id,) = connection.execute("SELECT object_id FROM audit_record WHERE object_type = 'user'").fetchone()

        def edit(connection: sqlite3.Connection) -> None:
            edits.without_its_history(connection, "user", user_id)
            connection.execute("DELETE FROM checkpoint")

        spoil(history, edit)

        assert history.verified().is_ok, "nothing that is left may show it, or this test shows nothing"
        gone = [one for one in history.verified(files=True).problems if one.object_id == user_id]
        assert {one.kind for one in gone} == {ProblemKind.MISSING}

    def test_a_checkpoint_rewritten_to_fit_is_shown_by_its_signature(self, history: History) -> None:
        spoil(history, edits.statement("UPDATE checkpoint SET at = '2020-01-01T00:00:00.000000Z'"))
        assert kinds(history.verified()) == {ProblemKind.SIGNATURE}

    def test_a_stored_checkpoint_that_is_gone_is_missed_by_its_number(self, history: History) -> None:
        spoil(history, edits.statement("DELETE FROM checkpoint WHERE seq = 1"))
        assert [one.detail for one in history.verified().problems] == ["there is no checkpoint 1"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", ["postgres"])
class TestTheOtherDatabase:
    @pytest.mark.parametrize(
        ("statement", "kind"),
        [
            ("UPDATE audit_record SET body = '{}' WHERE seq = 4", ProblemKind.HASH),
            ("UPDATE audit_record SET action = 'other' WHERE seq = 4", ProblemKind.ROW),
            ("UPDATE transition SET event = 'other' WHERE seq = 2", ProblemKind.ROW),
            ("DELETE FROM transition WHERE seq = 2", ProblemKind.ROW),
            ("DELETE FROM audit_record WHERE chain_seq >= 2", ProblemKind.TRUNCATED),
            ("UPDATE project SET audit_head = repeat('a', 64)", ProblemKind.REWRITTEN),
            ("DELETE FROM audit_record WHERE object_type = 'user'", ProblemKind.MISSING),
        ],
    )
    def test_shows_the_same_edits(self, engine: Engine, statement: str, kind: ProblemKind) -> None:
        world, programme, firm = a_world(engine)
        some_projects(world, programme, firm, 3)
        with transaction(engine) as session:
            for drop in drop_triggers("postgresql"):
                session.execute(text(drop))
            session.execute(text(statement))

        with reading(engine) as session:
            assert kind in kinds(verify(session))
