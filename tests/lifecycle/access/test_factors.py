from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lifecycle.access import commands as access
from lifecycle.access.codes import (
    new_recovery_code,
    new_secret,
    opened,
    recovery_fingerprint,
    sealed,
    step_of,
)
from lifecycle.access.security import factors, open_challenge
from lifecycle.people.commands import DisableUser, EnableUser
from models.db import reading
from models.states import ChallengeKind, Role, SignInKind
from tests.factories import House, key
from tests.lifecycle import access_recipes as recipes

RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The secret of RFC 6238, appendix B, in base32."""


def asked(house: House, verb: str) -> Any:
    (command,) = getattr(recipes, verb)(house, 1)
    return command


def codes(house: House, command: access.AccessCommand) -> tuple[str, ...]:
    (answer,) = house.ask(command, by=Role.ADMIN)
    return tuple(answer.error.codes) if answer.error else ()


def sign_in(house: House, **proof: Any) -> Any:
    command: Any = recipes.sign_in(house, 1)[0]
    return replace(command, **proof)


class TestACode:
    @pytest.mark.parametrize(
        ("at", "code"),
        [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
    )
    def test_is_that_of_rfc_6238(self, at: int, code: str) -> None:
        assert step_of(RFC, code, datetime.fromtimestamp(at, UTC)) == at // 30

    @pytest.mark.parametrize(("seconds", "is_taken"), [(-60, False), (-30, True), (30, True), (60, False)])
    def test_may_be_one_step_off_to_either_side(self, seconds: int, is_taken: bool) -> None:
        at = datetime.fromtimestamp(1111111109, UTC) + timedelta(seconds=seconds)
        assert (step_of(RFC, "081 804", at) is not None) == is_taken

    @pytest.mark.parametrize("typed", ["", "28708", "2870822", "abcdef", "２８７０８２", "-87082"])
    def test_is_six_plain_digits(self, typed: str) -> None:
        assert step_of(RFC, typed, datetime.fromtimestamp(59, UTC)) is None

    def test_of_paper_has_140_bits_and_may_be_typed_without_its_groups(self) -> None:
        code = new_recovery_code()
        assert len(code.replace("-", "")) * 5 == 140
        assert recovery_fingerprint(code) == recovery_fingerprint(code.replace("-", " ").lower())
        assert recovery_fingerprint("123456") is None


class TestASecret:
    def test_is_sealed_with_the_key_of_the_installation(self) -> None:
        secret = new_secret()
        stored = sealed(secret, "a key")
        assert secret not in stored
        assert opened(stored, "a key") == secret
        assert opened(stored, "another key") is None
        assert opened(stored, None) is None
        assert len(stored) <= 400

    def test_is_nowhere_in_the_journal(self, house: House) -> None:
        command = asked(house, "add_totp")
        house.do(command, by=Role.ADMIN)
        bodies = house.rows("SELECT body FROM audit_record WHERE action = 'user.add_totp'")
        assert len(bodies) == 1
        assert command.secret.removeprefix("plain:") not in bodies[0].body
        assert not any(code in bodies[0].body for code in command.codes_sha256)


class TestAnAuthenticator:
    def test_lets_in_with_a_newer_code_only(self, house: House) -> None:
        house.do(asked(house, "add_totp"), by=Role.ADMIN)
        proof = {"kind": SignInKind.TOTP, "totp_step": 7}

        assert codes(house, sign_in(house, kind=SignInKind.TOTP, totp_step=1)) == ("code_used",)
        assert codes(house, sign_in(house, **proof)) == ()
        assert codes(house, sign_in(house, **proof)) == ("code_used",)
        assert codes(house, sign_in(house, kind=SignInKind.TOTP, totp_step=6)) == ("code_used",)
        assert codes(house, sign_in(house, kind=SignInKind.TOTP, totp_step=8)) == ()

    def test_ends_signing_in_and_stepping_up_with_the_password_alone(self, house: House) -> None:
        added = asked(house, "add_totp")
        house.do(added, by=Role.ADMIN)
        again = access.StepUp(
            command_id=key(),
            user_id=added.user_id,
            session_id=added.session_id,
            kind=SignInKind.PASSWORD,
            address=recipes.HOME,
        )

        assert codes(house, sign_in(house)) == ("second_factor_required",)
        assert codes(house, again) == ("second_factor_required",)
        assert codes(house, replace(again, command_id=key(), kind=SignInKind.PERSONA)) == ("second_factor_required",)

    def test_is_replaced_by_the_next_and_keeps_the_paper_codes(self, house: House) -> None:
        first = asked(house, "add_totp")
        house.do(first, by=Role.ADMIN)
        house.do(replace(first, command_id=key(), secret="plain:ANOTHER", codes_sha256=("f" * 64,)), by=Role.ADMIN)

        with reading(house.engine) as session:
            own = factors(session, first.user_id)
        assert own.totp == "plain:ANOTHER"
        assert set(own.codes) == set(recipes.CODES)

    def test_takes_the_paper_codes_along_when_it_was_the_last_factor(self, house: House) -> None:
        command = asked(house, "remove_totp")
        house.do(command, by=Role.ADMIN)

        with reading(house.engine) as session:
            own = factors(session, command.user_id)
        assert not own.exist
        assert own.codes == {}
        assert codes(house, replace(command, command_id=key())) == ("totp_not_found",)


class TestAPaperCode:
    def test_lets_in_once(self, house: House) -> None:
        added = asked(house, "add_totp")
        house.do(added, by=Role.ADMIN)
        with reading(house.engine) as session:
            paper = factors(session, added.user_id).codes[recipes.CODES[3]]
        proof = {"kind": SignInKind.RECOVERY, "recovery_code_id": paper}

        assert codes(house, sign_in(house, **proof)) == ()
        assert codes(house, sign_in(house, **proof)) == ("code_used",)

    def test_counts_no_more_when_there_are_new_ones(self, house: House) -> None:
        command = asked(house, "renew_codes")
        with reading(house.engine) as session:
            before = set(factors(session, command.user_id).codes.values())
        house.do(replace(command, codes_sha256=("e" * 64,)), by=Role.ADMIN)
        with reading(house.engine) as session:
            after = factors(session, command.user_id).codes

        assert len(before) == 10
        assert list(after) == ["e" * 64]
        assert codes(house, sign_in(house, kind=SignInKind.RECOVERY, recovery_code_id=before.pop())) == ("code_used",)

    def test_stands_in_for_a_factor_that_there_is(self, house: House) -> None:
        own, session = recipes.proven(house)
        command = access.RenewCodes(command_id=key(), user_id=own, session_id=session, codes_sha256=("e" * 64,))
        assert codes(house, command) == ("second_factor_missing",)


class TestAPasskey:
    def entering(self, house: House, count: int, own: UUID, passkey: UUID) -> Any:
        challenge = recipes.challenge(house, own, ChallengeKind.SIGN_IN)
        proof = {"kind": SignInKind.PASSKEY, "passkey_id": passkey, "sign_count": count, "challenge_id": challenge}
        return sign_in(house, **proof)

    def test_counts_on_or_was_copied(self, house: House) -> None:
        own, _, passkey = recipes.with_key(house)

        assert codes(house, self.entering(house, 5, own, passkey)) == ()
        assert codes(house, self.entering(house, 5, own, passkey)) == ("passkey_copied",)
        assert codes(house, self.entering(house, 4, own, passkey)) == ("passkey_copied",)
        assert codes(house, self.entering(house, 0, own, passkey)) == ("passkey_copied",)
        assert codes(house, self.entering(house, 6, own, passkey)) == ()
        assert house.one("SELECT sign_count FROM passkey") == 6

    def test_answers_a_challenge_once(self, house: House) -> None:
        own, _, passkey = recipes.with_key(house)
        command = self.entering(house, 5, own, passkey)

        assert codes(house, command) == ()
        assert codes(house, replace(command, command_id=key(), token_sha256="a" * 64, sign_count=6)) == (
            "challenge_over",
        )
        assert codes(house, replace(command, command_id=key(), sign_count=7, challenge_id=None)) == ("challenge_over",)

    @pytest.mark.parametrize("kind", [ChallengeKind.REGISTER, ChallengeKind.STEP_UP])
    def test_answers_no_challenge_that_was_made_for_something_else(self, house: House, kind: ChallengeKind) -> None:
        own, _, passkey = recipes.with_key(house)
        other = recipes.challenge(house, own, kind)
        command = replace(self.entering(house, 5, own, passkey), challenge_id=other)
        assert codes(house, command) == ("challenge_over",)

    def test_answers_none_of_somebody_else_and_none_of_five_minutes_ago(self, house: House) -> None:
        own, _, passkey = recipes.with_key(house)
        theirs = recipes.challenge(house, house.people["coordinator"].user_id, ChallengeKind.SIGN_IN)
        command = self.entering(house, 5, own, passkey)
        assert codes(house, replace(command, challenge_id=theirs)) == ("challenge_over",)

        house.now += timedelta(minutes=5)
        assert codes(house, replace(command, command_id=key())) == ("challenge_over",)
        with reading(house.engine) as session:
            assert open_challenge(session, "no such", ChallengeKind.SIGN_IN, house.now) is None

    def test_of_somebody_else_lets_nobody_in(self, house: House) -> None:
        own, _, _ = recipes.with_key(house)
        assert codes(house, self.entering(house, 5, own, UUID(int=1))) == ("passkey_not_found",)

    def test_is_registered_once_and_again_after_it_was_removed(self, house: House) -> None:
        own, session, passkey = recipes.with_key(house)
        known = str(house.one("SELECT credential_id FROM passkey"))
        other = self.another(house)
        remove = access.RemovePasskey(command_id=key(), user_id=own, session_id=session, passkey_id=passkey)

        assert codes(house, replace(other, credential_id=known)) == ("passkey_known",)
        assert codes(house, remove) == ()
        assert codes(house, replace(remove, command_id=key())) == ("passkey_not_found",)
        assert codes(house, replace(other, command_id=key(), credential_id=known)) == ()

    def test_is_the_eleventh_of_nobody(self, house: House) -> None:
        house.do(*recipes.add_passkey(house, 1), by=Role.ADMIN)
        for _ in range(9):
            house.do(self.another(house), by=Role.ADMIN)
        assert codes(house, self.another(house)) == ("too_many_passkeys",)

    def another(self, house: House) -> access.AddPasskey:
        row = house.rows("SELECT id, user_id FROM web_session WHERE stepped_up_until IS NOT NULL")[0]
        own = UUID(str(row.user_id))
        return access.AddPasskey(
            command_id=key(),
            user_id=own,
            session_id=UUID(str(row.id)),
            challenge_id=recipes.challenge(house, own, ChallengeKind.REGISTER),
            credential_id=key(),
            public_key="a public key",
            sign_count=0,
            name="another",
        )


class TestAChangeOfAccess:
    @pytest.mark.parametrize("verb", ["add_totp", "remove_totp", "add_passkey", "remove_passkey", "renew_codes"])
    def test_asks_for_a_proof_of_the_last_five_minutes(self, house: House, verb: str) -> None:
        command = asked(house, verb)
        house.now += timedelta(minutes=5)
        assert "step_up_required" in codes(house, command)

    @pytest.mark.parametrize("verb", ["add_totp", "remove_totp", "add_passkey", "remove_passkey", "renew_codes"])
    def test_is_made_by_nobody_else_not_even_an_administrator(self, house: House, verb: str) -> None:
        command = asked(house, verb)
        other = house.people["coordinator"].user_id
        assert codes(house, replace(command, command_id=key(), user_id=other)) == ("role",)

    def test_of_an_administrator_leaves_no_way_in(self, house: House) -> None:
        own, _, _ = recipes.with_key(house)
        reset: Any = recipes.reset_access(house, 1)[0]
        assert codes(house, replace(reset, user_id=own)) == ("four_eyes",)

        other = house.people["coordinator"].user_id
        house.do(access.SetPassword(command_id=key(), user_id=other, password_hash="$argon2id$x"), by="coordinator")
        entered = replace(sign_in(house), user_id=other)
        house.do(entered, by="coordinator")
        house.do(replace(reset, user_id=other), by=Role.ADMIN)

        (stored,) = house.rows("SELECT password_hash, is_to_change FROM credential")
        assert (stored.password_hash, bool(stored.is_to_change)) == ("-", True)
        live = house.one(f"SELECT count(*) FROM web_session WHERE user_id = '{other}' AND ended_at IS NULL")
        assert live == 0
        assert house.one("SELECT count(*) FROM passkey WHERE revoked_at IS NULL") == 1


class TestASession:
    def test_is_the_only_one_left_after_the_others_were_ended(self, house: House) -> None:
        command: Any = recipes.sign_out_others(house, 1)[0]
        house.do(command, by=Role.ADMIN)
        live = house.rows("SELECT id FROM web_session WHERE ended_at IS NULL")
        assert [UUID(str(one.id)) for one in live] == [command.session_id]

    def test_ends_with_a_change_of_the_password_elsewhere(self, house: House) -> None:
        own, session = recipes.proven(house)
        house.do(sign_in(house), by=Role.ADMIN)
        command = access.SetPassword(command_id=key(), user_id=own, password_hash="$argon2id$x", session_id=session)
        house.do(command, by=Role.ADMIN)

        live = house.rows("SELECT id FROM web_session WHERE ended_at IS NULL")
        assert [UUID(str(one.id)) for one in live] == [session]

    def test_does_not_come_back_with_a_disabled_account(self, house: House) -> None:
        own = house.people["coordinator"].user_id
        house.do(replace(sign_in(house), user_id=own), by="coordinator")
        house.do(DisableUser(command_id=key(), user_id=own), by=Role.ADMIN)
        house.do(EnableUser(command_id=key(), user_id=own), by=Role.ADMIN)

        assert house.one("SELECT count(*) FROM web_session WHERE ended_at IS NULL") == 0
