"""What somebody may take along as a file, in one place: the lists of projects and of money, and where the rest is.

Each list gives its files itself, with the filters that are chosen there; what only this page knows is which ones there
are. Lists of accounts and of the works stay with the pages of who runs the installation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from models.states import Role
from web.listing import Form
from web.menu import PORTFOLIO
from web.money_rights import BANK_ROLES, FUNDER_ROLES, MONEY_ROLES, PLATFORM_ROLES, SME_ROLES
from web.pages.trail import AUDITORS
from web.render import page
from web.session import Somebody

router = APIRouter()
_HISTORY = "pilotway export events --format ocel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One list that is told as files."""

    name: str
    """Its heading is `page.<name>.title`."""
    path: str
    roles: frozenset[Role] = frozenset(Role)
    """Who opens it; everybody who is signed in for all of them."""
    is_dated: bool = False
    """Its rows are days, too, for a calendar."""

    @property
    def forms(self) -> tuple[str, ...]:
        """Return how its addresses end, the one for people first."""
        said = (Form.XLSX, Form.CSV, Form.JSON, Form.ICS)
        return tuple(str(one) for one in said if one is not Form.ICS or self.is_dated)


EXPORTS: Sequence[Export] = (
    Export(name="projects", path="/projects", is_dated=True),
    Export(name="due", path="/projects/calendar", is_dated=True),
    Export(name="portfolio", path="/portfolio", roles=PORTFOLIO),
    Export(name="reports", path="/portfolio/reports", roles=PORTFOLIO),
    Export(name="batches.anywhere", path="/batches"),
    Export(name="platforms", path="/platforms"),
    Export(name="standards", path="/standards"),
    Export(name="payouts", path="/payouts", roles=MONEY_ROLES, is_dated=True),
    Export(name="agreements", path="/agreements", roles=MONEY_ROLES, is_dated=True),
    Export(name="recoveries", path="/recoveries", roles=MONEY_ROLES, is_dated=True),
    Export(name="payees", path="/payees", roles=FUNDER_ROLES | SME_ROLES),
    Export(name="funds", path="/funds", roles=FUNDER_ROLES | PLATFORM_ROLES),
    Export(name="payment_batches", path="/payment-batches", roles=BANK_ROLES),
    Export(name="statements", path="/statements", roles=BANK_ROLES),
    Export(name="exceptions", path="/exceptions", roles=BANK_ROLES),
    Export(name="audit", path="/audit", roles=AUDITORS),
)


@router.get("/exports")
def show(visit: Somebody) -> Response:
    """Show what this person may take along."""
    held = visit.roles
    mine = [one for one in EXPORTS if one.roles & held or one.roles == frozenset(Role)]
    return page(
        visit,
        "exports.html",
        exports=mine,
        reads_funds=bool(held & FUNDER_ROLES),
        history=_HISTORY if held & AUDITORS else "",
    )
