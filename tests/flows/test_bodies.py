"""What the schedules do, each through the one way in which a slot is run."""

import hashlib
import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from flows.bodies import BODIES
from flows.clock import Clockwork, run_slot, tick
from flows.slots import Slot
from lifecycle.audit.keys import new_key, private_pem, public_pem
from lifecycle.disbursement.commands import Freeze
from lifecycle.schedules.times import SCHEDULES
from models.access import Challenge, SignInAttempt, WebSession
from models.db import transaction
from models.file_store import EvidenceFiles
from models.ids import new_id
from models.journal import Claim
from models.people import ApiToken
from models.runs import ScheduledRun
from models.settings import Settings
from models.states import ChallengeKind, Role, SignInKind, SlotStatus
from models.triggers import drop_triggers
from tests import factories as make
from tests import payments as pay
from tests.factories import House, key


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        db="unused.db",
        bank_out=tmp_path / "out",
        bank_in=tmp_path / "in",
        evidence_dir=str(tmp_path / "evidence"),
        checkpoint_dir=tmp_path / "checkpoints",
    )


def work(house: House, settings: Settings) -> Clockwork:
    return Clockwork(engine=house.engine, settings=settings, stamp=house.stamp(), bodies=BODIES)


def run(house: House, settings: Settings, name: str) -> Slot:
    house.later(microseconds=1)
    (slot,) = run_slot(work(house, settings), name, house.now, asked="now")
    return slot


def effects(slot: Slot) -> list[tuple[str, str, str]]:
    return [(one["effect"], one["object_type"], one["detail"]) for one in slot.effects]


def told(house: House, kind: str) -> list[dict[str, Any]]:
    rows = house.rows("SELECT facts FROM outbox_message WHERE kind = :kind ORDER BY created_at", kind=kind)
    return [row.facts if isinstance(row.facts, dict) else json.loads(row.facts) for row in rows]


class TestBodies:
    def test_belong_to_schedules(self) -> None:
        assert set(BODIES) <= {one.id for one in SCHEDULES}

    def test_find_nothing_in_a_house_at_rest(self, each_house: House, settings: Settings) -> None:
        found = tick(work(each_house, settings))
        assert found.is_well
        assert {slot.schedule_id: slot.refused_count for slot in found.slots} == {
            name: int(name in ("checkpoint", "backup")) for name in BODIES if name != "report"
        }

    def test_say_what_they_did_in_domain_words(self, house: House, settings: Settings) -> None:
        project = make.a_project(house)
        make.put_on_hold(house, project, days=3)
        house.later(days=4)
        slot = run(house, settings, "stage-deadlines")
        assert (slot.status, slot.done_count) == ("done", 1)
        ((told),) = slot.effects
        assert (told["effect"], told["object_type"], told["object_id"]) == ("project.resume", "project", str(project))
        assert told["ref"].startswith("PT-")


class TestDisbursement:
    def test_hands_over_what_is_approved_and_names_the_batch(self, house: House, settings: Settings) -> None:
        pay.payouts(house, state="approved")
        slot = run(house, settings, "disbursement")
        assert (slot.done_count, slot.refused_count, slot.failed_count) == (1, 0, 0)
        assert effects(slot) == [("batch.send", "batch", "")]
        assert slot.effects[0]["ref"] == house.one("SELECT number FROM v_batch")
        assert len(list((settings.bank_out).iterdir())) == 1

    def test_is_refused_and_not_failed_while_all_is_frozen(self, house: House, settings: Settings) -> None:
        house.do(Freeze(command_id=key(), reason="we look first"), by=Role.FUND_DIRECTOR)
        slot = run(house, settings, "disbursement")
        assert (slot.status, slot.why, slot.refused_count, slot.failed_count) == ("done", "frozen", 1, 0)

    def test_told_to_end_leaves_the_rest_to_the_next(self, house: House, settings: Settings) -> None:
        pay.payouts(house, state="approved")
        house.later(microseconds=1)
        ending = replace(work(house, settings), is_stopped=lambda: True)
        (slot,) = run_slot(ending, "disbursement", house.now, asked="now")
        assert slot.status == "running"
        (again,) = run_slot(work(house, settings), "disbursement", house.now)
        assert (again.run_id, again.status, again.done_count) == (slot.run_id, "done", 1)


