"""What the bank answered: each file taken once and whole, every line matched, known already, or before two people.

A file is read and checked to its end before anything is written: one that turns out wrong at its last line leaves
nothing behind and goes to quarantine, and nobody waits meanwhile.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO
from uuid import UUID, uuid5

from sqlalchemy import Engine, func, select
from sqlmodel import Session

from flows.run_log import Level, note
from flows.statement_parts import Part, Parts, kept
from flows.turns import never
from flows.whose_files import fund_of, refuse_file_of_others, refuse_who_takes_no_files
from flows.workbooks import Answered, read_workbook
from lifecycle.banking.answers import Statement, StatementLine, Status, StatusReport, StatusWord
from lifecycle.banking.own_ids import SentByWhatIsLost, is_own
from lifecycle.banking.pain002 import refuse_other_order
from lifecycle.banking.reading import read_answer
from lifecycle.banking.refusal import BankFileRefused
from lifecycle.canonical import sha256
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.disbursement.commands import Freeze
from lifecycle.engine import execute
from lifecycle.payouts.batches import Doubt
from lifecycle.payouts.learning import Learn
from lifecycle.payouts.matching import Match, match, names_of
from lifecycle.payouts.moving import batch_moves
from lifecycle.payouts.quarantine import QuarantineFile
from lifecycle.payouts.register import register_of
from lifecycle.payouts.statements import ComparePosition, CompleteStatement, TakeLines, TakeStatement
from models.db import reading, run_in_transaction
from models.funds import Fund
from models.payouts import PaymentBatch, PaymentInstruction
from models.ports import BankChannel
from models.reading import rows_by, table_of
from models.statements import BankStatement
from models.statements import StatementLine as StoredLine
from models.states import BankEventKind, BankSource, LineStatus, PaymentBatchState, StatementStatus

_SPACE = UUID("2b0d9f0e-7a5b-5b57-9a3c-6d1f6b8f4c55")


class _TakenMeanwhile(Exception):
    """Another process has taken the same file since we looked."""


@dataclass(slots=True, kw_only=True)
class Taken:
    """What became of one file."""

    name: str
    sha256: str
    status: str = "imported"
    counts: dict[LineStatus, int] = field(default_factory=dict)
    why: BankFileRefused | None = None
    batches: set[UUID] = field(default_factory=set)

    def document(self) -> dict[str, Any]:
        """Return the file's part of the import document (`docs/contract.md` 3.5)."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "status": self.status,
            "matched": self.counts.get(LineStatus.MATCHED, 0),
            "duplicate": self.counts.get(LineStatus.DUPLICATE, 0),
            "exception": self.counts.get(LineStatus.EXCEPTION, 0),
            "why": None if self.why is None else str(self.why.codes[0]),
        }


def take_inbox(engine: Engine, bank: BankChannel, stamp: Stamp) -> list[Taken]:
    """Take every answer that lies there, and then doubt what stays unanswered."""
    found = take_answers(engine, bank, stamp)
    doubt_silent(engine, stamp)
    return found


def take_answers(
    engine: Engine, bank: BankChannel, stamp: Stamp, *, is_over: Callable[[], bool] = never
) -> list[Taken]:
    """Take every answer that lies there, oldest first, and file it away; asked to end, stop between two files."""
    found = []
    for inbound in bank.inbox():
        if is_over():
            break
        taken = take_file(engine, inbound.name, inbound.open, stamp)
        level: Level = "warn" if taken.status == "quarantined" else "info"
        note("file_taken", level, name=taken.name, state=taken.status, why=taken.why or "–")
        bank.file_away(inbound.name, "quarantine" if taken.status == "quarantined" else "done")
        found.append(taken)
    return found


