"""One server as a pool sees it: places for sessions, and calls that travel in batches."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import pydantic_core
from pydantic import BaseModel, ValidationError

from ... import GigymError
from ..errors import BadOption, ServerError, UnknownEnv
from ..types import Options
from ..wire import PROTOCOL, ResetItem, RestoreItem, StepItem, explain
from ..wire_answers import EnvInfo, Failed, PlayAnswer, Played, SessionsAnswer
from .batcher import Batcher
from .link import ClientSpec, Link

AnswerT = TypeVar("AnswerT", bound=BaseModel)
PlayItem: TypeAlias = ResetItem | StepItem | RestoreItem
_LONGEST_QUEUE_S = 5.0
_FAREWELL_S = 2.0
_FULL_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a pool leases everywhere."""

    env_id: str
    options: Options


class Station:
    """See the module docstring."""

    def __init__(self, link: Link, wanted: Wanted, spec: ClientSpec) -> None:
        self.link = link
        self.held = 0
        """Sessions of ours, those being leased included."""
        self.places = 0
        """Sessions we may have, as far as is known."""
        self.full_until = 0.0
        """Loop time until which it is thought to have no place."""
        self._wanted = wanted
        self._spec = spec
        self._dropped: list[str] = []
        self._met: tuple[str | None, EnvInfo] | None = None
        self._leases = Batcher(self._send_leases, spec, unclaimed=self._disown)
        self._plays: dict[type[PlayItem], Batcher[PlayItem, Played | Failed]] = {
            ResetItem: Batcher(self._sender("/v1/reset"), spec),
            StepItem: Batcher(self._sender("/v1/step"), spec),
            RestoreItem: Batcher(self._sender("/v1/restore"), spec),
        }

    @property
    def free(self) -> int:
        """Places not taken, as far as is known."""
        return self.places - self.held

    async def meet(self, give_up_at: float) -> EnvInfo:
        """What the server says of our environment, asked anew after each of its restarts.

        Raises `UnknownEnv` when it does not serve it.
        """
        if self._met is not None and self._met[0] == self.link.boot:
            return self._met[1]
        info = await self.link.info(give_up_at)
        for env in info.envs:
            if env.id == self._wanted.env_id:
                self.places = info.free + self.held if self._met is None else info.limits.sessions
                self._met = (self.link.boot, env)
                return env
        offered = ", ".join(env.id for env in info.envs) or "nothing"
        raise UnknownEnv(
            f"{self.link.url} has no environment {self._wanted.env_id!r}; it serves: {offered}"
        )

    async def lease(self, give_up_at: float) -> str:
        """A fresh session's sid."""
        try:
            return await self._leases.ask(None, give_up_at)
        except ServerError as error:
            if error.retryable:
                self.full_until = asyncio.get_running_loop().time() + _FULL_S
            raise

    async def play(self, item: PlayItem, give_up_at: float) -> Played | Failed:
        """Result of a reset, step or restore."""
        return await self._plays[type(item)].ask(item, give_up_at)

    def drop(self, sid: str | None) -> None:
        """A session is ours no more; the server hears of it at the next occasion."""
        self.held -= 1
        if sid is not None:
            self._dropped.append(sid)

    def _disown(self, sid: str) -> None:
        """Whoever asked for the session is gone: close it with those that were dropped."""
        self._dropped.append(sid)

    async def tend(self, sids: Sequence[str]) -> None:
        """Renew the sessions still in use, and close those that were dropped."""
        give_up_at = asyncio.get_running_loop().time() + self._spec.attempt_s
        with contextlib.suppress(GigymError):
            await self._about("/v1/renew", sids, give_up_at)
        await self._close_dropped(give_up_at)

    async def aclose(self) -> None:
        """Close what was dropped if the server still listens, and the connections."""
        for batcher in (self._leases, *self._plays.values()):
            await batcher.aclose()
        now = asyncio.get_running_loop().time()
        if self.link.silent_until <= now:
            await self._close_dropped(now + _FAREWELL_S)
        await self.link.aclose()

    async def _close_dropped(self, give_up_at: float) -> None:
        """Make room on the server; what it does not hear of ends with its lease."""
        dropped, self._dropped = self._dropped, []
        with contextlib.suppress(GigymError):
            await self._about("/v1/close", dropped, give_up_at)

    async def _about(self, path: str, sids: Sequence[str], give_up_at: float) -> None:
        for begin in range(0, len(sids), self._spec.batch):
            items = [{"sid": sid} for sid in sids[begin : begin + self._spec.batch]]
            await self.link.post(path, pydantic_core.to_json({"items": items}), give_up_at)

    async def _send_leases(self, items: list[None], give_up_at: float) -> list[str]:
        await self.meet(give_up_at)
        await self._close_dropped(give_up_at)
        left = give_up_at - asyncio.get_running_loop().time()
        body = {
            "env": self._wanted.env_id,
            "count": len(items),
            "lease_s": self._spec.lease_s,
            "wait_s": max(0.0, min(left / 2, _LONGEST_QUEUE_S)),
            "options": dict(self._wanted.options),
        }
        # The key makes a repeated request lease nothing new.
        key = secrets.token_hex(16)
        answer = await self.link.post("/v1/sessions", _json(body), give_up_at, key)
        sids = [leased.sid for leased in self._read(SessionsAnswer, answer).sessions]
        if len(sids) != len(items):
            raise self._broken(f"{len(items)} sessions asked for, got {len(sids)}")
        return sids

    def _sender(
        self, path: str
    ) -> Callable[[list[PlayItem], float], Coroutine[Any, Any, list[Played | Failed]]]:
        async def send(items: list[PlayItem], give_up_at: float) -> list[Played | Failed]:
            body = pydantic_core.to_json({"items": items})
            if len(body) > self._spec.body_bytes and len(items) > 1:
                half = len(items) // 2
                return await send(items[:half], give_up_at) + await send(items[half:], give_up_at)
            answer = await self.link.post(path, body, give_up_at)
            results = list(self._read(PlayAnswer, answer).results)
            if [result.sid for result in results] != [item.sid for item in items]:
                raise self._broken("the results are not those of the items")
            return results

        return send

    def _read(self, kind: type[AnswerT], answer: bytes) -> AnswerT:
        try:
            return kind.model_validate_json(answer)
        except ValidationError as error:
            raise self._broken(explain(error)) from None

    def _broken(self, why: str) -> ServerError:
        return ServerError(f"{self.link.url} broke the protocol {PROTOCOL}: {why}", "PROTOCOL")


def _json(value: object) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode("ascii")
    except (ValueError, TypeError) as error:
        raise BadOption(f"the options of an environment must be JSON: {error}") from None
