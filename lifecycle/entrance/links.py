"""Links that are sent: what stands in the mail follows from the installation's key and the id of a row. Pure.

So no database, journal or outbox ever holds a link, a repeated mail has the same one, and who can read the database
opens nothing with it.
"""

import base64
import hashlib
import hmac
from uuid import UUID

from models.settings import Settings


def secret_of(settings: Settings, *, database_id: str, is_rehearsal: bool) -> bytes | None:
    """Return the key of the installation (`PILOTWAY_SECRET_FILE`); None where there is none, and no link is sent.

    A rehearsal does without a file: nothing that its links open is worth a secret.
    """
    path = settings.secret_file
    if path is not None and path.is_file() and (said := path.read_bytes().strip()):
        return said
    return f"rehearsal:{database_id}".encode() if is_rehearsal and path is None else None


def token_of(secret: bytes, invitation_id: UUID | str) -> str:
    """Return what the link of an invitation ends in: HMAC-SHA-256 (RFC 2104) of its id, base64url."""
    digest = hmac.new(secret, f"pilotway link {invitation_id}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