def take_file(engine: Engine, name: str, open_it: Callable[[], BinaryIO], stamp: Stamp) -> Taken:
    """Take one file of the bank: imported, known already by its content, or quarantined with the reason.

    Raises `Forbidden` for who takes no files. One of a fund that the actor does not act for is quarantined whole.
    """
    with open_it() as stream:
        sha256 = _sha256(stream)
    taken = Taken(name=name, sha256=sha256)
    with reading(engine) as session:
        refuse_who_takes_no_files(session, stamp)
        if _is_there(session, sha256, StatementStatus.IMPORTED):
            taken.status = "duplicate"
            return taken

    def whose(head: Statement, lines: Sequence[StatementLine]) -> UUID:
        with reading(engine) as session:
            return fund_of(session, head, lines, stamp)

    try:
        with open_it() as stream:
            items = read_answer(name, stream).items
            parts = None if items is None else kept(items, sha256, whose)
        if parts is None:
            _take_words(engine, name, open_it, taken, stamp)
        else:
            with closing(parts):
                _take_parts(engine, parts, taken, stamp)
    except _TakenMeanwhile:
        taken.status, taken.counts = "duplicate", {}
    except BankFileRefused as refused:
        taken.status, taken.why, taken.counts = "quarantined", refused, {}
        _quarantine(engine, taken, stamp)
    return taken


def _is_there(session: Session, sha256: str, status: StatementStatus) -> bool:
    """Say whether a file was imported, or quarantined: then nothing was used, and what stopped it may be over."""
    statement = table_of(BankStatement)
    found = (statement.c.file_sha256 == sha256, statement.c.status == status)
    return session.execute(select(statement.c.id).where(*found).limit(1)).first() is not None


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _quarantine(engine: Engine, taken: Taken, stamp: Stamp) -> None:
    assert taken.why is not None  # noqa: S101 - called with a refusal only
    reason = taken.why.unmet[0]
    command = QuarantineFile(
        command_id=_key(taken.sha256, "quarantine"),
        file_name=taken.name,
        file_sha256=taken.sha256,
        code=reason.code,
        detail={key: str(value) for key, value in reason.values.items()},
    )

    def work(session: Session) -> None:
        told = [] if _is_there(session, taken.sha256, StatementStatus.QUARANTINED) else [command]
        answers = execute(session, [*told, *_stopping(taken)], stamp=stamp)
        _all_done(answers[: len(told)])

    run_in_transaction(engine, work)


def _stopping(taken: Taken) -> list[Command]:
    """Return what stops all disbursement where a message of ours is not known here; one stop for this is enough.

    What this database was restored from has sent it, and may have paid what is still to be paid here. A report names
    no account, so no single fund can be held (`safety.md` 2.9).
    """
    if not isinstance(taken.why, SentByWhatIsLost):
        return []
    reason = f"the bank answers what is not known here: {taken.why.unmet[0].values['found']}"
    return [Freeze(command_id=_key(taken.sha256, "lost"), reason=reason, code="restored")]


def _take_words(engine: Engine, name: str, open_it: Callable[[], BinaryIO], taken: Taken, stamp: Stamp) -> None:
    """Take a status report or a result workbook, which speak of one batch, in one transaction."""

    def work(session: Session) -> None:
        taken.batches = set()  # a transaction that lost a race begins anew
        with open_it() as stream:
            answer = read_answer(name, stream)
            if answer.report is not None:
                _take_report(session, answer.report, taken, stamp)
            else:
                _take_workbook(session, read_workbook(session, stream), taken, stamp)
        _batches_moved(session, taken, stamp)

    run_in_transaction(engine, work)
    _count(engine, taken)


def _take_parts(engine: Engine, parts: Parts, taken: Taken, stamp: Stamp) -> None:
    """Take statements part by part, so that nobody waits for the whole of a long one.

    A file of one part is there whole or not at all. A longer one says `importing` until its last part is there: what a
    process that died has left out, the next one brings.
    """
    status = StatementStatus.IMPORTED if parts.count == 1 else StatementStatus.IMPORTING
    seen: Counter[Any] = Counter()
    for part in parts:
        before = seen if part.first_place > 1 else Counter()

        def work(session: Session, part: Part = part, before: Counter[Any] = before) -> Counter[Any]:
            taken.batches = set()
            after = before.copy()
            _take_part(session, part, status, after, taken, stamp)
            _batches_moved(session, taken, stamp)
            return after

        seen = run_in_transaction(engine, work)
    if status is StatementStatus.IMPORTING:
        run_in_transaction(engine, lambda session: _completed(session, taken, stamp))
    _count(engine, taken)


