"""Facts in, reasons out: what can stand in the way of signing in and out, of proving oneself again, of a password."""

from typing import TYPE_CHECKING, Any

from lifecycle.access.passwords import ALGORITHM
from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from models.states import UserStatus

if TYPE_CHECKING:
    from lifecycle.access.facts import AccessFacts


def account_is_active(facts: Any) -> tuple[Unmet, ...]:
    """Nobody gets into a disabled account, and none of its secrets changes."""
    return () if facts.row.status == UserStatus.ACTIVE else (unmet("user_disabled"),)


@about_input
def sound_hash(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """Only the hash of a password is handed over."""
    return () if facts.command.password_hash.startswith(ALGORITHM) else (unmet("password_hash_wrong"),)


@about_input
def session_is_live(facts: "AccessFacts") -> tuple[Unmet, ...]:
    """A session belongs to the account, and neither was ended nor has run out."""
    found = facts.session
    is_live = (
        found is not None
        and found.user_id == facts.row.id
        and found.ended_at is None
        and found.expires_at > facts.stamp.now
    )
    return () if is_live else (unmet("session_not_found"),)
