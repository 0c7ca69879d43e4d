"""Single sign-on by OpenID Connect (Core 1.0): code flow with PKCE, state and nonce; what is asked, what is believed.

State, nonce and verifier follow from one random text in a cookie of the browser that began; nothing is stored until an
answer is taken. A provider's signature is dated by the world outside, also where a rehearsal plays another day.
"""

import base64
import functools
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests

from lifecycle.errors import NotFound, unmet
from models.clock import SystemClock
from models.limits import OUTSIDE_SIGN_IN_LASTS
from models.settings import Settings
from web.errors import ProviderAway, SignOnRefused

BACK = "/login/oidc/back"
SCOPE = "openid email"
SIGNED_BY = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures by a key pair: neither `none` nor a shared secret vouches for anybody (RFC 8725)."""
_SECONDS = 10
_LEEWAY = 60
_KEPT = timedelta(minutes=10)
"""How long the provider's own description is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An identity provider, and as what we are entered there."""

    issuer: str
    client_id: str
    client_secret: str | None
    back: str
    """Where it sends people back to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A way to the provider that began in one browser."""

    text: str
    """What everything else follows from."""
    following: str
    until: datetime

    def drawn(self, what: str) -> str:
        """Return the state, the nonce or the verifier."""
        return hashlib.sha256(f"{what}:{self.text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a provider vouches for."""

    subject: str
    email: str | None
    is_email_verified: bool


def provider_of(settings: Settings) -> Provider:
    """Return the provider that is set; NotFound (`oidc_off`) where there is none."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        raise NotFound("oidc_off")
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        back=f"{settings.public_url()}{BACK}",
    )


def begin(following: str, now: datetime) -> Begun:
    """Return a new way to the provider."""
    return Begun(text=secrets.token_urlsafe(32), following=following, until=now + OUTSIDE_SIGN_IN_LASTS)


def sealed(begun: Begun, secret: bytes) -> str:
    """Return what the browser keeps of it, signed: nobody gives themselves more time."""
    body = json.dumps([begun.text, begun.following, begun.until.isoformat()]).encode()
    seal = hmac.new(secret, b"pilotway sign-on " + body, hashlib.sha256).hexdigest()
    return f"{base64.urlsafe_b64encode(body).decode().rstrip('=')}.{seal}"


def unsealed(cookie: str, secret: bytes, now: datetime) -> Begun:
    """Return what a browser kept; `oidc_state_wrong` for nothing, what is not ours, and what took too long."""
    said, _, seal = cookie.partition(".")
    try:
        body = base64.urlsafe_b64decode(f"{said}{'=' * (-len(said) % 4)}".encode())
    except ValueError:
        body = b""
    if not body or not hmac.compare_digest(
        seal.encode(), hmac.new(secret, b"pilotway sign-on " + body, hashlib.sha256).hexdigest().encode()
    ):
        raise SignOnRefused("oidc_state_wrong")
    text, following, until = json.loads(body)
    begun = Begun(text=text, following=following, until=datetime.fromisoformat(until))
    if begun.until <= now:
        raise SignOnRefused("oidc_state_wrong")
    return begun


def way_to(provider: Provider, begun: Begun) -> str:
    """Return the address at the provider that the browser is sent to."""
    place = _described(provider)["authorization_endpoint"]
    with _client(provider) as client:
        address, _ = client.create_authorization_url(
            place, state=begun.drawn("state"), nonce=begun.drawn("nonce"), code_verifier=begun.drawn("verifier")
        )
    return str(address)


def check_answer(provider: Provider, begun: Begun, query: Mapping[str, str]) -> str:
    """Return the code of an answer to this very way (RFC 6749 4.1.2, RFC 9207); SignOnRefused for any other."""
    if not hmac.compare_digest(query.get("state", "").encode(), begun.drawn("state").encode()):
        raise SignOnRefused("oidc_state_wrong")
    must_say = bool(_described(provider).get("authorization_response_iss_parameter_supported"))
    if query.get("iss", "" if must_say else provider.issuer) != provider.issuer:
        raise SignOnRefused("oidc_issuer_wrong")
    if "error" in query or not query.get("code"):
        raise SignOnRefused("oidc_declined")
    return query["code"]


def identity(provider: Provider, begun: Begun, code: str) -> Identity:
    """Return whom the provider vouches for, in exchange for the code; SignOnRefused for what does not hold."""
    described = _described(provider)
    from authlib.integrations.base_client import OAuthError  # noqa: PLC0415 - seconds that only sign-on needs

    try:
        with _client(provider) as client:
            token = client.fetch_token(described["token_endpoint"], code=code, code_verifier=begun.drawn("verifier"))
            keys = _document(client.get(described["jwks_uri"], withhold_token=True))
            claims = _believed(provider, begun, token, keys)
            if "email" not in claims and described.get("userinfo_endpoint"):
                more = _document(client.get(described["userinfo_endpoint"]))
                if more.get("sub") != claims["sub"]:
                    raise SignOnRefused(unmet("oidc_token_wrong", claim="sub"))
                claims = {**more, **claims}
    except OAuthError as error:
        raise SignOnRefused("oidc_declined") from error
    except (requests.RequestException, ValueError) as error:
        raise ProviderAway(ProviderAway.code) from error
    email = claims.get("email")
    return Identity(
        subject=str(claims["sub"]),
        email=email if isinstance(email, str) and email else None,
        is_email_verified=claims.get("email_verified") is True,
    )


def _believed(provider: Provider, begun: Begun, token: Mapping[str, Any], keys: Any) -> dict[str, Any]:
    """Return the claims of an ID token that is signed by the provider, for us, for this very way, and now (3.1.3.7)."""
    from authlib.oidc.core import CodeIDToken  # noqa: PLC0415 - seconds that only sign-on needs
    from joserfc import jwt  # noqa: PLC0415 - the same
    from joserfc.errors import JoseError  # noqa: PLC0415 - the same
    from joserfc.jwk import KeySet  # noqa: PLC0415 - the same

    try:
        signed = jwt.decode(str(token.get("id_token", "")), KeySet.import_key_set(keys), algorithms=SIGNED_BY)
        claims = CodeIDToken(
            signed.claims,
            signed.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
                "sub": {"essential": True},
            },
            {"nonce": begun.drawn("nonce"), "client_id": provider.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=int(SystemClock().now().timestamp()), leeway=_LEEWAY)
    except JoseError as error:
        claim = str(getattr(error, "claim", None) or error.error)
        reason = unmet("oidc_issuer_wrong") if claim == "iss" else unmet("oidc_token_wrong", claim=claim)
        raise SignOnRefused(reason) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SignOnRefused(unmet("oidc_token_wrong", claim="id_token")) from error
    return dict(claims)


def _client(provider: Provider) -> Any:
    from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415 - seconds that only sign-on needs

    client = OAuth2Session(
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        scope=SCOPE,
        redirect_uri=provider.back,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if provider.client_secret else "none",
        default_timeout=_SECONDS,
    )
    client.max_redirects = 0
    return client


def _document(answer: requests.Response) -> Any:
    answer.raise_for_status()
    return answer.json()


def _described(provider: Provider) -> Mapping[str, Any]:
    return _description(provider.issuer, int(SystemClock().now().timestamp() // _KEPT.total_seconds()))


@functools.lru_cache(maxsize=4)
def _description(issuer: str, _period: int) -> Mapping[str, Any]:
    """Return what the provider says of itself (Discovery 1.0, 4); one that calls itself otherwise is another one."""
    try:
        place = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        found = _document(requests.get(place, timeout=_SECONDS, allow_redirects=False))
        places = [found[name] for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise ProviderAway(ProviderAway.code) from error
    if found.get("issuer") != issuer:
        raise SignOnRefused("oidc_issuer_wrong")
    if issuer.startswith("https://") and not all(str(place).startswith("https://") for place in places):
        raise SignOnRefused("oidc_issuer_wrong")
    return dict(found)
