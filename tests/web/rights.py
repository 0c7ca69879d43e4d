"""Who may open what: one row for each address of the console and of the API, from which the verdict is computed.

A row names a permission or a reading right; whoever adds an address adds a row here, or `test_matrix` fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lifecycle.commands import Verb
from lifecycle.permissions import DELEGABLE, PARTIES_OF_ROLE, PERMISSIONS
from models.states import Role


class Place(StrEnum):
    """Where somebody holds a role, seen from the things that are asked for."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    EVERYWHERE = "everywhere"


class Verdict(StrEnum):
    """What an address says to somebody."""

    THROUGH = "through"
    """Whatever stands in the way now is no right: a missing field, a rule, a state."""
    SIGN_IN = "sign in"
    FORBIDDEN = "forbidden"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in front of the door, with the one role that they hold; `role` is None for who holds none."""

    name: str
    role: Role | None = None
    place: Place = Place.HERE
    is_signed_in: bool = True


_RUNNING = frozenset({Role.OPERATOR, Role.ADMIN})
_EVERYWHERE = _RUNNING | {Role.AUDITOR}
"""Held without an organisation they reach everything; held at one, they reach what that organisation takes part in."""
_SEATS = frozenset({Role.EXPERT, Role.PANEL_CHAIR})
_FUND = frozenset({Role.CERTIFIER, Role.FUND_MANAGER, Role.FUND_DIRECTOR, Role.PAYER, Role.ACCOUNTANT, Role.SPONSOR})
_OFFICERS = frozenset({Role.PROJECT_LEAD, Role.FINANCE_OFFICER})
_PLATFORM = frozenset({Role.COORDINATOR, Role.TECHNICAL_MANAGER})
_FIRM = frozenset(role for role, parties in PARTIES_OF_ROLE.items() if parties == ("sme",))
_BANK = frozenset({Role.FUND_MANAGER, Role.FUND_DIRECTOR, Role.PAYER, Role.ACCOUNTANT})
_SEES_ALL = frozenset({Role.AUDITOR, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Who reads one kind of thing: roles at one of its parties, and roles that are held for the whole installation."""

    here: frozenset[Role] = frozenset()
    wide: frozenset[Role] = frozenset()
    anywhere: frozenset[Role] = frozenset()
    """Roles that read every one of them, whichever organisation they are held at."""
    is_for_all: bool = False

    def reaches(self, person: Person) -> bool:
        """Say whether somebody reads the things of these tests."""
        role = person.role
        if self.is_for_all:
            return True
        if role is None:
            return False
        if role in _EVERYWHERE:
            return role in self.wide and person.place is Place.EVERYWHERE
        return role in self.anywhere or (role in self.here and person.place is Place.HERE)


_PARTIES = frozenset(PARTIES_OF_ROLE)
_MONEY = Reading(here=_FUND | _OFFICERS | _PLATFORM, wide=_SEES_ALL)
READERS: Mapping[str, Reading] = {
    "projects": Reading(here=_PARTIES | _SEATS, wide=_EVERYWHERE),
    "reviews": Reading(here=_PARTIES | _SEATS, wide=_EVERYWHERE),
    "payouts": _MONEY,
    "agreements": _MONEY,
    "milestones": _MONEY,
    "costs": _MONEY,
    "recoveries": _MONEY,
    "funds": Reading(here=_FUND, wide=_SEES_ALL),
    "payees": Reading(here=_FUND | _OFFICERS, wide=_SEES_ALL),
    "payment-batches": Reading(here=_BANK, wide=_EVERYWHERE),
    "statements": Reading(here=_BANK, wide=_EVERYWHERE),
    "exceptions": Reading(here=_BANK, wide=_SEES_ALL),
    "webhooks": Reading(wide=_RUNNING),
    "disbursement": Reading(anywhere=_FUND, wide=_EVERYWHERE),
    "users": Reading(anywhere=DELEGABLE, wide=_SEES_ALL),
    "organisations": Reading(here=_FIRM, anywhere=_FUND | {Role.COORDINATOR}, wide=_EVERYWHERE),
    "calendars": Reading(is_for_all=True),
    "standard-drafts": Reading(anywhere=frozenset({Role.STANDARD_EDITOR}), wide=_SEES_ALL),
}
"""Noun -> who reads it (`console.md` 5.1, role table of the rule book). The project of the tests has a receiver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What an address asks for."""

    is_open: bool = False
    """Nobody has to be signed in."""
    reads: str = ""
    """Noun that has to be readable; else it is not there."""
    roles: frozenset[Role] | None = None
    """One of these has to be held; where a thing is read, at one of its parties."""
    at: Mapping[str, str] | None = None
    """Values of the parts of the address."""
    is_absent: bool = False
    """The thing of these tests does not exist: nobody finds it."""
    is_wide: bool = False
    """The role counts only where it is held for the whole installation."""
    body: str = ""
    """Name of the body that a program sends."""


