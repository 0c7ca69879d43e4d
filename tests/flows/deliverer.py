"""A worker for tests that stop or kill it: delivers what is due, prints what it did."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime

from flows.outbox import deliver
from models.db import make_engine
from notifications.channels import EmailChannel
from tests.delivering import a_courier
from tests.factories import House

database, smtp_url, now = sys.argv[1:]
house = House(make_engine(database), now=datetime.fromisoformat(now).astimezone(UTC))
sys.stdout.write("ready\n")
sys.stdout.flush()
done = deliver(house.engine, a_courier(house, mailer=EmailChannel(url=smtp_url), holder="child"), house.stamp())
sys.stdout.write(json.dumps(asdict(done)))
