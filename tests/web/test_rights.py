"""Rights end when they are taken back, and reach no further than where they were given."""

from collections.abc import Callable
from uuid import UUID

from lifecycle.people.commands import GrantRole, RevokeRole
from models.states import Role
from tests.factories import House, a_project, key
from tests.web.browser import Browser


class TestARight:
    def test_that_was_taken_back_ends_with_the_next_request(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        project, visitor = a_project(house), signed_in("coordinator")
        user = house.people[Role.COORDINATOR].user_id
        grant = UUID(house.one("SELECT id FROM role_grant WHERE user_id = :id", id=str(user)))
        assert visitor.open(f"/projects/{project}").status == 200

        house.do(RevokeRole(command_id=key(), user_id=user, grant_id=grant), by=Role.ADMIN)

        assert visitor.open(f"/projects/{project}").status == 404
        assert visitor.open("/portfolio").status == 403

    def test_to_run_one_organisation_is_none_to_run_the_installation(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        user = house.people["nobody"].user_id
        firm = house.parties["sme"]
        house.do(GrantRole(command_id=key(), user_id=user, role=Role.ADMIN, organisation_id=firm), by=Role.ADMIN)
        visitor = signed_in("nobody")

        assert [visitor.open(path).status for path in ("/admin/people", "/ops", "/audit", "/users/payer")] == [
            403,
            403,
            403,
            404,
        ]
        (answer,) = house.ask(GrantRole(command_id=key(), user_id=user, role=Role.ADMIN), by="nobody")
        assert answer.error is not None
        assert answer.error.codes == ("role",)
