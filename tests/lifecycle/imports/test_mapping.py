from pathlib import Path
from typing import Any

import pytest

from lifecycle.imports.mapping import MappingProblem, load_mapping, shipped_mappings
from tests.lifecycle.imports.tables import BASE, mapping


def refused(tmp_path: Path, text: str) -> MappingProblem:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingProblem) as caught:
        load_mapping(path)
    return caught.value


class TestLoadMapping:
    @pytest.mark.parametrize(
        ("changes", "where", "why"),
        [
            ({"colour": "red"}, "colour", "Extra inputs"),
            ({"source": "Big Book"}, "source", "pattern"),
            ({"row_key": []}, "row_key", "at least 1"),
            ({"stages": []}, "stages", "at least 1"),
            ({"delimiter": "x"}, "delimiter", "Input should be"),
            ({"encoding": "latin-1"}, "encoding", "Input should be"),
            ({"ignore": ["title"]}, "file", "both used and ignored: title"),
            ({"constants": {"organisation_kind": "sme"}}, "constants", "why"),
            ({"columns": [*BASE["columns"], {"column": "x", "to": "name"}]}, "file", "field filled twice: name"),
            ({"columns": [{"column": "x", "to": "colour"}]}, "columns.0", "does not match"),
            ({"columns": [{"column": "x", "to": "received_on"}]}, "columns.0.received_on.formats", "required"),
            ({"columns": [{"column": "x", "to": "money", "label": "m"}]}, "columns.0.money", "either currency"),
            ({"columns": [{"column": "x", "to": "money", "label": "m", "currency": "KWD"}]}, "columns.0.money", "KWD"),
        ],
    )
    def test_names_the_place_that_is_wrong(self, tmp_path: Path, changes: dict[str, Any], where: str, why: str) -> None:
        with pytest.raises(MappingProblem) as caught:
            mapping(tmp_path, **changes)
        assert caught.value.params["where"].startswith(where)
        assert why in caught.value.params["why"]

    def test_refuses_a_key_written_twice(self, tmp_path: Path) -> None:
        assert refused(tmp_path, "source: a\nsource: b\n").params["where"] == "line 2"

    def test_refuses_aliases_which_can_blow_up(self, tmp_path: Path) -> None:
        assert "aliases" in refused(tmp_path, "a: &x [1]\nb: *x\n").params["why"]

    def test_refuses_a_python_object(self, tmp_path: Path) -> None:
        assert "constructor" in refused(tmp_path, "a: !!python/object/apply:os.getcwd []\n").params["why"]

    @pytest.mark.parametrize("text", ["", "- a\n", "just text", "a: [", "? [1, 2]\n: x\n"])
    def test_refuses_what_is_no_mapping(self, tmp_path: Path, text: str) -> None:
        assert refused(tmp_path, text).code == "mapping_invalid"

    def test_refuses_a_file_beyond_256_kib(self, tmp_path: Path) -> None:
        assert "larger" in refused(tmp_path, "#" * (256 * 1024 + 1)).params["why"]


class TestShippedMappings:
    def test_are_six_that_load(self) -> None:
        names = [path.stem for path in shipped_mappings()]
        assert names == ["cn_projects", "eu_cases", "eu_projects", "sbir_phase1", "sbir_phase2", "techport"]
        assert all(load_mapping(path).stages for path in shipped_mappings())
