"""Which pages are generated, and by what."""

from collections.abc import Callable, Mapping

from docs.generate.charts import charts
from docs.generate.clock import clock
from docs.generate.commandline import command_line, settings
from docs.generate.deployments import prefect_file
from docs.generate.licences import third_party
from docs.generate.markdown import ROOT
from docs.generate.messages import messages
from docs.generate.standard import standard
from docs.generate.verbs import verbs

PAGES: Mapping[str, Callable[[], str]] = {
    "THIRD_PARTY.md": third_party,
    "deploy/prefect.yaml": prefect_file,
    "docs/charts.md": charts,
    "docs/cli.md": command_line,
    "docs/clock.md": clock,
    "docs/messages.md": messages,
    "docs/settings.md": settings,
    "docs/standard.md": lambda: standard("en"),
    "docs/standard.zh-CN.md": lambda: standard("zh-CN"),
    "docs/verbs.md": verbs,
}
"""Path in the repository -> what writes the page."""


def write_all() -> None:
    """Write every page anew."""
    for name, made in PAGES.items():
        (ROOT / name).write_text(made(), encoding="utf-8")
