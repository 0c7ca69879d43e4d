"""The robot from intake to production, told once, by whoever clicks: a browser of these tests, or a real one.

By the lean standard of `tests/factories.py`: an expert at the first gate, a panel and a public notice at the second,
money of a fund during the trial, papers on the way.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from flows.bank_channel import DropFolders
from flows.disbursement import Teller, disburse
from flows.reconciliation import take_file
from flows.sandbox import SandboxBank, incoming_money
from lifecycle.access.commands import SetPassword
from lifecycle.access.passwords import hashed
from lifecycle.funds.commands import SetTiers, Tier
from models.clock import FixedClock
from models.db import reading
from models.money import MAX_MINOR
from models.states import Competence, Role
from tests import factories as make
from tests.factories import House, key
from tests.web.conftest import console_of

ROBOT = "智能炒菜机器人"
FUND = "robot fund"
PASSWORD = "correct horse battery"
PAPER = b"%PDF-1.7\nwhat was found\n%%EOF\n"
LEAD, OFFICER, COORDINATOR = Role.PROJECT_LEAD, Role.FINANCE_OFFICER, Role.COORDINATOR
FIRST, SECOND = Role.FUND_MANAGER, Role.FUND_DIRECTOR
_ZONE = ZoneInfo("Asia/Shanghai")
_PROJECT, _PAYOUT, _AGREEMENT = (re.compile(rf"{kind}-\d{{4}}-\d{{4}}") for kind in ("PT", "PO", "AG"))


class Visitor(Protocol):
    """Somebody in front of the console, signed in."""

    @property
    def path(self) -> str:
        """Return where they are."""

    @property
    def text(self) -> str:
        """Return what they read there."""

    def open(self, path: str) -> None:
        """Type an address."""

    def follow(self, words: str) -> None:
        """Click the first link with these words."""

    def choose(self, permission: str) -> None:
        """Click what leads to a verb."""

    def submit(self, /, file: Any = None, **typed: str) -> None:
        """Fill in the form of a command and press its button."""

    def press(self, button: str, /, file: Any = None, **typed: str) -> None:
        """Fill in the form that has a button with these words or this value, and press it."""


@dataclass(slots=True)
class Stage:
    """The world, its clock and its bank, and who clicks: `stage.enter("coordinator")`."""

    house: House
    clock: FixedClock
    bank: DropFolders
    let_in: Callable[[str], Visitor]
    """Opens a browser and signs somebody in there."""
    inside: dict[str, Visitor] = field(default_factory=dict)

    def enter(self, login: str) -> Visitor:
        """Return the browser of somebody, who signs in once a day."""
        if login not in self.inside:
            self.inside[login] = self.let_in(login)
        return self.inside[login]

    def later(self, days: int) -> None:
        """Let days pass, for the world and for the console."""
        self.house.later(days=days)
        self.clock.at = self.house.now
        self.inside.clear()


def prepare(house: House) -> None:
    """Open a fund with five million yuan, of which two people approve each payment; everybody chooses a password."""
    (fund,) = make.ids_of(house.do(make.new_fund(house, name=FUND, code="ROBOT"), by=Role.SPONSOR))
    make.pay_in(house, fund)
    tiers = (Tier(up_to_minor=MAX_MINOR, approvers_needed=2),)
    password = hashed(PASSWORD)
    for name, one in house.people.items():
        if name != "disabled":
            house.do(SetPassword(command_id=key(), user_id=one.user_id, password_hash=password), by=name)
    house.do(SetTiers(command_id=key(), fund_id=fund, tiers=tiers, reason="two look"), by=Role.SPONSOR)


def opened(house: House, folder: Path) -> tuple[FastAPI, FixedClock, DropFolders]:
    """Return the console of the story, which reads files of the bank, its clock, and the folders of the bank."""
    prepare(house)
    clock, (out, inbox) = FixedClock(house.now), (folder / "out", folder / "in")
    out.mkdir()
    inbox.mkdir()
    app = console_of(house, files=folder / "evidence")
    app.state.house = replace(app.state.house, take_file=take_file, clock=clock)
    return app, clock, DropFolders(out, inbox)


def tell(stage: Stage) -> None:
    """Tell it all; each part asserts what its people see."""
    number = applied(stage)
    first_gate(stage, number)
    second_gate(stage, number)
    agreement = awarded(stage, number)
    payout = asked_for_money(stage, agreement)
    approved_by_two(stage, payout)
    paid_by_the_bank(stage, payout)
    to_production(stage, number)


def done(visitor: Visitor) -> None:
    """See that the last command was carried out: its receipt is shown."""
    assert visitor.path.startswith("/receipts/"), f"{visitor.path}: {visitor.text}"


def applied(stage: Stage) -> str:
    """Register the project as its firm does; return its number."""
    lead, house = stage.enter(LEAD), stage.house
    lead.open("/my")
    lead.follow("New application")
    lead.submit(
        name=ROBOT,
        organisation_id=str(house.parties["sme"]),
        programme_id=str(house.programmes["lean"]),
        platform_id=str(house.parties["platform"]),
    )
    done(lead)
    found = _PROJECT.search(lead.text)
    assert found, lead.text
    return found[0]


def handed_in(stage: Stage, number: str, *kinds: str) -> None:
    """Hand papers in."""
    lead = stage.enter(LEAD)
    for kind in kinds:
        lead.open(f"/projects/{number}/do/evidence-add")
        lead.open(f"/projects/{number}/do/evidence-add?type={kind}")
        lead.press("Hand in", v_title=f"the {kind}", file=(f"{kind}.pdf", PAPER + kind.encode() + number.encode()))
        assert lead.path.startswith("/evidence/"), lead.text


def accepted(stage: Stage, number: str, *clauses: str) -> None:
    """Accept what was handed in."""
    coordinator = stage.enter(COORDINATOR)
    for clause in clauses:
        coordinator.open(f"/projects/{number}/gate")
        coordinator.open(f"/projects/{number}/gate/{clause}")
        coordinator.press("Accept", reason="read and found right")
        done(coordinator)


def submitted(stage: Stage, number: str) -> None:
    """Say that the stage is ready to be judged."""
    lead = stage.enter(LEAD)
    lead.open(f"/projects/{number}")
    lead.choose("project.submit")
    lead.submit()
    done(lead)


def seat(house: House, name: str, role: str, *competences: str) -> str:
    """Return the choice of the form that stands for a seat."""
    held = "".join(f"&competences={one}" for one in competences)
    return f"user_id={house.people[name].user_id}&role={role}{held}"


def called(stage: Stage, number: str, *seats: str) -> str:
    """Call the panel, its first seat the chair, and open the documents to it; return where the room is."""
    coordinator = stage.enter(COORDINATOR)
    coordinator.open(f"/projects/{number}")
    coordinator.choose("review.call")
    typed = {f"panel.{place}.pick": one for place, one in enumerate(seats)}
    typed |= {f"panel.{place}.has_vote": "yes" for place in range(len(seats))}
    coordinator.submit(planned_on=stage.house.today.isoformat(), **typed, **{"panel.0.is_chair": "yes"})
    done(coordinator)
    coordinator.open(f"/projects/{number}/gate")
    coordinator.follow("Review G")
    room = coordinator.path
    coordinator.choose("review.open")
    coordinator.submit()
    done(coordinator)
    return room


def judged(stage: Stage, room: str, *people: str) -> None:
    """Have everybody score and vote, then the first of them propose what was voted."""
    for name in people:
        expert = stage.enter(name)
        expert.open(room)
        expert.choose("review.score")
        expert.submit(vote="go", **{"points.merit": "8"})
        done(expert)
    chair = stage.enter(people[0])
    chair.open(room)
    chair.choose("review.propose")
    chair.submit(outcome="go", reason="as voted")
    done(chair)


def advanced(stage: Stage, number: str, said: str) -> None:
    """Lead the project into its next stage."""
    coordinator = stage.enter(COORDINATOR)
    coordinator.open(f"/projects/{number}")
    coordinator.choose("project.advance")
    coordinator.submit(reason="the gate is met")
    done(coordinator)
    coordinator.open(f"/projects/{number}")
    assert said in coordinator.text


def first_gate(stage: Stage, number: str) -> None:
    """Pass intake by the word of one expert."""
    handed_in(stage, number, "paper")
    accepted(stage, number, "G1.1")
    submitted(stage, number)
    room = called(stage, number, seat(stage.house, Role.EXPERT, Role.EXPERT, *COMPETENCES))
    judged(stage, room, Role.EXPERT)
    advanced(stage, number, "Feasibility")


COMPETENCES = tuple(str(one) for one in Competence)


def second_gate(stage: Stage, number: str) -> None:
    """Pass feasibility by a panel whose word is shown publicly for five working days."""
    handed_in(stage, number, "paper", "plan")
    accepted(stage, number, "G2.1", "G2.2")
    submitted(stage, number)
    house = stage.house
    seats = (
        seat(house, Role.PANEL_CHAIR, Role.PANEL_CHAIR, *COMPETENCES),
        seat(house, Role.EXPERT, Role.EXPERT, *COMPETENCES),
        seat(house, "expert market", Role.EXPERT, "market"),
    )
    room = called(stage, number, *seats)
    judged(stage, room, Role.PANEL_CHAIR, Role.EXPERT, "expert.market")
    stage.later(days=9)
    chair = stage.enter(Role.PANEL_CHAIR)
    chair.open(room)
    chair.choose("review.decide")
    chair.submit()
    done(chair)
    advanced(stage, number, "Small-batch trial")


def awarded(stage: Stage, number: str) -> str:
    """Award a million yuan, which both sides sign; return the agreement's number."""
    sponsor, house = stage.enter(Role.SPONSOR), stage.house
    sponsor.open("/funds")
    sponsor.follow(FUND)
    sponsor.choose("agreement.draft")
    project = str(house.one("SELECT id FROM v_project WHERE number = :n", n=number))
    sponsor.submit(
        project_id=project,
        amount_minor="1,000,000",
        own_money_minor="500,000",
        starts_on=house.today.isoformat(),
    )
    done(sponsor)
    sponsor.open("/agreements")
    found = _AGREEMENT.search(sponsor.text)
    assert found, sponsor.text
    for side in (LEAD, Role.SPONSOR):
        signer = stage.enter(side)
        signer.open(f"/agreements/{found[0]}")
        signer.choose("agreement.sign")
        signer.submit()
        done(signer)
    return found[0]


