"""What tests of messages have in common."""

from typing import Any
from zoneinfo import ZoneInfo

from notifications.render import Frame

FRAME = Frame(database_id="d0d0", zone=ZoneInfo("Asia/Shanghai"))


def to(*, is_task: bool = False, name: str = "李工", why: str = "project_lead") -> dict[str, Any]:
    """Return for whom a message is, as its facts say it."""
    return {"you": {"name": name, "why": why, "is_task": is_task}}
