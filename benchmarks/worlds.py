"""A project of the default standard whose first gate is really met, and many equal ones made from its rows.

The first one is made by the commands and people of the demo's story; the others are copies of all its rows under new
ids, written past the engine, so that a portfolio of any size is there within a minute.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import count, islice
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, insert, select

from benchmarks.stage import Place
from lifecycle.actor import Actor
from lifecycle.calendar import china
from lifecycle.commands import Answer, Command, Stamp
from lifecycle.demo import gates
from lifecycle.demo.case import Case, Product, register
from lifecycle.demo.people import credit_code_of, founding
from lifecycle.demo.story import Story
from lifecycle.engine import execute
from lifecycle.stages.credit_code import check_character
from lifecycle.stages.judgement import evidence_sha256s
from lifecycle.stages.maturity import claims_sha256
from lifecycle.stages.records import ClaimRecord, EvidenceRecord
from models.db import transaction
from models.ids import new_id
from models.states import Role
from models.tables import metadata

Rows: TypeAlias = Mapping[Table, Sequence[dict[str, Any]]]
DAY = date(2025, 3, 3)
"""The day on which gate G1 is decided."""
PRODUCT = Product(name="晶滤膜组件", technology="陶瓷膜", firm="jinglv", platform="chemical", programme="MAT-2024")


OTHER_PRODUCT = replace(PRODUCT, name="连续流微反应器", technology="微通道", firm="lvhua")


def storied(engine: Engine) -> Story:
    """Return a story in which the people of the demo are there; each act is a transaction of its own."""

    def perform(commands: Sequence[Command], stamp: Stamp) -> list[Answer]:
        with transaction(engine) as session:
            return execute(session, commands, stamp=stamp)

    story = Story(calendar=china(), new_id=new_id, keep=lambda content: hashlib.sha256(content).hexdigest())
    story.perform = perform
    people = founding(story)
    story.begin(next(people))
    next(people)
    return story


def new_case(story: Story, product: Product = OTHER_PRODUCT) -> Case:
    """Return a project that was just taken in: of what its gate asks nothing is there."""
    story.begin(story.after(DAY, -5))
    return register(story, product, story.today)


def decided(story: Story) -> tuple[UUID, Actor]:
    """Return a project that `advance` would let through gate G1 now, and its coordinator."""
    case = new_case(story, PRODUCT)
    gates.hand_in_gate(story, case, "G1")
    gates.hand_in_all(story, case, gates.ENTRY_PAPERS["G1"])
    story.begin(DAY)
    review = gates.convene(story, case, "G1")
    gates.judge_gate(story, case, "G1")
    gates.vote(story, case, "G1", review)
    gates.propose(story, case, "G1", review)
    return case.project_id, story.people[case.who(Role.COORDINATOR)]


def copied(engine: Engine, project_id: UUID, many: int, *, left_out: Collection[str] = frozenset()) -> list[UUID]:
    """Copy a project `many` times with all rows about it, each with an applicant of its own; return the new ids."""
    with transaction(engine) as session:
        connection = session.connection()
        rows = _rows_about(connection, project_id, left_out)
        own = [row["id"] for found in rows.values() for row in found if "id" in row]
        made = []
        for start in range(0, many, _AT_ONCE):
            numbers = list(islice(_numbers, min(_AT_ONCE, many - start)))
            renamed = {number: {old: new_id() for old in own} for number in numbers}
            alike: dict[Table, list[dict[str, Any]]] = {table: [] for table in rows}
            for number in numbers:
                copies = {
                    table: [_copy(row, renamed[number], number) for row in found] for table, found in rows.items()
                }
                _bind(rows, copies)
                for table, some in copies.items():
                    alike[table] += some
            for table, some in alike.items():
                connection.execute(insert(table), some)
            made += [renamed[number][project_id] for number in numbers]
    return made


def analysed(place: Place) -> None:
    """Let PostgreSQL count its rows and note which pages all see, as it does by itself a minute later."""
    if place.kind == "PostgreSQL":
        with place.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")


def _rows_about(
    connection: Connection, project_id: UUID, left_out: Collection[str]
) -> dict[Table, list[dict[str, Any]]]:
    """Return the rows of a project and of what belongs to it, in an order in which they can be inserted."""
    found: dict[Table, list[dict[str, Any]]] = {}
    project = metadata.tables["project"]
    applicant = connection.execute(select(project.c.organisation_id).where(project.c.id == project_id)).scalar_one()
    known = {project_id}
    for table in metadata.sorted_tables:
        owner = next((table.c[name] for name in _OWNERS if name in table.c), None)
        if table.name == "organisation":
            condition = table.c.id == applicant
        elif table is project:
            condition = table.c.id == project_id
        elif owner is None or table.name in left_out:
            continue
        else:
            condition = owner.in_(known)
        rows = [dict(row._mapping) for row in connection.execute(select(table).where(condition))]  # noqa: SLF001
        if table.name in _OWNING:
            known |= {row["id"] for row in rows}
        if rows:
            found[table] = rows
    return found


def _copy(row: dict[str, Any], renamed: dict[UUID, UUID], number: int) -> dict[str, Any]:
    copy = {name: renamed.get(value, value) if isinstance(value, UUID) else value for name, value in row.items()}
    copy.pop("seq", None)
    for name in _UNIQUE & copy.keys():
        copy[name] = f"{copy[name]}~{number}"
    if "title_key" in copy:
        copy["number"] = f"C-{number}"
    if "credit_code" in copy:
        copy["credit_code"] = _credit_code(number)
    if copy.get("form"):
        text = json.dumps(copy["form"])
        copy["form"] = json.loads(text.replace(credit_code_of(PRODUCT.firm), _credit_code(number)))
    return copy


def _bind(rows: Rows, copies: Rows) -> None:
    """Bind what was said of papers and levels to those of the copy: their hashes are over forms and ids of its own."""
    known = dict(zip(_bound(rows), _bound(copies), strict=True))
    for row in copies.get(metadata.tables["judgement"], ()):
        row["evidence_sha256s"] = sorted(known.get(one, one) for one in row["evidence_sha256s"])


def _bound(rows: Rows) -> list[str]:
    """Return the hash of each paper as it was judged, and of all levels claimed."""
    papers, claims = (rows.get(metadata.tables[name], ()) for name in ("evidence", "maturity_claim"))
    versions = [
        EvidenceRecord(
            **{name: row[name] for name in ("id", "type", "sha256", "revision", "submitted_on")},
            values=row["form"],
            author=row["author_person_id"],
        )
        for row in papers
    ]
    newest = {(row["scale"], row["item"]): row for row in claims}.values()
    levels = [
        ClaimRecord(**{name: row[name] for name in ("scale", "item", "level")}, evidence=row["evidence_id"])
        for row in newest
    ]
    return [*(one for version in versions for one in evidence_sha256s([version])), claims_sha256(tuple(levels))]


def _credit_code(number: int) -> str:
    first = f"91310000MB{number:07d}"
    return first + check_character(first)


_AT_ONCE = 500
_numbers = count(1)
_OWNERS = ("project_id", "review_id", "batch_id", "object_id")
"""Columns by which a row says what it belongs to."""
_OWNING = ("stage_run", "review", "trial_batch")
_UNIQUE = {"dedupe_key", "command_id"}
JOURNAL = frozenset({"audit_record", "command_record", "outbox_message", "transition"})
"""What no gate looks at."""
