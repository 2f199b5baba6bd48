"""Finding out what a server speaks and which environment is played there.

`GET /v1/info` of protocol gigym/1: ours. Else `GET /health` and `GET /schema`: OpenEnv. AgentGym's
servers are believed to be what the user says, since asking them for anything would build games.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from pydantic import ValidationError

from ..errors import ServerError, UnknownEnv, near
from ..remote import ClientSpec
from ..remote.faults import clean
from ..types import EnvCard
from ..wire import PROTOCOL
from ..wire_answers import EnvInfo, Info
from .cards import far_card, foreign_card
from .http import Heard, Http
from .shapes import LIST_FIELDS, ActionForm, action_form
from .target import AUTO, NATIVE, OPENENV, Target

_OURS = ("max_steps",)
"""Options that foreign servers need not know, since the limit is kept on our side."""
_OTHERS_S = 1.0
"""For further servers to answer once one has; what they play shows when they are played on."""
_KNOWN_STATUS = frozenset({"healthy", "unhealthy", "degraded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What servers told of themselves."""

    kind: str
    """One of `target.KINDS`, never `auto`."""
    card: EnvCard
    option_names: tuple[str, ...] = ()
    """Options that a client may set, as far as the server tells."""
    num_tasks: int | None = None
    """Distinct tasks under the host's options; None: unlimited, or not told."""
    max_steps: int | None = None
    """Turn limit under the host's options, where the server tells it."""
    form: ActionForm | None = None
    """How actions are written, on OpenEnv's servers."""
    path: str = ""
    """Where the environment stands below the server's URL."""


async def meet(target: Target, client: ClientSpec, give_up_at: float) -> Meeting:
    """Ask all servers; one that answers is enough, and those that do must speak the same.

    Raises `ServerUnreachable` when none answers by then (loop time), `UnknownEnv`, `BadOption` and
    `ServerError` for one that cannot be used.
    """
    asked = [asyncio.create_task(_ask(url, target, client, give_up_at)) for url in target.urls]
    try:
        await _first(asked)
        # Those that are down must not hold up the others.
        await asyncio.wait(asked, timeout=min(_OTHERS_S, client.failover_s))
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    return _agreed(target.urls, asked)


async def _first(asked: Sequence[asyncio.Task[Meeting]]) -> None:
    """Wait until one has told what it is, or all have failed."""
    waiting = set(asked)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(task.exception() is None for task in done):
            return


def _agreed(urls: Sequence[str], asked: Sequence[asyncio.Task[Meeting]]) -> Meeting:
    met: list[tuple[str, Meeting]] = []
    down: list[BaseException] = []
    for url, task in zip(urls, asked, strict=True):
        error = None if task.cancelled() else task.exception()
        if error is not None and not (isinstance(error, ServerError) and error.retryable):
            raise error
        if error is not None:
            down.append(error)
        elif not task.cancelled():
            met.append((url, task.result()))
    if not met:
        raise down[0]
    for url, told in met[1:]:
        if (told.kind, told.card.id) != (met[0][1].kind, met[0][1].card.id):
            raise ServerError(
                f"servers of one list must play the same: {met[0][0]} plays {_named(met[0][1])}, "
                f"{url} plays {_named(told)}",
                "PROTOCOL",
            )
    return met[0][1]


def _named(met: Meeting) -> str:
    return f"{met.card.id} ({met.kind})"


async def _ask(url: str, target: Target, client: ClientSpec, give_up_at: float) -> Meeting:
    http = Http(url, target.token, client)
    try:
        if target.world:
            await http.get("/", give_up_at)
            name = target.env or target.kind
            return Meeting(
                kind=target.kind, card=foreign_card(name, "0", target.kind, ()), option_names=_OURS
            )
        return await _identify(http, target, give_up_at)
    finally:
        await http.aclose()


async def _identify(http: Http, target: Target, give_up_at: float) -> Meeting:
    said: list[str] = []
    if target.kind in (AUTO, NATIVE):
        heard = await http.get("/v1/info", give_up_at)
        info = _info(heard)
        if info is not None:
            return _native(http.url, info, target.env)
        said.append(f"GET /v1/info {_summed_up(heard)}")
    if target.kind in (AUTO, OPENENV):
        health = await http.get("/health", give_up_at)
        schema = await http.get("/schema", give_up_at)
        _refuse_strangers(http.url, schema)
        if health.members.get("status") in _KNOWN_STATUS and _is_schema(schema):
            return await _openenv(http, target, schema.members, give_up_at)
        said += [f"GET /health {_summed_up(health)}", f"GET /schema {_summed_up(schema)}"]
    wanted = {NATIVE: PROTOCOL, OPENENV: "OpenEnv"}.get(target.kind, f"{PROTOCOL} nor OpenEnv")
    neither = "neither" if target.kind == AUTO else "not"
    raise ServerError(
        f"{http.url} speaks {neither} {wanted} ({', '.join(said)}); is it an env server? "
        "AgentGym's must be named: kind='agentgym:alfworld'",
        "PROTOCOL",
    )


