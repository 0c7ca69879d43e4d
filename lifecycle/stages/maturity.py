"""Technology and manufacturing readiness: the scales' cross-check (M1), the minimum (M2), and the rule of all gates."""

from collections.abc import Container, Iterator
from uuid import UUID

from lifecycle.canonical import canonical, sha256
from lifecycle.stages.findings import together
from lifecycle.stages.forms import limit
from lifecycle.stages.records import ClaimRecord, Computed, Records
from lifecycle.stages.rule import Rule, missing, not_enough, not_met
from lifecycle.standards.pack import Criterion
from models.states import MaturityScale

HIGHEST_TRL = 9
HIGHEST_MRL = 10

THREADS = (
    "technology_and_industrial_base",
    "design",
    "cost_and_funding",
    "materials",
    "process_capability_and_control",
    "quality",
    "workforce",
    "facilities",
    "manufacturing_management",
)
"""The nine threads of manufacturing readiness; all nine must be claimed before a project has an MRL."""

_TRL_FOR_HIGH_MRL = {8: 7, 9: 8, 10: 9}


def cross_check(trl: int, mrl: int) -> bool:
    """Say whether a project of this TRL can have this MRL; levels outside 1-9 and 1-10 cannot be.

    M1 [rule S26]: MRL 1-7 needs at least the same TRL, MRL 8 needs 7, 9 needs 8, 10 needs 9.
    Ask it when a claim is entered, not only at the gate.
    """
    if not (1 <= trl <= HIGHEST_TRL and 1 <= mrl <= HIGHEST_MRL):
        return False
    return trl >= trl_needed(mrl)


def trl_needed(mrl: int) -> int:
    """Return the TRL without which this MRL cannot be true (M1) [rule S26]."""
    return _TRL_FOR_HIGH_MRL.get(mrl, mrl)


def project_trl(claims: tuple[ClaimRecord, ...]) -> int | None:
    """Return the TRL of the project: the minimum over its critical technologies (M2), None without a claim."""
    return min((claim.level for claim in claims if claim.scale is MaturityScale.TRL), default=None)


def project_mrl(claims: tuple[ClaimRecord, ...]) -> int | None:
    """Return the MRL of the project: the minimum over the nine threads (M2), None while one of them is not claimed."""
    return None if threads_missing(claims) else min(claim.level for claim in claims if _is_thread(claim))


def threads_missing(claims: tuple[ClaimRecord, ...]) -> list[str]:
    """Return the threads without a claim, in the order of the scale."""
    claimed = {claim.item for claim in claims if _is_thread(claim)}
    return [thread for thread in THREADS if thread not in claimed]


def claims_sha256(claims: tuple[ClaimRecord, ...]) -> str:
    """Return the hash that binds a judgement to the levels claimed, each with the document it stands in."""
    return sha256(canonical(sorted((claim.scale, claim.item, claim.level, str(claim.evidence)) for claim in claims)))


def maturity(criterion: Criterion, records: Records) -> Computed:
    """Judge TRL and MRL: both limits reached by M2, the cross-check M1 holds, each level has evidence that counts now.

    Limits [design], scales and M1 [rule S24-S26]. The claims are those current for each technology and thread.
    """
    claims = tuple(claim for claim in records.claims if claim.scale is MaturityScale.TRL or _is_thread(claim))
    return together(
        _findings(criterion, claims, {item.id for item in records.evidence}),
        trl=project_trl(claims),
        mrl=project_mrl(claims),
        trl_needed=limit(criterion, "trl"),
        mrl_needed=limit(criterion, "mrl"),
    )


def _findings(
    criterion: Criterion, claims: tuple[ClaimRecord, ...], sound: Container[UUID | None]
) -> Iterator[Computed]:
    if not claims:
        yield missing("maturity_not_claimed", threads=list(THREADS))
        return
    trl, mrl = project_trl(claims), project_mrl(claims)
    if below := _below(criterion, claims):
        yield not_met("maturity_too_low", below=below)
    if trl is not None and mrl is not None and not cross_check(trl, mrl):
        yield not_met("maturity_cross_check", trl_for_mrl=trl_needed(mrl))
    if trl is None:
        yield missing("technologies_not_claimed")
    if absent := threads_missing(claims):
        yield not_enough("threads_not_claimed", threads_missing=absent, have=len(THREADS) - len(absent))
    if bare := [claim.item for claim in claims if claim.evidence not in sound]:
        yield not_enough("levels_without_evidence", without_evidence=bare)


def _below(criterion: Criterion, claims: tuple[ClaimRecord, ...]) -> list[dict[str, int]]:
    """Name what holds the project down: every technology and thread under its limit, with its level."""
    limits = {MaturityScale.TRL: limit(criterion, "trl"), MaturityScale.MRL: limit(criterion, "mrl")}
    return [{claim.item: claim.level} for claim in claims if claim.level < limits[claim.scale]]


def _is_thread(claim: ClaimRecord) -> bool:
    return claim.scale is MaturityScale.MRL and claim.item in THREADS


RULES: dict[str, Rule] = {"maturity": maturity}
