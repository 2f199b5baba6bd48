"""The socket that a server listens on: TCP, or a Unix socket that only its owner may use."""

import contextlib
import errno
import os
import socket
import stat
import sys
from collections.abc import Generator

from .errors import BindError, PortInUse
from .spec import ServerSpec, bracketed

BACKLOG = 2048
_UNREAD_MS = 30_000
_OWNER_ONLY = 0o177


@contextlib.contextmanager
def listening(spec: ServerSpec) -> Generator[socket.socket, None, None]:
    """The listening socket of a server, closed and cleared away in the end.

    Raises `PortInUse`, or `BindError` for another fault.
    """
    if spec.uds is None:
        with listen(spec.host, spec.port) as listener:
            yield listener
        return
    with listen_unix(spec.uds) as listener:
        try:
            yield listener
        finally:
            with contextlib.suppress(OSError):
                os.unlink(spec.uds)


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket. Raises `PortInUse`, or `BindError` for another fault."""
    plain = host.strip("[]")
    place = f"{bracketed(plain)}:{port}"
    try:
        family = socket.getaddrinfo(plain, port, type=socket.SOCK_STREAM)[0][0]
        return _bound(family, plain, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"{place} is in use by another program; choose another port with --port N, "
                "or any free one with --port 0"
            ) from None
        raise BindError(f"cannot listen on {place}: {error.strerror}") from None


def listen_unix(path: str) -> socket.socket:
    """A listening Unix socket of mode 0600; one that a dead server left there is replaced.

    Raises `PortInUse` where another server answers, `BindError` for another fault.
    """
    try:
        _clear(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        held = os.umask(_OWNER_ONLY)
        try:
            listener.bind(path)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(held)
    except BindError:
        raise
    except OSError as error:
        why = error.strerror or error
        raise BindError(f"cannot listen on {path}: {why}; choose another --uds PATH") from None
    return listener


def _clear(path: str) -> None:
    """Remove the socket of a server that is no more."""
    try:
        is_socket = stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise FileExistsError(errno.EEXIST, "there is a file of that name")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        else:
            raise PortInUse(f"{path} is in use by another server; choose another --uds PATH")


def _bound(family: int, host: str, port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is named; `create_server` names
    # none, and every answer would then wait 40 ms for a delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            # Connections inherit it: a peer that went away without a word is given up then.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
