"""Payee accounts: entered by the firm, confirmed by a second person who called back, then cooled off (F16)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.actor import Parties
from lifecycle.banking.account_codes import LONGEST, account_reasons
from lifecycle.chart import about_input
from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.errors import Unmet, unmet
from lifecycle.funds.wall import people_of, walls_of
from lifecycle.installation import is_for_real_work
from lifecycle.payouts.near import tied_to
from lifecycle.payouts.payee_names import NameMatch, name_match
from lifecycle.payouts.payload import payee_hash
from lifecycle.permissions import PERMISSIONS
from models.agreements import Agreement
from models.funds import Fund
from models.payouts import PayeeAccount
from models.people import Organisation, RoleGrant, User
from models.projects import Project
from models.reading import rows_by, table_of
from models.states import PayeeStatus

OBJECT_TYPE = "payee_account"
COOLING_OFF_DAYS = 5
"""Working days before a changed account is paid to (rule book F16): an account belongs to no project and no pack."""
CHANGE_SHOWN = timedelta(days=30)
"""How long a changed account is shown as such, and called back about before it is paid to (rule book F16)."""
_HOLDER_LENGTH = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeAccount(Command):
    """Enter a bank account of the firm; nobody is paid there before a second person has confirmed it."""

    organisation_id: UUID
    holder_name: str
    account_number: str
    bank_code: str
    bank_name: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAccount(Command):
    """Say that the firm confirmed the account when called on a number known before it was entered."""

    payee_account_id: UUID
    called: str
    """Whom, on which number."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireAccount(Command):
    """Pay nobody to this account any more."""

    payee_account_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeFacts:
    """One command on an account, with the firm, its other accounts and who entered this one."""

    command: Any
    stamp: Stamp
    row: Any
    organisation: Any = None
    others: tuple[Any, ...] = ()
    """Accounts with the same hash, and those of the same firm."""
    person_of: Mapping[UUID, UUID] = field(default_factory=dict)
    is_beside: bool = False
    """Another account of the firm is to be confirmed before it in the same call."""
    is_ours: bool = False
    """A fund that the actor speaks for has an agreement with the firm, or none has one yet."""
    is_for_real: bool = False
    """The database is for real work; rehearsals name made-up banks."""
    interested: frozenset[UUID] = frozenset()
    """Persons who belong to the firm, to one tied to it, or behind the wall to the investors of a fund that pays it."""

    @property
    def is_change(self) -> bool:
        """Say whether the firm has had an account before, in use or retired."""
        return self.is_beside or any(row.confirmed_by is not None for row in self.others)


def judging_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[PayeeFacts]:
    """Read besides whether, of the funds that have an agreement with the firm, the actor speaks for one.

    And who belongs to the firm, or stands behind the wall to it.
    """
    facts = payee_facts(session, tasks, stamp)
    if stamp.actor.is_clock:
        return [replace(one, is_ours=True) for one in facts]
    fund, grant = table_of(Fund), table_of(RoleGrant)
    agreement, project = table_of(Agreement), table_of(Project)
    held = (
        (grant.c.organisation_id == fund.c.organisation_id)
        & (grant.c.user_id == stamp.actor.user_id)
        & grant.c.revoked_at.is_(None)
        & grant.c.role.in_(PERMISSIONS[f"{OBJECT_TYPE}.confirm"])
    )
    statement = (
        select(project.c.organisation_id, fund.c.id, func.count(grant.c.id))
        .join_from(agreement, project, project.c.id == agreement.c.project_id)
        .join(fund, fund.c.id == agreement.c.fund_id)
        .outerjoin(grant, held)
        .where(project.c.organisation_id.in_({one.organisation.id for one in facts}))
        .group_by(project.c.organisation_id, fund.c.id)
    )
    paying: dict[UUID, dict[UUID, bool]] = {}
    for firm, fund_id, grants in session.connection().execute(statement):
        paying.setdefault(firm, {})[fund_id] = grants > 0
    interested = _interested(session, {one.organisation.id: paying.get(one.organisation.id, {}) for one in facts})
    return [
        replace(
            one,
            is_ours=any(paying.get(one.organisation.id, {None: True}).values()),
            interested=interested[one.organisation.id],
        )
        for one in facts
    ]


def _interested(session: Session, paying: Mapping[UUID, Collection[UUID]]) -> dict[UUID, frozenset[UUID]]:
    """Return firm -> persons who do not decide on its money; `paying` are the funds that have agreements with it."""
    tied = tied_to(session, set(paying))
    people = people_of(session, {one for firm in paying for one in (firm, *tied[firm])})
    walls = walls_of(session, [(fund, firm) for firm, funds in paying.items() for fund in funds])
    return {
        firm: frozenset(person for one in (firm, *tied[firm]) for person in people.get(one, ())).union(
            *(walls[fund, firm] for fund in funds)
        )
        for firm, funds in paying.items()
    }


