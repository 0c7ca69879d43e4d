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


_MODULES: tuple[tuple[Mapping[str, Rule], frozenset[str]], ...] = (
    (intake.RULES, frozenset({"findings", "similar"})),
    (feasibility.RULES, frozenset()),
    (maturity.RULES, frozenset({"claims"})),
    (trial.RULES, frozenset({"batches", "characteristics", "findings", "tracks"})),
    (market.RULES, frozenset({"batches", "findings", "scenarios", "orders"})),
    (handoff.RULES, frozenset({"batches", "characteristics", "findings"})),
)

RULES: Mapping[str, Rule] = merged(*(rules for rules, _ in _MODULES))

READS: Mapping[str, frozenset[str]] = {name: reads for rules, reads in _MODULES for name in rules}
"""Rule -> the registers it looks at, besides evidence and what people decided: what nobody looks at is not read."""

REGISTERS = frozenset().union(*READS.values())
