"""Charts define, a table compiled from them judges: the row, the session and the clock are never seen here."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from statemachine import StateChart

from lifecycle.errors import Refused, Unmet

Rule: TypeAlias = Callable[[Any], tuple[Unmet, ...]]
Arrow: TypeAlias = tuple[str, tuple[Rule, ...]]


_INPUT = "is_about_input"


class Chart(StateChart[Any]):
    """Base of all charts: no event is ever swallowed, no error is ever hidden."""

    allow_event_without_transition = False
    catch_errors_as_events = False
    atomic_configuration_update = True


def judged(rules: tuple[Rule, ...], facts: object) -> tuple[Unmet, ...]:
    """Ask all rules and return every reason they name, so that a person mends everything at once."""
    return tuple(reason for rule in rules for reason in rule(facts))


def about_input(rule: Rule) -> Rule:
    """Mark a rule that speaks of what the command itself says: nobody can be told about it before saying it."""
    setattr(rule, _INPUT, True)
    return rule


def of_the_situation(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return the rules that can be asked before anybody says anything: what `explain` asks."""
    return tuple(rule for rule in rules if not getattr(rule, _INPUT, False))


def _judge(rules: tuple[Rule, ...], facts: object) -> None:
    reasons = judged(rules, facts)
    if reasons:
        raise Refused(*reasons)


def requires(*rules: Rule) -> Callable[..., None]:
    """Make the one validator of an arrow; `compiled` reads the rules back from it."""
    return functools.partial(_judge, rules)


@functools.cache
def compiled(chart: type[Chart]) -> Mapping[tuple[str, str], Arrow]:
    """Return (state, event) -> (target, rules), built once per chart.

    Raises `TypeError` for what a table cannot hold: conditions, actions, two arrows for one (state, event).
    """
    table: dict[tuple[str, str], Arrow] = {}
    for state in chart.states:
        for transition in state.transitions:
            rules = _rules_of(chart, transition)
            for event in transition.events:
                key = (str(state.value), str(event).removesuffix("_"))
                if key in table:
                    raise TypeError(f"{chart.__name__}: two arrows for {key}")
                table[key] = (str(transition.target.value), rules)
    return table


def _rules_of(chart: type[Chart], transition: Any) -> tuple[Rule, ...]:
    for group in (transition.cond, transition.before, transition.on, transition.after):
        if [spec for spec in group if not spec.is_convention]:
            raise TypeError(f"{chart.__name__}: an arrow has validators only, no condition and no action")
    validators = [spec.func for spec in transition.validators if not spec.is_convention]
    if not validators:
        return ()
    if len(validators) > 1 or getattr(validators[0], "func", None) is not _judge:
        raise TypeError(f"{chart.__name__}: an arrow has one validator, made by requires()")
    rules: tuple[Rule, ...] = validators[0].args[0]
    return rules


def decide(chart: type[Chart], state: str, event: str, facts: object) -> str:
    """Return the state that the event leads to; raise `Refused` with every unmet reason."""
    arrow = compiled(chart).get((state, event))
    if arrow is None:
        raise Refused(not_possible(event, state))
    target, rules = arrow
    _judge(rules, facts)
    return target


def not_possible(event: str, state: str) -> Unmet:
    """Return the reason for an arrow that the chart does not have."""
    return Unmet(code=f"{event}_not_possible_when_{state}", values={"verb": event, "state": state})


@dataclass(frozen=True, slots=True)
class Option:
    """A verb that the state knows, with what still stands in its way."""

    event: str
    target: str
    unmet: tuple[Unmet, ...]


def options(chart: type[Chart], state: str, facts: object) -> tuple[Option, ...]:
    """Return every verb that leads on from this state, judged by the same rules as `decide`."""
    return tuple(
        Option(event, target, judged(rules, facts))
        for (source, event), (target, rules) in compiled(chart).items()
        if source == state
    )


def edges(chart: type[Chart], renamed: Mapping[str, str] | None = None) -> tuple[tuple[str, str, str], ...]:
    """Return (event, from, to) of every arrow; `renamed` gives an arrow's public verb (`recycle_to_x` -> `recycle`)."""
    names = renamed or {}
    return tuple((names.get(event, event), source, target) for (source, event), (target, _) in compiled(chart).items())
