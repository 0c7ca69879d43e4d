"""A new API token: drawn here, shown once, stored as its hash."""

import secrets
from datetime import timedelta

from cli.door import Door, token_sha256
from lifecycle.actor import Actor
from lifecycle.people.commands import AddToken


def give_token(door: Door, login: str, *, days: int, actor: Actor | None) -> None:
    """Draw a token for a user, store its hash, and print it: nobody can show it a second time."""
    text = f"pt_{secrets.token_urlsafe(32)}"
    ends = door.now + timedelta(days=days)
    answer = door.carry_out(
        lambda lookup, key: AddToken(
            command_id=key, user_id=lookup.user(login), token_sha256=token_sha256(text), expires_at=ends
        ),
        ref=login,
        actor=actor,
    )
    if door.caller.dry_run or answer.is_replay:
        door.output.say("token_not_shown")
        return
    if door.output.as_json:
        door.output.document({**answer.document, "token": text, "expires_at": ends})
        return
    door.output.line(text)
    door.output.say("token_shown_once", login=login, until=ends.date().isoformat())
