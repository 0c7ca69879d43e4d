"""Files of the bank that broke a rule: put aside whole, once, and shown to two people; nothing of them is used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from lifecycle.commands import Act, Command, Effects, Message, Stamp, Task, Verb
from lifecycle.ledger.cases import opened_case
from lifecycle.payouts.statements import OBJECT_TYPE, brought, new_statement, taken_before
from models.statements import BankStatement
from models.states import StatementStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineFile(Command):
    """Remember a file that broke a rule, and which: nothing of it was used."""

    file_name: str
    file_sha256: str
    code: str
    detail: Mapping[str, str]

    @property
    def statement_ref(self) -> str:
        """What stands for the reference of a statement that nobody could read."""
        return self.file_name[:140]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """A file that is put aside, and whether it was before."""

    command: QuarantineFile
    is_known: bool


def _file_facts(session: Session, tasks: Sequence[Task[QuarantineFile]], _stamp: Stamp) -> list[FileFacts]:
    before = taken_before(session, tasks)
    return [FileFacts(command=task.command, is_known=brought(task.command) in before) for task in tasks]


def quarantined(facts: FileFacts, _target: str, stamp: Stamp) -> Effects:
    """Write the file down with the rule it broke, and put it before two people."""
    command = facts.command
    statement_id = stamp.new_id()
    refusal = {"code": command.code, **command.detail}
    values = {
        "account_number": "",
        "statement_ref": command.statement_ref,
        "currency": "",
        "file_name": command.file_name,
        "file_sha256": command.file_sha256,
        "status": StatementStatus.QUARANTINED,
        "refusal": refusal,
        "at": stamp.now,
    }
    act = Act(
        table=BankStatement,
        object_type=OBJECT_TYPE,
        id=statement_id,
        action=f"{OBJECT_TYPE}.quarantine",
        values=values,
        detail={"file_sha256": command.file_sha256, "refusal": refusal},
    )
    case = opened_case("file_quarantined", OBJECT_TYPE, statement_id, None, stamp, file=command.file_name, **refusal)
    said = {"file": command.file_name, "code": command.code}
    message = Message(kind="statement.quarantined", object_type=OBJECT_TYPE, object_id=statement_id, facts=said)
    return Effects(acts=(act, case), messages=(message,))


QUARANTINE: Verb[QuarantineFile, FileFacts] = Verb(
    object_type=OBJECT_TYPE,
    name="quarantine",
    command=QuarantineFile,
    once=lambda command: (brought(command),),
    facts=_file_facts,
    rules=(new_statement,),
    effects=quarantined,
)
