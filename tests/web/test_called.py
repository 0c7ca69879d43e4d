"""What people read instead of a code: titles of standards, names of funds and programmes, words for countries."""

from collections.abc import Callable

import pytest

from lifecycle.people.commands import AddOrganisation
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
        one = number(house, made.project_id)
        fund = house.one("SELECT name FROM fund WHERE code = 'F1'")
        (programme,) = house.rows("SELECT p.name, p.code FROM programme p JOIN project ON programme_id = p.id LIMIT 1")

        visitor = signed_in("fund_manager")

        assert f"{fund} (F1)" in visitor.open(f"/projects/{one}/money").text
        assert f"{programme.name} ({programme.code})" in visitor.open(f"/projects/{one}/people").text

    @pytest.mark.parametrize(("lang", "said"), [("zh-CN", "中国"), ("en", "China")])
    def test_of_countries_are_words(self, house: House, signed_in: SignedIn, lang: str, said: str) -> None:
        house.do(
            *(AddOrganisation(command_id=key(), name=f"firm of {one}", kind="sme", country=one) for one in ("CN", "LI"))
        )

        visitor = signed_in("admin", lang=lang)

        page = visitor.open("/admin/organisations")

        assert said in page.text
        assert "LI" in page.text
        assert said in visitor.follow("firm of CN").text
