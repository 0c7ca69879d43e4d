"""The mails with links that a world has to send, written as the courier writes them."""

import re
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from models.db import transaction
from models.deliveries import Delivery
from models.reading import table_of
from notifications.fan_out import fan_out, waiting
from notifications.render import Frame, mail
from tests.factories import House
from tests.web.conftest import KEY

FRAME = Frame(database_id="0", zone=ZoneInfo("Asia/Shanghai"), console_url="http://console.example")
KEYED = Frame(database_id="0", zone=ZoneInfo("Asia/Shanghai"), console_url="http://console.example", secret=KEY)


def letters(house: House) -> list[EmailMessage]:
    """Take everything out of the outbox and return the mails with links in them, the oldest first."""
    with transaction(house.engine) as session:
        fanned = fan_out(session, waiting(session, limit=500), FRAME, house.stamp())
        assert fanned.parked == {}
        delivery = table_of(Delivery)
        kinds = ("invitation.sent", "invitation.link_asked")
        rows = session.execute(delivery.select().where(delivery.c.kind.in_(kinds)).order_by(delivery.c.id)).all()
    return [mail(row, KEYED, sender="pilotway@example.org", at=house.now) for row in rows]


def link_in(message: EmailMessage) -> str:
    """Return the path of the link in a mail."""
    body = message.get_body(("plain",))
    assert body is not None
    (found,) = re.findall(r"http://console\.example(/\S+)", body.get_content())
    return str(found)