def asked_for_money(stage: Stage, agreement: str) -> str:
    """Report the first tranche, have it accepted and the account confirmed, and ask for it; return the payout."""
    lead, house = stage.enter(LEAD), stage.house
    lead.open(f"/agreements/{agreement}")
    lead.follow("T1")
    tranche = lead.path
    paper = house.rows("SELECT sha256 FROM evidence WHERE type = 'plan'")[0].sha256
    lead.choose("milestone.submit")
    lead.submit(summary="the line stands", evidence=paper)
    done(lead)
    coordinator = stage.enter(COORDINATOR)
    coordinator.open(tranche)
    coordinator.choose("milestone.accept")
    coordinator.submit(reason="seen")
    done(coordinator)
    account = an_account(stage)
    officer = stage.enter(OFFICER)
    officer.open(tranche)
    officer.choose("payout.request")
    officer.submit(payee_account_id=account, new_amount_minor="400,000")
    done(officer)
    found = _PAYOUT.search(officer.text)
    assert found, officer.text
    return found[0]


def an_account(stage: Stage) -> str:
    """Enter the firm's account and have it confirmed by a second person; return which it is."""
    officer, accountant = stage.enter(OFFICER), stage.enter(Role.ACCOUNTANT)
    officer.open("/payees")
    officer.follow("enter the account")
    officer.submit(holder_name="sme", account_number="6222 0202 0011 2233", bank_code="ICBKCNBJ")
    done(officer)
    accountant.open("/payees")
    accountant.follow("sme")
    accountant.choose("payee_account.confirm")
    accountant.submit(called="021-5555 0101, Mrs Lin")
    done(accountant)
    return str(stage.house.one("SELECT id FROM v_payee_account"))


