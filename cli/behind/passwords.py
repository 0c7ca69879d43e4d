"""A password from the terminal: asked for twice and never shown, or one line of stdin; only its hash stays."""

import sys

import typer

from cli.door import Door
from lifecycle.access.commands import SetPassword
from lifecycle.access.guessing import weaknesses
from lifecycle.access.passwords import hashed
from lifecycle.access.queries import known_words
from lifecycle.errors import Invalid, unmet
from notifications.words import sentence


def set_password(door: Door, login: str) -> None:
    """Set the password of an account; `Invalid` when it is too weak or typed differently the second time."""
    password = _asked(door)
    if wrong := weaknesses(
        password, *door.read(lambda session: known_words(session, door.lookup(session).user(login)))
    ):
        raise Invalid(*wrong)
    digest = hashed(password)
    answer = door.carry_out(
        lambda lookup, key: SetPassword(command_id=key, user_id=lookup.user(login), password_hash=digest), ref=login
    )
    if door.output.as_json:
        door.output.document(answer.document)
        return
    door.output.say("password_was_set", login=login)


def _asked(door: Door) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline(1_000).rstrip("\r\n")
    first, second = (
        typer.prompt(sentence(code, {}, door.output.lang), hide_input=True, err=True)
        for code in ("ask_password", "ask_password_again")
    )
    if first != second:
        raise Invalid(unmet("passwords_differ"))
    return str(first)
