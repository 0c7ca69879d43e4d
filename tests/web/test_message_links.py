"""Messages lead to pages that are there."""

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Match

from models.ids import new_id
from notifications.facts import _place
from notifications.sources import _TABLES

NAMES = {"number": "X-1", "project": "PT-2025-0001", "fund": "F1", "code": "hardware", "version": "v3.1"}
WITHOUT_A_PAGE = {"programme", "organisation", "user", "webhook"}


def is_a_page(console: FastAPI, path: str) -> bool:
    """Say whether the console answers at an address with a page of its own."""
    asked: dict[str, Any] = {"type": "http", "path": path, "method": "GET", "headers": []}
    return any(route.matches(asked)[0] is Match.FULL for route in console.router.routes)


class TestAMessage:
    @pytest.mark.parametrize("object_type", sorted(_TABLES.keys() - WITHOUT_A_PAGE))
    def test_links_to_a_page_of_the_console(self, console: FastAPI, object_type: str) -> None:
        row = SimpleNamespace(kind="x", object_type=object_type, object_id=new_id())

        page = _place(row, None, NAMES)["page"]

        assert is_a_page(console, f"/{page}")
        assert "None" not in page

    def test_of_what_is_due_links_to_the_inbox(self, console: FastAPI) -> None:
        row = SimpleNamespace(kind="reminder.due", object_type="user", object_id=new_id())

        assert _place(row, None, NAMES) == {"page": "inbox", "command": "pilotway notify list"}
        assert is_a_page(console, "/inbox")
