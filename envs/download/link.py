"""One request for a file, or for the rest of one; the only file here that knows httpx.

A request has a deadline that holds whatever the server does: when it is over the connection is
shut from outside. What goes wrong is a `Setback`, which says whether another try may help.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, cast

import httpx

from ..errors import DownloadFailed
from .addresses import Stop, first_stop, next_stop
from .types import Patience

MAX_REDIRECTS = 5
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LATE = "not done before the deadline"


class Setback(Exception):
    """A try that did not bring the file."""

    def __init__(
        self, text: str, *, again: bool, wait_s: float = 0.0, damaged: bool = False
    ) -> None:
        super().__init__(text)
        self.again = again
        """The same source may do better next time."""
        self.wait_s = wait_s
        """What the server asked for; 0 when it did not."""
        self.damaged = damaged
        """The server gave something, but not the right thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a server began to send."""

    start: int
    """Offset of the first byte that comes."""
    total: int | None
    """Bytes of the whole file."""
    validator: str
    """Names this very content at this server; empty if the server names none."""
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What to ask for."""

    url: str
    have: int = 0
    """Bytes that are here already."""
    validator: str = ""
    """Of what is here; the server starts over when it has something else by now."""
    seconds: float = 60.0
    """When so many seconds are over the connection is shut."""


@contextmanager
def opened(ask: Ask, patience: Patience) -> Generator[Piece]:
    """Send the request and hand out what comes. Raises `Setback`, also while chunks are read."""
    cutoff = _Cutoff(ask.seconds)
    try:
        with ExitStack() as stack:
            response = stack.enter_context(_answer(ask, patience, cutoff))
            yield _piece(response, ask)
        if cutoff.is_over:
            raise Setback(_LATE, again=False)
    except httpx.HTTPError as error:
        if cutoff.is_over:
            raise Setback(_LATE, again=False) from None
        raise Setback(_told(error), again=True) from None
    except httpx.InvalidURL as error:
        raise Setback(
            f"it sends us on to what is no http URL ({error})"[:160], again=False
        ) from None
    except DownloadFailed as error:
        raise Setback(str(error), again=False) from None
    finally:
        cutoff.stop()


@contextmanager
def _answer(ask: Ask, patience: Patience, cutoff: "_Cutoff") -> Generator[httpx.Response]:
    """The answer to the request, after redirects."""
    first = stop = first_stop(ask.url, patience.connect_s)
    headers = {"Accept-Encoding": "identity", "User-Agent": "gigym"}
    if ask.have:
        headers["Range"] = f"bytes={ask.have}-"
        if ask.validator:
            headers["If-Range"] = ask.validator
    for _ in range(MAX_REDIRECTS + 1):
        with _sent(stop, headers, patience, cutoff) as response:
            if not response.has_redirect_location:
                yield response
                return
            location = response.headers["Location"]
        stop = next_stop(first, stop, location, patience.connect_s)
    raise DownloadFailed(f"more than {MAX_REDIRECTS} redirects, the last to {stop.url!r:.100}")


@contextmanager
def _sent(
    stop: Stop, headers: dict[str, str], patience: Patience, cutoff: "_Cutoff"
) -> Generator[httpx.Response]:
    """Send to the first address of the host that takes the connection."""
    verify = httpx.create_ssl_context() if stop.scheme == "https" else False
    with ExitStack() as stack:
        # a proxy is found in the environment; where there is none nothing else is to be found
        client = stack.enter_context(httpx.Client(verify=verify, trust_env=not stop.addresses))
        for last, request in _requests(client, stop, headers, cutoff):
            left = max(0.001, cutoff.seconds_left)
            timeout = httpx.Timeout(
                min(patience.silence_s, left), connect=min(patience.connect_s, left)
            )
            request.extensions["timeout"] = timeout.as_dict()
            try:
                response = client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if last:
                    raise
                continue
            stack.callback(response.close)
            yield response
            return