class TestInvariants:
    def spoil(self, house: House) -> None:
        with transaction(house.engine) as session:
            for statement in drop_triggers(house.engine.dialect.name):
                session.execute(text(statement))
            session.execute(text("UPDATE account SET balance_minor = balance_minor + 1 WHERE kind = 'external'"))

    def test_stop_all_disbursement_once_when_money_is_wrong(self, each_house: House, settings: Settings) -> None:
        pay.payouts(each_house, state="approved")
        self.spoil(each_house)
        slot = run(each_house, settings, "invariants")
        assert (slot.status, slot.failed_count) == ("done", 1)
        assert effects(slot) == [("disbursement.freeze", "hold", "I04"), ("failed", "invariant", "cached-balances: 1")]
        assert [one[0] for one in effects(run(each_house, settings, "invariants"))] == ["failed"]
        assert each_house.one("SELECT count(*) FROM hold WHERE object_type = 'disbursement'") == 1
        assert run(each_house, settings, "disbursement").why == "frozen"

    def test_are_told_once_a_day_for_the_same_breach(self, each_house: House, settings: Settings) -> None:
        pay.payouts(each_house, state="approved")
        self.spoil(each_house)
        for _ in range(2):
            run(each_house, settings, "invariants")
        ((facts),) = told(each_house, "invariant.broken")
        assert (facts["checks"], "cached-balances: 1" in facts["detail"]) == (["I04"], True)
        each_house.later(days=1)
        run(each_house, settings, "invariants")
        assert len(told(each_house, "invariant.broken")) == 2

    def test_that_hold_tell_nobody(self, house: House, settings: Settings) -> None:
        run(house, settings, "invariants")
        assert told(house, "invariant.broken") == []

    def test_looked_at_stop_nothing(self, house: House, settings: Settings) -> None:
        pay.payouts(house, state="approved")
        self.spoil(house)
        look = BODIES["invariants"].look
        assert look is not None
        assert look(work(house, settings).turn(house.now)) == 1
        assert house.one("SELECT count(*) FROM hold") == 0


class TestACheckpoint:
    def test_is_refused_without_a_key(self, house: House, settings: Settings) -> None:
        slot = run(house, settings, "checkpoint")
        assert (slot.status, slot.why, slot.refused_count) == ("done", "private_key_missing", 1)

    def test_is_signed_into_its_folder(self, house: House, settings: Settings, tmp_path: Path) -> None:
        secret = new_key()
        (tmp_path / "k").write_bytes(private_pem(secret))
        (tmp_path / "p").write_bytes(public_pem(secret.public_key()))
        signing = settings.model_copy(
            update={"checkpoint_key": tmp_path / "k", "checkpoint_public_key": tmp_path / "p"}
        )
        slot = run(house, signing, "checkpoint")
        (file,) = (tmp_path / "checkpoints").iterdir()
        assert (slot.done_count, slot.effects[0]["ref"]) == (1, str(file))
        ((facts),) = told(house, "checkpoint.signed")
        signed = json.loads(file.read_bytes())
        assert (facts["file"], facts["sha256"]) == (file.name, hashlib.sha256(file.read_bytes()).hexdigest())
        assert [facts[name] for name in ("seq", "signature")] == [signed[name] for name in ("seq", "signature")]
        assert run(house, signing, "invariants").is_well


class TestABackup:
    def test_that_cannot_be_written_is_told_to_the_operators(
        self, house: House, settings: Settings, tmp_path: Path
    ) -> None:
        (tmp_path / "no-folder").write_text("a file")
        nowhere = settings.model_copy(update={"backup_dir": tmp_path / "no-folder"})
        slot = run(house, nowhere, "backup")
        assert (slot.is_well, slot.failed_count) == (False, 1)
        ((facts),) = told(house, "backup.failed")
        assert "no-folder" in facts["detail"]


