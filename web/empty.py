"""A list without rows: whether a filter is too narrow or nothing is there, and the one next step of who looks at it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lifecycle.permissions import PERMISSIONS
from models.states import Role
from web.money_rights import MONEY_ROLES
from web.session import Visit

_NO_FILTER = frozenset({"lang", "after", "tab", "view", "saved", "sort", "month", "by"})
"""What stands in an address and leaves no row out."""
_ADMIN = frozenset({Role.ADMIN})
_OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
_EVERYBODY = frozenset(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What somebody may do so that the list does not stay empty."""

    path: str
    roles: frozenset[Role]
    said: str
    """Key of its words, behind `page.`."""


def _step(path: str, roles: frozenset[Role], said: str) -> Step:
    return Step(path=path, roles=frozenset(roles), said=f"step.{said}")


_BOARD = _step("/board", _EVERYBODY, "board")
_INVITE = _step("/admin/invitations/new", PERMISSIONS["invitation.send"], "invite")
_REGISTER = (
    _step("/projects/new", PERMISSIONS["project.register"], "register"),
    _step("/admin/programmes", _ADMIN, "programme"),
)
_TRIAL = (_step("/projects?stage=small_batch_trial", _EVERYBODY, "trial"),)
_MONEY = (_step("/agreements", _EVERYBODY, "agreements"),)
_BANK = (_step("/bank", _EVERYBODY, "bank"),)
STEPS: Mapping[str, tuple[Step, ...]] = {
    "projects": _REGISTER,
    "board.whole": _REGISTER,
    "portfolio": _REGISTER,
    "due": (_step("/projects", _EVERYBODY, "projects"),),
    "batches.anywhere": _TRIAL,
    "payouts": (_step("/payouts", _EVERYBODY, "payouts"),),
    "payouts.mine": _MONEY,
    "payouts.others": _MONEY,
    "agreements": (_BOARD,),
    "recoveries": _MONEY,
    "funds": (_step("/funds/new", PERMISSIONS["fund.add"], "fund"),),
    "payees": (_step("/my", PERMISSIONS["payee_account.propose"], "account"),),
    "payment_batches": (
        _step("/payouts?tab=approved", MONEY_ROLES, "approved"),
        _step("/ops", _OPERATORS, "ops"),
    ),
    "statements": _BANK,
    "exceptions": _BANK,
    "reports": (_step("/portfolio", _EVERYBODY, "portfolio"),),
    "notes": (_step("/preferences", _EVERYBODY, "preferences"),),
    "inbox.told": (_step("/preferences", _EVERYBODY, "preferences"),),
    "inbox.begun": (_step("/inbox", _EVERYBODY, "inbox"),),
    "inbox.done": (_step("/inbox", _EVERYBODY, "inbox"),),
    "delegations": (_step("/delegations#new-title", PERMISSIONS["user.delegate"], "delegate"),),
    "platforms": (_step("/admin/organisations", PERMISSIONS["organisation.add"], "organisation"),),
    "standards": (_step("/standard-drafts/new", PERMISSIONS["standard_draft.propose"], "standard"),),
    "admin.people": (_step("/admin/people/new", PERMISSIONS["user.add"], "person"),),
    "admin.organisations": (_step("/admin/organisations/new", PERMISSIONS["organisation.add"], "organisation"),),
    "admin.programmes": (_step("/admin/programmes/new", PERMISSIONS["programme.add"], "programme"),),
    "admin.invitations": (_INVITE,),
    "admin.calendar": (_step("/calendars/working-days", _ADMIN, "calendar"),),
    "ops.runs": (_step("/ops", _OPERATORS, "ops"),),
    "ops.outbox": (_step("/ops/health", _OPERATORS, "health"),),
    "ops.webhooks": (_step("/ops/webhooks/new", PERMISSIONS["webhook.add"], "webhook"),),
    "my": _REGISTER[:1],
}
"""List -> its next steps: the first that the person may take is offered, else it is said who may take the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The next step as one person is told of it."""

    said: str
    path: str = ""
    """Empty where they may not take it themselves."""
    roles: str = ""
    """Who may, in words."""


def way_of(visit: Visit, name: str, role_words: Callable[[Iterable[Role]], str]) -> Way | None:
    """Return the next step of an empty list; None where there is none to take."""
    if visit.is_on_own_page:
        return None
    steps = STEPS.get(name) or STEPS.get(name.partition(".")[0], ())
    for step in steps:
        if step.roles & visit.roles or step.roles == _EVERYBODY:
            return Way(said=step.said, path=step.path)
    return Way(said=steps[0].said, roles=role_words(sorted(steps[0].roles))) if steps else None


def filters_of(visit: Visit) -> frozenset[str]:
    """Return the names in the address that leave rows out."""
    return frozenset(
        name
        for name, value in visit.request.query_params.items()
        if value not in ("", "all") and name not in _NO_FILTER
    )
