"""Calls to programs elsewhere, against real servers on loopback; signatures are checked by somebody else's library."""

import base64
import json
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from models.clock import SystemClock
from models.ports import Said, SendResult, Transient
from notifications.webhooks import GONE, HttpsWebhooks, WebhooksInMemory, cloud_event, headers_of, is_signed
from tests.witness.receiver import Receiver, receiver

NOW = SystemClock().now()


def a_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def an_event(**facts: Any) -> bytes:
    return cloud_event(
        event_id="018f",
        source="urn:uuid:x",
        kind="payout.paid",
        at=datetime(2026, 3, 2, 1, tzinfo=UTC),
        object_type="payout",
        object_id="77",
        facts=facts,
    )


class TestSignature:
    def test_is_accepted_by_the_library_of_the_standard(self) -> None:
        secret, body = a_secret(), an_event(number="PO-2026-0001")

        assert (
            Webhook(secret).verify(body, headers_of("018f", SystemClock().now(), body, [secret]))["type"]
            == "payout.paid"
        )

    def test_is_accepted_under_both_secrets_while_they_change(self) -> None:
        old, new, body = a_secret(), a_secret(), an_event()
        headers = headers_of("018f", SystemClock().now(), body, [new, old])

        for secret in (old, new):
            assert Webhook(secret).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(a_secret()).verify(body, headers)

    def test_is_refused_for_another_body_id_or_time(self) -> None:
        secret, body = a_secret(), an_event()
        headers = headers_of("018f", NOW, body, [secret])

        assert is_signed([secret], headers, body)
        assert not is_signed([secret], headers, body + b" ")
        assert not is_signed([secret], {**headers, "webhook-id": "018e"}, body)
        assert not is_signed([secret], {**headers, "webhook-timestamp": "1"}, body)
        assert not is_signed([secret], {**headers, "webhook-timestamp": "now"}, body)
        assert not is_signed([a_secret()], headers, body)

    def test_is_refused_by_the_library_after_five_minutes(self) -> None:
        secret, body = a_secret(), an_event()

        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers_of("018f", NOW - timedelta(minutes=6), body, [secret]))


class TestBody:
    def test_has_the_attributes_of_cloudevents(self) -> None:
        event = json.loads(an_event(number="PO-2026-0001", state="paid", version=4))

        assert {key: event[key] for key in ("specversion", "id", "source", "type", "time", "subject")} == {
            "specversion": "1.0",
            "id": "018f",
            "source": "urn:uuid:x",
            "type": "payout.paid",
            "time": "2026-03-02T01:00:00.000000Z",
            "subject": "PO-2026-0001",
        }
        assert event["data"] == {
            "object_type": "payout",
            "object_id": "77",
            "number": "PO-2026-0001",
            "state": "paid",
            "version": 4,
        }

    def test_says_nothing_that_asks_for_a_right(self) -> None:
        body = an_event(number="PO-2026-0001", payee="6222…", amount="70.00", reason="private", by="Li Wei")

        assert set(json.loads(body)["data"]) == {"object_type", "object_id", "number"}


@pytest.fixture
def told() -> Iterator[Receiver]:
    with receiver() as told:
        yield told


class TestWebhookSender:
    """The real one and its twin say the same."""

    @pytest.fixture(params=["https", "memory"])
    def sender(self, request: pytest.FixtureRequest, told: Receiver) -> Any:
        return HttpsWebhooks(allow={told.place}) if request.param == "https" else WebhooksInMemory()

    def meant(self, sender: Any, told: Receiver, status: int) -> str:
        url = f"http://{told.place}/in"
        told.status = status
        if isinstance(sender, WebhooksInMemory) and status != 200:
            said = f"HTTP {status}"
            sender.answers[url] = SendResult(Said.REFUSED, said) if said == GONE else Transient(said)
        return url

    def test_hands_over_headers_and_body_as_they_are(self, sender: Any, told: Receiver) -> None:
        url = self.meant(sender, told, 200)

        assert sender.post(url, {"webhook-id": "7"}, b"{}") == SendResult(Said.ACCEPTED, "HTTP 200")
        if isinstance(sender, WebhooksInMemory):
            headers, body = sender.posted[0].headers, sender.posted[0].body
        else:
            _, headers, body = told.calls[0]
        assert (headers["webhook-id"], body) == ("7", b"{}")

    def test_takes_410_as_a_refusal_for_good(self, sender: Any, told: Receiver) -> None:
        assert sender.post(self.meant(sender, told, 410), {}, b"{}") == SendResult(Said.REFUSED, GONE)

    @pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
    def test_leaves_other_answers_for_a_later_try(self, sender: Any, told: Receiver, status: int) -> None:
        with pytest.raises(Transient, match=f"HTTP {status}"):
            sender.post(self.meant(sender, told, status), {}, b"{}")