def payee_facts(session: Session, tasks: Sequence[Task[Any]], stamp: Stamp) -> list[PayeeFacts]:
    """Read the firm, its accounts, and the humans behind them."""
    firms = {task.row.organisation_id if hasattr(task.row, "payee_hash") else task.row.id for task in tasks}
    organisations = rows_by(session, Organisation, "id", firms)
    accounts = rows_by(session, PayeeAccount, "organisation_id", firms, "at")
    users = {row.proposed_by for group in accounts.values() for row in group} - {None}
    known = rows_by(session, User, "id", users)
    for_real = is_for_real_work(session)
    facts = []
    before: set[UUID] = set()
    for task in tasks:
        firm = task.row.organisation_id if hasattr(task.row, "payee_hash") else task.row.id
        facts.append(
            PayeeFacts(
                command=task.command,
                stamp=stamp,
                row=task.row,
                organisation=organisations[firm][0],
                others=tuple(row for row in accounts.get(firm, ()) if row.id != task.row.id),
                person_of={key: rows[0].person_id for key, rows in known.items()},
                is_beside=firm in before,
                is_for_real=for_real,
            )
        )
        before.add(firm)
    return facts


@about_input
def account_sound(facts: PayeeFacts) -> tuple[Unmet, ...]:
    """An account has a holder, a number of letters and digits, and a bank; in real work these are what they must be."""
    command = facts.command
    number, code = plain(command.account_number), plain(command.bank_code)
    reasons = []
    if not 0 < len(command.holder_name.strip()) <= _HOLDER_LENGTH:
        reasons.append(unmet("holder_missing"))
    if facts.is_for_real:
        return (*reasons, *account_reasons(number, code))
    if not (number.isascii() and number.isalnum() and len(number) <= LONGEST):
        reasons.append(unmet("account_number_wrong", limit=LONGEST))
    if not (code.isascii() and code.isalnum()):
        reasons.append(unmet("bank_code_wrong", value=code[:40]))
    return tuple(reasons)


@about_input
def account_new(facts: PayeeFacts) -> tuple[Unmet, ...]:
    """The same account is entered once."""
    command = facts.command
    asked = hash_of_account(command.account_number, command.bank_code, command.holder_name)
    known = [row for row in facts.others if row.payee_hash == asked and row.status != PayeeStatus.RETIRED]
    return (unmet("account_known_already", state=str(known[0].status)),) if known else ()


def proposed_still(facts: PayeeFacts) -> tuple[Unmet, ...]:
    """Only an account that waits is confirmed."""
    return () if facts.row.status == PayeeStatus.PROPOSED else (_not_when(facts, "confirm"),)


def retirable(facts: PayeeFacts) -> tuple[Unmet, ...]:
    """What is retired stays so."""
    return () if facts.row.status != PayeeStatus.RETIRED else (_not_when(facts, "retire"),)


def _not_when(facts: PayeeFacts, verb: str) -> Unmet:
    state = str(facts.row.status)
    return unmet(f"{verb}_not_possible_when_{state}", verb=verb, state=state)


def second_person(facts: PayeeFacts) -> tuple[Unmet, ...]:
    """Nobody confirms what they entered, with no account of theirs."""
    proposer = facts.row.proposed_by
    own = facts.person_of.get(proposer, proposer) == facts.stamp.actor.person_id
    return (unmet("four_eyes"),) if own else ()


def of_our_firms(facts: PayeeFacts) -> tuple[Unmet, ...]:
    """Who pays the firm knows whom to call there: once it has an agreement, only a fund's people that has one (F16)."""
    return () if facts.is_ours else (unmet("payee_without_agreement", organisation=facts.organisation.name),)


def no_interest(facts: PayeeFacts) -> tuple[Unmet, ...]:
    """Nobody of the firm, of one tied to it, or of its investors vouches for its account (F7, F16, conflict wall)."""
    actor = facts.stamp.actor
    if actor.person_id not in facts.interested:
        return ()
    return (unmet("conflict_of_interest", conflict="money", people=[actor.name]),)


@about_input
def called_back(facts: PayeeFacts) -> tuple[Unmet, ...]:
    """The call-back is written down."""
    return () if facts.command.called.strip() else (unmet("callback_missing"),)


@about_input
def has_reason(facts: PayeeFacts) -> tuple[Unmet, ...]:
    """Say why."""
    return () if facts.command.reason.strip() else (unmet("reason_missing"),)


def hash_of_account(number: str, bank_code: str, holder: str) -> str:
    """Return the hash of an account as it is kept, however it was typed."""
    return payee_hash(plain(number), plain(bank_code), holder.strip())


def changed_on(account: Any, today: date) -> date | None:
    """Return the day on which the account took another one's place, where that is not 30 days ago yet (F16).

    The first account of a firm, usable on the day of its confirmation, changes nothing.
    """
    on = account.called_back.get("on")
    if on is None or account.usable_on is None or account.usable_on.isoformat() <= on:
        return None
    day = date.fromisoformat(on)
    return day if day + CHANGE_SHOWN >= today else None


