"""What the verbs of getting in look at: the password that is stored, the session that is named, the browsers known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from lifecycle.commands import Stamp, Task
from models.access import Credential, KnownDevice, WebSession
from models.reading import rows_by


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFacts:
    """One command on an account, and what is stored about getting into it."""

    command: Any
    row: Any
    """The account."""
    stamp: Stamp
    credential: Any = None
    session: Any = None
    """The session that the command names."""
    is_known_device: bool = False


def access_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[AccessFacts]:
    """Read passwords, named sessions and known browsers of these accounts: one statement each."""
    accounts = [task.row.id for task in tasks]
    credentials = rows_by(session, Credential, "user_id", accounts)
    named = [one for task in tasks if (one := getattr(task.command, "session_id", None)) is not None]
    sessions = rows_by(session, WebSession, "id", named)
    devices = rows_by(session, KnownDevice, "user_id", accounts)

    def facts(task: Task[Any]) -> AccessFacts:
        device = getattr(task.command, "device_sha256", None)
        return AccessFacts(
            command=task.command,
            row=task.row,
            stamp=stamp,
            credential=next(iter(credentials.get(task.row.id, ())), None),
            session=next(iter(sessions.get(getattr(task.command, "session_id", None), ())), None),  # type: ignore[arg-type]
            is_known_device=any(one.token_sha256 == device for one in devices.get(task.row.id, ())),
        )

    return [facts(task) for task in tasks]
