"""Mail and chat, against real servers on loopback; the twins say the same."""

import io
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from email.header import decode_header, make_header
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.feishu import NotifyFeishu
from apprise.plugins.wecombot import NotifyWeComBot

from models.ports import Said, SendResult, Transient
from notifications import channels
from notifications.channels import (
    AppriseChats,
    ChatsInMemory,
    ConsoleMailer,
    EmailChannel,
    MailInMemory,
    Unreachable,
    mailer_of,
)
from tests.notifications.test_webhooks import server_context
from tests.witness.mail import MailSink, free_port, mail_sink
from tests.witness.receiver import Receiver, receiver

SUBJECT = "PT-2026-0001: 推进到小批量试制"
TEXT = "下一步：提交试制记录。\n.\n完"


def a_mail(recipient: str = "li.wei@example.org") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Pilotway <pilotway@example.org>", recipient, SUBJECT
    mail["Message-ID"], mail["X-Pilotway-Dedupe-Key"] = "<1@pilotway>", "project.advanced:1:2"
    mail.set_content(TEXT)
    mail.add_alternative("<p>下一步</p>", subtype="html")
    return mail


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with mail_sink() as sink:
        yield sink


def channel(sink: MailSink, **values: Any) -> EmailChannel:
    return EmailChannel(url=f"smtp://127.0.0.1:{sink.port}", **values)


class TestMailer:
    """The real one and its twin say the same."""

    @pytest.fixture(params=["smtp", "memory"])
    def mailer(self, request: pytest.FixtureRequest, sink: MailSink) -> Any:
        return channel(sink) if request.param == "smtp" else MailInMemory()

    def kept(self, mailer: Any, sink: MailSink) -> list[Any]:
        return mailer.sent if isinstance(mailer, MailInMemory) else [mail for _, mail in sink.mails]

    def test_hands_over_one_mail_with_its_id_and_key(self, mailer: Any, sink: MailSink) -> None:
        assert mailer.send(a_mail()).said is Said.ACCEPTED
        (mail,) = self.kept(mailer, sink)
        assert (mail["Message-ID"], mail["X-Pilotway-Dedupe-Key"]) == ("<1@pilotway>", "project.advanced:1:2")
        assert str(make_header(decode_header(mail["Subject"]))) == SUBJECT

    def test_takes_550_as_a_refusal_of_this_recipient_only(self, mailer: Any, sink: MailSink) -> None:
        sink.refuses["gone@example.org"] = "550 5.1.1 no such user"
        if isinstance(mailer, MailInMemory):
            mailer.answers["gone@example.org"] = SendResult(Said.REFUSED, "550 5.1.1 no such user")

        assert mailer.send(a_mail("gone@example.org")) == SendResult(Said.REFUSED, "550 5.1.1 no such user")
        assert mailer.send(a_mail()).said is Said.ACCEPTED
        assert len(self.kept(mailer, sink)) == 1

    def test_leaves_450_for_a_later_try(self, mailer: Any, sink: MailSink) -> None:
        sink.refuses["busy@example.org"] = "450 4.2.0 greylisted"
        if isinstance(mailer, MailInMemory):
            mailer.answers["busy@example.org"] = Transient("450 4.2.0 greylisted")

        with pytest.raises(Transient, match="450"):
            mailer.send(a_mail("busy@example.org"))

        assert not self.kept(mailer, sink)


