"""The fund rules of the published packs, what keeps a pack's fund rules from being published, what tightens them."""

import shutil
from pathlib import Path

import pytest

from lifecycle.stages.rules import RULES
from lifecycle.standards import library
from lifecycle.standards.compare import FUND_DIRECTIONS, compare
from lifecycle.standards.funds import FundRules, Tier, Tranche
from lifecycle.standards.lint import lint
from lifecycle.standards.pack import Pack
from lifecycle.standards.part import Text
from tests.lifecycle.standards.published import changed, default

T1, T2, T3, T4, R = default().funds.tranches
ONE, TWO, THREE = default().funds.tiers


def problems(path: str, value: object) -> set[tuple[str, str]]:
    return {
        (problem.code, problem.path)
        for problem in lint(changed(default(), f"funds/{path}", value), rules=frozenset(RULES))
    }


def differences(path: str, value: object) -> list[tuple[str, str]]:
    """What is refused about a layer on the default pack with this one difference in its fund rules."""
    based = default().model_copy(update={"code": "own", "based_on": "default@2026.1"})
    layer: Pack = changed(based, f"funds/{path}", value)
    return [(problem.code, problem.path) for problem in compare(default(), layer)]


class TestDefaultStandard:
    def test_pays_40_30_15_10_and_keeps_5_percent(self) -> None:
        plan = [(one.code, one.share_basis_points, one.gate) for one in default().funds.tranches]

        assert plan == [
            ("T1", 4000, "G2"),
            ("T2", 3000, "G3"),
            ("T3", 1500, "G4"),
            ("T4", 1000, "G5"),
            ("R", 500, "G5"),
        ]
        assert [one.code for one in default().funds.tranches if one.is_retention] == ["R"]

    def test_has_the_numbers_of_the_rule_book(self) -> None:
        rules = default().funds.model_dump(exclude={"tranches", "tiers"})

        assert rules == {
            "rate_cap_basis_points": 7000,
            "before_last_gate_basis_points": 8500,
            "before_audit_basis_points": 9000,
            "advance_basis_points": 4500,
            "used_basis_points": 7000,
            "retention_months": 12,
            "notice_days": 7,
            "cooling_off_working_days": 5,
            "payment_days": 30,
            "payment_days_at_most": 60,
            "statement_days": 30,
            "recovery_days": 30,
            "late_interest_basis_points": 0,
            "adding_up_days": 30,
            "currency": "CNY",
            "asks_certifier": True,
            "asks_release": True,
        }
        assert [(one.up_to_minor, one.needed, one.needs_minute) for one in default().funds.tiers] == [
            (30_000_000, 1, False),
            (200_000_000, 2, False),
            (None, 3, True),
        ]

    @pytest.mark.parametrize("version", ["v3.1", "v3.2"])
    def test_is_what_an_association_takes_over_when_it_says_nothing(self, version: str) -> None:
        assert library.by_name(f"hardware@{version}").funds == default().funds


class TestBareStandard:
    def test_has_the_rules_f3_to_f6_off_and_asks_nobody_to_certify_or_release(self) -> None:
        rules = library.bare().funds

        off = (rules.before_last_gate_basis_points, rules.before_audit_basis_points, rules.advance_basis_points)
        assert off == (10_000, 10_000, 10_000)
        assert (rules.rate_cap_basis_points, rules.used_basis_points) == (10_000, 0)
        assert (rules.asks_certifier, rules.asks_release) == (False, False)
        assert all(one.needs == () for one in rules.tranches)

    def test_keeps_the_rules_about_accounts_and_amounts(self) -> None:
        assert library.bare().funds.cooling_off_working_days == 5
        assert library.bare().funds.tiers == default().funds.tiers


class TestReading:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return Path(shutil.copytree(library.PACKS / "bare-2026.1", tmp_path / "own"))

    def test_refuses_a_pack_without_fund_rules(self, folder: Path) -> None:
        (folder / "funds.yaml").unlink()

        with pytest.raises(library.BadPack, match=r"funds\.yaml funds: file_missing"):
            library.load(folder)

    def test_names_the_tranche_and_not_its_number(self, folder: Path) -> None:
        file = folder / "funds.yaml"
        file.write_text(file.read_text("utf-8").replace("share_basis_points: 3000", "share_basis_points: 30%"), "utf-8")

        with pytest.raises(library.BadPack, match=r"funds\.yaml:6 funds/tranches/T2/share_basis_points: value_breaks"):
            library.load(folder)

    def test_takes_from_the_base_what_a_layer_leaves_out(self, folder: Path) -> None:
        for file in folder.glob("*.yaml"):
            file.unlink()
        (folder / "pack.yaml").write_text((library.PACKS / "hardware-v3.2" / "pack.yaml").read_text("utf-8"), "utf-8")
        (folder / "funds.yaml").write_text("payment_days: 20\n", "utf-8")

        layer = library.load(folder)

        assert layer.funds == default().funds.model_copy(update={"payment_days": 20})
        assert compare(default(), layer) == []