def verdict(right: Right, person: Person) -> Verdict:
    """Return what an address with this right says to somebody."""
    if right.is_open:
        return Verdict.HIDDEN if right.is_absent else Verdict.THROUGH
    if not person.is_signed_in:
        return Verdict.SIGN_IN
    if right.roles is not None and not right.reads and not _holds(right, person):
        return Verdict.FORBIDDEN
    if right.reads and not READERS[right.reads].reaches(person):
        return Verdict.HIDDEN
    if right.is_absent:
        return Verdict.HIDDEN
    if right.roles is not None and right.reads and not _holds(right, person):
        return Verdict.FORBIDDEN
    return Verdict.THROUGH


def _holds(right: Right, person: Person) -> bool:
    """Say whether somebody holds one of the roles; the installation is run for all of it, not at one place."""
    is_enough = person.place is Place.EVERYWHERE or not (right.is_wide or person.role in _RUNNING)
    return right.roles is not None and person.role in right.roles and is_enough


NARROWER: Mapping[str, frozenset[Role]] = {
    "recovery.repay": frozenset({Role.ACCOUNTANT}),
    "agreement.close": frozenset({Role.SPONSOR, Role.FUND_DIRECTOR}),
    "project.accept_transfer": frozenset(),
}
"""Verbs whose own rule asks for fewer roles of the things of these tests: an agreement that was in force, a repayment
on which no two agreed, a platform that none of these people works for."""


def of_verb(noun: str, verb: Verb[Any, Any]) -> Right:
    """Return the right that a verb of a noun asks for: the thing has to be readable, and the role be one of its own."""
    return Right(reads=noun, roles=NARROWER.get(verb.permission, PERMISSIONS[verb.permission]))


OPEN, SIGNED_IN = Right(is_open=True), Right()


def reads(noun: str, **more: Any) -> Right:
    """Return the right to read one thing."""
    return Right(reads=noun, **more)


def holds(*roles: Role, **more: Any) -> Right:
    """Return the right of who holds one of these roles."""
    return Right(roles=frozenset(roles), **more)


_PORTFOLIO = frozenset({Role.COORDINATOR, *_FUND, *_EVERYWHERE})
_MONEY_LISTS = _FUND | _OFFICERS | _PLATFORM | _SEES_ALL
_PROJECT_MONEY = _SEES_ALL | {
    role for role, parties in PARTIES_OF_ROLE.items() if {"sme", "platform", "funder", "programme"} & set(parties)
}
_IMPORTERS = frozenset({Role.COORDINATOR, Role.SPONSOR, *_RUNNING})
_TAKERS = PERMISSIONS["statement.take"]
_RUNS = {"name": "reminders", "verb": "run"}
_FUND_LISTS = _FUND | _PLATFORM | _SEES_ALL
_PAYEE_LISTS = _FUND | _OFFICERS | _SEES_ALL
_BANK_LISTS = _BANK | _EVERYWHERE
_EDITORS = PERMISSIONS["standard_draft.propose"]
_INVITERS = PERMISSIONS["invitation.send"]