def _take_part(
    session: Session, part: Part, status: StatementStatus, seen: Counter[Any], taken: Taken, stamp: Stamp
) -> None:
    begun = _begun(session, part, taken)
    fund = _locked(session, part.fund_id if begun is None else begun.fund_id)
    begun = begun or _begun(session, part, taken)  # by somebody else, while we waited for the fund
    if begun is not None and begun.status == StatementStatus.IMPORTED:
        raise _TakenMeanwhile
    statement_id = _head_taken(session, part, fund, status, taken, stamp) if begun is None else begun.id
    there = 0 if begun is None else max(0, _lines_there(session, begun.id) - part.first_place + 1)
    for line in part.lines[:there]:
        seen.update(names_of(line))
    if part.lines and there >= len(part.lines):
        return
    rest = replace(part, first_place=part.first_place + there, lines=part.lines[there:])
    found = match(rest.lines, register_of(session, fund, rest.lines, statement_id), seen=seen)
    _bookings_taken(session, rest, found, statement_id, taken, stamp)


def _begun(session: Session, part: Part, taken: Taken) -> Any:
    """Return the head of this part's statement, where somebody has written it down."""
    table = table_of(BankStatement)
    of_file = (table.c.file_sha256 == taken.sha256, table.c.statement_ref == part.ref)
    return session.execute(select(table).where(*of_file, table.c.status != StatementStatus.QUARANTINED)).first()


def _locked(session: Session, fund_id: UUID) -> Any:
    """Lock the fund before its bookings are read: else two files that tell of the same one both find it new."""
    fund = table_of(Fund)
    return session.execute(select(fund).where(fund.c.id == fund_id).with_for_update()).one()


def _lines_there(session: Session, statement_id: UUID) -> int:
    line = table_of(StoredLine)
    counted = select(func.count()).select_from(line).where(line.c.statement_id == statement_id)
    return int(session.execute(counted).scalar_one())


def _bookings_taken(
    session: Session, part: Part, found: Sequence[Match], statement_id: UUID, taken: Taken, stamp: Stamp
) -> None:
    if found:
        ids = _lines_taken(session, statement_id, part.first_place, found, taken, stamp)
        _learn(session, BankSource(part.head.source.value), found, ids, taken, stamp)
    if part.closes and part.head.closing_minor is not None:
        compare = ComparePosition(command_id=_key(taken.sha256, f"compare:{statement_id}"), statement_id=statement_id)
        _all_done(execute(session, [compare], stamp=stamp))


def _completed(session: Session, taken: Taken, stamp: Stamp) -> None:
    """Say of all statements of a file at once that they are there, and compare those that waited for them."""
    table = table_of(BankStatement)
    begun = (table.c.file_sha256 == taken.sha256, table.c.status == StatementStatus.IMPORTING)
    rows = session.execute(select(table.c.id, table.c.fund_id).where(*begun)).all()
    if not rows:
        raise _TakenMeanwhile
    complete = [
        CompleteStatement(command_id=_key(taken.sha256, f"complete:{row.id}"), statement_id=row.id) for row in rows
    ]
    _all_done(execute(session, complete, stamp=stamp))
    waiting = (
        table.c.fund_id.in_({row.fund_id for row in rows}),
        table.c.status == StatementStatus.IMPORTED,
        table.c.is_to_compare,
    )
    waited = session.execute(select(table.c.id).where(*waiting).order_by(table.c.at, table.c.id)).scalars()
    compare = [
        ComparePosition(command_id=_key(taken.sha256, f"compare-after:{one}"), statement_id=one) for one in waited
    ]
    _all_done(execute(session, compare, stamp=stamp))


def _batches_moved(session: Session, taken: Taken, stamp: Stamp) -> None:
    _all_done(execute(session, batch_moves(session, taken.batches), stamp=stamp))


def _count(engine: Engine, taken: Taken) -> None:
    """Count what became of the lines, whichever process wrote them."""
    line, statement = table_of(StoredLine), table_of(BankStatement)
    of_file = (statement.c.file_sha256 == taken.sha256, statement.c.status == StatementStatus.IMPORTED)
    counted = (
        select(line.c.status, func.count())
        .join(statement, statement.c.id == line.c.statement_id)
        .where(*of_file)
        .group_by(line.c.status)
    )
    with reading(engine) as session:
        taken.counts = {LineStatus(row[0]): int(row[1]) for row in session.execute(counted)}


