"""Makes a command of the command line from a command of the lifecycle: its fields become arguments and options.

A noun's file says one line per verb (`bind(app, "hold", "lifecycle.projects.commands:PutOnHold", "…")`). The dataclass
is imported when the command is run or its own `--help` is asked, so that everything else answers at once.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property, partial
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand

from cli.options import acts
from cli.typing_in import TODAY, Shape, amount_of, readable, shape_of
from lifecycle.errors import Invalid, unmet


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """How people name a row whose id a field carries: the option's word, and the method of `Lookup` that finds it."""

    option: str
    find: str
    metavar: str
    help: str


def _organisation(option: str, what: str) -> Reference:
    return Reference(option=option, find="organisation", metavar="NAME", help=f"{what}: credit code, name, or id.")


PROJECT = Reference(option="ref", find="project", metavar="REF", help="Project: PT-2026-0042, or its id.")
REVIEW = Reference(option="ref", find="review", metavar="REF", help="Review: PT-2026-0042, PT-2026-0042/G3, or its id.")
LOGIN = Reference(option="login", find="user", metavar="LOGIN", help="User: login, or id.")

FUND = Reference(option="fund", find="fund", metavar="FUND", help="Fund: its code, or its id.")
AGREEMENT = Reference(option="ref", find="agreement", metavar="REF", help="Agreement: AG-2026-0001, or its id.")

REFERENCES: Mapping[str, Reference] = {
    "project_id": PROJECT,
    "fund_id": FUND,
    "source_id": Reference(
        option="investor", find="source", metavar="FUND/NAME", help="Investor of a fund: F1/NAME, or its id."
    ),
    "agreement_id": AGREEMENT,
    "milestone_id": Reference(
        option="ref", find="milestone", metavar="REF", help="Tranche: AG-2026-0001/T2, or its id."
    ),
    "recovery_id": Reference(
        option="ref", find="recovery", metavar="REF", help="Recovery order: RC-2026-0001, or its id."
    ),
    "cost_id": Reference(option="ref", find="cost", metavar="REF", help="Statement: AG-2026-0001/1, or its id."),
    "payout_id": Reference(option="ref", find="payout", metavar="REF", help="Payout: PO-2026-0001, or its id."),
    "exception_id": Reference(option="ref", find="case", metavar="ID", help="Case: its id."),
    "review_id": REVIEW,
    "user_id": LOGIN,
    "webhook_id": Reference(option="webhook", find="webhook", metavar="URL", help="Webhook: its address, or its id."),
    "organisation_id": _organisation("organisation", "Organisation"),
    "other_id": _organisation("other", "The other organisation"),
    "platform_id": _organisation("platform", "Platform"),
    "receiver_id": _organisation("receiver", "Receiving plant"),
    "customer_id": _organisation("customer", "Customer"),
    "evidence_id": Reference(
        option="evidence", find="evidence", metavar="ID", help="Document: PT-2026-0042/licence, or its id."
    ),
    "programme_id": Reference(option="programme", find="programme", metavar="CODE", help="Programme: code, or id."),
}
"""Field -> how it is named. A field not listed here that ends in `_id` takes the id itself."""

HELP: Mapping[str, str] = {
    "accepted_minor": "Cost that is accepted.",
    "accepted_own_minor": "Own money that is accepted.",
    "bank_ref": "Reference of the booking at the bank.",
    "commitment_minor": "What may be promised to projects.",
    "debtor_account": "Number of the account that pays.",
    "debtor_bank": "BIC or CNAPS number of the bank that pays.",
    "debtor_name": "Name of the account that pays.",
    "due_on": "Day by which it is due.",
    "ends_on": "Last day.",
    "evidence_sha256": "SHA-256 of the file; it is evidence of the project.",
    "from_on": "First day of the period.",
    "is_final": "It is the last one.",
    "own_money_minor": "Own money of the firm.",
    "rate_basis_points": "Share of cost that the award may cover, in basis points. [default: what the standard allows]",
    "received_on": "Day on which it came in.",
    "starts_on": "First day.",
    "summary": "What was reached.",
    "up_to_minor": "Largest amount.",
    "amount_minor": "Amount with at most two decimals.",
    "clause": "Clause of the standard, such as G3.4.",
    "code": "Code, as the refusal of a wrong one lists them.",
    "competences": "What an expert may be named for; may be given several times.",
    "cost_minor": "Cost with at most two decimals.",
    "country": "Two letters, such as CN.",
    "credit_code": "Unified social credit code (18 characters, checked).",
    "currency": "Three letters, such as CNY.",
    "email": "Mail address.",
    "expected_version": "Refuse unless this is still the version.",
    "is_common_control": "Both are controlled by the same owner.",
    "kind": "What it is.",
    "language": "Language of mails to this person: zh-CN or en.",
    "name": "Name as people know it.",
    "note": "Remark.",
    "outside_key": "Key in the source it was imported from.",
    "reason": "Why; it is recorded and shown.",
    "role": "Role.",
    "share_basis_points": "Share of ownership in basis points (2500 = 25 %).",
    "since_on": "First day.",
    "target": "Stage to go back to; left out: this stage again.",
    "until_on": "Last day.",
}
"""Help of options by field name; the words of one noun stand in its own file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What a noun's file says about one field where the common rule does not fit."""

    option: str = ""
    """Declaration of the option (`--made`), or `--yes/--no` for a yes or no."""
    help: str = ""
    parse: Callable[[str], Any] | None = None
    """From the typed text to the value; for a tuple, of each text."""
    build: Callable[[Any, Any], Any] | None = None
    """From `Lookup` and the parsed value to what the command carries."""
    metavar: str = ""
    finish: Callable[[Any, Callable[[str], int]], Any] | None = None
    """From what was typed, and a reader of amounts in the currency of the subject, to what the command carries."""
    reference: Reference | None = None
    default: Any = ...
    is_asked: bool = True
    """False: nobody says it, the command's own default holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """A field that may stand behind the project's number (`PT-2026-0042/B-03`), or in an option of its own."""

    name: str
    option: str
    metavar: str
    help: str

    def split(self, ref: str, given: Any) -> tuple[str, Any]:
        """Return the project's reference and the field's value; the option wins."""
        project, slash, inner = ref.partition("/")
        return (project, given if given is not None else inner) if slash else (ref, given)


