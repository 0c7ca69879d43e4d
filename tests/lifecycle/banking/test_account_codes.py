import pytest

from lifecycle.banking.account_codes import account_reasons, is_iban


def codes(number: str, bank: str) -> list[str]:
    return [reason.code for reason in account_reasons(number, bank)]


class TestAnAccount:
    @pytest.mark.parametrize(
        ("number", "bank"),
        [
            ("6222020200112233", "102100099996"),
            ("6222020200112233", "ICBKCNBJ"),
            ("NRA4022011234567", "ICBKCNBJXXX"),
            ("FTE310066001018800", "301290000007"),
            ("DE89370400440532013000", "COBADEFF"),
            ("GB82WEST12345698765432", "WESTGB22"),
            ("000123456789", "CHASUS33"),
        ],
    )
    def test_may_be_one(self, number: str, bank: str) -> None:
        assert codes(number, bank) == []

    @pytest.mark.parametrize(
        ("number", "bank", "reason"),
        [
            ("6222020200112233", "10210009999", "bank_code_wrong"),
            ("6222020200112233", "1021000999960", "bank_code_wrong"),
            ("6222020200112233", "ICBKCNB", "bank_code_wrong"),
            ("6222020200112233", "ICBKCNBJXX", "bank_code_wrong"),
            ("6222020200112233", "ICBK12BJ", "bank_code_wrong"),
            ("6222O20200112233", "102100099996", "account_not_digits"),
            ("DE89370400440532013000", "ICBKCNBJ", "account_not_digits"),
            ("DE89370400440532013001", "COBADEFF", "iban_check_wrong"),
            ("DE98370400440532013000", "COBADEFF", "iban_check_wrong"),
            ("", "102100099996", "account_number_wrong"),
            ("6" * 35, "102100099996", "account_number_wrong"),
            ("62/22", "102100099996", "account_number_wrong"),
        ],
    )
    def test_may_not_be_one(self, number: str, bank: str, reason: str) -> None:
        assert codes(number, bank) == [reason]


@pytest.mark.parametrize("number", ["NL91ABNA0417164300", "FR1420041010050500013M02606", "CH9300762011623852957"])
def test_every_digit_that_is_mistyped_in_an_iban_is_found(number: str) -> None:
    assert is_iban(number)
    places = [place for place, char in enumerate(number) if place > 3 and char.isdecimal()]
    wrong = [number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :] for at in places for by in range(1, 10)]
    assert not [one for one in wrong if is_iban(one)]
