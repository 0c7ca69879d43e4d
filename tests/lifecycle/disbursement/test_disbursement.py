"""Who stops all disbursement, who lets it go on, and what that leaves behind."""

from typing import Any

from sqlalchemy import text

from lifecycle.audit.verify import verify
from lifecycle.disbursement.commands import Freeze, Lift, freeze_for, standing_holds
from lifecycle.invariants.check import all_checks, check
from lifecycle.people.commands import AddUser, GrantRole
from models.db import reading, transaction
from models.states import Role
from tests.factories import House, ids_of, key
from tests.money import a_fund

ACCOUNTANT, DIRECTOR = Role.ACCOUNTANT, Role.FUND_DIRECTOR


def freeze(**more: Any) -> Freeze:
    return Freeze(**{"command_id": key(), "reason": "the statement does not add up", **more})


def lift() -> Lift:
    return Lift(command_id=key(), reason="it was found and put right")


def broken(house: House) -> Freeze:
    """Return what a check orders after a balance was changed by hand."""
    a_fund(house)
    with transaction(house.engine) as session:
        session.execute(text("UPDATE account SET balance_minor = balance_minor + 1 WHERE kind = 'available'"))
    with reading(house.engine) as session:
        return freeze_for(check(session, all_checks(), now=house.now), key())


def holds(house: House) -> list[Any]:
    with reading(house.engine) as session:
        return list(standing_holds(session))


class TestFreeze:
    def test_puts_a_hold_that_does_not_end_by_itself(self, each_house: House) -> None:
        (answer,) = each_house.do(freeze(), by=ACCOUNTANT)

        (hold,) = holds(each_house)
        assert (str(hold.id), hold.reason, hold.needs_decision) == (answer["hold_id"], "decision", True)
        with reading(each_house.engine) as session:
            report = check(session, (), now=each_house.now)
        assert report.frozen == {"on": True, "hold_id": answer["hold_id"], "since": "2025-07-08T01:00:00.000000Z"}

    def test_for_a_broken_invariant_opens_one_case_that_names_it(self, each_house: House) -> None:
        each_house.do(order := broken(each_house))

        assert order.checks == ("I04",)
        (case,) = each_house.rows("SELECT kind, object_type, object_id, closed_at FROM v_exception")
        assert tuple(case) == ("invariant", "disbursement", "0" * 8 + "-0000-0000-0000-" + "0" * 12, None)
        assert [hold.note for hold in holds(each_house)] == ["broken: I04"]

    def test_for_another_reason_comes_on_top(self, house: House) -> None:
        house.do(freeze(), by=ACCOUNTANT)
        house.do(broken(house))
        assert [hold.reason for hold in holds(house)] == ["decision", "invariant"]

    def test_is_sealed_in_the_trail_with_all_that_belongs_to_it(self, each_house: House) -> None:
        each_house.do(freeze(code="invariant"))
        each_house.do(lift(), by=ACCOUNTANT)
        each_house.do(lift(), by=DIRECTOR)

        acts = each_house.rows(
            "SELECT action FROM v_audit WHERE object_type IN ('disbursement', 'exception') ORDER BY seq"
        )
        assert [row.action for row in acts] == [
            "disbursement.freeze",
            "exception.open",
            "disbursement.lift",
            "exception.propose",
            "disbursement.lift",
            "exception.confirm",
        ]
        with reading(each_house.engine) as session:
            assert verify(session).problems == ()


class TestLift:
    def test_takes_two_people_and_closes_the_case(self, each_house: House) -> None:
        each_house.do(broken(each_house))

        (first,) = each_house.do(lift(), by=ACCOUNTANT)
        assert (first["holds_count"], len(holds(each_house))) == (1, 1)
        assert first["done_as"] == "disbursement.sign_lift"
        (second,) = each_house.do(lift(), by=DIRECTOR)

        assert "done_as" not in second
        assert second["holds_count"] == len(holds(each_house)) == 0
        people = [str(each_house.people[role].user_id) for role in (ACCOUNTANT, DIRECTOR)]
        (case,) = each_house.rows(
            "SELECT CAST(proposed_by AS text) AS one, CAST(confirmed_by AS text) AS other, action FROM exception_case"
        )
        assert list(case) == [*people, "lift_hold"]
        assert each_house.one("SELECT COUNT(*) FROM v_exception WHERE closed_at IS NULL") == 0

    def test_is_refused_to_a_second_account_of_the_same_person(self, house: House) -> None:
        one = house.people[ACCOUNTANT]
        add = AddUser(command_id=key(), login="other", email="other@example.org", name="x", person_id=one.person_id)
        (other,) = ids_of(house.do(add))
        house.do(GrantRole(command_id=key(), user_id=other, role=DIRECTOR, organisation_id=house.parties["funder"]))
        house.people["again"] = type(one)(user_id=other, person_id=one.person_id, name="x", door=one.door)
        house.do(freeze())
        house.do(lift(), by=ACCOUNTANT)

        (answer,) = house.ask(lift(), by="again")

        assert answer.error is not None
        assert answer.error.codes == ("four_eyes",)
        assert len(holds(house)) == 1

    def test_is_never_done_by_the_clock(self, house: House) -> None:
        house.do(freeze())
        (answer,) = house.ask(lift())
        assert answer.error is not None
        assert answer.error.codes == ("role",)

    def test_lifts_one_hold_after_the_other(self, house: House) -> None:
        house.do(freeze(), freeze(code="restored"))
        house.later(hours=1)
        for person in (ACCOUNTANT, DIRECTOR):
            house.do(lift(), by=person)
        assert [hold.reason for hold in holds(house)] == ["restored"]
        for person in (DIRECTOR, ACCOUNTANT):
            house.do(lift(), by=person)
        assert holds(house) == []
