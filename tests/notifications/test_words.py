import re
from collections import Counter
from datetime import date
from enum import StrEnum

import pytest

import lifecycle.verbs
from lifecycle.commands import REGISTRY
from lifecycle.errors import Unmet
from lifecycle.exceptions.proposal import Action
from lifecycle.invariants.check import all_checks
from lifecycle.permissions import PERMISSIONS
from lifecycle.standards.pack import Party
from lifecycle.verdicts.soundness import fresh_verdicts
from models import states
from notifications.words import (
    IRREGULAR,
    KIND_OF_VALUE,
    LOCALE,
    deed_title,
    entries,
    explain_unmet,
    placeholders,
    sentence,
    title,
    verb_title,
)
from tests.notifications.codes import uses, variable_uses, words_in

CATALOGUE = {code: texts for _, code, texts in entries()}

SAID_BY_VARIABLE = {
    "lifecycle/milestones/entitlement.py": (
        "paid_over_award",
        "paid_over_released",
        "paid_over_cap_before_gate",
        "paid_over_cap_before_audit",
        "advance_over_cap",
    ),
    "lifecycle/projects/entry.py": (
        "contract_not_signed",
        "first_tranche_not_paid",
        "facility_not_booked",
        "ehs_not_cleared",
        "units_not_from_conforming_batches",
        "trial_agreement_missing",
        "signed_in_future",
        "quote_missing",
    ),
    "lifecycle/readable.py": ("number_unreadable", "nested_too_deep", "text_unreadable"),
    "lifecycle/replays/xes.py": (
        "log_attribute_incomplete",
        "log_attribute_twice",
        "log_case_too_long",
        "log_event_without_case",
        "log_value_too_long",
        "log_xml_depth",
        "log_xml_dtd",
        "log_xml_encoding",
        "log_xml_malformed",
        "log_xml_no_log",
        "log_xml_token",
    ),
    "lifecycle/replays/refusal.py": (
        "log_damaged",
        "log_encoding",
        "log_table_wrong",
        "log_too_dense",
        "log_too_large",
    ),
    "lifecycle/stages/feasibility.py": ("categories_do_not_add_up", "sources_do_not_add_up"),
    "lifecycle/stages/intake.py": ("credit_code_length", "credit_code_alphabet", "credit_code_check"),
    "lifecycle/stages/judgement.py": (
        "evidence_missing",
        "evidence_expired",
        "no_frozen_revision",
        "evidence_other_revision",
        "judgement_outdated",
        "judgement_waiting",
    ),
}
"""Where a code is picked at run time, and which it can be."""

FORMS = {"lifecycle/banking/refusal.py", "lifecycle/engine.py", "lifecycle/errors.py", "lifecycle/stages/rule.py"}
"""These hand on what others say."""

ENUMS: dict[str, type[StrEnum]] = {
    "role": states.Role,
    "organisation": states.OrganisationKind,
    "verdict": states.VerdictState,
    "outcome": states.GateOutcome,
    "competence": states.Competence,
    "verification": states.Verification,
    "scale": states.MaturityScale,
    "way_out": Action,
}


