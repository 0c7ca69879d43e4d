"""Imports every module with tables, so that the metadata is whole wherever it is asked for."""

from models import (  # noqa: F401 - imported for the tables they hold
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
from models.base import metadata

__all__ = ["metadata"]