class TestSmtp:
    def test_carries_chinese_and_lone_dots_whole(self, sink: MailSink) -> None:
        channel(sink).send(a_mail())

        mail: Any = sink.mails[0][1]
        text, html = mail.get_payload()
        assert text.get_payload(decode=True).decode().splitlines() == TEXT.splitlines()
        assert "<p>下一步</p>" in html.get_payload(decode=True).decode()

    def test_keeps_its_connection_from_one_accepted_mail_to_the_next(self, sink: MailSink) -> None:
        sink.refuses["gone@example.org"] = "550 5.1.1 no such user"
        with channel(sink).many() as line:
            said = [line.send(a_mail(one)).said for one in ("a@x.org", "b@x.org", "gone@example.org", "c@x.org")]

        assert said == [Said.ACCEPTED, Said.ACCEPTED, Said.REFUSED, Said.ACCEPTED]
        assert len(sink.peers) == 2  # after a refusal the next mail begins anew
        assert len(sink.mails) == 3

    def test_comes_back_to_a_server_that_let_go_meanwhile(self, sink: MailSink) -> None:
        with channel(sink).many() as line:
            line.send(a_mail())
            sink.hang_up()

            assert line.send(a_mail()).said is Said.ACCEPTED
        assert len(sink.mails) == len(sink.peers) == 2

    def test_refuses_an_address_that_no_server_need_know(self, sink: MailSink) -> None:
        assert channel(sink).send(a_mail("李@example.org")).said is Said.REFUSED

    def test_is_unsure_when_the_server_hangs_up_after_the_text(self, sink: MailSink) -> None:
        sink.hangs_up = True

        assert channel(sink).send(a_mail()).said is Said.UNSURE
        assert len(sink.mails) == 1  # it had taken it: the repeat bears the same Message-ID

    def test_is_unsure_when_the_server_dawdles(self, sink: MailSink) -> None:
        sink.seconds = 1.0

        assert channel(sink, total_seconds=0.3).send(a_mail()).said is Said.UNSURE

    @pytest.mark.parametrize(
        ("answer", "said"), [("554 5.7.1 looks like spam", Said.REFUSED), ("451 4.3.0 later", None)]
    )
    def test_hears_what_is_said_after_the_text(self, sink: MailSink, answer: str, said: Said | None) -> None:
        sink.at_data = answer

        if said is None:
            with pytest.raises(Transient, match="451"):
                channel(sink).send(a_mail())
        else:
            assert channel(sink).send(a_mail()) == SendResult(said, answer)

    def test_leaves_a_refused_sender_for_a_later_try(self, sink: MailSink) -> None:
        """It is no fault of the recipient's, and somebody may mend it."""
        sink.at_mail = "553 5.7.1 sender not allowed"

        with pytest.raises(Transient, match="553"):
            channel(sink).send(a_mail())

    def test_finds_nobody_where_421_is_said_at_the_door(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:

            def shut() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"421 4.3.2 closing\r\n")

            thread = threading.Thread(target=shut)
            thread.start()
            with pytest.raises(Unreachable, match="421"):
                EmailChannel(url=f"smtp://127.0.0.1:{server.getsockname()[1]}").send(a_mail())
            thread.join()

    def test_finds_nobody_at_a_closed_port(self) -> None:
        with pytest.raises(Unreachable):
            EmailChannel(url=f"smtp://127.0.0.1:{free_port()}").send(a_mail())

    def test_finds_nobody_behind_a_silent_door(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            pytest.raises(Unreachable),
        ):
            EmailChannel(url=f"smtp://127.0.0.1:{server.getsockname()[1]}", connect_seconds=0.2).send(a_mail())

    def test_speaks_tls_where_it_is_offered(self, tmp_path: Path) -> None:
        with mail_sink(tls_context=server_context(tmp_path, "localhost"), require_starttls=True) as sink:
            context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))

            assert EmailChannel(url=f"smtp://localhost:{sink.port}", context=context).send(a_mail()).said == "accepted"

    def test_tells_nothing_to_a_server_it_cannot_verify(self, tmp_path: Path) -> None:
        with mail_sink(tls_context=server_context(tmp_path, "localhost"), require_starttls=True) as sink:
            with pytest.raises(Unreachable, match=r"(?i)certificate"):
                EmailChannel(url=f"smtp://localhost:{sink.port}").send(a_mail())

            assert not sink.mails

    def test_speaks_tls_from_the_first_byte_with_smtps(self, tmp_path: Path) -> None:
        with mail_sink(ssl_context=server_context(tmp_path, "localhost")) as sink:
            context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))

            assert EmailChannel(url=f"smtps://localhost:{sink.port}", context=context).send(a_mail()).said == "accepted"

    def test_asks_for_tls_where_the_address_says_so(self, sink: MailSink) -> None:
        with pytest.raises(Unreachable, match="STARTTLS"):
            EmailChannel(url=f"smtp://127.0.0.1:{sink.port}/?starttls=required").send(a_mail())

    @pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
    def test_signs_in_with_the_name_of_the_address(self) -> None:
        with mail_sink(asks_password=True) as sink:
            at = f"127.0.0.1:{sink.port}"

            assert EmailChannel(url=f"smtp://li%40x:right@{at}").send(a_mail()).said is Said.ACCEPTED
            with pytest.raises(Unreachable, match="535"):
                EmailChannel(url=f"smtp://li%40x:wrong@{at}").send(a_mail())
            assert sink.logins[0] == (b"li@x", b"right")

    def test_shows_no_password(self) -> None:
        assert "right" not in repr(EmailChannel(url="smtp://li:right@mail.example.org"))


class TestConsole:
    def test_takes_mail_where_no_server_is_set(self) -> None:
        stream = io.StringIO()

        mailer = mailer_of(None, stream)

        assert isinstance(mailer, ConsoleMailer)
        assert mailer.send(a_mail()).said is Said.ACCEPTED
        assert SUBJECT in stream.getvalue()
        assert "下一步：提交试制记录。" in stream.getvalue()


