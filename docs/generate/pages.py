"""Which pages are generated, and by what."""

from collections.abc import Callable, Mapping

from docs.generate.charts import charts
from docs.generate.commandline import command_line, settings
from docs.generate.markdown import ROOT
from docs.generate.standard import standard
from docs.generate.verbs import verbs

PAGES: Mapping[str, Callable[[], str]] = {
    "charts.md": charts,
    "cli.md": command_line,
    "settings.md": settings,
    "standard.md": lambda: standard("en"),
    "standard.zh-CN.md": lambda: standard("zh-CN"),
    "verbs.md": verbs,
}
"""Name in `docs/` -> what writes it."""


def write_all() -> None:
    """Write every page anew."""
    for name, made in PAGES.items():
        (ROOT / "docs" / name).write_text(made(), encoding="utf-8")
