"""Passkeys (WebAuthn level 2): what a browser is asked for, and whether what it brings is what was asked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

LONGEST = 20_000
"""Characters of what a browser may bring."""
_NAME = "Pilotway"
_TIMEOUT = 120_000


@dataclass(frozen=True, slots=True)
class Place:
    """The address for which keys hold."""

    origin: str

    @property
    def rp_id(self) -> str:
        """Its host: a key of another host never answers."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key as it is stored."""

    credential_id: str
    public_key: str
    sign_count: int
    enters_alone: bool
    """It knows its account by itself, as the browser says, and verified its user: nobody has to type who they are."""


class KeyWrong(Exception):
    """What a browser brought is no answer to what was asked, or not signed by the key."""


def to_register(place: Place, challenge: bytes, *, user_id: bytes, login: str, known: Sequence[str]) -> dict[str, Any]:
    """Return what `navigator.credentials.create` is asked for: a new key, not one of the known.

    One that knows its account by itself is preferred, and the browser says whether it is one (`credProps`).
    """
    options = webauthn.generate_registration_options(
        rp_id=place.rp_id,
        rp_name=_NAME,
        user_id=user_id,
        user_name=login,
        challenge=challenge,
        timeout=_TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_descriptors(known),
    )
    said: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return {**said, "extensions": {"credProps": True}}


def to_prove(place: Place, challenge: bytes, known: Sequence[str]) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is asked for: a signature of one of the known keys."""
    options = webauthn.generate_authentication_options(
        rp_id=place.rp_id, challenge=challenge, timeout=_TIMEOUT, allow_credentials=_descriptors(known)
    )
    said: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return said


def to_enter(place: Place, challenge: bytes) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is asked for: any key for this place, its user verified."""
    options = webauthn.generate_authentication_options(
        rp_id=place.rp_id,
        challenge=challenge,
        timeout=_TIMEOUT,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    said: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return said


def asked_of(brought: str) -> tuple[bytes, str]:
    """Return the challenge that a browser answers and the id of its key, unproven; `KeyWrong` when unreadable."""
    try:
        document = json.loads(brought[:LONGEST])
        data = parse_client_data_json(base64url_to_bytes(document["response"]["clientDataJSON"]))
        return data.challenge, str(document["id"])
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise KeyWrong from error


def registered(place: Place, challenge: bytes, brought: str) -> NewKey:
    """Return the new key that was brought; `KeyWrong` when it is none for this place and challenge."""
    try:
        found = webauthn.verify_registration_response(
            credential=brought, expected_challenge=challenge, expected_rp_id=place.rp_id, expected_origin=place.origin
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise KeyWrong from error
    return NewKey(
        credential_id=bytes_to_base64url(found.credential_id),
        public_key=bytes_to_base64url(found.credential_public_key),
        sign_count=found.sign_count,
        enters_alone=found.user_verified and _knows_its_account(brought),
    )


def _knows_its_account(brought: str) -> bool:
    """Say whether the browser calls a new key a discoverable one (WebAuthn level 2, 10.4)."""
    said = json.loads(brought).get("clientExtensionResults")
    told = said.get("credProps") if isinstance(said, dict) else None
    return isinstance(told, dict) and told.get("rk") is True


def proven(place: Place, challenge: bytes, brought: str, public_key: str) -> int:
    """Return the count of signatures that a key says; `KeyWrong` when it did not sign this challenge for this place.

    Whether the count may be so is judged under the lock of the account, beside the one that is stored.
    """
    return _count(place, challenge, brought, public_key, must_verify=False)


def proven_alone(place: Place, challenge: bytes, brought: str, public_key: str, user_id: bytes) -> int:
    """Return the count of a key that lets in by itself; `KeyWrong` also where it verified nobody.

    It says itself whose it is (`userHandle`; WebAuthn level 2, 7.2, step 6): one that was given to another account
    lets nobody into this one.
    """
    try:
        handle = base64url_to_bytes(json.loads(brought[:LONGEST])["response"]["userHandle"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyWrong from error
    if handle != user_id:
        raise KeyWrong
    return _count(place, challenge, brought, public_key, must_verify=True)


def _count(place: Place, challenge: bytes, brought: str, public_key: str, *, must_verify: bool) -> int:
    try:
        found = webauthn.verify_authentication_response(
            credential=brought,
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=0,
            require_user_verification=must_verify,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise KeyWrong from error
    return found.new_sign_count


def _descriptors(known: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known]
