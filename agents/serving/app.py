"""The application: errors as vLLM words them, what every server of the kind answers, all routes.

Requests that name an Origin are refused, since no page in a browser has business here.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ... import GigymError
from .bodies import Refused
from .control import add_control
from .generate import add_completions, add_scale_out
from .served import Served, ServingSpec

__all__ = ["LOOPBACK", "Served", "ServingSpec", "build_app"]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
RELEASE = "0.32.0+gigym"
"""The release of vLLM whose wire format this is."""
_KINDS = {400: "BadRequestError", 403: "PermissionDeniedError", 404: "NotFoundError"}


def build_app(served: Served) -> FastAPI:
    """The server's application over a running engine."""
    app = FastAPI(title="gigym serving", openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    app.middleware("http")(_refuse_pages)
    _add_error_handlers(app)
    _add_basics(app, served)
    add_completions(app, served)
    add_scale_out(app, served)
    if served.spec.dev_mode:
        add_control(app, served)
    return app


def _fault(status: int, message: str) -> JSONResponse:
    kind = _KINDS.get(status, "InternalServerError")
    body = {"message": message, "type": kind, "param": None, "code": status}
    return JSONResponse({"error": body}, status_code=status)


async def _refuse_pages(
    request: Request, call: Callable[[Request], Awaitable[Response]]
) -> Response:
    if "origin" in request.headers:
        return _fault(403, "requests from web pages are refused")
    return await call(request)


def _add_error_handlers(app: FastAPI) -> None:
    async def invalid(_: Request, error: Exception) -> Response:
        errors = error.errors() if isinstance(error, RequestValidationError) else []
        told = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in errors[:5])
        return _fault(400, told or str(error))

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _fault(error.status_code, error.detail)

    async def failed(_: Request, error: Exception) -> Response:
        return _fault(500, f"{type(error).__name__}: {error}")

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Refused, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(GigymError, failed)
    app.add_exception_handler(RuntimeError, failed)


def _add_basics(app: FastAPI, served: Served) -> None:
    @app.get("/health")
    async def health() -> Response:
        state = await served.engine.health()
        return Response(status_code=200 if state.ok or state.asleep else 503)

    @app.get("/version")
    async def version() -> dict[str, str]:
        return {"version": RELEASE}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        longest = served.engine.capabilities.max_model_len
        card = {"id": served.spec.name, "object": "model", "max_model_len": longest}
        return {"object": "list", "data": [card | {"owned_by": "gigym"}]}

    @app.get("/metrics")
    async def metrics() -> Response:
        count = f'vllm:num_requests_running{{model_name="{served.spec.name}"}} {len(served.names)}'
        return PlainTextResponse(f"# TYPE vllm:num_requests_running gauge\n{count}\n")

    @app.post("/tokenize")
    async def tokenize(prompt: Annotated[str, Body(embed=True)]) -> dict[str, Any]:
        tokens = served.encode(prompt)
        longest = served.engine.capabilities.max_model_len
        return {"count": len(tokens), "max_model_len": longest, "tokens": tokens}

    @app.post("/detokenize")
    async def detokenize(tokens: Annotated[list[int], Body(embed=True)]) -> dict[str, str]:
        if served.tokenizer is None:
            raise Refused("tokens: this server has no tokenizer")
        return {"prompt": str(served.tokenizer.decode(tokens))}
