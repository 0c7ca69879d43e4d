"""Refusals of webhook endpoints and of what was not delivered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from lifecycle.deliveries.commands import DisableEndpoint
from models.db import transaction
from models.deliveries import Delivery
from models.journal import OutboxMessage
from models.reading import table_of
from models.states import DeliveryStatus
from tests.factories import House, key
from tests.lifecycle.commands.refusals import again, done, made, refused, wrong
from tests.lifecycle.delivery_recipes import messages

NOWHERE = UUID(int=5)

for url in (
    "ftp://hooks.example.org/",
    "https://user:secret@hooks.example.org/",
    "https://hooks.example.org/a b",
    "https://hooks.example.org:port/",
    "https://hooks.example.org/#here",
    f"https://hooks.example.org/{'x' * 1000}",
    "nothing",
):
    wrong("webhook.add", "endpoint_url_wrong", url=url)
wrong("webhook.add", "endpoint_types_wrong", types=("payout",))
wrong("webhook.add", "endpoint_types_wrong", types=("*",))
wrong("webhook.add", "endpoint_secret_wrong", secret="whsec_c2hvcnQ=")
wrong("webhook.add", "endpoint_secret_wrong", secret="whsec_no base64, nowhere near it, of no use")
wrong("webhook.add", "endpoint_secret_wrong", secret="c" * 44)
wrong("webhook.add", "user_not_found", owner_id=NOWHERE)
wrong("webhook.add", "user_disabled", owner_id=lambda house: house.people["disabled"].user_id)
wrong("webhook.disable", "reason_missing", reason=" ")
wrong("webhook.rotate", "endpoint_secret_wrong", secret="")
wrong("webhook.replay", "nothing_to_replay", since_at=lambda house: house.now + timedelta(days=1))
wrong("webhook.replay", "nothing_to_replay", since_at=None)
wrong("webhook.replay", "nothing_to_replay", message_id=NOWHERE)
wrong("outbox.retry", "reason_missing", reason="")
wrong("outbox.drop", "reason_missing", reason="")
for verb in ("pause", "resume", "request"):
    wrong(f"schedule.{verb}", "reason_missing", reason=" ")
wrong("schedule.pause", "pause_is_over", until_on=lambda house: house.today - timedelta(days=1))
wrong("outbox.retry", "message_not_found", message_ids=(NOWHERE,))
wrong("outbox.drop", "message_not_found", message_ids=())


def _for_real(house: House) -> None:
    with house.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE installation SET mode = 'production'")


@refused("webhook.add", "endpoint_url_wrong")
def _without_tls_for_real_work(house: House) -> Any:
    _for_real(house)
    return made(house, "webhook.add", url="http://hooks.example.org/")


@refused("webhook.add", "endpoint_url_wrong")
def _at_another_port_for_real_work(house: House) -> Any:
    _for_real(house)
    return made(house, "webhook.add", url="https://hooks.example.org:8443/")


@refused("webhook.add", "already_exists")
def _at_the_same_address(house: House) -> Any:
    return again("webhook.add", done(house, "webhook.add"))


@refused("webhook.disable", "endpoint_disabled")
def _disabled_twice(house: House) -> Any:
    return again("webhook.disable", done(house, "webhook.disable"))


@refused("webhook.enable", "endpoint_active")
def _enabled_twice(house: House) -> Any:
    return again("webhook.enable", done(house, "webhook.enable"))


@refused("webhook.rotate", "rotation_running")
def _a_third_secret(house: House) -> Any:
    return again("webhook.rotate", done(house, "webhook.rotate"))


@refused("webhook.end_rotation", "no_rotation")
def _nothing_to_forget(house: House) -> Any:
    return again("webhook.end_rotation", done(house, "webhook.end_rotation"))


@refused("webhook.ping", "endpoint_disabled")
def _ping_of_what_is_disabled(house: House) -> Any:
    command = made(house, "webhook.ping")
    house.do(DisableEndpoint(command_id=key(), webhook_id=command.webhook_id, reason="moved"))
    return command


@refused("webhook.replay", "too_many_messages")
def _more_than_fit(house: House) -> Any:
    command = made(house, "webhook.replay")
    messages(house, *["payout.paid"] * 1001, at=command.since_at)
    return command


@refused("outbox.retry", "too_many_messages")
def _more_than_can_be_named(house: House) -> Any:
    command = made(house, "outbox.retry")
    return replace(command, message_ids=command.message_ids * 1001)


def _stand_at(house: House, status: DeliveryStatus) -> None:
    with transaction(house.engine) as session:
        for model in (Delivery, OutboxMessage):
            session.execute(table_of(model).update().values(status=status))


@refused("outbox.retry", "retry_not_possible_when_sent")
def _what_has_arrived(house: House) -> Any:
    command = made(house, "outbox.retry")
    _stand_at(house, DeliveryStatus.SENT)
    return command


@refused("outbox.retry", "retry_not_possible_when_waiting")
def _what_is_tried_anyhow(house: House) -> Any:
    command = made(house, "outbox.retry")
    _stand_at(house, DeliveryStatus.WAITING)
    return command


@refused("outbox.drop", "drop_not_possible_when_sent")
def _drop_what_has_arrived(house: House) -> Any:
    command = made(house, "outbox.drop")
    _stand_at(house, DeliveryStatus.SENT)
    return command


@refused("outbox.drop", "drop_not_possible_when_given_up")
def _drop_twice(house: House) -> Any:
    return again("outbox.drop", done(house, "outbox.drop"))


@refused("schedule.resume", "not_paused")
def _nothing_to_resume(house: House) -> Any:
    return replace(made(house, "schedule.resume"), schedule="backup")
