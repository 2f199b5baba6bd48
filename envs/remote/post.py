"""Requests to one server over HTTP, each by itself. This is the one file that uses httpx."""

import httpx
from pydantic import ValidationError

from ..errors import ServerError
from ..wire import BOOT_HEADER, DRAINING_HEADER, KEY_HEADER
from ..wire_answers import FaultAnswer
from .address import is_loopback
from .attempt import MAX_ANSWER, AnswerT, Call, NoAnswer, NotYet, broken, read, refusal
from .faults import as_error, clean
from .socket import Heard
from .spec import ClientSpec

_AGAIN = frozenset({408, 429, 502, 503, 504})
_MAX_RETRY_AFTER_S = 30.0
_KEEP_ALIVE_S = 30.0
"""Below what the server keeps, so that a connection seldom closes under a request."""
_CONNECTIONS = 32


class Poster:
    """Keeps few connections to a server; redirects are not followed."""

    def __init__(self, url: str, headers: dict[str, str], spec: ClientSpec, heard: Heard) -> None:
        self._url, self._heard = url, heard
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Accept": "application/json", **headers},
            timeout=httpx.Timeout(None, connect=spec.connect_s),
            limits=httpx.Limits(max_connections=_CONNECTIONS, keepalive_expiry=_KEEP_ALIVE_S),
            transport=spec.transport(url) if spec.transport else None,
            # A proxy meant for the internet must not swallow requests to this machine.
            trust_env=not is_loopback(url),
            verify=url.startswith("https:"),
        )

    @property
    def closed(self) -> bool:
        """No request can be made any more."""
        return self._http.is_closed

    async def ask(self, call: Call[AnswerT]) -> AnswerT:
        """One attempt.

        Raises `NoAnswer` when the request or its answer is lost, `NotYet` when the server asks to
        come again, and what it answers otherwise.
        """
        try:
            answer, body = await self._exchange(call)
        except httpx.RequestError as error:
            detail = clean(str(error))
            name = type(error).__name__
            raise NoAnswer(f"{name}: {detail}" if detail else name) from None
        self._heard(answer.headers.get(BOOT_HEADER), DRAINING_HEADER in answer.headers)
        if answer.is_success:
            return read(call, body, self._url)
        raise _refusal(answer, body, self._url)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _exchange(self, call: Call[AnswerT]) -> tuple[httpx.Response, bytes]:
        headers = {"Content-Type": "application/json"} if call.body else {}
        if call.key is not None:
            headers[KEY_HEADER] = call.key
        request = self._http.build_request(
            "POST" if call.body else "GET", call.path, headers=headers, content=call.body or None
        )
        answer = await self._http.send(request, stream=True)
        try:
            return answer, await _read(answer, self._url)
        finally:
            await answer.aclose()


async def _read(answer: httpx.Response, url: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.aiter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER:
            raise broken(url, f"the answer is longer than {MAX_ANSWER} bytes")
    return b"".join(chunks)


def _refusal(answer: httpx.Response, body: bytes, url: str) -> Exception:
    again = answer.status_code in _AGAIN
    try:
        fault = FaultAnswer.model_validate_json(body).error
    except ValidationError:
        message = f"{url} answered HTTP {answer.status_code} without saying why"
        error = ServerError(message, "PROTOCOL", again)
        return NotYet(error, _retry_after(answer)) if again else error
    return refusal(fault, url, _retry_after(answer)) if again else as_error(fault, url)


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _MAX_RETRY_AFTER_S) if text.isdecimal() and len(text) < 9 else 0.0
