"""The judgement of one criterion: waiver, order, evidence, computed rule and what people said, in this order.

Pure, and the same for all stages; what a criterion computes lies in the module of its stage (`rules.py` has them all).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from lifecycle.calendar import Calendar, add_months
from lifecycle.canonical import canonical, sha256
from lifecycle.stages import maturity
from lifecycle.stages.due import due_day
from lifecycle.stages.records import Computed, EvidenceRecord, JudgementRecord, Records, Values
from lifecycle.stages.rule import Rule, cannot_start, missing, not_met
from lifecycle.standards.pack import Criterion, EvidenceType, Judge, Owes, Pack, Strength
from lifecycle.standards.parties import ROLE_PARTY, decider_at, judge_owes
from models.states import ENDED, ProjectState, VerdictState

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


def parties_of(verdict: Verdict) -> list[str]:
    """Return the parties that owe the next step, sorted; none of what passes."""
    return [] if verdict.passes else sorted({owes.party for owes in verdict.owed_by})


def judge_stage(
    pack: Pack, records: Records, *, calendar: Calendar, rules: Mapping[str, Rule], stage: ProjectState | None = None
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
    owed (`waiting`) · met. Raises `KeyError` when the pack names a rule that does not exist (lint refuses it).
    """
    return _Bench(pack=pack, records=records, calendar=calendar, rules=rules).judge(criterion)


def judged_evidence(criterion: Criterion, records: Records, part: str | None = None) -> tuple[EvidenceRecord, ...]:
    """Return the current evidence a judgement of this criterion is given on, supporting papers included.

    With `part` only that evidence type: another part handed in anew does not void this judgement.
    """
    types = (*criterion.evidence, *criterion.supporting) if part is None else (part,)
    return tuple(item for item in records.evidence if item.type in types)


def evidence_sha256s(evidence: Iterable[EvidenceRecord]) -> tuple[str, ...]:
    """Return the sorted hashes that bind a judgement to what was judged; a newer version makes it void.

    Each is over the whole version: its file, the values of its form and its revision (rule book 3.0). Other figures
    beside the same file are another version.
    """
    versions = ({"file": e.sha256, "form": e.values, "revision": e.revision, "type": e.type} for e in evidence)
    return tuple(sorted(sha256(canonical(version)) for version in versions))


def bound_sha256s(criterion: Criterion, records: Records, part: str | None = None) -> tuple[str, ...]:
    """Return the sorted hashes of all that a judgement of this criterion is given on: papers, and levels claimed."""
    versions = evidence_sha256s(judged_evidence(criterion, records, part))
    if criterion.rule not in maturity.RULES:
        return versions
    return tuple(sorted((*versions, maturity.claims_sha256(records.claims))))


def is_expired(item: EvidenceRecord, kind: EvidenceType, today: date) -> bool:
    """Say whether the evidence has run out: after its own last day, or its type's months after it was handed in."""
    if item.valid_until is not None and item.valid_until < today:
        return True
    return kind.valid_months is not None and add_months(item.submitted_on, kind.valid_months) < today


