"""The page of exports: all that somebody may take along and nothing else, by asking every list of the console."""

import re
from collections.abc import Callable

import pytest
from fastapi.routing import APIRoute

from models.states import Role
from tests.web.browser import Browser
from web.app import PAGES

FILE = re.compile(r"(/[a-z/-]+)\.(json|csv|xlsx|ics)")
RUNNING = ("/admin", "/ops", "/problems")
"""Lists of who runs the installation, and of the codes of the program."""
LISTS = sorted(
    path
    for router in PAGES
    for route in router.routes
    if isinstance(route, APIRoute) and (path := route.path.removesuffix(".{form}")) != route.path
    if "{" not in path and not path.startswith(RUNNING)
)


@pytest.mark.parametrize("login", [*Role, "nobody"])
def test_each_role_finds_the_files_of_every_list_that_it_opens_and_of_no_other(
    signed_in: Callable[..., Browser], login: str
) -> None:
    visitor = signed_in(login)
    page = visitor.open("/exports")
    offered: dict[str, set[str]] = {}
    for _, address in page.links:
        if found := FILE.fullmatch(address):
            offered.setdefault(found[1], set()).add(found[2])

    given = {
        path: {
            form for form in ("json", "csv", "xlsx", "ics") if visitor.ask("GET", f"{path}.{form}").status_code == 200
        }
        for path in LISTS
    }

    assert page.status == 200
    assert offered == {path: forms for path, forms in given.items() if forms}


@pytest.mark.parametrize(
    ("login", "is_led"),
    [("coordinator", True), ("quality_engineer", True), ("fund_manager", True), ("project_lead", False)],
)
def test_the_foot_leads_there_for_who_coordinates_works_at_a_platform_or_funds(
    signed_in: Callable[..., Browser], login: str, *, is_led: bool
) -> None:
    page = signed_in(login).open("/board")

    assert ("/exports" in [path for _, path in page.links]) == is_led