class TestHousekeeping:
    def test_removes_files_that_no_row_refers_to_after_a_day(
        self, house: House, settings: Settings, tmp_path: Path
    ) -> None:
        files = EvidenceFiles(settings.evidence_place())
        stored = []
        for content in ("old", "new"):
            (tmp_path / content).write_text(content)
            with (tmp_path / content).open("rb") as file:
                stored.append(files.put(file, 100).sha256)
        old = tmp_path / "evidence" / stored[0][:2] / stored[0]
        os.utime(old, (0, 0))
        slot = run(house, settings, "housekeeping")
        assert effects(slot) == [("removed", "orphan_files", "1")]
        assert [files.exists(one) for one in stored] == [False, True]

    def test_ends_claims_whose_lease_is_over_and_tokens_of_long_ago(
        self, each_house: House, settings: Settings
    ) -> None:
        house = each_house
        token: dict[str, Any] = {"user_id": house.people["operator"].user_id, "created_at": house.now}
        with transaction(house.engine) as session:
            past, ahead = make.START - timedelta(days=4000), make.START + timedelta(days=90_000)
            for until_at in (past, ahead):
                session.add(Claim(object_type="outbox", object_id=new_id(), holder="x", fence=1, until_at=until_at))
            for number, days in enumerate((-91, -89, 1)):
                ends = house.now + timedelta(days=days)
                session.add(ApiToken(token_sha256=str(number) * 64, expires_at=ends, **token))
        assert effects(run(house, settings, "housekeeping")) == [("removed", "token", "1"), ("removed", "claim", "1")]
        assert house.one("SELECT count(*) FROM api_token") == 2

    def test_forgets_tries_challenges_and_sessions_that_nobody_needs(
        self, each_house: House, settings: Settings
    ) -> None:
        house = each_house
        own, day = house.people["operator"].user_id, timedelta(days=1)
        with transaction(house.engine) as session:
            for number, age in enumerate((day * 2, day / 2)):
                at = house.now - age
                tried: dict[str, Any] = {"kind": SignInKind.PASSWORD, "login_sha256": "a" * 64, "address": "192.0.2.1"}
                session.add(SignInAttempt(at=at, is_good=False, **tried))
                asked: dict[str, Any] = {
                    "user_id": own,
                    "kind": ChallengeKind.STEP_UP,
                    "token_sha256": str(number) * 64,
                }
                session.add(Challenge(created_at=at, expires_at=at, **asked))
            for number, days in enumerate((91, 89)):
                at = house.now - day * days
                seen: dict[str, Any] = {
                    "created_at": at - day,
                    "seen_at": at - day,
                    "expires_at": at,
                    "address": "",
                    "agent": "",
                }
                whose: dict[str, Any] = {"user_id": own, "token_sha256": str(number) * 64, "kind": SignInKind.PASSWORD}
                session.add(WebSession(**seen, **whose))

        found = effects(run(house, settings, "housekeeping"))

        names = ("sign_in_attempt", "challenge", "web_session")
        assert found == [("removed", name, "1") for name in names]
        assert [house.one(f"SELECT count(*) FROM {name}") for name in names] == [1, 1, 1]

    def test_forgets_runs_that_did_nothing_a_month_ago_but_never_the_newest(
        self, each_house: House, settings: Settings
    ) -> None:
        house = each_house
        rows = [
            ("invariants", 0, SlotStatus.DONE, 0, ""),
            ("invariants", 15, SlotStatus.MERGED, 0, "merged"),
            ("invariants", 30, SlotStatus.DONE, 3, ""),
            ("invariants", 45, SlotStatus.MISSED, 0, "too_late"),
            ("invariants", 60, SlotStatus.DONE, 0, ""),
            ("recovery", 0, SlotStatus.DONE, 0, ""),
            ("report", 0, SlotStatus.DONE, 0, ""),
        ]
        with transaction(house.engine) as session:
            for name, minutes, status, found, why in rows:
                at = house.now + timedelta(minutes=minutes)
                one = ScheduledRun(schedule_id=name, slot_at=at, status=status, holder="x", started_at=at, why=why)
                one.found_count = found
                session.add(one)
        house.later(days=31)
        assert effects(run(house, settings, "housekeeping")) == [("removed", "slot", "2")]
        assert house.one("SELECT count(*) FROM scheduled_run WHERE schedule_id = 'invariants'") == 3

    def test_reads_every_evidence_file(self, house: House, settings: Settings) -> None:
        make.hand_in(house, make.a_project(house), type="report", title="a report")
        slot = run(house, settings, "housekeeping")
        assert (slot.status, slot.failed_count) == ("done", 1)
        assert effects(slot) == [("failed", "invariant", "evidence-files: 1")]


class TestRecovery:
    def test_ends_claims_whose_lease_is_over(self, house: House, settings: Settings) -> None:
        with transaction(house.engine) as session:
            past = make.START - timedelta(days=4000)
            session.add(Claim(object_type="outbox", object_id=new_id(), holder="x", fence=1, until_at=past))
        run(house, settings, "recovery")
        assert house.one("SELECT count(*) FROM claim") == 0
