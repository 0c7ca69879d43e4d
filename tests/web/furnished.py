"""The demonstration with what its story leaves out, so that no page of the console is empty; and a server for it.

Files are written into a folder that somebody else keeps; `settings` is where they lie.
"""

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import text

from cli.behind.backstage import Backstage
from cli.main import run
from models.settings import Settings
from tests.web.browser import Browser, Page
from tests.web.test_drafts import changed
from web.app import make_app
from web.house import opened

_FIRM = "SELECT organisation_id FROM role_grant g JOIN app_user u ON u.id = g.user_id WHERE u.login = 'lin'"
ACTS: tuple[tuple[str, ...], ...] = (
    ("run", "report"),
    ("tick",),
    ("webhook", "add", "https://receiver.example/pilotway", "--type", "payout.paid", "--as", "admin", "--yes"),
    ("user", "token", "operator", "--as", "admin", "--yes"),
    (
        *("calendar", "override", "2025-12-24", "--off", "--name", "年度盘点", "--notice", "中试办〔2025〕12号"),
        *("--as", "admin", "--yes"),
    ),
    (
        *("user", "delegation", "add", "zhou", "fund_manager", "--at", "中试基金一期", "--from", "2025-11-24"),
        *("--until", "2025-11-28", "--reason", "出差", "--as", "chen", "--yes"),
    ),
    ("flow", "pause", "weekly-digest", "--reason", "试运行期间暂停", "--until", "2025-12-31", "--as", "operator"),
)
"""What the people of the story do besides: the clock makes one pass, a report is frozen, a program is told."""


def furnish() -> None:
    """Do all this to the demonstration in the present folder; RuntimeError names what was refused."""
    for act in ACTS:
        if code := run([*act, "--quiet"]):
            raise RuntimeError(f"pilotway {' '.join(act)}: exit {code}")
    with console_at(Path.cwd()) as app:
        with app.state.house.engine.connect() as connection:
            firm = str(UUID(str(connection.execute(text(_FIRM)).scalar_one())))
        with Browser(app) as admin, Browser(app) as sme, Browser(app) as editor:
            _invite(admin, firm)
            _ask_for_a_link(sme)
            _draft(editor)


def _enter(visitor: Browser, login: str) -> None:
    visitor.open("/login")
    visitor.send(login)


def _invite(visitor: Browser, firm: str) -> None:
    """Invite somebody to a firm."""
    _enter(visitor, "admin")
    visitor.open("/admin/invitations/new")
    who = {"email": "li.na@firm.example", "name": "李娜", "roles": "project_lead", "organisation_id": firm}
    _to(visitor.send("invite", **who), "/receipts/")


def _ask_for_a_link(visitor: Browser) -> None:
    """Ask for a link to the firm's own page."""
    visitor.open("/login/link")
    visitor.send("Send the link", login="sme")


def _draft(visitor: Browser) -> None:
    """Hand a new version of a standard over to a second editor."""
    _enter(visitor, "gao")
    visitor.open("/standard-drafts/new?base=default@2026.1")
    _to(
        visitor.send("Hand over to a second editor", text=changed(visitor, "2026.2"), reason="意向阶段放宽一日"),
        "/receipts/",
    )


def _to(page: Page, begin: str) -> None:
    if not page.path.startswith(begin):
        raise RuntimeError(f"{page.path}: {page.text}")


def settings_at(folder: Path) -> Settings:
    """Return the settings of a demonstration."""
    return Settings(db=str(folder / "pilotway.db"), evidence_dir=str(folder / "evidence"))


@contextmanager
def console_at(folder: Path) -> Iterator[FastAPI]:
    """Give the console of a demonstration as `pilotway console` gives it, which is started there."""
    with chdir(folder), opened(settings_at(folder), Backstage()) as house:
        yield make_app(house)
