"""Usage errors in the language of who typed: the parser speaks English only, its few forms have sentences here."""

import re
from collections.abc import Sequence
from contextlib import suppress

import typer

from cli.output import language
from notifications.words import Lang, sentence

_FORMS = (
    (re.compile(r"Invalid value for (?P<where>.+?): (?P<what>.*)", re.DOTALL), "usage_value"),
    (re.compile(r"Invalid value: (?P<what>.*)", re.DOTALL), "usage_value_somewhere"),
    (re.compile(r"(?:Value error, )?(?P<given>'.*?') is not one of (?P<known>'.*')\.?"), "usage_choice"),
    (re.compile(r"(?P<given>.+) is not in the range (?P<known>.+)\."), "usage_range"),
    (re.compile(r"Missing (?:option|parameter)(?P<where>.*?)\.(?:.*)", re.DOTALL), "usage_option_missing"),
    (re.compile(r"Missing argument(?P<where>.*?)\.(?:.*)", re.DOTALL), "usage_argument_missing"),
    (re.compile(r"No such option: (?P<given>\S+)(?P<hint>.*)", re.DOTALL), "usage_option_unknown"),
    (re.compile(r"No such command (?P<given>'.*?')\.(?P<hint>.*)", re.DOTALL), "usage_command_unknown"),
    (re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((?P<given>.*)\)"), "usage_argument_extra"),
    (re.compile(r"Option (?P<where>\S+) requires an argument\.?"), "usage_option_empty"),
)
"""What the parser says -> the sentence that says it too; `what` is itself one of these, or a sentence of ours."""


def wanted_language(arguments: Sequence[str]) -> Lang:
    """Return the language that a command line which could not be parsed asks for, else that of the locale."""
    wanted = None
    for place, word in enumerate(arguments):
        if word.startswith("--lang="):
            wanted = word.partition("=")[2]
        elif word == "--lang":
            wanted = next(iter(arguments[place + 1 :]), None)
    with suppress(typer.BadParameter):
        return language(wanted)
    return language(None)


def usage_said(said: str, lang: Lang) -> str:
    """Return what the parser said in the language; as it is where the parser speaks that, or no form is known."""
    if lang == "en":
        return said
    for form, code in _FORMS:
        if found := form.fullmatch(said.strip()):
            values = {name: text.strip() for name, text in found.groupdict().items()}
            return sentence(code, {**values, "what": usage_said(values.get("what", ""), lang)}, lang)
    return said


def usage_text(error: typer.TyperException, lang: Lang) -> str:
    """Return how the command is used and what is wrong, in a language that the parser does not speak."""
    context = getattr(error, "ctx", None)
    usage = context.get_usage().removeprefix("Usage: ") if context is not None else ""
    path = context.command_path if context is not None else "pilotway"
    return sentence("usage", {"usage": usage, "path": path, "said": usage_said(error.format_message(), lang)}, lang)