@pytest.fixture
def robot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Give a server that the robots of three chats lead to."""
    with receiver() as told:
        for plugin in (NotifyDingTalk, NotifyFeishu, NotifyWeComBot):
            monkeypatch.setattr(plugin, "notify_url", f"http://{told.place}/")
        yield told


ROBOTS = {
    "dingtalk": "dingtalk://SECabcdef@abcdef0123456789",
    "feishu": "feishu://abcdef0123456789",
    "wecom": "wecombot://abcdef01-0123-0123-0123-0123456789ab",
}


class TestChatSender:
    """The real one and its twin say the same."""

    @pytest.fixture(params=["apprise", "memory"])
    def chats(self, request: pytest.FixtureRequest, robot: Receiver) -> Any:
        return AppriseChats(hosts={robot.place}) if request.param == "apprise" else ChatsInMemory()

    @pytest.mark.parametrize("name", ROBOTS)
    def test_hands_over_title_and_text(self, chats: Any, robot: Receiver, name: str) -> None:
        assert chats.post(ROBOTS[name], "推进", "下一步：提交").said is Said.ACCEPTED
        found = str(chats.posted) if isinstance(chats, ChatsInMemory) else said(robot)
        assert "推进" in found
        assert "下一步：提交" in found

    def test_leaves_what_was_not_taken_for_a_later_try(self, chats: Any, robot: Receiver) -> None:
        robot.status = 500
        if isinstance(chats, ChatsInMemory):
            chats.answers[ROBOTS["feishu"]] = Transient("not_taken")

        with pytest.raises(Transient, match="not_taken"):
            chats.post(ROBOTS["feishu"], "推进", "下一步")


def said(robot: Receiver) -> str:
    """Return what a robot was sent, its escapes read."""
    return json.dumps(json.loads(robot.calls[0][2]), ensure_ascii=False)


class TestApprise:
    def test_signs_for_dingtalk(self, robot: Receiver) -> None:
        AppriseChats(hosts={robot.place}).post(ROBOTS["dingtalk"], "x", "y")

        assert "sign=" in robot.calls[0][0]
        assert "timestamp=" in robot.calls[0][0]

    @pytest.mark.parametrize("url", ["nothing", "nosuch://x", "https://", ""])
    def test_refuses_what_is_no_address(self, url: str) -> None:
        assert AppriseChats().post(url, "x", "y") in (
            SendResult(Said.REFUSED, "url_wrong"),
            SendResult(Said.REFUSED, "host_not_allowed"),
        )

    @pytest.mark.parametrize(
        "url",
        ["json://{}/x", "form://{}/x", "mailto://u:p@{}", "matrix://u:p@{}/#r", "syslog://", "dbus://", "ntfy://{}/t"],
    )
    def test_reaches_nobody_inside_by_the_address_that_a_person_gave(self, url: str, robot: Receiver) -> None:
        answer = AppriseChats().post(url.format(robot.place), "x", "y")

        assert answer.said is Said.REFUSED
        assert not robot.calls

    @pytest.mark.parametrize("place", ["http://{}/x.json", "file:///etc/hostname", "/etc/hostname"])
    def test_sends_nobody_a_file_or_page_of_this_house(self, place: str, robot: Receiver) -> None:
        template = quote(place.format(robot.place), safe="")
        url = f"discord://{'1' * 18}/{'a' * 60}?template={template}"

        assert AppriseChats().post(url, "x", "y") == SendResult(Said.REFUSED, "host_not_allowed")
        assert not robot.calls

    def test_follows_no_service_to_a_place_inside(self, robot: Receiver) -> None:
        """What the service answered, its name or a redirect leads to an address of this house."""
        with pytest.raises(Transient, match="not_taken"):
            AppriseChats().post(ROBOTS["feishu"], "x", "y")

        assert not robot.calls

    def test_gives_up_a_robot_that_drips(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stop = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as server:
            place = f"127.0.0.1:{server.getsockname()[1]}"

            def drip() -> None:
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    while not stop.wait(0.05):
                        connection.send(b"H")

            thread = threading.Thread(target=drip)
            thread.start()
            monkeypatch.setattr(channels, "TOTAL_SECONDS", 0.5)
            with pytest.raises(Transient, match="not_taken"):
                AppriseChats(hosts={place}).post(f"json://{place}/x", "x", "y")
            stop.set()
            thread.join()

    def test_reaches_a_chat_server_of_ones_own(self, robot: Receiver) -> None:
        assert AppriseChats(hosts={robot.place}).post(f"json://{robot.place}/x", "推进", "y").said is Said.ACCEPTED
        assert "推进" in said(robot)
