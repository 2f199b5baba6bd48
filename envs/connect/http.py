"""JSON over HTTP with a server that need not be ours: bounded, without redirects.

Only what cannot have reached the server is sent again, and what only looks: a foreign server does
not know a repeated step from a second one.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, cast

import httpx

from ..errors import BadOption, ServerError, ServerUnreachable
from ..remote import ClientSpec
from ..remote.address import is_loopback, printable_token
from ..remote.faults import clean
from .shapes import parsed

_MAX_ANSWER = 64 * 2**20
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LATER = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer."""

    status: int
    tree: object
    """Its JSON; None where it is none."""

    @property
    def members(self) -> dict[str, Any]:
        """The JSON object it is; empty for anything else."""
        tree: Any = self.tree
        return cast("dict[str, Any]", tree) if isinstance(tree, dict) else {}


class Http:
    """A server's URL and the connections to it."""

    def __init__(self, url: str, token: str | None, spec: ClientSpec) -> None:
        self.url = url
        self._spec = spec
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {printable_token(token)}"} if token else None,
            timeout=httpx.Timeout(None, connect=spec.connect_s),
            limits=httpx.Limits(max_connections=64, keepalive_expiry=30.0),
            transport=spec.transport(url) if spec.transport else None,
            follow_redirects=False,
            # A proxy meant for the internet must not swallow requests to this machine.
            trust_env=not is_loopback(url),
            verify=url.startswith("https:"),
        )

    async def get(self, path: str, give_up_at: float) -> Heard:
        """Look; asked again until there is an answer. Raises `ServerUnreachable`."""
        return await self._ask("GET", path, None, give_up_at)

    async def post(self, path: str, tree: object, give_up_at: float) -> Heard:
        """Do; sent again only if it cannot have arrived. A tree of None sends no body.

        Raises `ServerUnreachable`.
        """
        body = None if tree is None else _written(tree)
        return await self._ask("POST", path, body, give_up_at)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, body: bytes | None, give_up_at: float) -> Heard:
        loop = asyncio.get_running_loop()
        began, pause = loop.time(), self._spec.backoff_s
        while True:
            try:
                async with asyncio.timeout_at(give_up_at):
                    heard = await self._once(method, path, body)
                if heard.status not in _LATER or loop.time() + pause >= give_up_at:
                    return heard
            except (TimeoutError, httpx.RequestError) as error:
                again = method == "GET" or isinstance(error, _NOT_SENT)
                if not again or loop.time() + pause >= give_up_at:
                    waited = loop.time() - began
                    raise _silence(f"{self.url}{path}", waited, error) from None
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._spec.backoff_max_s)

    async def _once(self, method: str, path: str, body: bytes | None) -> Heard:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = self._http.build_request(method, path, headers=headers, content=body)
        answer = await self._http.send(request, stream=True)
        try:
            return Heard(status=answer.status_code, tree=parsed(await self._read(answer)))
        finally:
            await answer.aclose()

    async def _read(self, answer: httpx.Response) -> bytes:
        chunks, size = list[bytes](), 0
        async for chunk in answer.aiter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > _MAX_ANSWER:
                message = f"{self.url}: the answer is longer than {_MAX_ANSWER} bytes"
                raise ServerError(message, "PROTOCOL")
        return b"".join(chunks)


def _written(tree: object) -> bytes:
    try:
        return json.dumps(tree, allow_nan=False).encode("ascii")
    except (ValueError, TypeError) as error:
        raise BadOption(f"what is sent to a server must be JSON: {error}") from None


def _silence(place: str, waited_s: float, error: Exception) -> ServerUnreachable:
    reason = "no answer" if isinstance(error, TimeoutError) else type(error).__name__
    detail = clean(str(error))
    because = f"{reason}: {detail}" if detail else reason
    message = f"{place} did not answer within {waited_s:.1f} s ({because}); is the server running?"
    return ServerUnreachable(message, "UNREACHABLE", True)
