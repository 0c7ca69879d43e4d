"""What waits for whom: every verb that somebody is asked for reaches who may act, and leaves when it is done."""

from uuid import UUID

import pytest

from lifecycle.commands import REGISTRY
from lifecycle.payouts.payees import ProposeAccount
from lifecycle.people.commands import GrantRole
from lifecycle.requirements.commands import AnswerNotice, IssueNotice
from lifecycle.steps import OF_THE_GATE, STEPS, UNASKED, steps_of
from lifecycle.verbs import BY_NAME
from models.db import reading
from models.states import GateOutcome, ProjectState, Role
from notifications.todo import Owed, deeds, todo_of
from tests import payments
from tests.cli.test_door import number_of
from tests.factories import House, a_project, hand_in, ids_of, key, reviews
from tests.lifecycle.recipes import RECIPES
from web.pages.inbox import url_of

CONFIRM = "payee_account.confirm"
LATER = {"recovery.repay": 200, "recovery.set_off": 200, "fund.contribute": 60}
"""Days until something is due, of the world that its recipe makes."""
OF_THEIR_OWN = frozenset(
    {
        *("project.recycle", "project.stop", "project.transfer", "project.resume"),  # no panel said so
        *("milestone.submit", "cost.submit", "agreement.accept_audit"),  # nothing of it is due in that world
        "agreement.close",  # a draft is given up there
        "standard_draft.withdraw",  # they give their own back
    }
)
"""What the recipe does because somebody wants to: nobody waits for it."""


def todo(house: House, by: str) -> list[Owed]:
    """Return what waits for one of the people."""
    with reading(house.engine) as session:
        return todo_of(session, house.stamp(by), "en").owed


def kinds(house: House, by: str) -> set[str]:
    """Return the kinds of what waits for one of the people."""
    return {one.kind for one in todo(house, by)}


def asked(house: House, by: str) -> set[tuple[str, UUID]]:
    """Return (verb, subject) of the steps that wait for somebody."""
    with reading(house.engine) as session:
        return {(one.verb, one.object_id) for one in steps_of(session, house.stamp(by), limit=50)}


class TestAnAccount:
    def test_is_looked_for_among_those_that_one_may_confirm(self, house: House) -> None:
        """However many others wait before it: of the firms that other funds pay none is asked for."""
        payments.accepted(house)
        held = (("nobody", Role.ACCOUNTANT, "other platform"), ("stranger", Role.FINANCE_OFFICER, "other firm"))
        for name, role, at in held:
            user_id, place = house.people[name].user_id, house.parties[at]
            house.do(GrantRole(command_id=key(), user_id=user_id, role=role, organisation_id=place), by=Role.ADMIN)
        named = {**payments.ACCOUNT, "account_number": "6222 0202 0099 8877"}
        paid, unpaid = (
            ids_of(house.do(ProposeAccount(command_id=key(), organisation_id=house.parties[firm], **named), by=by))[0]
            for firm, by in (("sme", Role.FINANCE_OFFICER), ("other firm", "stranger"))
        )

        with reading(house.engine) as session:
            found = {
                name: [one.object_id for one in steps_of(session, house.stamp(name), limit=1) if one.verb == CONFIRM]
                for name in ("nobody", Role.ACCOUNTANT)
            }

        assert found == {"nobody": [unpaid], Role.ACCOUNTANT: [paid]}


class TestEveryVerb:
    def test_is_asked_for_in_one_way_or_is_said_to_be_asked_of_nobody(self) -> None:
        stepped = [step.verb for step in STEPS]
        known = {verb.permission for verb in REGISTRY.values()}

        assert len(set(stepped)) == len(stepped)
        assert {*stepped, *OF_THE_GATE, *UNASKED} == known
        assert len(stepped) + len(OF_THE_GATE) + len(UNASKED) == len(known)

    @pytest.mark.long
    @pytest.mark.parametrize("permission", [step.verb for step in STEPS if step.verb not in OF_THEIR_OWN])
    def test_that_can_be_done_waits_for_who_may_do_it(self, house: House, permission: str) -> None:
        recipe = RECIPES[permission]
        (command,) = recipe.make(house, 1)
        verb = BY_NAME[tuple(permission.split("."))]  # type: ignore[index]
        house.later(days=LATER.get(permission, 0))

        assert verb.subject_id is not None
        assert (permission, verb.subject_id(command)) in asked(house, recipe.by)
        assert asked(house, "stranger") == set()


