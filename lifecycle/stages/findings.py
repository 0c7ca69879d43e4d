"""Putting what several questions of one rule found into one answer that names everything in the way."""

from collections.abc import Iterable
from typing import Any

from lifecycle.stages.records import Computed
from lifecycle.stages.rule import met

_GRAVEST_FIRST = ("not_met", "missing", "not_enough_evidence", "cannot_start")


def together(findings: Iterable[Computed], **values: Any) -> Computed:
    """Return the gravest finding, with the values of all and all their codes in `problems`; met when there is none.

    A record that shows the opposite weighs more than an absent one: handing in the rest would not help.
    """
    found = sorted(findings, key=lambda finding: _GRAVEST_FIRST.index(finding.state))
    if not found:
        return met(**values)
    merged = {name: value for finding in found for name, value in finding.values.items()}
    codes = list(dict.fromkeys(finding.code for finding in found))
    first = found[0]
    return Computed(
        state=first.state, code=first.code, values={**values, **merged, "problems": codes}, suffices=first.suffices
    )
