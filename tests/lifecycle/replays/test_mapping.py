"""Mappings of replays: the shipped ones are sound, a wrong one names its place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lifecycle.imports.mapping import MappingProblem
from lifecycle.replays.mapping import load_replay_mapping, shipped_replay_mappings
from tests.lifecycle.replays.logs import MAPPING

WHY = {"zh": "没有", "en": "No."}
FUND: dict[str, Any] = {
    "reads": "fund",
    "source": "books",
    "about": {"zh": "账", "en": "Books"},
    "timezone": "UTC",
    "activity": "a",
    "time": "t",
    "amount": "m",
    "currency": ["c"],
    "kind": "k",
    "entries": [{"code": ["1"], "entry": "payment"}],
}


def problem(folder: Path, data: Any) -> str:
    """Return place and reason of what is wrong with a mapping."""
    path = folder / "m.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(MappingProblem) as found:
        load_replay_mapping(path)
    return f"{found.value.params['where']}: {found.value.params['why']}"


class TestShippedMappings:
    @pytest.mark.parametrize("path", list(shipped_replay_mappings()), ids=lambda path: path.stem)
    def test_are_sound_and_speak_both_languages(self, path: Path) -> None:
        mapping = load_replay_mapping(path)
        assert mapping.about.zh != mapping.about.en


class TestWrongMappings:
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"reads": "tea"}, "file: Input tag 'tea'"),
            ({"currency": "XYZ"}, "payouts.currency: Value error, currency 'XYZ'"),
            ({"timezone": "Moon/Base"}, "payouts.timezone: Value error, timezone 'Moon/Base' is not known"),
            ({"amount": {}}, "payouts.amount: Value error, name either attribute or constant_minor"),
            ({"person": []}, "payouts.person: "),
            ({"days": 3}, "payouts.days: Extra inputs"),
            ({"acts": MAPPING["acts"][:2]}, "payouts: Value error, acts: no rule leads to approve, paid"),
            (
                {"acts": [*MAPPING["acts"], {"activity": "ask", "act": "paid"}]},
                "payouts: Value error, acts.11: an earlier rule takes every event 'ask'",
            ),
            (
                {"acts": [*MAPPING["acts"], {"activity": "sing", "act": "none"}]},
                "payouts: Value error, acts.11: `none` says why",
            ),
            (
                {"acts": [*MAPPING["acts"], {"activity": "sing", "act": "paid", "why": WHY}]},
                "payouts: Value error, acts.11: `none` says why",
            ),
        ],
    )
    def test_of_logs_name_the_place(self, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
        assert problem(tmp_path, {**MAPPING, **changes}).startswith(said)

    @pytest.mark.parametrize(
        ("entries", "said"),
        [
            (
                [{"code": ["1"], "entry": "payment"}, {"code": ["2", "1"], "entry": "promise"}],
                "fund: Value error, entries.1: an earlier rule takes '1'",
            ),
            ([{"code": ["1"], "entry": "none"}], "fund: Value error, entries.0: `none` says why"),
        ],
    )
    def test_of_registers_name_the_place(self, tmp_path: Path, entries: list[Any], said: str) -> None:
        assert problem(tmp_path, {**FUND, "entries": entries}).startswith(said)
