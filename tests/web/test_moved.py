"""A project that moves to another platform: who read it there finds nothing of it any more, at once and everywhere."""

from collections.abc import Callable

import pytest

from lifecycle.projects.commands import AcceptTransfer, Transfer
from models.db import reading
from models.states import Role
from notifications.feed import days_of
from tests.factories import House, key, name_members, projects
from tests.web.browser import Browser

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"
NAMED = (Role.COORDINATOR, Role.LAB_LEAD)


def seen(house: House, visitor: Browser, login: str, number: str, paper: str) -> dict[str, bool]:
    """Return where somebody finds the project, or a document of it."""
    tabs = ("", "/gate", "/batches", "/files", "/timeline", "/people", "/do/evidence-add", "/do/hold")
    pages = {f"page{tab}": visitor.open(f"/projects/{number}{tab}").status == 200 for tab in tabs}
    answers = {f"api{part}": visitor.ask("GET", f"/api/v1/projects/{number}{part}") for part in ("", "/commands")}
    lists = {path: visitor.open(path) for path in ("/projects", "/projects.json", "/board", "/inbox", "/batches")}
    found = {
        **pages,
        **{name: answer.status_code == 200 for name, answer in answers.items()},
        **{path: number in page.answer.text for path, page in lists.items()},
        "search": number in visitor.open("/search?q=robot").answer.text,
        "search by number": visitor.open(f"/search?q={number}").path == f"/projects/{number}",
        "search by file": paper in visitor.open("/search?q=report.pdf").answer.text,
        "preview": visitor.open(paper).status == 200,
        "file": visitor.ask("GET", f"{paper}/file").status_code == 200,
    }
    with reading(house.engine) as session:
        days = days_of(session, house.people[login].user_id, house.stamp(), "en")
    return {**found, "calendar": any(number in day.summary for day in days)}


@pytest.mark.long
@pytest.mark.parametrize("login", NAMED)
def test_is_lost_to_its_old_readers_at_once(house: House, signed_in: Callable[..., Browser], login: str) -> None:
    (made,) = projects(house, pack="lean")
    name_members(house, made, roles=NAMED)
    number = house.one("SELECT number FROM project WHERE id = :id", id=str(made))
    lead, reader = signed_in("project_lead"), signed_in(login)
    lead.open(f"/projects/{number}/do/evidence-add?type=paper")
    paper = lead.send("Hand in", v_title="The report", file=("report.pdf", PDF)).path.partition("?")[0]
    before = seen(house, reader, login, number, paper)

    move = Transfer(command_id=key(), project_id=made, platform_id=house.parties["other platform"], reason="nearer")
    house.do(move, by=Role.COORDINATOR)
    house.do(AcceptTransfer(command_id=key(), project_id=made), by="other coordinator")
    after = seen(house, reader, login, number, paper)

    always = {"/inbox", "/batches", "calendar"}
    assert [place for place, is_there in before.items() if not is_there and place not in always] == []
    assert before["calendar"] or login != Role.COORDINATOR
    assert [place for place, is_there in after.items() if is_there] == []
    assert seen(house, signed_in("other.coordinator"), "other coordinator", number, paper)["preview"]
