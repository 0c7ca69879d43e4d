"""What our own script adds in a real browser: folding stages, a menu by a key, how much of a file has left."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from flows.reconciliation import take_file
from lifecycle.people.commands import GrantRole
from models.states import ProjectState, Role
from tests.conftest import skip_or_fail
from tests.factories import House, key, name_members, projects

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Page, Request, Route, expect

from tests.web.chromium import WHAT_TO_INSTALL, chromium, program, served
from tests.web.conftest import PASSWORD, console_of, with_password

pytestmark = pytest.mark.long
PAPER = b"%PDF-1.7\n" + b"0" * 3_000_000 + b"\n%%EOF\n"


@pytest.fixture
def page(house: House, tmp_path: Path) -> Iterator[Page]:
    """Give the page of a firm's lead on a phone, who is named for a project in feasibility; another is in intake."""
    if program() is None:
        skip_or_fail(WHAT_TO_INSTALL)
    projects(house)
    name_members(house, *projects(house, stage=ProjectState.FEASIBILITY, pack="lean"), roles=(Role.PROJECT_LEAD,))
    with entered(house, "project_lead", tmp_path) as found:
        yield found


@contextmanager
def entered(house: House, login: str, folder: Path) -> Iterator[Page]:
    """Give the page of somebody who has typed their password, at a console that reads files of the bank."""
    app = console_of(house, is_demo=False, files=folder / "evidence")
    app.state.house = replace(app.state.house, take_file=take_file)
    with_password(house, login)
    with served(app) as base, chromium() as browser:
        found = browser.new_context(base_url=base, locale="en", viewport={"width": 390, "height": 844}).new_page()
        found.goto("/login")
        found.fill("[name=login]", login)
        found.fill("[name=password]", PASSWORD)
        found.click("[data-shows=password]")
        assert found.get_attribute("[name=password]", "type") == "text"
        found.click("form[action='/login'] .pri")
        found.wait_for_url(lambda url: "/login" not in url)
        yield found


def test_the_board_folds_to_the_stages_where_somebody_is_named(page: Page) -> None:
    page.goto("/board")

    assert [one.get_attribute("id") for one in page.locator(".board details[open] h2").all()] == ["c-feasibility"]
    page.click("#c-intake")
    assert page.locator(".board details[open] .pc").count() == 2


def test_a_key_opens_the_menu_of_the_card_that_has_the_focus(page: Page) -> None:
    page.goto("/board")
    menu = page.locator(".pc .menu[open]")

    page.focus(".board details[open] .pc h3 a")
    page.keyboard.press(".")
    assert menu.locator("a[href$='/next']").count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.menu[open] a')")
    page.keyboard.press("Escape")

    assert menu.count() == 0
    assert page.locator(".board .col details[open] h2").count() == 1, "its stage stays open"


def test_a_file_is_measured_on_its_way_and_leads_to_its_page(house: House, page: Page) -> None:
    seen: list[str] = []
    page.on("request", lambda one: _note(seen, one))
    _hand_in(page, house)

    page.wait_for_url("**/evidence/*")

    assert seen == ["xhr"]
    assert house.one("SELECT size_bytes FROM evidence") == len(PAPER)


def test_a_file_of_the_bank_leads_to_its_receipt_which_can_be_loaded_again(house: House, tmp_path: Path) -> None:
    if program() is None:
        skip_or_fail(WHAT_TO_INSTALL)
    with entered(house, "accountant", tmp_path) as page:
        seen: list[str] = []
        page.on("request", lambda one: _note(seen, one))
        page.goto("/bank")
        page.set_input_files("#take [type=file]", {"name": "a.xml", "mimeType": "", "buffer": b"<Document>"})
        page.click("#take .pri")

        page.wait_for_url("**/bank/taken/*")

        assert seen == ["xhr"]
        said = page.text_content("h1")
        page.reload()
        assert (page.text_content("h1"), seen) == (said, ["xhr"])
        assert house.one("SELECT count(*) FROM v_statement WHERE status = 'quarantined'") == 1


def test_a_file_that_cannot_be_measured_is_sent_by_the_browser_itself(house: House, page: Page) -> None:
    def cut(route: Route) -> None:
        if route.request.resource_type == "xhr":
            route.abort()
        else:
            route.continue_()

    page.route("**/do/evidence-add*", cut)
    _hand_in(page, house)

    page.wait_for_url("**/evidence/*")

    assert house.one("SELECT count(*) FROM evidence") == 1


def test_a_refused_file_shows_the_reasons_on_the_same_form(house: House, page: Page) -> None:
    _hand_in(page, house, content=b"no document at all")

    page.wait_for_selector(".errors")

    assert page.evaluate("document.activeElement.className") == "errors"
    assert page.locator("form[data-measured] input[name=file]").count() == 1
    assert house.one("SELECT count(*) FROM evidence") == 0


def test_an_upload_that_is_measured_keeps_the_place_on_the_page_it_leads_to(house: House, page: Page) -> None:
    """A redirect to a place on the very page that sent: the page is loaded anew and stands at the place."""
    number = house.one("SELECT number FROM project WHERE stage = 'feasibility'")
    here = f"/projects/{number}/do/evidence-add?type=paper"

    def lead(route: Route) -> None:
        is_measured = route.request.headers.get("x-measured") == "yes"
        route.fulfill(status=200, headers={"x-location": f"{here}#f-file"} if is_measured else {})

    page.route("**/do/evidence-add", lead)
    _hand_in(page, house)

    page.wait_for_url(f"**{here}#f-file")
    page.wait_for_function("document.querySelector('[name=v_title]')?.value === ''")
    assert page.locator("progress").count() == 0