def plain(text: str) -> str:
    """Return an account number or bank code without spaces, in half width and upper case."""
    half = "".join(chr(ord(char) - 0xFEE0) if "！" <= char <= "～" else char for char in text)
    return "".join(half.split()).replace("-", "").upper()


def proposed(facts: PayeeFacts, _target: str, stamp: Stamp) -> Effects:
    """Enter the account; what looks odd about its holder is kept for whoever confirms."""
    command = facts.command
    number, code, holder = plain(command.account_number), plain(command.bank_code), command.holder_name.strip()
    values = {
        "organisation_id": facts.organisation.id,
        "holder_name": holder,
        "account_number": number,
        "bank_code": code,
        "bank_name": command.bank_name.strip(),
        "payee_hash": payee_hash(number, code, holder),
        "status": PayeeStatus.PROPOSED,
        "reason": command.reason,
        "warnings": _warnings(holder, facts),
        "proposed_by": stamp.actor.user_id,
        "at": stamp.now,
    }
    account_id = stamp.new_id()
    act = Act(
        table=PayeeAccount,
        object_type=OBJECT_TYPE,
        id=account_id,
        action=f"{OBJECT_TYPE}.propose",
        values=values,
        detail={key: values[key] for key in ("organisation_id", "payee_hash", "warnings", "reason")},
    )
    return Effects(acts=(act,), messages=(_told(facts, "proposed", account_id),))


def _warnings(holder: str, facts: PayeeFacts) -> list[str]:
    """Return what looks odd: a name that is not the firm's, or one that only looks like it."""
    match = name_match(holder, facts.organisation.name)
    return [] if match == NameMatch.SAME else [f"holder_{match}"]


def confirmed(facts: PayeeFacts, _target: str, stamp: Stamp) -> Effects:
    """Confirm it; the first account that a firm ever had is usable at once, every other after its cooling-off (F16)."""
    usable = stamp.calendar.add_working_days(stamp.today, COOLING_OFF_DAYS) if facts.is_change else stamp.today
    back = {"called": facts.command.called, "note": facts.command.note, "on": stamp.today.isoformat()}
    values = {
        "status": PayeeStatus.CONFIRMED,
        "confirmed_by": stamp.actor.user_id,
        "called_back": back,
        "usable_on": usable,
    }
    act = _act(facts, "confirm", values, {"usable_on": usable, **back})
    return Effects(acts=(act,), messages=(_told(facts, "confirmed", facts.row.id),))


def retired(facts: PayeeFacts, _target: str, _stamp: Stamp) -> Effects:
    """Retire it; pending payouts to it are refused at the next gate."""
    act = _act(facts, "retire", {"status": PayeeStatus.RETIRED}, {"reason": facts.command.reason})
    return Effects(acts=(act,), messages=(_told(facts, "retired", facts.row.id),))


def _act(facts: PayeeFacts, verb: str, values: Mapping[str, Any], detail: Mapping[str, Any]) -> Act:
    return Act(
        table=PayeeAccount,
        object_type=OBJECT_TYPE,
        id=facts.row.id,
        action=f"{OBJECT_TYPE}.{verb}",
        row=facts.row,
        values=values,
        detail={"payee_hash": facts.row.payee_hash, **detail},
    )


def _told(facts: PayeeFacts, kind: str, account_id: UUID) -> Message:
    said = {"organisation": facts.organisation.name}
    return Message(kind=f"{OBJECT_TYPE}.{kind}", object_type=OBJECT_TYPE, object_id=account_id, facts=said)


def _firm_of_proposal(task: Task[ProposeAccount]) -> Parties:
    return {"sme": task.command.organisation_id}


def _anybody_of_a_funder(_task: Task[Any]) -> Parties:
    """An account is a fact about the firm: whichever funder pays it may have called back (`of_our_firms`)."""
    return {}


PROPOSE: Verb[ProposeAccount, PayeeFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="propose",
    command=ProposeAccount,
    subject=Organisation,
    subject_id=lambda command: command.organisation_id,
    parties=_firm_of_proposal,
    facts=payee_facts,
    rules=(account_sound, account_new),
    effects=proposed,
)
CONFIRM: Verb[ConfirmAccount, PayeeFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="confirm",
    command=ConfirmAccount,
    subject=PayeeAccount,
    subject_id=lambda command: command.payee_account_id,
    parties=_anybody_of_a_funder,
    facts=judging_facts,
    rules=(proposed_still, of_our_firms, second_person, no_interest, called_back),
    effects=confirmed,
)
RETIRE: Verb[RetireAccount, PayeeFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="retire",
    command=RetireAccount,
    subject=PayeeAccount,
    subject_id=lambda command: command.payee_account_id,
    parties=_anybody_of_a_funder,
    facts=judging_facts,
    rules=(retirable, of_our_firms, has_reason),
    effects=retired,
)