def _info(heard: Heard) -> Info | None:
    try:
        told = Info.model_validate(heard.tree)
    except ValidationError:
        return None
    return told if heard.status == 200 and told.protocol == PROTOCOL else None


def _native(url: str, info: Info, wanted: str | None) -> Meeting:
    env = _chosen(url, info.envs, wanted)
    return Meeting(
        kind=NATIVE,
        card=far_card(env),
        option_names=tuple(env.options),
        num_tasks=env.num_tasks,
        max_steps=env.max_steps,
    )


def _chosen(url: str, envs: Sequence[EnvInfo], wanted: str | None) -> EnvInfo:
    offered = {env.id: env for env in envs}
    if wanted is None and len(offered) == 1:
        return envs[0]
    names = ", ".join(offered) or "nothing"
    if wanted is None:
        example = next(iter(offered), "ALFWorld-v0")
        raise UnknownEnv(f"{url} serves {names}; name one of them: connect(url, env={example!r})")
    if wanted not in offered:
        hint = near(wanted, offered)
        raise UnknownEnv(f"{url} has no environment {wanted!r}.{hint} It serves: {names}")
    return offered[wanted]


async def _openenv(http: Http, target: Target, schema: Any, give_up_at: float) -> Meeting:  # noqa: ANN401
    metadata = (await http.get("/metadata", give_up_at)).members
    listed = (await http.get("/list_environments", give_up_at)).tree
    names = [
        clean(str(name)) for name in cast("list[Any]", listed if isinstance(listed, list) else [])
    ]
    first = clean(str(metadata.get("name") or next(iter(names), OPENENV)))
    path = await _path(http, first, names, target.env, give_up_at)
    if path:
        schema = (await http.get(f"{path}/schema", give_up_at)).members
        metadata = (await http.get(f"{path}/metadata", give_up_at)).members
    env_id = target.env or first
    card = foreign_card(
        env_id,
        clean(str(metadata.get("version") or "0")),
        clean(str(metadata.get("description") or "")),
        ("admissible_actions",) if _lists_choices(schema["observation"]) else (),
    )
    form = action_form(schema["action"], target.shape, http.url + path)
    return Meeting(kind=OPENENV, card=card, option_names=_OURS, form=form, path=path)


async def _path(
    http: Http, first: str, names: Sequence[str], wanted: str | None, give_up_at: float
) -> str:
    """Where the wanted environment stands below the URL; the server's first is at the root."""
    told = ", ".join(dict.fromkeys([first, *names]))
    if wanted is None:
        if len(names) > 1:
            raise UnknownEnv(f"{http.url} serves {told}; name one of them: env={names[0]!r}")
        return ""
    if _plain(wanted) == _plain(first):
        return ""
    path = f"/openenv/{quote(wanted, safe='')}"
    if _is_schema(await http.get(f"{path}/schema", give_up_at)):
        return path
    # The original lists a server's own name for its one environment beside that of its class.
    if len(names) == 1 and _plain(wanted) == _plain(names[0]):
        return ""
    raise UnknownEnv(
        f"{http.url} is an OpenEnv server of {told}, not of {wanted!r}; "
        "leave env out, or name what it plays"
    )


def _is_schema(heard: Heard) -> bool:
    parts = [heard.members.get(name) for name in ("action", "observation")]
    return heard.status == 200 and all(isinstance(part, dict) for part in parts)


def _lists_choices(schema: dict[str, Any]) -> bool:
    fields = schema.get("properties")
    known = cast("dict[str, Any]", fields) if isinstance(fields, dict) else {}
    return any("string" in str(known[name]) for name in LIST_FIELDS if name in known)


def _refuse_strangers(url: str, heard: Heard) -> None:
    if heard.status in (401, 403):
        raise ServerError(
            f"{url} answered HTTP {heard.status}: it wants a token, or another one; "
            "give it as token=...",
            "UNAUTHORIZED",
        )


def _plain(name: str) -> str:
    """A name without what spellings differ in: `Echo-v0`, `echo_env`, `EchoEnvironment`."""
    bare = re.sub(r"[^a-z0-9]", "", re.sub(r"-v\d+$", "", name.casefold()))
    return re.sub(r"(environment|env)$", "", bare)


def _summed_up(heard: Heard) -> str:
    return f"answered HTTP {heard.status}" + ("" if heard.tree is not None else " without JSON")
