from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from types import SimpleNamespace
from typing import Any

import pytest

from notifications import render
from notifications.render import Unreadable, chat, compose, headline, mail
from notifications.samples import sample_facts
from tests.notifications.letters import FRAME, to

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def words(kind: str = "payout.paid", lang: Any = "en", frame: Any = FRAME, **facts: Any) -> Any:
    return compose(kind, {**sample_facts(kind), **to(), **facts}, lang, frame)


def a_delivery(**values: Any) -> Any:
    row = {
        "kind": "payout.paid",
        "facts": {**sample_facts("payout.paid"), **to()},
        "language": "en",
        "recipient": "li@example.org",
        "dedupe_key": "payout.paid:1:2",
        "message_id": "<1@d0d0.pilotway>",
    }
    return SimpleNamespace(**{**row, **values})


class TestAMessage:
    def test_says_what_happened_why_one_is_told_and_what_comes_next(self) -> None:
        said = words()
        assert said.subject == "PO-2026-0001: ¥400,000.00 paid: PT-2026-0001 智能炒菜机器人"
        assert "The bank has booked PO-2026-0001" in said.text
        assert "What comes next: Please see that the money has arrived" in said.text
        assert "You get this because: your role here is project lead" in said.text

    def test_marks_a_task_in_its_headline_and_says_the_next_step(self) -> None:
        said = words("payout.certified", "zh-CN", **to(is_task=True))
        assert said.subject.startswith("【待办】")
        assert "下一步（由您办理）：核对后批准" in said.text

    def test_names_a_command_where_no_console_is_and_a_link_where_one_is(self) -> None:
        place = {"page": "payouts/PO-2026-0001", "command": "pilotway payout show PO-2026-0001"}
        assert "on the command line: pilotway payout show PO-2026-0001" in words(**place).text

        linked = words(frame=replace(FRAME, base_url="https://pilot.example.org/"), **place)
        assert "See: https://pilot.example.org/payouts/PO-2026-0001" in linked.text
        assert 'href="https://pilot.example.org/payouts/PO-2026-0001"' in linked.html

    @pytest.mark.parametrize(("lang", "mark"), [("zh-CN", "[演练]"), ("en", "[Rehearsal]")])
    def test_of_a_rehearsal_says_so_first(self, lang: Any, mark: str) -> None:
        said = words(lang=lang, frame=replace(FRAME, is_rehearsal=True))
        assert said.subject.startswith(mark)
        assert mark.strip("[]") in said.text.splitlines()[0]
        assert mark.strip("[]") in said.html
        assert mark not in words(lang=lang).subject

    def test_lists_each_item_with_all_its_lines(self) -> None:
        items = [
            {
                "clause": f"G1.{place}",
                "title": {"zh": "甲", "en": "A"},
                "why": {"zh": ["缺一", "缺二"], "en": ["x", "y"]},
            }
            for place in range(1, 13)
        ]
        said = words("notice.issued", "en", items=items)
        assert "12 items" in said.subject
        assert "12. G1.12 A\n   x\n   y" in said.text
        assert said.html.count("<li") == 12

    def test_spells_days_without_the_locale_of_the_machine(self) -> None:
        assert "2026年3月2日（周一）" in words("recovery.ordered", "zh-CN").subject
        assert "Mon 2 Mar 2026" in words("recovery.ordered").subject

    def test_speaks_of_a_moment_by_the_clock_of_the_installation(self) -> None:
        assert "Mon 2 Mar 2026 09:00" in words("run.failed").text


