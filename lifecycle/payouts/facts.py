"""What the rules and effects of a payout may ask: one frozen object per command, without session or clock."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from lifecycle.commands import Stamp
from lifecycle.errors import Unmet
from lifecycle.ledger.entries import Accounts
from lifecycle.milestones.entitlement import Figures, Retained, cut_of, release_reasons
from lifecycle.numbers import Number
from lifecycle.payouts.payees import changed_on
from lifecycle.payouts.payload import Payload
from lifecycle.standards.pack import Pack
from models.states import (
    DEAD,
    ApprovalDecision,
    EvidenceStatus,
    PayoutPurpose,
    PayoutState,
    Role,
)

DISBURSEMENT_ID = UUID(int=0)
"""The one object that stands for all disbursement (`docs/contract.md` 3.4)."""
APPROVING_ROLES = (Role.FUND_MANAGER, Role.FUND_DIRECTOR)
DECIDING_ROLES = frozenset({Role.CERTIFIER, *APPROVING_ROLES, Role.PAYER})


@dataclass(frozen=True, slots=True)
class Asks:
    """How many people approve a payout, and whether a director among them and the committee's minute are needed."""

    approvals_needed: int
    is_director_needed: bool
    is_minute_needed: bool


def asks_of(tier: Any, before: Any) -> Asks:
    """Return what a tier asks for, and at least what was asked before: another tier or amount lets nobody go."""
    needed, directed, minuted = 1, False, False
    if tier is not None:
        needed, directed, minuted = tier.approvers_needed, tier.is_director_needed, tier.is_minute_needed
    if before is None:
        return Asks(needed, directed, minuted)
    return Asks(
        max(needed, before.approvals_needed),
        directed or before.is_director_needed,
        minuted or before.is_minute_needed,
    )


