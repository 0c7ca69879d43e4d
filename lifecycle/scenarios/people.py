"""The people and organisations of a scenario, their tokens and the accounts of the firms."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lifecycle.access.commands import AddTotp, SetPassword, SignIn, SignOut, StepUp
from lifecycle.access.passwords import hashed
from lifecycle.actor import Actor
from lifecycle.commands import Command
from lifecycle.payouts.payees import ConfirmAccount, ProposeAccount, hash_of_account
from lifecycle.people.commands import AddOrganisation, AddToken, AddUser, GrantRole
from lifecycle.scenarios import known
from lifecycle.scenarios.cast import ADMIN, Cast, Wish
from lifecycle.scenarios.file import Scenario
from models.states import Door, OrganisationKind, PayeeStatus, Role, SignInKind

DAYS_OF_A_TOKEN = 3650
_AT_HOME = {OrganisationKind.FUNDER: "scenario-funder", OrganisationKind.PLATFORM: "scenario-platform"}
"""What is made where a file names none of the kind: whose the funds are, and where the projects are looked after."""


def enter_admin(cast: Cast) -> None:
    """Find or make who enters everybody; the account itself is entered as `init --admin` enters the first one."""
    play = cast.play
    play.people["clock"] = Actor.clock(Door.CLI)
    if ADMIN not in known.users(play.session, [ADMIN]):
        (made,) = play.make("clock", AddUser, [{"login": ADMIN, "email": f"{ADMIN}@example.org", "name": ADMIN}])
        play.do("clock", GrantRole, [{"user_id": made, "role": Role.ADMIN}])
    cast.enter([(ADMIN, "/", {})])


def enter_organisations(cast: Cast, scenario: Scenario) -> None:
    """Enter the organisations, or find them by their name."""
    wanted = [
        (one.ref, f"/organisations/{number}", one.name, one.kind) for number, one in enumerate(scenario.organisations)
    ]
    kinds = {kind for _, _, _, kind in wanted}
    wanted += [("", "/", name, kind) for kind, name in _AT_HOME.items() if kind not in kinds]
    there = known.organisations(cast.play.session, [name for _, _, name, _ in wanted])
    new = {name: (ADMIN, place, {"name": name, "kind": kind}) for _, place, name, kind in wanted if name not in there}
    made = dict(zip(new, cast.make(AddOrganisation, list(new.values())), strict=True))
    for ref, _, name, kind in wanted:
        found = made[name] if name in made else there[name].id
        cast.home.setdefault(kind, found)
        if ref:
            cast.ids[ref] = found


def enter_users(cast: Cast, scenario: Scenario) -> None:
    """Enter the users, or find them by their login, and give them the roles they lack."""
    people: list[Wish] = []
    for number, one in enumerate(scenario.users):
        fields = {"login": one.login, "email": one.email or f"{one.login}@example.org", "name": one.name or one.login}
        people.append((one.login, f"/users/{number}", fields))
    cast.ids |= zip((one.ref for one in scenario.users), cast.enter(people), strict=True)
    cast.grant(
        [
            (one.login, f"/users/{number}/grants/{place}", grant.role, cast.id_of(grant.organisation))
            for number, one in enumerate(scenario.users)
            for place, grant in enumerate(one.grants)
        ]
    )


def set_passwords(cast: Cast, scenario: Scenario) -> None:
    """Give the passwords that the file names, as they are: a rehearsal may have short ones."""
    cast.all(
        SetPassword,
        [
            (
                ADMIN,
                f"/users/{number}/password",
                {"user_id": cast.ids[one.ref], "password_hash": hashed(one.password), "is_lasting": True},
            )
            for number, one in enumerate(scenario.users)
            if one.password is not None
        ],
    )


def keep_second_factors(cast: Cast, scenario: Scenario, seal: Callable[[str], str]) -> None:
    """Keep the secrets of authenticator apps that the file names; everybody adds their own, as they would by hand."""
    there = known.with_authenticator(cast.play.session, [cast.ids[one.ref] for one in scenario.users])
    people = [
        (one.login, f"/users/{number}/totp_secret", cast.ids[one.ref], one.totp_secret)
        for number, one in enumerate(scenario.users)
        if one.totp_secret is not None and cast.ids[one.ref] not in there
    ]

    def each(command: type[Command], fields: Callable[[int], Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return cast.all(
            command,
            [(who, place, {"user_id": own, **fields(at)}) for at, (who, place, own, _) in enumerate(people)],
        )

    entered = {"kind": SignInKind.PERSONA, "address": "", "agent": ""}
    begun = each(SignIn, lambda _: {**entered, "token_sha256": cast.play.new_id().hex * 2})  # no cookie has this hash
    sessions = [{"session_id": UUID(one["session_id"])} for one in begun]
    each(StepUp, lambda at: {"kind": SignInKind.PERSONA, "address": "", **sessions[at]})
    each(AddTotp, lambda at: {"secret": seal(people[at][3]), "step": 0, **sessions[at]})
    each(SignOut, lambda at: sessions[at])


def give_tokens(
    cast: Cast, scenario: Scenario, draw: Callable[[], tuple[str, str]], *, from_at: datetime
) -> dict[str, str]:
    """Give a new token, drawn as (text, SHA-256), to whom the file asks one for; return ref of the user -> token."""
    drawn = {one.ref: (number, draw()) for number, one in enumerate(scenario.users) if one.token}
    ends = from_at + timedelta(days=DAYS_OF_A_TOKEN)
    wishes = [
        (ADMIN, f"/users/{number}/token", {"user_id": cast.ids[ref], "token_sha256": digest, "expires_at": ends})
        for ref, (number, (_, digest)) in drawn.items()
    ]
    cast.all(AddToken, wishes)
    return {ref: text for ref, (_, (text, _)) in drawn.items()}


def has_second_account(cast: Cast, scenario: Scenario) -> bool:
    """Say whether the file gives a firm an account besides one that it has or gets: that one has to cool off first."""
    there = known.organisations(cast.play.session, [one.name for one in scenario.organisations])
    kept: dict[UUID, set[str]] = {}
    for firm, digest in known.accounts(cast.play.session, [row.id for row in there.values()]):
        kept.setdefault(firm, set()).add(digest)
    for one in scenario.organisations:
        before = kept.get(there[one.name].id, set()) if one.name in there else set()
        new = {hash_of_account(account.number, account.bank, account.holder) for account in one.accounts} - before
        if new and len(new | before) > 1:
            return True
    return False


def enter_accounts(cast: Cast, scenario: Scenario) -> None:
    """Have each account entered by somebody who approves no payout, or find it as it is."""
    wanted = [
        (account, f"/organisations/{number}/accounts/{place}", cast.ids[one.ref])
        for number, one in enumerate(scenario.organisations)
        for place, account in enumerate(one.accounts)
    ]
    there = known.accounts(cast.play.session, [firm for _, _, firm in wanted])
    new: dict[str, Wish] = {}
    for account, place, firm in wanted:
        found = there.get((firm, hash_of_account(account.number, account.bank, account.holder)))
        if found is not None:
            cast.ids[account.ref] = found.id
        else:
            said = {"holder_name": account.holder, "account_number": account.number, "bank_code": account.bank}
            new[account.ref] = (cast.hand(Role.FINANCE_OFFICER, firm), place, {"organisation_id": firm, **said})
    cast.ids |= zip(new, cast.make(ProposeAccount, list(new.values())), strict=True)


def confirm_accounts(cast: Cast, scenario: Scenario) -> None:
    """Have the accounts that wait confirmed by somebody else who approves no payout, at a funder that pays the firm.

    Where no fund has an agreement with a firm there is nobody who could: its accounts go on waiting.
    """
    session = cast.play.session
    firms = [cast.ids[one.ref] for one in scenario.organisations if one.accounts]
    funder_of = known.payers(session, firms)
    waiting = {row.id: row for row in known.accounts(session, firms).values() if row.status == PayeeStatus.PROPOSED}
    wishes: list[Wish] = []
    for number, one in enumerate(scenario.organisations):
        for place, account in enumerate(one.accounts):
            row = waiting.get(cast.ids[account.ref])
            if row is not None and row.organisation_id in funder_of:
                second = cast.hand(Role.ACCOUNTANT, funder_of[row.organisation_id], besides=row.proposed_by)
                said = {"payee_account_id": row.id, "called": "scenario"}
                wishes.append((second, f"/organisations/{number}/accounts/{place}", said))
    cast.all(ConfirmAccount, wishes)
