"""A real HTTP server on a free port that answers by a script and keeps what it was asked."""

import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server does with one request."""

    content: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = '"one"'
    ranges: bool = True
    """Heed Range and If-Range."""
    length: bool = True
    """Say how long the content is."""
    cut: int | None = None
    """Close the connection after so many bytes of the body."""
    pause_s: float = 0.0
    """Wait so long before every KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request."""

    path: str
    range: str
    if_range: str
    host: str = ""


class FileServer:
    """Answers by path; each answer serves once, the last one for ever."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[Seen] = []
        self._script: dict[str, list[Answer]] = {}

    def put(self, path: str, *answers: Answer) -> str:
        """Serve the answers under a path; answers its URL."""
        self._script[path] = list(answers)
        return f"{self.url}{path}"

    def take(self, path: str) -> Answer:
        answers = self._script.get(path.partition("?")[0])
        if not answers:
            return Answer(status=404)
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @property
    def ranges(self) -> list[str]:
        """The Range headers so far."""
        return [each.range for each in self.seen]


class _Handler(BaseHTTPRequestHandler):
    files: FileServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        tag = self.headers.get("If-Range", "")
        self.files.seen.append(
            Seen(path=self.path, range=asked, if_range=tag, host=self.headers.get("Host", ""))
        )
        answer = self.files.take(self.path)
        with suppress(ConnectionError):
            self._send(answer, asked, tag)
        self.close_connection = True

    def _send(self, answer: Answer, asked: str, tag: str) -> None:
        found = re.fullmatch(r"bytes=(\d+)-", asked)
        heeded = answer.ranges and answer.status == 200 and found and tag in ("", answer.etag)
        start = int(found[1]) if heeded and found else 0
        total = len(answer.content)
        if heeded and start >= total:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{total}")
            self.end_headers()
            return
        self.send_response(206 if heeded else answer.status)
        if heeded:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if answer.etag:
            self.send_header("ETag", answer.etag)
        if answer.length:
            self.send_header("Content-Length", str(total - start))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        body = answer.content[start:]
        self._body(body if answer.cut is None else body[: answer.cut], answer.pause_s)

    def _body(self, body: bytes, pause_s: float) -> None:
        step = 1024 if pause_s else max(len(body), 1)
        for at in range(0, len(body), step):
            time.sleep(pause_s)
            self.wfile.write(body[at : at + step])

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def file_server(tls: ssl.SSLContext | None = None) -> Iterator[FileServer]:
    """A server that runs as long as the block, on 127.0.0.1 alone."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "https" if tls else "http"
    files = FileServer(f"{scheme}://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"files": files})
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
