"""The dry world a log is played in: made through the verbs of everybody, on the bare standard, and thrown away after.

A funder with its people, a firm with a project past its second gate for whoever asks for money, and purses: a fund with
an agreement whose first tranche is accepted. Nothing here opens a transaction: whoever plays hands a session over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from uuid import UUID

from lifecycle import verbs
from lifecycle.acting import Acting
from lifecycle.actor import Actor
from lifecycle.agreements.commands import DraftAgreement, SignAgreement
from lifecycle.agreements.terms import PlannedTranche
from lifecycle.canonical import sha256
from lifecycle.funds.commands import AddFund, Contribute, SetTiers, Tier
from lifecycle.installation import initialise, write_edges
from lifecycle.milestones.commands import AcceptMilestone, SubmitMilestone
from lifecycle.payouts.payees import ConfirmAccount, ProposeAccount
from lifecycle.people.commands import AddOrganisation, AddProgramme, AddUser, GrantRole, PublishStandard
from lifecycle.projects.commands import Advance
from lifecycle.projects.registration import RegisterProject
from lifecycle.requirements.commands import AddEvidence
from lifecycle.standards import library
from lifecycle.standards.pack import Pack
from models.agreements import Milestone
from models.limits import WHOLE_SHARE
from models.money import MAX_MINOR
from models.payouts import PayeeAccount
from models.reading import rows_by
from models.states import Door, OrganisationKind, PayeeStatus, Role

FUNDER = "funder"
_STAFF: Mapping[str, tuple[Role, ...]] = {
    "sponsor": (Role.SPONSOR,),
    "director": (Role.FUND_DIRECTOR,),
    "accountant": (Role.ACCOUNTANT,),
}
_REPORT = "report"
_REST = "R"
"""What the tranches of a purse leave of its award; no case is paid from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """Money that cases are paid from: a fund, and the accepted tranches of its agreement with a firm's project."""

    fund_id: UUID
    milestones: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """Who asks for money: an organisation with one project and one confirmed account."""

    organisation_id: UUID
    project_id: UUID
    account_id: UUID
    lead: str
    paper: str
    """Hash of the paper that reports rest on."""


@dataclass(slots=True, kw_only=True)
class World(Acting):
    """Where the play stands: its instant, where the log was written, its people and parties."""

    prefix: str = "replay"
    funder_id: UUID = field(init=False)
    programme_id: UUID = field(init=False)


def found(world: World, *, asks: Sequence[str]) -> None:
    """Enter the standard, the programme, the funder and its staff into an empty database at head."""
    initialise(world.session, mode="rehearsal", now=world.now.astimezone(UTC), new_id=world.new_id)
    write_edges(world.session, verbs.all_edges())
    world.people["clock"] = Actor.clock(Door.CLI)
    pack = _standard(asks)
    body = {"sha256": library.sha256(pack), "body": pack.canonical()}
    world.do("clock", PublishStandard, [body])
    (world.funder_id,) = world.make("clock", AddOrganisation, [{"name": FUNDER, "kind": OrganisationKind.FUNDER}])
    programme = {"code": "REPLAY", "name": "replay", "pack_sha256": body["sha256"]}
    (world.programme_id,) = world.make("clock", AddProgramme, [{**programme, "organisation_id": world.funder_id}])
    enter_people(world, list(_STAFF))
    grant(world, [(name, role, world.funder_id) for name, roles in _STAFF.items() for role in roles])


def _standard(asks: Sequence[str]) -> Pack:
    """Return the bare standard (the rules F3 to F6 are off), with the words that the log knows."""
    bare = library.bare()
    said = {"asks_certifier": "certifier" in asks, "asks_release": "release" in asks}
    changes = {"code": "replay", "funds": bare.funds.model_copy(update=said)}
    return Pack.model_validate(bare.model_copy(update=changes).model_dump())


def enter_people(world: World, names: Sequence[str]) -> None:
    """Enter an account for each of these people."""
    start = len(world.people)
    fields = [
        {"login": f"p{start + place}", "email": f"p{start + place}@example.org", "name": name[:100]}
        for place, name in enumerate(names)
    ]
    for name, user_id, said in zip(names, world.make("clock", AddUser, fields), fields, strict=True):
        # A first account names its human: the person has the account's own id.
        world.people[name] = Actor(user_id=user_id, person_id=user_id, name=said["name"], door=Door.CLI)


def grant(world: World, grants: Iterable[tuple[str, Role, UUID]]) -> None:
    """Give people their roles at organisations."""
    wanted = dict.fromkeys(grants)
    world.do(
        "clock",
        GrantRole,
        [
            {"user_id": world.people[who].user_id, "role": role, "organisation_id": organisation}
            for who, role, organisation in wanted
        ],
    )


