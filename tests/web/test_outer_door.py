"""The console as a program of its own, spoken to over a socket: which TLS it takes, how it reads what is no HTTP."""

import datetime as dt
import os
import select
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from warnings import catch_warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from flows.serving import free_port
from models.clock import SystemClock
from tests.conftest import ROOT

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
WAITS = 60.0
"""Seconds: on a machine that is busy with everything else."""


@dataclass(frozen=True)
class Door:
    """Where a console answers, and what its visitors trust."""

    port: int
    trusted: Path

    def plain(self) -> socket.socket:
        """Connect and say nothing yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAITS)

    def tls(
        self, *, most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED, ciphers: str = "DEFAULT@SECLEVEL=0"
    ) -> ssl.SSLSocket:
        """Connect as a browser that knows no later version and no other ciphers."""
        context = ssl.create_default_context(cafile=str(self.trusted))
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with catch_warnings(action="ignore", category=DeprecationWarning):  # an old version is named to be refused
            context.maximum_version = most
        context.set_ciphers(ciphers)
        return context.wrap_socket(self.plain(), server_hostname="localhost")

    def answer(self, *sent: bytes) -> bytes:
        """Send bytes as they are, and return what comes until the other side has no more to say."""
        with self.tls() as line:
            line.sendall(b"".join(sent))
            return _all_of(line)


def _all_of(line: socket.socket) -> bytes:
    got = b""
    while piece := line.recv(65536):
        got += piece
    return got


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Start a console with a certificate of its own on a port of its own."""
    place = tmp_path_factory.mktemp("door")
    certificate, key = _certificate(place)
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PILOTWAY_")},
        "PILOTWAY_DB": str(place / "pilotway.db"),
        "PILOTWAY_TLS_CERTIFICATE": str(certificate),
        "PILOTWAY_TLS_KEY": str(key),
        "PYTHONPATH": str(ROOT),
    }
    ours = [sys.executable, "-m", "cli.main"]
    subprocess.run([*ours, "init", "--mode", "rehearsal"], cwd=place, env=environment, check=True, capture_output=True)
    with subprocess.Popen([*ours, "console", "--port", str(port)], cwd=place, env=environment) as console:
        try:
            _listens(console, port)
            yield Door(port, certificate)
        finally:
            console.terminate()


def _listens(console: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the port is taken; a console that ended is an error of its own."""
    until = dt.timedelta(seconds=WAITS) + SystemClock().now()
    while SystemClock().now() < until:
        assert console.poll() is None
        with socket.socket() as line:
            line.settimeout(0)
            line.connect_ex(("127.0.0.1", port))
            _, ready, _ = select.select([], [line], [], 0.2)
            if ready and line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                return
        select.select([], [], [], 0.1)
    raise TimeoutError(port)


def _certificate(place: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = place / "console.pem", place / "console.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files[1].chmod(0o600)
    return files


class TestACertificate:
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_is_shown_in_the_versions_of_today(self, door: Door, version: ssl.TLSVersion) -> None:
        with door.tls(most=version) as line:
            line.sendall(GET + b"Connection: close\r\n\r\n")
            assert line.version() == version.name.replace("_", ".")
            assert (line.cipher() or ("",))[0].startswith(("TLS_AES", "TLS_CHACHA20", "ECDHE-"))
            said = _all_of(line).lower()
        assert said.startswith(b"http/1.1 200")
        assert b"strict-transport-security: max-age=31536000" in said

    def test_is_not_shown_in_an_older_version(self, door: Door) -> None:
        with pytest.raises(ssl.SSLError):
            door.tls(most=ssl.TLSVersion.TLSv1_1)

    @pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"])
    def test_is_not_shown_without_forward_secrecy_or_authenticated_encryption(self, door: Door, cipher: str) -> None:
        with pytest.raises(ssl.SSLError):
            door.tls(most=ssl.TLSVersion.TLSv1_2, ciphers=f"{cipher}@SECLEVEL=0")

    def test_leaves_nothing_that_answers_in_the_clear_and_sends_nobody_on(self, door: Door) -> None:
        with door.plain() as line:
            line.sendall(GET + b"Connection: close\r\n\r\n")
            try:
                said = _all_of(line)
            except ConnectionResetError:
                said = b""
        assert b"HTTP/" not in said


SECOND = b"GET /healthz?second HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


class TestARequestWithTwoEnds:
    """What one server would read as one request and another as two: it is refused, and what follows it is not read."""

    @pytest.mark.parametrize(
        "headers",
        [
            b"Content-Length: 3\r\nContent-Length: 0\r\n",
            b"Content-Length: +3\r\n",
            b"Content-Length: 0x3\r\n",
            b"Content-Length: 3, 0\r\n",
            b"Transfer-Encoding: xchunked\r\n",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            b"Transfer-Encoding : chunked\r\n",
            b"X: y\r\n folded: 3\r\nContent-Length : 3\r\n",
        ],
    )
    def test_is_answered_once_with_400_and_the_line_is_closed(self, door: Door, headers: bytes) -> None:
        said = door.answer(POST, headers, b"\r\n", SECOND)
        assert said.startswith(b"HTTP/1.1 400")
        assert said.count(b"HTTP/1.1 ") == 1

    def test_is_never_read_by_its_length_where_it_is_in_chunks(self, door: Door) -> None:
        smuggled = b"0\r\n\r\n" + SECOND
        said = door.answer(POST, b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n" % len(smuggled), smuggled)
        assert said.count(b"HTTP/1.1 ") == (2 if said.startswith(b"HTTP/1.1 403") else 1)

    @pytest.mark.parametrize(
        "body", [b"zz\r\nabc\r\n0\r\n\r\n", b"-1\r\nabc\r\n0\r\n\r\n", b"ffffffffffffffffffffff\r\nabc"]
    )
    def test_in_chunks_of_no_length_is_refused(self, door: Door, body: bytes) -> None:
        said = door.answer(POST, b"Transfer-Encoding: chunked\r\n\r\n", body, SECOND)
        assert said.startswith(b"HTTP/1.1 400")
        assert said.count(b"HTTP/1.1 ") == 1

    def test_whose_head_has_no_end_is_not_kept(self, door: Door) -> None:
        """The line may be closed before all of it was sent, and then the answer is lost on its way."""
        try:
            said = door.answer(GET, b"X: ", b"y" * 1_000_000)
        except (ConnectionError, ssl.SSLError):
            said = b""
        assert said.startswith(b"HTTP/1.1 400") or not said
