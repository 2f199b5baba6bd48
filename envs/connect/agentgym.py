"""Sessions at AgentGym's servers: `/create`, `/reset`, `/step`, spelled by each of them in its way.

A task's seed is the number of the game. What is refused comes as HTTP 200 with an `error`. Servers
without a `/close` keep what was created on them; that is their own fault and cannot be mended here.
"""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Any, cast

from ... import GigymError
from ..errors import EnvCodeError, ServerError, ServerUnreachable
from ..remote import ClientSpec
from ..remote.faults import clean
from ..types import JsonValue, Options, Reply
from .foreign import Begin, Lost
from .http import Heard, Http
from .shapes import Tree, choices, number, small, sound
from .target import Target

_FAREWELL_S = 2.0
_TEXTS = ("observation", "state")
_SHOWN = frozenset({*_TEXTS, "id", "reward", "done", "available_actions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """What one of AgentGym's servers calls things."""

    session: str = "id"
    game: str = "data_idx"
    closes: bool = True
    """It has a route `/close`."""
    asks_choices: bool = False
    """It lists the actions at `/available_actions`, and not in its answers."""
    preface: str | None = None
    """A field of the reset's answer that comes before the observation."""


SPELLINGS: dict[str, Spelling] = {
    "alfworld": Spelling(game="game", closes=False),
    "babyai": Spelling(),
    "sciworld": Spelling(preface="task_description"),
    "textcraft": Spelling(),
    "webshop": Spelling(session="env_idx", game="session_id", closes=False, asks_choices=True),
}


class AgentGymServer:
    """A server, and how it spells."""

    def __init__(self, url: str, target: Target, options: Options, client: ClientSpec) -> None:
        self.url = url
        self._spelling = SPELLINGS[target.world]
        self._always: dict[str, JsonValue] = (
            {"world_type": "Text"} if target.world == "alfworld" else {}
        )
        self._http = Http(url, target.token, client)

    async def open(self, give_up_at: float) -> "AgentGymSession":
        """Create an environment."""
        try:
            heard = await self._http.post("/create", None, give_up_at)
        except ServerError as error:
            raise ServerUnreachable(str(error), "UNREACHABLE", True) from None
        told = answered(heard, f"{self.url}/create")
        sid: object = heard.members.get("id") if isinstance(told, dict) else told
        if isinstance(sid, bool) or not isinstance(sid, int | str):
            raise broken(f"{self.url}/create", "no id of what was created")
        return AgentGymSession(self._http, self._spelling, sid, self._always)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class AgentGymSession:
    """An environment at a server, by its number."""

    def __init__(self, http: Http, spelling: Spelling, sid: int | str, always: Options) -> None:
        self._http, self._spelling = http, spelling
        self._sid, self._always = sid, always

    async def begin(self, what: Begin, give_up_at: float) -> Reply:
        """Start the game of this number."""
        facts = {**self._always, **what.task.options, self._spelling.game: what.task.seed}
        told = await self._post("/reset", facts, give_up_at)
        if isinstance(told, list) and told:
            # WebShop answers a pair, the text and null.
            told = {"observation": cast("list[Any]", told)[0]}
        reply = await self._read("/reset", told, give_up_at)
        preface = reply.info.get(self._spelling.preface or "")
        if isinstance(preface, str):
            return replace(reply, observation=f"{sound(preface)}\n{reply.observation}")
        return reply

    async def act(self, action: str, give_up_at: float) -> Reply:
        """Apply an action."""
        told = await self._post("/step", {"action": action}, give_up_at)
        return await self._read("/step", told, give_up_at)

    async def stands_at(self, episode_id: str, turns: int, give_up_at: float) -> bool:
        """Never: these servers do not count turns."""
        return False

    def abandon(self) -> None:
        """Nothing is held on this side."""

    async def aclose(self) -> None:
        """Close it, where the server can."""
        if not self._spelling.closes:
            return
        give_up_at = asyncio.get_running_loop().time() + _FAREWELL_S
        with contextlib.suppress(GigymError, Lost):
            await self._post("/close", {}, give_up_at)

    async def _post(self, path: str, facts: Tree, give_up_at: float) -> Any:  # noqa: ANN401
        named = {self._spelling.session: self._sid, **facts}
        try:
            heard = await self._http.post(path, named, give_up_at)
        except ServerUnreachable as error:
            raise Lost(str(error)) from None
        return answered(heard, self._http.url + path)

    async def _read(self, path: str, told: Any, give_up_at: float) -> Reply:  # noqa: ANN401
        place = self._http.url + path
        if not isinstance(told, dict):
            raise broken(place, "expected an object")
        tree = cast("Tree", told)
        text = next((tree[name] for name in _TEXTS if isinstance(tree.get(name), str)), None)
        done = tree.get("done", False)
        if text is None or not isinstance(done, bool):
            raise broken(place, f"no text in any of {', '.join(_TEXTS)}, or done is no bool")
        actions = choices(tree)
        if actions is None and self._spelling.asks_choices and not done:
            actions = await self._choices(give_up_at)
        facts = {name: fact for name, fact in tree.items() if name not in _SHOWN}
        return Reply(
            observation=sound(text),
            reward=number(tree.get("reward"), place),
            terminated=done,
            admissible_actions=actions,
            info=small(facts),
        )

    async def _choices(self, give_up_at: float) -> tuple[str, ...] | None:
        """WebShop's: whether there is a search bar, and what can be clicked."""
        path = f"/available_actions?{self._spelling.session}={self._sid}"
        told = (await self._http.get(path, give_up_at)).members
        found = told.get("clickables")
        if not isinstance(found, list):
            return None
        names = [one for one in cast("list[Any]", found) if isinstance(one, str)]
        bar = ("search[<your query>]",) if told.get("has_search_bar") is True else ()
        return (*bar, *(f"click[{sound(name)}]" for name in names if name != "search"))


def answered(heard: Heard, place: str) -> Any:  # noqa: ANN401
    """The tree of an answer. Raises `EnvCodeError` for an `error`, `ServerError` for the rest."""
    error = heard.members.get("error")
    if error is not None:
        raise EnvCodeError(f"{place}: {clean(str(error))}")
    if heard.status != 200 or heard.tree is None:
        raise ServerError(f"{place} answered HTTP {heard.status}", "PROTOCOL")
    return heard.tree


def broken(place: str, why: str) -> ServerError:
    """The error for an answer that is not AgentGym's."""
    return ServerError(f"{place} does not answer as AgentGym does: {why}", "PROTOCOL")