def settle_firms(world: World, names: Sequence[str]) -> list[Firm]:
    """Make a firm for each name: its lead, a project past G2, and an account that waits for its first agreement."""
    leads = [f"lead of {name}" for name in names]
    kind = OrganisationKind.SME
    firms = world.make("clock", AddOrganisation, [{"name": name[:100], "kind": kind} for name in names])
    enter_people(world, leads)
    roles = (Role.PROJECT_LEAD, Role.FINANCE_OFFICER)
    grant(world, [(lead, role, firm) for lead, firm in zip(leads, firms, strict=True) for role in roles])
    projects = world.make(
        "clock",
        RegisterProject,
        [
            {"programme_id": world.programme_id, "organisation_id": firm, "name": name[:100]}
            for firm, name in zip(firms, names, strict=True)
        ],
    )
    for _ in range(2):
        world.do("clock", Advance, [{"project_id": one, "reason": "dry run"} for one in projects])
    accounts = []
    for place, (lead, firm, name) in enumerate(zip(leads, firms, names, strict=True)):
        said = {"holder_name": name[:100], "account_number": f"62220000{place:011d}", "bank_code": "102100099996"}
        accounts += world.make(lead, ProposeAccount, [{"organisation_id": firm, **said}])
    return [
        Firm(
            organisation_id=firm,
            project_id=project,
            account_id=account,
            lead=lead,
            paper=_hand_in(world, lead, project),
        )
        for firm, project, account, lead in zip(firms, projects, accounts, leads, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseWish:
    """What a purse is for: whose, in which currency, how much each tranche holds, approved by how many."""

    firm: Firm
    currency: str
    limit_minor: int
    """Of each tranche; a single one is exactly as large."""
    paid_in_minor: int
    approvals: int = 1
    tranches: int = 1

    @property
    def share(self) -> int:
        """Basis points of each tranche; what is left is the retention, which every plan has."""
        return (WHOLE_SHARE - 1) // self.tranches

    @property
    def award_minor(self) -> int:
        """The award whose tranches hold the limit."""
        return max(-(-self.limit_minor * WHOLE_SHARE // self.share), WHOLE_SHARE)


def fill_purses(world: World, wishes: Sequence[PurseWish]) -> list[Purse]:
    """Make a fund with an agreement for each wish, both parties' signatures, and its tranches, accepted."""
    funds = open_funds(world, wishes)
    drafts = [
        {
            "fund_id": fund,
            "project_id": wish.firm.project_id,
            "amount_minor": wish.award_minor,
            "starts_on": world.today,
            "tranches": _plan(wish),
        }
        for fund, wish in zip(funds, wishes, strict=True)
    ]
    agreements = world.make("sponsor", DraftAgreement, drafts)
    world.do("sponsor", SignAgreement, [{"agreement_id": one} for one in agreements])
    _confirm_accounts(world, [wish.firm.account_id for wish in wishes])
    rows = rows_by(world.session, Milestone, "agreement_id", agreements, "number")
    purses = [
        Purse(fund_id=fund, milestones=tuple(row.id for row in rows[one] if row.tranche != _REST))
        for fund, one in zip(funds, agreements, strict=True)
    ]
    by_firm: dict[str, list[tuple[UUID, Purse, Firm]]] = {}
    for agreement, purse, wish in zip(agreements, purses, wishes, strict=True):
        by_firm.setdefault(wish.firm.lead, []).append((agreement, purse, wish.firm))
    for lead, held in by_firm.items():
        world.do(lead, SignAgreement, [{"agreement_id": agreement} for agreement, _, _ in held])
        said = [
            {"milestone_id": one, "summary": "dry run", "evidence": (firm.paper,)}
            for _, purse, firm in held
            for one in purse.milestones
        ]
        world.do(lead, SubmitMilestone, said)
    accepted = [{"milestone_id": one, "reason": "dry run"} for purse in purses for one in purse.milestones]
    world.do("clock", AcceptMilestone, accepted)
    return purses


def _confirm_accounts(world: World, ids: Sequence[UUID]) -> None:
    """Confirm the accounts of firms that have their first agreement."""
    rows = rows_by(world.session, PayeeAccount, "id", ids)
    waiting = [key for key, (row,) in rows.items() if row.status == PayeeStatus.PROPOSED]
    world.do("accountant", ConfirmAccount, [{"payee_account_id": one, "called": "dry run"} for one in waiting])


def open_funds(world: World, wishes: Sequence[PurseWish]) -> list[UUID]:
    """Open a fund for each wish, with its authority matrix, and pay in what it asks for."""
    start = world.given
    funds = world.make(
        "sponsor",
        AddFund,
        [
            {
                "code": f"REPLAY-{start + place}",
                "name": "replay",
                "organisation_id": world.funder_id,
                "commitment_minor": min(MAX_MINOR, max(wish.award_minor, wish.paid_in_minor)),
                "debtor_name": FUNDER,
                "debtor_account": f"62229999{start + place:011d}",
                "debtor_bank": "102100099996",
                "currency": wish.currency,
            }
            for place, wish in enumerate(wishes)
        ],
    )
    by_fund = list(zip(funds, wishes, strict=True))
    world.do(
        "sponsor",
        SetTiers,
        [
            {"fund_id": fund, "tiers": (Tier(up_to_minor=MAX_MINOR, approvers_needed=wish.approvals),), "reason": "dry"}
            for fund, wish in by_fund
        ],
    )
    paid_in = [
        {"fund_id": fund, "amount_minor": wish.paid_in_minor, "received_on": world.today}
        for fund, wish in by_fund
        if wish.paid_in_minor
    ]
    world.do("accountant", Contribute, paid_in)
    return funds


def _plan(wish: PurseWish) -> tuple[PlannedTranche, ...]:
    shares = [(f"T{number}", wish.share) for number in range(1, wish.tranches + 1)]
    rest = WHOLE_SHARE - wish.tranches * wish.share
    return (
        *(PlannedTranche(code=code, share_basis_points=share, gate="G2") for code, share in shares),
        PlannedTranche(code=_REST, share_basis_points=rest, gate="G5"),
    )


def _hand_in(world: World, lead: str, project: UUID) -> str:
    """Hand in the one paper that all reports of a project rest on, and return its hash."""
    content = sha256(str(project))
    paper = {"type": _REPORT, "file_name": "report.txt", "sha256": content, "size_bytes": 36}
    world.do(lead, AddEvidence, [{"project_id": project, "form": {"title": "dry run"}, **paper}])
    return content
