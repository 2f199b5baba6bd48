"""The HTTP application: guard, routes, and every error as the error object of the protocol."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ..envs.wire import BOOT_HEADER, Code, explain_faults
from . import agentgym, events, metrics, openenv
from .errors import WireFault
from .faults import SOBER, fault_response, internal
from .guard import Guard
from .host import Host
from .native import host_of, public, router
from .socket import router as socket

_LONGEST_PLACE = 200
"""Characters of a route in a message; its sender chose them."""


def create_app(host: Host) -> FastAPI:
    """The application of a host. Its lifespan runs the sweeper of abandoned sessions."""
    app = FastAPI(
        title="gigym environment server",
        version="1.0.0",
        summary="Text environments in batches: sessions with leases, steps that may be repeated.",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        # A redirect repeats whatever the Host header said.
        redirect_slashes=False,
    )
    app.state.host = host
    # The guard checks the token; this only publishes that there is one.
    wants_token = [Depends(HTTPBearer(auto_error=False))] if host.spec.token else []
    app.include_router(public)
    app.include_router(router, dependencies=wants_token)
    app.include_router(metrics.router, dependencies=wants_token)
    app.include_router(events.router, dependencies=wants_token)
    app.include_router(socket)
    if host.spec.agentgym is not None:
        # First come, first served: its `/reset` and `/step` go before those of OpenEnv.
        agentgym.install(app, host, host.spec.agentgym)
    openenv.install(app, host)
    _drop_shadowed(app)
    app.add_middleware(
        Guard, spec=host.spec, boot=host.boot, left_s=host.draining_s, watch=host.watch
    )
    app.add_exception_handler(WireFault, _on_fault)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)
    return app


def _drop_shadowed(app: FastAPI) -> None:
    """Take out routes that an earlier one hides, so that the published ones are those that act."""
    seen: set[tuple[str, str]] = set()
    for route in list(app.router.routes):
        if isinstance(route, APIRoute):
            names = {(route.path, method) for method in route.methods}
            if names <= seen:
                app.router.routes.remove(route)
            seen |= names


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    host: Host = app.state.host
    host.open()
    sweeper = asyncio.create_task(host.sweep_forever())
    try:
        yield
    finally:
        await host.close()
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper


async def _on_fault(request: Request, error: Exception) -> Response:
    return _refusal(request, cast("WireFault", error))


async def _on_invalid(request: Request, error: Exception) -> Response:
    faults = cast("RequestValidationError", error).errors()
    return _refusal(request, WireFault(Code.BAD_REQUEST, explain_faults(faults)))


async def _on_http(request: Request, error: Exception) -> Response:
    status = cast("HTTPException", error).status_code
    place = f"{request.method} {request.url.path}"[:_LONGEST_PLACE]
    code = Code.UNKNOWN_ROUTE if status in (404, 405) else Code.BAD_REQUEST
    answer = _refusal(request, WireFault(code, f"{place}: {error}", status=status))
    answer.headers.update(cast("HTTPException", error).headers or {})
    return answer


async def _on_bug(request: Request, error: Exception) -> Response:
    answer = _refusal(request, internal(error))
    # This one passes the guard by.
    answer.headers.update({BOOT_HEADER: host_of(request).boot, **SOBER})
    return answer


def _refusal(request: Request, fault: WireFault) -> Response:
    host_of(request).watch.refused(fault.code)
    return fault_response(fault)
