"""Runs `vf-eval` on our taskset against an endpoint that speaks like OpenAI's and streams.

The endpoint answers as `commands` says: for each opening observation, what to say turn by turn.

stdin: {"url", "seeds", "commands"}. Prints the version, how vf-eval ended, and the traces it saved.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

LONGEST_S = 400


class Model(BaseHTTPRequestHandler):
    """Chat completions, streamed where that is asked for."""

    protocol_version = "HTTP/1.1"
    commands: dict[str, list[str]]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = {"role": "assistant", "content": self._next(asked["messages"])}
        if asked.get("stream"):
            chunks = [self._answer(delta=said), self._answer(delta={}, finish_reason="stop")]
            lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
            self._send("text/event-stream", "".join([*lines, "data: [DONE]\n\n"]))
        else:
            whole = self._answer(message=said, finish_reason="stop")
            self._send("application/json", json.dumps(whole))

    def _next(self, messages: list[dict[str, Any]]) -> str:
        first = json.loads(_first(messages))["observation"]["text"]
        return self.commands[first][sum(m["role"] == "assistant" for m in messages)]

    def _answer(self, **choice: object) -> dict[str, Any]:
        kind = "chat.completion.chunk" if "delta" in choice else "chat.completion"
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return {
            "id": "c1",
            "object": kind,
            "created": 1,
            "model": "scripted",
            "choices": [{"index": 0, "finish_reason": None, **choice}],
            "usage": usage,
        }

    def _send(self, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _first(messages: list[dict[str, Any]]) -> str:
    """What the first user message says, as text."""
    content = next(message["content"] for message in messages if message["role"] == "user")
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def main() -> None:
    asked = json.load(sys.stdin)
    Model.commands = asked["commands"]
    endpoint = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    words = {
        "--env.taskset.seeds": json.dumps(asked["seeds"]),
        "--env.player.harness.id": "null",
        "--env.player.runtime.type": "subprocess",
        "--client.base_url": f"http://127.0.0.1:{endpoint.server_address[1]}/v1",
        "--client.api_key_var": "SCRIPTED_KEY",
        "-m": "scripted",
        "-n": str(len(asked["seeds"])),
        "-r": "1",
        "--push": "false",
    }
    command = [str(Path(sys.executable).with_name("vf-eval")), "gigym-games"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, *(word for pair in words.items() for word in pair)],
            cwd=folder,
            env={
                **os.environ,
                "GIGYM_URL": asked["url"],
                "PYTHONPATH": str(Path(__file__).parent),
                "SCRIPTED_KEY": "none",
                # where uv is, with which verifiers runs its harness
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
        )
        lines = [
            line
            for path in Path(folder).rglob("traces.jsonl")
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
    told = {"code": done.returncode, "said": (done.stdout + done.stderr)[-4000:]}
    saved = [json.loads(line) for line in lines]
    print(json.dumps({"version": version("verifiers"), **told, "saved": saved}))


if __name__ == "__main__":
    main()
