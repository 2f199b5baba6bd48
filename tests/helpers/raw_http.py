"""HTTP by hand, for requests that no client library would send; and servers seen from outside."""

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    status: int
    """0: the connection was closed without an answer."""
    head: str
    body: bytes

    @property
    def tree(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Code of the error, of the first item's, or `ok`."""
        tree = self.tree
        first = tree["results"][0] if tree.get("results") else tree
        return first.get("error", {}).get("code", "ok")


def dial(url: str, timeout_s: float = 20.0) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=timeout_s)


def exchange(url: str, raw: bytes) -> Answered:
    """Send bytes and read until the server closes, which the request is to ask for."""
    with dial(url) as line:
        heard = b""
        # It may answer before it has read everything, and close with a reset.
        with contextlib.suppress(OSError):
            line.sendall(raw)
        with contextlib.suppress(ConnectionResetError):
            while chunk := line.recv(65536):
                heard += chunk
    return parse(heard)


def parse(heard: bytes) -> Answered:
    if not heard:
        return Answered(status=0, head="", body=b"")
    head, _, body = heard.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    return Answered(status=int(text.split()[1]), head=text.lower(), body=body)


def request(method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
    """A request that closes its connection; `headers` replace the usual ones."""
    named = {"Host": "127.0.0.1", "Connection": "close"}
    if body is not None:
        named |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in (named | headers).items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def post(url: str, path: str, tree: object) -> Answered:
    return exchange(url, request("POST", path, json.dumps(tree).encode(), {}))


def get(url: str, path: str) -> Answered:
    return exchange(url, request("GET", path, None, {}))


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise LookupError(f"/proc/{pid}/status has no VmRSS")


def wait_until(wish: Callable[[], bool], what: str, deadline_s: float = 20.0) -> None:
    end = time.monotonic() + deadline_s
    while not wish():
        assert time.monotonic() < end, f"{what}: not within {deadline_s:g} s"
        time.sleep(0.02)
