"""`connect`: from the URL of a server to an environment."""

from collections.abc import Sequence
from dataclasses import replace

from ..remote import ClientSpec
from ..types import JsonValue
from .env import RemoteEnv
from .target import AUTO, Shape, Target, urls_of

_FIRST_WORD_S = 10.0
"""For servers to answer at all, and to have a session; one that is down is told soon."""


def connect(
    url: str | Sequence[str],
    env: str | None = None,
    *,
    token: str | None = None,
    kind: str = AUTO,
    shape: Shape | None = None,
    client: ClientSpec | None = None,
    **options: JsonValue,
) -> RemoteEnv:
    """An environment at one or several servers, in the place of `gigym.make(env, **options)`.

    Without `env`, the only one that the servers have. `kind` is `auto` (gigym's own protocol, else
    OpenEnv's), `native`, `openenv` or `agentgym:<world>`; `shape` says where a foreign server keeps
    its texts. Raises `ServerUnreachable` when no server answers, `UnknownEnv`, `BadOption` for what
    is not accepted, `ServerError` for a refusal such as a wrong token.
    """
    target = Target(urls=urls_of(url), env=env, kind=kind, token=token, shape=shape or Shape())
    spec = client or replace(ClientSpec(), create_s=_FIRST_WORD_S)
    return RemoteEnv(target=target, options=options, client=spec)
