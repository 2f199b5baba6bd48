"""Routes of the native batch protocol `gigym/1`.

A route validates its request once, runs the items and answers bytes that were encoded when the
environment replied; the models named as responses document them. Clients that accept
`application/x-ndjson` get each result as a line, as soon as it is there.
"""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Request
from starlette.responses import Response, StreamingResponse

from ..envs import wire
from ..envs import wire_answers as answers
from ..envs.wire import Code
from .batch import Act, as_document, as_lines, run_items, settled
from .errors import WireFault
from .host import Host

ItemT = TypeVar("ItemT", bound=wire.SidItem)
Key = Annotated[str | None, Header(alias=wire.KEY_HEADER, min_length=1, max_length=128)]

_JSON = "application/json"
_LINES = "application/x-ndjson"
_WAIT = {"Retry-After": {"description": "whole seconds", "schema": {"type": "integer"}}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": answers.FaultAnswer, "description": "The request was refused"},
}
_UNANSWERED: dict[int | str, dict[str, Any]] = {
    503: {
        "model": answers.FaultAnswer,
        "description": "Draining, or a worker process died",
        "headers": _WAIT,
    },
    504: {"model": answers.FaultAnswer, "description": "The environment did not answer in time"},
}
_NOT_YET: dict[int | str, dict[str, Any]] = {
    **_UNANSWERED,
    429: {"model": answers.FaultAnswer, "description": "No session came free", "headers": _WAIT},
}

_PLAYED: dict[int | str, dict[str, Any]] = {
    200: {"content": {_LINES: {"schema": {"type": "string"}}}},
}

public = APIRouter(responses=_REFUSED)
"""Routes that need no token."""
router = APIRouter(responses=_REFUSED)


@public.get("/healthz", response_model=answers.Health)
async def healthz() -> Response:
    """Whether the server runs."""
    return Response(b'{"status":"healthy"}', media_type=_JSON)


@public.get(
    "/readyz",
    response_model=answers.Health,
    responses={503: {"model": answers.Health, "description": "Draining or full"}},
)
async def readyz(request: Request) -> Response:
    """Whether sessions can be leased."""
    status = host_of(request).readiness()
    body = answers.Health(status=status).model_dump_json()
    return Response(body, status_code=200 if status == "ready" else 503, media_type=_JSON)


@public.get("/v1/info", response_model=answers.Info)
async def info(request: Request) -> Response:
    """Protocol, environments and limits."""
    return Response(host_of(request).info().model_dump_json(), media_type=_JSON)


@router.post(
    "/v1/sessions", status_code=201, response_model=answers.SessionsAnswer, responses=_NOT_YET
)
async def sessions(request: Request, body: wire.SessionsRequest, key: Key = None) -> Response:
    """Lease sessions; queues while the server is full."""
    made = await host_of(request).create(body, key)
    return Response(made, status_code=201, media_type=_JSON)


@router.get("/v1/sessions/{sid}", response_model=answers.SessionAnswer, responses=_UNANSWERED)
async def session(request: Request, sid: str) -> Response:
    """Where a session stands."""
    return Response(await settled(host_of(request).store.view(sid)), media_type=_JSON)


@router.post("/v1/reset", response_model=answers.PlayAnswer, responses=_PLAYED)
async def reset(request: Request, body: wire.ResetRequest) -> Response:
    """Start episodes."""
    return await _answer(request, body.items, host_of(request).store.reset)


@router.post("/v1/step", response_model=answers.PlayAnswer, responses=_PLAYED)
async def step(request: Request, body: wire.StepRequest) -> Response:
    """Take actions."""
    return await _answer(request, body.items, host_of(request).store.step)


@router.post("/v1/restore", response_model=answers.PlayAnswer, responses=_PLAYED)
async def restore(request: Request, body: wire.RestoreRequest) -> Response:
    """Bring sessions to a state, from snapshots or recipes."""
    return await _answer(request, body.items, host_of(request).store.restore)


@router.post("/v1/snapshot", response_model=answers.FrozenAnswer, responses=_PLAYED)
async def snapshot(request: Request, body: wire.SidRequest) -> Response:
    """Freeze episodes."""
    return await _answer(request, body.items, host_of(request).store.snapshot)


@router.post("/v1/fork", response_model=answers.ForkAnswer)
async def fork(request: Request, body: wire.ForkRequest, key: Key = None) -> Response:
    """Copy sessions; each copy has a future of its own."""
    _check_size(request, body.items)
    return Response(await host_of(request).fork(body, key), media_type=_JSON)


@router.post("/v1/renew", response_model=answers.LeaseAnswer, responses=_PLAYED)
async def renew(request: Request, body: wire.RenewRequest) -> Response:
    """Keep sessions that are not used for a while."""
    return await _answer(request, body.items, host_of(request).store.renew)


@router.post("/v1/close", response_model=answers.CloseAnswer, responses=_PLAYED)
async def close(request: Request, body: wire.SidRequest) -> Response:
    """End sessions."""
    return await _answer(request, body.items, host_of(request).store.close)


def host_of(request: Request) -> Host:
    """The host that the application was made for."""
    return request.app.state.host


async def _answer(
    request: Request, items: Sequence[ItemT | wire.BadItem], act: Act[ItemT]
) -> Response:
    _check_size(request, items)
    results = run_items(items, act, host_of(request).watch)
    if _LINES in request.headers.get("accept", ""):
        return StreamingResponse(as_lines(results), media_type=_LINES)
    return Response(await as_document(results), media_type=_JSON)


def _check_size(request: Request, items: Sequence[object]) -> None:
    limit = host_of(request).spec.limits.items
    if len(items) > limit:
        message = f"a request may have at most {limit} items, got {len(items)}"
        raise WireFault(Code.TOO_LARGE, message, {"items": limit})
