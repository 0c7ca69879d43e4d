"""Leave cover: who stands in for whom, in which role, from one day to another; begun and ended here."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import or_, select
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle.errors import Invalid, LifecycleError, unmet
from lifecycle.people.commands import DELEGATE, Delegate, EndDelegation
from lifecycle.people.queries import organisation_names
from models.people import Delegation, Organisation, RoleGrant, User
from models.reading import table_of
from models.states import Role, UserStatus
from web.errors import by_field, reasons_of, status_of
from web.forms import KEY, Input, as_typed, inputs, read
from web.reading_rights import as_id
from web.render import Words, page
from web.session import Somebody, Typed, Visit, text_of

router = APIRouter()
CHOICES = 200
"""How many people are offered to choose from."""
_FIELDS = ("user_id", "role", "organisation_id", "from_on", "until_on", "reason")


@router.get("/delegations")
def show(visit: Somebody) -> Response:
    """Show one's own delegations, both ways, and the form for another."""
    return _page(visit, None)


@router.post("/delegations")
def give(visit: Somebody, form: Typed) -> Response:
    """Let somebody stand in; lead to the receipt."""
    asked = visit.read(lambda session: _inputs(session, visit))
    key = text_of(form, KEY) or str(visit.house.new_id())
    try:
        values = read(asked, form)
    except Invalid as error:
        return _page(visit, form, error=error)
    role, _, organisation = str(values.pop("role")).partition("@")
    at = as_id(organisation)
    if at is None or role not in {str(one) for one in Role}:
        return _page(visit, form, error=Invalid(unmet("field_missing", field="role")))
    if "login" in values:
        values["user_id"] = _named(visit, str(values.pop("login")))
        if values["user_id"] is None:
            return _page(visit, form, error=Invalid(unmet("user_not_found", field="login")))
    answer = visit.act(Delegate(command_id=key, role=Role(role), organisation_id=at, **values))
    if answer.error is not None:
        return _page(visit, form, error=answer.error)
    return RedirectResponse(f"/receipts/{key}", status_code=303)


@router.post("/delegations/{ref}/end")
def end(visit: Somebody, form: Typed, ref: str) -> Response:
    """End a delegation before its last day."""
    key = text_of(form, KEY) or str(visit.house.new_id())
    table, known = table_of(Delegation), as_id(ref)
    asked = select(table.c.delegate_id).where(table.c.id == known)
    delegate = visit.read(lambda session: session.execute(asked).scalar_one_or_none()) if known else None
    if delegate is None or known is None:
        return _page(visit, None, error=Invalid(unmet("delegation_not_found")))
    answer = visit.act(EndDelegation(command_id=key, user_id=delegate, delegation_id=known))
    if answer.error is not None:
        return _page(visit, None, error=answer.error)
    return RedirectResponse(f"/receipts/{key}", status_code=303)


def _inputs(session: Session, visit: Visit) -> tuple[Input, ...]:
    """Return the form: whom, which of one's own roles at which organisation, from when until when, why.

    Offered are colleagues, who hold a role at the same organisation; to who keeps accounts everybody. Where they are
    more than a choice is good for, the login is typed.
    """
    user = table_of(User)
    places = {at for _, at in visit.rights.grants if at is not None}
    rows = session.execute(_colleagues(visit, user.c.id, user.c.name, user.c.login).limit(CHOICES + 1)).all()
    people = [(str(row.id), f"{row.name} ({row.login})") for row in sorted(rows, key=lambda row: (row.name, row.login))]
    names = organisation_names(session, places)
    own = [
        (f"{role}@{at}", (("role", str(role)), names.get(at, "")))
        for role, at in sorted(visit.rights.grants, key=str)
        if at is not None
    ]
    found = {one.name: one for one in inputs(DELEGATE, {"user_id": people[:CHOICES]})}
    kept = [found[name] for name in _FIELDS if name in found and name not in ("role", "organisation_id")]
    whom = Input(name="user_id", kind="choice", hint=UUID, options=people)
    if len(people) > CHOICES:
        whom = Input(name="login", kind="text", label=Words(visit.lang, visit.house.zone).t("delegations.login"))
    role = Input(name="role", kind="choice", options=own)
    return (whom, role, *(one for one in kept if one.name != "user_id"))


def _colleagues(visit: Visit, *columns: Any) -> Any:
    """Return the statement of the active accounts that may stand in for the reader."""
    user, grant = table_of(User), table_of(RoleGrant)
    active = select(*columns).where(user.c.status == UserStatus.ACTIVE, user.c.person_id != visit.actor.person_id)
    if Role.ADMIN in visit.roles:
        return active
    places = {at for _, at in visit.rights.grants if at is not None}
    here = select(grant.c.user_id).where(grant.c.organisation_id.in_(places), grant.c.revoked_at.is_(None))
    return active.where(user.c.id.in_(here))


def _named(visit: Visit, login: str) -> UUID | None:
    """Return the account that was named by its login, of those that may stand in."""
    user = table_of(User)
    asked = _colleagues(visit, user.c.id).where(user.c.login == login.strip())
    found: UUID | None = visit.read(lambda session: session.execute(asked).scalar_one_or_none())
    return found


def standing_in(session: Session, user_id: UUID) -> list[dict[str, Any]]:
    """Return the delegations of one account, both ways, that nobody has ended, with logins and names, latest first."""
    table, organisation = table_of(Delegation), table_of(Organisation)
    absent, present = table_of(User).alias("absent"), table_of(User).alias("present")
    statement = (
        select(
            table.c.id.label("delegation_id"),
            *(table.c[name] for name in ("delegator_id", "role", "from_on", "until_on", "reason")),
            *(person.c[name].label(f"{part}_{name}") for part, person in (("absent", absent), ("present", present))
              for name in ("login", "name")),
            organisation.c.name.label("organisation"),
        )
        .join(absent, absent.c.id == table.c.delegator_id)
        .join(present, present.c.id == table.c.delegate_id)
        .outerjoin(organisation, organisation.c.id == table.c.organisation_id)
        .where(table.c.revoked_at.is_(None), or_(table.c.delegator_id == user_id, table.c.delegate_id == user_id))
        .order_by(table.c.until_on.desc(), table.c.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(statement).mappings()]


def _page(visit: Visit, form: FormData | None, *, error: LifecycleError | None = None) -> Response:
    def work(session: Session) -> tuple[Any, Any]:
        me = visit.actor.user_id
        return [(one, one["delegator_id"] == me) for one in standing_in(session, me)], _inputs(session, visit)

    rows, asked = visit.read(work)
    reasons = reasons_of(error) if error else ()
    return page(
        visit,
        "delegations.html",
        status=status_of(error) if error else 200,
        rows=rows,
        inputs=asked,
        typed=as_typed(asked, form),
        key=str(visit.house.new_id()),
        reasons=reasons,
        wrong=by_field(reasons),
    )
