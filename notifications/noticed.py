"""Which requirements a completion notice has given its own day, as a condition of statements."""

from typing import Any

from sqlalchemy import ColumnElement, String, Text, cast, exists, literal, type_coerce

from models.projects import Requirement
from models.reading import table_of
from models.reviews import CompletionNotice
from models.states import VerdictState


def is_unmet(requirement: Any) -> ColumnElement[bool]:
    """Say that a requirement is not met as it was judged last."""
    unmet: ColumnElement[bool] = requirement.c.verdict.not_in((VerdictState.MET, VerdictState.WAIVED))
    return unmet


def is_in_notice(requirement: Any) -> ColumnElement[bool]:
    """Say that the firm alone owes a requirement and an open completion notice names it: the notice's day counts."""
    notice = table_of(CompletionNotice)
    named = cast(notice.c.clauses, Text).contains(literal('"', Text) + requirement.c.clause + literal('"', Text))
    return exists().where(
        notice.c.project_id == requirement.c.project_id,
        notice.c.stage_run_id == requirement.c.stage_run_id,
        notice.c.answered_on.is_(None),
        type_coerce(requirement.c.owed_by, String) == "sme",  # within, so that PostgreSQL joins what is left out
        named,
    )


def has_day_of_notice(requirement_id: Any) -> ColumnElement[bool]:
    """Say of an id that its requirement is still unmet and has the day of a notice."""
    row = table_of(Requirement)
    return exists().where(row.c.id == requirement_id, is_unmet(row), is_in_notice(row))
