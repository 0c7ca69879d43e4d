"""What nobody needs any more: orphan files, leases that are over, tokens and runs of long ago. Also evidence files."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.engine import CursorResult
from sqlmodel import Session

from flows.claims import end_claims
from flows.soundness import broken_effect
from flows.turns import Effect, Outcome, Turn
from lifecycle import recovery
from lifecycle.invariants.check import check, with_evidence_files
from lifecycle.schedules.times import SCHEDULES
from models.access import Challenge, SignInAttempt, WebSession
from models.db import reading, run_in_transaction
from models.evidence import Upload
from models.file_store import EvidenceFiles
from models.limits import UPLOAD_DAY
from models.people import ApiToken
from models.reading import table_of
from models.runs import ScheduledRun
from models.states import SlotStatus

TOKEN_AGE = timedelta(days=90)
"""How long a token that ended stays, for who asks which one it was."""
ATTEMPT_AGE = timedelta(days=1)
"""How long a try to sign in stays: the longest window in which tries are counted."""
SESSION_AGE = timedelta(days=90)
"""How long a session that ended stays, for who asks where somebody was signed in; the audit trail has it for good."""
IDLE_RUN_AGE = timedelta(days=30)
"""How long the row of a run that found nothing stays; one that did something stays for good."""
_PLANNED = ("", "merged")
"""Reasons in the rows of slots that nobody asked for."""
_OFTEN = tuple(one.id for one in SCHEDULES if one.when.every_minutes)


def housekeeping(turn: Turn) -> Outcome:
    """Remove what is left over, then read every evidence file."""
    files = EvidenceFiles(turn.settings.evidence_place())
    removed = run_in_transaction(turn.engine, lambda session: _removed(session, turn))
    old = list(files.old_files(recovery.ORPHAN_AGE))
    with reading(turn.engine) as session:
        found = recovery.look(session, old, today=turn.stamp.today)
    swept = recovery.sweep(found, files, now=turn.stamp.now)
    removed |= swept["swept"]
    failed = [
        Effect(effect="failed", object_type=one["object_type"], object_id=one["object_id"], detail=one["error"])
        for one in swept["failed"]
    ]
    if not turn.is_over():
        with reading(turn.engine) as session:
            report = with_evidence_files(check(session, (), now=turn.stamp.now), files)
        failed += [broken_effect(one) for one in report.results if not one.is_ok]
    done = [Effect(effect="removed", object_type=name, detail=str(count)) for name, count in removed.items() if count]
    count = sum(removed.values())
    return Outcome(
        found=count + len(failed),
        done=count,
        failed=len(failed),
        effects=(*failed, *done),
        counts=removed,
        is_cut=turn.is_over(),
    )


def _removed(session: Session, turn: Turn) -> dict[str, int]:
    token, run = table_of(ApiToken), table_of(ScheduledRun)
    ended = turn.stamp.now - TOKEN_AGE
    old = or_(token.c.expires_at < ended, token.c.revoked_at < ended)
    idle = (
        run.c.schedule_id.in_(_OFTEN),
        run.c.started_at < turn.stamp.now - IDLE_RUN_AGE,
        run.c.status.in_((SlotStatus.DONE, SlotStatus.MERGED)),
        run.c.found_count == 0,
        run.c.done_count == 0,
        run.c.refused_count == 0,
        run.c.failed_count == 0,
        run.c.why.in_(_PLANNED),
        _is_followed(run),
    )
    return {
        "token": _count(session, delete(token).where(old)),
        **{name: _count(session, statement) for name, statement in _of_doors(turn).items()},
        "slot": _count(session, delete(run).where(*idle)),
        "claim": end_claims(session),
    }


def _of_doors(turn: Turn) -> dict[str, Any]:
    """Return what is removed of the doors: files and tries that count no more, challenges, sessions of long ago."""
    attempt, challenge, web = table_of(SignInAttempt), table_of(Challenge), table_of(WebSession)
    upload = table_of(Upload)
    ended = turn.stamp.now - SESSION_AGE
    return {
        "upload": delete(upload).where(upload.c.at < turn.stamp.now - UPLOAD_DAY),
        "sign_in_attempt": delete(attempt).where(attempt.c.at < turn.stamp.now - ATTEMPT_AGE),
        "challenge": delete(challenge).where(challenge.c.expires_at < turn.stamp.now - ATTEMPT_AGE),
        "web_session": delete(web).where(or_(web.c.expires_at < ended, web.c.ended_at < ended)),
    }


def _is_followed(run: Any) -> Any:
    """Say that a later slot of the same schedule has a row: from the newest one its next slots are counted."""
    other = run.alias()
    same = (other.c.schedule_id == run.c.schedule_id, other.c.why.in_(_PLANNED))
    return select(other.c.id).where(*same, other.c.slot_at > run.c.slot_at).exists()


def _count(session: Session, statement: Any) -> int:
    result = session.execute(statement)
    assert isinstance(result, CursorResult)  # noqa: S101 - a DELETE has no other
    return result.rowcount
