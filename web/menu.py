"""The top bar: what stands in it, and for whom. A page that somebody cannot open is not offered to them."""

from dataclasses import dataclass

from models.states import Role
from web.money_rights import BANK_ROLES, FUNDER_ROLES, MONEY_ROLES
from web.session import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry; its words are `page.menu.<name>`."""

    name: str
    path: str
    roles: frozenset[Role] = frozenset(Role)


MENU: tuple[Entry, ...] = (
    Entry(name="board", path="/board"),
    Entry(name="projects", path="/projects"),
    Entry(name="payouts", path="/payouts", roles=MONEY_ROLES - {Role.ADMIN}),
    Entry(name="funds", path="/funds", roles=FUNDER_ROLES | {Role.COORDINATOR}),
    Entry(name="bank", path="/bank", roles=BANK_ROLES - {Role.ADMIN}),
)
"""Eight entries at most."""


def entries(visit: Visit) -> tuple[Entry, ...]:
    """Return the entries that this person can open."""
    held = visit.roles
    return tuple(entry for entry in MENU if entry.roles & held or not held)
