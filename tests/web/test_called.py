"""What people read instead of a code: titles of standards, names of funds and programmes, words for countries."""

from collections.abc import Callable

import pytest

from lifecycle.people.commands import AddOrganisation
from models.states import OrganisationKind
from tests.factories import House, a_project, key
from tests.money import a_fund, an_agreement
from tests.web.browser import Browser
from tests.web.test_projects import number

SignedIn = Callable[..., Browser]


class TestAStandard:
    def test_is_listed_by_its_title_with_its_hash_short(self, house: House, signed_in: SignedIn) -> None:
        visitor = signed_in("coordinator", lang="zh-CN")
        sha256 = str(house.one("SELECT sha256 FROM standard_pack WHERE code = 'default'"))

        page = visitor.open("/standards")

        assert f"{sha256[:12]}…" in page.text
        assert sha256 not in page.text
        assert sha256 in visitor.open(page.link("中试项目全过程默认标准")).text
        assert sha256 in visitor.ask("GET", "/standards.csv").text

    def test_is_called_by_its_title_on_a_project(self, house: House, signed_in: SignedIn) -> None:
        one = number(house, a_project(house, pack="default"))

        assert (
            "标准 中试项目全过程默认标准 default 2026.1（锁定）"
            in signed_in("coordinator", lang="zh-CN").open(f"/projects/{one}").text
        )


class TestNames:
    def test_of_fund_and_programme_stand_beside_their_codes(self, house: House, signed_in: SignedIn) -> None:
        made = a_fund(house)
        an_agreement(made)
        assert made.project_id is not None
        one = number(house, made.project_id)
        fund = house.one("SELECT name FROM fund WHERE code = 'F1'")
        (programme,) = house.rows("SELECT p.name, p.code FROM programme p JOIN project ON programme_id = p.id LIMIT 1")

        visitor = signed_in("fund_manager")

        assert f"{fund} (F1)" in visitor.open(f"/projects/{one}/money").text
        assert f"{programme.name} ({programme.code})" in visitor.open(f"/projects/{one}/people").text

    @pytest.mark.parametrize(("lang", "said"), [("zh-CN", "中国"), ("en", "China")])
    def test_of_countries_are_words(self, house: House, signed_in: SignedIn, lang: str, said: str) -> None:
        house.do(
            *(
                AddOrganisation(command_id=key(), name=f"firm of {one}", kind=OrganisationKind.SME, country=one)
                for one in ("CN", "LI")
            )
        )

        visitor = signed_in("admin", lang=lang)

        page = visitor.open("/admin/organisations")

        assert said in page.text
        assert "LI" in page.text
        assert said in visitor.follow("firm of CN").text


class TestAnApplication:
    def test_asks_in_the_words_of_a_firm_and_for_choices_of_its_standard(
        self, house: House, signed_in: SignedIn
    ) -> None:
        lead, coordinator = signed_in("project_lead", lang="zh-CN"), signed_in("coordinator", lang="zh-CN")
        typed = {"programme_id": house.programmes["default"], "platform_id": house.parties["platform"]}
        typed |= {"organisation_id": house.parties["sme"]}

        page = lead.open("/projects/new")
        lead.send(
            "提交申请", name="手臂", **{name: str(one) for name, one in typed.items()}, **{"profiles.firm_size": "eu"}
        )

        for said in ("项目名称", "申报企业", "中小企业认定口径", "中国（工业企业划型）"):
            assert said in page.text
        assert lead.page.path.startswith("/receipts/")
        assert '"firm_size":"eu"' in str(house.one("SELECT profiles FROM project WHERE name = '手臂'"))
        assert "提交申请" not in coordinator.open("/projects/new").text

    def test_says_of_a_choice_that_the_programme_has_not_which_it_has(self, house: House, signed_in: SignedIn) -> None:
        lead = signed_in("project_lead")
        lead.open("/projects/new")
        typed = {"programme_id": house.programmes["bare"], "organisation_id": house.parties["sme"]}

        page = lead.send(
            "Hand the application in",
            name="arm",
            **{name: str(one) for name, one in typed.items()},
            **{"profiles.firm_size": "eu"},
        )

        assert page.status == 409
        assert house.one("SELECT count(*) FROM project") == 0


class TestAnAddressThatNoPageHas:
    @pytest.mark.parametrize(("lang", "said"), [("zh-CN", "没有这个页面"), ("en", "There is no such page")])
    def test_says_so_under_the_same_code(self, signed_in: SignedIn, lang: str, said: str) -> None:
        visitor = signed_in("coordinator", lang=lang)

        page = visitor.open("/nothing")
        unknown = visitor.open("/projects/PT-2025-9999")

        assert (page.status, unknown.status) == (404, 404)
        assert said in page.text
        assert said not in unknown.text
        assert visitor.ask("GET", "/api/v1/nothing").json()["code"] == "not_found"


class TestPreferences:
    def test_offer_what_ones_roles_are_told(self, signed_in: SignedIn) -> None:
        lead, operator = (signed_in(one).open("/preferences").answer.text for one in ("project_lead", "operator"))

        assert ["email.payout" in lead, "email.user" in lead, "email.*" in lead] == [True] * 3
        assert [f"email.{one}" in lead for one in ("backup", "checkpoint", "webhook", "statement", "run")] == [
            False
        ] * 5
        assert [f"email.{one}" in operator for one in ("backup", "statement", "run")] == [True] * 3
        assert "Slack" in lead
