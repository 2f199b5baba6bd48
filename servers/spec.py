"""What a server is told: which environments, where, for whom, how much.

`ServerSpec` crosses a process border as JSON (`dump_spec`, `load_spec`): `LocalServer` hands it to
its child on stdin, so that neither paths nor tokens show in the list of processes.
"""

import ipaddress
import json
import os
import re
import secrets
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..envs.types import JsonValue, Options
from .errors import BadTokenFile, UnsafeBind

_TOKEN = re.compile(r"[!-~]+")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedEnv:
    """An environment on offer and the options its host gives it."""

    id: str
    options: Options = field(default_factory=dict[str, JsonValue])
    """A client's options go over these, host options excepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what clients may ask for; `/v1/info` tells them."""

    sessions: int = 1024
    """Sessions alive at once."""
    items: int = 4096
    """Items of one request."""
    body_bytes: int = 8 * 2**20
    """Length of a request body, before and after inflating."""
    body_s: float = 10.0
    """Longest time a request body may take to arrive."""
    head_s: float = 10.0
    """Longest time the head of a request may take to arrive."""
    unread_s: float = 30.0
    """How long an answer may lie unread before its connection is cut."""
    connections: int = 512
    """Open connections beside one for each session; more are answered 503."""
    requests_per_s: float = 0.0
    """Requests a second, in bursts of ten seconds' worth; 0: as many as come."""
    action_bytes: int = 64 * 2**10
    observation_bytes: int = 256 * 2**10
    """Longer observations are cut, with a marker that says by how much."""
    info_bytes: int = 16 * 2**10
    """A longer `info` is an error of the environment."""
    episode_bytes: int = 16 * 2**20
    """Actions and observations of an episode; one that reaches it is truncated."""
    snapshot_bytes: int = 2**20
    step_s: float = 30.0
    """Longest time of a step in a worker process, which is killed when it takes longer."""
    reset_s: float = 50.0
    """As `step_s`, for a reset or a restore."""
    lease_s: float = 600.0
    """Life of an unused session, where the client names none."""
    lease_s_max: float = 86_400.0
    memory_s: float = 600.0
    """How long expired sessions and idempotency keys are remembered."""
    queued_per_session: int = 4
    """Requests that may wait for a free session, as a multiple of `sessions`."""
    events: int = 10_000
    """Events kept for readers of `/v1/events` that come back."""

    @property
    def queued(self) -> int:
        """Requests that may wait for a free session."""
        return self.sessions * self.queued_per_session


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """A server."""

    envs: tuple[HostedEnv, ...]
    host: str = "127.0.0.1"
    port: int = 8000
    """0 takes any free port; the ready line names it."""
    uds: str | None = None
    """Path of a Unix socket to listen on instead of `host` and `port`."""
    token: str | None = field(default=None, repr=False)
    """Bearer token that clients must send; needed unless `host` is loopback."""
    token_file: str | None = None
    """Where the token was read from; the ready line names it."""
    insecure: bool = False
    """Listen beyond this machine without a token."""
    allow_hosts: tuple[str, ...] = ()
    """Further names by which clients may address the server, such as a DNS name."""
    grace_s: float = 30.0
    """How long sessions are still served after SIGTERM."""
    workers: int | None = None
    """Worker processes for all environments; 0: none. None: one for each processor, at most 4, for
    environments whose card says `isolated`, and none for the others."""
    imports: tuple[str, ...] = ()
    """Modules imported first, because they register environments."""
    agentgym: str | None = None
    """Environment that AgentGym's routes (`/create`, `/reset`, `/step`) serve."""
    log_level: str = "info"
    """Least severe of the events that are logged: `debug`, `info`, `warning` or `error`."""
    limits: Limits = Limits()


def check_bind(spec: ServerSpec) -> None:
    """Raise `UnsafeBind` for an address beyond this machine that no token protects."""
    if spec.token or spec.insecure or spec.uds or is_loopback(spec.host):
        return
    raise UnsafeBind(
        f"{spec.host} can be reached from other machines and no token is set; "
        "give --token-file PATH, or --insecure if everyone there may use the server"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bracketed(host: str) -> str:
    """The address as it stands in a URL."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def dump_spec(spec: ServerSpec) -> str:
    """One line of JSON."""
    return json.dumps(asdict(spec))


def load_spec(text: str) -> ServerSpec:
    """What `dump_spec` wrote."""
    tree: dict[str, Any] = json.loads(text)
    tree["envs"] = tuple(HostedEnv(**env) for env in tree["envs"])
    tree["limits"] = Limits(**tree["limits"])
    for name in ("allow_hosts", "imports"):
        tree[name] = tuple(tree[name])
    return ServerSpec(**tree)


def load_token(path: Path) -> str:
    """The token in a file that only its owner reads; written with a fresh one if it is not there.

    Raises `BadTokenFile` when the file is empty or its mode lets others read it.
    """
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadTokenFile(f"{path}: others may read this token file; run: chmod 600 {path}")
    token = path.read_text(encoding="ascii", errors="replace").strip()
    if not _TOKEN.fullmatch(token):
        raise BadTokenFile(
            f"{path}: expected one word of printable ASCII, the token; got nothing usable"
        )
    return token
