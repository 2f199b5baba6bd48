"""Client of a SandboxFusion-compatible server: code goes over HTTP, an `Outcome` comes back.

Wire format: `POST {url}/run_code`. The isolation is the server's affair; `level` is what the
caller states of it. Standard error only lends its last line to the error. Trouble of the server
raises `SandboxFailed` and is never a wrong answer.
"""

import json
import math
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .errors import SandboxFailed
from .types import Limits, Outcome

if TYPE_CHECKING:
    import httpx

__all__ = ["RemoteSandbox", "Traffic"]

_MAX_RESPONSE = 16 << 20
_PAUSE_SECONDS = 0.5
_LINE = re.compile(r'^  File ".*", line (\d+)', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How a server is asked."""

    parallel: int = 256
    """Requests under way at a time."""
    attempts: int = 4
    """Times that a run is asked for when no connection or a 504 comes back."""
    margin_seconds: float = 10.0
    """What an answer may take on top of the run's own time."""

    def __post_init__(self) -> None:
        if self.parallel < 1 or self.attempts < 1 or not self.margin_seconds > 0:
            raise ValueError(f"traffic to a sandbox server must be above 0: got {self}")


class RemoteSandbox:
    """Runs code on a server; give its token where it wants one."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        level: int = 3,
        traffic: Traffic | None = None,
    ) -> None:
        import httpx

        if not url.startswith(("http://", "https://")):
            raise ValueError(f"the sandbox's url must begin with http:// or https://: got {url!r}")
        if level not in range(5):
            raise ValueError(f"level of a sandbox must be 0 to 4: got {level!r}")
        self._url = url.rstrip("/") + "/run_code"
        self._level = level
        self._traffic = traffic or Traffic()
        self._places = threading.BoundedSemaphore(self._traffic.parallel)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(headers=headers, follow_redirects=False)

    @property
    def level(self) -> int:
        """Level of isolation that the caller states of the server."""
        return self._level

    def run(self, code: str, limits: Limits) -> Outcome:
        """Run `code` on the server and say what came of it."""
        body = json.dumps(_request(code, limits)).encode()
        with self._places:
            for attempt in range(1, self._traffic.attempts):
                answer = self._post(body, limits, last=False)
                if answer is not None:
                    return _outcome(answer, limits, self._level)
                # linear back-off, as the server's other clients do
                time.sleep(_PAUSE_SECONDS * attempt)
            return _outcome(self._post(body, limits, last=True) or {}, limits, self._level)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> "RemoteSandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _post(self, body: bytes, limits: Limits, *, last: bool) -> dict[str, Any] | None:
        """The server's answer; None when it is worth another attempt."""
        import httpx

        deadline = time.monotonic() + 2 * limits.seconds + self._traffic.margin_seconds
        try:
            with self._client.stream(
                "POST",
                self._url,
                content=body,
                headers={"Content-Type": "application/json"},
                timeout=deadline - time.monotonic(),
            ) as response:
                if response.status_code == 504 and not last:
                    return None
                text = _read(response, deadline)
        except httpx.ConnectError as error:
            if not last:
                return None
            raise SandboxFailed(f"no sandbox server answers at {self._url}: {error}") from error
        except httpx.HTTPError as error:
            raise SandboxFailed(f"the sandbox server at {self._url} failed: {error!r}") from error
        if response.status_code != 200:
            said = text[:200].decode("utf-8", "replace")
            raise SandboxFailed(f"{self._url} answered {response.status_code}: {said}")
        return _parsed(text)


def _request(code: str, limits: Limits) -> dict[str, object]:
    return {
        "compile_timeout": limits.seconds,
        "run_timeout": limits.seconds,
        "code": code,
        "stdin": None,
        "memory_limit_MB": max(1, limits.memory_bytes >> 20),
        "language": "python",
        "files": {},
        "fetch_files": [],
    }


def _read(response: "httpx.Response", deadline: float) -> bytes:
    """The body, if it is no larger than an answer can be and comes before the deadline."""
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > _MAX_RESPONSE:
            raise SandboxFailed(f"the sandbox server sent more than {_MAX_RESPONSE} bytes")
        if time.monotonic() > deadline:
            raise SandboxFailed("the sandbox server did not finish its answer in time")
    return bytes(body)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise SandboxFailed(f"the sandbox server sent no JSON: {text[:100]!r}") from error
    if not isinstance(answer, dict):
        raise SandboxFailed(f"the sandbox server sent no object: {text[:100]!r}")
    return cast("dict[str, Any]", answer)


def _outcome(answer: dict[str, Any], limits: Limits, level: int) -> Outcome:
    run = answer.get("run_result")
    if answer.get("status") not in ("Success", "Failed") or not isinstance(run, dict):
        said = str(answer.get("message"))[:200]
        raise SandboxFailed(f"the sandbox server failed: {answer.get('status')!r}, {said}")
    fields = cast("dict[str, Any]", run)
    output, errors = str(fields.get("stdout") or ""), str(fields.get("stderr") or "")
    timed_out = fields.get("status") == "TimeLimitExceeded"
    too_long = not timed_out and len(output) > limits.output_chars
    return Outcome(
        output=output[: limits.output_chars],
        error=_error(fields, errors, timed_out=timed_out, too_long=too_long),
        timed_out=timed_out,
        seconds=_seconds(fields.get("execution_time")),
        killed="time" if timed_out else "output" if too_long else None,
        level=level,
    )


def _error(fields: dict[str, Any], errors: str, *, timed_out: bool, too_long: bool) -> str | None:
    if timed_out:
        return "TimeoutError: ran past its wall time"
    if too_long:
        return "OutputLimit: printed more than may be printed"
    if not fields.get("return_code"):
        return None
    said = errors.strip().splitlines()
    if not said:
        return f"SystemExit: the process left with exit code {fields['return_code']}"
    lines = _LINE.findall(errors)
    return said[-1][:1000] + (f" (line {lines[-1]})" if lines else "")


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
