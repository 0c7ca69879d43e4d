"""The scenario file: its form, and every reference in it looked up before anything is done (`docs/contract.md` 8)."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lifecycle.errors import Invalid, Unmet, unmet
from models.limits import SHORT_TEXT
from models.money import MAX_MINOR
from models.states import MilestoneState, OrganisationKind, ProjectState, Role

FORMAT = "pilotway-scenario/1"
LARGEST_BYTES = 10_000_000
MOST_PROBLEMS = 20
"""What is named at most of one file."""
_KINDS = {"firm": OrganisationKind.SME, "fund": OrganisationKind.FUNDER, "plant": OrganisationKind.RECEIVER}

Ref: TypeAlias = Annotated[str, Field(min_length=1, max_length=SHORT_TEXT)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=SHORT_TEXT)]
Secret: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z2-7]{16,128}$")]
Amount: TypeAlias = Annotated[int, Field(ge=1, le=MAX_MINOR, strict=True)]
Kind: TypeAlias = Annotated[OrganisationKind, BeforeValidator(lambda kind: _KINDS.get(kind, kind))]


class Part(BaseModel):
    """Base of all parts: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Account(Part):
    """A bank account that payouts may go to; two people confirm it."""

    ref: Ref
    holder: Name
    bank: Name
    number: Name


class Organisation(Part):
    """Anybody who takes part."""

    ref: Ref
    name: Name
    kind: Kind
    accounts: tuple[Account, ...] = ()


class Grant(Part):
    """A role at an organisation of the file."""

    role: Role
    organisation: Ref | None = None


class User(Part):
    """An account of a person. Of a password only the hash is kept; the secret of an authenticator app is base32."""

    ref: Ref
    login: Name
    email: Name | None = None
    name: Name | None = None
    password: str | None = None
    totp_secret: Secret | None = None
    token: bool = False
    grants: tuple[Grant, ...] = ()


class Tier(Part):
    """How many approve up to an amount; without an amount, whatever it is."""

    up_to_minor: Amount | None = None
    needed: int = Field(ge=1, le=5, strict=True)


class Fund(Part):
    """A fund of the first funder of the file, unless it names another one."""

    ref: Ref
    code: Name
    currency: str = "CNY"
    funded_minor: int = Field(default=0, ge=0, le=MAX_MINOR, strict=True)
    """Money paid in."""
    commitment_minor: Amount | None = None
    """What may be promised; by default what was paid in."""
    debtor_account: Name
    debtor_bank: Name = "102100099996"
    organisation: Ref | None = None
    approvals: tuple[Tier, ...] = ()


class Programme(Part):
    """A programme with its standard, and the fund from which its projects are paid."""

    ref: Ref
    name: Name
    fund: Ref | None = None
    standard: Name = "bare"


class Milestone(Part):
    """One tranche of the agreement of a project."""

    ref: Ref
    amount_minor: Amount
    state: MilestoneState = MilestoneState.PLANNED
    due_on: date | None = None


class Project(Part):
    """A project in the stage it shall have reached."""

    ref: Ref
    programme: Ref
    organisation: Ref
    name: Name
    stage: ProjectState = ProjectState.INTAKE
    milestones: tuple[Milestone, ...] = ()


class Payout(Part):
    """A request for the money of a milestone; the approvals are given in this order, as many as it needs."""

    ref: Ref
    milestone: Ref
    account: Ref
    amount_minor: Amount | None = None
    requested_by: Ref | None = None
    approved_by: tuple[Ref, ...] = ()


class Scenario(Part):
    """The whole file."""

    format: Literal["pilotway-scenario/1"]
    now: AwareDatetime | None = None
    organisations: tuple[Organisation, ...] = ()
    users: tuple[User, ...] = ()
    funds: tuple[Fund, ...] = ()
    programmes: tuple[Programme, ...] = ()
    projects: tuple[Project, ...] = ()
    payouts: tuple[Payout, ...] = ()

    @property
    def is_reported(self) -> bool:
        """Say whether any milestone was handed in: then its report rests on a paper."""
        handed_in = (MilestoneState.SUBMITTED, MilestoneState.ACCEPTED, MilestoneState.REJECTED)
        return any(one.state in handed_in for project in self.projects for one in project.milestones)


