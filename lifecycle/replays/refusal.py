"""Why a log is not replayed: file, place in it and rule. Sentences in `notifications/locale/replays.yaml`."""

from collections.abc import Iterator
from contextlib import contextmanager

from lifecycle.errors import Invalid, Unmet
from lifecycle.imports.problems import Unreadable


class LogRefused(Invalid):
    """A log breaks a rule; nothing of it is replayed. `place` is `line 12`, `row 3`, or empty for the whole file."""

    def __init__(self, code: str, *, file: str, rule: str, place: str = "", **values: str | int) -> None:
        self.place, self.rule = place, rule
        super().__init__(Unmet(code=code, values={"file": file, "place": place or file, "rule": rule, **values}))


_CODES = {
    "encoding_unknown": "log_encoding",
    "archive_ratio": "log_too_dense",
    "archive_total": "log_too_large",
    "gzip_damaged": "log_damaged",
}
"""Reader's code -> ours, whose sentence names file and place; every other one is a table that cannot be read."""


@contextmanager
def naming(file: str) -> Iterator[None]:
    """Turn what a reader of tables or archives finds wrong into a refusal that names the file."""
    try:
        yield
    except Unreadable as problem:
        place = "" if problem.row is None else f"row {problem.row}"
        values = {name: problem.params[name] for name in ("limit", "encoding") if name in problem.params}
        code = _CODES.get(problem.code, "log_table_wrong")
        raise LogRefused(code, file=file, rule=problem.rule, place=place, **values) from None
