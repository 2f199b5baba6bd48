"""OpenEnv's HTTP routes about an environment, and the stateless `/reset`, `/step` and `/state`.

Each `/reset` and `/step` plays in a session of its own that is closed before the answer leaves, as
OpenEnv's server does; episodes are played over `/ws`. Answers to bad requests have the form that
OpenEnv's clients know, `{"detail": ...}`.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ...envs.types import JsonValue
from ...envs.wire import Code
from ...envs.wire_answers import FaultAnswer, Health
from ..errors import WireFault
from ..faults import fault_response
from ..replies import encode
from . import forms
from .face import Face, asked_opening, face_of, hall_of
from .forms import ErrorCode
from .mcp import RpcAnswer, RpcRequest, respond_to
from .seats import Seat
from .tasks import BadTask, NoTasks
from .translate import Unreadable, fault_problems, problems_of

_WAIT_S = 10.0
_JSON = "application/json"
_RPC_BODY = {
    "requestBody": {
        "description": "A request of JSON-RPC 2.0; whatever else comes is answered as an error.",
        "content": {_JSON: {"schema": {"anyOf": [RpcRequest.model_json_schema(), {}]}}},
        "required": False,
    }
}
_KEPT_HEADERS = frozenset({"retry-after", "connection"})
Faced = Annotated[Face, Depends(face_of)]
Responses = dict[int | str, dict[str, Any]]

_REFUSALS = (RequestValidationError, Unreadable, HTTPException, NoTasks, BadTask, WireFault)
_WAIT = {"Retry-After": {"description": "whole seconds", "schema": {"type": "integer"}}}
REFUSED: Responses = {
    "4XX": {"model": FaultAnswer, "description": "Refused before it reached the environment"},
    404: {"model": forms.Refusal, "description": "No such environment"},
}
_PLAYED: Responses = {
    422: {
        "model": forms.Invalid,
        "description": "The message does not validate, or the environment does not take it",
    },
    429: {"model": forms.Refusal, "description": "No session came free", "headers": _WAIT},
    503: {"model": forms.Refusal, "description": "Draining, or a worker died", "headers": _WAIT},
    504: {"model": forms.Refusal, "description": "The environment did not answer in time"},
}


class Route(APIRoute):
    """Answers errors in OpenEnv's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, with our answers to what it raises."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except _REFUSALS as error:
                code, answer = _answer_to(error)
                hall_of(request).seats.host.watch.refused(code)
                return answer

        return answered


def _answer_to(error: Exception) -> tuple[str, Response]:
    """The answer to an error, and the code to count it by."""
    match error:
        case RequestValidationError():
            return ErrorCode.VALIDATION_ERROR, _invalid(problems_of(error.errors()))
        case Unreadable():
            return ErrorCode.VALIDATION_ERROR, _invalid(error.problems)
        case HTTPException():
            return Code.UNKNOWN_ENV, _detail(error.status_code, error.detail)
        case NoTasks():
            return Code.BAD_REQUEST, _detail(501, str(error))
        case WireFault():
            return error.code, _refused(error)
        case _:
            return Code.BAD_REQUEST, _detail(400, str(error))


public = APIRouter(route_class=Route, tags=["OpenEnv"], responses=REFUSED)
"""Needs no token."""
about = APIRouter(route_class=Route, tags=["OpenEnv"], responses=REFUSED)
control = APIRouter(route_class=Route, tags=["OpenEnv"], responses=REFUSED | _PLAYED)
"""Left out in production mode."""


@public.get("/health", response_model=Health)
async def health() -> Response:
    """Whether the server runs."""
    return Response(b'{"status":"healthy"}', media_type=_JSON)


@about.get("/metadata", response_model=forms.About)
async def metadata(face: Faced) -> forms.About:
    """What the environment is."""
    card = face.card
    return forms.About(name=card.id, description=card.summary, version=card.version)


@about.get("/schema", response_model=forms.Schemas)
async def schema() -> forms.Schemas:
    """JSON Schemas of actions, observations and state."""
    observation = forms.Observation.model_json_schema()
    return forms.Schemas(
        action=forms.Action.model_json_schema(mode="serialization"),
        observation=observation,
        state=forms.State.model_json_schema(),
        reset_observation=observation,
    )


@about.post("/mcp", response_model=RpcAnswer, openapi_extra=_RPC_BODY)
async def mcp(face: Faced, request: Request) -> Response:
    """JSON-RPC 2.0: sessions and the tool of the environment; errors are answers too."""
    answer = await respond_to(face, await request.body())
    return Response(encode(answer), media_type=_JSON)


@control.post("/reset", response_model=forms.Outcome)
async def reset(face: Faced, body: forms.ResetBody | None = None) -> Response:
    """The beginning of an episode that nobody goes on with; play over `/ws`."""
    opening = asked_opening(face.env, face.shelf, body or forms.ResetBody())
    async with _passing(face) as seat:
        return _told(await face.reset(seat, opening))


@control.post("/step", response_model=forms.Outcome)
async def step(face: Faced, body: forms.StepBody) -> Response:
    """One action in a fresh episode; play over `/ws`."""
    opening = asked_opening(face.env, face.shelf, forms.ResetBody(seed=body.seed))
    try:
        async with asyncio.timeout(body.timeout_s), _passing(face) as seat:
            await face.reset(seat, opening)
            return _told(await face.step(seat, body.action))
    except TimeoutError:
        message = f"no answer within timeout_s={body.timeout_s:g}"
        raise WireFault(Code.TIMEOUT, message) from None


@control.get("/state", response_model=forms.State)
async def state(face: Faced) -> forms.State:
    """The state of a fresh environment; that of an episode is asked for over `/ws`."""
    return forms.State(episode_id=None, step_count=0, env=face.env)


@asynccontextmanager
async def _passing(face: Face) -> AsyncGenerator[Seat, None]:
    """A session for one request."""
    seat = await face.seats.lease(face.env, wait_s=_WAIT_S, born_here=True)
    try:
        yield seat
    finally:
        await face.seats.end(seat)


def _told(tree: forms.JsonObject) -> Response:
    return Response(encode(tree), media_type=_JSON)


def _invalid(problems: list[forms.Problem]) -> Response:
    body = forms.Invalid(detail=problems).model_dump_json()
    return Response(body, status_code=422, media_type=_JSON)


def _refused(fault: WireFault) -> Response:
    if fault.code in (Code.BAD_ITEM, Code.ENV_ERROR):
        return _invalid(fault_problems(fault))
    answer = _detail(fault.status, fault.message, error=fault.body())
    for name, value in fault_response(fault).headers.items():
        if name in _KEPT_HEADERS:
            answer.headers[name] = value
    return answer


def _detail(status: int, message: str, **more: JsonValue) -> Response:
    return Response(encode({"detail": message, **more}), status_code=status, media_type=_JSON)
