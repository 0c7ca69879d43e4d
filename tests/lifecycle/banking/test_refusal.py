from lifecycle.banking.refusal import BankFileRefused, shown
from notifications.words import entries, explain_unmet, placeholders


class TestBankFileRefused:
    def test_names_element_and_rule_in_every_sentence(self) -> None:
        said = {code: texts for file, code, texts in entries() if file == "banking.yaml"}

        assert len(said) > 30
        assert [code for code, texts in said.items() if not placeholders(texts["en"]) >= {"element", "rule"}] == []

    def test_is_a_reason_like_any_other(self) -> None:
        refusal = BankFileRefused("bank_amount", element="Document/A", rule="digits", found="x")

        assert (refusal.codes, refusal.element, refusal.rule) == (("bank_amount",), "Document/A", "digits")
        assert explain_unmet(refusal.unmet[0], "en").what == "Document/A is no amount: x (rule: digits)."


class TestShown:
    def test_shortens_and_escapes_what_a_stranger_wrote(self) -> None:
        assert shown("a\u202eb\n") == "a\\u{202e}b\\u{000a}"
        assert len(shown("x" * 1_000)) == 80
