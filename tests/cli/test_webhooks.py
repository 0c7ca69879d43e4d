"""Webhooks and the outbox from the command line, against a receiver on loopback."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256

import pytest
from standardwebhooks.webhooks import Webhook

from models.clock import SystemClock
from models.ports import Transient
from notifications.webhooks import HttpsWebhooks, headers_of
from tests.cli.conftest import Line
from tests.conftest import ROOT
from tests.delivering import SECRET, an_endpoint, deliveries, state_of
from tests.factories import House
from tests.witness.receiver import Receiver, receiver

ADMIN, OPERATOR = ("--as", "admin"), ("--as", "operator")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiver() as told:
        monkeypatch.setenv("PILOTWAY_WEBHOOK_ALLOW", told.place)
        yield told


@pytest.fixture
def url(told: Receiver) -> str:
    return f"http://{told.place}/in"


def told_of(house: House, action: str) -> str:
    (row,) = house.rows(f"SELECT body FROM audit_record WHERE action = '{action}'")
    return str(row.body)


class TestWebhook:
    def test_shows_its_secret_once(self, at_home: Line, url: str) -> None:
        said = at_home("webhook", "add", url, "--type", "payout.*", *ADMIN)

        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=\n", said.out)
        assert said.out.strip() not in at_home("webhook", "list", "--json").out
        (row,) = at_home("webhook", "list", "--json").document["data"]
        assert (row["url"], row["types"], row["status"], row["owner"]) == (url, ["payout.*"], "active", "admin")

    def test_keeps_its_secret_and_the_token_in_its_address_out_of_the_trail(
        self, at_home: Line, house: House, url: str
    ) -> None:
        url = f"{url}/T0KEN?key=K3Y"
        secret = at_home("webhook", "add", url, *ADMIN, "--json").document["secret"]

        for column, table in (("body", "audit_record"), ("answer", "command_record")):
            told = "".join(str(row) for row in house.rows(f"SELECT {column} FROM {table}"))
            assert [word for word in (secret, "T0KEN", "K3Y") if word in told] == []
        assert sha256(url.encode()).hexdigest() in told_of(house, "webhook.add")

    def test_is_tested_with_a_signed_event(self, at_home: Line, told: Receiver, url: str) -> None:
        secret = at_home("webhook", "add", url, *ADMIN, "--json").document["secret"]

        said = at_home("webhook", "test", url, *OPERATOR)

        assert (said.code, said.out) == (0, "HTTP 200\n")
        ((_, headers, body),) = told.calls
        assert json.loads(body)["type"] == "webhook.pinged"
        stamp = SystemClock().now()
        assert Webhook(secret).verify(body, {**headers, **headers_of(headers["webhook-id"], stamp, body, [secret])})

    def test_refuses_a_type_that_no_message_has_and_names_what_is_near(self, at_home: Line, url: str) -> None:
        said = at_home("webhook", "add", url, "--type", "payout.payed", *ADMIN, "--json")

        assert (said.code, said.document["error"]["unmet"]) == (2, ["endpoint_types_unknown"])
        assert "payout.paid" in said.document["error"]["detail"]

    def test_says_what_lets_an_address_at_home_be_called(
        self, at_home: Line, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PILOTWAY_WEBHOOK_ALLOW", raising=False)

        added, tested = at_home("webhook", "add", url, *ADMIN), at_home("webhook", "test", url, *OPERATOR)

        assert f"PILOTWAY_WEBHOOK_ALLOW={url.split('/')[2]}" in added.err
        assert (tested.code, "PILOTWAY_WEBHOOK_ALLOW" in tested.out) == (1, True)

    def test_says_with_exit_1_that_a_test_was_not_taken(self, at_home: Line, told: Receiver, url: str) -> None:
        at_home("webhook", "add", url, *ADMIN)
        told.status = 503

        said = at_home("webhook", "test", url, *OPERATOR)

        assert (said.code, said.out) == (1, "HTTP 503\n")

    def test_signs_with_both_secrets_until_the_change_ends(self, at_home: Line, told: Receiver, url: str) -> None:
        at_home("webhook", "add", url, *ADMIN)
        at_home("webhook", "rotate", url, *ADMIN)
        at_home("webhook", "test", url, *OPERATOR)
        assert at_home("webhook", "end-rotation", url, *ADMIN).code == 0
        at_home("webhook", "test", url, *OPERATOR)

        assert [len(headers["webhook-signature"].split()) for _, headers, _ in told.calls] == [2, 1]

    def test_is_named_by_administrators_only(self, at_home: Line, url: str) -> None:
        said = at_home("webhook", "add", url, *OPERATOR, "--json")

        assert (said.code, said.document["error"]["unmet"]) == (3, ["role"])

    def test_sends_again_what_it_missed_while_it_was_disabled(self, at_home: Line, house: House, url: str) -> None:
        at_home("webhook", "add", url, *ADMIN)
        deliveries(house, "a@example.org")
        assert at_home("webhook", "disable", url, "--reason", "moved", *OPERATOR).code == 0
        assert at_home("webhook", "enable", url, *OPERATOR).code == 0

        said = at_home("webhook", "replay", url, "--since", house.now.isoformat(), *OPERATOR, "--json")

        assert (said.code, said.document["count"] >= 1) == (0, True)
        (row,) = at_home("webhook", "list", "--json").document["data"]
        assert row["waiting"] == said.document["count"]


class TestOutbox:
    def test_shows_what_did_not_arrive_and_lets_it_be_tried_again(self, at_home: Line, house: House) -> None:
        endpoint = an_endpoint(house)
        (row,) = deliveries(house, "gone@example.org", status="failed")
        assert endpoint
        listed = at_home("outbox", "list", "--status", "failed", "--json").document["data"]
        assert [(one["id"], one["recipient"]) for one in listed] == [(str(row), "gone@example.org")]

        assert at_home("outbox", "retry", "--all", "--reason", "mended", *OPERATOR).code == 0
        assert state_of(house, row).status == "waiting"
        assert at_home("outbox", "drop", str(row), "--reason", "nobody is there", *OPERATOR).code == 0
        assert state_of(house, row).status == "given_up"

    @pytest.mark.parametrize("ids", [[], ["nothing"], ["00000000-0000-0000-0000-000000000005"]])
    def test_names_what_it_does_not_find(self, at_home: Line, ids: list[str]) -> None:
        said = at_home("outbox", "retry", *ids, "--reason", "mended", *OPERATOR, "--json")

        assert (said.code, said.document["error"]["unmet"]) in ((2, ["message_not_found"]), (3, ["message_not_found"]))


class TestListen:
    def test_checks_what_comes_and_prints_it(self) -> None:
        options = ("--port", "0", "--count", "2", "--secret", SECRET)
        program = [sys.executable, "-m", "cli.main", "webhook", "listen", *options]
        body, at = b'{"type":"payout.paid","subject":"PO-1","id":"7"}', SystemClock().now()
        forged = SECRET.replace("c3Nz", "dHR0")
        with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            port = re.search(r"127\.0\.0\.1:(\d+)", process.stderr.readline())
            assert port is not None
            place = f"127.0.0.1:{port[1]}"
            sender = HttpsWebhooks(allow={place})
            sender.post(f"http://{place}/", headers_of("7", at, body, [SECRET]), body)
            with pytest.raises(Transient, match="HTTP 401"):
                sender.post(f"http://{place}/", headers_of("7", at, body, [forged]), body)
            out, _ = process.communicate(timeout=30)

        assert out.splitlines() == ["signed  payout.paid  PO-1  7", "wrong  payout.paid  PO-1  7"]

    @pytest.mark.parametrize("secret", ["secret", "whsec_x", "whsec_c2hvcnQ="])
    def test_refuses_a_secret_that_signs_nothing(self, line: Line, secret: str) -> None:
        assert line("webhook", "listen", "--port", "0", "--secret", secret).code == 2
