"""Panels and their arithmetic: composition, quorum, votes, scores (rule book 3.0). Pure."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from uuid import UUID

from lifecycle.errors import Unmet, unmet
from lifecycle.standards.pack import Panel, Score
from models.states import Competence, GateOutcome, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One person named for a panel."""

    user_id: UUID
    role: Role
    competences: tuple[Competence, ...] = ()
    is_chair: bool = False
    has_vote: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The total of a score with the mean of each factor."""

    total: float
    means: Mapping[str, float]
    voters: int


def composition_reasons(panel: Panel, seats: Sequence[Seat]) -> list[Unmet]:
    """Return what is wrong with a panel: size, chair, competences, who votes, seats the standard asks for."""
    voting = [seat for seat in seats if seat.has_vote]
    reasons = []
    if len({seat.user_id for seat in seats}) != len(seats):
        reasons.append(unmet("panel_names_twice"))
    if panel.kind == "single_expert":
        if len(voting) != 1 or voting[0].role != Role.EXPERT:
            reasons.append(unmet("panel_one_expert", have=len(voting)))
        return reasons
    voters = {Role.EXPERT, Role.PANEL_CHAIR, *panel.extra_roles}
    if others := sorted({seat.role for seat in voting} - voters):
        reasons.append(unmet("panel_role_without_vote", roles=[str(role) for role in others]))
    low, high = panel.minimum_members, panel.maximum_members
    if not low <= len(voting) <= high or len(voting) % 2 == 0:
        reasons.append(unmet("panel_size", have=len(voting), low=low, high=high))
    if sum(seat.is_chair for seat in voting) != 1:
        reasons.append(unmet("panel_one_chair", have=sum(seat.is_chair for seat in voting)))
    covered = {competence for seat in voting for competence in seat.competences}
    lacking = [competence for competence in panel.competences if competence not in covered]
    if lacking:
        reasons.append(unmet("panel_competence_missing", competences=[str(item) for item in lacking]))
    absent = [role for role in panel.extra_roles if role not in {seat.role for seat in voting}]
    if absent:
        reasons.append(unmet("panel_role_missing", roles=[str(role) for role in absent]))
    return reasons


def quorum(panel: Panel, named: int) -> int:
    """Return how many voters are needed: two thirds of the named ones, rounded up [design]."""
    share, of = panel.quorum_share
    return math.ceil(named * share / of)


def majority(votes: Collection[GateOutcome]) -> GateOutcome:
    """Return what most votes say; no simple majority means hold [design]."""
    counted = Counter(votes).most_common(2)
    if not counted or counted[0][1] * 2 <= len(votes):
        return GateOutcome.HOLD
    return counted[0][0]


def tally(score: Score, points: Mapping[UUID, Mapping[str, int]]) -> Tally:
    """Return sum of weight x mean / 10 over the factors; each factor 0-10 by each voter [rule S27 S28]."""
    means = {}
    for factor in score.factors:
        given = [by_factor[factor.id] for by_factor in points.values() if factor.id in by_factor]
        means[factor.id] = fmean(given) if given else 0.0
    return Tally(total=total_of(score, means), means=means, voters=len(points))


def total_of(score: Score, means: Mapping[str, float]) -> float:
    """Return sum of weight x mean / 10; a factor that nobody scored counts nothing."""
    return sum(factor.weight * means.get(factor.id, 0.0) for factor in score.factors) / 10


def score_reasons(score: Score, counted: Tally) -> list[Unmet]:
    """Return why a score has not passed: below the total, or a factor below the floor."""
    if not score.factors:
        return []
    weak = {name: mean for name, mean in counted.means.items() if mean < score.floor_per_factor}
    if counted.total >= score.pass_total and not weak:
        return []
    values = {"total": counted.total, "needed": score.pass_total, "weak": sorted(weak), "floor": score.floor_per_factor}
    return [Unmet(code="score_not_passed", values=values)]