@dataclass(frozen=True, kw_only=True)
class Binding:
    """One verb as a command: which dataclass, what is positional, and what is said differently."""

    path: str
    arguments: tuple[str, ...] = ()
    """Fields given by place, in order."""
    own: Mapping[str, Own] = field(default_factory=dict)
    within: Within | None = None
    help: str = ""
    check: Callable[[Any], None] | None = None
    """What is asked of the typed command as a whole; raises `Invalid`."""

    @cached_property
    def command(self) -> Any:
        """The dataclass of the lifecycle."""
        module, _, name = self.path.partition(":")
        return getattr(importlib.import_module(module), name)

    def function(self) -> Callable[..., None]:
        """Return the function that Typer makes the real command of."""
        parameters = [self._parameter(one) for one in self.asked()]

        def run(door: Any, **given: Any) -> None:
            ref = "/".join(str(given[name]) for name in self.arguments[:1])
            door.act(lambda lookup, key: self.built(lookup, key, given), ref=ref)

        first = inspect.Parameter("door", inspect.Parameter.POSITIONAL_ONLY)
        run.__signature__ = inspect.Signature([first, *parameters])  # type: ignore[attr-defined]
        run.__doc__ = self.help
        return acts(run)

    def built(self, lookup: Any, key: str, given: Mapping[str, Any]) -> Any:
        """Return the command, its references looked up; raises `Invalid` where a field that must be is not given."""
        values = dict(given)
        if self.within is not None:
            subject = self.arguments[0]
            values[subject], values[self.within.name] = self.within.split(values[subject], values[self.within.name])
        built: dict[str, Any] = {}
        for one in self.asked():
            value = self._value(one, lookup, values[one.name])
            own = self._own(one.name)
            is_amount = self._shape(one).is_amount and own.build is None
            if value is not None and (is_amount or own.finish):
                currency = values.get("currency") or lookup.currency_of(built)
                read = partial(amount_of, currency=currency, field=one.name)
                value = _finished(own, one.name, value, read) if own.finish else read(value)
            if value is None and self._is_asked(one):
                raise Invalid(unmet("field_missing", field=self.within.option if self.within else one.name))
            built[one.name] = value
        command = self.command(command_id=key, **built)
        if self.check is not None:
            self.check(command)
        return command

    def _is_asked(self, one: Any) -> bool:
        return self.within is not None and one.name == self.within.name and one.default is MISSING

    def asked(self) -> list[Any]:
        """Return the fields of the dataclass that are asked for: those given by place first."""
        from lifecycle.commands import REGISTRY

        if self.command not in REGISTRY:  # its verb stands in a later room than its command
            import lifecycle.verbs  # noqa: F401
        left_out = {"command_id"} if REGISTRY[self.command].subject else {"command_id", "expected_version"}
        left_out |= {name for name, own in self.own.items() if not own.is_asked}
        known = {one.name: one for one in fields(self.command) if one.name not in left_out}
        return [*(known.pop(name) for name in self.arguments), *known.values()]

    def _own(self, name: str) -> Own:
        return self.own.get(name, _NOTHING_OWN)

    def _reference(self, one: Any) -> Reference | None:
        return self._own(one.name).reference or REFERENCES.get(one.name)

    @cached_property
    def _types(self) -> Mapping[str, Any]:
        return get_type_hints(self.command)

    def _value(self, one: Any, lookup: Any, given: Any) -> Any:
        reference, own, shape = self._reference(one), self._own(one.name), self._shape(one)
        if shape.is_many and not given:
            given = _default(one, _NOTHING_OWN)
        if given is None or given is inspect.Parameter.empty:
            return () if given is inspect.Parameter.empty else None
        if reference is not None:
            given = getattr(lookup, reference.find)(given)
        if given == TODAY:
            given = lookup.today
        if own.build is not None:
            try:
                return own.build(lookup, given)
            except ValueError as error:
                raise Invalid(unmet("value_wrong", field=one.name, value=str(given), form=own.metavar)) from error
        if shape.is_mapping:
            return _by_name(one.name, given)
        return tuple(given) if shape.is_many else given

    def _parameter(self, one: Any) -> inspect.Parameter:
        shape, own, reference = self._shape(one), self._own(one.name), self._reference(one)
        inner = self.within if self.within is not None and self.within.name == one.name else None
        rest: dict[str, Any] = {"help": self.help_of(one.name)}
        metavar = (inner.metavar if inner else "") or own.metavar or (reference.metavar if reference else shape.metavar)
        if metavar:
            rest["metavar"] = metavar
        parse = own.parse or (None if reference else shape.parse)
        kind: Any = str if reference or parse else shape.kind
        if parse:
            rest["parser"] = readable(parse)
        default = None if inner else _default(one, own)
        if shape.is_many:
            kind, default = list[kind], []
        elif default is None:
            kind = kind | None
        place = typer.Argument(**rest) if one.name in self.arguments else None
        declaration = (inner.option if inner else "") or own.option or _option_name(one.name, reference, shape)
        annotation = Annotated[kind, place or typer.Option(declaration, **rest)]
        return inspect.Parameter(one.name, _KEYWORD, default=default, annotation=annotation)

    def help_of(self, name: str) -> str:
        """Return the help text of a field; empty when nobody wrote one (a test looks)."""
        if self.within is not None and self.within.name == name:
            return self.within.help
        reference = self._own(name).reference or REFERENCES.get(name)
        return self._own(name).help or (reference.help if reference else "") or HELP.get(name, "")

    def _shape(self, one: Any) -> Shape:
        return shape_of(self._types[one.name], one.name)


