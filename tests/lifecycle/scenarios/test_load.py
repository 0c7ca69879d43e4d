"""A scenario file becomes a database that its own rules would have let become so."""

from datetime import timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from lifecycle.access.codes import sealed
from lifecycle.acting import Acting
from lifecycle.calendar import china
from lifecycle.errors import Invalid
from lifecycle.installation import initialise, write_edges
from lifecycle.invariants.check import all_checks, check
from lifecycle.scenarios.cast import ScenarioRefused
from lifecycle.scenarios.file import read_scenario
from lifecycle.scenarios.known import with_authenticator
from lifecycle.scenarios.load import Loaded, Means, load
from lifecycle.scenarios.projects import Paper
from lifecycle.verbs import all_edges
from models.db import reading, transaction
from models.ids import new_id
from models.states import MilestoneState, ProjectState
from tests.factories import START
from tests.lifecycle.scenarios.story import changed, example, written

PAPER = Paper(file_name="scenario.txt", sha256="a" * 64, size_bytes=10)


class Rehearsal:
    """A database that scenarios are loaded into."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._drawn = count(1)
        with transaction(engine) as session:
            initialise(session, mode="rehearsal", now=START, new_id=new_id)
            write_edges(session, all_edges())

    def load(self, story: dict[str, Any]) -> Loaded:
        scenario = read_scenario(written(story))
        means = Means(paper=PAPER, draw_token=self._token, clock_at=START, seal=lambda secret: sealed(secret, None))
        with transaction(self.engine) as session:
            play = Acting(
                calendar=china(),
                new_id=new_id,
                zone=ZoneInfo("Asia/Shanghai"),
                now=scenario.now or START,
                prefix=str(new_id()),
            )
            play.session = session
            return load(play, scenario, means)

    def _token(self) -> tuple[str, str]:
        number = next(self._drawn)
        return f"pt_{number}", f"{number:064x}"

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def one(self, sql: str, **values: Any) -> Any:
        ((value,),) = self.rows(sql, **values)
        return value

    def broken(self) -> list[str]:
        with reading(self.engine) as session:
            report = check(session, all_checks(), now=START + timedelta(days=365))
        return [one.id for one in report.results if not one.is_ok]


@pytest.fixture
def rehearsal(engine: Engine) -> Rehearsal:
    """Give an empty rehearsal on either database."""
    return Rehearsal(engine)


@pytest.fixture
def quick(sqlite_engine: Engine) -> Rehearsal:
    """Give an empty rehearsal on SQLite."""
    return Rehearsal(sqlite_engine)


class TestTheExampleOfTheContract:
    def test_is_there_as_it_says(self, rehearsal: Rehearsal) -> None:
        loaded = rehearsal.load(example())

        ids = {ref: str(made) for ref, made in loaded.ids.items()}
        refs = {"firm", "acc", "house", "maker", "checker1", "checker2", "f1", "p", "x", "x1", "x1p"}
        assert (set(ids), set(loaded.tokens)) == (refs, {"maker", "checker1", "checker2"})
        assert rehearsal.rows("SELECT id, code, commitment_minor FROM v_fund") == [(ids["f1"], "F1", 10_000_000)]
        assert rehearsal.rows("SELECT id, stage, programme_id, organisation_id FROM v_project") == [
            (ids["x"], "small_batch_trial", ids["p"], ids["firm"])
        ]
        assert rehearsal.rows("SELECT id, number, amount_minor, state FROM v_milestone") == [
            (ids["x1"], "1", 7000, "accepted")
        ]
        assert rehearsal.rows(
            "SELECT id, purpose, amount_minor, state, requested_by, payee_account_id, approvals_needed FROM v_payout"
        ) == [(ids["x1p"], "milestone", 7000, "approved", ids["maker"], ids["acc"], 1)]
        sql = "SELECT kind, balance_minor FROM v_account WHERE fund_id = :id ORDER BY kind"
        kept = [("available", 9_993_000), ("fee", 0), ("paid", 0), ("reserved", 7000)]
        assert rehearsal.rows(sql, id=ids["f1"]) == kept
        assert rehearsal.broken() == []

    def test_keeps_the_secrets_of_authenticator_apps_that_it_names_once(self, quick: Rehearsal) -> None:
        story = example()
        story["users"][1]["totp_secret"] = "JBSWY3DPEHPK3PXP"
        loaded = quick.load(story)
        kept = [(str(loaded.ids[story["users"][1]["ref"]]), "plain:JBSWY3DPEHPK3PXP", 0)]
        assert quick.rows("SELECT user_id, secret, last_step FROM totp_secret") == kept
        assert quick.one("SELECT count(*) FROM web_session WHERE ended_at IS NULL") == 0

        with transaction(quick.engine) as session:
            assert with_authenticator(session, [loaded.ids[one["ref"]] for one in story["users"]]) == {
                loaded.ids[story["users"][1]["ref"]]
            }

    @pytest.mark.parametrize("secret", ["JBSWY3DP", "not base32 at all", "jbswy3dpehpk3pxp", "18A0" * 8])
    def test_takes_no_secret_that_no_app_would(self, secret: str) -> None:
        story = example()
        story["users"][1]["totp_secret"] = secret
        with pytest.raises(Invalid) as refused:
            read_scenario(written(story))
        assert "/users/1/totp_secret" in str(refused.value.unmet)

    def test_needs_the_first_of_two_approvers_below_the_limit_and_both_above(self, quick: Rehearsal) -> None:
        first, second = example(), changed("/projects/0/milestones/0/amount_minor", 300_001)
        second["payouts"][0]["amount_minor"] = 300_001

        given = []
        for story in (first, second):
            payout = quick.load(story).ids["x1p"]
            sql = "SELECT u.login FROM v_approval a JOIN v_user u ON u.id = a.approver_id WHERE a.payout_id = :id"
            given.append({login for (login,) in quick.rows(sql, id=str(payout))})

        assert given == [{"checker1"}, {"checker1", "checker2"}]

    def test_has_every_act_in_the_name_of_somebody_with_the_right(self, quick: Rehearsal) -> None:
        quick.load(example())

        sql = "SELECT DISTINCT a.action, u.login FROM v_audit a JOIN v_user u ON u.id = a.actor_id"
        who = {action: login for action, login in quick.rows(sql) if not action.startswith("user.")}
        assert {action: who[action] for action in ("project.register", "milestone.submit", "payout.request")} == {
            "project.register": "maker",
            "milestone.submit": "maker",
            "payout.request": "maker",
        }
        assert (who["payout.approve"], who["project.advance"]) == ("checker1", "scenario-coordinator")
        assert (who["fund.contribute"], who["agreement.draft"]) == ("scenario-accountant", "scenario-sponsor")

    def test_has_accounts_that_two_people_vouched_for_and_no_approver(self, quick: Rehearsal) -> None:
        story = example()
        for role in ("accountant", "finance_officer"):
            story["users"][1]["grants"].append({"role": role, "organisation": "house"})

        quick.load(story)

        ((proposed, confirmed, state),) = quick.rows("SELECT proposed_by, confirmed_by, status FROM v_payee_account")
        people = dict(quick.rows("SELECT id, login FROM v_user"))
        assert (people[proposed], people[confirmed], state) == (
            "scenario-finance_officer",
            "scenario-accountant",
            "confirmed",
        )
        assert quick.one("SELECT state FROM v_payout") == "approved"


class TestASecondLoad:
    def test_takes_what_is_there_and_adds_the_rest(self, rehearsal: Rehearsal) -> None:
        first, second = rehearsal.load(example()), rehearsal.load(example())

        kept = ("firm", "acc", "house", "maker", "checker1", "f1", "p")
        assert {ref: first.ids[ref] for ref in kept} == {ref: second.ids[ref] for ref in kept}
        assert first.ids["x1p"] != second.ids["x1p"]
        assert set(first.tokens.values()).isdisjoint(second.tokens.values())
        assert rehearsal.one("SELECT count(*) FROM v_payout WHERE state = 'approved'") == 2
        assert rehearsal.one("SELECT count(*) FROM v_grant") == rehearsal.one(
            "SELECT count(*) FROM (SELECT DISTINCT user_id, role, organisation_id FROM v_grant) AS once"
        )
        assert rehearsal.broken() == []

    def test_pays_to_another_account_of_the_firm_at_once(self, quick: Rehearsal) -> None:
        quick.load(example())
        account = {"ref": "new", "holder": "甲公司", "bank": "B2", "number": "6222020200998877665"}
        story = changed("/organisations/0/accounts/0", account)
        story["payouts"][0]["account"] = "new"

        loaded = quick.load(story)

        assert quick.one("SELECT state FROM v_payout WHERE id = :id", id=str(loaded.ids["x1p"])) == "approved"

    def test_does_all_at_the_instant_of_the_file_but_what_has_to_cool_off(self, quick: Rehearsal) -> None:
        quick.load(example())
        sql = "SELECT DISTINCT substr(at, 1, 10) FROM v_audit ORDER BY 1"
        assert quick.rows(sql) == [("2026-03-02",)]
        story = example()
        account = {"ref": "new", "holder": "甲公司", "bank": "B2", "number": "6222020200998877665"}
        story["organisations"][0]["accounts"].append(account)

        quick.load(story)

        assert quick.rows(sql) == [("2026-02-14",), ("2026-03-02",)]

    def test_gives_a_known_user_the_roles_they_lack(self, quick: Rehearsal) -> None:
        quick.load(example())
        story = changed("/users/2/grants/0/role", "payer")
        story["payouts"] = []

        quick.load(story)

        sql = "SELECT g.role FROM v_grant g JOIN v_user u ON u.id = g.user_id WHERE u.login = 'checker2'"
        assert sorted(quick.rows(sql)) == [("fund_manager",), ("payer",)]


class TestAccounts:
    def test_wait_where_nobody_pays_the_firm(self, quick: Rehearsal) -> None:
        story = example()
        story["projects"] = story["payouts"] = []

        quick.load(story)

        assert quick.rows("SELECT status FROM v_payee_account") == [("proposed",)]

    def test_are_confirmed_once_the_firm_has_an_agreement(self, quick: Rehearsal) -> None:
        story = example()
        story["projects"] = story["payouts"] = []
        quick.load(story)

        quick.load(example())

        assert quick.rows("SELECT status FROM v_payee_account") == [("confirmed",)]
        assert quick.one("SELECT state FROM v_payout") == "approved"


class TestProjects:
    @pytest.mark.parametrize("stage", [stage for stage in ProjectState if stage is not ProjectState.INTAKE])
    def test_stand_in_any_stage_with_milestones_in_any_state(self, quick: Rehearsal, stage: ProjectState) -> None:
        story = changed("/projects/0/stage", str(stage))
        story["projects"][0]["milestones"] = [
            {"ref": str(state), "amount_minor": 1 + 7 * place, "state": str(state)}
            for place, state in enumerate(MilestoneState)
        ]
        story["payouts"] = [{"ref": "pay", "milestone": "accepted", "account": "acc"}]

        loaded = quick.load(story)

        assert quick.one("SELECT stage FROM v_project") == stage
        found = quick.rows("SELECT state, amount_minor FROM v_milestone ORDER BY number")
        assert found == [(str(state), 1 + 7 * place) for place, state in enumerate(MilestoneState)]
        is_over = stage in (ProjectState.WITHDRAWN, ProjectState.STOPPED)
        assert quick.rows("SELECT id, state FROM v_payout") == [
            (str(loaded.ids["pay"]), "cancelled" if is_over else "requested")
        ]
        assert quick.broken() == []

    def test_stand_at_intake_without_money(self, quick: Rehearsal) -> None:
        story = changed("/projects/0/stage", "intake")
        story["projects"][0]["milestones"] = story["payouts"] = []

        quick.load(story)

        assert quick.rows("SELECT stage FROM v_project") == [("intake",)]
        assert quick.one("SELECT count(*) FROM v_agreement") == 0

    @pytest.mark.parametrize("amounts", [(1,), (1, 1), (1, 1, 1), (3, 1), (10**12, 1, 1), (1, 10**12), (5, 5, 6)])
    def test_have_milestones_of_exactly_these_amounts(self, quick: Rehearsal, amounts: tuple[int, ...]) -> None:
        story = changed("/funds/0/commitment_minor", 10**13)
        story["projects"][0]["milestones"] = [
            {"ref": f"m{place}", "amount_minor": amount} for place, amount in enumerate(amounts)
        ]
        story["payouts"] = []

        quick.load(story)

        rows = quick.rows("SELECT amount_minor FROM v_milestone ORDER BY number")
        assert tuple(amount for (amount,) in rows) == amounts
        assert quick.one("SELECT amount_minor FROM v_agreement") == sum(amounts)


class TestARuleThatRefuses:
    @pytest.mark.parametrize(
        ("place", "value", "where", "codes"),
        [
            ("/funds/0/commitment_minor", 6999, "/projects/0", ["fund_over_committed"]),
            ("/funds/0/funded_minor", 6999, "/payouts/0/approved_by/0", ["insufficient_funds"]),
            ("/payouts/0/amount_minor", 7001, "/payouts/0", ["milestone_exceeded"]),
            ("/payouts/0/approved_by/0", "maker", "/payouts/0/approved_by/0", ["role"]),
            ("/payouts/0/requested_by", "checker1", "/payouts/0", ["role"]),
            ("/projects/0/milestones/0/state", "submitted", "/payouts/0", ["milestone_not_accepted"]),
            ("/projects/0/stage", "intake", "/projects/0", ["project_in_intake"]),
            ("/users/1/login", "two words", "/users/1", ["account_wrong"]),
            ("/organisations/0/accounts/0/number", "6222…", "/organisations/0/accounts/0", ["account_number_wrong"]),
            ("/users/0/grants/0/organisation", None, "/users/0/grants/0", ["role_needs_organisation"]),
        ],
    )
    def test_refuses_the_whole_file_and_says_where(
        self, quick: Rehearsal, place: str, value: Any, where: str, codes: list[str]
    ) -> None:
        with pytest.raises(ScenarioRefused) as refused:
            quick.load(changed(place, value))

        assert (refused.value.place, list(refused.value.error.codes)) == (where, codes)
        for view in ("v_user", "v_fund", "v_project", "v_audit", "v_command"):
            assert quick.one(f"SELECT count(*) FROM {view}") == 0

    def test_gives_two_funds_two_accounts(self, quick: Rehearsal) -> None:
        story = example()
        story["funds"].append(story["funds"][0] | {"ref": "f2", "code": "F2"})

        with pytest.raises(ScenarioRefused) as refused:
            quick.load(story)

        assert (refused.value.place, list(refused.value.error.codes)) == ("/funds/1", ["debtor_account_taken"])

    def test_keeps_who_asked_for_the_money_from_approving_it(self, quick: Rehearsal) -> None:
        story = changed("/users/1/grants", [{"role": "fund_manager", "organisation": "house"}])
        story["users"][1]["grants"].append({"role": "project_lead", "organisation": "firm"})
        story["payouts"][0]["requested_by"] = "checker1"

        with pytest.raises(ScenarioRefused) as refused:
            quick.load(story)

        assert "four_eyes" in refused.value.error.codes
