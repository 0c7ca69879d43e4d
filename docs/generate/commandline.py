"""`docs/cli.md`: the tree of commands with their help, and `docs/settings.md`: what can be set from outside."""

from collections.abc import Iterator
from typing import Any

import typer

from cli.main import app
from docs.generate.markdown import code, page, table
from models.settings import PREFIX, Settings

_CLI = """# Command line

`pilotway NOUN VERB …`. Every command knows `--help`; the options of the first table mean the same wherever they are
offered, and are not repeated below. Exit codes and JSON: [contract.md](contract.md), section 5."""

_SHARED = frozenset(
    {"--json", "--fields", "--lang", "--no-color", "--quiet", "--verbose", "--now", "--as", "--command-id"}
    | {"--dry-run", "--yes", "--help"}
)


def command_line() -> str:
    """Return the page: the shared options, the tree, then each command with its arguments and options."""
    found = list(_commands(typer.main.get_command(app), ("pilotway",)))
    shared: dict[str, str] = {}
    for context in found:
        shared |= {names: text for names, text in _options(context) if _is_shared(names)}
    tree = table(("Command", "What it does"), ((code(_path(one)), _help(one)) for one in found))
    return page(
        _CLI,
        table(("Option", "Meaning"), ((code(names), text) for names, text in shared.items())),
        "## All commands",
        tree,
        *(_section(one) for one in found),
    )


def settings() -> str:
    """Return the page of the environment variables, each with its reason and an example."""
    rows = (
        (code(f"{PREFIX}{name.upper()}"), field.description or "", code(field.default) if field.default else "–")
        for name, field in Settings.model_fields.items()
    )
    intro = (
        "# Settings\n\nAll from the environment. An unknown `PILOTWAY_…` variable or a value that cannot be read"
        " refuses to start (exit 2) and names the variable; `pilotway doctor` looks whether what is set can work."
    )
    return page(intro, table(("Variable", "What it is for", "Default"), rows))


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield one context per command, those made of a dataclass as they really are."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield command.make_context(" ".join(path), [], resilient_parsing=True)
        return
    for name, one in inner.items():
        yield from _commands(one, (*path, name))


def _path(context: Any) -> str:
    return str(context.info_name)


def _help(context: Any) -> str:
    return " ".join((context.command.help or "").split())


def _options(context: Any) -> Iterator[tuple[str, str]]:
    for parameter in context.command.params:
        record = parameter.get_help_record(context)
        if record is not None:
            yield record[0].strip(), " ".join(record[1].split())


def _is_shared(names: str) -> bool:
    return bool(_SHARED & set(names.replace(",", " ").split()))


def _section(context: Any) -> str:
    own = [(code(names), text) for names, text in _options(context) if not _is_shared(names)]
    usage = " ".join(context.command.get_usage(context).split()).removeprefix("Usage: ")
    parts = [f"### {_path(context)}", _help(context), f"```\n{usage}\n```"]
    return "\n\n".join([*parts, table(("Argument or option", "Meaning"), own)] if own else parts)
