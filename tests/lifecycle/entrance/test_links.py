"""The key that links follow from, and who can make one of it."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flows.telling import courier_of, frame_of
from lifecycle.access.queries import fingerprint
from lifecycle.entrance.links import secret_of, token_of
from models.db import transaction
from models.deliveries import Delivery
from models.ids import new_id
from models.reading import table_of
from models.settings import Settings
from models.states import Role
from notifications.fan_out import fan_out, waiting
from notifications.render import Unreadable, letter, mail
from tests.factories import House
from tests.lifecycle.entrance_recipes import an_invitation

ONE = UUID(int=1)


class TestTheKey:
    def test_is_what_the_file_says(self, tmp_path: Path) -> None:
        path = tmp_path / "secret"
        path.write_text("a key\n")

        assert secret_of(Settings(secret_file=path), database_id="1", is_rehearsal=False) == b"a key"

    def test_follows_from_the_database_in_a_rehearsal_alone(self) -> None:
        found = {one: secret_of(Settings(), database_id="1", is_rehearsal=one) for one in (True, False)}

        assert found == {True: b"rehearsal:1", False: None}

    @pytest.mark.parametrize("is_rehearsal", [True, False])
    def test_is_none_where_the_file_is_empty_or_away(self, tmp_path: Path, *, is_rehearsal: bool) -> None:
        (tmp_path / "empty").touch()

        for name in ("empty", "away"):
            settings = Settings(secret_file=tmp_path / name)
            assert secret_of(settings, database_id="1", is_rehearsal=is_rehearsal) is None


class TestALink:
    def test_is_another_one_for_each_row_and_each_key(self) -> None:
        found = {token_of(key, one) for key in (b"a", b"b") for one in (ONE, UUID(int=2))}

        assert len(found) == 4
        assert token_of(b"a", ONE) == token_of(b"a", str(ONE))

    def test_is_made_by_the_courier_and_by_nobody_who_only_looks(self, house: House) -> None:
        row, token = self._sent(house)

        courier = courier_of(house.engine, Settings(), house.stamp())
        written = courier.write_mail(row).get_body(("plain",))
        looked = letter(row, frame_of(house.engine, Settings())).text

        assert written is not None
        assert f"http://127.0.0.1:8701/invite/{token}" in written.get_content()
        assert token not in looked
        assert "/invite/…" in looked

    def test_parks_its_mail_where_there_is_no_key(self, house: House) -> None:
        row, _ = self._sent(house)

        with pytest.raises(Unreadable, match="PILOTWAY_SECRET_FILE"):
            mail(row, frame_of(house.engine, Settings()), sender="pilotway@example.org", at=house.now)

    def test_begins_with_the_address_that_is_set(self, house: House) -> None:
        row, _ = self._sent(house)
        courier = courier_of(house.engine, Settings(api="https://pilot.example.org/"), house.stamp())

        written = courier.write_mail(row).get_body(("plain",))

        assert written is not None
        assert "https://pilot.example.org/invite/" in written.get_content()

    @staticmethod
    def _sent(house: House) -> tuple[Any, str]:
        """Return the delivery of an invitation, and what its link ends in."""
        frame, made = frame_of(house.engine, Settings()), new_id()
        token = token_of(f"rehearsal:{frame.database_id}".encode(), made)
        house.do(an_invitation(house, invitation_id=made, token_sha256=fingerprint(token)), by=Role.ADMIN)
        with transaction(house.engine) as session:
            fan_out(session, waiting(session, limit=500), frame, house.stamp())
            delivery = table_of(Delivery)
            row = session.execute(delivery.select().where(delivery.c.kind == "invitation.sent")).one()
        return row, token
