"""Recipes of coming in: invitations, links to the own page, what an identity provider vouches for."""

from uuid import UUID

from lifecycle.access.passwords import ALGORITHM
from lifecycle.actor import Actor
from lifecycle.entrance import commands as entrance
from lifecycle.people.commands import GrantRole
from models.ids import new_id
from models.states import Door, Role
from tests import factories as make
from tests.factories import House, key
from tests.lifecycle.recipes import Made, add_user, recipe

INVITED = "invited"


def a_token() -> str:
    return key().replace("-", "") * 2


def an_invitation(house: House, **said: object) -> entrance.Invite:
    """Return the command that invites somebody new to the firm."""
    values = {
        "invitation_id": new_id(),
        "user_id": new_id(),
        "token_sha256": a_token(),
        "email": f"{key()}@firm.example",
        "name": "Li",
        "roles": (Role.PROJECT_LEAD,),
        "organisation_id": house.parties["sme"],
        "language": "en",
    }
    return entrance.Invite(command_id=key(), **{**values, **said})  # type: ignore[arg-type]


@recipe("invitation.send", by=Role.ADMIN, tells="invitation.sent")
def send(house: House, count: int) -> Made:
    return [an_invitation(house) for _ in range(count)]


def _sent(house: House) -> entrance.Invite:
    asked = an_invitation(house)
    house.do(asked, by=Role.ADMIN)
    house.people[INVITED] = Actor(user_id=asked.user_id, person_id=asked.user_id, name="Li", door=Door.WEB)
    return asked


@recipe(
    "invitation.accept",
    *("invitation.accept", "user.add", "user.grant", "user.set_password"),
    by=INVITED,
    tells="invitation.accepted",
)
def accept(house: House, count: int) -> Made:
    sent = [_sent(house) for _ in range(count)]
    return [
        entrance.AcceptInvitation(
            command_id=key(),
            invitation_id=one.invitation_id,
            token_sha256=one.token_sha256,
            password_hash=f"{ALGORITHM}{one.user_id}",
            address="192.0.2.1",
        )
        for one in sent
    ]


@recipe("invitation.revoke", by=Role.ADMIN)
def revoke(house: House, count: int) -> Made:
    sent = [_sent(house) for _ in range(count)]
    return [entrance.RevokeInvitation(command_id=key(), invitation_id=one.invitation_id) for one in sent]


def _asked(user_id: UUID) -> entrance.AskLink:
    return entrance.AskLink(
        command_id=key(), user_id=user_id, invitation_id=new_id(), token_sha256=a_token(), address="192.0.2.1"
    )


@recipe("invitation.ask_link", by=Role.ADMIN, tells="invitation.link_asked")
def ask_link(house: House, count: int) -> Made:
    made = make.ids_of(house.do(*add_user(house, count)))
    at = house.parties["sme"]
    grants = [GrantRole(command_id=key(), user_id=one, role=Role.PROJECT_LEAD, organisation_id=at) for one in made]
    house.do(*grants)
    return [_asked(one) for one in made]


@recipe("invitation.open", by=Role.PROJECT_LEAD)
def open_link(house: House, count: int) -> Made:
    asked = [_asked(house.people[Role.PROJECT_LEAD].user_id) for _ in range(count)]
    for one in asked:
        house.do(one, by=Role.ADMIN)
    return [
        entrance.OpenLink(command_id=key(), invitation_id=one.invitation_id, token_sha256=one.token_sha256)
        for one in asked
    ]


@recipe("user.link_identity", by=Role.ADMIN)
def link_identity(house: House, count: int) -> Made:
    own = house.people[Role.ADMIN].user_id
    return [
        entrance.LinkIdentity(command_id=key(), user_id=own, issuer=f"https://{key()}.example", subject=key())
        for _ in range(count)
    ]


@recipe("user.unlink_identity", by=Role.ADMIN)
def unlink_identity(house: House, count: int) -> Made:
    own = house.people[Role.ADMIN].user_id
    house.do(*link_identity(house, count), by=Role.ADMIN)
    found = house.rows("SELECT id FROM outside_identity WHERE ended_at IS NULL")
    return [entrance.UnlinkIdentity(command_id=key(), user_id=own, identity_id=UUID(str(row.id))) for row in found]
