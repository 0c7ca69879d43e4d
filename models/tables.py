"""All tables, imported once, so that the metadata is complete for migrations and tests."""

from models import (
    evidence,
    holds,
    installation,
    journal,
    people,
    programmes,
    projects,
    reviews,
    trials,
)

__all__ = ["evidence", "holds", "installation", "journal", "people", "programmes", "projects", "reviews", "trials"]
