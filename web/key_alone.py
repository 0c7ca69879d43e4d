"""What a passkey signs that lets in by itself: nobody has said yet who they are, so the browser keeps the challenge.

It is sealed under the key of the installation, which without one offers no such way in, and becomes a row of the
account with the answer. The row is named after something that no browser can know, and so is taken once.
"""

import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from lifecycle.access.queries import fingerprint
from lifecycle.writing import insert_rows
from models.access import Challenge
from models.db import run_in_transaction
from models.limits import CHALLENGE_LASTS
from models.states import ChallengeKind
from web.proving import FactorWrong, place_of, signing
from web.session import Visit


def is_offered(visit: Visit) -> bool:
    """Say whether somebody may sign in with a passkey alone: keys have a place here, and challenges a seal."""
    return visit.house.secret is not None and place_of(visit) is not None


def drawn(visit: Visit) -> tuple[str, bytes]:
    """Return what the browser keeps for five minutes, and what a key is to sign."""
    text = secrets.token_urlsafe(32)
    until = f"{(visit.now + CHALLENGE_LASTS).timestamp():.0f}"
    return f"{text}.{until}.{_sealed(visit, 'until', f'{text}.{until}')}", signing(text)


def kept(visit: Visit, cookie: str) -> tuple[str, bytes]:
    """Return the text that a browser kept, and what was to be signed; `FactorWrong` for what is not ours, or over."""
    text, _, rest = cookie.partition(".")
    until, _, seal = rest.partition(".")
    is_ours = is_offered(visit) and hmac.compare_digest(
        seal.encode(), _sealed(visit, "until", f"{text}.{until}").encode()
    )
    if not is_ours or datetime.fromtimestamp(int(until), visit.now.tzinfo) <= visit.now:
        raise FactorWrong("challenge_over")
    return text, signing(text)


def answered(visit: Visit, text: str, user_id: UUID) -> UUID:
    """Return the challenge that an account has answered now; `FactorWrong` for one that was answered before."""
    challenge_id = visit.house.new_id()
    row = {
        "id": challenge_id,
        "user_id": user_id,
        "kind": ChallengeKind.SIGN_IN,
        "token_sha256": fingerprint(_sealed(visit, "once", text)),
        "created_at": visit.now,
        "expires_at": visit.now + CHALLENGE_LASTS,
    }
    try:
        run_in_transaction(visit.house.engine, lambda session: insert_rows(session, Challenge, [row]))
    except IntegrityError as error:
        raise FactorWrong("challenge_over") from error
    return challenge_id


def _sealed(visit: Visit, what: str, text: str) -> str:
    key = visit.house.secret or b""
    return hmac.new(key, f"pilotway passkey {what} {text}".encode(), hashlib.sha256).hexdigest()
