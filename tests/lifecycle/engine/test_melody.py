"""The melody step by step: replayed, unchanged, permitted, judged; and what each refusal writes."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lifecycle import engine as melody
from lifecycle.audit.verify import verify
from lifecycle.errors import Invalid, KeyReused, NotFound, Refused, Stale
from lifecycle.people.commands import AddOrganisation, AddUser, GrantRole
from lifecycle.projects.commands import AcceptTransfer, Advance, PutOnHold, Recycle, Stop, Submit, Withdraw
from lifecycle.requirements.commands import AnswerNotice, ConfirmWaiver
from lifecycle.verbs import BY_NAME
from models.db import reading, transaction
from models.states import OrganisationKind, ProjectState, Role
from models.triggers import APPEND_ONLY
from tests.digest import changed, digest
from tests.factories import House, a_project, evidence, key, projects, put_on_hold
from tests.lifecycle.recipes import RECIPES


def advance(project_id: UUID, **more: Any) -> Advance:
    return Advance(**{"command_id": key(), "project_id": project_id, "reason": "ready", **more})


class TestReplay:
    def test_is_given_on_both_databases_as_it_was_stored(self, each_house: House) -> None:
        command = advance(a_project(each_house))
        (first,) = each_house.ask(command, by=Role.COORDINATOR)

        (second,) = each_house.ask(command, by=Role.COORDINATOR)

        assert second.document == {**first.document, "replayed": True}

    def test_is_given_even_when_the_version_is_old_and_the_state_has_moved_on(self, house: House) -> None:
        command = advance(a_project(house), expected_version=1)
        house.do(command, by=Role.COORDINATOR)
        house.do(advance(command.project_id), by=Role.COORDINATOR)

        (again,) = house.ask(command, by=Role.COORDINATOR)

        assert again.is_replay
        assert again.document["state"] == "feasibility"

    def test_another_person_with_the_same_key_is_another_command(self, house: House) -> None:
        command = advance(a_project(house))
        house.do(command, by=Role.COORDINATOR)

        (other,) = house.ask(command, by="second")

        assert other.is_done
        assert not other.is_replay
        assert other.document["state"] == "small_batch_trial"


class TestKeyReused:
    def test_with_another_body_writes_nothing(self, each_house: House) -> None:
        command = advance(a_project(each_house))
        each_house.do(command, by=Role.COORDINATOR)
        before = digest(each_house.engine)

        (answer,) = each_house.ask(replace(command, reason="other"), by=Role.COORDINATOR)

        assert isinstance(answer.error, KeyReused)
        assert answer.error.codes == ("key_reused",)
        assert changed(before, digest(each_house.engine)) == set()

    def test_with_another_verb(self, house: House) -> None:
        command = advance(a_project(house))
        house.do(command, by=Role.COORDINATOR)

        stop = Recycle(command_id=command.command_id, project_id=command.project_id, code="other", reason="ready")
        (answer,) = house.ask(stop, by=Role.COORDINATOR)

        assert isinstance(answer.error, KeyReused)

    def test_with_another_subject(self, house: House) -> None:
        one, other = projects(house, 2)
        command = advance(one)
        house.do(command, by=Role.COORDINATOR)

        (answer,) = house.ask(replace(command, project_id=other), by=Role.COORDINATOR)

        assert isinstance(answer.error, KeyReused)

    def test_twice_in_one_batch_is_played_once(self, house: House) -> None:
        one, other = projects(house, 2)
        command = advance(one)

        answers = house.ask(command, command, replace(command, project_id=other), by=Role.COORDINATOR)

        assert [answer.is_replay for answer in answers] == [False, True, False]
        assert [type(answer.error) for answer in answers] == [type(None), type(None), KeyReused]

    def test_twice_in_one_batch_of_births_is_played_once(self, house: House) -> None:
        command = AddOrganisation(command_id=key(), name="firm", kind=OrganisationKind.SME)

        answers = house.ask(command, command, replace(command, name="other"), by=Role.ADMIN)

        assert [answer.is_replay for answer in answers] == [False, True, False]
        assert isinstance(answers[2].error, KeyReused)


class TestStale:
    def test_names_both_versions_and_writes_nothing(self, each_house: House) -> None:
        command = advance(a_project(each_house), expected_version=7)
        before = digest(each_house.engine)

        (answer,) = each_house.ask(command, by=Role.COORDINATOR)

        assert isinstance(answer.error, Stale)
        assert answer.unmet[0].values == {"seen": 7, "current": 1}
        assert changed(before, digest(each_house.engine)) == set()

    def test_the_right_version_goes_through(self, house: House) -> None:
        (answer,) = house.ask(advance(a_project(house), expected_version=1), by=Role.COORDINATOR)
        assert answer.document["version"] == 2

    def test_is_the_second_of_two_that_expect_the_same_version(self, each_house: House) -> None:
        """Also where the two do not look at each other and could be carried out together."""
        one = a_project(each_house, pack="lean")
        seen = each_house.one("SELECT version FROM project")
        papers = [evidence(one), evidence(one, type="plan", title="a plan"), evidence(one)]
        both = [replace(paper, expected_version=seen) for paper in papers[:2]]

        answers = each_house.ask(*both, papers[2], by=Role.PROJECT_LEAD)

        assert [answer.error.codes if answer.error else () for answer in answers] == [(), ("stale",), ()]

    def test_is_not_one_that_expects_what_the_command_before_it_makes(self, each_house: House) -> None:
        one = a_project(each_house, pack="lean")
        seen = each_house.one("SELECT version FROM project")
        papers = [evidence(one), evidence(one, type="plan", title="a plan"), evidence(one)]

        each_house.do(papers[0], replace(papers[1], expected_version=seen + 1), papers[2], by=Role.PROJECT_LEAD)


class TestForbidden:
    def test_a_refusal_raises_no_version_but_is_sealed_in_the_chain(self, each_house: House) -> None:
        one = a_project(each_house)
        each_house.ask(advance(one), by=Role.PROJECT_LEAD)

        ((version, seq),) = each_house.rows("SELECT version, audit_seq FROM project")
        assert (version, seq) == (1, 2)
        each_house.do(advance(one, expected_version=1), by=Role.COORDINATOR)
        assert each_house.one("SELECT COUNT(*) FROM v_audit WHERE object_type = 'project'") == 3

    def test_of_a_birth_is_sealed_in_the_chain_of_the_account_that_tried(self, each_house: House) -> None:
        application, other = RECIPES["project.register"].make(each_house, 2)
        by = each_house.people[Role.AUDITOR].user_id

        each_house.ask(application, other, by=Role.AUDITOR)

        found = each_house.rows(
            "SELECT object_type, object_id, body FROM v_audit WHERE action = 'project.register.refused'"
        )
        assert [(row.object_type, row.object_id) for row in found] == [("user", str(by))] * 2
        assert json.loads(found[0].body)["detail"] == {
            "codes": ["role"],
            "programme_id": str(each_house.programmes["lean"]),
            "organisation_id": str(each_house.parties["sme"]),
            "platform_id": str(each_house.parties["platform"]),
        }
        with reading(each_house.engine) as session:
            assert verify(session).problems == ()

    def test_a_refusal_is_not_replayed_but_judged_again(self, house: House) -> None:
        command = advance(a_project(house))
        house.ask(command, by=Role.PROJECT_LEAD)
        grant = GrantRole(
            command_id=key(),
            user_id=house.people[Role.PROJECT_LEAD].user_id,
            role=Role.COORDINATOR,
            organisation_id=house.parties["platform"],
        )
        house.do(grant)

        (answer,) = house.ask(command, by=Role.PROJECT_LEAD)

        assert answer.is_done

    def test_a_disabled_account_may_nothing(self, house: House) -> None:
        (answer,) = house.ask(advance(a_project(house)), by="disabled")
        assert isinstance(answer.error, NotFound)


class TestNotFound:
    def test_what_does_not_exist_answers_alike(self, house: House) -> None:
        (nowhere,) = house.ask(advance(UUID(int=5)), by=Role.COORDINATOR)
        (elsewhere,) = house.ask(advance(a_project(house)), by="stranger")

        assert isinstance(nowhere.error, NotFound)
        assert isinstance(elsewhere.error, NotFound)
        assert nowhere.unmet == elsewhere.unmet

    def test_explain_hides_it_too(self, house: House) -> None:
        one = a_project(house)
        verbs = [verb for (kind, _), verb in BY_NAME.items() if kind == "project"]

        with reading(house.engine) as session, pytest.raises(NotFound):
            melody.explain(session, one, verbs, stamp=house.stamp("stranger"))


class TestRefused:
    def test_names_every_reason_and_writes_nothing(self, each_house: House) -> None:
        one = a_project(each_house)
        put_on_hold(each_house, one)
        before = digest(each_house.engine)

        hold = PutOnHold(
            command_id=key(), project_id=one, code="x", reason=" ", until_on=each_house.today - timedelta(1)
        )
        (answer,) = each_house.ask(hold, by=Role.COORDINATOR)

        assert isinstance(answer.error, Refused)
        assert answer.error.codes == ("project_on_hold", "reason_missing", "hold_reason_unknown", "hold_too_long")
        assert changed(before, digest(each_house.engine)) == set()

    def test_a_state_without_the_arrow_names_verb_and_state(self, house: House) -> None:
        one = projects(house, stage=ProjectState.IN_PRODUCTION)[0]

        (answer,) = house.ask(Withdraw(command_id=key(), project_id=one, reason="late"), by=Role.PROJECT_LEAD)

        assert answer.error is not None
        assert answer.error.codes[0] == "withdraw_not_possible_when_in_production"

    def test_about_a_person_leaves_an_audit_row(self, house: House) -> None:
        (grant,) = RECIPES["user.grant"].make(house, 1)
        assert isinstance(grant, GrantRole)
        own = replace(grant, user_id=house.people[Role.ADMIN].user_id)

        (answer,) = house.ask(own, by=Role.ADMIN)

        assert isinstance(answer.error, Refused)
        assert answer.error.codes == ("four_eyes",)
        assert house.one("SELECT COUNT(*) FROM v_audit WHERE action = 'user.grant.refused'") == 1


class TestBatch:
    def test_one_bad_command_stops_nobody(self, each_house: House) -> None:
        first, ended, last = projects(each_house, 3)
        each_house.do(Withdraw(command_id=key(), project_id=ended, reason="sold"), by=Role.PROJECT_LEAD)

        answers = each_house.ask(
            advance(first), advance(UUID(int=5)), advance(ended), advance(last), by=Role.COORDINATOR
        )

        assert [type(answer.error) for answer in answers] == [type(None), NotFound, Refused, type(None)]
        assert [answer.command.project_id for answer in answers] == [first, UUID(int=5), ended, last]  # type: ignore[attr-defined]

    def test_all_or_none_writes_nothing_when_one_is_refused(self, each_house: House) -> None:
        first, ended = projects(each_house, 2)
        each_house.do(Withdraw(command_id=key(), project_id=ended, reason="sold"), by=Role.PROJECT_LEAD)
        before = digest(each_house.engine)

        with pytest.raises(melody.BatchRefused) as refused, transaction(each_house.engine) as session:
            melody.execute_all_or_none(
                session, [advance(first), advance(ended)], stamp=each_house.stamp(Role.COORDINATOR)
            )

        assert [answer.is_done for answer in refused.value.answers] == [True, False]
        assert changed(before, digest(each_house.engine)) == set()

    def test_two_commands_on_one_project_are_played_one_after_the_other(self, each_house: House) -> None:
        one, other = projects(each_house, 2)

        answers = each_house.ask(advance(one), advance(one), advance(other), by=Role.COORDINATOR)

        assert [answer.document["state"] for answer in answers] == ["feasibility", "small_batch_trial", "feasibility"]
        assert [answer.document["version"] for answer in answers] == [2, 3, 2]

    def test_different_verbs_on_one_project_keep_their_order(self, house: House) -> None:
        one = a_project(house)
        submit, stop = (
            Submit(command_id=key(), project_id=one),
            Stop(command_id=key(), project_id=one, code="other", reason="no money"),
        )

        answers = house.ask(submit, advance(one), stop, advance(one))

        assert [answer.is_done for answer in answers] == [True, True, True, False]
        assert answers[3].error is not None
        assert "advance_not_possible_when_stopped" in answers[3].error.codes

    def test_two_of_one_name_in_one_batch_do_not_break_the_others(self, each_house: House) -> None:
        """A unique value is asked for again in the same batch: the second is refused, nothing falls over."""
        user = AddUser(command_id=key(), login="li.wei", email="li.wei@example.org", name="Li Wei")

        answers = each_house.ask(
            user,
            replace(user, command_id=key()),
            replace(user, command_id=key(), login="other", email="Li.Wei@Example.org"),
            replace(user, command_id=key(), login="wang", email="wang@example.org"),
            by=Role.ADMIN,
        )

        assert [answer.error and answer.error.codes for answer in answers] == [
            None,
            ("already_exists",),
            ("already_exists",),
            None,
        ]

    def test_an_import_of_one_row_twice_takes_it_once(self, each_house: House) -> None:
        (row,) = RECIPES["project.import"].make(each_house, 1)

        answers = each_house.ask(row, replace(row, command_id=key()), by=Role.COORDINATOR)

        assert answers[0].is_done
        assert answers[1].error is not None
        assert answers[1].error.codes == ("already_exists",)

    def test_an_empty_batch_is_answered_with_nothing(self, house: House) -> None:
        assert house.ask(by=Role.COORDINATOR) == []


class TestAppendOnly:
    @pytest.mark.parametrize("act", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
    @pytest.mark.parametrize("table", ["audit_record", "transition", "command_record"])
    def test_what_happened_is_neither_changed_nor_removed(self, each_house: House, table: str, act: str) -> None:
        a_project(each_house)
        column = {"audit_record": "action", "transition": "event", "command_record": "verb"}[table]
        assert table in APPEND_ONLY

        with pytest.raises(DBAPIError, match="only grows"), transaction(each_house.engine) as session:
            session.execute(text(act.format(table, column, "'x'")))


class TestInput:
    @pytest.mark.parametrize("reason", ["nul \0 byte", "half a \ud800 pair"])
    def test_what_no_database_stores_is_invalid(self, each_house: House, reason: str) -> None:
        (answer,) = each_house.ask(advance(a_project(each_house), reason=reason), by=Role.COORDINATOR)

        assert isinstance(answer.error, Invalid)
        assert answer.error.codes == ("text_unreadable",)

    def test_a_text_longer_than_its_column_is_invalid_on_both_databases(self, each_house: House) -> None:
        firm = AddOrganisation(command_id=key(), name="firm", kind=OrganisationKind.SME, country="CHN")

        (answer,) = each_house.ask(firm, by=Role.ADMIN)

        assert isinstance(answer.error, Invalid)
        assert answer.error.unmet[0].values == {"field": "organisation.country", "limit": 2, "length": 3}


def test_the_clock_may_what_anybody_may_but_nobody_elses_key(house: House) -> None:
    one = a_project(house, stage=ProjectState.FEASIBILITY, pack="lean")
    command = AcceptTransfer(command_id=key(), project_id=one)

    (answer,) = house.ask(command)

    assert answer.error is not None
    assert answer.error.codes == ("no_transfer_asked",)
    assert not house.ask(AnswerNotice(command_id=key(), project_id=one))[0].is_done
    assert not house.ask(ConfirmWaiver(command_id=key(), project_id=one, clause="G1.1"))[0].is_done
