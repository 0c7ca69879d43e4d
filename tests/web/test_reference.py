"""Standards, portfolio, audit, platforms, codes, help: what people look up."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import openpyxl
import pytest
from sqlalchemy import update

from lifecycle.commands import Command
from lifecycle.people.commands import GrantRole, ProposeStandard, PublishStandard
from lifecycle.projects.commands import PutOnHold, Recycle, Resume, Stop, Withdraw
from lifecycle.standards import library
from lifecycle.standards.pack import Judge, Pack
from models.db import transaction
from models.projects import Project
from models.reading import table_of
from models.states import ProjectState, Role
from tests.factories import House, a_project, key, lean, projects, submitted
from tests.money import AMOUNT, a_fund, a_payout, an_agreement
from tests.web.browser import Browser
from web import listing
from web.menu import MENU
from web.pages import trail

KINDS = ("broad", "narrow")
PHONE = 390
"""Pixels."""


class TestStandards:
    def test_are_listed_shown_and_exported(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("payer")
        first = visitor.ask("GET", "/standards.json").json()["data"][0]

        page = visitor.open(f"/standards/{first['code']}/{first['version']}")

        assert (page.status, first["sha256"] in page.text) == (200, True)
        text = visitor.ask("GET", f"{page.path}.yaml").text
        assert text.startswith(f"code: {first['code']}")

    def test_that_nobody_published_are_not_found(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("payer")

        assert visitor.open("/standards/none/v1.0").status == 404
        assert visitor.open("/standards/none/diff/v1.0..v2.0").status == 404


class TestImpact:
    """What a change of version would mean; the reader sees the names of projects that they may see."""

    @pytest.fixture
    def stricter(self, house: House) -> Pack:
        """Give another version of the lean standard; one project waits at its gate G2."""
        submitted(house)
        pack = lean()
        asked = tuple(
            stage.model_copy(update={"criteria": (stage.criteria[0], stage.criteria[1].model_copy(update=_TWO_JUDGES))})
            if stage.gate == "G2"
            else stage
            for stage in pack.stages
        )
        return Pack.model_validate(pack.model_copy(update={"version": "2026.2", "stages": asked}).model_dump())

    def test_names_the_projects_to_who_may_see_them(
        self, house: House, stricter: Pack, signed_in: Callable[..., Browser]
    ) -> None:
        house.do(PublishStandard(command_id=key(), sha256=library.sha256(stricter), body=stricter.canonical()))
        number = house.one("SELECT number FROM project")
        path = "/standards/lean/diff/2026.1..2026.2"

        other, auditor = (signed_in(who).open(path).text for who in ("other.coordinator", Role.AUDITOR))

        for said in (other, auditor):
            assert "asks for something else (G2): 1" in said
            assert "G2.2 Paper − would newly miss it: 1" in said
        assert (number in other, number in auditor) == (False, True)
        assert "(not listed: 1)" in other

    def test_is_told_as_a_table(self, house: House, stricter: Pack, signed_in: Callable[..., Browser]) -> None:
        body, sha256 = stricter.canonical(), library.sha256(stricter)
        draft = ProposeStandard(command_id=key(), sha256=sha256, body=body, reason="EHS reads the plan")
        (made,) = house.do(draft, by=Role.STANDARD_EDITOR)
        path = f"/standard-drafts/{made['object_id']}"
        auditor = signed_in(Role.AUDITOR)

        rows = auditor.ask("GET", f"{path}/simulation.json").json()["data"]

        (row,) = (row for row in rows if row["clause"] == "G2.2")
        assert (row["gates_judged"], row["newly_failing"], row["newly_passing"], row["staying"]) == ("present", 1, 0, 0)
        assert row["projects_failing"] == [house.one("SELECT number FROM project")]
        assert "G2.2" in auditor.ask("GET", f"{path}/simulation.csv").text
        assert auditor.ask("GET", f"{path}/simulation.pdf").status_code == 404
        house.do(PublishStandard(command_id=key(), sha256=sha256, body=body))
        of_others = signed_in("other.coordinator").ask("GET", "/standards/lean/diff/2026.1..2026.2/simulation.json")
        assert [(one["newly_failing"], one["projects_failing"]) for one in of_others.json()["data"]] == [
            (0, []),
            (1, []),
        ]

    def test_of_what_is_being_written_is_simulated_before_it_is_handed_over(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house, 2, pack="default")
        editor = signed_in(Role.STANDARD_EDITOR)
        editor.open("/standard-drafts/new?base=default@2026.1&part=G1")

        page = editor.send("Simulate its impact", **{"n.version": "2026.2", "n.G1.4/trl": "9"})

        assert "asks for something else (G1): 2" in page.text
        assert "under any version of this standard" in page.text
        assert house.one("SELECT COUNT(*) FROM standard_draft") == 0


_TWO_JUDGES = {"judges": (*lean().criterion("G2.2").judges, Judge(role=Role.EHS_OFFICER, kind="accepted"))}


class TestThePortfolio:
    def test_is_for_those_who_steer(self, signed_in: Callable[..., Browser]) -> None:
        assert signed_in("fund_manager").open("/portfolio").status == 200
        assert signed_in("project_lead").open("/portfolio").status == 403

    def test_counts_what_the_reader_may_see(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 3, stage=ProjectState.FEASIBILITY)
        mine = signed_in("coordinator").ask("GET", "/portfolio.json").json()["data"]
        theirs = signed_in("other.coordinator").ask("GET", "/portfolio.json").json()["data"]

        assert [row["entered"] for row in mine] == [3, 3, 0, 0, 0]
        assert [row["entered"] for row in theirs] == [0, 0, 0, 0, 0]

    def test_tells_no_share_of_fewer_than_ten(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 9, stage=ProjectState.IN_PRODUCTION)

        assert "Too few" in signed_in("coordinator").open("/portfolio").text

    def test_tells_the_share_of_ten_with_its_interval(self, house: House, signed_in: Callable[..., Browser]) -> None:
        projects(house, 10, stage=ProjectState.IN_PRODUCTION)

        said = signed_in("coordinator").open("/portfolio").text

        assert "100.0% [72.2%–100.0%]" in said  # Wilson, 10 of 10
        assert "Yang Guang Wang" in said

    def test_leaves_out_what_was_received_in_other_months(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house, 2)
        visitor = signed_in("coordinator")

        entered = [
            visitor.ask("GET", f"/portfolio.json?{query}").json()["data"][0]["entered"]
            for query in ("since=2025-07&until=2025-07", "until=2025-06", "since=2025-08")
        ]

        assert entered == [2, 0, 0]
        assert visitor.open("/portfolio?since=July").status == 422
        assert visitor.open("/portfolio?until=9999-12").status == 200

    def test_gives_each_of_its_drawings_as_a_table_and_a_file_with_the_same_filters(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house, 3)
        visitor = signed_in("coordinator")

        page = visitor.open("/portfolio?since=2020-01")

        for part, name in (("stages", "entered"), ("conversion", "decided")):
            (row, *_) = visitor.ask("GET", f"/portfolio.json?since=2020-01&part={part}").json()["data"]
            assert name in row
            assert f'href="/portfolio.csv?since=2020-01&amp;part={part}"' in page.answer.text
        assert visitor.ask("GET", "/portfolio.csv?part=money").status_code == 200
        assert visitor.ask("GET", "/portfolio.csv?part=everything").status_code == 404

    def test_is_drawn_anew_for_a_phone_with_the_words_above_their_rows(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house, 10, stage=ProjectState.IN_PRODUCTION)

        said = signed_in("coordinator").open("/portfolio").answer.text

        broad, narrow = (re.findall(rf'<svg class="{kind}".*? width="(\d+)".*?</svg>', said) for kind in KINDS)
        assert (len(broad), len(narrow)) == (3, 3)
        assert max(map(int, narrow)) <= PHONE - 2 * (16 + 16) - 2, "beside the edges of page and card"
        for drawing in re.findall(r'<svg class="narrow".*?</svg>', said):
            assert all(0 <= float(x) <= int(narrow[0]) for x in re.findall(r'<text x="([-\d.]+)"', drawing))

    def test_says_of_how_many_projects_a_mean_is(self, house: House, signed_in: Callable[..., Browser]) -> None:
        visitor, project = signed_in("coordinator"), table_of(Project)
        projects(house, stage=ProjectState.IN_PRODUCTION)
        before = visitor.open("/portfolio")
        money = a_fund(house)
        an_agreement(money)
        a_payout(money, "paid")
        with transaction(house.engine) as session:
            paid = update(project).where(project.c.id == money.project_id)
            session.execute(paid.values(stage=ProjectState.IN_PRODUCTION))

        page = visitor.open("/portfolio")
        (row,) = visitor.ask("GET", "/portfolio.json?part=money").json()["data"]

        assert "n=1, only those that were paid" in page.text, "two are in production"
        assert "n=1，只计获资助项目" in signed_in("coordinator", lang="zh-CN").open("/portfolio").text
        assert (row["successes"], row["per_success_minor"]) == (1, AMOUNT)
        assert ("part=money" in before.answer.text, "part=money" in page.answer.text) == (False, True)

    def test_says_how_often_a_stage_was_sent_back_where_there_are_enough(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        projects(house, 9)
        visitor = signed_in("coordinator")
        assert "no stage has 10 visits" in visitor.open("/portfolio").text

        projects(house, 1)

        assert "Intake 0% [0%–28%] (0 of 10 visits)" in visitor.open("/portfolio").text

    def test_lists_no_reports_of_strangers(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in("coordinator")

        assert visitor.open("/portfolio/reports").status == 200
        assert visitor.open("/portfolio/reports/none/2025-Q1").status == 404


@pytest.fixture
def spread(house: House) -> dict[str, str]:
    """Give projects of two standards, two platforms and two months in every stage, some of them ended."""
    early = projects(house, 2)
    projects(house, pack="lean")
    projects(house, 3, stage=ProjectState.FEASIBILITY, pack="lean")
    projects(house, 2, stage=ProjectState.MARKET_VALIDATION)
    projects(house, 4, stage=ProjectState.IN_PRODUCTION)
    withdrawn, stopped = projects(house, 2, stage=ProjectState.SMALL_BATCH_TRIAL)
    back = a_project(house, stage=ProjectState.FEASIBILITY)
    house.do(Recycle(command_id=key(), project_id=back, code="other", reason="thin"), by=Role.COORDINATOR)
    house.do(Withdraw(command_id=key(), project_id=withdrawn, reason="no market"), by=Role.PROJECT_LEAD)
    house.do(Stop(command_id=key(), project_id=stopped, code="misuse", reason="why"), by=Role.FUND_MANAGER)
    project = table_of(Project)
    with transaction(house.engine) as session:
        moved = update(project).where(project.c.id.in_([*early, stopped]))
        session.execute(moved.values(received_on=date(2025, 5, 31), platform_id=house.parties["other platform"]))
    return {"platform": str(house.parties["platform"]), "programme": str(house.programmes["lean"])}


class TestTheListsBehindThePortfolio:
    @pytest.mark.parametrize("login", ["coordinator", "auditor"])
    @pytest.mark.parametrize(
        "query",
        [
            *("", "since=2025-06", "until=2025-05", "standard=bare", "standard=lean&since=2025-06"),
            *("platform={platform}", "programme={programme}", "standard=none"),
        ],
    )
    def test_have_as_many_rows_as_the_figure_says(
        self, signed_in: Callable[..., Browser], spread: dict[str, str], login: str, query: str
    ) -> None:
        visitor, query = signed_in(login), query.format(**spread)
        figures = {
            part: visitor.ask("GET", f"/portfolio.json?part={part}&{query}").json()["data"]
            for part in ("stages", "conversion")
        }
        (ends,) = figures["conversion"]

        page = visitor.open(f"/portfolio?{query}")

        behind = [(said, to) for said, to in page.links if to.startswith("/projects?")]
        bars = [(int(found[1]), to) for said, to in behind if (found := re.search(r"(\d+) projects?$", said))]
        spans = [to for said, to in behind if "(target" in said]
        told = [(int(found[0]), to) for said, to in behind if (found := re.search(r"\d+$", said))]
        entered = [row["entered"] for row in figures["stages"] if row["entered"]]
        running = [row["running"] for row in figures["stages"] if row["running"]]
        ended = [ends[name] for name in ("decided", "succeeded", "stopped", "withdrawn") if ends[name]]
        produced = [ends["succeeded"]] if ends["succeeded"] else []
        assert [count for count, _ in bars] == [*entered, *produced] * 2, "drawn for a desk and for a phone"
        assert spans == [to for _, to in bars][: len(entered)] * 2
        assert sorted(count for count, _ in told) == sorted([*entered, *running, *ended, *ended])
        for count, to in {*bars, *told}:
            path, _, asked = to.partition("?")
            assert len(visitor.ask("GET", f"{path}.json?{asked}").json()["data"]) == count, to
            assert len(visitor.ask("GET", f"{path}.csv?{asked}").text.splitlines()) == count + 1, to
            book = openpyxl.load_workbook(io.BytesIO(visitor.ask("GET", f"{path}.xlsx?{asked}").content))
            assert book.active is not None
            assert len(list(book.active.rows)) == count + 1, to
            assert len({one for _, one in visitor.open(to).links if one.startswith("/projects/PT-")}) == count, to

    def test_say_what_they_are_narrowed_to_and_take_it_off(
        self, signed_in: Callable[..., Browser], spread: dict[str, str]
    ) -> None:
        visitor = signed_in("coordinator")
        visitor.open(f"/portfolio?since=2025-06&standard=lean&platform={spread['platform']}")

        page = visitor.follow("Feasibility")
        fewer = [said for said, _ in page.links if "take this off" in said]
        visitor.follow("ever in: Feasibility")

        assert [said.partition(" ✕")[0] for said in fewer] == [
            *("received from 2025-06", "platform: platform", "standard: lean", "ever in: Feasibility")
        ]
        assert visitor.page.path == f"/projects?since=2025-06&platform={spread['platform']}&standard=lean"

    @pytest.mark.parametrize("what", ["ever=nowhere", "since=July", "platform=here", "programme=1", "owed_by=me"])
    @pytest.mark.parametrize("path", ["/board", "/projects", "/projects/calendar"])
    def test_refuse_what_there_is_not(self, signed_in: Callable[..., Browser], path: str, what: str) -> None:
        assert signed_in("coordinator").open(f"{path}?{what}").status == 422

    def test_name_no_platform_that_the_reader_sees_no_project_of(
        self, house: House, signed_in: Callable[..., Browser], spread: dict[str, str]
    ) -> None:
        page = signed_in("stranger").open(f"/projects?programme={spread['programme']}")

        assert "programme: –" in page.text


class TestTheAuditTrail:
    def test_of_an_object_says_whether_its_chain_holds(self, house: House, signed_in: Callable[..., Browser]) -> None:
        (project,) = projects(house)
        number = house.one("SELECT number FROM project WHERE id = :id", id=str(project))
        visitor = signed_in("auditor")
        assert "the chain holds" in visitor.open(f"/audit?q={number.lower()}").text

        with house.engine.begin() as connection:
            for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                connection.exec_driver_sql(f"DROP TRIGGER {row.name}")
            connection.exec_driver_sql("UPDATE audit_record SET body = '{}' WHERE object_type = 'project'")

        assert "the chain is broken" in visitor.open(f"/audit?q={number}").text

    @pytest.mark.parametrize(
        ("filters", "kept"),
        [
            ("by=coordinator", {"project.hold", "project.resume"}),
            ("act=project.hold", {"project.hold", "second"}),
            ("act=project.resume", {"project.resume"}),
            ("by=coordinator&act=project.hold", {"project.hold"}),
            ("since=2025-07-10&until=2025-07-10", {"project.resume"}),
            ("since=2025-07-10", {"project.resume", "second"}),
            ("by=coordinator&until=2025-07-08&since=2025-07-08", {"project.hold"}),
            ("by=project_lead&since=2025-07-08", set()),
        ],
    )
    def test_tells_who_did_what_and_when(
        self, house: House, signed_in: Callable[..., Browser], filters: str, kept: set[str]
    ) -> None:
        one, two = projects(house, 2, stage=ProjectState.FEASIBILITY)
        hold = PutOnHold(command_id=key(), project_id=one, code="partner", reason="x", until_on=date(2025, 7, 20))
        moments: tuple[tuple[str, int, Command, str], ...] = (
            ("project.hold", 8, hold, "coordinator"),
            ("project.resume", 10, Resume(command_id=key(), project_id=one, reason="x"), "coordinator"),
            ("second", 11, replace(hold, command_id=key(), project_id=two), "second"),
        )
        done = {}
        for name, day, command, by in moments:
            house.now = house.now.replace(month=7, day=day)
            house.do(command, by=by)
            done[house.one("SELECT max(seq) FROM audit_record")] = name

        rows = signed_in("auditor").ask("GET", f"/audit.json?{filters}").json()["data"]

        assert {done[row["seq"]] for row in rows if row["seq"] in done} == kept

    def test_goes_on_behind_the_last_row_that_was_shown(
        self, house: House, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        projects(house, 3)
        visitor = signed_in("auditor")
        every = [row["seq"] for row in visitor.ask("GET", "/audit.json").json()["data"]]
        monkeypatch.setattr(listing, "PER_PAGE", 2)
        monkeypatch.setattr(trail, "PER_PAGE", 2)

        seen, page = [], visitor.open("/audit")
        while True:
            seen += [int(one) for one in re.findall(r'<th scope="row" class="ref">(\d+)<', page.answer.text)]
            if "Next page" not in page.text:
                break
            page = visitor.follow("Next page")

        assert seen == every[: len(seen)]
        assert len(seen) == len(every) > 4

    @pytest.mark.parametrize(
        ("filters", "status", "said"),
        [
            ("by=nobody-at-all", 200, "Nobody has the login “nobody-at-all”"),
            ("act=payout.steal", 422, "“payout.steal” cannot be read; wanted: payout.approve"),
            ("since=10.7.2025", 422, "“10.7.2025” cannot be read; wanted: 2025-07-08"),
            ("until=9999-12-31&since=9999-12-31", 200, "No row fits these filters"),
            ("until=0001-01-01&since=0001-01-01", 200, "No row fits these filters"),
            ("by=auditor&act=fund.hold", 200, "No row fits these filters"),
        ],
    )
    def test_says_what_it_cannot_read_and_that_nothing_fits(
        self, signed_in: Callable[..., Browser], filters: str, status: int, said: str
    ) -> None:
        page = signed_in("auditor").open(f"/audit?{filters}")

        assert page.status == status
        assert said in page.text

    @pytest.mark.parametrize(("lang", "who"), [("en", "System"), ("zh-CN", "系统")])
    def test_names_what_each_row_is_about_and_who_acted_to_the_second(
        self, house: House, signed_in: Callable[..., Browser], lang: str, who: str
    ) -> None:
        (project,) = projects(house)
        number = house.one("SELECT number FROM project WHERE id = :id", id=str(project))
        with house.engine.begin() as connection:
            for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                connection.exec_driver_sql(f"DROP TRIGGER {row.name}")
            connection.exec_driver_sql(
                "UPDATE audit_record SET door = 'flow', actor_id = NULL WHERE object_type = 'project'"
            )

        page = signed_in("auditor", lang=lang).open(f"/audit?q={number}")

        assert page.link(number) == f"/audit?q={project}"
        assert re.search(rf"\d\d:\d\d:\d\d {who} ", page.text)

    @pytest.mark.parametrize(
        ("role", "path"), [(Role.AUDITOR, "/audit"), (Role.STANDARD_EDITOR, "/standards"), (Role.PAYER, "/payouts")]
    )
    def test_stands_in_the_menu_of_whose_work_it_is(self, role: Role, path: str) -> None:
        assert path in [entry.path for entry in MENU if role in entry.roles]

    @pytest.mark.parametrize("role", Role)
    def test_leaves_a_menu_of_eight_at_most(self, role: Role) -> None:
        assert len([entry for entry in MENU if role in entry.roles]) <= 8

    def test_says_what_it_does_not_find(self, signed_in: Callable[..., Browser]) -> None:
        assert "Nothing has the number" in signed_in("auditor").open("/audit?q=PT-1999-0001").text

    @pytest.mark.parametrize("login", ["coordinator", "project_lead", "nobody"])
    def test_is_for_those_who_audit_all(self, signed_in: Callable[..., Browser], login: str) -> None:
        assert signed_in(login).open("/audit").status == 403

    def test_says_where_the_role_of_a_reader_is_held_that_does_not_reach_it(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        who, firm = house.people["nobody"].user_id, house.parties["other firm"]
        house.do(GrantRole(command_id=key(), user_id=who, role=Role.AUDITOR, organisation_id=firm))

        page = signed_in("nobody").open("/audit")

        assert (page.status, "Your role (auditor) reaches other firm only" in page.text) == (403, True)


class TestWhatIsLookedUp:
    @pytest.mark.parametrize("path", ["/help", "/problems", "/problems?q=four", "/problems/four-eyes"])
    def test_without_signing_in(self, browser: Browser, path: str) -> None:
        assert browser.open(path).status == 200

    def test_platforms_tell_figures_and_only_ones_own_projects(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        (project,) = projects(house)
        number = house.one("SELECT number FROM project WHERE id = :id", id=str(project))
        path = f"/platforms/{house.parties['platform']}"

        assert number in signed_in("coordinator").open(path).text
        seen = signed_in("stranger").open(path)
        assert (seen.status, number in seen.text) == (200, False)