class TestCatalogue:
    def test_says_nothing_twice_in_one_file(self) -> None:
        """YAML keeps the last of two and says nothing."""
        for path in LOCALE.glob("*.yaml"):
            codes = re.findall(r"^([^\s#][^:\n]*):(?:\s|$)", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert [code for code, times in Counter(codes).items() if times > 1] == [], path.name

    def test_says_everything_in_both_languages(self) -> None:
        lacking = [code for code, texts in CATALOGUE.items() if not texts.get("zh") or not texts.get("en")]

        assert not lacking

    def test_asks_for_the_same_values_in_both_languages(self) -> None:
        differing = {
            code: (placeholders(texts["zh"]), placeholders(texts["en"]))
            for code, texts in CATALOGUE.items()
            if placeholders(texts["zh"]) != placeholders(texts["en"])
        }

        assert not differing

    def test_asks_of_one_for_no_more_than_of_several(self) -> None:
        """Only a sentence that counts has a form for one."""
        ones = {code: texts for code, texts in CATALOGUE.items() if "en_one" in texts}

        assert ones
        assert [code for code, texts in ones.items() if "count" not in placeholders(texts["en"])] == []
        assert [
            code for code, texts in ones.items() if not placeholders(texts["en_one"]) <= placeholders(texts["en"])
        ] == []

    def test_says_a_code_once(self) -> None:
        said = Counter(code for _, code, _ in entries())

        assert [code for code, count in said.items() if count > 1] == []

    def test_has_a_sentence_for_every_code_of_the_house(self) -> None:
        lacking = {
            (use.code, use.where) for use in uses("lifecycle", "flows", "web", "cli") if use.code not in CATALOGUE
        }

        assert not lacking

    def test_has_a_sentence_for_every_code_that_is_chosen_from_a_list(self) -> None:
        lacking = [code for codes in SAID_BY_VARIABLE.values() for code in codes if code not in CATALOGUE]

        assert not lacking

    def test_gets_every_value_that_it_asks_for(self) -> None:
        starving = {
            (use.code, use.where, tuple(sorted(placeholders(CATALOGUE[use.code]["en"]) - use.values)))
            for use in uses("lifecycle", "flows", "web", "cli")
            if use.values is not None and not placeholders(CATALOGUE[use.code]["en"]) <= use.values
        }

        assert not starving

    @pytest.mark.parametrize(
        ("verb", "deed"),
        [
            ("requirement.judge", "judged the requirement"),
            ("evidence.add", "handed in evidence"),
            ("payout.certify", "certified the payout"),
            ("project.stop", "stopped"),
            ("project.withdraw", "withdrew"),
            ("fund.resize", "resized the fund"),
            ("webhook.disable", "disabled a webhook"),
        ],
    )
    def test_says_what_was_done_in_the_past(self, verb: str, deed: str) -> None:
        assert deed_title(verb, "en") == deed
        assert deed_title(verb, "zh-CN") == verb_title(verb, "zh-CN")

    def test_keeps_no_past_of_a_verb_that_nobody_uses(self) -> None:
        used = {verb_title(permission, "en").split(" ")[0] for permission in PERMISSIONS}
        assert set(IRREGULAR) <= used

    def test_holds_nothing_that_nobody_says(self) -> None:
        said = words_in("models", "lifecycle", "flows", "web", "cli", "notifications")
        idle = [code for code in CATALOGUE if "." not in code and not said.mentions(code)]

        assert not idle

    def test_knows_where_codes_come_from_variables(self) -> None:
        """A new place that says a code by variable is entered above, or its codes could lack a sentence unseen."""
        assert set(variable_uses("lifecycle")) - FORMS == set(SAID_BY_VARIABLE)

    @pytest.mark.parametrize("kind", ENUMS)
    def test_has_a_word_for_each(self, kind: str) -> None:
        assert [word for word in ENUMS[kind] if f"{kind}.{word}" not in CATALOGUE] == []

    def test_has_a_word_for_every_state_that_is_stored(self) -> None:
        stored = [*states.ProjectState, *states.StageRunState, *states.ReviewState, *states.MilestoneState]
        stored += [*states.PayoutState, *states.PaymentBatchState, *states.InstructionStatus, *states.PayeeStatus]
        stored += [*states.StatementStatus, *states.LineStatus]

        assert [word for word in stored if f"state.{word}" not in CATALOGUE] == []

    def test_has_a_word_for_every_party_that_owes(self) -> None:
        assert [word for word in Party.__args__ if f"party.{word}" not in CATALOGUE] == []  # type: ignore[attr-defined]

    def test_has_words_for_every_verb(self) -> None:
        assert lifecycle.verbs.BY_NAME
        silent = [
            verb.permission
            for verb in REGISTRY.values()
            if f"verb.{verb.permission}" not in CATALOGUE and f"verb.{verb.name}" not in CATALOGUE
        ]

        assert not silent

    def test_has_a_name_for_every_invariant(self) -> None:
        named = [one.id for one in all_checks({})] + [fresh_verdicts(None).id]  # type: ignore[arg-type]

        assert [one for one in named if f"invariant.{one}" not in CATALOGUE] == []

    def test_names_kinds_that_have_words(self) -> None:
        kinds = {code.partition(".")[0] for code in CATALOGUE if "." in code}

        assert set(KIND_OF_VALUE.values()) <= kinds


class TestSentence:
    def test_fills_in_values_in_the_persons_language(self) -> None:
        values = {"needs": ["coordinator", "sponsor"]}

        assert sentence("role", values, "zh-CN") == "此操作需要以下角色之一：项目协调员、计划主管。"
        assert sentence("role", values, "en") == "This needs one of these roles: coordinator, sponsor."

    @pytest.mark.parametrize("typed", ["{login.__class__}", "{0}", "%s %(a)s", "${HOME}", "{{7*7}}", "{"])
    def test_repeats_what_somebody_typed_and_never_reads_it_as_a_form(self, typed: str) -> None:
        assert sentence("password_was_set", {"login": typed}, "en") == f"The password of {typed} is set."

    def test_says_amounts_and_shares_as_people_read_them(self) -> None:
        limits = {"amount": 0, "limit": 10**13}

        assert "¥100,000,000,000.00" in sentence("amount_out_of_bounds", limits, "en")
        assert "JPY 10,000,000,000,000" in sentence("amount_out_of_bounds", {**limits, "currency": "JPY"}, "en")
        assert sentence("rate_over_cap", {"have": 7001, "limit": 7000}, "zh-CN").startswith("资助比例为 70.01%，")

    def test_shows_the_name_of_a_missing_value_instead_of_failing(self) -> None:
        assert sentence("project_on_hold", {"reason": "ehs"}, "en") == "The project is on hold (safety) until [until]."

    @pytest.mark.parametrize(
        ("code", "values", "said"),
        [
            ("score_factors", {"missing": ["merit"], "unknown": []}, "Every factor gets points. Missing: merit."),
            ("score_factors", {"missing": [], "unknown": ["fun"]}, "Every factor gets points. Unknown: fun."),
            (
                "evidence_incomplete",
                {"missing": [], "expired": ["licence"], "other_revision": []},
                "The evidence is not complete. no longer valid: licence. Hand them in together.",
            ),
        ],
    )
    def test_leaves_out_what_names_nothing(self, code: str, values: dict[str, list[str]], said: str) -> None:
        assert sentence(code, values, "en") == said

    @pytest.mark.parametrize(
        ("count", "english"), [(1, "1 payout"), ("1", "1 payout"), (0, "0 payouts"), (21, "21 payouts")]
    )
    def test_counts_one_and_several(self, count: object, english: str) -> None:
        assert sentence("page.payouts.tally_short", {"count": count}, "en") == english
        assert sentence("page.payouts.tally_short", {"count": count}, "zh-CN") == f"{count} 笔"

    def test_survives_a_value_that_does_not_fit_its_form(self) -> None:
        assert "soon" in sentence("yield_below_limit", {"point": "soon"}, "en")

    def test_says_of_any_arrow_that_the_state_does_not_know_it(self) -> None:
        code = "advance_not_possible_when_stopped"

        assert sentence(code, {}, "zh-CN") == "当前状态为“已终止”，不能推进。"
        assert sentence(code, {}, "en") == "Cannot advance while the state is “Stopped”."

    def test_shows_an_unknown_code_as_it_is(self) -> None:
        assert sentence("never_heard_of", {}, "en") == "never_heard_of"

    def test_takes_titles_that_only_the_standard_knows(self) -> None:
        shown = sentence("evidence_missing", {"types": ["licence", "sample"]}, "zh-CN", {"licence": "营业执照"})

        assert "营业执照、sample" in shown


class TestTitle:
    def test_uses_the_words_of_the_house(self) -> None:
        assert title("state", "handoff", "zh-CN") == "转量产"
        assert title("verdict", "not_enough_evidence", "zh-CN") == "证据不足"

    def test_shows_an_unknown_word_as_it_is(self) -> None:
        assert title("state", "dreaming", "en") == "dreaming"


class TestExplainUnmet:
    REASON = Unmet(
        code="gate_unmet",
        clause="G3.1",
        verdict="missing",
        values={"verdict_code": "evidence_missing", "types": ["batch_record"]},
        party="sme",
        role="project_lead",
        people=("李工",),
        due_on=date(2025, 11, 24),
    )

    def test_says_what_who_and_until_when(self) -> None:
        said = explain_unmet(self.REASON, "zh-CN")

        assert (said.clause, said.verdict) == ("G3.1", "未提交")
        assert said.owed_by == "企业 项目负责人 李工"
        assert said.until == "2025-11-24"

    def test_says_of_a_gate_what_the_verdict_says(self) -> None:
        assert "batch_record" in explain_unmet(self.REASON, "en").what

    def test_says_what_would_suffice_with_the_same_values(self) -> None:
        reason = Unmet(code="recycles_used_up", values={"used": 2, "limit": 2}, suffices="recycles_used_up")

        assert explain_unmet(reason, "en").suffices.startswith("The stage was sent back 2 times")

    def test_leaves_out_what_is_not_known(self) -> None:
        said = explain_unmet(Unmet(code="not_on_hold"), "en")

        assert (said.clause, said.verdict, said.owed_by, said.until, said.suffices) == ("", "", "", "", "")
