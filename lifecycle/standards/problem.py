"""What is wrong with a standard pack, as a code with its place; the sentence stands in `notifications/locale`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong, where it stands and the values its sentence needs."""

    code: str
    path: str
    """Place in the pack, named and not counted: `small_batch_trial/criteria/G3.4/parameters/bound`."""
    values: Mapping[str, Any] = field(default_factory=dict)
    line: str | None = None
    """`small_batch_trial.yaml:57`, when the pack comes from files."""

    @property
    def clause(self) -> str | None:
        """Return the clause this is about, None when it is about a stage, an evidence type or the pack."""
        _, found, rest = self.path.partition("/criteria/")
        return rest.partition("/")[0] if found else None

    def __str__(self) -> str:
        place = f"{self.line} {self.path}" if self.line else self.path
        said = ", ".join(f"{name} {value}" for name, value in self.values.items())
        return f"{place}: {self.code}" + (f" ({said})" if said else "")


def located(problems: list[Problem], lines: Mapping[str, str]) -> list[Problem]:
    """Return the problems with the line of their path, or of the nearest part around it that has one."""
    return [replace(problem, line=line_of(problem.path, lines)) for problem in problems]


def line_of(path: str, lines: Mapping[str, str]) -> str | None:
    """Return the line of this path or of the nearest part around it; None when nothing around it is known."""
    while path:
        if path in lines:
            return lines[path]
        path = path.rpartition("/")[0]
    return None