ROUTES: Mapping[str, Right] = {
    # what nobody has to sign in for
    "GET /static/{name}": OPEN,
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "GET /problems": OPEN,
    "GET /problems.{form}": OPEN,
    "GET /problems/{code}": OPEN,
    "GET /help": OPEN,
    "GET /login": OPEN,
    "POST /login": OPEN,
    "POST /login/as": OPEN,
    "GET /login/otp": OPEN,
    "POST /login/otp": OPEN,
    "POST /login/passkey": OPEN,
    "POST /login/key/challenge": OPEN,
    "POST /login/key": OPEN,
    "POST /logout": OPEN,
    "POST /language": OPEN,
    "POST /api/v1/session": OPEN,
    "GET /calendar/{token}.ics": Right(is_open=True, at={"token": "nobody-s"}, is_absent=True),
    "GET /invite/done": OPEN,
    "GET /invite/{token}": OPEN,
    "POST /invite/{token}": OPEN,
    "GET /login/link": OPEN,
    "POST /login/link": OPEN,
    "GET /link/{token}": OPEN,
    "POST /link/{token}": OPEN,
    "GET /login/oidc": Right(is_open=True, is_absent=True),
    "GET /login/oidc/back": Right(is_open=True, is_absent=True),
    "GET /api": OPEN,
    "GET /api/{tag}": OPEN,
    "GET /api/{tag}/{name}": Right(is_open=True, at={"name": "get_projects"}),
    "GET /api/v1/openapi.json": OPEN,
    # what belongs to whoever is signed in
    "GET /": SIGNED_IN,
    "GET /inbox": SIGNED_IN,
    "GET /inbox/count": SIGNED_IN,
    "GET /step-up": SIGNED_IN,
    "POST /step-up": SIGNED_IN,
    "POST /step-up/passkey": SIGNED_IN,
    "GET /security": SIGNED_IN,
    "POST /security/sessions/end": SIGNED_IN,
    "POST /security/sessions/end-others": SIGNED_IN,
    "GET /security/totp": SIGNED_IN,
    "POST /security/totp": SIGNED_IN,
    "GET /security/totp/remove": SIGNED_IN,
    "POST /security/totp/remove": SIGNED_IN,
    "GET /security/passkeys": SIGNED_IN,
    "POST /security/passkeys/challenge": SIGNED_IN,
    "POST /security/passkeys": SIGNED_IN,
    "GET /security/passkeys/{key_id}/remove": Right(is_absent=True),
    "POST /security/passkeys/{key_id}/remove": Right(is_absent=True),
    "GET /security/codes": SIGNED_IN,
    "POST /security/codes": SIGNED_IN,
    "GET /security/password": SIGNED_IN,
    "POST /security/password": SIGNED_IN,
    "GET /notifications": SIGNED_IN,
    "POST /notifications": SIGNED_IN,
    "GET /preferences": SIGNED_IN,
    "POST /preferences": SIGNED_IN,
    "POST /preferences/calendar": SIGNED_IN,
    "GET /delegations": SIGNED_IN,
    "POST /delegations": SIGNED_IN,
    "POST /delegations/{ref}/end": SIGNED_IN,
    "GET /receipts/{command_id}": Right(is_absent=True),
    "GET /search": SIGNED_IN,
    "GET /board": SIGNED_IN,
    "GET /projects": SIGNED_IN,
    "GET /projects.{form}": SIGNED_IN,
    "GET /projects/calendar": SIGNED_IN,
    "GET /projects/calendar.{form}": SIGNED_IN,
    "GET /batches": SIGNED_IN,
    "GET /batches.{form}": SIGNED_IN,
    "GET /exports": SIGNED_IN,
    "GET /platforms": SIGNED_IN,
    "GET /platforms.{form}": SIGNED_IN,
    "GET /platforms/{ref}": SIGNED_IN,
    "GET /standards": SIGNED_IN,
    "GET /standards.{form}": SIGNED_IN,
    "GET /standards/{code}/{version}": SIGNED_IN,
    "GET /standards/{code}/diff/{pair}": SIGNED_IN,
    "GET /standards/{code}/diff/{pair}/simulation.{form}": SIGNED_IN,
    "GET /calendars/{ref}": SIGNED_IN,
    "GET /admin/calendar": SIGNED_IN,
    "GET /admin/calendar.{form}": SIGNED_IN,
    "POST /api/v1/session/step-up": SIGNED_IN,
    "DELETE /api/v1/session": SIGNED_IN,
    # projects and what belongs to them
    "GET /my": holds(*_FIRM),
    "GET /my/{ref}": reads("projects"),
    "GET /my/{ref}/notice/{number}": reads("projects", at={"number": "7"}, is_absent=True),
    "GET /projects/new": holds(*PERMISSIONS["project.register"]),
    "POST /projects/new": holds(*PERMISSIONS["project.register"]),
    "GET /projects/{ref}": reads("projects"),
    "GET /projects/{ref}/next": reads("projects"),
    "GET /projects/{ref}/gate": reads("projects"),
    "GET /projects/{ref}/gate/{clause}": reads("projects"),
    "POST /projects/{ref}/gate/{clause}": reads("projects", roles=PERMISSIONS["requirement.judge"]),
    "GET /projects/{ref}/files": reads("projects"),
    "GET /projects/{ref}/files.{form}": reads("projects"),
    "GET /projects/{ref}/do/evidence-add": reads("projects"),
    "POST /projects/{ref}/do/evidence-add": reads("projects", roles=PERMISSIONS["evidence.add"]),
    "GET /projects/{ref}/batches": reads("projects"),
    "GET /projects/{ref}/batches/{number}": reads("projects"),
    "GET /projects/{ref}/batch-table": reads("projects"),
    "GET /projects/{ref}/batch-table.xlsx": reads("projects"),
    "POST /projects/{ref}/batch-table": reads("projects", roles=PERMISSIONS["trial_batch.add"]),
    "GET /projects/{ref}/batch-table/{sha256}": reads("projects", is_absent=True),
    "POST /projects/{ref}/batch-table/{sha256}": reads("projects", is_absent=True),
    "GET /projects/{ref}/batch-table/{sha256}/marked.xlsx": reads("projects", is_absent=True),
    "GET /projects/{ref}/timeline": reads("projects"),
    "GET /projects/{ref}/people": reads("projects"),
    "GET /projects/{ref}/money": reads("projects", roles=_PROJECT_MONEY),
    "GET /evidence/{ref}": reads("projects"),
    "GET /evidence/{ref}/file": reads("projects", is_absent=True),
    "GET /reviews/{ref}": reads("reviews"),
    "GET /import": holds(*_IMPORTERS),
    "POST /import": holds(*_IMPORTERS),
    "GET /import/{sha256}": holds(*_IMPORTERS, is_absent=True),
    "GET /import/template.xlsx": holds(*_IMPORTERS),
    "GET /import/{sha256}/columns": holds(*_IMPORTERS, is_absent=True),
    "GET /import/{sha256}/errors.csv": holds(*_IMPORTERS, is_absent=True),
    "GET /import/{sha256}/marked.xlsx": holds(*_IMPORTERS, is_absent=True),
    "POST /import/{sha256}": holds(*_IMPORTERS, is_absent=True),
    # money
    "GET /payouts": holds(*_MONEY_LISTS),
    "GET /payouts.{form}": holds(*_MONEY_LISTS),
    "GET /payouts/together": reads("payouts", at={"?": "word=approve&id={payout}"}),
    "POST /payouts/together": reads("payouts"),
    "GET /payouts/together/done": reads("payouts", at={"?": "word=approve&id={payout}"}),
    "GET /payouts/{ref}": reads("payouts"),
    "GET /payouts/{ref}/slip": reads("payouts"),
    "GET /payouts/{ref}/do/{name}": reads("payouts", at={"name": "approve"}),
    "POST /payouts/{ref}/decide": reads("payouts", roles=PERMISSIONS["payout.approve"]),
    "GET /funds": holds(*_FUND_LISTS),
    "GET /funds.{form}": holds(*_FUND_LISTS),
    "GET /funds/new": holds(*PERMISSIONS["fund.add"]),
    "POST /funds/new": holds(*PERMISSIONS["fund.add"]),
    "GET /funds/{code}": reads("funds"),
    "GET /funds/{code}/ledger": reads("funds"),
    "GET /funds/{code}/ledger.{form}": reads("funds"),
    "GET /funds/{code}/investors": reads("funds"),
    "GET /agreements": holds(*_MONEY_LISTS),
    "GET /agreements.{form}": holds(*_MONEY_LISTS),
    "GET /agreements/{ref}": reads("agreements"),
    "GET /milestones/{ref}": reads("milestones"),
    "GET /costs/{ref}": reads("costs"),
    "GET /recoveries": holds(*_MONEY_LISTS),
    "GET /recoveries.{form}": holds(*_MONEY_LISTS),
    "GET /recoveries/{ref}": reads("recoveries"),
    "GET /payees": holds(*_PAYEE_LISTS),
    "GET /payees.{form}": holds(*_PAYEE_LISTS),
    "GET /payees/{ref}": reads("payees"),
    "GET /organisations/{ref}/accounts": reads("organisations"),
    "GET /bank": holds(*_BANK_LISTS),
    "POST /bank": holds(*_TAKERS),
    "GET /bank/taken/{sha256}": holds(*_TAKERS, is_absent=True),
    "GET /payment-batches": holds(*_BANK_LISTS),
    "GET /payment-batches.{form}": holds(*_BANK_LISTS),
    "GET /payment-batches/{ref}": reads("payment-batches"),
    "GET /statements": holds(*_BANK_LISTS),
    "GET /statements.{form}": holds(*_BANK_LISTS),
    "GET /statements/{ref}": reads("statements"),
    "GET /exceptions": holds(*_BANK_LISTS),
    "GET /exceptions.{form}": holds(*_BANK_LISTS),
    "GET /exceptions/{ref}": reads("exceptions"),
    "GET /exceptions/{ref}/file": reads("exceptions", is_absent=True),
    "GET /exceptions/{ref}/do/{name}": reads("exceptions", at={"name": "propose"}),
    "POST /exceptions/{ref}/propose": reads("exceptions", roles=PERMISSIONS["exception.propose"]),
    "POST /exceptions/{ref}/confirm": reads("exceptions", roles=PERMISSIONS["exception.confirm"]),
    "GET /disbursement": reads("disbursement"),
    "GET /disbursement/{ref}": reads("disbursement"),
    # drafts of standards
    "GET /standard-drafts/new": holds(*_EDITORS),
    "POST /standard-drafts/new": holds(*_EDITORS),
    "GET /standard-drafts/{ref}": reads("standard-drafts"),
    "GET /standard-drafts/{ref}/yaml": reads("standard-drafts"),
    "GET /standard-drafts/{ref}/simulation.{form}": reads("standard-drafts"),
    "POST /standard-drafts/{ref}/publish": reads("standard-drafts", roles=PERMISSIONS["standard.publish"]),
    # who runs the installation
    "GET /admin": holds(Role.ADMIN),
    "GET /admin/people": holds(Role.ADMIN),
    "GET /admin/people.{form}": holds(Role.ADMIN),
    "GET /admin/organisations": holds(*PERMISSIONS["organisation.add"]),
    "GET /admin/organisations.{form}": holds(*PERMISSIONS["organisation.add"]),
    "GET /admin/programmes": holds(*PERMISSIONS["programme.add"]),
    "GET /admin/programmes.{form}": holds(*PERMISSIONS["programme.add"]),
    "GET /admin/{kind}/new": holds(*PERMISSIONS["user.add"], at={"kind": "people"}),
    "POST /admin/{kind}/new": holds(*PERMISSIONS["user.add"], at={"kind": "people"}),
    "GET /admin/invitations": holds(*_INVITERS),
    "GET /admin/invitations.{form}": holds(*_INVITERS),
    "GET /admin/invitations/new": holds(*_INVITERS),
    "POST /admin/invitations/new": holds(*_INVITERS),
    "GET /admin/invitations/{ref}/revoke": holds(*PERMISSIONS["invitation.revoke"], is_absent=True),
    "POST /admin/invitations/{ref}/revoke": holds(*PERMISSIONS["invitation.revoke"], is_absent=True),
    "GET /users/{ref}": reads("users"),
    "GET /users/{ref}/do/revoke": reads("users"),
    "GET /users/{ref}/do/end-delegation": reads("users"),
    "GET /users/{ref}/do/revoke-token": reads("users"),
    "GET /users/{ref}/identities/{identity}/end": reads("users"),
    "POST /users/{ref}/identities/{identity}/end": reads("users", roles=PERMISSIONS["user.unlink_identity"]),
    "GET /users/{ref}/do/{verb}/{row_id}": reads("users", roles=PERMISSIONS["user.revoke"], at={"verb": "revoke"}),
    "POST /users/{ref}/do/{verb}/{row_id}": reads("users", roles=PERMISSIONS["user.revoke"], at={"verb": "revoke"}),
    "GET /users/{ref}/do/set-password": holds(*PERMISSIONS["user.set_password"]),
    "POST /users/{ref}/do/set-password": holds(*PERMISSIONS["user.set_password"]),
    "GET /users/{ref}/do/add-token": holds(Role.ADMIN),
    "POST /users/{ref}/do/add-token": holds(Role.ADMIN),
    "GET /organisations/{ref}": reads("organisations"),
    "GET /ops": holds(*_RUNNING),
    "GET /ops/schedules/{name}/{verb}": holds(*_RUNNING, at=_RUNS),
    "POST /ops/schedules/{name}/{verb}": holds(*_RUNNING, at=_RUNS),
    "GET /ops/runs": holds(*_RUNNING),
    "GET /ops/runs.{form}": holds(*_RUNNING),
    "GET /ops/runs/{run_id}": holds(*_RUNNING, is_absent=True),
    "GET /ops/outbox": holds(*_RUNNING),
    "GET /ops/outbox.{form}": holds(*_RUNNING),
    "POST /ops/outbox": holds(*_RUNNING),
    "GET /ops/health": holds(*_RUNNING),
    "GET /ops/webhooks": holds(*_RUNNING),
    "GET /ops/webhooks.{form}": holds(*_RUNNING),
    "GET /ops/webhooks/new": holds(Role.ADMIN),
    "POST /ops/webhooks/new": holds(Role.ADMIN),
    "GET /webhooks/{ref}": reads("webhooks"),
    "GET /webhooks/{ref}/do/rotate": reads("webhooks", roles=PERMISSIONS["webhook.rotate"]),
    "POST /webhooks/{ref}/do/rotate": reads("webhooks", roles=PERMISSIONS["webhook.rotate"]),
    "GET /portfolio": holds(*_PORTFOLIO),
    "GET /portfolio.{form}": holds(*_PORTFOLIO),
    "GET /portfolio/reports": holds(*_PORTFOLIO),
    "GET /portfolio/reports.{form}": holds(*_PORTFOLIO),
    "GET /portfolio/reports/{programme}/{period}": holds(*_PORTFOLIO, is_absent=True),
    "GET /audit": holds(*_EVERYWHERE, is_wide=True),
    "GET /audit.{form}": holds(*_EVERYWHERE, is_wide=True),
    # programs
    "POST /api/v1/payouts": reads("milestones", roles=PERMISSIONS["payout.request"], body="payout"),
    "POST /api/v1/payouts/commands/approve": reads("payouts", roles=PERMISSIONS["payout.approve"], body="several"),
    "POST /api/v1/payouts/commands/release": reads("payouts", roles=PERMISSIONS["payout.release"], body="several"),
    "POST /api/v1/statements": holds(*_TAKERS, body="file"),
    "POST /api/v1/evidence": reads("projects", roles=PERMISSIONS["evidence.add"], body="evidence"),
    "GET /api/v1/events": SIGNED_IN,
    "GET /api/v1/events/{ref}": Right(is_absent=True),
    "POST /api/v1/users/{ref}/grants": reads("users", roles=PERMISSIONS["user.grant"], body="grant"),
    "DELETE /api/v1/users/{ref}/grants/{grant_id}": reads("users", roles=PERMISSIONS["user.revoke"]),
    "POST /api/v1/users/{ref}/tokens": reads("users", roles=PERMISSIONS["user.add_token"], body="token"),
    "DELETE /api/v1/users/{ref}/tokens/{token_id}": reads("users", roles=PERMISSIONS["user.revoke_token"]),
    "POST /api/v1/users/{ref}/disable": reads("users", roles=PERMISSIONS["user.disable"]),
    "POST /api/v1/users/{ref}/enable": reads("users", roles=PERMISSIONS["user.enable"]),
    "POST /api/v1/webhooks/{ref}/commands/rotate": reads("webhooks", roles=PERMISSIONS["webhook.rotate"]),
    "DELETE /api/v1/webhooks/{ref}": reads("webhooks", roles=PERMISSIONS["webhook.disable"]),
    "POST /api/v1/schedules/{ref}/commands/{name}": holds(
        *PERMISSIONS["schedule.request"], at={"ref": "recovery", "name": "run"}
    ),
}
"""Method and address -> what it asks for. The addresses of verbs and nouns are in `EACH_VERB`, `EACH_NOUN`, of lists
in `EACH_LIST`."""

