"""What the whole program never does, read from its source: each rule of OWASP ASVS that a reader of code can judge."""

import ast
import re
from collections.abc import Iterator
from unittest.mock import ANY

import pytest
import yaml

from lifecycle.imports import mapping
from tests.house.test_rules import MODULES, ROOT

SCRIPT = (ROOT / "web/static/app.js").read_text("utf-8")


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Yield every call of the program: its module, what is called, the call."""
    for path in MODULES:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield name, ast.unparse(node.func), node


CALLS = list(calls())


def is_written_by_us(node: ast.expr) -> bool:
    """Say whether a text stands in the source as it is: a constant, or constants that a name or a sum puts together."""
    if isinstance(node, ast.BinOp):
        return is_written_by_us(node.left) and is_written_by_us(node.right)
    if isinstance(node, ast.JoinedStr):
        inner = [one.value for one in node.values if isinstance(one, ast.FormattedValue)]
        return all(isinstance(one, ast.Name) and one.id.isupper() for one in inner)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


class TestTheProgram:
    def test_starts_others_from_a_list_of_words_and_never_by_a_shell(self) -> None:
        starts = [(name, call) for name, what, call in CALLS if what.startswith(("subprocess.run", "subprocess.Popen"))]
        assert {name for name, _ in starts} == {"flows/backups.py", "flows/serving.py"}
        assert not [name for name, call in starts if any(one.arg == "shell" for one in call.keywords)]
        assert not [name for name, call in starts if isinstance(call.args[0], ast.Constant | ast.JoinedStr)]
        shells = re.compile(
            r"os\.(system|popen|exec\w*|spawn\w*)|subprocess\.(getoutput|getstatusoutput|call)|pty\.spawn"
        )
        assert [name for name, what, _ in CALLS if shells.fullmatch(what)] == []

    def test_runs_no_text_as_code(self) -> None:
        never = re.compile(r"eval|exec|compile|__import__")
        assert [(name, what) for name, what, _ in CALLS if never.fullmatch(what)] == []

    def test_reads_no_objects_from_bytes_but_from_an_unnamed_file_of_its_own(self) -> None:
        objects = re.compile(r"(pickle|marshal|shelve|dill|jsonpickle)\.\w+")
        found = {(name, what) for name, what, _ in CALLS if objects.fullmatch(what)}
        own = "flows/statement_parts.py"
        assert found == {(own, "pickle.dump"), (own, "pickle.load")}
        assert "_file: Any = field(default_factory=TemporaryFile)" in (ROOT / own).read_text("utf-8")

    def test_reads_yaml_by_safe_loaders_only(self) -> None:
        loads = [(name, call) for name, what, call in CALLS if re.fullmatch(r"yaml\.\w*load\w*", what)]
        safe = {"lifecycle/imports/mapping.py", "notifications/messages.py", "notifications/words.py"}
        assert {name for name, call in loads if ast.unparse(call.func) != "yaml.safe_load"} == safe
        assert issubclass(mapping._StrictLoader, yaml.SafeLoader)
        for name in safe - {"lifecycle/imports/mapping.py"}:
            assert re.search(r"loader = .*C?SafeLoader", (ROOT / name).read_text("utf-8")), name

    def test_reads_no_xml_by_a_parser_without_guards(self) -> None:
        parsers = re.compile(
            r"^\s*(?:from|import) (?:xml\.(?:dom|sax|etree)(?!\.saxutils)|lxml)\S*(?: import (.*))?$", re.MULTILINE
        )
        taken = {
            name for path in MODULES for line in parsers.findall(path.read_text("utf-8")) for name in line.split(", ")
        }
        assert taken <= {"Element", "TreeBuilder", "ParseError", "quoteattr", "escape"}

    def test_builds_no_pattern_of_what_people_type(self) -> None:
        patterns = [
            (name, ast.unparse(call.args[0]))
            for name, what, call in CALLS
            if re.fullmatch(r"re\.(compile|match|fullmatch|search|sub|split|findall|finditer)", what)
            and not is_written_by_us(call.args[0])
        ]
        assert patterns == [("models/money.py", ANY)]  # of its own list of signs

    def test_draws_every_secret_with_128_bits_or_more(self) -> None:
        drawn = [(name, call) for name, what, call in CALLS if re.fullmatch(r"secrets\.token_\w+", what)]
        assert len(drawn) >= 10
        few = [
            name
            for name, call in drawn
            if isinstance(call.args[0], ast.Constant) and int(ast.literal_eval(call.args[0])) < 16
        ]
        assert few == []
        others = re.compile(r"^\s*(from|import) random\b", re.MULTILINE)
        loose = {path.relative_to(ROOT).as_posix() for path in MODULES if others.search(path.read_text("utf-8"))}
        assert loose == {"models/ids.py", "models/db.py"}  # of rehearsals, and how long a transaction waits

    def test_asks_nobody_for_a_hint_or_a_secret_question(self) -> None:
        from models.tables import metadata  # noqa: PLC0415 - every table, once

        asked = re.compile(r"hint|question|maiden|favou?rite")
        assert [f"{table}.{column.name}" for table in metadata.tables.values() for column in table.columns
                if table.name in ("app_user", "credential") and asked.search(column.name)] == []  # fmt: skip


class TestTheScript:
    @pytest.mark.parametrize(
        "never",
        ["localStorage", "sessionStorage", "indexedDB", "document.cookie", "caches.", "serviceWorker"],
    )
    def test_keeps_nothing_in_the_browser(self, never: str) -> None:
        assert never not in SCRIPT

    @pytest.mark.parametrize(
        "never",
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "new Function", "__proto__",
         "constructor[", "postMessage", "JSON.parse"],
    )  # fmt: skip
    def test_makes_no_page_and_no_object_of_a_text(self, never: str) -> None:
        assert never not in SCRIPT

    def test_shows_an_answer_of_its_own_place_whole_and_writes_nothing_else(self) -> None:
        assert re.findall(r"document\.write\((.*?)\)", SCRIPT) == ["request.responseText"]
        assert "request.responseURL !== form.action" in SCRIPT

    def test_assigns_only_under_names_that_are_written_here(self) -> None:
        assert re.findall(r"Object\.assign\(([^)]*)", SCRIPT) == ["bar, { max: event.total, value: event.loaded }"]

    def test_writes_into_no_object_under_a_name_that_somebody_types(self) -> None:
        assert re.findall(r"\w\[[^\]\"'`]+\]\s*=[^=]", SCRIPT) == []
