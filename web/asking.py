"""A form for one command that no page of a noun asks for: something new, or a page that knows part of the answer.

GET shows it, POST carries it out and leads to the receipt; a refusal shows it again with what was typed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle.commands import Answer
from lifecycle.errors import Forbidden, Invalid, LifecycleError, unmet
from lifecycle.permissions import PERMISSIONS
from web.errors import by_field, reasons_of, status_of
from web.forms import KEY, Input, as_typed, inputs, read
from web.listing import Listing
from web.lookups import offered
from web.nouns import AnyVerb
from web.render import Words, page
from web.session import Visit, text_of

Finish: TypeAlias = Callable[[Answer], Response]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is asked, and what is known already."""

    verb: AnyVerb
    inputs: tuple[Input, ...]
    """What is typed; one that the command does not have is the page's own."""
    back: str
    """Where somebody came from."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Values that nobody types."""
    facts: tuple[tuple[str, str], ...] = ()
    """(heading, value) of what the reader should know before."""
    typed: Mapping[str, Any] = field(default_factory=dict)
    """What stands in the fields at first."""
    note: str = ""
    crumb: str = ""
    """What the page is called that somebody came from."""
    look: Callable[[], tuple[tuple[tuple[str, str], ...], Listing | None]] | None = None
    """Asked whenever the page is shown, not when the command is carried out: more facts, what would become of it."""


def ask(visit: Visit, verb: AnyVerb, *, back: str, fixed: Mapping[str, Any] | None = None, **more: Any) -> Ask:
    """Return the form of a verb without what is fixed; Forbidden for who may not call the verb."""
    need(visit, verb)
    known = fixed or {}
    choices = visit.read(lambda session: offered(session, verb, None, None))
    asked = tuple(_labelled(visit, verb, one) for one in inputs(verb, choices) if one.name not in known)
    return Ask(verb=verb, inputs=asked, back=back, fixed=known, **more)


def _labelled(visit: Visit, verb: AnyVerb, one: Input) -> Input:
    """Return an input with its label: the code of something new is its own, anywhere else it is that of a reason."""
    if one.name != "code" or verb.subject_id is not None:
        return one
    return replace(one, label=Words(visit.lang, visit.house.zone).heading("own_code"))


def need(visit: Visit, verb: AnyVerb) -> None:
    """Refuse who holds none of the roles of a verb: the page says who can."""
    needs = PERMISSIONS[verb.permission]
    if not visit.roles & needs:
        raise Forbidden(unmet("role", needs=sorted(needs), verb=verb.name))


def show(visit: Visit, asked: Ask, *, form: FormData | None = None, error: LifecycleError | None = None) -> Response:
    """Return the page of a form."""
    reasons = reasons_of(error) if error else ()
    typed = as_typed(asked.inputs, form)
    facts, listing = asked.look() if asked.look else ((), None)
    return page(
        visit,
        "ask.html",
        status=status_of(error) if error else 200,
        asked=asked,
        facts=(*asked.facts, *facts),
        listing=listing,
        typed=typed if form is not None else {**typed, **asked.typed},
        key=str(visit.house.new_id()),
        reasons=reasons,
        wrong=by_field(reasons, {one.name for one in asked.inputs}),
    )


def take(visit: Visit, asked: Ask, form: FormData, *, finish: Finish | None = None) -> Response:
    """Carry the command out and lead to its receipt, or to what `finish` makes of the answer."""
    try:
        values = read(asked.inputs, form)
    except Invalid as error:
        return show(visit, asked, form=form, error=error)
    key = text_of(form, KEY) or str(visit.house.new_id())
    known = {one.name for one in fields(asked.verb.command)}
    said = {name: value for name, value in {**values, **asked.fixed}.items() if name in known}
    answer = visit.act(asked.verb.command(command_id=key, **said))
    if answer.error is not None:
        return show(visit, asked, form=form, error=answer.error)
    return finish(answer) if finish else RedirectResponse(f"/receipts/{answer.command.command_id}", status_code=303)
