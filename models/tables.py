"""Imports every module with tables, so that the metadata is whole wherever it is asked for."""

from models.base import metadata

# Table modules are imported here as they come, each as `import models.people` with F401 excused.

__all__ = ["metadata"]
