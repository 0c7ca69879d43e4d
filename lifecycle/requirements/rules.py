"""What can stand in the way of handing in, judging and waiving. Pure: facts in, reasons out."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from lifecycle.chart import about_input
from lifecycle.errors import Unmet, unmet
from lifecycle.projects import rules as project_rules
from lifecycle.stages.judgement import bound_sha256s, heard_in, judged_evidence
from lifecycle.stages.maturity import THREADS, cross_check, project_mrl, project_trl, trl_needed
from lifecycle.stages.records import ClaimRecord
from lifecycle.standards.pack import Criterion, FormField, Judge
from lifecycle.standards.parties import ROLE_PARTY, hands_in
from models.limits import LONG_TEXT, SHORT_TEXT
from models.states import STAGES, EvidenceStatus, MaturityScale, Role

if TYPE_CHECKING:
    from lifecycle.projects.facts import ProjectFacts
    from lifecycle.requirements.facts import DeskFacts

LEVELS = {MaturityScale.TRL: 9, MaturityScale.MRL: 10}
SHA256_LENGTH = 64
SME_ROLES = frozenset(role for role, party in ROLE_PARTY.items() if party == "sme")


def takes_papers(facts: "DeskFacts") -> tuple[Unmet, ...]:
    """A project that has ended takes papers while an agreement waits for its cost statement or audit (F12)."""
    is_over = facts.has_ended and facts.is_accounted_for
    return (unmet("project_ended", state=facts.stage),) if is_over else ()


def not_frozen(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Once a panel is called the evidence stands still; what arrives later is for the next panel."""
    if not facts.has_open_review:
        return ()
    return (unmet("evidence_frozen", gate=facts.review.gate, planned=facts.review.planned_on.isoformat()),)


