"""One server of vLLM's kind: connections to it, what it offers, and whether it is alive.

Generating and controlling use connections of their own, so that a pause gets through while every
other connection waits for tokens. Only what certainly never reached the model is sent again.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from .errors import EngineError

Form = Literal["generate", "completions", "text"]
"""Which route tokens come from: with version spans, without them, or as text."""

CONNECT_S = 5.0
TRIES = 5
_BACKOFF_S = 0.05
_AGAIN = frozenset({429, 502, 503, 504})
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class LinkDown(Exception):
    """The server does not answer, or hung up; `str` says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a server said about itself."""

    model: str
    max_model_len: int
    version: str
    control: bool
    """Whether the control routes are there."""


class Link:
    """Connections to one server."""

    def __init__(self, url: str, *, api_key: str, connections: int) -> None:
        self.url = url.rstrip("/")
        self.alive = True
        """Whether requests go there; who was lost comes back with the next push."""
        self.outstanding = 0
        """Requests that wait for it."""
        self.form: Form = "completions"
        self.facts = Facts(model="", max_model_len=0, version="", control=False)
        # Not left to the pool, which looks through all that wait whenever a connection is free.
        self._free = asyncio.Semaphore(connections)
        self._work = self._client(api_key, connections)
        self._control = self._client(api_key, 8)

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, as far as its address tells."""
        return urlsplit(self.url).hostname in _LOOPBACK

    async def sample(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """A generate request, which lasts as long as the caller lets it. Raises `LinkDown`."""
        self.outstanding += 1
        try:
            async with self._free:
                return await self._sample(path, body)
        except httpx.TransportError as error:
            raise LinkDown(f"{self.url} hung up: {type(error).__name__} {error}") from error
        finally:
            self.outstanding -= 1

    async def ask(
        self,
        method: str,
        path: str,
        *,
        deadline_s: float,
        **content: Any,  # noqa: ANN401
    ) -> httpx.Response:
        """A control request. Raises `LinkDown`, also when the deadline passes."""
        try:
            async with asyncio.timeout(deadline_s):
                return await self._control.request(method, path, **content)
        except TimeoutError:
            raise LinkDown(f"{self.url}{path} gave no answer within {deadline_s:g} s") from None
        except httpx.TransportError as error:
            raise LinkDown(f"{self.url}{path}: {type(error).__name__} {error}") from error

    async def order(
        self,
        path: str,
        *,
        deadline_s: float,
        **content: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """A control request that must succeed. Raises `LinkDown`, `EngineError`."""
        answer = await self.ask("POST", path, deadline_s=deadline_s, **content)
        if answer.status_code != 200:
            raise EngineError(f"{self.url}{path}: status {answer.status_code}: {words(answer)}")
        body = answer.json() if answer.content else {}
        return body if isinstance(body, dict) else {}

    async def answers(self) -> bool:
        """Whether it says that it is well."""
        try:
            return (await self.ask("GET", "/health", deadline_s=CONNECT_S)).status_code == 200
        except LinkDown:
            return False

    async def close(self) -> None:
        """Hang up."""
        await self._work.aclose()
        await self._control.aclose()

    async def _sample(self, path: str, body: dict[str, Any]) -> httpx.Response:
        for attempt in range(TRIES - 1):
            try:
                answer = await self._work.post(path, json=body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                pass
            else:
                if answer.status_code not in _AGAIN:
                    return answer
            await asyncio.sleep(_BACKOFF_S * 2**attempt)
        return await self._work.post(path, json=body)

    def _client(self, api_key: str, connections: int) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(None, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=not self.local,
        )


def words(answer: httpx.Response) -> str:
    """What the server said went wrong."""
    try:
        body = answer.json()
    except ValueError:
        return answer.text[:300]
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message", error) if isinstance(error, dict) else error
    return str(message)[:600]