class TestStrangeValues:
    def test_one_that_is_missing_makes_the_message_unreadable(self) -> None:
        facts = {**sample_facts("payout.paid"), **to()}
        del facts["amount"]
        with pytest.raises(Unreadable, match="amount"):
            compose("payout.paid", facts, "en", FRAME)

    @pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\0"])
    def test_a_line_break_or_nul_does_not_get_into_a_headline(self, break_: str) -> None:
        with pytest.raises(Unreadable, match="line break"):
            headline(
                "payout.paid", {**sample_facts("payout.paid"), "work": f"a{break_}Bcc: x@example.org"}, "en", FRAME
            )

    def test_html_shows_what_users_wrote_as_text(self) -> None:
        said = words(firm="<script>alert(1)</script>", note="<b>bold</b>")
        assert "<script>" not in said.html
        assert "&lt;script&gt;" in said.html
        assert "&lt;b&gt;bold" in said.html
        assert "<script>" in said.text

    def test_template_text_in_a_value_is_not_a_template(self) -> None:
        said = words(firm="{{ 7 * 7 }}{% raw %}")
        assert "{{ 7 * 7 }}{% raw %}" in said.text

    def test_only_plain_values_go_in(self) -> None:
        with pytest.raises(Unreadable, match="no plain value"):
            words(firm=object())

    def test_characters_that_turn_a_line_around_are_replaced(self) -> None:
        assert "\u202e" not in words(firm="abc\u202egpj.exe").text

    def test_a_text_that_grows_too_large_is_cut_off_by_an_error(self) -> None:
        with pytest.raises(Unreadable, match="2 MiB"):
            words(note="字" * (render.LARGEST // 3 + 1))

    def test_a_long_headline_is_shortened(self) -> None:
        assert len(words(work="长" * 500).subject) == render.LONGEST_HEADLINE

    def test_a_kind_without_text_is_unreadable(self) -> None:
        with pytest.raises(Unreadable, match="has no text"):
            words("payout.dreamt")

    def test_a_template_reaches_nothing_behind_its_values(self) -> None:
        template = render._environment("en", FRAME.zone).from_string("{{ ''.__class__.__mro__ }}")
        with pytest.raises(Unreadable):
            render._filled(template, {})


class TestAMail:
    def test_has_one_recipient_and_the_headers_by_which_it_is_known(self) -> None:
        message = mail(a_delivery(), FRAME, sender="pilotway@example.org", at=AT)
        assert message["To"] == "li@example.org"
        assert message["Message-ID"] == "<1@d0d0.pilotway>"
        assert message["X-Pilotway-Dedupe-Key"] == "payout.paid:1:2"
        assert message["List-Id"] == "Pilotway payout <payout.d0d0.pilotway>"
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Date"] == "Mon, 02 Mar 2026 01:00:00 +0000"
        assert message["X-Pilotway-Mode"] is None

    def test_carries_text_and_html_in_chinese_over_the_wire(self) -> None:
        wire = mail(a_delivery(language="zh-CN"), FRAME, sender="p@example.org", at=AT).as_bytes()
        assert max(map(len, wire.split(b"\r\n"))) <= 998
        back: Any = message_from_bytes(wire, policy=policy.default)
        assert "已付" in back["Subject"]
        assert "银行已入账" in back.get_body(("plain",)).get_content()
        assert "银行已入账" in back.get_body(("html",)).get_content()

    def test_is_the_same_at_every_try(self) -> None:
        tries = [mail(a_delivery(), FRAME, sender="p@example.org", at=AT) for _ in range(2)]
        assert len({one["Message-ID"] for one in tries}) == 1

    def test_of_a_rehearsal_says_so_in_a_header_too(self) -> None:
        frame = replace(FRAME, is_rehearsal=True)
        assert mail(a_delivery(), frame, sender="p@example.org", at=AT)["X-Pilotway-Mode"] == "rehearsal"

    @pytest.mark.parametrize("field", ["recipient", "dedupe_key", "message_id"])
    def test_refuses_a_line_break_in_any_header(self, field: str) -> None:
        with pytest.raises(Unreadable, match="line break"):
            mail(a_delivery(**{field: "a\r\nBcc: b@example.org"}), FRAME, sender="p@example.org", at=AT)

    @pytest.mark.parametrize(
        "name",
        [
            "=?utf-8?q?x=0D=0ABcc:_evil@example.org?=",
            "=?utf-8?b?eA0KQmNjOiBldmlsQGV4YW1wbGUub3Jn?=",
            f"{'x' * 70} =?utf-8?q?=0D=0ABcc:_evil@example.org?=",
            "中试 =?utf-8?q?=0D=0ABcc:_evil@example.org?=",
        ],
    )
    def test_takes_no_header_from_a_name_in_code(self, name: str) -> None:
        facts = {**sample_facts("payout.paid"), **to(), "work": name}
        wire = mail(a_delivery(facts=facts), FRAME, sender="p@example.org", at=AT).as_bytes(policy=policy.SMTP)
        back: Any = message_from_bytes(wire, policy=policy.default)
        assert back["Bcc"] is None
        assert "Bcc" in back["Subject"] or "Qm" in back["Subject"]
        assert "\n" not in back["Subject"]

    @pytest.mark.parametrize("break_", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
    def test_is_written_whatever_alphabet_a_name_breaks_its_line_in(self, break_: str) -> None:
        facts = {**sample_facts("payout.paid"), **to(), "work": f"智能{break_}炒菜机器人"}
        subject = mail(a_delivery(facts=facts), FRAME, sender="p@example.org", at=AT)["Subject"]
        assert "智能\ufffd炒菜机器人" in subject

    def test_goes_to_a_chat_as_headline_and_text(self) -> None:
        subject, text = chat(a_delivery(), FRAME)
        assert subject in mail(a_delivery(), FRAME, sender="p@example.org", at=AT)["Subject"]
        assert "The bank has booked" in text
