"""The judgement of one criterion: waiver, order, evidence, computed rule and what people said, in this order.

Pure, and the same for all stages; what a criterion computes lies in the module of its stage (`rules.py` has them all).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from lifecycle.calendar import Calendar, add_months
from lifecycle.stages.parties import judge_owes
from lifecycle.stages.records import Computed, EvidenceRecord, JudgementRecord, Records, Values
from lifecycle.stages.rule import Rule
from lifecycle.standards.pack import Criterion, Due, EvidenceType, Judge, Owes, Pack, Strength
from models.states import ENDED, STAGES, ProjectState, VerdictState

_PASSING = (VerdictState.MET, VerdictState.WAIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said of one criterion on one day, why, and who owes the next step."""

    clause: str
    state: VerdictState
    code: str
    """Stable reason; its sentence stands in `notifications/locale/stages_*.yaml` and uses `values`."""
    values: Values = field(default_factory=dict)
    suffices: str | None = None
    owed_by: tuple[Owes, ...] = ()
    strength: Strength
    due_on: date | None = None

    @property
    def passes(self) -> bool:
        """Say whether a gate may pass with this verdict."""
        return self.state in _PASSING


def judge_stage(
    pack: Pack,
    records: Records,
    *,
    calendar: Calendar,
    rules: Mapping[str, Rule],
    stage: ProjectState | None = None,
) -> tuple[Verdict, ...]:
    """Judge every criterion of a stage, by default the one the project stands in; an ended project is asked nothing."""
    asked = stage or records.stage
    if asked in ENDED:
        return ()
    bench = _Bench(pack=pack, records=records, calendar=calendar, rules=rules)
    return tuple(bench.judge(criterion) for criterion in pack.stage(asked).criteria)


def judge(
    pack: Pack, criterion: Criterion, records: Records, *, calendar: Calendar, rules: Mapping[str, Rule]
) -> Verdict:
    """Judge one criterion on the day of the records.

    The first of these that applies is the verdict: waived · an earlier criterion open (`cannot_start`) · evidence
    missing, expired or of another revision (`missing`) · the computed rule's finding · a no (`not_met`) · a judgement
    owed (`waiting`) · met. Raises `KeyError` when the pack names a rule that does not exist (`standard lint` refuses it).
    """
    return _Bench(pack=pack, records=records, calendar=calendar, rules=rules).judge(criterion)


def judged_evidence(criterion: Criterion, records: Records, part: str | None = None) -> tuple[EvidenceRecord, ...]:
    """Return the current evidence a judgement of this criterion is given on; with `part` only that evidence type."""
    types = criterion.evidence if part is None else (part,)
    return tuple(item for item in records.evidence if item.type in types)


def evidence_sha256s(evidence: Iterable[EvidenceRecord]) -> tuple[str, ...]:
    """Return the sorted hashes that bind a judgement to what was judged; a newer version makes it void."""
    return tuple(sorted(item.sha256 for item in evidence))


def is_expired(item: EvidenceRecord, kind: EvidenceType, today: date) -> bool:
    """Say whether the evidence has run out: after its own last day, or its type's months after it was handed in."""
    if item.valid_until is not None and item.valid_until < today:
        return True
    return kind.valid_months is not None and add_months(item.submitted_on, kind.valid_months) < today


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """One project's records under judgement; remembers the verdicts that other criteria wait for."""

    pack: Pack
    records: Records
    calendar: Calendar
    rules: Mapping[str, Rule]
    given: dict[str, Verdict] = field(default_factory=dict)

    def judge(self, criterion: Criterion) -> Verdict:
        if criterion.id not in self.given:
            self.given[criterion.id] = self._judge(criterion)
        return self.given[criterion.id]

    def _judge(self, criterion: Criterion) -> Verdict:
        for step in (self._waived, self._order, self._papers, self._rule):
            verdict = step(criterion)
            if verdict is not None and verdict.state is not VerdictState.MET:
                return verdict
        computed = self._rule(criterion)
        return self._people(criterion) or computed or self._say(criterion, VerdictState.MET, "met")
