"""The way to one server: every call is sent again until it is answered or its time is over.

All calls of the protocol may be repeated blindly, so a lost connection, a lost answer, 429 and 503
are met the same way: wait a little, at random, and send the same bytes again. A call travels by
socket where it may and the socket works, and by a request of its own otherwise.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable

from ..errors import ServerError, ServerUnreachable
from ..wire import PROTOCOL
from ..wire_answers import Info
from .address import checked_url, printable_token
from .attempt import AnswerT, Call, NoAnswer, NoSocket, NotYet
from .faults import clean
from .post import Poster
from .socket import Socket
from .spec import ClientSpec, Dial


class Link:
    """A server's URL, the connections to it, and what its answers say of it."""

    def __init__(self, url: str, token: str | None, spec: ClientSpec) -> None:
        self.url = checked_url(url)
        self.boot: str | None = None
        """Boot id of the last answer."""
        self.draining = False
        """It is about to stop."""
        self.alone = True
        """There is no other server to go to, so this one is asked until the time is over."""
        self.silent = False
        """It did not answer in time, and was not heard of since."""
        self.on_draining: Callable[[], None] = lambda: None
        self._spec = spec
        self._random = random.Random()
        headers = {"Authorization": f"Bearer {printable_token(token)}"} if token else {}
        self._posts = Poster(self.url, headers, spec, self._heard)
        dial = _dial_of(spec)
        self._socket = dial and Socket(self.url, headers, dial, spec.connect_s, self._heard)

    async def ask(self, call: Call[AnswerT], give_up_at: float) -> AnswerT:
        """Answer to a call.

        Raises `ServerUnreachable` when there was none by `give_up_at` (loop time), the error that
        the server answered otherwise.
        """
        if self._posts.closed:
            raise ServerError(f"{self.url}: the pool is closed", "CLOSED")
        loop = asyncio.get_running_loop()
        began, attempts, timeouts = loop.time(), 0, 0
        # Retryable, since calls that share the request may have more time left.
        failure: ServerError = ServerUnreachable(
            f"{self.url}: no time left to ask", "UNREACHABLE", True
        )
        while (left := give_up_at - loop.time()) > 0:
            asked_s = 0.0
            try:
                return await self._once(call, min(left, self._spec.attempt_s))
            except (TimeoutError, NoAnswer) as error:
                failure = self._unanswered(error, loop.time() - began)
                timeouts += isinstance(error, TimeoutError)
            except NotYet as error:
                failure, asked_s = error.error, error.wait_s
            attempts += 1
            turned_away = not self.alone and self._turns_away(failure, loop.time() - began)
            if turned_away or timeouts > self._spec.retries:
                break
            pause = self._pause(attempts, asked_s)
            await asyncio.sleep(min(pause, max(0.0, give_up_at - loop.time())))
        self.silent |= attempts > 0 and isinstance(failure, ServerUnreachable)
        raise failure

    async def info(self, give_up_at: float) -> Info:
        """What the server is. Raises `ServerError` for one that speaks another protocol."""
        told = await self.ask(Call(path="/v1/info", answer=Info), give_up_at)
        if told.protocol != PROTOCOL:
            message = f"{self.url} speaks {clean(told.protocol)}, expected {PROTOCOL}"
            raise ServerError(message, "PROTOCOL")
        return told

    def told_status(self, status: str) -> None:
        """The server said how it is: `ready`, `draining`, ..."""
        self._heard(None, status == "draining")

    async def aclose(self) -> None:
        """Close the connections."""
        if self._socket is not None:
            await self._socket.aclose()
        await self._posts.aclose()

    async def _once(self, call: Call[AnswerT], wait_s: float) -> AnswerT:
        """One attempt, by the way that is open."""
        socket = self._socket if call.frame is not None else None
        by_socket = socket is not None and socket.usable(self.boot)
        try:
            async with asyncio.timeout(wait_s):
                if socket is not None and by_socket:
                    with contextlib.suppress(NoSocket):
                        return await socket.ask(call, self.boot)
                    by_socket = False
                return await self._posts.ask(call)
        except TimeoutError:
            if socket is not None and by_socket:
                # What is asked again goes another way: this one may be dead.
                socket.rest()
            raise

    def _heard(self, boot: str | None, draining: bool | None) -> None:
        """An answer came."""
        self.boot, self.silent = boot or self.boot, False
        if draining and not self.draining:
            self.draining = True
            self.on_draining()
        elif draining is False:
            self.draining = False

    def _unanswered(self, error: Exception, waited_s: float) -> ServerUnreachable:
        reason = "no answer" if isinstance(error, TimeoutError) else str(error)
        message = (
            f"{self.url} did not answer within {waited_s:.1f} s ({reason}); is the server running?"
        )
        return ServerUnreachable(message, "UNREACHABLE", True)

    def _turns_away(self, failure: ServerError, waited_s: float) -> bool:
        """Whether, while there are other servers, this one is not worth another attempt."""
        return not isinstance(failure, ServerUnreachable) or waited_s >= self._spec.failover_s

    def _pause(self, attempts: int, asked_s: float) -> float:
        """Seconds to wait: a random share of a doubling bound, or what the server asked for."""
        bound = min(self._spec.backoff_max_s, self._spec.backoff_s * 2.0**attempts)
        return max(bound * self._random.uniform(0.5, 1.0), asked_s * self._random.uniform(1.0, 1.2))


def _dial_of(spec: ClientSpec) -> Dial | None:
    """How sockets are opened, if at all: a transport of the caller's own leads elsewhere."""
    if spec.socket_sessions == 0 or (spec.transport is not None and spec.dial is None):
        return None
    if spec.dial is not None:
        return spec.dial
    from .dial import dial

    return dial
