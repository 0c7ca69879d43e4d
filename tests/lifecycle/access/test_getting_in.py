import timeit
from dataclasses import replace
from datetime import timedelta
from time import process_time
from uuid import UUID

import pytest
from sqlalchemy import insert

from lifecycle.access.commands import SetPassword, SignIn, SignOut, StepUp
from lifecycle.access.guessing import weaknesses
from lifecycle.access.passwords import hashed, matches
from lifecycle.access.queries import (
    account_of,
    fingerprint,
    has_tried_too_often,
    known_words,
    login_fingerprint,
    signed_in,
)
from models.access import SignInAttempt
from models.db import reading, transaction
from models.ids import new_id
from models.reading import table_of
from models.states import SignInKind
from tests.factories import House, key

HERE = "192.0.2.7"


def sign_in(who: House, by: str) -> dict[str, str]:
    own = who.people[by].user_id
    asked = SignIn(
        command_id=key(),
        user_id=own,
        token_sha256=fingerprint("a token"),
        kind=SignInKind.PASSWORD,
        address=HERE,
        agent="a browser",
    )
    (answer,) = who.do(asked, by=by)
    return answer


class TestPassword:
    def test_matches_its_own_hash_and_no_other(self) -> None:
        stored = hashed("a long way to the sea")

        assert matches("a long way to the sea", stored)
        assert not matches("a long way to the see", stored)
        assert not matches("a long way to the sea", None)

    @pytest.mark.parametrize(
        "password", ["eleven char", "x" * 129, "coordinator1", "passwordpassword", "aaaaaaaaaaaaaa"]
    )
    def test_is_refused_when_short_long_or_guessable(self, password: str) -> None:
        assert weaknesses(password, "coordinator")

    @pytest.mark.parametrize(
        "password", ["qwerty123456", "1qaz2wsx3edc", "P@ssw0rd1234", "a123456789a123456789", "drowssapdrowssap"]
    )
    def test_that_has_leaked_is_refused_with_its_turns_and_twists(self, password: str) -> None:
        assert [one.code for one in weaknesses(password)] == ["password_guessable"]

    @pytest.mark.parametrize(
        "password",
        [
            "Zhang-Wei-1985!",
            "weizhang@20261",
            "Haifeng2026!@",
            "wei.zhang1234",
            "Pilotway2026!",
            "woaini5201314",
            "中试通中试通2026号",
        ],
    )
    def test_made_of_a_name_or_of_what_people_here_choose_is_refused(self, password: str) -> None:
        assert weaknesses(password, "wei.zhang", "wei.zhang@haifeng.example", "Zhang Wei", "Haifeng Chemical")

    def test_made_of_a_chinese_name_is_refused(self) -> None:
        assert weaknesses("张伟海丰化工1985年", "张伟", "海丰化工")

    @pytest.mark.parametrize("password", ["correct horse battery", "河岸 旧钟 第七只 白鹭 不语", "k3-Vr7_pWq-9xZt"])
    def test_of_words_that_have_nothing_to_do_with_each_other_is_taken(self, password: str) -> None:
        assert not weaknesses(password, "coordinator", "Zhang Wei")

    def test_is_judged_within_two_seconds_whatever_is_typed(self) -> None:
        took = timeit.timeit(lambda: weaknesses("a@4(c<{[8b3eg69i1!|l0oq5s$7t+2z%x*" * 3), timer=process_time, number=1)
        assert took < 2

    def test_is_made_of_nothing_that_anybody_knows_of_an_account(self, house: House) -> None:
        with reading(house.engine) as session:
            known = known_words(session, house.people["stranger"].user_id)
        assert known == ("stranger", "stranger@example.org", "stranger", "other firm")

    def test_never_runs_out_by_age(self, house: House) -> None:
        own = house.people["coordinator"].user_id
        house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed("a")), by="coordinator")
        house.now += timedelta(days=3650)
        with reading(house.engine) as session:
            found = account_of(session, "coordinator")
        assert found is not None
        assert found.password_until is None

    def test_is_set_by_its_owner_and_by_an_admin_and_by_nobody_else(self, house: House) -> None:
        own, other = house.people["coordinator"].user_id, house.people["fund_manager"].user_id
        asked = SetPassword(command_id=key(), user_id=own, password_hash=hashed("correct horse battery"))

        house.do(asked, by="coordinator")
        house.do(replace(asked, command_id=key()), by="admin")
        (refused,) = house.ask(replace(asked, command_id=key(), user_id=other), by="coordinator")

        assert refused.error is not None
        assert refused.error.codes == ("role",)
        assert house.one("SELECT count(*) FROM credential") == 1

    def test_is_nowhere_in_the_journal(self, house: House) -> None:
        own = house.people["coordinator"].user_id
        house.do(SetPassword(command_id=key(), user_id=own, password_hash=hashed("a")), by="coordinator")

        said = house.rows("SELECT body FROM audit_record WHERE action = 'user.set_password'")
        assert len(said) == 1
        assert "argon2" not in said[0].body


