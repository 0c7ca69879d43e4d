"""The funds of a scenario, with authority matrix and money, and the programmes with their standards."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lifecycle.errors import Invalid, unmet
from lifecycle.funds.commands import AddFund, Contribute, SetTiers
from lifecycle.funds.commands import Tier as AuthorityTier
from lifecycle.people.commands import AddProgramme, PublishStandard
from lifecycle.scenarios import known
from lifecycle.scenarios.cast import ADMIN, Cast, Wish
from lifecycle.scenarios.file import Fund, Scenario
from lifecycle.standards import library
from lifecycle.standards.pack import Pack
from models.money import MAX_MINOR
from models.states import OrganisationKind, Role


def open_funds(cast: Cast, scenario: Scenario) -> None:
    """Open the funds and pay their money in, or find them by their code as they are."""
    there = known.funds(cast.play.session, [one.code for one in scenario.funds])
    new: list[tuple[str, Fund, UUID]] = []
    for number, one in enumerate(scenario.funds):
        if one.code in there:
            cast.ids[one.ref], cast.owners[one.ref] = there[one.code].id, there[one.code].organisation_id
        else:
            cast.owners[one.ref] = cast.id_of(one.organisation) or cast.home[OrganisationKind.FUNDER]
            new.append((f"/funds/{number}", one, cast.owners[one.ref]))
    names = known.names(cast.play.session, [owner for _, _, owner in new])
    opened = [(cast.hand(Role.SPONSOR, owner), place, _fund(one, names[owner], owner)) for place, one, owner in new]
    cast.ids |= zip((one.ref for _, one, _ in new), cast.make(AddFund, opened), strict=True)
    tiers: list[Wish] = []
    money: list[Wish] = []
    for place, one, owner in new:
        on = {"fund_id": cast.ids[one.ref]}
        if one.approvals:
            tiers.append((cast.hand(Role.SPONSOR, owner), f"{place}/approvals", {**on, **_matrix(one)}))
        if one.funded_minor:
            paid_in = {**on, "amount_minor": one.funded_minor, "received_on": cast.play.today}
            money.append((cast.hand(Role.ACCOUNTANT, owner), f"{place}/funded_minor", paid_in))
    cast.all(SetTiers, tiers)
    cast.all(Contribute, money)


def _fund(one: Fund, debtor: str, owner: UUID) -> Mapping[str, Any]:
    return {
        "code": one.code,
        "name": one.code,
        "organisation_id": owner,
        "commitment_minor": one.commitment_minor or one.funded_minor,
        "debtor_name": debtor[:140],
        "debtor_account": one.debtor_account,
        "debtor_bank": one.debtor_bank,
        "currency": one.currency,
    }


def _matrix(one: Fund) -> Mapping[str, Any]:
    tiers = tuple(
        AuthorityTier(up_to_minor=tier.up_to_minor or MAX_MINOR, approvers_needed=tier.needed) for tier in one.approvals
    )
    return {"tiers": tiers, "reason": "scenario"}


def open_programmes(cast: Cast, scenario: Scenario) -> None:
    """Publish the standards that are asked for and open the programmes, or find these by their name as they are."""
    packs = [_pack(one.standard, f"/programmes/{number}") for number, one in enumerate(scenario.programmes)]
    hashes = [library.sha256(pack) for pack in packs]
    _publish(cast, dict(zip(hashes, packs, strict=True)))
    names = [one.name for one in scenario.programmes]
    there = known.programmes(cast.play.session, names)
    wishes: dict[str, Wish] = {}
    for number, (one, digest) in enumerate(zip(scenario.programmes, hashes, strict=True)):
        owner = cast.home[OrganisationKind.FUNDER] if one.fund is None else cast.owners[one.fund]
        said = {"name": one.name, "pack_sha256": digest, "organisation_id": owner}
        code = f"S-{cast.play.new_id().hex[-10:]}"
        if one.name not in there:
            wishes.setdefault(one.name, (ADMIN, f"/programmes/{number}", {"code": code, **said}))
    cast.all(AddProgramme, list(wishes.values()))
    there = known.programmes(cast.play.session, names)
    for one in scenario.programmes:
        cast.ids[one.ref] = there[one.name].id
        cast.owners[one.ref] = there[one.name].organisation_id or cast.home[OrganisationKind.FUNDER]


def _pack(name: str, place: str) -> Pack:
    try:
        return library.bare() if name == "bare" else library.by_name(name)
    except library.UnknownPack as error:
        raise Invalid(unmet("scenario_standard_unknown", place=f"{place}/standard", name=name)) from error


def _publish(cast: Cast, packs: Mapping[str, Pack]) -> None:
    there = known.published(cast.play.session, packs)
    new = [(digest, pack) for digest, pack in packs.items() if digest not in there]
    cast.all(PublishStandard, [(ADMIN, "/programmes", {"sha256": one, "body": pack.canonical()}) for one, pack in new])
