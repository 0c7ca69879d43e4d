"""Facts in, reasons out: everything that can stand in the way of a fund's verbs. Pure."""

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lifecycle.banking.account_codes import account_reasons
from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from models.limits import LONG_TEXT, SHORT_TEXT
from models.money import CURRENCY_DECIMALS, MAX_MINOR, said
from models.states import AccountKind, FundStatus, Role

if TYPE_CHECKING:
    from lifecycle.funds.corrections import CorrectionFacts
    from lifecycle.funds.facts import BirthFacts, FundFacts

APPROVING_ROLES = (Role.FUND_MANAGER, Role.FUND_DIRECTOR)
"""Who passes for payment (rule book 5.4)."""
HOLD_REASONS = ("mismatch", "audit", "misuse", "bank", "other")
HOLD_DAYS = 90
"""Calendar days after which a hold is looked at again at the latest; only two people end it."""
MOST_APPROVERS = 5


@about_input
def owner_known(facts: "BirthFacts") -> tuple[Unmet, ...]:
    """A fund belongs to an organisation that is entered."""
    return () if facts.is_owner_known else (unmet("organisation_not_found", kind="funder"),)


@about_input
def code_new(facts: "BirthFacts") -> tuple[Unmet, ...]:
    """The code of a fund is used once."""
    code = facts.command.code
    return (unmet("already_exists", field="code", value=code),) if facts.is_code_taken else ()


@about_input
def account_free(facts: "BirthFacts | CorrectionFacts") -> tuple[Unmet, ...]:
    """One account of the bank is one fund's: else its balance and its statements are those of two (F18)."""
    owner = facts.account_of
    return (unmet("debtor_account_taken", fund=owner),) if owner is not None else ()


@about_input
def fund_sound(facts: "BirthFacts") -> tuple[Unmet, ...]:
    """A fund has a code without blanks, a name, and the name, account and bank from which it pays."""
    command = facts.command
    reasons = list(names_reasons(command))
    if not 0 < len(command.code) <= 60 or any(char.isspace() for char in command.code):
        reasons.append(unmet("fund_code_wrong", limit=60))
    return tuple(reasons)


def names_reasons(command: Any) -> tuple[Unmet, ...]:
    """Return why the fund, or the account that it pays from, cannot bear such a name."""
    limits = {"name": SHORT_TEXT, "debtor_name": 140, "debtor_account": 34, "debtor_bank": 14}
    lengths = {name: len(text.strip()) for name in limits if (text := getattr(command, name)) is not None}
    return tuple(
        unmet("fund_name_wrong", field=name, limit=limits[name])
        for name, length in lengths.items()
        if not 0 < length <= limits[name]
    )


@about_input
def account_real(facts: "BirthFacts | CorrectionFacts") -> tuple[Unmet, ...]:
    """In real work a fund pays from what can be an account of a bank, whichever way it was entered."""
    fund, command = getattr(facts, "fund", None), facts.command
    number, code = (getattr(command, name) or getattr(fund, name, "") for name in ("debtor_account", "debtor_bank"))
    return account_reasons("".join(number.split()).upper(), code.strip().upper()) if facts.is_for_real else ()


@about_input
def currency_known(facts: "BirthFacts") -> tuple[Unmet, ...]:
    """A fund is kept in one of the currencies that are taken in."""
    currency = facts.command.currency
    return () if currency in CURRENCY_DECIMALS else (unmet("currency_unknown", currency=currency[:20]),)


@about_input
def size_changes(facts: "FundFacts") -> tuple[Unmet, ...]:
    """A size that is already so changes nothing."""
    size = facts.command.commitment_minor
    return (unmet("nothing_to_change"),) if size == facts.fund.commitment_minor else ()


@about_input
def covers_promises(facts: "FundFacts") -> tuple[Unmet, ...]:
    """A fund keeps what it has promised: its size is never lowered below that."""
    asked, promised = facts.command.commitment_minor, facts.promised_minor
    if asked >= promised:
        return ()
    return (Unmet(code="fund_below_promises", values=said(facts.fund.currency, promised=promised, asked=asked)),)


@about_input
def size_sound(facts: Any) -> tuple[Unmet, ...]:
    """What a fund may promise lies within the bounds of one amount."""
    return out_of_bounds(facts.command.commitment_minor)


def out_of_bounds(amount: int, least: int = 1) -> tuple[Unmet, ...]:
    """Return the reason against an amount that is not `least` … 10^13 minor units (`safety.md` 2.2)."""
    return () if least <= amount <= MAX_MINOR else (unmet("amount_out_of_bounds", amount=amount, limit=MAX_MINOR),)


def fund_open(facts: Any) -> tuple[Unmet, ...]:
    """Nothing is promised or booked on a closed fund."""
    return (unmet("fund_closed", fund=facts.fund.code),) if facts.fund.status == FundStatus.CLOSED else ()


