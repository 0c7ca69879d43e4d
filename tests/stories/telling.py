"""The story played into a database of its own, and what tests ask of it."""

import hashlib
import shutil
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from cli.behind.story import play
from lifecycle.actor import Actor
from lifecycle.calendar import china
from lifecycle.commands import Stamp
from lifecycle.demo.portfolio import CHAPTERS
from lifecycle.demo.story import HOME, Chapter
from lifecycle.stages.judgement import Verdict
from lifecycle.verdicts.cache import verdicts_of
from models.db import make_engine, reading
from models.ids import new_id
from models.projects import Project
from models.reading import table_of


def played(template: Path, file: Path, at: date, chapters: Sequence[Chapter] = CHAPTERS) -> Engine:
    """Play chapters up to a day into a copy of a migrated database."""
    shutil.copyfile(template, file)
    engine = make_engine(str(file))
    play(engine, at=at, keep=lambda content: hashlib.sha256(content).hexdigest(), chapters=chapters)
    return engine


def rows(engine: Engine, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a statement."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def gate(engine: Engine, name: str, on: date) -> dict[str, Verdict]:
    """Judge the present gate of a project on a day."""
    noon = datetime(on.year, on.month, on.day, 12, tzinfo=HOME)
    stamp = Stamp(now=noon, today=on, actor=Actor.clock(), calendar=china(), new_id=new_id)
    project = table_of(Project)
    with reading(engine) as session:
        found = session.execute(project.select().where(project.c.name == name)).all()
        ((_, verdicts),) = verdicts_of(session, found, stamp)
    return {verdict.clause: verdict for verdict in verdicts}
