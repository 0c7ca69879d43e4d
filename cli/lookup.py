"""From what people type (`PT-2026-0042`, a login, a credit code) to the ids that commands carry."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from lifecycle.errors import Invalid, NotFound, Unmet
from models.agreements import Agreement, CostStatement, Milestone, RecoveryOrder
from models.deliveries import WebhookEndpoint
from models.evidence import Evidence
from models.funds import Fund, FundSource
from models.holds import ExceptionCase
from models.payouts import PayeeAccount, PaymentBatch, Payout
from models.people import Organisation, User
from models.programmes import Programme, StandardPack
from models.projects import Project
from models.reviews import Review
from models.statements import BankStatement
from models.states import EvidenceStatus, PayeeStatus


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds rows by human words in one session. Each method raises `NotFound`, or `Invalid` where several fit."""

    session: Session
    today: date

    def project(self, ref: str) -> Any:
        """Find a project by number or id."""
        return self._by(Project, "number", ref, ref.upper())

    def user(self, ref: str) -> Any:
        """Find a user by login or id."""
        return self._by(User, "login", ref, ref, "user_not_found")

    def person(self, ref: str) -> Any:
        """Find the human behind an account, by login or id of the account."""
        user = _table(User)
        return self._first(select(user.c.person_id).where(user.c.id == self.user(ref)), ref, "user_not_found")

    def programme(self, ref: str) -> Any:
        """Find a programme by code or id."""
        return self._by(Programme, "code", ref, ref, "programme_not_found")

    def standard(self, ref: str) -> Any:
        """Find the SHA-256 of a published standard by `code@version`; the hash itself is taken too."""
        pack = _table(StandardPack)
        named = pack.c.code + "@" + pack.c.pack_version == ref
        return self._first(select(pack.c.sha256).where((pack.c.sha256 == ref) | named), ref, "pack_not_found")

    def organisation(self, ref: str) -> Any:
        """Find an organisation by credit code, name or id; a name that two bear is refused."""
        table = _table(Organisation)
        known = _uuid(ref)
        matches = table.c.id == known if known else (table.c.credit_code == ref.upper()) | (table.c.name == ref)
        return self._only(select(table.c.id).where(matches), ref, "organisation_not_found")

    def review(self, ref: str) -> Any:
        """Find a review by id, `PT-2026-0042` (its latest call) or `PT-2026-0042/G3` (the latest of that gate)."""
        review = _table(Review)
        if known := _uuid(ref):
            return self._first(select(review.c.id).where(review.c.id == known), ref)
        project, _, gate = ref.partition("/")
        calls = select(review.c.id).where(review.c.project_id == self.project(project))
        if gate:
            calls = calls.where(func.upper(review.c.gate) == gate.upper())
        return self._first(calls.order_by(review.c.id.desc()).limit(1), ref)

    def fund(self, ref: str) -> Any:
        """Find a fund by code or id."""
        return self._by(Fund, "code", ref, ref)

    def agreement(self, ref: str) -> Any:
        """Find an agreement by number or id."""
        return self._by(Agreement, "number", ref, ref.upper())

    def milestone(self, ref: str) -> Any:
        """Find a tranche by `AG-2026-0001/T2` or id."""
        return self._within(Milestone, "tranche", ref, str.upper)

    def cost(self, ref: str) -> Any:
        """Find a cost statement by `AG-2026-0001/1` or id."""
        return self._within(CostStatement, "statement_no", ref, lambda text: int(text) if text.isdecimal() else 0)

    def source(self, ref: str) -> Any:
        """Find an investor's commitment by `FUND/NAME` or id; one that invests in two ways is named by id."""
        source = _table(FundSource)
        if known := _uuid(ref):
            return self._first(select(source.c.id).where(source.c.id == known), ref)
        fund, _, name = ref.partition("/")
        of = (source.c.fund_id == self.fund(fund), source.c.organisation_id == self.organisation(name))
        return self._only(select(source.c.id).where(*of), ref, several="ambiguous_investor")

    def payout(self, ref: str) -> Any:
        """Find a payout by number or id."""
        return self._by(Payout, "number", ref, ref.upper())

    def batch(self, ref: str) -> Any:
        """Find a payment batch by number or id."""
        return self._by(PaymentBatch, "number", ref, ref.upper())

    def statement(self, ref: str) -> Any:
        """Find a statement by the bank's reference or id; one that two files bear is named by id."""
        table = _table(BankStatement)
        if known := _uuid(ref):
            return self._first(select(table.c.id).where(table.c.id == known), ref)
        return self._only(select(table.c.id).where(table.c.statement_ref == ref), ref, several="ambiguous_statement")

    def case(self, ref: str) -> Any:
        """Find a case by id."""
        table = _table(ExceptionCase)
        return self._first(select(table.c.id).where(table.c.id == (_uuid(ref) or _NOBODY)), ref)

    def webhook(self, ref: str) -> Any:
        """Find a webhook endpoint by address or id."""
        return self._by(WebhookEndpoint, "url", ref, ref)

    def payee(self, ref: str) -> Any:
        """Find an account in use by `FIRM/1234` (its last digits) or id; where several end so it is named by id."""
        table = _table(PayeeAccount)
        if known := _uuid(ref):
            return self._first(select(table.c.id).where(table.c.id == known), ref)
        firm, _, digits = ref.rpartition("/")
        own = (table.c.organisation_id == self.organisation(firm), table.c.status != PayeeStatus.RETIRED)
        ends = table.c.account_number.endswith(digits, autoescape=True)
        return self._only(select(table.c.id).where(*own, ends), ref, several="ambiguous_account")

    def _only(self, statement: Any, ref: str, absent: str = NotFound.code, several: str = "ambiguous") -> Any:
        found = self.session.execute(statement).scalars().all()
        if len(found) > 1:
            raise Invalid(Unmet(code=several, values={"ref": ref, "count": len(found)}))
        return self._first(statement, ref, absent)

    def recovery(self, ref: str) -> Any:
        """Find a recovery order by number or id."""
        return self._by(RecoveryOrder, "number", ref, ref.upper())

    def currency_of(self, ids: Mapping[str, Any]) -> str | None:
        """Return the currency of the fund that a command's ids lead to, or None where there is none."""
        fund = _table(Fund)
        for name, model in _WITH_FUND.items():
            if known := ids.get(name):
                row = _table(model)
                owner = known if model is Fund else select(row.c.fund_id).where(row.c.id == known).scalar_subquery()
                return self.session.execute(select(fund.c.currency).where(fund.c.id == owner)).scalar()
        return None

    def _within(self, model: Any, column: str, ref: str, read: Callable[[str], Any]) -> Any:
        table = _table(model)
        if known := _uuid(ref):
            return self._first(select(table.c.id).where(table.c.id == known), ref)
        agreement, _, inner = ref.partition("/")
        matches = (table.c.agreement_id == self.agreement(agreement)) & (table.c[column] == read(inner))
        return self._first(select(table.c.id).where(matches), ref)

    def evidence(self, ref: str) -> Any:
        """Find a document by id, or as `PT-2026-0042/licence`: the newest of its type that counts."""
        evidence = _table(Evidence)
        if known := _uuid(ref):
            return self._first(select(evidence.c.id).where(evidence.c.id == known), ref, "evidence_not_found")
        project, _, kind = ref.partition("/")
        counts = (evidence.c.type == kind) & (evidence.c.status == EvidenceStatus.CURRENT)
        of_project = select(evidence.c.id).where(evidence.c.project_id == self.project(project), counts)
        return self._first(of_project.order_by(evidence.c.id.desc()).limit(1), ref, "evidence_not_found")

    def _by(self, model: Any, column: str, ref: str, value: str, absent: str = NotFound.code) -> UUID:
        table = _table(model)
        known = _uuid(ref)
        matches = table.c.id == known if known else table.c[column] == value
        found: UUID = self._first(select(table.c.id).where(matches), ref, absent)
        return found

    def _first(self, statement: Any, ref: str, absent: str = NotFound.code) -> Any:
        found = self.session.execute(statement).scalars().first()
        if found is None:
            raise NotFound(Unmet(code=absent, values={"ref": ref}))
        return found


_NOBODY = UUID(int=0)
_WITH_FUND = {
    "fund_id": Fund,
    "agreement_id": Agreement,
    "milestone_id": Milestone,
    "cost_id": CostStatement,
    "recovery_id": RecoveryOrder,
    "payout_id": Payout,
}
"""Field of a command -> table whose rows lead to a fund."""


def _uuid(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None


def _table(model: Any) -> Any:
    return model.__table__