def _requests(
    client: httpx.Client, stop: Stop, headers: dict[str, str], cutoff: "_Cutoff"
) -> Iterator[tuple[bool, httpx.Request]]:
    """A request for each address that was checked, in the name of the host; the last is marked."""
    url = httpx.URL(stop.url)
    extensions: dict[str, object] = {"trace": cutoff.watch}
    if not stop.addresses:
        yield True, client.build_request("GET", url, headers=headers, extensions=extensions)
    for number, address in enumerate(stop.addresses, 1):
        named = headers | {"Host": url.netloc.decode("ascii")}
        pinned = url.copy_with(host=address)
        pinned_by = extensions | {"sni_hostname": stop.host}
        request = client.build_request("GET", pinned, headers=named, extensions=pinned_by)
        yield number == len(stop.addresses), request


def _piece(response: httpx.Response, ask: Ask) -> Piece:
    if response.status_code not in (200, 206, 416):
        raise Setback(
            f"it answered {response.status_code} {response.reason_phrase}"[:100],
            again=response.status_code in _AGAIN,
            wait_s=_retry_after(response.headers.get("Retry-After", "")),
        )
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Setback("it compressed the file although that was declined", again=False)
    start, total = _extent(response, ask)
    validator = _validator(response.headers)
    empty: Iterator[bytes] = iter(())
    chunks = empty if response.status_code == 416 else response.iter_raw()
    return Piece(start=start, total=total, validator=validator, chunks=chunks)


def _extent(response: httpx.Response, ask: Ask) -> tuple[int, int | None]:
    """Offset of what comes, and length of the whole."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if re.fullmatch(r"\d{1,18}", length) else None
    told = response.headers.get("Content-Range", "")
    if response.status_code == 416:
        ended = re.fullmatch(r"bytes \*/(\d{1,18})", told)
        if ended and int(ended[1]) == ask.have:
            return ask.have, ask.have
        raise Setback("it has no bytes beyond those that are here", again=True, damaged=True)
    found = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", told)
    if found is None or int(found[1]) != ask.have:
        raise Setback(f"it answered with the range {told!r:.60}", again=True, damaged=True)
    return ask.have, None if found[3] == "*" else int(found[3])


def _validator(headers: httpx.Headers) -> str:
    """A strong ETag or a date; weak tags do not promise equal bytes."""
    tag = headers.get("ETag", "")
    found = tag if tag.startswith('"') else headers.get("Last-Modified", "")
    return found if found.isascii() and len(found) <= 200 else ""


def _retry_after(text: str) -> float:
    """Seconds that a Retry-After header asks for; 0 when there is none."""
    if text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _told(error: httpx.HTTPError) -> str:
    kinds: dict[type[Exception], str] = {
        httpx.ConnectTimeout: "no connection in time",
        httpx.ReadTimeout: "silent for too long",
        httpx.ConnectError: "no connection",
    }
    return f"{kinds.get(type(error), 'the connection broke')} ({error})"[:160]


class _HasSocket(Protocol):
    def get_extra_info(self, info: str) -> Any: ...  # noqa: ANN401


class _Cutoff:
    """Shuts the connection when the time is over; timeouts per read would never end a trickle."""

    def __init__(self, seconds: float) -> None:
        self._guard = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_over = False
        self._ends_at = time.monotonic() + seconds
        self._timer = threading.Timer(max(0.0, seconds), self._shut)
        self._timer.daemon = True
        self._timer.start()

    @property
    def seconds_left(self) -> float:
        """Until the time is over; negative when it is."""
        return self._ends_at - time.monotonic()

    def watch(self, event: str, about: dict[str, object]) -> None:
        """Called by httpx as a request goes on; takes note of the socket."""
        if not event.endswith("connect_tcp.complete"):
            return
        stream = cast("_HasSocket", about["return_value"])
        found: socket.socket = stream.get_extra_info("socket")
        with self._guard:
            self._let_go()
            self._socket = socket.socket(fileno=os.dup(found.fileno()))
        if self.is_over:
            self._shut()

    def stop(self) -> None:
        """The request is done."""
        self._timer.cancel()
        with self._guard:
            self._let_go()

    def _shut(self) -> None:
        self.is_over = True
        with self._guard:
            if self._socket is not None:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    return

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