def _head_taken(session: Session, part: Part, fund: Any, status: StatementStatus, taken: Taken, stamp: Stamp) -> UUID:
    head = part.head
    command = TakeStatement(
        command_id=_key(taken.sha256, f"take:{head.element}"),
        fund_id=fund.id,
        source=BankSource(head.source.value),
        account_number=head.account_number or fund.debtor_account,
        statement_ref=part.ref,
        file_name=taken.name,
        file_sha256=taken.sha256,
        currency=head.currency or fund.currency,
        sequence_no=head.sequence,
        opening_minor=head.opening_minor,
        closing_minor=head.closing_minor,
        booked_from_on=head.from_on,
        booked_until_on=head.to_on,
        status=status,
    )
    return _new_statement(session, command, stamp)


def _new_statement(session: Session, command: TakeStatement, stamp: Stamp) -> UUID:
    (answer,) = _all_done(execute(session, [command], stamp=stamp))
    if answer.is_replay:
        raise _TakenMeanwhile
    return UUID(answer.document["object_id"])


def _lines_taken(
    session: Session, statement_id: UUID, place: int, found: Sequence[Match], taken: Taken, stamp: Stamp
) -> list[UUID]:
    command = TakeLines(
        command_id=_key(taken.sha256, f"lines:{statement_id}:{place}"),
        statement_id=statement_id,
        first_place=place,
        found=tuple(found),
    )
    (answer,) = _all_done(execute(session, [command], stamp=stamp))
    return [UUID(text) for text in answer.document["line_ids"]]


def _why_returned(line: StatementLine, end_to_end_id: str) -> str | None:
    """Return why the bank sent a payment back, in its own code and words; None where it says nothing of it."""
    told = [one for one in line.details if one.is_return and one.end_to_end_id in (None, end_to_end_id)]
    words = (word for one in told for word in (one.return_code, one.return_reason) if word)
    return " ".join(dict.fromkeys(words)) or None


def _learn(
    session: Session, source: BankSource, found: Sequence[Match], ids: Sequence[UUID], taken: Taken, stamp: Stamp
) -> None:
    """Tell every instruction what its line says of it.

    What names a booking is the bank's own reference, of the line or of its part. The reference of the entry
    (`NtryRef`) may be a mere place in one statement, and then names other bookings in the next one. A line that says
    the same of one instruction twice has booked it twice: each has its place in its name.
    """
    commands: list[Command] = []
    for one, line_id in zip(found, ids, strict=True):
        said: Counter[str] = Counter()
        for intent in one.intents:
            if intent.instruction is None:
                continue
            taken.batches.add(intent.instruction.batch_id)
            said.update((word := f"{intent.instruction.id}:{intent.kind}",))
            commands.append(
                Learn(
                    command_id=_key(taken.sha256, f"{line_id}:{word}:{said[word]}"),
                    payout_id=intent.instruction.payout_id,
                    instruction_id=intent.instruction.id,
                    source=source,
                    kind=intent.kind,
                    amount_minor=intent.amount_minor,
                    bank_ref=_placed(one.line.bank_ref or intent.bank_ref, said[word]),
                    statement_line_id=line_id,
                    booked_on=one.line.booked_on,
                    content_hash=_part_hash(one.booking_hash, said[word]),
                    reason=_why_returned(one.line, intent.instruction.end_to_end_id),
                )
            )
    if commands:
        _all_done(execute(session, commands, stamp=stamp))


def _placed(bank_ref: str | None, place: int) -> str | None:
    """Return the reference of the so-manieth equal part of a line: the first bears the line's own."""
    return bank_ref if bank_ref is None or place == 1 else f"{bank_ref[:130]}#{place}"


def _part_hash(booking_hash: str, place: int) -> str:
    return booking_hash if place == 1 else sha256(f"{booking_hash}/{place}")


_WORDS = {Status.ACCEPTED: BankEventKind.ACKNOWLEDGE, Status.REJECTED: BankEventKind.REJECT}


