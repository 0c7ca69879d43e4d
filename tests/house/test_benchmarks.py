"""What every benchmark stands on can be laid, so that `make bench` does not find out a year later."""

from benchmarks.stage import ground, registered, sqlite
from models.db import reading
from models.projects import Project
from models.reading import table_of


def test_the_ground_of_the_benchmarks_bears_projects() -> None:
    with sqlite() as (engine, _):
        made = registered(engine, ground(engine), 3)

        with reading(engine) as session:
            found = set(session.scalars(table_of(Project).select().with_only_columns(table_of(Project).c.id)))

    assert found == set(made)