class TestHttps:
    def test_follows_no_redirect_to_a_private_address(self, told: Receiver) -> None:
        with receiver() as inside:
            told.status, told.headers = 307, {"location": f"http://{inside.place}/secret"}

            with pytest.raises(Transient, match="HTTP 307"):
                HttpsWebhooks(allow={told.place, inside.place}).post(f"http://{told.place}/", {}, b"{}")

            assert not inside.calls

    def test_calls_nobody_inside_who_is_not_named(self, told: Receiver) -> None:
        said = HttpsWebhooks().post(f"https://{told.place}/", {}, b"{}")

        assert (said.said, said.detail) == (Said.REFUSED, "port")
        assert not told.calls

    def test_connects_to_the_address_it_has_judged(self) -> None:
        """A name that answers otherwise at the second question reaches nobody: there is no second question."""
        asked: list[str] = []

        def rebinding(host: str, _port: int) -> tuple[str, ...]:
            asked.append(host)
            return ("192.0.2.1",) if len(asked) > 1 else ("10.0.0.1",)

        said = HttpsWebhooks(resolve=rebinding).post("https://rebind.example.org/", {}, b"{}")

        assert (said.detail, asked) == ("address_not_public", ["rebind.example.org"])

    def test_is_unsure_when_nothing_is_answered(self, told: Receiver) -> None:
        told.is_silent = True

        said = HttpsWebhooks(allow={told.place}, total_seconds=0.2).post(f"http://{told.place}/", {}, b"{}")

        assert (said.said, said.detail) == (Said.UNSURE, "no_answer")
        assert len(told.calls) == 1

    def test_is_unsure_when_the_answer_is_no_http(self, told: Receiver) -> None:
        told.garbage = b"SSH-2.0-x\r\n"

        assert HttpsWebhooks(allow={told.place}).post(f"http://{told.place}/", {}, b"{}").said is Said.UNSURE

    def test_gives_up_a_receiver_that_drips(self) -> None:
        """One byte every now and then keeps each single read alive; the whole call ends all the same."""
        stop = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as server:
            place = f"127.0.0.1:{server.getsockname()[1]}"

            def drip() -> None:
                connection, _ = server.accept()
                with connection:
                    while not stop.wait(0.05):
                        try:
                            connection.send(b"H")
                        except OSError:
                            return

            thread = threading.Thread(target=drip)
            thread.start()
            said = HttpsWebhooks(allow={place}, total_seconds=0.3).post(f"http://{place}/", {}, b"{}")
            stop.set()
            thread.join()

        assert said.said is Said.UNSURE

    def test_gives_up_a_name_that_has_many_addresses_where_nobody_answers(self) -> None:
        """Whoever owns the name says how many it has; together they get the time of one call."""
        with socket.create_server(("0.0.0.0", 0), backlog=0) as full, ExitStack() as waiting:  # noqa: S104
            port = full.getsockname()[1]
            for number in (2, 3):  # the queue takes these, and lets nobody else in
                caller = waiting.enter_context(socket.socket())
                caller.settimeout(0)
                caller.connect_ex((f"127.0.0.{number}", port))
            sender = HttpsWebhooks(
                allow={f"many.example.org:{port}"},
                resolve=lambda _host, _port: tuple(f"127.0.0.{number}" for number in range(10, 110)),
                connect_seconds=0.2,
                total_seconds=0.6,
            )
            begun = time.monotonic()
            with pytest.raises(Transient, match="not_reachable"):
                sender.post(f"http://many.example.org:{port}/", {}, b"{}")
            assert time.monotonic() - begun < 5

    def test_reads_no_body(self, told: Receiver) -> None:
        told.status, told.body = 500, b"a secret of somebody inside" * 100_000

        with pytest.raises(Transient) as caught:
            HttpsWebhooks(allow={told.place}).post(f"http://{told.place}/", {}, b"{}")

        assert "secret" not in str(caught.value)

    def test_leaves_who_is_not_there_for_a_later_try(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            place = f"127.0.0.1:{server.getsockname()[1]}"

        with pytest.raises(Transient, match="not_reachable"):
            HttpsWebhooks(allow={place}).post(f"http://{place}/", {}, b"{}")

    def test_sends_no_body_over_the_limit(self, told: Receiver) -> None:
        said = HttpsWebhooks(allow={told.place}).post(f"http://{told.place}/", {}, b"x" * (1024 * 1024 + 1))

        assert (said.said, said.detail, told.calls) == (Said.REFUSED, "too_large", [])


class TestTls:
    """A server at a resolved address, whose certificate is for its name."""

    def test_asks_for_the_certificate_of_the_name(self, tmp_path: Path) -> None:
        with receiver(server_context(tmp_path, "hooks.example.org")) as told:
            sender = self.sender(tmp_path, told)

            assert sender.post(f"https://hooks.example.org:{told.port}/in", {}, b"{}").said is Said.ACCEPTED
            assert told.calls[0][1]["host"] == f"hooks.example.org:{told.port}"

    def test_tells_nothing_to_a_server_of_another_name(self, tmp_path: Path) -> None:
        with receiver(server_context(tmp_path, "other.example.org")) as told:
            with pytest.raises(Transient, match="tls"):
                self.sender(tmp_path, told).post(f"https://hooks.example.org:{told.port}/in", {}, b"{}")

            assert not told.calls

    def sender(self, folder: Path, told: Receiver) -> HttpsWebhooks:
        return HttpsWebhooks(
            allow={f"hooks.example.org:{told.port}"},
            resolve=lambda _host, _port: ("127.0.0.1",),
            context=ssl.create_default_context(cafile=str(folder / "cert.pem")),
        )


def server_context(folder: Path, name: str) -> ssl.SSLContext:
    """Make a certificate for a name, and the context of a server that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    names: list[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.9"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
