"""Every arrow of every chart, as the database keeps them: what `v_transition` may contain."""

from lifecycle.chart import edges
from lifecycle.projects import chart as project
from lifecycle.reviews import chart as review
from lifecycle.stages import chart as stage_run
from models.states import ProjectState, ReviewState, StageRunState

Arrow = tuple[str, int, str, str, str]


def arrows() -> list[Arrow]:
    """Return (object type, chart version, event, from, to), births from nothing included (`docs/contract.md` 3.1)."""
    found = [
        (project.OBJECT_TYPE, project.VERSION, event, source, target)
        for event, source, target in edges(project.ProjectChart, project.PUBLIC_VERB)
    ]
    found += [(stage_run.OBJECT_TYPE, 1, *arrow) for arrow in edges(stage_run.StageRunChart)]
    found += [(review.OBJECT_TYPE, 1, *arrow) for arrow in edges(review.ReviewChart)]
    found.append((project.OBJECT_TYPE, project.VERSION, "register", "", ProjectState.INTAKE))
    found += [(project.OBJECT_TYPE, project.VERSION, "import", "", state) for state in ProjectState]
    found.append((stage_run.OBJECT_TYPE, 1, "open", "", StageRunState.OPEN))
    found.append((review.OBJECT_TYPE, 1, "call", "", ReviewState.CALLED))
    return [(kind, version, event, str(source), str(target)) for kind, version, event, source, target in found]
