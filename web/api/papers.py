"""Documents that programs hand in: the file with its type and the values of its form, as one multipart body."""

import json
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from lifecycle.errors import Invalid, unmet
from lifecycle.requirements.commands import AddEvidence
from models.ports import Stored
from models.states import Scope
from web.acts import carry, refusal
from web.api.core import key_of, need, told, version_of
from web.api.money import Files
from web.nouns import PROJECTS
from web.papers import file_of, kept_for
from web.session import Program, text_of

router = APIRouter(tags=["evidence"])
FIELDS = ("file", "project_id", "type", "form", "revision")


@router.post("/evidence", status_code=201)
def hand_in(visit: Program, form: Files) -> Response:
    """Hand a document in; `form` is JSON. Nothing is kept of a file that is refused."""
    need(visit, Scope.PROJECT_WRITE)
    key, version = key_of(visit), version_of(visit)
    values = _values(form)
    row = visit.read(lambda session: PROJECTS.find(session, visit, text_of(form, "project_id")))

    def told_of(stored: Stored, name: str) -> AddEvidence:
        return AddEvidence(
            command_id=key,
            expected_version=version,
            project_id=row.id,
            type=text_of(form, "type"),
            file_name=name,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
            form=values,
            revision=text_of(form, "revision") or None,
        )

    answer = carry(visit, kept_for(visit, file_of(form), told_of))
    if answer.error is not None:
        raise refusal(visit, PROJECTS, row, answer.error)
    return told(answer, 201)


def _values(form: FormData) -> dict[str, Any]:
    """Return the values of the form; `Invalid` names every part of the body that is wrong, missing or unknown."""
    wrong = [unmet("field_unknown", field=name) for name in dict.fromkeys(form) if name not in FIELDS]
    wrong += [unmet("field_missing", field=name) for name in ("project_id", "type") if not text_of(form, name)]
    wrong += [unmet("field_twice", field=name) for name in FIELDS if len(form.getlist(name)) > 1]
    found: Any = {}
    try:
        found = json.loads(text_of(form, "form") or "{}", parse_constant=float)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        wrong.append(unmet("value_wrong", field="form", value="", form="JSON {…}"))
    if wrong:
        raise Invalid(*wrong)
    return dict(found)
