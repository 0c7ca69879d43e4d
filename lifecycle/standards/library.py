"""The published packs: read from their files, named, hashed.

A pack is a folder of `pack.yaml`, one file for each stage, and `funds.yaml`. A pack that is `based_on` another writes
down only what it changes: a stage's key, a whole criterion, a whole evidence type, a key of the fund rules (decision 9,
`a-layer-writes-what-it-changes`).
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from lifecycle.standards.funds import FundRules
from lifecycle.standards.pack import EvidenceType, Pack, Stage
from lifecycle.standards.part import PackPart
from lifecycle.standards.problem import Problem, line_of
from models.states import STAGES, ProjectState

PACKS = Path(__file__).parent / "packs"
_NAME = re.compile(r"[a-z][a-z0-9-]*@(?:[0-9]{4}|v[0-9]+)\.[0-9]+")
WHOLE = "pack.yaml"
REST = "rest"
"""Key of a text that names the version whose gates it leaves out."""
_LARGEST_FILE = 1_000_000
_DEEPEST = 30
_Part = TypeVar("_Part", bound=PackPart)


class BadPack(ValueError):
    """The files of a standard pack do not describe a pack."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


class UnknownPack(LookupError):
    """No pack was published under this name."""


class StageFile(PackPart):
    """The two things a stage file holds."""

    evidence_types: tuple[EvidenceType, ...]
    stage: Stage


def default() -> Pack:
    """Return the default standard: five stages, 57 criteria."""
    return by_name("default@2026.1")


def bare() -> Pack:
    """Return the five stages that ask for nothing, for rehearsals only."""
    return by_name("bare@2026.1")


@cache
def by_name(name: str) -> Pack:
    """Return the published pack `code@version`; raises `UnknownPack`, or `BadPack` when its files are wrong."""
    return _published(name, seen=())


@cache
def shipped() -> frozenset[str]:
    """Return the hashes of the packs that come with the program."""
    names = (path.name.rpartition("-") for path in PACKS.iterdir() if path.is_dir())
    return frozenset(sha256(by_name(f"{code}@{version}")) for code, _, version in names)


def is_shipped(digest: str) -> bool:
    """Say whether a pack of this hash comes with the program."""
    return digest in shipped()


def from_text(text: str, rest: Callable[[str], Pack | None]) -> tuple[Pack, Mapping[str, str]]:
    """Read a pack from one YAML document, as a page exports it; return it with the line of every path.

    A text may name a published version (`rest: default@2026.1`, which `rest` finds): what it leaves out at its top is
    that version's, and so is each gate of which it writes no stage. Raises `BadPack` with every problem found.
    """
    read = _parsed(text.encode(), Path(WHOLE))
    lines = {place.removeprefix("stages/"): line for place, line in read.lines.items()}
    name = read.data.get(REST)
    if name is None:
        return _validated(Pack, read.data, read), lines
    base = rest(str(name))
    if base is None:
        raise BadPack([_problem(read, "pack_base_unknown", REST, name=str(name))])
    own = {key: value for key, value in read.data.items() if key != REST}
    return _validated(Pack, _with_rest(own, base), read), lines


def is_readable(text: str) -> bool:
    """Say whether a text is YAML that may be taken apart, whatever it says."""
    try:
        return bool(_parsed(text.encode(), Path(WHOLE)))
    except BadPack:
        return False


def load(directory: Path) -> Pack:
    """Read the pack in this folder; raises `BadPack` with every problem found, each with file, line, path and rule."""
    return _load(directory, seen=())


def load_stage(path: Path) -> StageFile:
    """Read one stage file by itself; raises `BadPack`."""
    read = _read(path)
    return _validated(StageFile, read.data, read)


def sha256(pack: Pack) -> str:
    """Return the SHA-256 of the pack's canonical JSON (UTF-8, sorted keys, no blanks) as 64 hexadecimal digits.

    Thresholds may be floats: they are written in the shortest form that reads back as the same number, and a whole
    one as an integer, so that a round through a database column changes no hash. NaN and infinity raise `ValueError`.
    """
    plain = _with_whole_numbers_as_integers(pack.canonical())
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def lines(directory: Path) -> dict[str, str]:
    """Return for every path of the pack's own files where it stands: `intake/criteria/G1.4` -> `intake.yaml:210`."""
    found: dict[str, str] = {}
    for path in sorted(directory.glob("*.yaml")):
        found |= _read(path).lines
    return found


@dataclass(frozen=True, slots=True)
class _File:
    """One YAML file: its data, and the line of each path in it."""

    name: str
    data: Mapping[str, Any]
    lines: Mapping[str, str]


