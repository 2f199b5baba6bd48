"""What a user says of a server, checked before anything is sent: its URL and its token."""

import ipaddress
from urllib.parse import urlsplit

from ..errors import BadOption


def checked_url(url: str) -> str:
    """The URL without a slash at its end. Raises `BadOption` for what is no URL of a server."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        parts, sound = urlsplit(""), False
    if not sound:
        raise BadOption(f"expected the URL of a server such as http://127.0.0.1:8000, got {url!r}")
    if "@" in parts.netloc:
        raise BadOption("the URL of a server may hold no credentials; give its token by itself")
    return url.rstrip("/")


def printable_token(token: str) -> str:
    """The token, which a header must be able to carry; a message never repeats it."""
    if not (token.isascii() and token.isprintable()):
        raise BadOption("the token of a server must be printable ASCII on one line; check its file")
    return token


def is_loopback(url: str) -> bool:
    """Whether the server is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
