"""What happened last to projects, of what their firms wait for: the newest such act of each. Read-only."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from models.journal import AuditRecord
from models.projects import Project
from models.reading import table_of
from models.reviews import Review

DECIDED = "review.decide"
STEPS = (
    *("project.register", "project.import", "project.submit", "project.add_evidence", "project.judge_requirement"),
    *("project.confirm_waiver", "project.issue_notice", "project.answer_notice", "project.call_review"),
    *("project.advance", "project.recycle", "project.hold", "project.resume", "project.accept_transfer"),
    *("project.add_batch", "project.close_batch", "project.withdraw", "project.stop"),
)
"""Acts on a project by which its firm sees that something went on; `DECIDED` is one more, of its reviews."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act that was carried out."""

    action: str
    at: datetime
    to_state: str
    detail: Mapping[str, Any]
    """What was said with it."""


def last_steps(session: Session, project_ids: Collection[UUID]) -> dict[UUID, Step]:
    """Return project -> its newest step; two statements for any number of projects, each read from its own end."""
    if not project_ids:
        return {}
    audit, project, review = table_of(AuditRecord), table_of(Project), table_of(Review)
    own = (audit.c.object_type == "project", audit.c.object_id == project.c.id, audit.c.action.in_(STEPS))
    act = select(audit.c.seq).where(*own).order_by(audit.c.chain_seq.desc()).limit(1).correlate(project)
    of_review = (audit.c.object_type == "review", audit.c.object_id == review.c.id, audit.c.action == DECIDED)
    decided = select(func.max(audit.c.seq)).select_from(audit.join(review, review.c.id == audit.c.object_id))
    decided = decided.where(*of_review, review.c.project_id == project.c.id).correlate(project)
    ends = select(project.c.id, act.scalar_subquery(), decided.scalar_subquery()).where(project.c.id.in_(project_ids))
    newest = {max(one for one in seqs if one): key for key, *seqs in session.execute(ends) if any(seqs)}
    columns = (audit.c.seq, audit.c.action, audit.c.at, audit.c.to_state, audit.c.body)
    return {
        newest[row.seq]: Step(
            action=row.action, at=row.at, to_state=row.to_state, detail=json.loads(row.body)["detail"]
        )
        for row in session.execute(select(*columns).where(audit.c.seq.in_(newest)))
    }
