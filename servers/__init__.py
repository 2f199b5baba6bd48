"""Environment servers: sessions with leases over HTTP, in batches, every call repeatable.

`LocalServer` runs a server in a child process for as long as a `with` block lasts; `serve` runs
one in this process until a signal comes. FastAPI and uvicorn come with the extra `serve` and are
loaded by the process that serves.
"""

from .errors import BadTokenFile, BindError, PortInUse, ServerStartError, UnsafeBind
from .launch import LocalServer, Patience
from .ready import Announce, Ready, print_ready
from .spec import HostedEnv, Limits, ServerSpec, load_token

__all__ = [
    "BadTokenFile",
    "BindError",
    "HostedEnv",
    "Limits",
    "LocalServer",
    "Patience",
    "PortInUse",
    "Ready",
    "ServerSpec",
    "ServerStartError",
    "UnsafeBind",
    "load_token",
    "serve",
]


def serve(spec: ServerSpec, announce: Announce = print_ready) -> None:
    """Serve until a signal comes; announces itself, by one JSON line on stdout, when it answers.

    Raises `MissingExtra`, `UnsafeBind`, `BindError`, and what `make` raises for an environment
    that cannot be built.
    """
    from ..envs.errors import need

    for module in ("fastapi", "prometheus_client", "uvicorn"):
        need(module, "serve")
    from . import run

    run.serve(spec, announce)
