"""A scenario file that is wrong is refused before anything is done, and each place is named."""

from typing import Any

import pytest

from lifecycle.errors import Invalid
from lifecycle.scenarios.file import LARGEST_BYTES, read_scenario
from models.states import OrganisationKind
from tests.lifecycle.scenarios.story import changed, example, written


def problems(content: bytes) -> list[tuple[str, str]]:
    """Return (place, code) of everything that is wrong."""
    with pytest.raises(Invalid) as wrong:
        read_scenario(content)
    return [(str(reason.values.get("place", "")), reason.code) for reason in wrong.value.unmet]


class TestAGoodFile:
    def test_reads_firm_fund_and_plant_as_kinds_of_organisations(self) -> None:
        story = example()
        story["organisations"].append({"ref": "plant", "name": "工厂", "kind": "plant"})

        kinds = [one.kind for one in read_scenario(written(story)).organisations]

        assert kinds == [OrganisationKind.SME, OrganisationKind.FUNDER, OrganisationKind.RECEIVER]

    def test_may_hold_nothing_but_its_format(self) -> None:
        assert read_scenario(b'{"format": "pilotway-scenario/1"}').projects == ()


class TestAWrongFile:
    @pytest.mark.parametrize(
        ("place", "value", "where", "code"),
        [
            ("/format", "pilotway-scenario/2", "/format", "scenario_wrong"),
            ("/now", "2026-03-02T01:00:00", "/now", "scenario_wrong"),
            ("/users/0/grants/0/role", "king", "/users/0/grants/0/role", "scenario_wrong"),
            ("/users/0/grants/0/organisation", "f", "/users/0/grants/0/organisation", "scenario_ref_unknown"),
            ("/organisations/0/kind", "bank", "/organisations/0/kind", "scenario_wrong"),
            ("/funds/0/funded_minor", -1, "/funds/0/funded_minor", "scenario_wrong"),
            ("/funds/0/funded_minor", 10**13 + 1, "/funds/0/funded_minor", "scenario_wrong"),
            ("/funds/0/approvals/0/needed", 0, "/funds/0/approvals/0/needed", "scenario_wrong"),
            ("/programmes/0/fund", "f2", "/programmes/0/fund", "scenario_ref_unknown"),
            ("/programmes/0/fund", None, "/projects/0/milestones", "scenario_fund_missing"),
            ("/projects/0/stage", "launch", "/projects/0/stage", "scenario_wrong"),
            ("/projects/0/programme", "x", "/projects/0/programme", "scenario_ref_unknown"),
            ("/projects/0/milestones/0/amount_minor", -7000, "/projects/0/milestones/0/amount_minor", "scenario_wrong"),
            ("/projects/0/milestones/0/amount_minor", 70.5, "/projects/0/milestones/0/amount_minor", "scenario_wrong"),
            ("/projects/0/milestones/0/amount_minor", "7", "/projects/0/milestones/0/amount_minor", "scenario_wrong"),
            ("/projects/0/milestones/0/state", "paid", "/projects/0/milestones/0/state", "scenario_wrong"),
            ("/payouts/0/milestone", "x", "/payouts/0/milestone", "scenario_ref_unknown"),
            ("/payouts/0/account", "nowhere", "/payouts/0/account", "scenario_ref_unknown"),
            ("/payouts/0/requested_by", "nobody", "/payouts/0/requested_by", "scenario_ref_unknown"),
            ("/payouts/0/approved_by/1", "nobody", "/payouts/0/approved_by/1", "scenario_ref_unknown"),
            ("/payouts/0/ref", "x1", "/payouts/0/ref", "scenario_ref_repeated"),
            ("/payouts/0/paid", True, "/payouts/0/paid", "scenario_wrong"),
        ],
    )
    def test_names_the_place(self, place: str, value: Any, where: str, code: str) -> None:
        assert problems(written(changed(place, value))) == [(where, code)]

    @pytest.mark.parametrize(
        "content",
        [b"", b"\xff", b"[1, 2]", b'{"format": ', b"[" * 100_000, b'{"format": "pilotway-scenario/1", "format": ""}'],
    )
    def test_is_named_as_a_whole_when_it_is_none(self, content: bytes) -> None:
        assert problems(content) == [("/", "scenario_wrong")]

    def test_is_not_read_when_it_is_too_large(self) -> None:
        assert problems(b" " * (LARGEST_BYTES + 1)) == [("", "scenario_too_large")]

    def test_names_twenty_places_at_most(self) -> None:
        story = changed("/payouts/0/approved_by", [f"n{number}" for number in range(50)])
        assert len(problems(written(story))) == 20