@about_input
def amount_sound(facts: "FundFacts") -> tuple[Unmet, ...]:
    """An amount is positive, and not larger than any amount may be."""
    return out_of_bounds(facts.command.amount_minor)


@about_input
def investor_known(facts: "FundFacts") -> tuple[Unmet, ...]:
    """An investor is an organisation that is entered."""
    known = facts.command.organisation_id in facts.organisations
    return () if known else (unmet("organisation_not_found", kind="investor"),)


@about_input
def raise_sound(facts: "FundFacts") -> tuple[Unmet, ...]:
    """What one investor committed in all stays within the bounds of one amount."""
    known = facts.source
    return out_of_bounds(known.committed_minor + facts.command.amount_minor) if known is not None else ()


def has_sources(facts: "FundFacts") -> tuple[Unmet, ...]:
    """Only a fund with investors can call capital."""
    return () if facts.sources else (unmet("no_investors"),)


@about_input
def within_commitments(facts: "FundFacts") -> tuple[Unmet, ...]:
    """Nobody is asked for more than they committed and were not asked for yet."""
    left = facts.uncalled_minor
    asked = facts.command.amount_minor
    return (
        ()
        if asked <= left
        else (Unmet(code="call_over_commitment", values=said(facts.fund.currency, left=left, asked=asked)),)
    )


@about_input
def due_ahead(facts: "FundFacts") -> tuple[Unmet, ...]:
    """A call is due today or later."""
    day = facts.command.due_on
    return () if day >= facts.stamp.today else (unmet("due_day_past", day=day.isoformat()),)


@about_input
def source_known(facts: "FundFacts") -> tuple[Unmet, ...]:
    """Money comes from an investor of this fund; without one it is the fund's own opening money."""
    return () if facts.command.source_id is None or facts.source is not None else (unmet("source_not_found"),)


@about_input
def contribution_sound(facts: "FundFacts") -> tuple[Unmet, ...]:
    """An amount is not zero; one that goes back says why; money came today or earlier."""
    command = facts.command
    reasons = list(out_of_bounds(abs(command.amount_minor)))
    if command.amount_minor < 0 and not 0 < len(command.note.strip()) <= LONG_TEXT:
        reasons.append(unmet("reason_missing"))
    if command.received_on > facts.stamp.today:
        reasons.append(unmet("day_in_future", day=command.received_on.isoformat()))
    return tuple(reasons)


@about_input
def contribution_fits(facts: "FundFacts") -> tuple[Unmet, ...]:
    """An investor pays in at most what it was asked for, and gets back at most what it paid in."""
    source, amount = facts.source, facts.command.amount_minor
    if source is None:
        return ()
    total = source.paid_in_minor + amount
    if amount > 0 and total > source.called_minor:
        values = said(facts.fund.currency, called=source.called_minor, total=total)
        return (Unmet(code="contribution_over_call", values=values),)
    if total >= 0:
        return ()
    return (
        Unmet(code="more_than_paid_in", values=said(facts.fund.currency, paid_in=source.paid_in_minor, asked=-amount)),
    )


@about_input
def money_there(facts: "FundFacts") -> tuple[Unmet, ...]:
    """Only money that is not reserved or paid can go back to an investor."""
    wanted = -facts.command.amount_minor
    free = facts.balance(AccountKind.AVAILABLE)
    if wanted <= free:
        return ()
    return (Unmet(code="insufficient_funds", values=said(facts.fund.currency, available=free, asked=wanted)),)


@about_input
def booked_once(facts: "FundFacts") -> tuple[Unmet, ...]:
    """One booking of the bank is one contribution."""
    reference = facts.command.bank_ref
    return (unmet("already_exists", field="bank_ref", value=reference),) if reference in facts.bank_refs else ()


@about_input
def known_to_two(facts: "FundFacts") -> tuple[Unmet, ...]:
    """One person alone takes a booking out of suspense only where an investor has paid in.

    Money that went out, that nobody named gave, or that names a payment of ours, is entered when two people have closed
    the case about it.
    """
    is_given = facts.command.source_id is not None and facts.command.amount_minor > 0
    is_paid_in = is_given and not facts.is_of_a_payment
    is_enough = facts.booking is None or is_paid_in or facts.is_booking_agreed
    return () if is_enough else (unmet("two_people_missing"),)


def not_held(facts: "FundFacts") -> tuple[Unmet, ...]:
    """One hold at a time."""
    return tuple(unmet("fund_on_hold", reason=str(hold.reason)) for hold in facts.holds[:1])


def is_held(facts: "FundFacts") -> tuple[Unmet, ...]:
    """Only what is on hold can be resumed."""
    return () if facts.holds else (unmet("fund_not_on_hold"),)


