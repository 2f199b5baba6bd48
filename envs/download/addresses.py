"""Which URLs may be asked, and at which addresses.

The user may name any http or https URL, of this machine too. Where a server sends us on is
another matter: never from https to http, never from a public host to an address of this machine
or of the local network. The address that was checked is the one that is then connected to.
"""

import ipaddress
import queue
import socket
import threading
import urllib.request
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from ..errors import BadOption, DownloadFailed

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One stop on the way to a file."""

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]
    """What the host resolves to; empty when a proxy resolves it for us."""

    @property
    def is_public(self) -> bool:
        """No address belongs to this machine or to a local network."""
        return all(_is_public(address) for address in self.addresses)


def is_url(text: str) -> bool:
    """The text is meant as a URL rather than as a path."""
    return "://" in text


def first_stop(url: str, timeout_s: float) -> Stop:
    """Where a URL leads. Raises `BadOption` for a URL that is never asked."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadOption(f"{url}: expected a URL with http or https and a host")
    if parts.username or parts.password:
        raise BadOption(f"a URL for {parts.hostname} holds a password; give one without")
    try:
        port = parts.port or _PORTS[parts.scheme]
    except ValueError as error:
        raise BadOption(f"{url}: {error}") from None
    addresses = (
        () if _has_proxy(parts.scheme, parts.hostname) else _resolve(parts.hostname, timeout_s)
    )
    return Stop(url=url, scheme=parts.scheme, host=parts.hostname, port=port, addresses=addresses)


def next_stop(first: Stop, here: Stop, location: str, timeout_s: float) -> Stop:
    """Where a redirect leads. Raises `DownloadFailed` when it is not to be followed."""
    try:
        stop = first_stop(urljoin(here.url, location), timeout_s)
    except (BadOption, ValueError):
        raise DownloadFailed(f"it sends us on to {location!r:.100}, which is no http URL") from None
    if here.scheme == "https" and stop.scheme != "https":
        raise DownloadFailed(f"it sends us on from https to {stop.url!r:.100}; refused")
    if first.is_public and not stop.is_public:
        raise DownloadFailed(
            f"it sends us on to {stop.host!r:.100}, an address of this machine or the local "
            "network; refused"
        )
    return stop


def _has_proxy(scheme: str, host: str) -> bool:
    proxies = urllib.request.getproxies()
    named = proxies.get(scheme) or proxies.get("all")
    return bool(named) and not urllib.request.proxy_bypass(host)


def _resolve(host: str, timeout_s: float) -> tuple[str, ...]:
    """All addresses of a host; asked in a thread because the resolver knows no deadline."""
    answers: queue.SimpleQueue[tuple[str, ...] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answers.put(tuple(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise DownloadFailed(f"the name {host!r:.100} was not resolved in time") from None
    if not isinstance(answer, tuple):
        raise DownloadFailed(f"the host {host!r:.100} is not known here: {answer}") from None
    return answer


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_global and not address.is_multicast
