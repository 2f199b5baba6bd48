"""Puts the faces of a host's environments into an application."""

import os
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.openapi.utils import get_openapi
from fastapi.params import Depends as Dependency
from starlette.responses import HTMLResponse, JSONResponse, Response

from ...envs import BadOption
from ..host import Host
from . import routes, socket, task_routes
from .face import PREFIX, Hall
from .pages import HEADERS, page
from .seats import Seats
from .tasks import Shelf

MODE = "OPENENV_MODE"
"""Environment variable; `production` leaves `/reset`, `/step` and `/state` out."""
_MODES = ("simulation", "production")


def install(app: FastAPI, host: Host, wants_token: Sequence[Dependency]) -> None:
    """Add the routes. Raises `BadOption` for an `OPENENV_MODE` that is none."""
    hall = Hall(
        seats=Seats(host),
        shelves={env.id: Shelf(host.offers.builder(env.id, {})) for env in host.spec.envs},
        production=_mode() == "production",
    )
    app.state.openenv = hall
    guarded = APIRouter(dependencies=wants_token)
    for router in _guarded(hall.production):
        guarded.include_router(router)
    face = APIRouter()
    face.include_router(routes.public)
    face.include_router(guarded)
    document = get_openapi(title="OpenEnv face", version=app.version, routes=face.routes)
    # The named faces come first: at the root, the name of an environment may hold slashes.
    named = APIRouter(prefix=PREFIX + "/{env_id:path}", dependencies=[Depends(_named)])
    named.include_router(face)
    app.include_router(named)
    app.include_router(_documents(document))
    app.include_router(face)
    app.include_router(socket.router, prefix=PREFIX + "/{env_id:path}")
    app.include_router(socket.router)


def _guarded(production: bool) -> list[APIRouter]:
    control = [] if production else [routes.control]
    return [routes.about, *control, task_routes.listing, task_routes.tasks]


def _mode() -> str:
    mode = os.environ.get(MODE, "").lower() or _MODES[0]
    if mode not in _MODES:
        raise BadOption(f"{MODE} must be {' or '.join(_MODES)}, got {mode!r:.80}")
    return mode


def _documents(document: dict[str, Any]) -> APIRouter:
    """The pages about routes: of the server, and of each face for itself."""
    router = APIRouter(route_class=routes.Route, include_in_schema=False)

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        return HTMLResponse(page(request.app.openapi()), headers=HEADERS)

    @router.get(PREFIX + "/{env_id:path}/docs")
    async def face_docs(face: routes.Faced) -> Response:
        return HTMLResponse(page(document), headers=HEADERS)

    @router.get(PREFIX + "/{env_id:path}/openapi.json")
    async def face_document(face: routes.Faced) -> Response:
        return JSONResponse({**document, "servers": [{"url": f"{PREFIX}/{face.env}"}]})

    return router


def _named(
    env_id: Annotated[str, Path(description="Id of an environment of this server.")],
) -> None:
    """Publishes the parameter; `face_of` reads it."""