def _published(name: str, *, seen: tuple[str, ...]) -> Pack:
    directory = PACKS / name.replace("@", "-")
    if not _NAME.fullmatch(name) or not (directory / "pack.yaml").is_file():
        raise UnknownPack(name)
    pack = _load(directory, seen=(*seen, name))
    if f"{pack.code}@{pack.version}" != name:
        raise BadPack([Problem(code="pack_name_is_not_its_folder", path="code", values={"folder": directory.name})])
    return pack


def _load(directory: Path, *, seen: tuple[str, ...]) -> Pack:
    head = _read(directory / "pack.yaml")
    if own := {"stages", "evidence_types", "funds"} & set(head.data):
        raise BadPack([_problem(head, "pack_head_holds_stages", min(own))])
    base = _base(head, seen)
    parts: list[StageFile] = []
    problems: list[Problem] = []
    for stage in STAGES:
        try:
            parts.append(_stage_file(directory / f"{stage}.yaml", stage, base))
        except BadPack as bad:
            problems.extend(bad.problems)
    try:
        funds = _funds(directory / "funds.yaml", base)
    except BadPack as bad:
        problems.extend(bad.problems)
    if problems:
        raise BadPack(problems)
    whole = {
        **head.data,
        "evidence_types": tuple(kind for part in parts for kind in part.evidence_types),
        "stages": tuple(part.stage for part in parts),
        "funds": funds,
    }
    return _validated(Pack, whole, head)


def _base(head: _File, seen: tuple[str, ...]) -> Pack | None:
    name = head.data.get("based_on")
    if name is None:
        return None
    if name in seen:
        raise BadPack([_problem(head, "pack_based_on_itself", "based_on", name=name)])
    try:
        return _published(str(name), seen=seen)
    except UnknownPack as unknown:
        raise BadPack([_problem(head, "pack_base_unknown", "based_on", name=name)]) from unknown


def _stage_file(path: Path, stage: ProjectState, base: Pack | None) -> StageFile:
    """Return the file's stage; what the file of a layer leaves out is the base's, word for word."""
    if base is None:
        part = load_stage(path)
    else:
        unchanged = base.stage(stage)
        kinds = tuple(kind for kind in base.evidence_types if kind.gate == unchanged.gate)
        whole = StageFile(evidence_types=kinds, stage=unchanged)
        if not path.exists():
            return whole
        read = _read(path)
        part = _validated(StageFile, _completed(read.data, whole), read)
    if part.stage.id != stage:
        raise BadPack([Problem(code="stage_is_not_its_file", path=f"{stage}/id", line=path.name)])
    return part


def _funds(path: Path, base: Pack | None) -> FundRules:
    """Return the fund rules; a key that the file of a layer leaves out is the base's, and so is the whole file."""
    if base is None:
        read = _read(path)
        return _validated(FundRules, read.data, read)
    if not path.exists():
        return base.funds
    read = _read(path)
    return _validated(FundRules, {**base.funds.model_dump(mode="json"), **read.data}, read)


def _completed(own: Mapping[str, Any], base: StageFile) -> Mapping[str, Any]:
    """Return the file of a layer with everything it does not name; what is no stage file at all comes back as it is."""
    stage, kinds = own.get("stage"), own.get("evidence_types", [])
    criteria = stage.get("criteria", []) if isinstance(stage, Mapping) else None
    if not isinstance(stage, Mapping) or not isinstance(kinds, list) or not isinstance(criteria, list):
        return own
    whole = base.model_dump(mode="json")
    return {
        **own,
        "evidence_types": _replaced(whole["evidence_types"], kinds),
        "stage": {**whole["stage"], **stage, "criteria": _replaced(whole["stage"]["criteria"], criteria)},
    }


def _with_rest(own: Mapping[str, Any], base: Pack) -> Mapping[str, Any]:
    """Return what a text says, with the gates of which it writes no stage; what is no pack comes back as it is."""
    stages, kinds, whole = own.get("stages", []), own.get("evidence_types", []), base.model_dump(mode="json")
    if not all(isinstance(part, list) and all(isinstance(one, Mapping) for one in part) for part in (stages, kinds)):
        return own
    mine, named = {str(one.get("gate")): one for one in stages}, {str(one.get("id")) for one in kinds}
    kept = [one for one in whole["evidence_types"] if one["gate"] not in mine and one["id"] not in named]
    order = {one["gate"]: place for place, one in enumerate(whole["stages"])}
    return {
        **whole,
        **own,
        "evidence_types": sorted([*kept, *kinds], key=lambda one: order.get(str(one.get("gate")), len(order))),
        "stages": [*(mine.pop(one["gate"], one) for one in whole["stages"]), *mine.values()],
    }


def _replaced(base: list[Any], own: list[Any]) -> list[Any]:
    """Return the items of the base, each replaced as a whole by the own one of the same id; new ones come last."""
    mine = {item.get("id"): item for item in own if isinstance(item, Mapping)}
    kept = [mine.pop(item["id"], item) for item in base]
    return [*kept, *mine.values(), *(item for item in own if not isinstance(item, Mapping))]