def _take_report(session: Session, report: StatusReport, taken: Taken, stamp: Stamp) -> None:
    """Tell the instructions of one batch what the bank says of them before it books anything."""
    batch, fund = table_of(PaymentBatch), table_of(Fund)
    row = session.execute(select(batch).where(batch.c.msg_id == report.original_msg_id)).first()
    element = "Document/CstmrPmtStsRpt/OrgnlGrpInfAndSts/OrgnlMsgId"
    if row is None:
        found, rule = report.original_msg_id[:35], "a message of ours"
        refusal = SentByWhatIsLost if is_own(report.original_msg_id) else BankFileRefused
        raise refusal("bank_message_unknown", element=element, rule=rule, found=found)
    owner = session.execute(select(fund).where(fund.c.id == row.fund_id)).one()
    refuse_file_of_others(session, owner, element, stamp)
    instructions = rows_by(session, PaymentInstruction, "batch_id", [row.id], "end_to_end_id")[row.id]
    refuse_other_order(report, {one.end_to_end_id: one.amount_minor for one in instructions}, row.currency)
    take = TakeStatement(
        command_id=_key(taken.sha256, "take"),
        fund_id=owner.id,
        source=BankSource.PAIN002,
        account_number=owner.debtor_account,
        statement_ref=report.report_id,
        file_name=taken.name,
        file_sha256=taken.sha256,
        currency=owner.currency,
    )
    _new_statement(session, take, stamp)
    words = [(one, report.of(one.end_to_end_id, row.msg_id)) for one in instructions]
    taken.batches.add(row.id)
    _words_taken(session, BankSource.PAIN002, words, report.report_id, taken, stamp)


def _take_workbook(session: Session, answered: Answered, taken: Taken, stamp: Stamp) -> None:
    """Take what a result workbook books as a statement without balances, then its words on all other payments."""
    result = answered.result
    fund = rows_by(session, Fund, "id", [answered.batch.fund_id])[answered.batch.fund_id][0]
    refuse_file_of_others(session, fund, result.statement.element, stamp)
    ref = result.statement.statement_ref or f"{result.statement.element}:{taken.sha256[:12]}"
    lines = tuple(one for one in result.lines if one.is_booking)
    part = Part(head=result.statement, ref=ref, fund_id=fund.id, first_place=1, lines=lines, closes=True)
    _take_part(session, part, StatementStatus.IMPORTED, Counter(), taken, stamp)
    by_end = {row.end_to_end_id: row for row in answered.instructions}
    words = [(by_end[one.end_to_end_id], one.word) for one in result.words]
    taken.batches.add(answered.batch.id)
    _words_taken(session, BankSource.BANK_EXCEL, words, None, taken, stamp)


def _words_taken(
    session: Session,
    source: BankSource,
    words: Sequence[tuple[Any, StatusWord | None]],
    bank_ref: str | None,
    taken: Taken,
    stamp: Stamp,
) -> None:
    """Tell instructions what the bank says of them without a booking."""
    commands = [
        Learn(
            command_id=_key(taken.sha256, f"{one.id}:{_WORDS[word.status]}"),
            payout_id=one.payout_id,
            instruction_id=one.id,
            source=source,
            kind=_WORDS[word.status],
            amount_minor=one.amount_minor,
            bank_ref=bank_ref,
            content_hash=taken.sha256,
            reason=" ".join(filter(None, (word.reason_code, word.reason))) or None,
        )
        for one, word in words
        if word is not None and word.status in _WORDS
    ]
    if commands:
        _all_done(execute(session, commands, stamp=stamp))


def silent_batches(session: Session, stamp: Stamp) -> list[UUID]:
    """Return the batches of which the bank should have said something by now."""
    batch = table_of(PaymentBatch)
    silent = (batch.c.state == PaymentBatchState.SENT, batch.c.answer_due_at <= stamp.now)
    return list(session.execute(select(batch.c.id).where(*silent).order_by(batch.c.number)).scalars())


def doubt_silent(engine: Engine, stamp: Stamp) -> list[UUID]:
    """Call batches unknown of which the bank has said nothing in time; their money stays reserved."""
    with reading(engine) as session:
        silent = silent_batches(session, stamp)
    if silent:
        doubts = [
            Doubt(command_id=_key(str(one), f"silent:{stamp.today}"), batch_id=one, why="no_answer") for one in silent
        ]
        run_in_transaction(engine, lambda session: execute(session, doubts, stamp=stamp))
    return silent


def _all_done(answers: list[Answer]) -> list[Answer]:
    """A fact from outside is never refused: an answer that is not done is our own mistake and takes all back."""
    for answer in answers:
        if answer.error is not None:
            raise RuntimeError(f"{type(answer.command).__name__} was refused: {answer.error.codes}")
    return answers


def _key(what: str, more: str) -> str:
    return str(uuid5(_SPACE, f"{what}:{more}"))
