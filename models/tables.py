"""Imports every module with tables, so that the metadata is whole wherever it is asked for."""

from models import evidence, holds, installation, journal, people, programmes, projects, reviews, trials
from models.base import metadata

__all__ = [
    "evidence",
    "holds",
    "installation",
    "journal",
    "metadata",
    "people",
    "programmes",
    "projects",
    "reviews",
    "trials",
]
