"""Puts the faces of a host's environments into an application."""

import os
from functools import cache, partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.openapi.utils import get_openapi
from fastapi.params import Depends as Dependency
from fastapi.security import HTTPBearer
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute

from ...envs import BadOption, make
from ..host import Host
from . import routes, rpc_socket, socket, task_routes
from .face import PREFIX, Hall, face_of, hall_of
from .pages import HEADERS, page
from .seats import Seats
from .tasks import Shelf

MODE = "OPENENV_MODE"
"""Environment variable; `production` leaves `/reset`, `/step` and `/state` out."""
_MODES = ("simulation", "production")
_NAMED = PREFIX + "/{env_id:path}"


def install(app: FastAPI, host: Host) -> None:
    """Add the routes. Raises `BadOption` for an `OPENENV_MODE` that is none."""
    production = _mode() == "production"
    app.state.openenv = Hall(
        seats=Seats(host),
        shelves={
            env.id: Shelf(partial(make, env.id, **dict(env.options))) for env in host.spec.envs
        },
        production=production,
    )
    app.router.routes.extend(_all_routes(production, host.spec.token is not None))


@cache
def _all_routes(production: bool, secured: bool) -> list[BaseRoute]:
    """Routes know no application, so that they are made once: making them takes long."""
    # The named faces come first: at the root, the name of an environment may hold slashes.
    every = APIRouter()
    every.include_router(
        _named_face(production, secured), prefix=_NAMED, dependencies=[Depends(_named)]
    )
    every.include_router(_documents)
    every.include_router(_root_face(production, secured))
    for router in (socket.router, rpc_socket.router):
        every.include_router(router, prefix=_NAMED)
        every.include_router(router)
    return every.routes


@cache
def _root_face(production: bool, secured: bool) -> APIRouter:
    """The HTTP routes of the first environment; `/health` wants no token."""
    face = APIRouter()
    face.include_router(routes.public)
    face.include_router(_guarded(production), dependencies=_wants_token(secured))
    return face


@cache
def _named_face(production: bool, secured: bool) -> APIRouter:
    """The HTTP routes of an environment under its name."""
    face = APIRouter(dependencies=_wants_token(secured))
    face.include_router(routes.public)
    face.include_router(_guarded(production))
    return face


def _guarded(production: bool) -> APIRouter:
    guarded = APIRouter()
    for router in (routes.about, routes.control, task_routes.listing, task_routes.tasks):
        if not (production and router is routes.control):
            guarded.include_router(router)
    return guarded


def _wants_token(secured: bool) -> list[Dependency]:
    """The guard checks the token; this only publishes that there is one."""
    return [Depends(HTTPBearer(auto_error=False))] if secured else []


@cache
def _document(production: bool, secured: bool) -> dict[str, Any]:
    """OpenAPI of one environment's routes."""
    title = "gigym environment in OpenEnv's protocol"
    return get_openapi(title=title, version="1.0.0", routes=_named_face(production, secured).routes)


def _document_of(request: Request) -> dict[str, Any]:
    hall = hall_of(request)
    return _document(hall.production, hall.seats.host.spec.token is not None)


def _mode() -> str:
    mode = os.environ.get(MODE, "").lower() or _MODES[0]
    if mode not in _MODES:
        raise BadOption(f"{MODE} must be {' or '.join(_MODES)}, got {mode!r:.80}")
    return mode


def _named(
    request: Request,
    env_id: Annotated[str, Path(description="Id of an environment of this server.")],
) -> None:
    """Publishes the parameter, and raises `HTTPException` (404) where there is no such one."""
    face_of(request)


_documents = APIRouter(route_class=routes.Route, include_in_schema=False)
"""Pages about routes: of the server, and of each face for itself."""


@_documents.get("/docs")
async def docs(request: Request) -> Response:
    """All routes, for readers."""
    return HTMLResponse(page(request.app.openapi()), headers=HEADERS)


@_documents.get(_NAMED + "/docs")
async def face_docs(request: Request, face: routes.Faced) -> Response:
    """The routes of one environment, for readers."""
    return HTMLResponse(page(_document_of(request)), headers=HEADERS)


@_documents.get(_NAMED + "/openapi.json")
async def face_document(request: Request, face: routes.Faced) -> Response:
    """The routes of one environment, for programs."""
    return JSONResponse({**_document_of(request), "servers": [{"url": f"{PREFIX}/{face.env}"}]})