@about_input
def type_known(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Evidence is of a type that the project's standard knows."""
    command = facts.command
    if not facts.pack.has_evidence_type(command.type):
        return (unmet("evidence_type_unknown", name=command.type, known=facts.pack.types_like(command.type)),)
    return ()


@about_input
def owes_it(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A paper is handed in by the party that owes it: the firm does not write the receiver's consent."""
    command = facts.command
    if not facts.pack.has_evidence_type(command.type):
        return ()
    needs = hands_in(facts.pack, facts.pack.evidence_type(command.type))
    return () if facts.roles & needs else (Unmet(code="role", values={"needs": sorted(needs), "verb": "add"}),)


@about_input
def file_sound(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Evidence names a file by its hash, its size and a plain name; an empty file shows nothing."""
    command = facts.command
    return tuple(file_reasons(command.file_name, command.sha256, command.size_bytes))


def file_reasons(name: str, sha256: str, size_bytes: int) -> list[Unmet]:
    """Return what is wrong with the words that a file is named by."""
    reasons = []
    if len(sha256) != SHA256_LENGTH or set(sha256) - set("0123456789abcdef"):
        reasons.append(unmet("file_hash_wrong"))
    if not 0 < len(name) <= SHORT_TEXT or any(char in name for char in "/\\\0\r\n"):
        reasons.append(unmet("file_name_wrong", name=name[:60]))
    if size_bytes <= 0:
        reasons.append(unmet("file_size_wrong", size=size_bytes))
    return reasons


@about_input
def form_sound(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Every value of the form has the type its evidence type asks for; all that is wrong is named."""
    command = facts.command
    if not facts.pack.has_evidence_type(command.type):
        return ()
    kind = facts.pack.evidence_type(command.type)
    reasons = form_reasons(kind.fields, command.form, command.type)
    key_missing = unmet("form_field_missing", type=command.type, name=kind.key_field)
    if kind.key_field and not command.form.get(kind.key_field) and key_missing not in reasons:
        reasons.append(key_missing)
    return tuple(reasons)


def form_reasons(fields: tuple[FormField, ...], form: Mapping[str, Any], where: str) -> list[Unmet]:
    """Return what is wrong with a form: missing, unknown and mistyped fields, tables row by row."""
    known = {item.name: item for item in fields}
    reasons = [
        unmet("form_field_unknown", type=where, name=name, known=list(known)) for name in sorted(set(form) - set(known))
    ]
    for name, item in known.items():
        value = form.get(name)
        if value is None:
            if item.required:
                reasons.append(unmet("form_field_missing", type=where, name=name))
        elif item.kind == "table" and isinstance(value, list):
            for place, row in enumerate(value, start=1):
                inner = row if isinstance(row, dict) else {}
                reasons.extend(form_reasons(item.columns, inner, f"{where}.{name}[{place}]"))
        elif not _fits(item, value):
            wanted = list(item.choices) or item.kind
            reasons.append(unmet("form_field_wrong", type=where, name=name, value=str(value)[:60], wanted=wanted))
    return reasons


def _fits(item: FormField, value: Any) -> bool:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    match item.kind:
        case "text":
            return isinstance(value, str) and 0 < len(value.strip()) <= LONG_TEXT
        case "int":
            return is_int
        case "money":
            return is_int and abs(value) <= 10**13
        case "number" | "percent":
            return (is_int or isinstance(value, float)) and abs(value) < 1e18  # also refuses NaN
        case "bool":
            return isinstance(value, bool)
        case "date":
            return isinstance(value, str) and _is_day(value)
        case "choice":
            return value in item.choices
        case "list":
            return isinstance(value, list) and all(isinstance(entry, str | int | float) for entry in value)
        case _:
            return False


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@about_input
def clause_known(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """The clause is one of the present gate, or was left open at an earlier one: under a condition or a waiver."""
    clause = facts.command.clause
    if not facts.pack.has(clause):
        return (unmet("clause_unknown", clause=clause),)
    present = 0 if facts.has_ended else STAGES.index(facts.stage) + 1
    if int(clause[1]) > present:
        return (unmet("clause_not_yet", clause=clause),)
    left_open = {row.clause for row in (*facts.open_conditions, *facts.waivers)}
    return (unmet("clause_passed", clause=clause),) if int(clause[1]) < present and clause not in left_open else ()


def seat_of(facts: "ProjectFacts") -> Judge | None:
    """Return the judge of the criterion that this actor is, or None."""
    command = facts.command
    if not facts.pack.has(command.clause):
        return None
    fitting = (judge for judge in facts.pack.criterion(command.clause).judges if _is_seat(facts, judge))
    return next(fitting, None)


def _is_seat(facts: "ProjectFacts", judge: Judge) -> bool:
    command = facts.command
    return (
        judge.role in facts.roles
        and command.part in (None, judge.part)
        and command.competence in (None, judge.competence)
        and (judge.competence is None or judge.competence in facts.competences)
    )


@about_input
def judge_named(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Only the role (and competence) that the standard names judges a criterion."""
    if not facts.pack.has(facts.command.clause) or seat_of(facts) is not None:
        return ()
    criterion = facts.pack.criterion(facts.command.clause)
    if not criterion.judges:
        return (unmet("nothing_to_judge", clause=criterion.id),)
    needs = sorted({str(judge.role) for judge in criterion.judges})
    wanted = sorted({str(judge.competence) for judge in criterion.judges if judge.competence})
    return (Unmet(code="role", clause=criterion.id, values={"needs": needs, "competences": wanted, "verb": "judge"}),)


@about_input
def evidence_there(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """There must be something to judge."""
    criterion, seat = _criterion(facts), seat_of(facts)
    if criterion is None or seat is None or facts.records is None:
        return ()
    wanted = criterion.evidence if seat.part is None else (seat.part,)
    lacking = [type_id for type_id in wanted if not facts.records.of_type(type_id)]
    return (Unmet(code="evidence_missing", clause=criterion.id, values={"types": lacking}),) if lacking else ()


@about_input
def not_the_author(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Nobody accepts what they handed in (rule book 3.0), also not under a second account."""
    criterion, seat = _criterion(facts), seat_of(facts)
    if criterion is None or seat is None or facts.records is None:
        return ()
    authors = {item.author for item in judged_evidence(criterion, facts.records, seat.part)}
    if facts.stamp.actor.person_id not in authors:
        return ()
    values = {"verb": "judge", "not_by": sorted(map(str, authors))}
    return (Unmet(code="four_eyes", clause=criterion.id, party=party_of(seat), role=seat.role, values=values),)


@about_input
def in_one_seat_only(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Who was heard in one seat of a criterion takes no other: its judges are several people."""
    criterion, seat, records = _criterion(facts), seat_of(facts), facts.records
    if criterion is None or seat is None or records is None:
        return ()
    person = facts.stamp.actor.person_id
    others = [judge for judge in criterion.judges if judge is not seat]
    if any(person in heard_in(criterion, judge, records) for judge in others):
        return (Unmet(code="four_eyes", clause=criterion.id, values={"verb": "judge"}),)
    return ()


def bound_hashes(facts: "ProjectFacts", seat: Judge) -> list[str]:
    """Return the hashes that a judgement given now is bound to."""
    criterion = _criterion(facts)
    if criterion is None or facts.records is None:
        return []
    return list(bound_sha256s(criterion, facts.records, seat.part))


def _criterion(facts: "ProjectFacts") -> Criterion | None:
    clause = facts.command.clause
    return facts.pack.criterion(clause) if facts.pack.has(clause) else None


def party_of(seat: Judge) -> str:
    """Return the party for which this judge speaks."""
    return seat.party or ROLE_PARTY[seat.role]


@about_input
def waivable(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Only W criteria of the present gate are waived, for at most 90 days, at most two per gate.

    Those of this visit count when they have run out, too: else two at a time would be all that is asked.
    """
    command, limits = facts.command, facts.pack.limits
    criterion = _criterion(facts)
    if criterion is None or facts.has_ended:
        return ()
    reasons = []
    if criterion.strength != "W":
        reasons.append(Unmet(code="not_waivable", clause=criterion.id, values={"strength": criterion.strength}))
    latest = facts.stamp.today + timedelta(days=limits.waiver_calendar_days)
    if not facts.stamp.today < command.until_on <= latest:
        reasons.append(Unmet(code="waiver_too_long", clause=criterion.id, values={"latest": latest.isoformat()}))
    gate = facts.asked.gate
    used = {row.clause for row in facts.waivers if row.gate == gate and _is_used(row, facts)}
    if criterion.id not in used and len(used) >= limits.waivers_per_gate:
        reasons.append(unmet("waivers_used_up", used=len(used), limit=limits.waivers_per_gate))
    return tuple(reasons)


def _is_used(waiver: Any, facts: "ProjectFacts") -> bool:
    is_granted_here = waiver.stage_run_id == facts.project.stage_run_id and waiver.confirmed_by is not None
    return is_granted_here or waiver.until_on >= facts.stamp.today


@about_input
def waiver_role(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """The chair waives, at G1 the expert; single PPAP elements the receiver, in writing."""
    clause = facts.command.clause
    needed = {Role.PANEL_CHAIR}
    if clause.startswith("G1."):
        needed = {Role.PANEL_CHAIR, Role.EXPERT}
    elif clause.startswith("G5."):
        needed = {Role.PANEL_CHAIR, Role.RECEIVER_LEAD}
    if facts.roles & needed:
        return ()
    return (Unmet(code="role", clause=clause, values={"needs": sorted(needed), "verb": "waive"}),)


@about_input
def waiver_waits(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """There is a waiver of this clause that a second person has not confirmed yet."""
    return () if open_waiver(facts) is not None else (unmet("no_waiver_waiting", clause=facts.command.clause),)


def open_waiver(facts: "ProjectFacts") -> Any:
    """Return the newest unconfirmed waiver of the clause, or None."""
    fitting = (
        row for row in reversed(facts.waivers) if row.clause == facts.command.clause and row.confirmed_by is None
    )
    return next(fitting, None)


@about_input
def second_person(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """The second person is another human."""
    waiver = open_waiver(facts)
    if waiver is None:
        return ()
    if waiver.granted_person_id == facts.stamp.actor.person_id:
        return (Unmet(code="four_eyes", clause=waiver.clause, values={"verb": "confirm_waiver"}),)
    return ()


@about_input
def not_of_the_firm(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Who acts for the firm, under whatever account, speaks for nobody else in its project (rule book 1.4).

    They neither waive nor confirm a waiver.
    """
    if not facts.person_roles & SME_ROLES:
        return ()
    values = {"conflict": "firm", "people": [facts.stamp.actor.name]}
    return (Unmet(code="conflict_of_interest", clause=facts.command.clause, values=values),)


@about_input
def judges_for_own_side(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """Who acts for the firm judges in a seat of the firm only."""
    seat = seat_of(facts)
    return () if seat is None or seat.role in SME_ROLES else not_of_the_firm(facts)


def claimed(command: Any) -> tuple[tuple[MaturityScale, str, int], ...]:
    """Return the levels that a command claims: scale, technology or thread (`cost and funding` too), level."""
    many: tuple[tuple[MaturityScale, str, int], ...] | None = getattr(command, "levels", None)
    said = many if many is not None else ((command.scale, command.item, command.level),)
    threads = {" ".join(one.split("_")): one for one in THREADS}
    return tuple(
        (scale, threads.get(item, item) if scale == MaturityScale.MRL else item, level) for scale, item, level in said
    )


@about_input
def levels_named(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """An assessment says at least one level, and each technology and thread once."""
    named = [(scale, item) for scale, item, _ in claimed(facts.command)]
    return () if 0 < len(named) == len(set(named)) else (unmet("levels_not_named_once", count=len(named)),)


@about_input
def threads_known(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """An MRL is claimed for one of the nine threads; technologies have the names that the firm gives them."""
    unknown = [item for scale, item, _ in claimed(facts.command) if scale == MaturityScale.MRL and item not in THREADS]
    return tuple(unmet("thread_unknown", value=item, known=list(THREADS)) for item in unknown)


@about_input
def levels_sound(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A level is on its scale, and the pair keeps the cross-check M1 [rule S26]: refused when it is entered."""
    new = claimed(facts.command)
    off = [(scale, level) for scale, _, level in new if not 1 <= level <= LEVELS[scale]]
    if off:
        return tuple(unmet("level_off_scale", scale=scale, level=level, highest=LEVELS[scale]) for scale, level in off)
    if facts.records is None:
        return ()
    replaced = {(scale, item) for scale, item, _ in new}
    others = tuple(claim for claim in facts.records.claims if (claim.scale, claim.item) not in replaced)
    mine = tuple(ClaimRecord(scale=scale, item=item, level=level) for scale, item, level in new)
    trl, mrl = project_trl((*others, *mine)), project_mrl((*others, *mine))
    if trl is None or mrl is None or cross_check(trl, mrl):
        return ()
    return (unmet("maturity_cross_check", trl=trl, mrl=mrl, trl_for_mrl=trl_needed(mrl)),)


@about_input
def evidence_exists(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A claim names evidence of this project, or none."""
    wanted = facts.command.evidence_id
    if wanted is None or facts.records is None or wanted in {item.id for item in facts.records.evidence}:
        return ()
    return (unmet("evidence_not_found"),)


@about_input
def revision_new(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A label is used once; every freeze after the first says which clauses it touches; it is not in the future."""
    if facts.records is None:
        return ()
    command, known = facts.command, facts.records.revisions
    reasons = []
    if command.label in {revision.label for revision in known}:
        reasons.append(unmet("already_exists", field="label", value=command.label))
    if known and not command.touched_clauses:
        reasons.append(unmet("impact_list_missing"))
    unknown = [clause for clause in command.touched_clauses if not facts.pack.has(clause)]
    if unknown:
        reasons.append(unmet("clause_unknown", clause=", ".join(unknown)))
    if command.frozen_on > facts.stamp.today:
        reasons.append(unmet("day_in_future", day=command.frozen_on.isoformat()))
    if known and command.frozen_on < max(revision.frozen_on for revision in known):
        reasons.append(unmet("revision_out_of_order", day=command.frozen_on.isoformat()))
    return tuple(reasons)


def owed_by_firm(facts: "ProjectFacts") -> list[str]:
    """Return all that a completion notice tells: open criteria that the firm owes, then what the next stage asks of it.

    A line of the entry is named by its criterion where it repeats one, else by its name in the standard.
    """
    owed = [verdict for verdict in facts.verdicts if not verdict.passes]
    clauses = [verdict.clause for verdict in owed if any(party.party == "sme" for party in verdict.owed_by)]
    judged = {verdict.clause for verdict in facts.verdicts}
    entry = [(reason.clause or name, reason) for name, reason in project_rules.entry_open(facts)]
    return [*clauses, *(name for name, reason in entry if reason.party == "sme" and name not in judged)]


def still_owed(facts: "ProjectFacts", items: Iterable[str]) -> list[str]:
    """Return those items of a completion notice of the present visit that are open now."""
    entry = {reason.clause or name for name, reason in project_rules.entry_open(facts)}
    asked = entry | {verdict.clause for verdict in facts.verdicts if not verdict.passes}
    return [one for one in items if one in asked]


def something_owed(facts: "ProjectFacts") -> tuple[Unmet, ...]:
    """A completion notice lists what is open; with nothing open there is nothing to tell."""
    is_open = any(not verdict.passes for verdict in facts.verdicts)
    return () if is_open or owed_by_firm(facts) else (unmet("nothing_owed"),)


def own_document(facts: "DeskFacts") -> Any:
    """Return the current document that the command names, or None."""
    found = (row for row in facts.documents if row.id == facts.command.evidence_id)
    return next((row for row in found if row.status == EvidenceStatus.CURRENT), None)


@about_input
def document_is_own(facts: "DeskFacts") -> tuple[Unmet, ...]:
    """Only who handed a document in takes it back."""
    document = own_document(facts)
    if document is None:
        return (unmet("evidence_not_found"),)
    return () if document.author_person_id == facts.stamp.actor.person_id else (unmet("not_the_author"),)


@about_input
def present_clause(facts: "DeskFacts") -> tuple[Unmet, ...]:
    """The clause is asked by the present visit."""
    known = facts.command.clause in facts.requirements
    return () if known else (unmet("clause_unknown", clause=facts.command.clause),)


def rounds_left(facts: "DeskFacts") -> tuple[Unmet, ...]:
    """At most two completion rounds per stage; later demands need a reason of their own."""
    if facts.has_ended:
        return ()
    used = sum(1 for row in facts.notices if row.stage_run_id == facts.project.stage_run_id)
    limit = facts.asked.completion_rounds
    return () if used < limit else (unmet("notices_used_up", used=used, limit=limit),)


def open_notice(facts: "DeskFacts") -> Any:
    """Return the completion notice of the present visit that was not answered yet, or None.

    One of an earlier visit has lapsed with it: what the stage asks is judged anew, and told anew.
    """
    own = (row for row in reversed(facts.notices) if row.stage_run_id == facts.project.stage_run_id)
    return next((row for row in own if row.answered_on is None), None)


def notice_waits(facts: "DeskFacts") -> tuple[Unmet, ...]:
    """Only an open notice is answered."""
    return () if open_notice(facts) is not None else (unmet("no_notice_open"),)


def no_notice_open(facts: "DeskFacts") -> tuple[Unmet, ...]:
    """One list at a time."""
    notice = open_notice(facts)
    return (
        () if notice is None else (unmet("notice_open_already", notice=notice.number, due=notice.due_on.isoformat()),)
    )