def _read(path: Path) -> _File:
    try:
        return _parsed(path.read_bytes(), path)
    except FileNotFoundError as absent:
        raise BadPack([Problem(code="file_missing", path=path.stem, line=path.name)]) from absent


def _parsed(raw: bytes, path: Path) -> _File:
    """Parse one document once, for its data and its lines; refuses what YAML would swallow silently."""
    try:
        if len(raw) > _LARGEST_FILE:
            raise BadPack([Problem(code="file_too_large", path=path.stem, values={"limit": 1}, line=path.name)])
        text = raw.decode()
        _refuse_traps(text, path)
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise BadPack([Problem(code="file_is_no_mapping", path=path.stem, line=path.name)])
        _refuse_repeats(node, path)
        found = {place: f"{path.name}:{line}" for place, line in _places(node, _root(path))}
        return _File(path.name, loader.construct_document(node), found)
    except UnicodeDecodeError as wrong:
        raise BadPack([Problem(code="file_is_not_utf8", path=path.stem, line=path.name)]) from wrong
    except yaml.MarkedYAMLError as wrong:
        line = f"{path.name}:{wrong.problem_mark.line + 1}" if wrong.problem_mark else path.name
        values = {"rule": str(wrong.problem)}
        raise BadPack([Problem(code="file_is_no_yaml", path=path.stem, values=values, line=line)]) from wrong
    except yaml.YAMLError as wrong:
        values = {"rule": type(wrong).__name__}
        raise BadPack([Problem(code="file_is_no_yaml", path=path.stem, values=values, line=path.name)]) from wrong


def _refuse_traps(text: str, path: Path) -> None:
    """Raise for aliases (a few nested ones unfold to gigabytes) and for a nesting that would exhaust the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event.start_mark, path, "alias_in_file")
        if depth > _DEEPEST:
            raise _refused(event.start_mark, path, "file_too_deep")


def _refuse_repeats(node: yaml.Node, path: Path) -> None:
    """Raise when a key stands twice in one mapping: YAML would keep the last one and say nothing."""
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused(key.start_mark, path, "key_is_no_word")
            if key.value in keys:
                raise _refused(key.start_mark, path, "key_repeated", key=key.value)
            keys.add(key.value)
            _refuse_repeats(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeats(item, path)


def _refused(mark: Any, path: Path, code: str, **values: object) -> BadPack:
    line = f"{path.name}:{mark.line + 1}"
    return BadPack([Problem(code=code, path=path.stem, values=values, line=line)])


def _root(path: Path) -> str:
    return "" if path.stem == "pack" else path.stem


def _places(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
    """Yield path and line of everything under this node; items of a list go by their id or name, else by number."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = _under(path, str(key.value))
            yield place, key.start_mark.line + 1
            yield from _places(value, place)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            pairs = item.value if isinstance(item, yaml.MappingNode) else []
            named = {key.value: value.value for key, value in pairs if key.value in {"id", "name", "code"}}
            place = f"{path}/{_name(named, number)}"
            yield place, item.start_mark.line + 1
            yield from _places(item, place)


def _name(item: Mapping[str, Any], number: int) -> object:
    """Return what an item of a list goes by: its id, name or code, else its number."""
    return next((item[key] for key in ("id", "name", "code") if key in item), number)


def _under(path: str, key: str) -> str:
    """Join path and key; the two top keys of a stage file say nothing of their own."""
    if key == "stage" and "/" not in path:
        return path
    return "evidence_types" if key == "evidence_types" else f"{path}/{key}" if path else key


def _validated(model: type[_Part], data: Mapping[str, Any], read: _File) -> _Part:
    try:
        return model.model_validate(data)
    except ValidationError as wrong:
        found = [
            _problem(read, "value_breaks_rule", _named(error["loc"], data, read.name), rule=error["msg"])
            for error in wrong.errors(include_url=False)
        ]
        raise BadPack(found) from wrong


def _problem(read: _File, code: str, path: str, **values: object) -> Problem:
    return Problem(code=code, path=path, values=values, line=line_of(path, read.lines) or read.name)


def _named(location: tuple[int | str, ...], data: object, file: str) -> str:
    """Return a place given by numbers (`stage, criteria, 3, due`) by names (`intake/criteria/G1.4/due`)."""
    path = _root(Path(file))
    for step in location:
        data = _step(data, step)
        if isinstance(step, str):
            path = _under(path, step)
        else:
            named = data if isinstance(data, Mapping) else {}
            path = f"{path}/{_name(named, step)}"
    return path


def _step(data: object, step: int | str) -> object:
    if isinstance(data, Mapping):
        return data.get(step)
    if isinstance(data, Sequence) and isinstance(step, int) and step < len(data):
        return data[step]
    return None


def _with_whole_numbers_as_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_whole_numbers_as_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers_as_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