class TestMoney:
    def test_waits_for_the_payer_once_it_is_approved(self, house: House) -> None:
        payments.payouts(house, state="approved")

        (owed,) = (one for one in todo(house, Role.PAYER) if one.kind == "payout.release")

        assert owed.title == "Release the payout"
        assert owed.amount_minor == payments.AMOUNT
        assert "payout.release" not in kinds(house, Role.FUND_MANAGER)

    def test_of_a_case_waits_for_a_proposal_and_then_for_somebody_else(self, house: House) -> None:
        (batch,) = payments.batches(house, state="unknown")
        case = payments.case_of(house, batch)
        assert {"exception.propose"} == {one for one in kinds(house, Role.ACCOUNTANT) if one.startswith("exception.")}

        house.do(payments.propose(case), by=Role.ACCOUNTANT)

        assert "exception.confirm" not in kinds(house, Role.ACCOUNTANT)
        assert "exception.confirm" in kinds(house, Role.FUND_MANAGER)


class TestAPanel:
    def test_that_has_voted_waits_for_its_chair_and_not_for_the_coordinator(self, house: House) -> None:
        reviews(house, state="voted", outcome=GateOutcome.HOLD)

        assert "review.propose" in kinds(house, Role.PANEL_CHAIR)
        assert kinds(house, Role.COORDINATOR) & {"review.propose", "review.open", "review.score"} == set()


class TestAFirm:
    def test_is_asked_to_answer_a_notice_until_it_has(self, house: House) -> None:
        project = a_project(house, pack="lean")
        house.do(IssueNotice(command_id=key(), project_id=project), by=Role.COORDINATOR)
        (owed,) = (one for one in todo(house, Role.PROJECT_LEAD) if one.kind == "notice.answer")
        assert owed.due_on is not None

        house.do(AnswerNotice(command_id=key(), project_id=project), by=Role.PROJECT_LEAD)

        assert "notice.answer" not in kinds(house, Role.PROJECT_LEAD)


class TestARequirement:
    def test_waits_since_its_last_paper_and_not_since_its_stage_began(self, house: House) -> None:
        project = a_project(house, stage=ProjectState.FEASIBILITY, pack="lean")
        began = house.today
        house.later(days=14)
        hand_in(house, project)

        since = {one.clause: one.since_on for one in todo(house, Role.COORDINATOR) if one.kind == "requirement"}

        assert since["G2.1"] == house.today
        assert {day for clause, day in since.items() if clause != "G2.1"} <= {began}


class TestADraft:
    def test_of_a_standard_waits_for_every_editor_but_its_own_until_it_is_closed(self, house: House) -> None:
        (withdrawn,) = RECIPES["standard_draft.withdraw"].make(house, 1)
        draft = house.one("SELECT id FROM standard_draft")
        (first,) = (one for one in todo(house, Role.ADMIN) if one.ref == str(draft))

        assert first.title.startswith("Read the draft of a standard")
        assert url_of(first) == f"/standard-drafts/{draft}"
        assert kinds(house, Role.STANDARD_EDITOR) == set()

        house.do(withdrawn, by=Role.STANDARD_EDITOR)
        assert "standard_draft.withdraw" not in kinds(house, Role.ADMIN)


class TestWhatSomebodyDid:
    def test_names_the_project_of_a_document(self, house: House) -> None:
        project = a_project(house, pack="lean")
        hand_in(house, project)

        with reading(house.engine) as session:
            found = deeds(session, house.people[Role.PROJECT_LEAD].user_id, limit=5)

        (handed_in,) = (one for one in found if one.verb == "evidence.add")
        assert handed_in.number == number_of(house, project)
