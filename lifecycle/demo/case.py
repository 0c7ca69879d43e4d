"""One project of the story: what it is about, the figures its papers are filled with, and who acts in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from lifecycle.demo.people import FIRMS, PLATFORMS
from lifecycle.demo.story import Story, id_of
from lifecycle.projects.registration import RegisterProject
from lifecycle.reviews.panel import Seat
from lifecycle.standards.pack import Pack
from models.states import Competence, ProjectState, Role, Verification

LEVELS: Mapping[str, tuple[int, int]] = {"G1": (5, 4), "G3": (7, 7), "G4": (8, 8)}
"""Gate -> TRL and MRL claimed for it, where they rise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is to be brought into production. Money in fen."""

    name: str
    technology: str
    firm: str
    platform: str = "hardware"
    programme: str = "HW-2025"
    manufacture: str = "assembly"
    verifications: tuple[Verification, ...] = (Verification.FUNCTION, Verification.PROCESS)
    target_minor: int = 480_000
    first_lot: int = 300
    batch_size: int = 120
    characteristic: tuple[str, str, float, float] = ("关键尺寸", "mm", 9.9, 10.1)
    """Name, unit, lower and upper limit of the special characteristic."""
    equipment: tuple[str, ...] = ("总装工位", "老化测试台")
    customers: str = "user"
    plant: str = "plant_1"
    receiver_lead: str = "meng"
    customer_rep: str = "shao"
    panel: tuple[str, ...] = ("fang", "tang", "luo", "xu", "jiang")
    """Chair first; the technical expert is second and decides at G1."""
    levels: Mapping[str, tuple[int, int]] = field(default_factory=lambda: LEVELS)


COMPETENCES: Mapping[str, tuple[Competence, ...]] = {
    "fang": (Competence.MANUFACTURING_QUALITY,),
    "deng": (Competence.MANUFACTURING_QUALITY,),
    "tang": (Competence.TECHNICAL,),
    "luo": (Competence.TECHNICAL,),
    "xu": (Competence.MARKET,),
    "jiang": (Competence.FINANCE,),
    "su": (Competence.MARKET, Competence.FINANCE),
}

_FUND_ROLES = {Role.FUND_MANAGER: "zhou", Role.CERTIFIER: "wu", Role.PAYER: "qian", Role.SPONSOR: "jin"}
_OUTSIDE = {"hardware": "chemical", "chemical": "bio", "bio": "chemical"}
"""Whose quality engineer and lab lead sit in the panels of a platform's projects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A registered project with its product."""

    product: Product
    project_id: UUID
    number: str
    pack: Pack
    revision: str = "A"
    """Label of the design revision that its papers speak of."""
    last_batch: str = ""
    """Number of the newest trial batch, whose units go to customers."""

    def who(self, role: Role, competence: Competence | None = None) -> str:
        """Return the login of the person who has this role in this project."""
        product = self.product
        if role in (Role.PROJECT_LEAD, Role.PROCESS_ENGINEER):
            return FIRMS[product.firm].lead[0]
        if role is Role.FINANCE_OFFICER:
            return FIRMS[product.firm].finance[0]
        if role in PLATFORMS[product.platform].people:
            return PLATFORMS[product.platform].people[role][0]
        if role is Role.EXPERT:
            return next(one for one in product.panel[1:] if competence in (None, *COMPETENCES[one]))
        named = {Role.RECEIVER_LEAD: product.receiver_lead, Role.CUSTOMER_REP: product.customer_rep}
        return {**_FUND_ROLES, **named, Role.PANEL_CHAIR: product.panel[0]}[role]

    def customers(self) -> tuple[str, ...]:
        """Return the three organisations that try the product."""
        return tuple(f"{self.product.customers}_{number}" for number in (1, 2, 3))

    def seats(self, story: Story, gate: str) -> tuple[Seat, ...]:
        """Return the panel of this gate: at G1 one expert, later chair, experts and the seats that the gate adds."""
        panel = self.product.panel
        if gate == "G1":
            return (_seat(story, panel[1], Role.EXPERT),)
        experts = [_seat(story, login, Role.EXPERT) for login in panel[1:]]
        chair = _seat(story, panel[0], Role.PANEL_CHAIR, is_chair=True)
        return (chair, *experts, *(_seat(story, login, role) for login, role in self._guests(gate)))

    def _guests(self, gate: str) -> list[tuple[str, Role]]:
        outside = PLATFORMS[_OUTSIDE[self.product.platform]].people
        own = self.product
        extra = next(login for login in ("luo", "tang", "su") if login not in own.panel)
        match gate:
            case "G3":
                return [(outside[role][0], role) for role in (Role.QUALITY_ENGINEER, Role.LAB_LEAD)]
            case "G4":
                return [(own.customer_rep, Role.CUSTOMER_REP), (extra, Role.EXPERT)]
            case "G5":
                return [(own.receiver_lead, Role.RECEIVER_LEAD), (extra, Role.EXPERT)]
        return []


def _seat(story: Story, login: str, role: Role, **more: Any) -> Seat:
    return Seat(user_id=story.people[login].user_id, role=role, competences=COMPETENCES.get(login, ()), **more)


def register(story: Story, product: Product, received_on: date | None = None) -> Case:
    """Take an application in, handed in by the firm's lead."""
    answer = story.act(
        FIRMS[product.firm].lead[0],
        RegisterProject,
        programme_id=story.programmes[product.programme],
        organisation_id=story.organisations[product.firm],
        platform_id=story.organisations[product.platform],
        name=product.name,
        received_on=received_on,
        profiles={"manufacture": product.manufacture},
    )
    pack = story.packs[product.programme]
    case = Case(product=product, project_id=id_of(answer), number=answer["number"], pack=pack)
    story.cases[product.name] = case
    return case


def stage_of(gate: str) -> ProjectState:
    """Return the stage that a gate closes."""
    return list(ProjectState)[int(gate[1]) - 1]
