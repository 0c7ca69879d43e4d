"""Refusals of organisations, users, grants, tokens, standards and programmes."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from lifecycle.people.commands import AddUser, DisableUser, GrantRole, PublishStandard
from lifecycle.standards import library
from models.states import Role
from tests.factories import House, ids_of, key, lean
from tests.lifecycle.commands.refusals import again, done, made, refused, wrong

NOWHERE = UUID(int=5)


def second_account(house: House) -> UUID:
    """Add a second account of the administrator."""
    person = house.people[Role.ADMIN].person_id
    account = AddUser(command_id=key(), login="two", email="two@example.org", name="two", person_id=person)
    return ids_of(house.do(account))[0]


wrong("organisation.add", "name_length", name=" ")
wrong("organisation.add", "name_length", name="x" * 201)
wrong("organisation.add", "credit_code_wrong", credit_code="91350100M000100Y44")
wrong("organisation.correct", "reason_missing", reason=" ")
wrong("organisation.correct", "name_length", name=" ")
wrong("organisation.correct", "credit_code_wrong", credit_code="91350100M000100Y44")
wrong("organisation.correct", "nothing_corrected", name=None)
wrong("organisation.tie", "tie_wrong", share_basis_points=10_001)
wrong("organisation.tie", "organisation_not_found", other_id=NOWHERE)
wrong("user.add", "account_wrong", login="li wei")
wrong("user.add", "account_wrong", email="li.wei")
for several in (
    "li@x.org,wei@x.org",
    "li@x.org wei@x.org",
    "li@x.org\nbcc:wei@x.org",
    "Li <li@x.org>",
    "li@",
    "@x.org",
):
    wrong("user.add", "account_wrong", email=several)
wrong("user.add", "user_not_found", person_id=NOWHERE)
wrong("user.grant", "role_needs_organisation", organisation_id=None)
wrong("user.grant", "organisation_not_found", organisation_id=NOWHERE)
wrong("user.grant", "four_eyes", user_id=lambda house: house.people[Role.ADMIN].user_id)
wrong("user.revoke", "grant_not_found", grant_id=NOWHERE)
wrong("user.revoke_token", "token_not_found", token_id=NOWHERE)
wrong("user.enable", "user_active", user_id=lambda house: house.people[Role.PAYER].user_id)
wrong("user.disable", "four_eyes", user_id=lambda house: house.people[Role.ADMIN].user_id)
wrong("user.add_token", "four_eyes", user_id=lambda house: house.people[Role.ADMIN].user_id)
wrong("user.grant", "four_eyes", user_id=second_account)
wrong("user.add_token", "four_eyes", user_id=second_account)
wrong("user.add_token", "token_term_wrong", expires_at=lambda house: house.now)
wrong("user.add_token", "token_hash_wrong", token_sha256="secret")
wrong("user.set_language", "language_unknown", language="fr")
wrong("user.make_feed", "token_hash_wrong", token_sha256="secret")
wrong("standard.publish", "pack_hash_differs", sha256="0" * 64)
wrong("standard.publish", "pack_unreadable", body={"code": "x"})
wrong("programme.add", "pack_not_found", pack_sha256="0" * 64)
wrong("programme.add", "organisation_not_found", organisation_id=NOWHERE)


@refused("organisation.add", "already_exists")
def _same_credit_code_in_other_letters(house: House) -> Any:
    first = done(house, "organisation.add", credit_code="9144030071526726XG")
    return again("organisation.add", first, credit_code="9144030071526726xg", outside_key=None)


@refused("organisation.correct", "credit_code_held")
def _a_code_that_another_one_holds(house: House) -> Any:
    done(house, "organisation.add", credit_code="9144030071526726XG")
    return made(house, "organisation.correct", credit_code="9144030071526726xg")


@refused("organisation.correct", "nothing_corrected")
def _what_is_stored_already(house: House) -> Any:
    return again("organisation.correct", done(house, "organisation.correct"))


@refused("user.add", "already_exists")
def _same_address_in_other_letters(house: House) -> Any:
    first = done(house, "user.add", email="li.wei@example.org")
    return again("user.add", first, login="li", email="LI.WEI@example.org")


@refused("user.add", "already_exists", "already_exists")
def _same_login_and_address(house: House) -> Any:
    return again("user.add", done(house, "user.add"))


@refused("user.add_token", "already_exists")
def _same_token(house: House) -> Any:
    return again("user.add_token", done(house, "user.add_token"))


@refused("standard.publish", "already_exists")
def _same_standard(house: House) -> Any:
    return again("standard.publish", done(house, "standard.publish"))


@refused("programme.add", "already_exists")
def _same_programme(house: House) -> Any:
    return again("programme.add", done(house, "programme.add"))


def _disabled(house: House, verb: str) -> Any:
    command = made(house, verb)
    house.do(DisableUser(command_id=key(), user_id=command.user_id), by=Role.ADMIN)
    return command


@refused("user.grant", "user_disabled")
def _to_a_disabled_account(house: House) -> Any:
    return replace(_disabled(house, "user.grant"))


@refused("user.disable", "user_disabled")
def _twice(house: House) -> Any:
    return again("user.disable", done(house, "user.disable"))


@refused("user.revoke_feed", "feed_not_there")
def _feed_twice(house: House) -> Any:
    return again("user.revoke_feed", done(house, "user.revoke_feed"))


@refused("user.add_token", "user_disabled")
def _for_a_disabled_account(house: House) -> Any:
    return replace(_disabled(house, "user.add_token"))


@refused("user.revoke", "grant_not_found")
def _twice_revoked(house: House) -> Any:
    return again("user.revoke", done(house, "user.revoke"))


@refused("user.revoke_token", "token_not_found")
def _token_taken_back_twice(house: House) -> Any:
    return again("user.revoke_token", done(house, "user.revoke_token"))


@refused("user.revoke", "four_eyes", "grant_not_found")
def _ones_own(house: House) -> Any:
    grant = made(house, "user.revoke")
    return replace(grant, user_id=house.people[Role.ADMIN].user_id)


@refused("standard.publish", "pack_problems")
def _a_pack_that_lint_refuses(_house: House) -> Any:
    pack = lean().model_copy(update={"stages": lean().stages[::-1]})
    return PublishStandard(command_id=key(), sha256=library.sha256(pack), body=pack.canonical())


def _for_real_work(house: House) -> None:
    with house.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE installation SET mode = 'production'")


@refused("standard.publish", "pack_for_rehearsals", "second_editor_needed")
def _a_bare_pack_for_real_work(house: House) -> Any:
    _for_real_work(house)
    pack = library.bare().model_copy(update={"version": "2026.2"})
    return PublishStandard(command_id=key(), sha256=library.sha256(pack), body=pack.canonical())


wrong("standard_draft.propose", "reason_missing", reason=" ")
wrong("standard_draft.propose", "pack_hash_differs", sha256="0" * 64)
wrong("standard_draft.propose", "pack_unreadable", body={"code": "x"})
wrong("standard_draft.withdraw", "reason_missing", reason="")


@refused("standard_draft.propose", "pack_problems")
def _a_draft_that_lint_refuses(house: House) -> Any:
    pack = lean().model_copy(update={"stages": lean().stages[::-1], "version": "2026.9"})
    return replace(made(house, "standard_draft.propose"), sha256=library.sha256(pack), body=pack.canonical())


@refused("standard_draft.propose", "pack_for_rehearsals")
def _a_bare_draft_for_real_work(house: House) -> Any:
    _for_real_work(house)
    pack = library.bare().model_copy(update={"version": "2026.2"})
    return replace(made(house, "standard_draft.propose"), sha256=library.sha256(pack), body=pack.canonical())


@refused("standard_draft.propose", "already_exists")
def _handed_over_already(house: House) -> Any:
    return again("standard_draft.propose", done(house, "standard_draft.propose"))


@refused("standard_draft.propose", "version_known")
def _published_already(house: House) -> Any:
    known = done(house, "standard.publish")
    return replace(made(house, "standard_draft.propose"), sha256=known.sha256, body=known.body)


@refused("standard_draft.withdraw", "draft_closed")
def _given_back_already(house: House) -> Any:
    return again("standard_draft.withdraw", done(house, "standard_draft.withdraw"))


@refused("standard.publish", "four_eyes")
def _what_one_handed_over_oneself(house: House) -> Any:
    draft = done(house, "standard_draft.propose")
    return PublishStandard(command_id=key(), sha256=draft.sha256, body=draft.body)


@refused("standard.publish", "second_editor_needed")
def _what_nobody_handed_over_for_real_work(house: House) -> Any:
    _for_real_work(house)
    pack = library.default().model_copy(update={"version": "2026.2"})
    return PublishStandard(command_id=key(), sha256=library.sha256(pack), body=pack.canonical())


@refused("user.grant", "role_needs_organisation", "user_disabled")
def _everything_at_once(house: House) -> Any:
    user = house.people["disabled"].user_id
    return GrantRole(command_id=key(), user_id=user, role=Role.COORDINATOR)
