"""The options that commands share, given by decorators: `reads` for output, `acts` for who acts and how.

A decorated command takes what the options say as its first argument (`Output` or `Door`); the rest of its signature
is its own. The decorators also stand between a command and its errors: what goes wrong ends as an exit code.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, TypeVar

import typer

from cli.errors import guarded
from cli.output import Output, language

Function = TypeVar("Function", bound=Callable[..., Any])

AS_JSON = "as_json"


def _option(name: str, kind: Any, default: Any, *declarations: str, help: str, **rest: Any) -> inspect.Parameter:  # noqa: A002
    annotation = Annotated[kind, typer.Option(*declarations, help=help, **rest)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


OUTPUT = (
    _option(AS_JSON, bool, False, "--json", help="Print exactly one JSON document on stdout."),
    _option("fields", str, "", "--fields", metavar="A,B", help="Pick columns, separated by commas."),
    _option("lang", str | None, None, "--lang", metavar="zh-CN|en", help="Language of the output. [default: locale]"),
    _option("no_color", bool, False, "--no-color", envvar="NO_COLOR", show_envvar=False, help="No colours."),
    _option("quiet", bool, False, "--quiet", "-q", help="No talk on stderr."),
    _option("verbose", bool, False, "--verbose", "-v", help="Show the trace of an unexpected error."),
)
NOW = (_option("now", str | None, None, "--now", metavar="ISO", help="Play another instant (rehearsal only)."),)
ACTOR = (
    _option("as_login", str | None, None, "--as", metavar="LOGIN", help="Act as this user (rehearsal only)."),
    *NOW,
)
ACT = (
    *ACTOR,
    _option(
        "command_id", str | None, None, "--command-id", metavar="KEY", help="Idempotency key. [default: drawn anew]"
    ),
    _option("dry_run", bool, False, "--dry-run", help="Say what would happen and write nothing."),
    _option("is_sure", bool, False, "--yes", "-y", help="Do not ask."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is meant to act, when, and how."""

    as_login: str | None = None
    now: str | None = None
    command_id: str | None = None
    dry_run: bool = False
    is_sure: bool = False


def speaks(function: Function) -> Function:
    """Give a command the output options; it gets an `Output` and opens no database by itself."""
    return _with(function, OUTPUT, _speaker)


def reads(function: Function) -> Function:
    """Give a command the output options and `--now`; it gets a `Door` whose database it only reads."""
    return _with(function, (*NOW, *OUTPUT), _door)


def asks(function: Function) -> Function:
    """Give a command the output options, `--now` and `--as`; it gets a `Door` and asks in somebody's name."""
    return _with(function, (*ACTOR, *OUTPUT), _door)


def acts(function: Function) -> Function:
    """Give a command everything that a verb needs; it gets a `Door`."""
    return _with(function, (*ACT, *OUTPUT), _door)


def _with(
    function: Function,
    extra: tuple[inspect.Parameter, ...],
    opened: Callable[[Mapping[str, Any]], AbstractContextManager[Any]],
) -> Function:
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

    def run(**given: Any) -> None:
        shared = {parameter.name: given.pop(parameter.name) for parameter in extra}
        with guarded(_output(shared)), opened(shared) as first:
            function(first, **given)

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    run.__signature__ = inspect.Signature([*parameters, *extra])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*parameters, *extra)}
    return run  # type: ignore[return-value]


def _output(given: Mapping[str, Any]) -> Output:
    return Output(
        lang=language(given["lang"]),
        as_json=given[AS_JSON],
        fields=tuple(filter(None, given["fields"].split(","))),
        is_colourful=not given["no_color"],
        is_quiet=given["quiet"],
        is_verbose=given["verbose"],
    )


@contextmanager
def _speaker(given: Mapping[str, Any]) -> Iterator[Output]:
    yield _output(given)


@contextmanager
def _door(given: Mapping[str, Any]) -> Iterator[Any]:
    from cli.door import Door, here

    caller = Caller(**{name: given[name] for name in Caller.__slots__ if name in given})
    door = Door(output=replace(_output(given), zone=cache(here)), caller=caller)
    try:
        yield door
    finally:
        door.close()
