"""What can stand in the way of coming in from outside."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from models.ids import new_id
from models.states import Role
from tests.factories import House
from tests.lifecycle.commands.refusals import again, done, made, refused, wrong
from tests.lifecycle.entrance_recipes import a_token

NOBODY = UUID(int=7)

wrong("invitation.send", "invitation_exceeds", by="other coordinator")
wrong("invitation.send", "field_missing", roles=())
wrong("invitation.send", "role_needs_organisation", "invitation_exceeds", organisation_id=None)
wrong("invitation.send", "organisation_not_found", organisation_id=NOBODY)
wrong("invitation.send", "already_exists", email="payer@example.org")
wrong("invitation.send", "account_wrong", email="nobody at all")
wrong("invitation.send", "token_hash_wrong", token_sha256="the link itself")
wrong("invitation.accept", "link_void", token_sha256="0" * 64)
wrong("invitation.accept", "password_hash_wrong", password_hash="a password")
wrong("invitation.accept", "role", by=Role.ADMIN)
wrong("invitation.open", "link_void", token_sha256="0" * 64)
wrong("invitation.open", "role", by=Role.ADMIN)
wrong("invitation.revoke", "role", by=Role.COORDINATOR)
wrong("invitation.ask_link", "no_own_page", user_id=lambda house: house.people[Role.PAYER].user_id)
wrong("invitation.ask_link", "no_own_page", "user_disabled", user_id=lambda house: house.people["disabled"].user_id)


@refused("invitation.send", "invitation_open")
def _twice(house: House) -> Any:
    sent = done(house, "invitation.send")
    return again("invitation.send", sent, invitation_id=new_id(), user_id=new_id(), token_sha256=a_token())


@refused("invitation.accept", "link_void")
def _once_more(house: House) -> Any:
    return again("invitation.accept", done(house, "invitation.accept"))


@refused("invitation.open", "link_void")
def _used(house: House) -> Any:
    return again("invitation.open", done(house, "invitation.open"))


@refused("invitation.revoke", "invitation_over")
def _revoked(house: House) -> Any:
    return again("invitation.revoke", done(house, "invitation.revoke"))


@refused("invitation.ask_link", "links_enough")
def _a_fourth_one(house: House) -> Any:
    asked = made(house, "invitation.ask_link")
    for number in range(3):
        more = again("invitation.ask_link", asked, invitation_id=new_id(), token_sha256=a_token())
        house.do(replace(more, command_id=f"{number}"), by=Role.ADMIN)
    return asked


@refused("user.link_identity", "identity_taken")
def _linked(house: House) -> Any:
    return again("user.link_identity", done(house, "user.link_identity"))


@refused("user.unlink_identity", "identity_not_found")
def _ended(house: House) -> Any:
    return again("user.unlink_identity", done(house, "user.unlink_identity"))