UNTIED = Tranche(code="T3", title=T3.title, share_basis_points=1500)
BY_DESIGN = T3.model_copy(update={"gate": None, "criteria": ("G4.1", "G4.3")})


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        ("tranches/T4/share_basis_points", 999, "plan_not_whole", "tranches"),
        ("tranches/R/is_retention", False, "plan_retention_not_last", "tranches"),
        ("tranches/T4/is_retention", True, "plan_retention_not_last", "tranches"),
        ("tranches", (R, T1, T2, T3, T4), "plan_retention_not_last", "tranches"),
        ("tranches", (), "plan_retention_not_last", "tranches"),
        ("tranches/T2/code", "T1", "repeated", "tranches"),
        ("tranches/T3", UNTIED, "tranche_not_tied", "tranches/T3"),
        ("tranches/T3/criteria", ("G4.1",), "tranche_not_tied", "tranches/T3"),
        ("tranches/T3", BY_DESIGN.model_copy(update={"criteria": ("G4.99",)}), "tranche_clause_unknown", "tranches/T3"),
        ("tranches/T3/gate", "G2", "tranche_out_of_order", "tranches/T3"),
        ("tranches/T4/gate", "G4", "plan_over_cap", "tranches"),
        ("before_last_gate_basis_points", 9100, "caps_out_of_order", "before_audit_basis_points"),
        ("payment_days", 61, "payment_days_wrong", "payment_days"),
        ("payment_days", 0, "payment_days_wrong", "payment_days"),
        ("tiers", (), "tiers_not_rising", "tiers"),
        ("tiers", (ONE, TWO), "tiers_not_rising", "tiers"),
        ("tiers", (TWO, ONE, THREE), "tiers_not_rising", "tiers"),
        ("tiers", (THREE, THREE), "tiers_not_rising", "tiers"),
        ("tiers", (ONE, TWO, Tier(needed=1)), "tier_asks_less", "tiers"),
        ("tiers/0/needs_minute", True, "tier_asks_less", "tiers"),
        ("tranches/T1/title", Text(zh="Advance", en="Advance"), "language_missing", "tranches/T1/title"),
    ],
)
def test_lint_refuses(path: str, value: object, code: str, where: str) -> None:
    assert (code, f"funds/{where}") in problems(path, value)


def test_lint_takes_named_criteria_instead_of_a_gate() -> None:
    assert problems("tranches/T3", BY_DESIGN) == set()


@pytest.mark.parametrize(
    ("path", "tighter", "looser"),
    [
        ("rate_cap_basis_points", 6000, 7001),
        ("before_last_gate_basis_points", 8400, 8600),
        ("before_audit_basis_points", 8900, 9001),
        ("advance_basis_points", 4000, 4501),
        ("used_basis_points", 8000, 6999),
        ("retention_months", 24, 11),
        ("notice_days", 10, 6),
        ("cooling_off_working_days", 6, 4),
        ("payment_days", 20, 31),
        ("payment_days_at_most", 45, 61),
        ("adding_up_days", 60, 29),
        ("asks_certifier", None, False),
        ("asks_release", None, False),
        ("tranches/T2/needs", (*T2.needs, "audit_accepted"), ("progress",)),
        ("tranches/T2/gate", "G4", "G2"),
        ("tranches/T2/share_basis_points", 2000, 3001),
        ("tranches/T3", None, BY_DESIGN),
    ],
)
def test_a_layer_may_tighten_and_not_loosen(path: str, tighter: object, looser: object) -> None:
    if tighter is not None:
        assert differences(path, tighter) == []
    assert {code for code, _ in differences(path, looser)} == {"loosened"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("statement_days", 20),
        ("recovery_days", 20),
        ("late_interest_basis_points", 500),
        ("currency", "EUR"),
        ("tranches", (T1, R)),
    ],
)
def test_what_has_no_stricter_side_stays(path: str, value: object) -> None:
    assert [code for code, _ in differences(path, value)] == ["not_comparable"]


class TestTiersOfALayer:
    def test_may_ask_for_more_people_earlier(self) -> None:
        tighter = (Tier(up_to_minor=10_000_000, needed=1), Tier(up_to_minor=100_000_000, needed=2), THREE)

        assert differences("tiers", tighter) == []

    @pytest.mark.parametrize(
        "looser",
        [
            (Tier(up_to_minor=30_000_001, needed=1), TWO, THREE),
            (ONE, THREE.model_copy(update={"needed": 2})),
            (ONE, TWO, Tier(needed=3)),
            (Tier(needed=1),),
        ],
    )
    def test_may_ask_for_fewer_of_no_amount(self, looser: tuple[Tier, ...]) -> None:
        assert {code for code, _ in differences("tiers", looser)} == {"loosened"}


def test_every_fund_rule_says_what_is_stricter() -> None:
    apart = {"tranches", "tiers", "asks_certifier", "asks_release"}

    assert set(FUND_DIRECTIONS) | apart == set(FundRules.model_fields)
