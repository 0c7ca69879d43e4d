"""Codes of an authenticator app (RFC 6238), codes to keep on paper, and how the secret of the former is sealed."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

STEP_SECONDS = 30
DRIFT = 1
"""Steps that a clock may be off to either side (RFC 6238, 5.2)."""
_SEALED = "sealed:"
_PLAIN = "plain:"
_GROUPS, _LETTERS = 7, 4
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def new_secret() -> str:
    """Return 160 random bits in base32, as RFC 4226 (R6) recommends."""
    return pyotp.random_base32(32)


def address(secret: str, login: str) -> str:
    """Return what the square shows to an authenticator app (`otpauth://totp/…`)."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Pilotway")


def step_of(secret: str, typed: str, now: datetime) -> int | None:
    """Return the time step whose code was typed, one step before or after now too; None for any other code."""
    code = "".join(typed.split())
    if len(code) != 6 or not (code.isascii() and code.isdecimal()):
        return None
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    steps = range(max(present - DRIFT, 0), present + DRIFT + 1)
    return next((step for step in steps if hmac.compare_digest(totp.generate_otp(step), code)), None)


def new_recovery_code() -> str:
    """Return 140 random bits in groups of four letters, to be written down."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_GROUPS * _LETTERS))
    return "-".join(text[at * _LETTERS : (at + 1) * _LETTERS] for at in range(_GROUPS))


def recovery_fingerprint(typed: str) -> str | None:
    """Return what is stored of a recovery code, however its groups were typed; None for what cannot be one."""
    plain = "".join(char for char in typed.upper() if char.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest() if len(plain) == _GROUPS * _LETTERS else None


def sealed(secret: str, key: str | None) -> str:
    """Return a secret as it is stored: encrypted and authenticated under the installation's key, where it has one."""
    return f"{_PLAIN}{secret}" if key is None else f"{_SEALED}{_fernet(key).encrypt(secret.encode()).decode()}"


def opened(stored: str, key: str | None) -> str | None:
    """Return the secret; None where it was sealed with another key, or the key is gone."""
    if stored.startswith(_PLAIN):
        return stored.removeprefix(_PLAIN)
    if key is None or not stored.startswith(_SEALED):
        return None
    try:
        return _fernet(key).decrypt(stored.removeprefix(_SEALED).encode()).decode()
    except InvalidToken:
        return None


def _fernet(key: str) -> Fernet:
    drawn = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"pilotway totp").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(drawn))
