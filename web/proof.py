"""Proving once more who one is, on the form of a decision about money itself: nothing that was typed is lost."""

from starlette.datastructures import FormData

from web.session import Visit, text_of
from web.signing_in import step_up, step_up_by_one_click

FIELD = "password"


def prove(visit: Visit, form: FormData) -> None:
    """Step up with what the form says, where it is needed; `SignInWrong`, `TooMany`.

    Without anything typed the decision itself is refused (`step_up_required`). Nobody of the demonstration has a
    password: there one click is enough, as for signing in.
    """
    if visit.has_stepped_up():
        return
    if typed := text_of(form, FIELD):
        step_up(visit, typed)
    elif visit.house.is_demo:
        step_up_by_one_click(visit)