def _hand_in(page: Page, house: House, *, content: bytes = PAPER) -> None:
    number = house.one("SELECT number FROM project WHERE stage = 'feasibility'")
    page.goto(f"/projects/{number}/do/evidence-add?type=paper")
    page.fill("[name=v_title]", "The report")
    page.set_input_files("input[name=file]", {"name": "paper.pdf", "mimeType": "", "buffer": content})
    page.click("form[data-measured] .pri")


def _note(seen: list[str], one: Request) -> None:
    if one.method == "POST":
        seen.append(one.resource_type)


def test_the_number_in_the_bar_comes_by_itself_and_only_more_is_said_aloud(house: House, page: Page) -> None:
    page.clock.install()
    page.goto("/projects")
    page.wait_for_selector(".bar .count:not(:empty)")
    before = _counted(page)
    assert page.text_content("#say") == ""

    other = page.context.new_page()
    other.goto("/projects/new")
    other.fill("[name=name]", "robot arm")
    for field, place in (("programme_id", house.programmes["lean"]), ("platform_id", house.parties["platform"])):
        other.select_option(f"[name={field}]", str(place))
    other.select_option("[name=organisation_id]", str(house.parties["sme"]))
    other.click("main form .pri")
    other.wait_for_url("**/receipts/*")
    page.bring_to_front()
    page.clock.run_for(30_000)

    page.locator("#say:not(:empty)").wait_for(state="attached")
    assert _counted(page) > before
    assert page.text_content("#say") == f"待办 {_counted(page)} 件等您处理"


def _counted(page: Page) -> int:
    return int((page.text_content(".bar .count") or "").split()[0])


def test_a_page_is_printed_without_what_is_around_it(page: Page) -> None:
    page.goto("/board")
    around = [page.locator(name) for name in (".bar", ".foot", ".skip")]
    assert all(one.count() == 1 for one in around)

    page.emulate_media(media="print")

    assert not any(one.is_visible() for one in around)


def _draft(house: House, page: Page) -> None:
    lead = house.people["project_lead"].user_id
    place = house.parties["sme"]
    house.do(GrantRole(command_id=key(), user_id=lead, role=Role.STANDARD_EDITOR, organisation_id=place))
    page.goto("/standard-drafts/new?base=default@2026.1&part=G3")


def test_the_numbers_and_the_text_of_a_draft_follow_each_other(house: House, page: Page) -> None:
    _draft(house, page)

    page.fill("#n-version", "2026.2")
    page.fill("[id='n-G3.4/bound']", "0.85")
    expect(page.locator("#f-text")).to_have_value(re.compile("bound: 0.85"))
    assert page.evaluate("document.activeElement.id") == "n-G3.4/bound"
    page.fill("#f-text", page.input_value("#f-text").replace("bound: 0.85", "bound: 0.9"))
    expect(page.locator("[id='n-G3.4/bound']")).to_have_value("0.9")

    assert page.evaluate("document.activeElement.id") == "f-text"
    assert "− 80% + 90%" in page.inner_text("#report")


def test_what_the_text_changed_outlives_what_is_typed_into_the_numbers_beside_it(house: House, page: Page) -> None:
    """Both are sent at once, the focus in the numbers: these say it too, so that none of them takes it back later."""
    _draft(house, page)
    text, bound = page.locator("#f-text"), page.locator("[id='n-G3.4/bound']")

    text.fill(text.input_value().replace("bound: 0.8", "bound: 0.9"))
    page.fill("#n-version", "2026.2")
    expect(text).to_have_value(re.compile("2026.2"))
    expect(bound).to_have_value("0.9")
    for version in ("2026.3", "2026.4"):
        page.fill("#n-version", version)
        expect(text).to_have_value(re.compile(version))

    expect(text).to_have_value(re.compile("bound: 0.9"))
    assert page.evaluate("document.activeElement.id") == "n-version"


def test_an_answer_to_what_has_since_been_typed_over_changes_nothing(house: House, page: Page) -> None:
    """The number that was sent stays changed, and the text that was typed meanwhile stays as it was typed."""
    _draft(house, page)
    text, held = page.locator("#f-text"), list[Route]()
    page.route("**/standard-drafts/new", lambda route: held.append(route))  # noqa: PLW0108 - a bound built-in cannot be one
    with page.expect_request("**/standard-drafts/new"):
        page.fill("[id='n-G3.4/bound']", "0.85")
    with page.expect_request("**/standard-drafts/new"):
        text.fill(f"{text.input_value()}# mine\n")
    seen = page.input_value("[name=seen]")

    held[0].continue_()
    expect(page.locator("#report:not([aria-busy])")).to_be_visible()
    assert page.input_value("[name=seen]") == seen
    held[1].continue_()

    expect(text).to_have_value(re.compile("bound: 0.85(.|\n)*# mine"))
    expect(page.locator("[id='n-G3.4/bound']")).to_have_value("0.85")
