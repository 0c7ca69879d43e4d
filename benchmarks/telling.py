"""From the outbox to people: messages taken out, and mails delivered, against the same statements by the driver."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from statistics import median
from zoneinfo import ZoneInfo

from benchmarks.stage import Place, captured, places, replay, server, timed
from benchmarks.table import Result
from flows.outbox import Courier, deliver
from flows.telling import CHUNK
from models.clock import FixedClock
from models.db import run_in_transaction
from models.ports import Mailer
from notifications import render
from notifications.channels import ChatsInMemory, EmailChannel, MailInMemory
from notifications.fan_out import fan_out, waiting
from notifications.render import Frame
from notifications.webhooks import WebhooksInMemory
from tests.factories import House, a_house, projects
from tests.witness.mail import mail_sink

RUNS, EACH = 3, 100
FRAME = Frame(database_id="00000000-0000-0000-0000-000000000000", zone=ZoneInfo("Asia/Shanghai"))


def run() -> list[Result]:
    """Measure on both databases."""
    with server() as address:
        return [result for place in places(address) for result in _on(place)]


def _on(place: Place) -> Iterator[Result]:
    house = a_house(place.engine)
    _taken_out(house)  # the people and the programmes of the house; compiles the templates too
    deliver(place.engine, _courier(house, MailInMemory()), house.stamp())
    told, bare_told, sent, bare_sent = [], [], [], []
    for _ in range(RUNS):
        projects(house, EACH)
        with closing(place.driver(place.copy())) as connection:
            with captured(place.engine) as kept:
                told.append(timed(partial(_taken_out, house)))
            bare_told.append(timed(partial(replay, connection, kept)))
            with captured(place.engine) as kept:
                mails = MailInMemory()
                sent.append(
                    timed(partial(deliver, place.engine, _courier(house, mails), house.stamp())) / len(mails.sent)
                )
            bare_sent.append(timed(partial(replay, connection, kept)) / len(mails.sent))
    figure = f"{EACH / median(told):,.0f} messages/s, bare {EACH / median(bare_told):,.0f}/s"
    ratios = tuple(bare / ours for ours, bare in zip(told, bare_told, strict=True))
    yield Result(mark="–", work=f"take messages out of the outbox, {place.kind}", figure=figure, ratios=ratios)
    figure = f"{1 / median(sent):,.0f} mails/s, bare {1 / median(bare_sent):,.0f}/s"
    ratios = tuple(bare / ours for ours, bare in zip(sent, bare_sent, strict=True))
    yield Result(mark="–", work=f"write, deliver in memory and mark, {place.kind}", figure=figure, ratios=ratios)
    yield _by_smtp(place, house)


def _taken_out(house: House) -> None:
    while True:
        done = run_in_transaction(
            house.engine, lambda session: fan_out(session, waiting(session, limit=CHUNK), FRAME, house.stamp())
        )
        if done.parked:
            raise RuntimeError(str(done.parked))
        if done.sent < CHUNK:
            return


def _by_smtp(place: Place, house: House) -> Result:
    """Deliver by SMTP to a server on this machine: its time, in Python too, is part of the figure."""
    rates = []
    for _ in range(RUNS):
        projects(house, EACH)
        _taken_out(house)
        with mail_sink() as sink:
            mailer = EmailChannel(url=f"smtp://127.0.0.1:{sink.port}")
            seconds = timed(partial(deliver, place.engine, _courier(house, mailer), house.stamp()))
            rates.append(len(sink.mails) / seconds)
            connections = len(sink.peers)
    figure = f"{median(rates):,.0f} mails/s by {connections} connections"
    return Result(mark="–", work=f"the same by SMTP to a server in Python on this machine, {place.kind}", figure=figure)


def _courier(house: House, mailer: Mailer) -> Courier:
    return Courier(
        mailer=mailer,
        chats=ChatsInMemory(),
        webhooks=WebhooksInMemory(),
        clock=FixedClock(house.now),
        write_mail=lambda row: render.mail(row, FRAME, sender="pilotway@example.org", at=house.now),
        write_chat=lambda row: render.chat(row, FRAME),
        holder="bench",
        source="urn:uuid:bench",
    )
