"""`docs/charts.md`: what moves and what asks for it, drawn and listed from the charts themselves."""

import inspect

from docs.generate.markdown import ROOT, code, link, link_to, name_of, one_line, page, table
from lifecycle.chart import Chart, Rule, compiled
from lifecycle.verbs import CHARTS, all_edges

_TITLES = {
    "project": "Project",
    "stage_run": "Visit of a stage",
    "review": "Gate review",
    "milestone": "Tranche",
    "payout": "Payout",
    "batch": "Payment batch",
}


def charts() -> str:
    """Return the page: one diagram, one table of arrows and one list of rules for each chart."""
    intro = (
        "# Charts\n\nAn arrow leads from a state to a state when every rule it names finds nothing in the way."
        " A verb may ask for more than its arrow does: [verbs.md](verbs.md) lists that. An arrow from nothing is a"
        " birth; it is judged by the verb alone."
    )
    return page(intro, *(_section(object_type) for object_type in CHARTS))


def _section(object_type: str) -> str:
    chart, version, public = CHARTS[object_type]
    arrows = [
        (source, public.get(event, event), target, rules)
        for (source, event), (target, rules) in compiled(chart).items()
    ]
    births = [
        ("", event, target, ()) for kind, _, event, source, target in all_edges() if kind == object_type and not source
    ]
    rules = dict.fromkeys(rule for _, _, _, asked in arrows for rule in asked)
    head = f"## {_TITLES[object_type]}\n\n{one_line(chart.__doc__)} Version {version}, {_file(chart)}."
    parts = [head, _diagram([*births, *arrows]), _arrows([*births, *arrows])]
    if rules:
        parts.append(table(("Rule", "What it asks"), ((link_to(rule), one_line(rule.__doc__)) for rule in rules)))
    return "\n\n".join(parts)


def _file(chart: type[Chart]) -> str:
    path = ROOT.joinpath(*chart.__module__.split(".")).with_suffix(".py")
    return link(f"`{chart.__name__}`", path, inspect.getsourcelines(chart)[1])


Arrows = list[tuple[str, str, str, tuple[Rule, ...]]]


def _diagram(arrows: Arrows) -> str:
    leaving = {source for source, *_ in arrows}
    ends = dict.fromkeys(target for _, _, target, _ in arrows if target not in leaving)
    lines = [f"    {source or '[*]'} --> {target}: {verb}" for source, verb, target, _ in arrows]
    lines += [f"    {end} --> [*]" for end in ends]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def _arrows(arrows: Arrows) -> str:
    rows = (
        (code(source) if source else "–", code(verb), code(target), code(*map(name_of, rules)))
        for source, verb, target, rules in arrows
    )
    return table(("From", "Verb", "To", "Rules of the arrow"), rows)
