"""Imports every module with tables, so that the metadata is whole wherever it is asked for: migrations, checks, tests."""

from models.base import metadata

# Table modules are imported here as they come: `import models.people  # noqa: F401`.

__all__ = ["metadata"]