_NOTHING_OWN = Own()
_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def bind(
    app: typer.Typer,
    name: str,
    path: str,
    help: str,  # noqa: A002 - the word that Typer uses
    *,
    arguments: Sequence[str] = ("project_id",),
    own: Mapping[str, Own] | None = None,
    within: Within | None = None,
    check: Callable[[Any], None] | None = None,
) -> None:
    """Add a verb to a noun: `path` is `module:Dataclass`, `arguments` are the fields given by place."""
    binding = Binding(path=path, arguments=tuple(arguments), own=own or {}, within=within, help=help, check=check)
    BINDINGS.append(binding)
    lazy = type("BoundCommand", (_BoundCommand,), {"binding": binding})
    app.command(name, help=help, cls=lazy)(_nothing)


BINDINGS: list[Binding] = []
"""Every verb that was bound, for the test that all of them can be built."""


class _BoundCommand(TyperCommand):
    """Stands for a verb in the list of commands; becomes the real one when it is parsed."""

    binding: Binding

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Hand over to the command that is made of the dataclass."""
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(self.name, help=self.binding.help)(self.binding.function())
        return typer.main.get_command(app).make_context(info_name, args, parent, **extra)


def _nothing() -> None:
    """Never run: the real command takes over when it is parsed."""


def _by_name(field: str, given: Any) -> dict[str, Any]:
    """Return NAME=VALUE options as one mapping; raises `Invalid` for a name that was given twice."""
    pairs = list(given.items() if isinstance(given, Mapping) else given)
    for place, (name, _) in enumerate(pairs):
        if name in [before for before, _ in pairs[:place]]:
            raise Invalid(unmet("named_twice", field=field, value=name))
    return dict(pairs)


def _finished(own: Own, name: str, value: Any, read: Callable[[str], int]) -> Any:
    """Return what the noun's own reader makes of a value; raises `Invalid` where it makes nothing of it."""
    assert own.finish is not None  # the caller has asked  # noqa: S101
    try:
        return own.finish(value, read)
    except ValueError as error:
        raise Invalid(unmet("value_wrong", field=name, value=str(value), form=own.metavar)) from error


def _default(one: Any, own: Own) -> Any:
    if own.default is not ...:
        return own.default
    if one.default is not MISSING:
        return one.default
    if one.default_factory is not MISSING:
        return one.default_factory()
    return inspect.Parameter.empty


def _option_name(name: str, reference: Reference | None, shape: Shape) -> str:
    if name == "expected_version":
        return "--version"
    word = (reference.option if reference and reference.option != "ref" else name).removesuffix("_minor")
    if shape.kind is bool:
        word = word.removeprefix("is_").removeprefix("has_")
    if reference is None:
        word = word.removesuffix("_id").removesuffix("_on")
    return f"--{word.replace('_', '-')}"
