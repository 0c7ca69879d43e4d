"""Drafts of standards: written by one editor, published by another."""

from collections.abc import Callable

import pytest
import yaml

from models.states import Role
from tests.factories import House
from tests.web.browser import Browser, Page


def changed(browser: Browser, version: str) -> str:
    """Return the text that the page begins with, as another version that asks for three batches."""
    text = next(value for name, value in browser.page.form("/standard-drafts/new").fields if name == "text")
    pack = yaml.load(text, Loader=yaml.CSafeLoader)
    pack["version"] = version
    pack["stages"][0]["maximum_days"] += 1
    return str(yaml.dump(pack, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False))


class TestDraft:
    def test_is_checked_handed_over_and_published_by_another_editor(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        editor.open("/standard-drafts/new?base=default@2026.1")
        text = changed(editor, "2026.2")

        checked = editor.send("Check", text=text)
        handed = editor.send("Hand over to a second editor", text=text, reason="longer intake")
        editor.open("/standards").link("default 2026.2")
        draft = editor.follow("default 2026.2")
        own = editor.ask("POST", f"{draft.path}/publish", data={"csrf": _csrf(editor)})

        assert "default@2026.2 passes: 57 clauses" in checked.text
        assert "Differs from default@2026.1 in 1 place" in checked.text
        assert "Receipt" in handed.text
        assert "nobody checks their own work" in draft.text
        assert own.status_code == 403
        other = signed_in(Role.ADMIN)
        other.open(draft.path)
        published = other.send("Publish default 2026.2")
        assert published.path == "/standards/default/2026.2"
        assert house.one("SELECT COUNT(*) FROM standard_draft WHERE closed_at IS NOT NULL") == 1
        assert other.open(draft.path).text.count("Published or given back") == 1

    def test_says_what_changes_in_words(self, signed_in: Callable[..., Browser]) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        editor.open("/standard-drafts/new?base=default@2026.1&part=all")
        pack = yaml.load(changed(editor, "2026.2"), Loader=yaml.CSafeLoader)
        (clause,) = (one for one in pack["stages"][2]["criteria"] if one["id"] == "G3.4")
        clause["parameters"]["bound"] = 0.85
        clause["title"]["en"] = "Yield at the first pass"

        page = editor.send("Check", text=yaml.dump(pack, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False))

        assert "G3.4 Lower bound changed − 80% + 85%" in page.text
        assert "G3.4 Title (English)" in page.text

    def test_with_faults_stays_with_what_was_typed_and_the_line_of_each(
        self, signed_in: Callable[..., Browser]
    ) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        editor.open("/standard-drafts/new?base=default@2026.1")
        text = changed(editor, "2026.2").replace("gate: G1\n", "gate: G9\n", 1)

        page = editor.send("Hand over to a second editor", text=text, reason="x")

        assert page.status == 422
        assert " to mend" in page.text
        assert "gate: G9" in next(value for name, value in page.form("/new").fields if name == "text")

    def test_that_is_no_yaml_names_the_line(self, signed_in: Callable[..., Browser]) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        editor.open("/standard-drafts/new")

        page = editor.send("Check", text="code: own\nstages: [")

        assert page.status == 200
        assert "1 place to mend 2" in page.text or "1 place to mend 3" in page.text

    def test_has_the_numbers_of_a_gate_as_a_form_beside_its_text(
        self, house: House, signed_in: Callable[..., Browser]
    ) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        before = text_of(editor.open("/standard-drafts/new?base=default@2026.1&part=G3"))
        numbers = {"n.version": "2026.2", "n.G3.4/bound": "0.85", "n.G3/maximum_days": "25"}

        checked = editor.send("Check", **numbers)

        assert "G3.4 Lower bound changed − 80% + 85%" in checked.text
        assert "default@2026.2 passes: 57 clauses" in checked.text
        both = zip(before.split("\n"), text_of(checked).split("\n"), strict=True)
        assert [new.strip() for old, new in both if old != new] == [
            "version: '2026.2'",
            "maximum_days: 25",
            "parameters: {batch: trial, bound: 0.85, confidence: 0.95, point: 0.9}",
        ]
        editor.send("Hand over to a second editor", reason="a higher bound")
        assert house.one("SELECT pack_version FROM standard_draft") == "2026.2"

    def test_brings_form_and_text_together_whichever_was_changed(self, signed_in: Callable[..., Browser]) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        text = text_of(editor.open("/standard-drafts/new?base=default@2026.1&part=G3"))

        page = editor.send("Check", text=text.replace("bound: 0.8,", "bound: 0.85,", 1), **{"n.version": "2026.2"})
        assert (number(page, "G3.4/bound"), "bound: 0.85," in text_of(page)) == ("0.85", True)
        assert (number(page, "version"), "version: '2026.2'" in text_of(page)) == ("2026.2", True)

        again = editor.send("Check", **{"n.G3.4/bound": "0.88"})
        assert (number(again, "G3.4/bound"), "bound: 0.88," in text_of(again)) == ("0.88", True)

        both = editor.send(
            "Check", text=text_of(again).replace("bound: 0.88,", "bound: 0.7,"), **{"n.G3.4/bound": "0.9"}
        )
        assert (number(both, "G3.4/bound"), "bound: 0.7," in text_of(both)) == ("0.7", True)

    def test_keeps_the_numbers_of_the_form_while_its_text_is_wrong(self, signed_in: Callable[..., Browser]) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        editor.open("/standard-drafts/new?base=default@2026.1&part=G3")

        page = editor.send("Check", **{"n.version": "next", "n.G3.4/bound": "0.85"})
        assert " to mend" in page.text
        assert (number(page, "version"), number(page, "G3.4/bound")) == ("next", "0.85")

        mended = editor.send("Check", **{"n.version": "2026.2"})
        assert "default@2026.2 passes" in mended.text
        assert "bound: 0.85," in text_of(mended)

    def test_of_one_gate_leaves_the_others_as_they_were(self, signed_in: Callable[..., Browser]) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        pack = yaml.load(text_of(editor.open("/standard-drafts/new?base=default@2026.1&part=G3")), yaml.CSafeLoader)
        pack["stages"][0]["criteria"] = [one for one in pack["stages"][0]["criteria"] if one["id"] != "G3.14"]
        pack["version"] = "2026.2"

        fewer = editor.send("Check", text=yaml.dump(pack, allow_unicode=True))
        assert "has 14 criteria here, there are 13" in fewer.text
        assert "Differs from default@2026.1 in 16 places" in fewer.text
        wrong = editor.send("Check", text=yaml.dump({**pack, "rest": "default@1999.1"}, allow_unicode=True))
        assert "default@1999.1" in wrong.text
        assert editor.open("/standard-drafts/new?base=default@2026.1&part=G9").status == 404

    @pytest.mark.parametrize(
        "wrong", ["", "many", "0.9 # bound", "{a: 1}", "1e9", "&a 1", "9" * 40, "030", "-07", "00", "٣"]
    )
    def test_takes_no_number_that_is_none(self, signed_in: Callable[..., Browser], wrong: str) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        before = text_of(editor.open("/standard-drafts/new?base=default@2026.1&part=G3"))

        page = editor.send("Hand over to a second editor", **{"n.G3.4/bound": wrong})

        assert (page.status, page.path) == (422, "/standard-drafts/new")
        assert "G3.4/bound" in page.text
        assert (number(page, "G3.4/bound"), text_of(page)) == (wrong, before)

    def test_comes_as_a_file_too(self, signed_in: Callable[..., Browser]) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        editor.open("/standard-drafts/new?base=default@2026.1")
        content = changed(editor, "2026.3").encode()

        page = editor.send("Check", file=("mine.yaml", content))

        assert "default@2026.3 passes" in page.text

    def test_is_given_back_with_a_reason(self, house: House, signed_in: Callable[..., Browser]) -> None:
        editor = signed_in(Role.STANDARD_EDITOR)
        editor.open("/standard-drafts/new?base=default@2026.1")
        editor.send("Hand over to a second editor", text=changed(editor, "2026.2"), reason="longer")
        editor.open("/standards")
        editor.follow("default 2026.2")
        editor.follow("give a draft back")

        editor.send("give a draft back", reason="not yet")

        assert house.one("SELECT COUNT(*) FROM standard_draft WHERE closed_at IS NULL") == 0

    def test_is_for_editors_alone(self, signed_in: Callable[..., Browser]) -> None:
        visitor = signed_in(Role.COORDINATOR)

        assert visitor.open("/standard-drafts/new").status == 403
        assert "Draft a new version" not in visitor.open("/standards").text


def text_of(page: Page) -> str:
    """Return the text of the standard that stands on a page."""
    return next(value for name, value in page.form("/standard-drafts/new").fields if name == "text")


def number(page: Page, path: str) -> str:
    """Return a number of the form beside the text."""
    return next(value for name, value in page.form("/standard-drafts/new").fields if name == f"n.{path}")


def _csrf(browser: Browser) -> str:
    return next(value for form in browser.page.forms for name, value in form.fields if name == "csrf")
