"""The top bar: what stands in it, and for whom. A page that somebody cannot open is not offered to them."""

from dataclasses import dataclass

from lifecycle.actor import PARTIES_OF_ROLE
from models.states import Role
from web.money_rights import BANK_ROLES, FUNDER_ROLES, MONEY_ROLES
from web.session import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry; its words are `page.menu.<name>`."""

    name: str
    path: str
    roles: frozenset[Role] = frozenset(Role)
    key: str = ""
    """Pressed after `g`, it leads there."""


PORTFOLIO = frozenset(
    {
        Role.COORDINATOR,
        Role.FUND_MANAGER,
        Role.FUND_DIRECTOR,
        Role.CERTIFIER,
        Role.PAYER,
        Role.ACCOUNTANT,
        Role.SPONSOR,
        Role.AUDITOR,
        Role.ADMIN,
        Role.OPERATOR,
    }
)
"""Who reads the portfolio."""
OF_FIRMS = frozenset(role for role, parties in PARTIES_OF_ROLE.items() if parties == ("sme",))
"""Roles in which somebody acts for a firm."""
MENU: tuple[Entry, ...] = (
    Entry(name="inbox", path="/inbox", key="i"),
    Entry(name="my", path="/my", roles=OF_FIRMS, key="m"),
    Entry(name="board", path="/board", key="b"),
    Entry(name="projects", path="/projects", key="r"),
    Entry(name="portfolio", path="/portfolio", roles=PORTFOLIO),
    Entry(name="payouts", path="/payouts", roles=MONEY_ROLES - {Role.ADMIN}, key="p"),
    Entry(name="funds", path="/funds", roles=FUNDER_ROLES | {Role.COORDINATOR}, key="f"),
    Entry(name="bank", path="/bank", roles=BANK_ROLES - {Role.ADMIN}),
    Entry(name="ops", path="/ops", roles=frozenset({Role.OPERATOR, Role.ADMIN}), key="o"),
    Entry(name="admin", path="/admin", roles=frozenset({Role.ADMIN})),
    Entry(name="search", path="/search"),
)
"""Eight entries at most."""


def entries(visit: Visit) -> tuple[Entry, ...]:
    """Return the entries that this person can open."""
    held = visit.roles
    if visit.is_on_own_page:
        return tuple(entry for entry in MENU if entry.name == "my")
    return tuple(entry for entry in MENU if entry.roles & held or not held)
