"""Reading packs from files: what is refused and where, and what a pack's hash depends on."""

import shutil
from pathlib import Path

import pytest

from lifecycle.standards import library
from lifecycle.standards.library import PACKS, BadPack, UnknownPack
from lifecycle.standards.pack import Pack
from models.states import STAGES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bare pack that a test may spoil, outside the published ones."""
    return Path(shutil.copytree(PACKS / "bare-2026.1", tmp_path / "own"))


def refusal(folder: Path) -> str:
    """Read a pack that must be refused; return all that was said."""
    with pytest.raises(BadPack) as refused:
        library.load(folder)
    return str(refused.value)


class TestByName:
    def test_finds_the_bare_pack_which_asks_for_nothing(self) -> None:
        pack = library.by_name("bare@2026.1")

        assert pack is library.bare()
        assert pack.rehearsal_only
        assert [(stage.id, stage.criteria, stage.panel.kind, stage.notice) for stage in pack.stages] == [
            (stage, (), "none", None) for stage in STAGES
        ]

    @pytest.mark.parametrize(
        "name", ["", "bare", "bare@2026.2", "bare-2026.1", "../packs/bare@2026.1", "bare@2026.1\n"]
    )
    def test_refuses_what_was_not_published(self, name: str) -> None:
        with pytest.raises(UnknownPack):
            library.by_name(name)


class TestLoad:
    def test_names_file_line_path_and_rule(self, folder: Path) -> None:
        file = folder / "intake.yaml"
        file.write_text(file.read_text("utf-8").replace("default_days: 10", "default_days: ten"), "utf-8")

        assert refusal(folder) == (
            "intake.yaml:14 intake/default_days: value_breaks_rule "
            "(rule Input should be a valid integer, unable to parse string as an integer)"
        )

    def test_names_a_clause_and_not_its_number_in_the_list(self, folder: Path) -> None:
        shutil.copy(PACKS / "default-2026.1" / "intake.yaml", folder)
        file = folder / "intake.yaml"
        file.write_text(file.read_text("utf-8").replace("anchor: application, days: 8", "anchor: someday"), "utf-8")

        assert "intake/criteria/G1.7/due/anchor: value_breaks_rule" in refusal(folder)

    def test_tells_the_problems_of_all_files_at_once(self, folder: Path) -> None:
        (folder / "handoff.yaml").unlink()
        (folder / "intake.yaml").write_text("evidence_types: [", "utf-8")

        assert "intake.yaml:2 intake: file_is_no_yaml" in refusal(folder)
        assert "handoff.yaml handoff: file_missing" in refusal(folder)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (b"", "file_is_no_mapping"),
            (b"- 1", "file_is_no_mapping"),
            (b"\xb1\xea\xd7\xbc: 1", "file_is_not_utf8"),
            (b"stage: {id: intake, id: handoff}", "key_repeated"),
            (b"a: &a [1]\nb: [*a, *a]", "alias_in_file"),
            (b"a: " + b"[" * 300_000, "file_too_deep"),
            (b"a: " + b"x" * 1_000_000, "file_too_large"),
            (b"? [a]\n: 1", "key_is_no_word"),
            (b"a: !!python/object/apply:os.getcwd []", "file_is_no_yaml"),
            (b"a: \x01", "file_is_no_yaml"),
            (b"evidence_types: []\nstage: {}\nmore: 1", "intake/more: value_breaks_rule"),
        ],
    )
    def test_refuses_a_file(self, folder: Path, text: bytes, code: str) -> None:
        (folder / "intake.yaml").write_bytes(text)

        assert code in refusal(folder)
        assert refusal(folder).startswith("intake.yaml")

    def test_refuses_the_stage_of_another_file(self, folder: Path) -> None:
        shutil.copy(folder / "handoff.yaml", folder / "intake.yaml")

        assert "stage_is_not_its_file" in refusal(folder)

    def test_refuses_a_version_that_yaml_reads_as_a_number(self, folder: Path) -> None:
        file = folder / "pack.yaml"
        file.write_text(file.read_text("utf-8").replace('"2026.1"', "2026.1"), "utf-8")

        assert "pack.yaml:3 version: value_breaks_rule" in refusal(folder)

    def test_refuses_stages_in_the_head(self, folder: Path) -> None:
        with (folder / "pack.yaml").open("a", encoding="utf-8") as file:
            file.write("stages: []\n")

        assert "pack_head_holds_stages" in refusal(folder)


class TestBasedOn:
    def test_takes_the_stages_it_does_not_change_from_its_base(self, folder: Path) -> None:
        based = (folder / "pack.yaml").read_text("utf-8").replace("code: bare", "code: own\nbased_on: bare@2026.1")
        (folder / "pack.yaml").write_text(based, "utf-8")
        for stage in STAGES[1:]:
            (folder / f"{stage}.yaml").unlink()

        pack = library.load(folder)

        assert (pack.code, pack.based_on) == ("own", "bare@2026.1")
        assert pack.stages == library.bare().stages

    def test_replaces_whole_what_it_names_and_keeps_the_rest(self) -> None:
        base, layer = library.default(), library.by_name("hardware@v3.2")

        differing = {one.id for one in base.stages[2].criteria if one != layer.criterion(one.id)}
        assert differing == {"G3.1", "G3.4", "G3.8"}
        assert [one.id for one in layer.stages[2].criteria] == [one.id for one in base.stages[2].criteria]
        assert layer.evidence_types == base.evidence_types
        assert (layer.stages[0].default_days, layer.stages[0].criteria) == (5, base.stages[0].criteria)

    def test_refuses_half_a_criterion_in_a_layer(self, folder: Path) -> None:
        for file in folder.glob("*.yaml"):
            file.unlink()
        head = (PACKS / "hardware-v3.2" / "pack.yaml").read_text("utf-8")
        (folder / "pack.yaml").write_text(head, "utf-8")
        text = "stage:\n  id: intake\n  criteria:\n    - {id: G1.4, strength: C}\n"
        (folder / "intake.yaml").write_text(text, "utf-8")

        assert "intake/criteria/G1.4/title: value_breaks_rule" in refusal(folder)

    def test_refuses_a_base_that_was_not_published(self, folder: Path) -> None:
        with (folder / "pack.yaml").open("a", encoding="utf-8") as file:
            file.write('based_on: "nobody@2026.1"\n')

        assert "pack.yaml:6 based_on: pack_base_unknown (name nobody@2026.1)" in refusal(folder)

    def test_refuses_a_circle(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for code, base in (("one", "two"), ("two", "one")):
            copy = Path(shutil.copytree(folder, folder.parent / f"{code}-2026.1"))
            head = f'code: {code}\nversion: "2026.1"\nbased_on: {base}@2026.1\ntitle: {{zh: 甲, en: A}}\n'
            (copy / "pack.yaml").write_text(head, "utf-8")
        monkeypatch.setattr(library, "PACKS", folder.parent)

        with pytest.raises(BadPack, match="pack_based_on_itself"):
            library.by_name("one@2026.1")

    def test_refuses_a_folder_of_another_name(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.rename(folder.parent / "other-2026.1")
        monkeypatch.setattr(library, "PACKS", folder.parent)

        with pytest.raises(BadPack, match="pack_name_is_not_its_folder"):
            library.by_name("other@2026.1")


class TestSha256:
    def test_survives_a_round_through_json(self) -> None:
        pack = library.bare()

        again = Pack.model_validate_json(pack.model_dump_json())

        assert library.sha256(again) == library.sha256(pack)
        assert len(library.sha256(pack)) == 64

    def test_is_the_same_for_60_and_60_0(self) -> None:
        stage = library.load_stage(PACKS / "default-2026.1" / "intake.yaml").stage
        whole, decimal = (
            library.bare().model_copy(update={"stages": (stage.model_copy(update={"score": score}),)})
            for score in (stage.score.model_copy(update={"pass_total": total}) for total in (60, 60.0))
        )

        assert library.sha256(whole) == library.sha256(decimal)

    def test_changes_with_the_smallest_limit(self) -> None:
        bare = library.bare()
        longer = bare.model_copy(update={"limits": bare.limits.model_copy(update={"hold_calendar_days": 91})})

        assert library.sha256(longer) != library.sha256(bare)


def test_lines_know_where_a_threshold_stands() -> None:
    lines = library.lines(PACKS / "default-2026.1")

    file, _, line = lines["intake/criteria/G1.6/parameters/similarity"].partition(":")
    text = (PACKS / "default-2026.1" / file).read_text("utf-8").splitlines()[int(line) - 1]

    assert text.strip() == "parameters: {similarity: 0.90}"
    assert lines["limits/hold_extensions"].startswith("pack.yaml:")


class TestATextOfSomeGates:
    """What a text leaves out is that of the version that it names."""

    def test_is_whole_with_the_rest(self) -> None:
        pack, _ = library.from_text("rest: default@2026.1\nversion: '2026.2'", lambda _: library.default())

        assert pack == library.default().model_copy(update={"version": "2026.2"})

    def test_of_no_published_version_is_refused(self) -> None:
        with pytest.raises(library.BadPack) as bad:
            library.from_text("rest: wish@2026.1", lambda _: None)

        assert [(one.code, one.path, one.line) for one in bad.value.problems] == [
            ("pack_base_unknown", "rest", "pack.yaml:1")
        ]

    @pytest.mark.parametrize(
        "own",
        ["stages: 3", "stages: [1]", "stages: [{gate: [G1]}]", "evidence_types: [{gate: {a: 1}, id: [1]}]", "stages:"],
    )
    def test_that_is_no_pack_is_refused_like_any_other(self, own: str) -> None:
        with pytest.raises(library.BadPack):
            library.from_text(f"rest: default@2026.1\n{own}", lambda _: library.default())
