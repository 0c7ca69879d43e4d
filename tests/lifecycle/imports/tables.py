"""Small tables and mappings that the tests of this folder write for themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import yaml

from lifecycle.imports.mapping import Mapping, load_mapping
from lifecycle.imports.rows import Outcome, ProjectRow, RowError, read_projects

HEADER = ["no", "title", "firm", "code", "day", "trl", "mrl", "sum"]
GOOD = ["P1", "Cooking robot", "Kitchen Works", "9144030071526726XG", "2025-07-08", "5", "4", "1200.50"]
BASE: dict[str, Any] = {
    "source": "book",
    "about": {"zh": "试", "en": "a test"},
    "row_key": ["no"],
    "stages": [{"stage": "intake", "why": {"zh": "都在受理", "en": "all are in intake"}}],
    "columns": [
        {"column": "title", "to": "name"},
        {"column": "firm", "to": "organisation"},
        {"column": "code", "to": "credit_code"},
        {"column": "day", "to": "received_on", "formats": ["YYYY-MM-DD"]},
        {"column": "trl", "to": "trl_current"},
        {"column": "mrl", "to": "mrl"},
        {"column": "sum", "to": "money", "label": "grant", "currency": "CNY"},
    ],
}


def mapping(tmp_path: Path, **changes: object) -> Mapping:
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump({**BASE, **changes}, allow_unicode=True), encoding="utf-8")
    return load_mapping(path)


def csv_file(tmp_path: Path, rows: Sequence[Sequence[str]], *, encoding: str = "utf-8", name: str = "book.csv") -> Path:
    path = tmp_path / name
    text = "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)
    path.write_bytes(text.encode(encoding))
    return path


def xlsx_file(tmp_path: Path, rows: Sequence[Sequence[object]]) -> tuple[Path, Any]:
    """Return where the book will stand, and the book: the test changes it and saves it there."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))  # type: ignore[union-attr]
    return tmp_path / "book.xlsx", book


def good(**changes: str) -> list[str]:
    return [changes.get(name, cell) for name, cell in zip(HEADER, GOOD, strict=True)]


def outcomes(path: Path, how: Mapping) -> list[Outcome]:
    return list(read_projects(path, how))


def errors(path: Path, how: Mapping) -> list[RowError]:
    return [item for item in read_projects(path, how) if isinstance(item, RowError)]


def codes(path: Path, how: Mapping) -> list[tuple[int | None, str | None, str]]:
    return [(error.row, error.column, error.code) for error in errors(path, how)]


def only_project(path: Path, how: Mapping) -> ProjectRow:
    (project,) = outcomes(path, how)
    assert isinstance(project, ProjectRow), project
    return project
