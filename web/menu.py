"""The top bar: what stands in it, and for whom. A page that somebody cannot open is not offered to them."""

from collections.abc import Mapping
from dataclasses import dataclass

from lifecycle.permissions import PARTIES_OF_ROLE
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
OF_PLATFORMS = frozenset(role for role, parties in PARTIES_OF_ROLE.items() if parties == ("platform",))
MENU: tuple[Entry, ...] = (
    Entry(name="inbox", path="/inbox", key="i"),
    Entry(name="my", path="/my", roles=OF_FIRMS, key="m"),
    Entry(name="board", path="/board", key="b"),
    Entry(name="projects", path="/projects", key="r"),
    Entry(name="batches", path="/batches", roles=OF_FIRMS | OF_PLATFORMS),
    Entry(name="portfolio", path="/portfolio", roles=PORTFOLIO),
    Entry(name="payouts", path="/payouts", roles=MONEY_ROLES - {Role.ADMIN}, key="p"),
    Entry(name="funds", path="/funds", roles=FUNDER_ROLES | {Role.COORDINATOR}, key="f"),
    Entry(name="bank", path="/bank", roles=BANK_ROLES - {Role.ADMIN}),
    Entry(name="standards", path="/standards", roles=frozenset({Role.STANDARD_EDITOR})),
    Entry(name="audit", path="/audit", roles=frozenset({Role.AUDITOR})),
    Entry(name="ops", path="/ops", roles=frozenset({Role.OPERATOR, Role.ADMIN}), key="o"),
    Entry(name="admin", path="/admin", roles=frozenset({Role.ADMIN})),
)
"""Eight entries at most."""
_REFERENCES: Mapping[str, frozenset[Role]] = {
    "standards": frozenset(Role),
    "platforms": frozenset(Role),
    "exports": frozenset({*OF_PLATFORMS, *FUNDER_ROLES, Role.COORDINATOR}),
    "audit": frozenset({Role.AUDITOR, Role.OPERATOR, Role.ADMIN}),
    "problems": frozenset(Role),
    "api": frozenset(Role),
}
"""What the foot of a page leads to, besides help: name of the page -> who can open it."""


def entries(visit: Visit) -> tuple[Entry, ...]:
    """Return the entries that this person can open."""
    held = visit.roles
    if visit.is_on_own_page:
        return tuple(entry for entry in MENU if entry.name == "my")
    return tuple(entry for entry in MENU if entry.roles & held or not held)


def references(visit: Visit) -> tuple[str, ...]:
    """Return the pages to look things up in that this person can open."""
    held = visit.roles
    if visit.is_on_own_page:
        return ("problems",)
    return tuple(name for name, roles in _REFERENCES.items() if roles & held or not held)
