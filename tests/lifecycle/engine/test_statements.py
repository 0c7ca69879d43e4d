"""How many statements a verb sends does not depend on how many commands it gets: the whole table as a literal."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from lifecycle.commands import Command
from models.states import Role
from tests.conftest import copied_into
from tests.factories import PACKS, House, a_project
from tests.lifecycle.recipes import RECIPES

MANY = 20
"""Enough that one statement per command would stand out."""

STATEMENTS = {
    "agreement.accept_audit": 21,
    "agreement.close": 26,
    "agreement.draft": 21,
    "agreement.settle": 43,
    "agreement.sign": 21,
    "agreement.supplement": 28,
    "batch.abandon": 20,
    "batch.acknowledge": 19,
    "batch.doubt": 20,
    "batch.find": 19,
    "batch.prepare": 18,
    "batch.send": 19,
    "batch.settle": 18,
    "batch.take_back": 23,
    "calendar.announce": 12,
    "calendar.override": 22,
    "characteristic.add": 18,
    "claim.add": 34,
    "claim.add_all": 34,
    "cost.submit": 22,
    "cost.verify": 23,
    "disbursement.freeze": 12,
    "disbursement.lift": 11,
    "evidence.add": 30,
    "evidence.withdraw": 29,
    "exception.confirm": 27,
    "exception.propose": 27,
    "fund.add": 16,
    "fund.amend_commitment": 11,
    "fund.call": 13,
    "fund.cancel_call": 13,
    "fund.close": 16,
    "fund.commit": 12,
    "fund.contribute": 17,
    "fund.correct": 12,
    "fund.hold": 11,
    "fund.resize": 13,
    "fund.resume": 11,
    "fund.set_limit": 11,
    "fund.set_tiers": 11,
    "invitation.accept": 15,
    "invitation.ask_link": 13,
    "invitation.open": 12,
    "invitation.revoke": 12,
    "invitation.send": 16,
    "issue.add": 20,
    "issue.close": 18,
    "milestone.accept": 35,
    "milestone.announce": 23,
    "milestone.reject": 25,
    "milestone.submit": 25,
    "milestone.waive": 26,
    "notice.answer": 35,
    "notice.issue": 35,
    "order.record": 20,
    "outbox.drop": 12,
    "outbox.retry": 12,
    "organisation.add": 9,
    "organisation.correct": 24,
    "organisation.tie": 11,
    "payee_account.confirm": 19,
    "payee_account.propose": 12,
    "payee_account.retire": 19,
    "payout.adopt": 25,
    "payout.amend": 43,
    "payout.approve": 48,
    "payout.cancel": 46,
    "payout.certify": 43,
    "payout.instruct": 45,
    "payout.learn": 24,
    "payout.reapprove": 48,
    "payout.reject": 45,
    "payout.release": 43,
    "payout.request": 43,
    "payout.send_back": 43,
    "payout.settle": 43,
    "programme.add": 10,
    "project.accept_transfer": 26,
    "project.advance": 18,
    "project.assign": 16,
    "project.correct": 32,
    "project.extend_hold": 14,
    "project.hold": 15,
    "project.import": 17,
    "project.name_party": 18,
    "project.plan_panel": 26,
    "project.reach_stop_loss": 37,
    "project.recycle": 21,
    "project.refresh": 20,
    "project.register": 17,
    "project.resume": 19,
    "project.stop": 20,
    "project.submit": 17,
    "project.transfer": 15,
    "project.unassign": 16,
    "project.update_imported": 17,
    "project.withdraw": 20,
    "recovery.order": 21,
    "recovery.repay": 29,
    "recovery.set_off": 30,
    "recovery.write_off": 20,
    "requirement.confirm_waiver": 38,
    "requirement.judge": 37,
    "requirement.reopen": 36,
    "requirement.waive": 36,
    "review.answer_objection": 40,
    "review.call": 38,
    "review.cancel": 41,
    "review.decide": 43,
    "review.object": 41,
    "review.open": 23,
    "review.propose": 42,
    "review.recuse": 22,
    "review.reopen": 30,
    "review.score": 23,
    "revision.freeze": 35,
    "scenario.record": 20,
    "standard.publish": 11,
    "standard_draft.propose": 12,
    "standard_draft.withdraw": 8,
    "statement.compare": 14,
    "statement.complete": 10,
    "statement.quarantine": 10,
    "statement.take": 13,
    "statement.take_lines": 21,
    "statement.write_off": 19,
    "track.finish": 18,
    "track.start": 18,
    "trial_batch.add": 20,
    "trial_batch.close": 21,
    "trial_batch.correct": 21,
    "trial_batch.correct_measurement": 20,
    "trial_batch.measure": 21,
    "user.add": 10,
    "user.add_token": 10,
    "user.delegate": 11,
    "user.disable": 9,
    "user.enable": 8,
    "user.end_delegation": 11,
    "user.grant": 10,
    "user.link_identity": 11,
    "user.revoke": 10,
    "user.revoke_token": 10,
    "schedule.pause": 10,
    "schedule.request": 11,
    "schedule.resume": 10,
    "user.set_password": 16,
    "user.add_passkey": 21,
    "user.add_totp": 18,
    "user.remove_passkey": 18,
    "user.remove_totp": 18,
    "user.renew_codes": 18,
    "user.reset_access": 15,
    "user.sign_out_others": 16,
    "user.sign_in": 15,
    "user.sign_out": 16,
    "user.step_up": 16,
    "user.unlink_identity": 11,
    "user.set_language": 8,
    "user.make_feed": 10,
    "user.revoke_feed": 10,
    "webhook.add": 10,
    "webhook.disable": 9,
    "webhook.enable": 8,
    "webhook.end_rotation": 8,
    "webhook.ping": 9,
    "webhook.replay": 12,
    "webhook.rotate": 8,
}
"""Statements of one transaction on SQLite, BEGIN included."""


ALONE = {
    *("calendar.announce", "calendar.override", "disbursement.freeze", "disbursement.lift"),
    *("user.sign_in", "user.sign_out", "user.sign_out_others", "user.step_up"),
    *("user.add_totp", "user.remove_totp", "user.add_passkey", "user.remove_passkey", "user.renew_codes"),
    *("user.link_identity", "user.unlink_identity", "invitation.accept", "invitation.open"),
    *("user.set_language", "user.make_feed", "user.revoke_feed"),
}
"""Verbs of which there is one subject only, one's own account too: nobody gives twenty of them at once."""


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Collect every statement that is sent inside the block; many rows in one statement are one."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def standards_known(sqlite_house_template: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let the standards be read, once per process."""
    house = copied_into(sqlite_house_template, tmp_path_factory.mktemp("statements") / "house.db")
    for pack in PACKS:
        a_project(house, pack=pack)
    house.engine.dispose()