def read_scenario(content: bytes) -> Scenario:
    """Return what the file says; `Invalid` names every place that is wrong, twenty at most."""
    if len(content) > LARGEST_BYTES:
        raise Invalid(unmet("scenario_too_large", limit=LARGEST_BYTES // 1_000_000))
    try:
        plain = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Invalid(unmet("scenario_wrong", place="/", rule=f"no JSON: {error}")) from error
    try:
        scenario = Scenario.model_validate(plain)
    except ValidationError as error:
        found = [
            unmet("scenario_wrong", place=_pointer(one["loc"]), rule=one["msg"])
            for one in error.errors(include_url=False)
        ]
        raise Invalid(*found[:MOST_PROBLEMS]) from error
    problems = [*_repeated(scenario), *_unknown(scenario)]
    if problems:
        raise Invalid(*problems[:MOST_PROBLEMS])
    return scenario


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"a key stands twice: {next(name for name in names if names.count(name) > 1)}")
    return found


def _pointer(location: Sequence[int | str]) -> str:
    return "".join(f"/{step}" for step in location) or "/"


def all_refs(scenario: Scenario) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, ref, place) of everything in the file that has a name."""
    for kind in ("organisations", "users", "funds", "programmes", "projects", "payouts"):
        for number, one in enumerate(getattr(scenario, kind)):
            place = f"/{kind}/{number}"
            yield kind, one.ref, place
            for inner in ("accounts", "milestones"):
                for position, part in enumerate(getattr(one, inner, ())):
                    yield inner, part.ref, f"{place}/{inner}/{position}"


def _repeated(scenario: Scenario) -> Iterator[Unmet]:
    seen: set[str] = set()
    for _, ref, place in all_refs(scenario):
        if ref in seen:
            yield unmet("scenario_ref_repeated", place=f"{place}/ref", ref=ref)
        seen.add(ref)


def _unknown(scenario: Scenario) -> Iterator[Unmet]:
    known: dict[str, set[str]] = {}
    for kind, ref, _ in all_refs(scenario):
        known.setdefault(kind, set()).add(ref)
    for kind, named, place in _references(scenario):
        if named is not None and named not in known.get(kind, set()):
            yield unmet("scenario_ref_unknown", place=place, ref=named, known=sorted(known.get(kind, set()))[:20])
    paid = {one.ref: one.fund for one in scenario.programmes}
    for number, project in enumerate(scenario.projects):
        if project.milestones and paid.get(project.programme, "") is None:
            yield unmet("scenario_fund_missing", place=f"/projects/{number}/milestones", ref=project.programme)


def _references(scenario: Scenario) -> Iterator[tuple[str, str | None, str]]:
    """Yield (kind, ref, place) of everything that the file refers to."""
    for number, user in enumerate(scenario.users):
        for position, grant in enumerate(user.grants):
            yield "organisations", grant.organisation, f"/users/{number}/grants/{position}/organisation"
    for number, fund in enumerate(scenario.funds):
        yield "organisations", fund.organisation, f"/funds/{number}/organisation"
    for number, programme in enumerate(scenario.programmes):
        yield "funds", programme.fund, f"/programmes/{number}/fund"
    for number, project in enumerate(scenario.projects):
        yield "programmes", project.programme, f"/projects/{number}/programme"
        yield "organisations", project.organisation, f"/projects/{number}/organisation"
    for number, payout in enumerate(scenario.payouts):
        place = f"/payouts/{number}"
        yield "milestones", payout.milestone, f"{place}/milestone"
        yield "accounts", payout.account, f"{place}/account"
        yield "users", payout.requested_by, f"{place}/requested_by"
        for position, approver in enumerate(payout.approved_by):
            yield "users", approver, f"{place}/approved_by/{position}"
