"""What every benchmark stands on can be laid, so that `make bench` does not find out a year later."""

from benchmarks.stage import done, ground, registered, sqlite, stamp
from benchmarks.worlds import copied, decided, storied
from lifecycle.projects.commands import Advance
from models.db import reading
from models.projects import Project
from models.reading import table_of


def test_the_ground_of_the_benchmarks_bears_projects() -> None:
    with sqlite() as (engine, _):
        made = registered(engine, ground(engine), 3)

        with reading(engine) as session:
            found = set(session.scalars(table_of(Project).select().with_only_columns(table_of(Project).c.id)))

    assert found == set(made)


def test_a_copy_of_a_project_goes_through_the_gate_that_its_original_would_pass() -> None:
    with sqlite() as (engine, _):
        story = storied(engine)
        project, coordinator = decided(story)
        advance = Advance(command_id="copy", project_id=copied(engine, project, 2)[1], reason="bench")

        (answer,) = done(engine, advance, by=stamp(coordinator, story.now))

    assert answer.document["state"] == "feasibility"
