"""Reviews for lists and pages."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from models.people import User
from models.projects import Project
from models.reviews import Condition, Objection, PanelMember, Review, Score
from models.states import ENDED


def reviews(session: Session, project_id: UUID | None = None) -> list[dict[str, Any]]:
    """Return the reviews of one project or of all, the newest first."""
    review, project = _table(Review), _table(Project)
    columns = ("id", "gate", "call_no", "state", "planned_on", "outcome", "decided_on")
    statement = (
        select(project.c.number, _times(), *(review.c[name] for name in columns))
        .join(project, project.c.id == review.c.project_id)
        .order_by(review.c.id.desc())
    )
    return _plain(session.execute(statement if project_id is None else statement.where(project.c.id == project_id)))


def review_in_full(session: Session, review_id: UUID) -> dict[str, Any]:
    """Return one review with its panel, the means of its scores, its conditions and objections."""
    review, project = _table(Review), _table(Project)
    statement = (
        select(project.c.number, _times(), review)
        .join(project, project.c.id == review.c.project_id)
        .where(review.c.id == review_id)
    )
    (facts,) = _plain(session.execute(statement))
    hidden = ("audit_seq", "audit_head")
    panel = _plain(session.execute(_panel(review_id)))
    return {
        **{key: value for key, value in facts.items() if key not in hidden},
        "panel": panel,
        "competences_lost": _lost(panel),
        "scores": _plain(session.execute(_scores(review_id))),
        "conditions": _plain(session.execute(_conditions(review_id))),
        "objections": _plain(session.execute(_objections(review_id))),
    }


def _times() -> Any:
    """Return the column that says which review of its project at its gate one is, over all visits of the stage."""
    review, other = _table(Review), _table(Review).alias("other")
    same = (other.c.project_id == review.c.project_id, other.c.gate == review.c.gate, other.c.id <= review.c.id)
    return select(func.count()).select_from(other).where(*same).correlate(review).scalar_subquery().label("times")


def conditions_of(session: Session, user_id: UUID) -> list[dict[str, Any]]:
    """Return the conditions that this user still owes."""
    condition, project = _table(Condition), _table(Project)
    columns = (condition.c.due_on, project.c.number, project.c.name, condition.c.clause, condition.c.note)
    statement = (
        select(*columns)
        .join(project, project.c.id == condition.c.project_id)
        .where(condition.c.owner_id == user_id, condition.c.cleared_on.is_(None), project.c.stage.not_in(ENDED))
    )
    return _plain(session.execute(statement.order_by(condition.c.due_on, project.c.number)))


def _lost(panel: list[dict[str, Any]]) -> list[str]:
    """Return the competences that only those brought who have stepped aside: the panel decides without them."""
    voting = [seat for seat in panel if seat["has_vote"]]
    left = {word for seat in voting if seat["recused_on"] is None for word in seat["competences"]}
    return sorted({word for seat in voting for word in seat["competences"]} - left)


def _panel(review_id: UUID) -> Any:
    member, user = _table(PanelMember), _table(User)
    columns = ("role", "competences", "is_chair", "has_vote", "vote", "recused_on", "recused_reason")
    return (
        select(member.c.user_id, user.c.login, user.c.name, *(member.c[name] for name in columns))
        .join(user, user.c.id == member.c.user_id)
        .where(member.c.review_id == review_id)
        .order_by(member.c.is_chair.desc(), user.c.login)
    )


def _scores(review_id: UUID) -> Any:
    """Return the means of those whose votes count, as the tally has them: who stepped aside is heard no more."""
    score, member = _table(Score), _table(PanelMember)
    counts = member.c.has_vote & member.c.recused_on.is_(None) & member.c.vote.is_not(None)
    return (
        select(score.c.factor, func.avg(score.c.points).label("mean"), func.count().label("voters"))
        .join(member, member.c.id == score.c.member_id)
        .where(score.c.review_id == review_id, counts)
        .group_by(score.c.factor)
        .order_by(score.c.factor)
    )


def _conditions(review_id: UUID) -> Any:
    condition, user = _table(Condition), _table(User)
    return (
        select(
            condition.c.clause, user.c.name.label("owner"), condition.c.due_on, condition.c.cleared_on, condition.c.note
        )
        .join(user, user.c.id == condition.c.owner_id)
        .where(condition.c.review_id == review_id)
        .order_by(condition.c.clause)
    )


def _objections(review_id: UUID) -> Any:
    objection = _table(Objection)
    columns = ("id", "raised_by", "raised_on", "text", "is_upheld", "answer", "answered_on")
    chosen = select(*(objection.c[name] for name in columns)).where(objection.c.review_id == review_id)
    return chosen.order_by(objection.c.raised_on)


def _plain(rows: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 - the documented name of a row's mapping


def _table(model: Any) -> Any:
    return model.__table__