_OF_PROJECTS = ("stage-runs", "requirements", "evidence", "batches", "reviews", "notices")
LISTS: Mapping[str, Right] = {
    **dict.fromkeys(("projects", *_OF_PROJECTS, "milestones", "costs"), SIGNED_IN),
    **dict.fromkeys(("organisations", "platforms", "programmes", "standards"), SIGNED_IN),
    **dict.fromkeys(("users", "grants", "tokens", "notifications"), SIGNED_IN),
    **dict.fromkeys(("payouts", "agreements", "recoveries"), holds(*_MONEY_LISTS)),
    "funds": holds(*_FUND_LISTS),
    "payees": holds(*_PAYEE_LISTS),
    **dict.fromkeys(("payment-batches", "statements", "exceptions"), holds(*_BANK_LISTS)),
    **dict.fromkeys(("webhooks", "deliveries", "outbox", "runs"), holds(*_RUNNING)),
}
"""First part of an address of the API -> who is shown such a list at all; each gets in it what they may read."""
PARTS: Mapping[tuple[str, str], Right] = {
    **{("projects", one): reads("projects") for one in (*_OF_PROJECTS, "files", "timeline", "people", "milestones")},
    **{("projects", one): reads("projects", roles=_MONEY_LISTS) for one in ("payouts", "agreements", "recoveries")},
    **{("agreements", one): reads("agreements") for one in ("milestones", "costs")},
    **{("funds", one): reads("funds") for one in ("ledger", "commitments", "contributions")},
    ("funds", "payouts"): reads("funds", roles=_MONEY_LISTS),
    ("organisations", "payees"): reads("organisations", roles=_PAYEE_LISTS),
    **{("users", one): reads("users") for one in ("grants", "tokens")},
    ("webhooks", "deliveries"): reads("webhooks", roles=_RUNNING),
}
"""(noun, what belongs to it) -> who is shown these rows."""
BIRTHS: Mapping[str, Right] = {
    "projects": holds(*PERMISSIONS["project.register"]),
    "organisations": holds(*PERMISSIONS["organisation.add"]),
    "users": holds(*PERMISSIONS["user.add"]),
    "programmes": holds(*PERMISSIONS["programme.add"]),
    "funds": holds(*PERMISSIONS["fund.add"]),
    "webhooks": holds(*PERMISSIONS["webhook.add"]),
}
"""First part of an address of the API -> who brings such a thing in."""
IN_LISTS: Mapping[str, Reading] = {
    **{path: reading for path, reading in READERS.items() if path in LISTS},
    "grants": READERS["users"],
    "tokens": Reading(wide=_SEES_ALL),
}
"""List of the API -> who finds the thing of these tests in it; a role or a token is that of its account."""

EACH_LIST = ("GET /api/v1/{path}", "POST /api/v1/{path}", "GET /api/v1/{path}/{ref}/{part}")
"""Asked once per list, per thing that can be brought in, and per part of a noun."""
EACH_NOUN = ("GET /api/v1/{path}/{ref}", "GET /api/v1/{path}/{ref}/commands")
EACH_VERB = ("GET /{path}/{ref}/do/{name}", "POST /{path}/{ref}/do/{name}", "POST /api/v1/{path}/{ref}/commands/{name}")
"""Asked once per noun, and once per verb of each noun."""
