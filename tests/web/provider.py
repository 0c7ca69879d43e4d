"""An identity provider that says whatever a test wants: signed by its own key or another, about and for anybody."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from models.clock import SystemClock

KEY = RSAKey.generate_key(2048, {"kid": "one"})
ACCESS = "access-token-of-the-provider"
ANOTHER = RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Provider:
    """What the provider will say next."""

    issuer: str = ""
    own_name: str = ""
    """What its description calls it, where that is not its address."""
    claims: dict[str, Any] = field(default_factory=dict)
    challenge: str = ""
    key: Any = field(default_factory=lambda: KEY)
    algorithm: str = "RS256"

    def id_token(self) -> str:
        """Return the token, with its claims in place of those that would be right; None leaves one out."""
        now = int(SystemClock().now().timestamp())
        right = {"iss": self.issuer, "aud": "pilotway", "sub": "s-1", "iat": now, "exp": now + 300}
        claims = {name: value for name, value in {**right, **self.claims}.items() if value is not None}
        key = OctKey.import_key("pilotway-secret-of-the-client-xxx") if self.algorithm == "HS256" else self.key
        algorithms = [self.algorithm]
        return jwt.encode({"alg": self.algorithm, "kid": "one"}, claims, key, algorithms=algorithms)


@contextmanager
def running() -> Iterator[Provider]:
    """Give a provider on this machine."""
    said = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/jwks":
                self._answer(200, {"keys": [KEY.as_dict(private=False)]})
                return
            name = said.own_name or said.issuer
            places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            self._answer(200, {"issuer": name, **{key: f"{said.issuer}{path}" for key, path in places.items()}})

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            verifier = form.get("code_verifier", [""])[0]
            digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
            if digest != said.challenge:
                self._answer(400, {"error": "invalid_grant"})
                return
            self._answer(200, {"access_token": ACCESS, "token_type": "Bearer", "id_token": said.id_token()})

        def _answer(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    said.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
