"""Every arrow that an object may take, as `v_edge` shows them: those of the charts, and those by which objects are born."""

from lifecycle import chart
from lifecycle.installation import Arrow
from lifecycle.projects.chart import OBJECT_TYPE as PROJECT
from lifecycle.projects.chart import PUBLIC_VERB, ProjectChart
from lifecycle.projects.chart import VERSION as PROJECT_VERSION
from lifecycle.reviews.chart import OBJECT_TYPE as REVIEW
from lifecycle.reviews.chart import VERSION as REVIEW_VERSION
from lifecycle.reviews.chart import ReviewChart
from lifecycle.stages.chart import OBJECT_TYPE as STAGE_RUN
from lifecycle.stages.chart import VERSION as STAGE_RUN_VERSION
from lifecycle.stages.chart import StageRunChart
from models.states import ProjectState, ReviewState, StageRunState


def every_arrow() -> list[Arrow]:
    """Return the arrows of this release, for `write_edges`."""
    return [
        *((PROJECT, PROJECT_VERSION, *edge) for edge in chart.edges(ProjectChart, PUBLIC_VERB)),
        (PROJECT, PROJECT_VERSION, "register", "", ProjectState.INTAKE.value),
        *((PROJECT, PROJECT_VERSION, "import", "", state.value) for state in ProjectState),
        *((STAGE_RUN, STAGE_RUN_VERSION, *edge) for edge in chart.edges(StageRunChart)),
        (STAGE_RUN, STAGE_RUN_VERSION, "open", "", StageRunState.OPEN.value),
        *((REVIEW, REVIEW_VERSION, *edge) for edge in chart.edges(ReviewChart)),
        (REVIEW, REVIEW_VERSION, "call", "", ReviewState.CALLED.value),
    ]
