"""Signing in for programs that act as a person: a session, proving oneself again, its end."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from models.states import Door
from web import cookies
from web.api.core import read_as
from web.errors import Malformed
from web.proving import Said
from web.session import Anybody, Program, is_same_origin, remember_device, remember_session
from web.signing_in import by_password_and_code, leave, step_up

router = APIRouter(tags=["session"])


class Entering(BaseModel):
    """Who wants to come in."""

    model_config = ConfigDict(extra="forbid")

    login: str = Field(max_length=200)
    password: str = Field(max_length=1000)
    code: str | None = Field(default=None, max_length=40)


class Proof(BaseModel):
    """Proving oneself once more."""

    model_config = ConfigDict(extra="forbid")

    password: str | None = Field(default=None, max_length=1000)
    code: str | None = Field(default=None, max_length=40)


class Session(BaseModel):
    """A session that has begun; its secret is in the cookie."""

    user_id: str
    csrf_token: str
    expires_at: str


class SteppedUp(BaseModel):
    """Until when money may be decided."""

    until: str


@router.post("/session", response_model=Session)
def enter(visit: Anybody, asked: Annotated[Entering, Depends(read_as(Entering))]) -> Response:
    """Begin a session: a cookie, and the token that further writes carry in `X-CSRF-Token`."""
    if not is_same_origin(visit.request.headers):
        raise Malformed("csrf")
    entered = by_password_and_code(replace(visit, door=Door.API), asked.login, asked.password, asked.code or "")
    answer = JSONResponse({"user_id": entered.user_id, "csrf_token": entered.csrf, "expires_at": entered.expires_at})
    remember_session(answer, visit.request, entered.token)
    remember_device(answer, visit.request, entered.device)
    return answer


@router.post("/session/step-up", response_model=SteppedUp)
def prove_again(visit: Program, asked: Annotated[Proof, Depends(read_as(Proof))]) -> Response:
    """Let the session decide about money for five minutes."""
    return JSONResponse({"until": step_up(visit, Said(password=asked.password or "", code=asked.code or ""))})


@router.delete("/session", status_code=204)
def end(visit: Program) -> Response:
    """End the session."""
    leave(visit)
    answer = Response(status_code=204)
    cookies.forget(answer, visit.request, cookies.SESSION)
    return answer