class _Bench:
    """One project's records under judgement; remembers the verdicts that other criteria wait for."""

    def __init__(self, *, pack: Pack, records: Records, calendar: Calendar, rules: Mapping[str, Rule]) -> None:
        self.pack, self.records, self.calendar, self.rules = pack, records, calendar, rules
        self.given: dict[str, Verdict] = {}
        self.faults = {item.id: self._fault(item) for item in records.evidence}
        sound = tuple(item for item in records.evidence if not self.faults[item.id])
        self.sound_records = records if len(sound) == len(records.evidence) else replace(records, evidence=sound)
        """What the rules see: evidence that has run out, or is of another revision, is not there for them."""

    def judge(self, criterion: Criterion) -> Verdict:
        if criterion.id not in self.given:
            self.given[criterion.id] = self._judge(criterion)
        return self.given[criterion.id]

    def _judge(self, criterion: Criterion) -> Verdict:
        barred = self._waived(criterion) or self._too_early(criterion) or self._without_evidence(criterion)
        if barred is not None:
            return barred
        found = Computed(state="met", code="met")
        if criterion.rule is not None:
            found = self.rules[criterion.rule](criterion, self.sound_records)
        if found.state != "met":
            return self._verdict(criterion, found, criterion.owed_by)
        return self._refused_or_awaited(criterion) or self._verdict(criterion, found, ())

    def _waived(self, criterion: Criterion) -> Verdict | None:
        """Only what the standard calls waivable can be waived, whatever the register says."""
        if criterion.strength != "W":
            return None
        until = max(
            (
                waiver.until
                for waiver in self.records.waivers
                if waiver.clause == criterion.id and waiver.confirmed and waiver.until >= self.records.today
            ),
            default=None,
        )
        if until is None:
            return None
        return self._verdict(
            criterion, Computed(state="waived", code="waived", values={"until": until.isoformat()}), ()
        )

    def _too_early(self, criterion: Criterion) -> Verdict | None:
        earlier = [self.judge(self.pack.criterion(clause)) for clause in criterion.after]
        unmet = [verdict for verdict in earlier if not verdict.passes]
        if not unmet:
            return None
        owed_by = tuple(dict.fromkeys(owes for verdict in unmet for owes in verdict.owed_by))
        return self._verdict(
            criterion, cannot_start("earlier_criteria_open", clauses=[v.clause for v in unmet]), owed_by
        )

    def _without_evidence(self, criterion: Criterion) -> Verdict | None:
        """Name all that is wrong at once. Of several documents of a type one sound one is enough; the rule counts."""
        found: dict[str, list[str]] = {}
        for type_id in criterion.evidence:
            faults = [self.faults[item.id] for item in self.records.of_type(type_id)] or ["evidence_missing"]
            if "" not in faults:
                found.setdefault(faults[-1], []).append(type_id)
        if not found:
            return None
        frozen = self.records.revision
        lacking = missing(
            "evidence_incomplete" if len(found) > 1 else next(iter(found)),
            types=[type_id for types in found.values() for type_id in types],
            missing=found.get("evidence_missing", []),
            expired=found.get("evidence_expired", []),
            other_revision=[*found.get("no_frozen_revision", []), *found.get("evidence_other_revision", [])],
            revision=frozen.label if frozen else "",
        )
        return self._verdict(criterion, lacking, criterion.owed_by)

    def _fault(self, item: EvidenceRecord) -> str:
        """Name what is wrong with this evidence; empty when it is sound. A type the pack does not know is not there."""
        if not self.pack.has_evidence_type(item.type):
            return "evidence_missing"
        kind = self.pack.evidence_type(item.type)
        if is_expired(item, kind, self.records.today):
            return "evidence_expired"
        if not kind.only_for_revision:
            return ""
        frozen = self.records.revision
        if frozen is None:
            return "no_frozen_revision"
        return "" if item.revision == frozen.label else "evidence_other_revision"

    def _refused_or_awaited(self, criterion: Criterion) -> Verdict | None:
        answers: list[tuple[Judge, str]] = []
        heard: set[UUID] = set()
        for judge in criterion.judges:
            answer, by = self._answer(criterion, judge, heard)
            answers.append((judge, answer))
            heard |= by
        refused = [judge for judge, answer in answers if answer == "judged_no"]
        if refused:
            return self._verdict(criterion, not_met("judged_no", roles=_roles(refused)), criterion.owed_by)
        awaited = [judge for judge, answer in answers if answer != "judged_yes"]
        if not awaited:
            return None
        is_outdated = any(answer == "judgement_outdated" for _, answer in answers)
        code = "judgement_outdated" if is_outdated else "judgement_waiting"
        authors = {
            str(item.author) for judge in awaited for item in judged_evidence(criterion, self.records, judge.part)
        }
        waiting = Computed(state="waiting", code=code, values={"roles": _roles(awaited), "not_by": sorted(authors)})
        return self._verdict(criterion, waiting, tuple(dict.fromkeys(judge_owes(judge) for judge in awaited)))

    def _answer(self, criterion: Criterion, judge: Judge, elsewhere: Collection[UUID]) -> tuple[str, set[UUID]]:
        """The last word of this judge on the present evidence, and whose it is.

        Who was heard in another seat is not heard again: three experts are three people.
        """
        heard = [one for one in _heard(criterion, judge, self.records) if one.person not in elsewhere]
        present = _on_present(criterion, judge, self.records, heard)
        if not present:
            return "judgement_outdated" if heard else "judgement_waiting", set()
        last = _latest(present)
        return "judged_yes" if last.yes else "judged_no", {last.person}

    def _verdict(self, criterion: Criterion, found: Computed, owed_by: tuple[Owes, ...]) -> Verdict:
        return Verdict(
            clause=criterion.id,
            state=VerdictState(found.state),
            code=found.code,
            values=found.values,
            suffices=found.suffices,
            owed_by=self._panel() if self._is_the_panel_s(criterion, found) else owed_by,
            strength=criterion.strength,
            due_on=due_day(criterion, self.records, self.calendar),
        )

    def _is_the_panel_s(self, criterion: Criterion, found: Computed) -> bool:
        """While a panel sits, what only its notice can meet waits for who proposes and decides, and for nobody else."""
        is_open = self.records.panel_sits and criterion.follow_notice and VerdictState(found.state) not in _PASSING
        return is_open and criterion in self.pack.stage(self.records.stage).criteria

    def _panel(self) -> tuple[Owes, ...]:
        role = decider_at(self.pack.stage(self.records.stage))
        return (Owes(party=ROLE_PARTY[role], role=role),)


def heard_in(criterion: Criterion, judge: Judge, records: Records) -> frozenset[UUID]:
    """Return the people whose word in this seat is about the present evidence."""
    present = _on_present(criterion, judge, records, _heard(criterion, judge, records))
    return frozenset(said.person for said in present)


def _heard(criterion: Criterion, judge: Judge, records: Records) -> list[JudgementRecord]:
    """Return what was said in a seat; authors of the evidence are not heard."""
    authors = {item.author for item in judged_evidence(criterion, records, judge.part)}
    own = [said for said in records.judgements if said.clause == criterion.id and _is_of(said, judge)]
    return [said for said in own if said.person not in authors]


def _on_present(
    criterion: Criterion, judge: Judge, records: Records, heard: list[JudgementRecord]
) -> list[JudgementRecord]:
    """Return what of it was said on all that is there now."""
    if not heard:
        return []
    hashes = bound_sha256s(criterion, records, judge.part)
    return [said for said in heard if tuple(sorted(said.evidence_sha256s)) == hashes]


def _latest(said: list[JudgementRecord]) -> JudgementRecord:
    """Of two on one day the later recorded one counts."""
    return max(reversed(said), key=lambda one: one.on)


def _is_of(said: JudgementRecord, judge: Judge) -> bool:
    return (
        said.role is judge.role
        and said.kind == judge.kind
        and said.part == judge.part
        and judge.party in (None, said.party)
        and judge.competence in (None, said.competence)
    )


def _roles(judges: Iterable[Judge]) -> list[str]:
    return [judge.role.value for judge in judges]