def approved_by_two(stage: Stage, payout: str) -> None:
    """Approve it as two fund managers who each type the amount."""
    for name in (FIRST, SECOND):
        manager = stage.enter(name)
        manager.open("/payouts")
        manager.follow(payout)
        assert "人民币肆拾万元整" in manager.text
        manager.press("approve", amount_minor="400000")
        done(manager)


def paid_by_the_bank(stage: Stage, payout: str) -> None:
    """Ask for the payment run as the operator, let the clock hand the file over, and take the bank's answers in."""
    operator, house = stage.enter(Role.OPERATOR), stage.house
    operator.open("/ops")
    operator.open("/ops/schedules/disbursement/run")
    operator.submit(reason="the firm waits")
    done(operator)
    with reading(house.engine) as session:
        bank = SandboxBank(stage.bank, today=house.today, incoming=incoming_money(session, _ZONE))
    run = disburse(house.engine, Teller(bank=bank, holder="clock", takes="keep"), house.stamp())
    for _ in range(4):
        for answer in list(bank.inbox()):
            operator = stage.enter(Role.OPERATOR)
            operator.open("/bank")
            with answer.open() as stream:
                content = stream.read()
            operator.press("Take a file of the bank", file=(answer.name, content))
            assert "The file was taken" in operator.text, operator.text
            bank.file_away(answer.name, "done")
        if house.one("SELECT state FROM v_payout WHERE number = :n", n=payout) == "paid":
            break
        stage.later(days=1)
        with reading(house.engine) as session:
            bank.turn_to(house.today, incoming_money(session, _ZONE))
    officer = stage.enter(OFFICER)
    officer.open(f"/payouts/{payout}")
    assert "paid" in officer.text.lower(), run
    assert house.one("SELECT state FROM v_payout WHERE number = :n", n=payout) == "paid"


def to_production(stage: Stage, number: str) -> None:
    """Go on through market validation and hand-off."""
    advanced(stage, number, "Market validation")
    handed_in(stage, number, "paper")
    accepted(stage, number, "G4.1")
    advanced(stage, number, "Handoff")
    advanced(stage, number, "In production")
