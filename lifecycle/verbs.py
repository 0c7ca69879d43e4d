"""Every verb of the house, imported once: what doors list, explain and bind."""

from lifecycle.commands import REGISTRY, Verb
from lifecycle.people import commands as _people
from lifecycle.projects import commands as _projects
from lifecycle.requirements import commands as _requirements
from lifecycle.reviews import commands as _reviews
from lifecycle.trials import commands as _trials

_IMPORTED = (_people, _projects, _requirements, _reviews, _trials)

VERBS: tuple[Verb, ...] = tuple(REGISTRY.values())  # type: ignore[type-arg]
"""In the order of their subjects."""
