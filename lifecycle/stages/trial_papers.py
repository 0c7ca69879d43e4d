"""Gate G3, what reports, plans and findings show; what batches and measurements show stands in `trial.py`."""

from collections.abc import Sequence
from datetime import date

from lifecycle.stages.findings import together
from lifecycle.stages.forms import day, limit, months_after, names, text
from lifecycle.stages.intake import asked_verifications
from lifecycle.stages.records import Computed, EvidenceRecord, FindingRecord, Records
from lifecycle.stages.rule import met, missing, not_met
from lifecycle.standards.pack import Criterion
from models.states import FindingKind

MAJOR = 1
SERIOUS = 2


def verifications_passed(criterion: Criterion, records: Records) -> Computed:
    """G3.2: each asked verification has a report of the frozen revision that says passed [S5 S6].

    Asked are those of the need form, as at G2.7, and every track that was started besides.
    Parameter `signed_by`: the functions that must have signed the report before it is filed [rule S36 S37].
    """
    started = (track.verification.value for track in records.tracks)
    asked = list(dict.fromkeys((*asked_verifications(records), *started)))
    if not asked:
        return missing("no_verification_track")
    reports = {text(item.values, "verification"): item for item in _of_frozen(records, "verification_report")}
    failed_tracks = {track.verification.value for track in records.tracks if track.passed is False}
    failed = [
        name
        for name in asked
        if name in failed_tracks or (name in reports and text(reports[name].values, "result") != "passed")
    ]
    absent = [name for name in asked if name not in reports]
    signers = names(criterion.parameters, "signed_by")
    unsigned = {
        name: lacking
        for name in asked
        if name in reports
        and (lacking := [who for who in signers if who not in names(reports[name].values, "signed_by")])
    }
    problems = [
        *([not_met("verification_failed", failed=failed)] if failed else []),
        *([missing("verification_report_missing", absent=absent)] if absent else []),
        *([not_met("verification_report_unsigned", unsigned=unsigned, of=list(unsigned))] if unsigned else []),
    ]
    return together(problems, asked=asked) if problems else met("verifications_passed", asked=asked)


def issues_closed(criterion: Criterion, records: Records) -> Computed:
    """G3.9: no open issue of severity 1, each open one of severity 2 has owner and date; the log is there [design]."""
    issues = [issue for issue in records.findings if issue.kind is FindingKind.ISSUE and issue.closed_on is None]
    major = sum(issue.severity <= MAJOR for issue in issues)
    drifting = sum(issue.severity == SERIOUS and (not issue.owner or issue.due_on is None) for issue in issues)
    problems = [
        *([not_met("major_issue_open", major=major)] if major else []),
        *([not_met("issue_without_owner_or_date", drifting=drifting)] if drifting else []),
        *_log_missing(criterion, records),
    ]
    return together(problems) if problems else met("issues_closed", open=len(issues))


def deviations_disposed(criterion: Criterion, records: Records) -> Computed:
    """G3.14: no open deviation without a disposition; the log is there [design]."""
    deviations = [one for one in records.findings if one.kind is FindingKind.DEVIATION and one.closed_on is None]
    undisposed = sum(not (deviation.disposition or "").strip() for deviation in deviations)
    problems = [
        *([not_met("deviation_without_disposition", undisposed=undisposed)] if undisposed else []),
        *_log_missing(criterion, records),
    ]
    return together(problems) if problems else met("deviations_disposed", open=len(deviations))


def ehs_clear(criterion: Criterion, records: Records) -> Computed:
    """G3.10: no major event since the stage began or was restarted, none open of any grade; the log is there [design].

    A major event of the restart day itself counts while it is open: the restart was decided on what was closed.
    """
    events = [finding for finding in records.findings if finding.kind is FindingKind.INCIDENT]
    restart = records.last_restart_on
    since = max(records.stage_started_on, restart or date.min)
    major = [e for e in events if e.severity <= MAJOR and _counts_since(e, records.stage_started_on, restart)]
    still_open = [event for event in events if event.closed_on is None]
    problems = [
        *([not_met("major_ehs_event", major=len(major), latest=_latest(major))] if major else []),
        *([not_met("ehs_event_open", open=len(still_open), latest_open=_latest(still_open))] if still_open else []),
        *_log_missing(criterion, records),
    ]
    return together(problems, since=since.isoformat()) if problems else met("ehs_clear", since=since.isoformat())


def control_plan(_criterion: Criterion, records: Records) -> Computed:
    """G3.12: PFMEA and pre-launch control plan are there, and the plan names every special characteristic [S30 S32]."""
    absent = [kind for kind in ("pfmea", "prelaunch_control_plan") if records.latest(kind) is None]
    if absent:
        return missing("control_plan_missing", absent=absent)
    if not records.characteristics:
        return missing("characteristics_missing")
    plan = records.latest("prelaunch_control_plan")
    planned = names(plan.values, "characteristics") if plan else ()
    unplanned = [one.name for one in records.characteristics if one.name not in planned]
    if unplanned:
        return not_met("characteristics_not_in_plan", unplanned=unplanned)
    return met("control_plan_complete", count=len(records.characteristics))


def outside_test(criterion: Criterion, records: Records) -> Computed:
    """G3.13: an accredited report of the frozen revision, at most `months` old, says passed, none failed [design].

    A report without a result or dated in the future is not counted.
    """
    reports = records.of_type("accredited_test_report")
    if not reports:
        return missing("outside_test_missing")
    frozen = _of_frozen(records, "accredited_test_report")
    if not frozen:
        return not_met("outside_test_of_other_revision", reports=_numbers(reports))
    months = int(limit(criterion, "months"))
    fresh = [report for report in frozen if _is_fresh(report, months, records.today)]
    if not fresh:
        return not_met("outside_test_too_old", months=months, reports=_numbers(frozen))
    failed = [report for report in fresh if text(report.values, "result") != "passed"]
    if failed:
        return not_met("outside_test_failed", reports=_numbers(failed))
    return met("outside_test_passed", reports=_numbers(fresh))


def _of_frozen(records: Records, type_id: str) -> tuple[EvidenceRecord, ...]:
    frozen = records.revision
    return tuple(item for item in records.of_type(type_id) if frozen is not None and item.revision == frozen.label)


def _log_missing(criterion: Criterion, records: Records) -> list[Computed]:
    """No log is no proof that nothing happened."""
    absent = [kind for kind in criterion.evidence if records.latest(kind) is None]
    return [missing("log_missing", absent=absent)] if absent else []


def _counts_since(event: FindingRecord, stage_started_on: date, restart: date | None) -> bool:
    if event.opened_on < stage_started_on:
        return False
    if restart is None or event.opened_on > restart:
        return True
    return event.opened_on == restart and event.closed_on is None


def _latest(events: Sequence[FindingRecord]) -> str:
    return max(event.opened_on for event in events).isoformat()


def _is_fresh(report: EvidenceRecord, months: int, today: date) -> bool:
    issued = day(report.values, "issued_on")
    return issued is not None and issued <= today <= months_after(issued, months)


def _numbers(reports: Sequence[EvidenceRecord]) -> list[str]:
    return [text(report.values, "report_number") or "?" for report in reports]