def second_lifter(facts: "FundFacts") -> tuple[Unmet, ...]:
    """Two different people end the hold of a fund: the first signs, the second lifts."""
    hold = facts.holds[0] if facts.holds else None
    if hold is None or hold.first_lifter_id != facts.stamp.actor.person_id:
        return ()
    return (unmet("four_eyes", verb="resume"),)


@about_input
def has_reason(facts: Any) -> tuple[Unmet, ...]:
    """Every decision says why."""
    return () if 0 < len(facts.command.reason.strip()) <= LONG_TEXT else (unmet("reason_missing"),)


@about_input
def hold_sound(facts: "FundFacts") -> tuple[Unmet, ...]:
    """A hold has a reason of the list, and a day within 90 days on which it is looked at again."""
    command, today = facts.command, facts.stamp.today
    reasons = []
    if command.code not in HOLD_REASONS:
        reasons.append(unmet("hold_reason_unknown", value=command.code, known=list(HOLD_REASONS)))
    if not today <= command.until_on <= today + timedelta(days=HOLD_DAYS):
        reasons.append(unmet("hold_too_long", until=command.until_on.isoformat(), limit=HOLD_DAYS))
    return tuple(reasons)


@about_input
def tiers_sound(facts: "FundFacts") -> tuple[Unmet, ...]:
    """Tiers rise, ask of more money at least as much, and the last one reaches to the largest amount."""
    tiers = facts.command.tiers
    edges = [tier.up_to_minor for tier in tiers]
    asks = [(tier.approvers_needed, tier.is_director_needed, tier.is_minute_needed) for tier in tiers]
    rising = edges == sorted(set(edges)) and all(edge >= 1 for edge in edges) and edges[-1:] == [MAX_MINOR]
    counts = all(1 <= tier.approvers_needed <= MOST_APPROVERS for tier in tiers)
    stricter = all(all(a <= b for a, b in zip(one, two, strict=True)) for one, two in pairwise(asks))
    return () if rising and counts and stricter else (unmet("tiers_wrong", limit=MAX_MINOR, most=MOST_APPROVERS),)


@about_input
def limit_sound(facts: "FundFacts") -> tuple[Unmet, ...]:
    """A limit is of one approving role or of one person, never of both."""
    command = facts.command
    reasons = list(out_of_bounds(command.up_to_minor, 0))
    if (command.role is None) == (command.user_id is None):
        reasons.append(unmet("limit_of_whom"))
    elif command.role is not None and command.role not in APPROVING_ROLES:
        reasons.append(unmet("role_approves_nothing", role=command.role))
    if command.user_id is not None and facts.person_id is None:
        reasons.append(unmet("user_not_found"))
    return tuple(reasons)


@about_input
def not_ones_own(facts: "FundFacts") -> tuple[Unmet, ...]:
    """Nobody sets a limit that binds themselves, as a person or by their role."""
    actor, role = facts.stamp.actor, facts.command.role
    is_own = facts.person_id is not None and facts.person_id == actor.person_id
    is_own_role = role in facts.roles and not actor.is_clock
    return (unmet("four_eyes", verb="set_limit"),) if is_own or is_own_role else ()


@about_input
def no_tiers_of_ones_own(facts: "FundFacts") -> tuple[Unmet, ...]:
    """Who approves payments of the fund does not set how many must approve them (rule book 1.4, 5.4)."""
    is_approver = any(role in facts.person_roles for role in APPROVING_ROLES)
    return (unmet("four_eyes", verb="set_tiers"),) if is_approver else ()


def nothing_pending(facts: "FundFacts") -> tuple[Unmet, ...]:
    """A fund is closed when it is empty: nothing is left, promised, owed or on its way, no case waits.

    What is left goes back first (`safety.md` B18); nobody could move it afterwards.
    """
    reasons = []
    if left := facts.balance(AccountKind.AVAILABLE):
        reasons.append(Unmet(code="money_left_in_fund", values=said(facts.fund.currency, amount=left)))
    if aside := facts.pending.suspense_minor:
        reasons.append(Unmet(code="money_in_suspense", values=said(facts.fund.currency, amount=aside)))
    if reserved := facts.balance(AccountKind.RESERVED):
        reasons.append(Unmet(code="money_reserved", values=said(facts.fund.currency, amount=reserved)))
    if facts.pending.batches:
        reasons.append(unmet("batch_may_be_alive", count=facts.pending.batches))
    if facts.pending.payouts:
        reasons.append(unmet("payouts_open", count=facts.pending.payouts))
    if facts.pending.agreements:
        reasons.append(unmet("agreements_active", count=facts.pending.agreements))
    if facts.pending.recoveries:
        reasons.append(unmet("recoveries_open", count=facts.pending.recoveries))
    if facts.pending.exceptions:
        reasons.append(unmet("exceptions_open", count=facts.pending.exceptions))
    return tuple(reasons)
