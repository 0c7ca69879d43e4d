from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from flows.workbooks import templates_in
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.banking.template import GENERIC, Column, template_of
from lifecycle.canonical import plain
from models.settings import SettingsError
from tests.conftest import ROOT

BOTH = {"heading": "a", "fact": "amount", "fixed": "b"}


def altered(**changed: Any) -> dict[str, Any]:
    return {**plain(GENERIC), **changed}


def answer(**changed: Any) -> dict[str, Any]:
    return altered(answer={**plain(GENERIC.answer), **changed})


class TestTemplate:
    def test_is_the_same_after_it_was_stored(self) -> None:
        assert template_of(plain(GENERIC)) == GENERIC

    def test_of_the_manual_is_the_one_to_begin_with(self, tmp_path: Any) -> None:
        page = (ROOT / "docs" / "bank-templates.md").read_text(encoding="utf-8")
        (text,) = [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]
        path = tmp_path / "102100099996.yaml"
        path.write_text(text, encoding="utf-8")

        assert templates_in(tmp_path) == {"102100099996": GENERIC}

    @pytest.mark.parametrize(
        ("code", "rule", "data"),
        [
            ("bank_template_lacks", "end_to_end_id", altered(columns=[plain(one) for one in GENERIC.columns[:-1]])),
            ("bank_template_lacks", "booked_on", answer(booked_on=None)),
            ("bank_template", "booked | accepted | pending | rejected", answer(words={})),
            ("bank_template", "booked | accepted | pending | rejected", answer(words={"部分": "part"})),
            ("bank_template", "1–20", answer(heading_row=0)),
            ("bank_template", "unique headings", altered(columns=[plain(one) for one in GENERIC.columns] * 2)),
            ("bank_text_length", "1–140", altered(columns=[{"heading": ""}])),
            ("bank_template", "fact or fixed, not both", altered(columns=[BOTH])),
            ("bank_template", "sheet: 1–31, none of []:*?/\\", altered(sheet="a/b")),
        ],
    )  # fmt: skip
    def test_is_refused_when_no_file_or_answer_could_follow_from_it(
        self, code: str, rule: str, data: dict[str, Any]
    ) -> None:
        with pytest.raises(BankFileRefused) as caught:
            template_of(data)

        assert (caught.value.codes, caught.value.rule) == ((code,), rule)

    def test_with_a_total_needs_a_cell_for_its_name(self) -> None:
        columns = (Column(heading="金额 (元)", fact="amount"), *(c for c in GENERIC.columns if c.fact != "amount"))

        with pytest.raises(BankFileRefused):
            replace(GENERIC, columns=columns, total="合计")

    @pytest.mark.parametrize("data", [altered(colour="red"), answer(day="D/M/Y"), answer(words={"好": "fine"}), []])
    def test_with_what_nobody_knows_is_refused(self, data: Any) -> None:
        with pytest.raises(ValidationError):
            template_of(data)


class TestFolder:
    @pytest.mark.parametrize(
        ("name", "text", "why"),
        [
            ("icbc.yaml", "sheet: a", "icbc.yaml is not named by the code of a bank"),
            ("ICBKCNBJ.yaml", "sheet: a\nsheet: b", "key 'sheet' twice"),
            ("ICBKCNBJ.yaml", "sheet: a", "columns"),
        ],
    )
    def test_with_a_wrong_file_is_a_wrong_setting(self, tmp_path: Any, name: str, text: str, why: str) -> None:
        (tmp_path / name).write_text(text, encoding="utf-8")

        with pytest.raises(SettingsError) as caught:
            templates_in(tmp_path)

        assert (caught.value.variable, why in caught.value.reason) == ("PILOTWAY_BANK_TEMPLATES", True)

    def test_that_is_not_there_is_a_wrong_setting(self, tmp_path: Any) -> None:
        with pytest.raises(SettingsError):
            templates_in(tmp_path / "nowhere")

    def test_that_nobody_set_makes_every_bank_take_messages(self) -> None:
        assert templates_in(None) == {}
