"""Second factors in software: an app whose secret is read off the page, and a key that signs as browsers do."""

import base64
import hashlib
import json
import re
import secrets
import struct
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import cbor2
import pyotp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.factories import House
from tests.web.browser import Browser, Page

_PRESENT, _VERIFIED, _WITH_KEY = 0x01, 0x04, 0x40


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class SecurityKey:
    """One key, whose count and place a test may change."""

    origin: str
    count: int = 0
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: str = ""
    """What it was given to know its account by; it keeps it where it is asked to."""
    verifies: bool = True
    """It asks who holds it."""
    keeps: bool = True
    """It is one that browsers call discoverable."""

    def register(self, asked: dict[str, Any]) -> str:
        """Answer `navigator.credentials.create`."""
        self.handle = asked["user"]["id"]
        numbers = self.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        kept = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(cose)
        data = self._data(asked["rp"]["id"], _WITH_KEY) + kept
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._client_data("webauthn.create", asked["challenge"])
        more = {"clientExtensionResults": {"credProps": {"rk": self.keeps}}}
        return self._said(more, clientDataJSON=coded(said), attestationObject=coded(attested))

    def sign(self, asked: dict[str, Any]) -> str:
        """Answer `navigator.credentials.get`."""
        self.count += 1
        data, said = self._data(asked["rpId"], 0), self._client_data("webauthn.get", asked["challenge"])
        signed = self.private.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        found = {} if asked.get("allowCredentials") else {"userHandle": self.handle}
        return self._said(
            {}, clientDataJSON=coded(said), authenticatorData=coded(data), signature=coded(signed), **found
        )

    def _data(self, place: str, more: int) -> bytes:
        flags = _PRESENT | (_VERIFIED if self.verifies else 0) | more
        return hashlib.sha256(place.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _said(self, more: dict[str, Any], **response: str) -> str:
        own = {"id": coded(self.id), "rawId": coded(self.id), "type": "public-key", "response": response}
        return json.dumps({**own, **more})


def secret_on(page: Page) -> str:
    """Return the secret that a page shows to be typed into an app."""
    found = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.text)
    assert found, page.text
    return found.group().replace(" ", "")


def with_app(browser: Browser, house: House, password: str) -> str:
    """Add an app to the account that is signed in here, with the code of the step before; return its secret."""
    browser.open("/step-up")
    browser.send("Go on", password=password)
    secret = secret_on(browser.open("/security/totp"))
    code = pyotp.TOTP(secret).at(house.now - timedelta(seconds=30))
    assert browser.send("add an authenticator app", code=code).status == 200
    return secret