class TestSession:
    def test_opens_with_its_token_until_idle_for_half_an_hour(self, house: House) -> None:
        sign_in(house, "coordinator")

        with reading(house.engine) as session:
            found = signed_in(session, "a token", house.now + timedelta(minutes=29))
            assert found is not None
            assert found.account.user_id == house.people["coordinator"].user_id
            assert signed_in(session, "a token", house.now + timedelta(minutes=30)) is None
            assert signed_in(session, "another", house.now) is None

    def test_ends_with_sign_out_of_its_owner_only(self, house: House) -> None:
        made = sign_in(house, "coordinator")
        own = house.people["coordinator"].user_id
        asked = SignOut(command_id=key(), user_id=own, session_id=UUID(made["session_id"]))

        (refused,) = house.ask(asked, by="fund_manager")
        house.do(replace(asked, command_id=key()), by="coordinator")

        assert refused.error is not None
        with reading(house.engine) as session:
            assert signed_in(session, "a token", house.now) is None

    def test_is_not_given_in_the_name_of_somebody_else(self, house: House) -> None:
        asked = SignIn(
            command_id=key(),
            user_id=house.people["fund_manager"].user_id,
            token_sha256=fingerprint("t"),
            kind=SignInKind.PASSWORD,
            address=HERE,
            agent="",
        )

        answers = [house.ask(asked, by=by)[0] for by in ("coordinator", "admin", "clock")]

        assert [answer.error.codes if answer.error else () for answer in answers] == [("role",)] * 3

    def test_may_decide_about_money_for_five_minutes_after_a_step_up(self, house: House) -> None:
        made = sign_in(house, "fund_manager")
        own = house.people["fund_manager"].user_id
        house.do(
            StepUp(
                command_id=key(),
                user_id=own,
                session_id=UUID(made["session_id"]),
                kind=SignInKind.PASSWORD,
                address="192.0.2.1",
            ),
            by="fund_manager",
        )

        with reading(house.engine) as session:
            found = signed_in(session, "a token", house.now)
            assert found is not None
            assert found.stepped_up_until == house.now + timedelta(minutes=5)

    def test_of_a_disabled_account_is_refused(self, house: House) -> None:
        asked = SignIn(
            command_id=key(),
            user_id=house.people["disabled"].user_id,
            token_sha256=fingerprint("t"),
            kind=SignInKind.PASSWORD,
            address=HERE,
            agent="",
        )

        (answer,) = house.ask(asked, by="disabled")

        assert answer.error is not None


class TestLimit:
    def test_is_ten_wrong_tries_from_one_place(self, house: House) -> None:
        login = login_fingerprint("coordinator")
        self._tries(house, login, HERE, 10)

        with reading(house.engine) as session:
            assert has_tried_too_often(session, login_sha256=login, address=HERE, device_sha256=None, now=house.now)
            later = house.now + timedelta(minutes=5)
            assert not has_tried_too_often(session, login_sha256=login, address=HERE, device_sha256=None, now=later)

    def test_of_strangers_keeps_nobody_out_elsewhere_nor_in_a_known_browser(self, house: House) -> None:
        login = login_fingerprint("coordinator")
        self._tries(house, login, HERE, 10)

        with reading(house.engine) as session:
            elsewhere = {"login_sha256": login, "address": "192.0.2.8", "device_sha256": None}
            known = {"login_sha256": login, "address": HERE, "device_sha256": fingerprint("device")}
            assert not has_tried_too_often(session, **elsewhere, now=house.now)  # type: ignore[arg-type]
            assert not has_tried_too_often(session, **known, now=house.now)

    @staticmethod
    def _tries(house: House, login: str, address: str, count: int) -> None:
        row = {"at": house.now, "kind": SignInKind.PASSWORD, "login_sha256": login, "address": address}
        with transaction(house.engine) as session:
            for _ in range(count):
                session.execute(insert(table_of(SignInAttempt)).values(id=new_id(), is_good=False, **row))


class TestAccount:
    def test_is_found_by_login_and_by_mail_whatever_its_case(self, house: House) -> None:
        (email,) = house.rows("SELECT email FROM app_user WHERE login = 'coordinator'")
        with reading(house.engine) as session:
            by_login, by_mail = account_of(session, "coordinator"), account_of(session, email.email.upper())

        assert by_login is not None
        assert by_login == by_mail
