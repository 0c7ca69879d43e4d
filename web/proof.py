"""Proving once more who one is, on the form of a decision about money itself: nothing that was typed is lost."""

from starlette.datastructures import FormData

from web.proving import said_in
from web.session import Visit
from web.signing_in import step_up, step_up_by_one_click


def prove(visit: Visit, form: FormData) -> None:
    """Step up with what the form says, where it is needed; `SignInWrong`, `FactorWrong`, `TooMany`.

    Without anything typed the decision itself is refused (`step_up_required`). Nobody of the demonstration has a
    password: there one click is enough, as for signing in, until they have a second factor.
    """
    if visit.has_stepped_up():
        return
    if said := said_in(form):
        step_up(visit, said)
    elif visit.house.is_demo and not visit.factors.exist:
        step_up_by_one_click(visit)