@dataclass(frozen=True, kw_only=True)
class PayoutFacts:
    """One command on a payout, or on the milestone it is asked for, with all that its rules may ask."""

    command: Any
    payout: Any = None
    """None while it is only asked for."""
    milestone: Any = None
    agreement: Any = None
    project: Any
    fund: Any
    account: Any = None
    """The payee account the payout will have after the command."""
    roles: frozenset[Role]
    stamp: Stamp
    pack: Pack
    accounts: Accounts = field(default_factory=dict)
    available_minor: int = 0
    """Money of the fund that is not reserved, less what commands before this one in the batch will take."""
    others_minor: int = 0
    """Sum of the other live payouts of the milestone, or of the settlement, and of what was set off against it."""
    others: tuple[str, ...] = ()
    """Their numbers."""
    other_parts_minor: int = 0
    """The part of it that the figures count as paid."""
    waiting_minor: int = 0
    """What is asked for under other tranches of the agreement and not approved yet."""
    tranche_minor: int = 0
    """What the milestone holds when this command's turn comes within its batch."""
    retained: Retained | None = None
    """Of a retention whose last gate is passed: what its release looks at, as it is now."""
    next_tranche: Any = None
    """The tranche that a cut moves to, and what it holds then."""
    next_minor: int = 0
    owed_minor: int = 0
    """What the firm owes back under this agreement."""
    delegations: tuple[Any, ...] = ()
    """Those of the funder's and the platform's people that are in force today."""
    recent_minor: int = 0
    """Sum of the other payouts to the same payee that were asked for within 30 days of this one, before or after."""
    holds: tuple[Any, ...] = ()
    approvals: tuple[Any, ...] = ()
    instructions: tuple[Any, ...] = ()
    revived_count: int = 0
    """Open cases in which the bank speaks of a dead attempt as alive; read for the last gate."""
    documents: tuple[Any, ...] = ()
    tiers: tuple[Any, ...] = ()
    limits: tuple[Any, ...] = ()
    person_of: Mapping[UUID, UUID] = field(default_factory=dict)
    entitled: Mapping[UUID, frozenset[Role]] = field(default_factory=dict)
    """User -> deciding roles held now where the payment is decided, by active accounts only."""
    active: frozenset[UUID] = frozenset()
    """Accounts of those who gave a word that are not disabled."""
    names: Mapping[UUID, str] = field(default_factory=dict)
    interested: frozenset[UUID] = frozenset()
    """Persons who belong to the firm, to an organisation tied to it, or behind the wall to its investors."""
    team: frozenset[UUID] = frozenset()
    """Persons named for the project to work on it, at its firm or at its platform."""
    number: Number | None = None
    figures: Figures | None = None
    """The agreement as it stands, without this payout."""
    before_minor: int = 0
    """What commands before this one in the batch ask of the same agreement and the figures do not count yet."""

    @property
    def purpose(self) -> PayoutPurpose:
        """What is paid for."""
        if self.payout is not None:
            return PayoutPurpose(self.payout.purpose)
        if self.milestone is None:
            return PayoutPurpose.SETTLEMENT
        return PayoutPurpose.RETENTION if self.milestone.is_retention else PayoutPurpose.MILESTONE

    @property
    def amount_minor(self) -> int:
        """The amount after the command: what a request or an amendment says, else what the payout has."""
        asked = getattr(self.command, "new_amount_minor", None)
        return int(asked if asked is not None else self.payout.amount_minor if self.payout is not None else 0)

    @cached_property
    def evidence(self) -> tuple[str, ...]:
        """SHA-256 of the files it rests on after the command: those named, else those of the milestone's report."""
        asked = getattr(self.command, "new_evidence", None)
        if asked:
            return tuple(sorted(set(asked)))
        if self.payout is not None:
            return tuple(self.payout.evidence)
        return tuple(sorted(self.milestone.report.get("evidence", ()))) if self.milestone is not None else ()

    @property
    def account_usable_on(self) -> date | None:
        """The day from which money may go to the account; a standard may ask for a longer cooling-off (F16)."""
        usable_on: date | None = self.account.usable_on
        confirmed_on = self.account.called_back.get("on", "")
        if usable_on is None or usable_on.isoformat() <= confirmed_on:
            return usable_on
        days = self.pack.funds.cooling_off_working_days
        return max(usable_on, self.stamp.calendar.add_working_days(date.fromisoformat(confirmed_on), days))

    @cached_property
    def missing_evidence(self) -> tuple[str, ...]:
        """Those files, the committee's minute included, that are not there, or no longer the current version."""
        current = {row.sha256 for row in self.documents if row.status == EvidenceStatus.CURRENT}
        minute = () if self.minute_sha256 is None else (self.minute_sha256,)
        return tuple(sha for sha in (*self.evidence, *minute) if sha not in current)

    def hash_of(self, payout_id: UUID, revision: int) -> str:
        """Return the hash of what an approver of this revision will see."""
        payload = Payload(
            payout_id=payout_id,
            revision=revision,
            amount_minor=self.amount_minor,
            currency=self.fund.currency,
            fund_id=self.fund.id,
            milestone_id=self.milestone.id if self.milestone is not None else None,
            payee_hash=self.account.payee_hash if self.account is not None else "",
            evidence=tuple(sha for sha in self.evidence if sha not in self.missing_evidence),
        )
        return payload.sha256

    @cached_property
    def hash_now(self) -> str:
        """The hash as the world is now: another account or a replaced file makes another one."""
        return self.hash_of(self.payout.id, self.payout.revision)

    @cached_property
    def standing(self) -> tuple[Any, ...]:
        """The words people gave on the present payload; all others are void."""
        return tuple(row for row in self.approvals if row.payload_hash == self.payout.payload_hash)

    def persons(self, decision: ApprovalDecision) -> frozenset[UUID]:
        """Return the humans behind the standing words of one kind, absent ones they acted for included."""
        given = [row for row in self.standing if row.decision == decision]
        users = {user for row in given for user in (row.approver_id, row.on_behalf_of_id) if user is not None}
        return self._people(users)

    def _people(self, users: Collection[UUID | None]) -> frozenset[UUID]:
        return frozenset(self.person_of.get(user, user) for user in users if user is not None)

    @cached_property
    def acting(self) -> frozenset[UUID]:
        """Who acts: the human at the door, and the one they stand in for."""
        absent = getattr(self.command, "on_behalf_of", None)
        return frozenset({self.stamp.actor.person_id}) | self._people({absent})

    @cached_property
    def makers(self) -> frozenset[UUID]:
        """Who asked for the money or changed what is asked."""
        if self.payout is None:
            return frozenset()
        return self._people({self.payout.requested_by}) | {UUID(person) for person in self.payout.amended_by}

    @cached_property
    def vouchers(self) -> frozenset[UUID]:
        """Who handed in the milestone or filed the evidence."""
        named = set(self.evidence)
        authors = {row.author_person_id for row in self.documents if row.sha256 in named}
        handed_in = {self.milestone.submitted_by} if self.milestone is not None else set()
        return frozenset(authors) | self._people(handed_in)

    @cached_property
    def project_people(self) -> frozenset[UUID]:
        """Who works in the project's team, or accepted the milestone that is paid for (rule book F7)."""
        return self.team | self._people({self.milestone.decided_by} if self.milestone is not None else ())

    @cached_property
    def account_people(self) -> frozenset[UUID]:
        """Who entered or confirmed the account the money goes to."""
        return self._people({self.account.proposed_by, self.account.confirmed_by}) if self.account else frozenset()

    @cached_property
    def barred_from_approving(self) -> frozenset[UUID]:
        """Who has had another part in this payment, or has one in its project, and does not approve it (F7)."""
        certifiers = self.persons(ApprovalDecision.CERTIFY)
        return self.makers | self.vouchers | certifiers | self.account_people | self.project_people

    @cached_property
    def barred_from_certifying(self) -> frozenset[UUID]:
        """Who has asked for it, vouched for it, or works in its project, and does not call it correct (1.4, F7)."""
        return self.makers | self.vouchers | self.team

    @cached_property
    def barred_from_releasing(self) -> frozenset[UUID]:
        """Who has had another part in this payment, in its project or its account, and does not release it (F7)."""
        decided = self.persons(ApprovalDecision.APPROVE) | self.persons(ApprovalDecision.CERTIFY)
        return self.makers | self.vouchers | self.team | decided | self.account_people

    @cached_property
    def is_certified(self) -> bool:
        """Say whether a certifier who had no other part in it, and still could do so today, has called it correct."""
        return self._is_said(ApprovalDecision.CERTIFY, self.barred_from_certifying)

    @cached_property
    def is_released(self) -> bool:
        """Say whether a payer who had no other part in it, and still could do so today, has let it go."""
        return self._is_said(ApprovalDecision.RELEASE, self.barred_from_releasing)

    def _is_said(self, decision: ApprovalDecision, barred: frozenset[UUID]) -> bool:
        given = (row for row in self.standing if row.decision == decision and self._still_holds(row))
        return any(not self._people({row.approver_id, row.on_behalf_of_id}) & barred for row in given)

    @cached_property
    def valid_approvals(self) -> int:
        """How many distinct humans have approved this payload and could still do so today; 0 where a director lacks."""
        valid = [row for row in self.standing if row.decision == ApprovalDecision.APPROVE and self._still_may(row)]
        counted = self.barred_from_approving
        number, is_directed = 0, False
        for row in valid:  # who acted and who was absent count together, as one
            people = self._people({row.approver_id, row.on_behalf_of_id})
            if people & counted:
                continue
            counted |= people
            number += 1
            is_directed = is_directed or row.role == Role.FUND_DIRECTOR
        return 0 if self.payout.is_director_needed and not is_directed else number

    @property
    def account_changed_on(self) -> date | None:
        """The day on which the account took another one's place, where that is not 30 days ago yet (F16)."""
        return None if self.account is None else changed_on(self.account, self.stamp.today)

    @cached_property
    def is_called_back(self) -> bool:
        """Say whether one of those who approved this payload, and still could today, has called the firm back."""
        given = (row for row in self.standing if row.decision == ApprovalDecision.APPROVE and row.called_back)
        return any(self._still_may(row) for row in given)

    def _still_holds(self, row: Any) -> bool:
        """Say whether the giver of a word is still there and holds its role, or stands in for who does (P10)."""
        holder = row.on_behalf_of_id or row.approver_id
        if row.approver_id not in self.active or row.role not in self.entitled.get(holder, frozenset()):
            return False
        return row.on_behalf_of_id is None or any(
            (one.delegator_id, one.delegate_id, one.role) == (row.on_behalf_of_id, row.approver_id, row.role)
            for one in self.delegations
        )

    def _still_may(self, row: Any) -> bool:
        limit = self.limit_of(row.on_behalf_of_id or row.approver_id, row.role)
        return bool(self._still_holds(row) and limit is not None and self.payout.amount_minor <= limit)

    @cached_property
    def people_with_interest(self) -> frozenset[UUID]:
        """Who certified, approved or released it, and has come to belong to the firm, or to one tied to it, since."""
        words = (ApprovalDecision.CERTIFY, ApprovalDecision.APPROVE, ApprovalDecision.RELEASE)
        return frozenset(person for word in words for person in self.persons(word) & self.interested)

    def names_of(self, persons: Collection[UUID]) -> frozenset[str]:
        """Return what these humans are called, by the accounts that hold a right here."""
        return frozenset(name for user, name in self.names.items() if self.person_of.get(user, user) in persons)

    @cached_property
    def approving_role(self) -> Role | None:
        """In which role the actor approves: as a director where they are one."""
        return next((role for role in reversed(APPROVING_ROLES) if role in self.roles), None)

    @cached_property
    def approvals_given(self) -> int:
        """How many people have passed it for payment; who acted and who was absent count together, as one."""
        return sum(row.decision == ApprovalDecision.APPROVE for row in self.standing)

    @cached_property
    def is_last_approval(self) -> bool:
        """Say whether one more word is enough."""
        return bool(self.approvals_given + 1 >= self.asks.approvals_needed)

    @cached_property
    def has_director(self) -> bool:
        """Say whether a director is among those who approved, the actor included."""
        given = {row.role for row in self.standing if row.decision == ApprovalDecision.APPROVE}
        return bool(Role.FUND_DIRECTOR in given or self.approving_role == Role.FUND_DIRECTOR)

    def limit_of(self, user_id: UUID, role: Role | None) -> int | None:
        """Return the lower of the role's and the person's limit at this fund; None where the role's cannot be read."""
        of_role = [row.up_to_minor for row in self.limits if row.role is not None and row.role == role]
        of_person = [row.up_to_minor for row in self.limits if row.user_id == user_id]
        return min([*of_role, *of_person]) if of_role else None

    @property
    def limit_minor(self) -> int | None:
        """The limit of who decides now; of whom they stand in for where that is somebody else."""
        holder = getattr(self.command, "on_behalf_of", None) or self.stamp.actor.user_id
        return self.limit_of(holder, self.approving_role)

    @cached_property
    def tier(self) -> Any:
        """The line of the authority matrix that this amount, with the earlier ones to the payee, falls in."""
        total = self.amount_minor + self.recent_minor
        return next((row for row in self.tiers if total <= row.up_to_minor), self.tiers[-1] if self.tiers else None)

    @cached_property
    def asks(self) -> "Asks":
        """What it asks for: as counted when it was asked for, and anew where it came back; never less (5.4)."""
        tier, before = self.tier, self.payout
        if before is not None and before.state != PayoutState.RETURNED:
            return Asks(before.approvals_needed, before.is_director_needed, before.is_minute_needed)
        return asks_of(tier, before)

    @property
    def minute_sha256(self) -> str | None:
        """The committee's minute: attached now, or before."""
        return getattr(self.command, "minute_sha256", None) or (self.payout.minute_sha256 if self.payout else None)

    @property
    def capped(self) -> tuple[Unmet, ...]:
        """What the fund rules F3 to F6 say against this payment; a settlement follows its own rule (F11)."""
        if self.purpose == PayoutPurpose.SETTLEMENT or self.figures is None:
            return ()
        figures = replace(self.figures, paid_minor=self.figures.paid_minor + self.before_minor)
        return release_reasons(self.amount_minor, figures, self.pack.funds)

    @cached_property
    def payable_minor(self) -> int:
        """What of the milestone can be asked for, in minor units: it is cut by what the money paid lacks of use (F5).

        P counts what is asked for under other tranches as paid, and not what this one got: it is cut once.
        """
        return self.tranche_minor - self.others_minor - self.cut_minor

    @cached_property
    def cut_minor(self) -> int:
        """What of the milestone cannot be paid now and moves to the next one, beyond what was cut before (F5)."""
        if self.figures is None or self.milestone is None or "progress" not in self.milestone.needs:
            return 0
        others = replace(self.figures, paid_minor=self.figures.paid_minor - self.other_parts_minor + self.waiting_minor)
        before = int(self.milestone.cut_minor)
        whole = cut_of(self.tranche_minor + before, others, self.pack.funds).moved_minor
        return min(max(0, whole - before), max(0, self.tranche_minor - self.others_minor))

    @property
    def needs_certifier(self) -> bool:
        """Say whether the standard asks for "certified correct"."""
        return self.pack.funds.asks_certifier

    @property
    def needs_release(self) -> bool:
        """Say whether the standard asks for the payer's word."""
        return self.pack.funds.asks_release

    @property
    def alive_instructions(self) -> tuple[Any, ...]:
        """Attempts that may still pay."""
        return tuple(row for row in self.instructions if row.status not in DEAD)

    def _hold(self, kind: str) -> Any:
        today = self.stamp.today
        return next(
            (row for row in self.holds if row.object_type == kind and (row.needs_decision or row.until_on >= today)),
            None,
        )

    @property
    def project_hold(self) -> Any:
        """The hold on the project in force today, or None."""
        return self._hold("project")

    @property
    def fund_hold(self) -> Any:
        """The hold on the fund in force today, or None."""
        return self._hold("fund")

    @property
    def freeze(self) -> Any:
        """The hold on all disbursement, or None."""
        return self._hold("disbursement")

    @cached_property
    def others_who_can(self) -> tuple[str, ...]:
        """Names of those who could approve instead."""
        barred = self.barred_from_approving | self.interested | self.persons(ApprovalDecision.APPROVE)
        able = [user for user, roles in self.entitled.items() if not roles.isdisjoint(APPROVING_ROLES)]
        free = [user for user in able if self.person_of.get(user, user) not in barred]
        return tuple(sorted(self.names[user] for user in free))
