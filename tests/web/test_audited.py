"""Whatever somebody does about getting in leaves one row in the trail: who, when, by which door, from where."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from typing import Any

import pytest

from lifecycle.actor import CLOCK_ID
from lifecycle.commands import REGISTRY
from lifecycle.verbs import BY_NAME
from models.states import Role
from tests.factories import House, a_project
from tests.lifecycle.recipes import RECIPES
from tests.web.browser import Browser
from tests.web.conftest import console_of, sign_in, with_password
from tests.web.letters import letters, link_in
from tests.web.test_key_alone import asked, entered
from tests.web.test_links import ask_for
from tests.web.test_security import (
    OUR_ADDRESS,
    PASSWORD,
    SAME,
    code,
    entering,
    posting,
    stepping_up,
    with_app,
    with_passkey,
)

VERBS = sorted(f"{kind}.{name}" for kind, name in BY_NAME if kind in ("user", "invitation"))
SIGN_IN, REFUSED, NOT_PROVEN = "user.sign_in", "user.sign_in.refused", "user.step_up.refused"
WHENCE = {"address", "session_id"}


@dataclass
class Scene:
    """A world, a console in which nobody comes in by a click, and what was in the trail when the deed began."""

    house: House
    stack: ExitStack
    who: str = "coordinator"
    begun: int = 0
    consoles: dict[bool, Any] = field(default_factory=dict)

    def browser(self, *, is_demo: bool = False) -> Browser:
        """Give another browser."""
        if is_demo not in self.consoles:
            self.consoles[is_demo] = console_of(self.house, is_demo=is_demo, api=None if is_demo else OUR_ADDRESS)
        return self.stack.enter_context(Browser(self.consoles[is_demo]))

    def own(self) -> Browser:
        """Give a browser of who is signed in with a password."""
        browser = self.browser()
        entering(browser)
        return browser

    def actor(self) -> str:
        """Return whose rows these are: nobody's in person, or the account's that has just been made."""
        if self.who:
            return str(self.house.people[self.who].user_id)
        made = self.house.rows("SELECT id FROM app_user WHERE email = 'li@firm.example'")
        return str(made[0].id) if made else str(CLOCK_ID)

    def begins(self) -> None:
        """Count from here."""
        self.begun = int(self.house.one("SELECT max(seq) FROM audit_record"))

    def rows(self) -> list[Any]:
        """Return what has come into the trail since."""
        return self.house.rows("SELECT * FROM audit_record WHERE seq > :seq ORDER BY seq", seq=self.begun)


@pytest.fixture
def scene(house: House) -> Iterator[Scene]:
    with_password(house, "coordinator")
    with ExitStack() as stack:
        yield Scene(house, stack)


def by_password(scene: Scene) -> None:
    scene.begins()
    scene.own()


def by_one_click(scene: Scene) -> None:
    browser = scene.browser(is_demo=True)
    scene.begins()
    sign_in(browser, "coordinator")


def by_a_wrong_password(scene: Scene) -> None:
    """The tenth shuts the door; those before it and behind it stand in the log alone."""
    browser = scene.browser()
    scene.begins()
    for _ in range(12):
        browser.open("/login")
        browser.send("Sign in", login="coordinator", password="wrong")


def at_the_second_step(scene: Scene) -> tuple[Browser, str]:
    secret, _ = with_app(scene.own(), scene.house)
    browser = scene.browser()
    entering(browser)
    return browser, secret


def by_an_app(scene: Scene) -> None:
    browser, secret = at_the_second_step(scene)
    scene.begins()
    browser.send("Sign in", proof_code=code(secret, scene.house, 1))


def by_a_wrong_code(scene: Scene) -> None:
    browser, _ = at_the_second_step(scene)
    scene.begins()
    for _ in range(6):
        browser.send("Sign in", proof_code="000000")


def by_a_used_code(scene: Scene) -> None:
    browser, secret = at_the_second_step(scene)
    used = code(secret, scene.house, 1)
    browser.send("Sign in", proof_code=used)
    other = scene.browser()
    entering(other)
    scene.begins()
    other.send("Sign in", proof_code=used)


def by_a_program_with_a_wrong_code(scene: Scene) -> None:
    with_app(scene.own(), scene.house)
    browser = scene.browser()
    scene.begins()
    said = {"login": "coordinator", "password": PASSWORD, "code": "000000"}
    assert browser.ask("POST", "/api/v1/session", json=said, headers=SAME).status_code == 401


def by_a_key(scene: Scene) -> None:
    one, browser = with_passkey(scene.own()), scene.browser()
    browser.open("/login")
    scene.begins()
    entered(browser, one)


def by_a_wrong_key(scene: Scene) -> None:
    """As a password: anybody may try it who has learned the name of the key, so only the last one is kept."""
    one, browser = with_passkey(scene.own()), scene.browser()
    one.verifies = False
    scene.begins()
    for _ in range(11):
        browser.open("/login")
        posting(browser, "/login/key", proof_passkey=one.sign(asked(browser)))


def by_a_link(scene: Scene) -> None:
    scene.who = Role.PROJECT_LEAD
    browser = scene.browser(is_demo=True)
    ask_for(browser, Role.PROJECT_LEAD)
    browser.open(link_in(letters(scene.house)[-1]))
    scene.begins()
    browser.send("Come in")


def asking_for_a_link(scene: Scene) -> None:
    scene.who = ""
    browser = scene.browser(is_demo=True)
    scene.begins()
    ask_for(browser, Role.PROJECT_LEAD)


def inviting(scene: Scene) -> Browser:
    a_project(scene.house)
    browser = scene.browser(is_demo=True)
    sign_in(browser, "coordinator")
    browser.open("/admin/invitations/new")
    scene.begins()
    said = {"email": "li@firm.example", "name": "Li", "language": "en", "roles": ["project_lead"]}
    browser.send("invite", **said, organisation_id=str(scene.house.parties["sme"]))
    return browser


def taking_back(scene: Scene) -> None:
    browser = inviting(scene)
    browser.open(f"/admin/invitations/{scene.house.one('SELECT id FROM invitation')}/revoke")
    scene.begins()
    browser.send("take an invitation back")


def accepting(scene: Scene) -> None:
    inviting(scene)
    (message,) = letters(scene.house)
    browser = scene.browser(is_demo=True)
    browser.open(link_in(message))
    scene.begins()
    scene.who = ""
    browser.send("Set the password and open the account", password=PASSWORD, again=PASSWORD)


def leaving(scene: Scene) -> None:
    browser = scene.own()
    scene.begins()
    browser.send("Sign out")


def proving(scene: Scene) -> None:
    browser = scene.own()
    scene.begins()
    stepping_up(browser)


def proving_wrongly(scene: Scene) -> None:
    browser = scene.own()
    browser.open("/step-up")
    scene.begins()
    browser.send("Go on", password="wrong")


def proving_by_a_wrong_code(scene: Scene) -> None:
    browser = scene.own()
    with_app(browser, scene.house)
    browser.open("/step-up")
    scene.begins()
    browser.send("Go on", proof_code="000000")


def new_password(scene: Scene, now: str = PASSWORD) -> None:
    browser = scene.own()
    browser.open("/security/password")
    scene.begins()
    new = "four horses and a staple"
    browser.send("Change the password", now=now, new=new, again=new)


def new_password_by_a_stranger(scene: Scene) -> None:
    new_password(scene, now="wrong")


def pressing(path: str, button: str, *before: Callable[[Browser, Scene], Any]) -> Callable[[Scene], None]:
    """Return the deed of pressing a button of a page, after what had to be done before."""

    def press(scene: Scene) -> None:
        browser = scene.own()
        for one in before or (proven,):
            one(browser, scene)
        keys = scene.house.rows("SELECT id FROM passkey")
        browser.open(path.format(key=keys[0].id if keys else ""))
        scene.begins()
        browser.send(button)

    return press


def proven(browser: Browser, _scene: Scene) -> None:
    stepping_up(browser)


def an_app(browser: Browser, scene: Scene) -> None:
    with_app(browser, scene.house)


def a_key(browser: Browser, _scene: Scene) -> None:
    with_passkey(browser)


def a_feed(browser: Browser, _scene: Scene) -> None:
    browser.open("/preferences")
    browser.send("Make an address")


def another_session(browser: Browser, scene: Scene) -> None:
    scene.own()
    stepping_up(browser)


def adding_an_app(scene: Scene) -> None:
    browser = scene.own()
    scene.begins()
    with_app(browser, scene.house)


def adding_a_key(scene: Scene) -> None:
    browser = scene.own()
    scene.begins()
    with_passkey(browser)


Rows = list[tuple[str, list[str]]]
WRONG, TOO_MANY, CODE = ["sign_in_wrong"], ["sign_in_wrong", "too_many"], ["code_wrong"]
PROOF: tuple[str, list[str]] = ("user.step_up", [])
DEEDS: dict[str, tuple[Callable[[Scene], Any], Rows]] = {
    "sign in by a password": (by_password, [(SIGN_IN, [])]),
    "sign in by one click": (by_one_click, [(SIGN_IN, [])]),
    "sign in by a code": (by_an_app, [(SIGN_IN, [])]),
    "sign in by a passkey alone": (by_a_key, [(SIGN_IN, [])]),
    "sign in by a link": (by_a_link, [("invitation.open", []), (SIGN_IN, [])]),
    "be shut out by wrong passwords": (by_a_wrong_password, [(REFUSED, TOO_MANY)]),
    "be shut out by wrong passkeys": (by_a_wrong_key, [(REFUSED, ["passkey_wrong", "too_many"])]),
    "show wrong codes": (by_a_wrong_code, [*[(REFUSED, CODE)] * 4, (REFUSED, [*CODE, "too_many"])]),
    "show a code twice": (by_a_used_code, [(REFUSED, ["code_used"])]),
    "show a wrong code as a program": (by_a_program_with_a_wrong_code, [(REFUSED, CODE)]),
    "sign out": (leaving, [("user.sign_out", [])]),
    "prove oneself": (proving, [PROOF]),
    "prove oneself wrongly": (proving_wrongly, [(NOT_PROVEN, WRONG)]),
    "prove oneself by a wrong code": (proving_by_a_wrong_code, [(NOT_PROVEN, CODE)]),
    "change the password": (new_password, [("user.set_password", [])]),
    "change another's password": (new_password_by_a_stranger, [("user.set_password.refused", WRONG)]),
    "add an app": (adding_an_app, [PROOF, ("user.add_totp", [])]),
    "remove the app": (
        pressing("/security/totp/remove", "remove the authenticator app", an_app),
        [("user.remove_totp", [])],
    ),
    "add a passkey": (adding_a_key, [PROOF, ("user.add_passkey", [])]),
    "remove a passkey": (
        pressing("/security/passkeys/{key}/remove", "remove a passkey", a_key),
        [("user.remove_passkey", [])],
    ),
    "renew the codes": (
        pressing("/security/codes", "make new recovery codes", a_key),
        [("user.renew_codes", [])],
    ),
    "end a session": (pressing("/security", "End", another_session), [("user.sign_out", [])]),
    "end the other sessions": (
        pressing("/security", "End all others", another_session),
        [("user.sign_out_others", [])],
    ),
    "make a calendar's address": (pressing("/preferences", "Make an address"), [("user.make_feed", [])]),
    "make a new address": (pressing("/preferences", "Make a new address", a_feed), [("user.make_feed", [])]),
    "end the address": (pressing("/preferences", "Make the address void", a_feed), [("user.revoke_feed", [])]),
    "ask for a link": (asking_for_a_link, [("invitation.ask_link", [])]),
    "invite": (inviting, [("invitation.send", [])]),
    "take an invitation back": (taking_back, [("invitation.revoke", [])]),
    "accept an invitation": (
        accepting,
        [("invitation.accept", []), ("user.add", []), ("user.grant", []), ("user.set_password", [])],
    ),
}
"""What somebody does at a page -> the rows that it leaves, with the codes of a refusal."""
FROM_SOMEWHERE = frozenset(
    verb.permission for verb in REGISTRY.values() if {one.name for one in fields(verb.command)} & WHENCE
)
"""Verbs whose acts name the session they were done in, or the address where there was none yet."""


class TestAtAPage:
    @pytest.mark.parametrize("name", DEEDS)
    def test_each_deed_leaves_its_row_once_with_who_when_and_from_where(self, scene: Scene, name: str) -> None:
        deed, expected = DEEDS[name]

        deed(scene)

        rows = scene.rows()
        details = [json.loads(row.body)["detail"] for row in rows]
        told = [
            detail["codes"] if row.action.endswith(".refused") else []
            for row, detail in zip(rows, details, strict=True)
        ]
        assert list(zip((row.action for row in rows), told, strict=True)) == expected
        assert {str(row.actor_id) for row in rows} == {scene.actor()}
        assert {row.door for row in rows} == {"api" if "program" in name else "web"}
        assert len({row.at for row in rows}) == 1
        for row, detail in zip(rows, details, strict=True):
            if row.action.removesuffix(".refused") in FROM_SOMEWHERE:
                assert WHENCE & set(detail), f"{row.action} does not say from where"


class TestAnyDoor:
    @pytest.mark.parametrize("verb", VERBS)
    def test_a_verb_about_access_leaves_each_of_its_rows_once(self, house: House, verb: str) -> None:
        recipe = RECIPES[verb]
        (command,) = recipe.make(house, 1)
        begun = house.one("SELECT max(seq) FROM audit_record")

        house.do(command, by=recipe.by)

        rows = house.rows("SELECT * FROM audit_record WHERE seq > :seq ORDER BY seq", seq=begun)
        assert tuple(row.action for row in rows) == recipe.acts
        assert {row.command_id for row in rows} == {command.command_id}
        assert {str(row.actor_id) for row in rows} == {str(house.people[recipe.by].user_id)}
        assert {row.door for row in rows} == {str(house.people[recipe.by].door)}
