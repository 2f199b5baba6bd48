"""`connect`: from the URL of a server to an environment."""

from collections.abc import Sequence

from ..remote import ClientSpec
from ..types import JsonValue
from .env import RemoteEnv
from .target import AUTO, Shape, Target, urls_of


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
    return RemoteEnv(target=target, options=options, client=client)
