"""All rules of the standard by name, gathered from the modules of the stages."""

from collections.abc import Mapping

from lifecycle.stages import feasibility, handoff, intake, market, maturity, trial
from lifecycle.stages.rule import Rule


def merged(*tables: Mapping[str, Rule]) -> dict[str, Rule]:
    """Return one table of all rules; raises `ValueError` when two modules give a rule the same name."""
    rules: dict[str, Rule] = {}
    for table in tables:
        if twice := sorted(rules.keys() & table.keys()):
            raise ValueError(f"rule named twice: {', '.join(twice)}")
        rules |= table
    return rules


RULES: Mapping[str, Rule] = merged(
    intake.RULES, feasibility.RULES, maturity.RULES, trial.RULES, market.RULES, handoff.RULES
)