@pytest.fixture
def full_house(standards_known: None, house: House) -> House:
    return house


def sent_for(house: House, commands: list[Command], by: str) -> list[str]:
    with counted(house.engine) as sent:
        answers = house.ask(*commands, by=by)
    assert all(answer.is_done for answer in answers) or by == Role.AUDITOR
    return sent


@pytest.mark.parametrize("verb", sorted(ALONE))
def test_what_there_is_once_sends_these_statements(full_house: House, verb: str) -> None:
    recipe = RECIPES[verb]
    assert len(sent_for(full_house, recipe.make(full_house, 1), recipe.by)) == STATEMENTS[verb]


@pytest.mark.parametrize("verb", sorted(set(RECIPES) - ALONE))
def test_one_two_and_twenty_commands_send_the_same_statements(full_house: House, verb: str) -> None:
    recipe = RECIPES[verb]
    commands = recipe.make(full_house, 3 + MANY)

    one = sent_for(full_house, commands[:1], recipe.by)
    two = sent_for(full_house, commands[1:3], recipe.by)
    many = sent_for(full_house, commands[3:], recipe.by)

    assert (len(one), len(two), len(many)) == (STATEMENTS[verb],) * 3


@pytest.mark.parametrize("verb", ["project.advance", "project.register", "review.open", "user.grant"])
def test_twenty_refusals_are_journalled_in_the_same_statements_as_one(full_house: House, verb: str) -> None:
    commands = RECIPES[verb].make(full_house, 1 + MANY)

    one = sent_for(full_house, commands[:1], Role.AUDITOR)
    many = sent_for(full_house, commands[1:], Role.AUDITOR)

    assert len(many) == len(one)
    assert full_house.one(f"SELECT COUNT(*) FROM v_audit WHERE action = '{verb}.refused'") == 1 + MANY
