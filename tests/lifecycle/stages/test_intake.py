"""Each criterion of gate G1 as it stands in the default pack: met, and every way in which it is not."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from lifecycle.stages.records import FindingRecord, Records, SimilarProject
from models.states import FindingKind
from tests.lifecycle.stages.first_stages import (
    ARRIVED,
    FORMS,
    RULES,
    TODAY,
    a_paper,
    clause,
    good_firm,
    judged,
    with_papers,
    with_values,
    without,
)

COMPUTED = ["G1.1", "G1.2", "G1.3", "G1.4", "G1.5", "G1.6", "G1.7", "G1.9"]


@pytest.mark.parametrize("number", COMPUTED)
def test_the_good_firm_meets(number: str) -> None:
    assert judged(number, good_firm()).state == "met"


@pytest.mark.parametrize("number", COMPUTED)
def test_a_firm_of_which_nothing_is_known_does_not_meet(number: str) -> None:
    firm = good_firm()
    unknown = Records(
        project_id=firm.project_id,
        stage=firm.stage,
        today=TODAY,
        stage_started_on=ARRIVED,
        received_on=None,
        applicant=replace(firm.applicant, credit_code=None),
    )

    assert judged(number, unknown).state == "missing"


class TestApplicationComplete:
    def test_tells_all_that_is_missing_in_one_list(self) -> None:
        firm = without("sample")
        firm = replace(firm, evidence=tuple(paper for paper in firm.evidence if paper.type != "licence"))

        found = judged("G1.1", firm)

        assert found.state == "missing"
        assert found.values["missing"] == ["licence", "sample"]
        assert (found.values["have"], found.values["needed"]) == (7, 9)

    def test_counts_an_expired_paper_as_not_handed_in(self) -> None:
        found = judged("G1.1", with_papers(a_paper("funding_declaration", valid_until=TODAY - timedelta(days=1))))

        assert (found.state, found.values["expired"]) == ("not_met", ["funding_declaration"])

    def test_accepts_a_paper_on_its_last_day(self) -> None:
        assert judged("G1.1", with_papers(a_paper("funding_declaration", valid_until=TODAY))).state == "met"

    def test_does_not_ask_for_papers_of_the_platform(self) -> None:
        assert judged("G1.1", without("platform_offer")).state == "met"


class TestLawfulApplicant:
    def test_refuses_a_code_with_one_digit_wrong(self) -> None:
        firm = good_firm()
        mistyped = replace(firm, applicant=replace(firm.applicant, credit_code="914403001922038226"))

        found = judged("G1.2", mistyped)

        assert found.values["problems"] == ["credit_code_check", "licence_code_differs"]
        assert found.state == "not_met"

    def test_reads_a_code_typed_in_full_width(self) -> None:
        assert judged("G1.2", with_values("licence", credit_code="９１４４０３００１９２２０３８２１６")).state == "met"

    def test_refuses_another_name_than_the_licence(self) -> None:
        assert judged("G1.2", with_values("licence", legal_name="味道食品有限公司")).code == "licence_name_differs"

    def test_accepts_a_licence_on_its_last_day(self) -> None:
        assert judged("G1.2", with_values("licence", valid_until="2025-07-15")).state == "met"

    def test_refuses_a_licence_that_ended_yesterday(self) -> None:
        assert judged("G1.2", with_values("licence", valid_until="2025-07-14")).code == "licence_expired"

    def test_accepts_a_licence_without_an_end_only_when_it_says_so(self) -> None:
        assert judged("G1.2", with_values("licence", valid_until=None)).code == "licence_expiry_missing"
        assert judged("G1.2", with_values("licence", valid_until=None, is_long_term=True)).state == "met"

    def test_misses_the_licence(self) -> None:
        assert judged("G1.2", without("licence")).state == "missing"

    def test_misses_a_name_on_the_licence(self) -> None:
        assert judged("G1.2", with_values("licence", legal_name=" ")).code == "licence_values_missing"


class TestSmallFirm:
    @pytest.mark.parametrize(
        ("staff", "revenue", "state"),
        [
            (999, 40_000_000_000, "met"),
            (1000, 39_999_999_999, "met"),
            (1000, 40_000_000_000, "not_met"),
            (999, None, "met"),
            (1000, None, "not_enough_evidence"),
            (None, 39_999_999_999, "met"),
            (None, 40_000_000_000, "not_enough_evidence"),
            (None, None, "missing"),
        ],
    )
    def test_chinese_profile(self, staff: int | None, revenue: int | None, state: str) -> None:
        assert judged("G1.3", with_values("sme_declaration", staff=staff, revenue_minor=revenue)).state == state

    @pytest.mark.parametrize(
        ("staff", "turnover", "balance", "state"),
        [
            (249, 5_000_000_000, None, "met"),
            (249, 5_000_000_001, 4_300_000_000, "met"),
            (249, 5_000_000_001, 4_300_000_001, "not_met"),
            (249, 5_000_000_001, None, "not_enough_evidence"),
            (250, 1, 1, "not_met"),
            (None, 1, 1, "missing"),
        ],
    )
    def test_european_profile(self, staff: int | None, turnover: int | None, balance: int | None, state: str) -> None:
        firm = with_values(
            "sme_declaration", staff=staff, currency="EUR", revenue_minor=turnover, balance_sheet_minor=balance
        )
        assert judged("G1.3", replace(firm, profiles={"firm_size": "eu"})).state == state

    @pytest.mark.parametrize(("profile", "currency", "staff"), [("eu", "CNY", 10), ("cn_industrial", "EUR", 1000)])
    def test_does_not_judge_figures_in_another_currency(self, profile: str, currency: str, staff: int) -> None:
        firm = with_values("sme_declaration", staff=staff, currency=currency)
        assert judged("G1.3", replace(firm, profiles={"firm_size": profile})).code == "size_currency_differs"

    def test_does_not_guess_the_profile(self) -> None:
        assert judged("G1.3", replace(good_firm(), profiles={})).code == "size_profile_missing"


class TestCleanRecord:
    @pytest.mark.parametrize(
        ("changes", "state", "code"),
        [
            ({"covers_from": "2022-07-08"}, "met", "met"),
            ({"covers_from": "2022-07-09"}, "not_enough_evidence", "applicant_declaration_too_short"),
            ({"covers_until": "2025-07-07"}, "not_enough_evidence", "applicant_declaration_too_short"),
            ({"covers_until": "last week"}, "not_enough_evidence", "applicant_declaration_too_short"),
            ({"major_incidents": 1}, "not_met", "applicant_had_major_incident"),
            ({"major_incidents": None}, "missing", "applicant_incidents_not_declared"),
        ],
    )
    def test_reads_the_declaration_of_the_applicant(self, changes: dict[str, Any], state: str, code: str) -> None:
        form = FORMS["incident_declaration"]
        platform = a_paper("incident_declaration", values={**form, "party": "platform"})

        found = judged("G1.5", with_papers(a_paper("incident_declaration", values={**form, **changes}), platform))

        assert (found.state, found.code) == (state, code)

    def test_asks_the_platform_as_well(self) -> None:
        found = judged("G1.5", with_papers(a_paper("incident_declaration")))

        assert (found.state, found.code) == ("missing", "platform_incidents_not_declared")

    def test_knows_an_incident_that_nobody_declared(self) -> None:
        incident = FindingRecord(kind=FindingKind.INCIDENT, severity=1, opened_on=date(2023, 5, 4))

        assert judged("G1.5", replace(good_firm(), findings=(incident,))).code == "major_incident_recorded"

    def test_leaves_minor_and_older_incidents_aside(self) -> None:
        minor = FindingRecord(kind=FindingKind.INCIDENT, severity=2, opened_on=date(2023, 5, 4))
        older = FindingRecord(kind=FindingKind.INCIDENT, severity=1, opened_on=date(2022, 7, 7))

        assert judged("G1.5", replace(good_firm(), findings=(minor, older))).state == "met"


class TestNoDoubleFunding:
    @pytest.mark.parametrize(
        ("similarity", "resolved", "state"),
        [(0.90, False, "not_met"), (0.90, True, "met"), (0.8999, False, "met"), (1, False, "not_met")],
    )
    def test_looks_at_hits_from_the_limit_on(self, similarity: float, resolved: bool, state: str) -> None:
        hit = SimilarProject(number="PT-2024-0007", similarity=similarity, resolved=resolved)

        assert judged("G1.6", replace(good_firm(), similar=(hit,))).state == state

    def test_misses_the_signature(self) -> None:
        assert judged("G1.6", with_values("funding_declaration", signed_on=None)).code == "funding_declaration_unsigned"


class TestNeedMeetsPlatform:
    def test_refuses_a_slot_one_day_too_late(self) -> None:
        rows = [{**row, "free_from": "2026-01-09"} for row in FORMS["platform_offer"]["capabilities"]]

        found = judged("G1.7", with_values("platform_offer", capabilities=rows))

        assert (found.code, found.values["slot_too_late"]) == ("slot_too_late", ["function", "process"])

    def test_names_the_verification_nobody_can_do(self) -> None:
        found = judged("G1.7", with_values("need_form", verifications=["function", "design"]))

        assert (found.state, found.values["without_capability"]) == ("not_met", ["design"])

    def test_does_not_count_an_inactive_capability(self) -> None:
        rows = [{**row, "is_active": False} for row in FORMS["platform_offer"]["capabilities"]]

        assert judged("G1.7", with_values("platform_offer", capabilities=rows)).code == "capability_missing"

    def test_cannot_judge_a_slot_without_a_day(self) -> None:
        rows = [{**row, "free_from": ""} for row in FORMS["platform_offer"]["capabilities"]]

        assert judged("G1.7", with_values("platform_offer", capabilities=rows)).state == "not_enough_evidence"

    @pytest.mark.parametrize("asked", [[], ["beauty"], "design"])
    def test_needs_one_of_the_five(self, asked: object) -> None:
        assert judged("G1.7", with_values("need_form", verifications=asked)).code == "no_verification_asked"

    def test_misses_the_offer(self) -> None:
        assert judged("G1.7", without("platform_offer")).state == "missing"


class TestTechnicalManager:
    @pytest.mark.parametrize(
        ("changes", "state", "code"),
        [
            ({"open_projects": 6}, "not_met", "technical_manager_overloaded"),
            ({"open_projects": None}, "not_enough_evidence", "technical_manager_load_unknown"),
            ({"certificate_valid_until": "2025-07-14"}, "not_met", "technical_manager_certificate_expired"),
            ({"certificate_valid_until": "2025-07-15"}, "met", "met"),
            ({"certificate_valid_until": None}, "not_enough_evidence", "technical_manager_certificate_undated"),
            ({"has_conflict": True}, "not_met", "technical_manager_conflict"),
            ({"has_conflict": None}, "not_enough_evidence", "technical_manager_conflict_undeclared"),
            ({"is_active": None}, "not_met", "technical_manager_inactive"),
        ],
    )
    def test_is_judged(self, changes: dict[str, Any], state: str, code: str) -> None:
        found = judged("G1.9", with_values("technical_manager_record", **changes))

        assert (found.state, found.code) == (state, code)

    def test_is_refused_for_all_reasons_at_once(self) -> None:
        found = judged("G1.9", with_values("technical_manager_record", open_projects=9, has_conflict=True))

        assert found.values["problems"] == ["technical_manager_overloaded", "technical_manager_conflict"]


def test_ownership_and_secrecy_is_judged_by_people_alone() -> None:
    criterion = clause("G1.8")

    assert (criterion.how, criterion.rule, criterion.judges[0].role) == (("accepted",), None, "coordinator")


def test_a_threshold_comes_from_the_pack_alone() -> None:
    """The same manager is overloaded under a stricter pack."""
    stricter = clause("G1.9").model_copy(update={"parameters": {"load_cap": 5}})

    assert RULES["technical_manager"](stricter, good_firm()).code == "technical_manager_overloaded"


@pytest.mark.parametrize("cap", ["5", True])
def test_a_threshold_that_is_no_number_is_an_error_of_the_pack(cap: object) -> None:
    spoiled = clause("G1.9").model_copy(update={"parameters": {"load_cap": cap}})

    with pytest.raises(TypeError, match=r"G1\.9: load_cap"):
        RULES["technical_manager"](spoiled, good_firm())
