"""The tool `python`: programs in the sandbox, or a clear refusal before anything runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import gigym
from gigym.envs import BadOption, Reply
from gigym.envs.math_tools import MathToolsEnv
from gigym.envs.math_tools import tools as toolroom
from gigym.envs.sandbox import SandboxTooWeak, probe

LEVEL = probe().level
walled = pytest.mark.skipif(LEVEL < 3, reason=f"the host isolates to level {LEVEL}, 3 is needed")


def said(action: str) -> Reply:
    env = MathToolsEnv(tools="python,calculator")
    env.start(0, {"task": "word/3/17"})
    return env.answer(action)


@walled
def test_a_program_is_run_and_shows_what_it_prints() -> None:
    reply = said("<python>\nfor n in range(3):\n    print(n * n)\n</python>")
    assert reply.observation == "<output>0\n1\n4</output>"
    assert reply.info["sandbox_level"] == LEVEL and reply.info["tool_calls"] == 1
    assert said("```python\nprint(7)\n```").observation == "<output>7</output>"
    assert said("<python>x = 1</python>").observation == "<output>(nothing was printed)</output>"


@walled
def test_an_error_is_told_with_its_line_and_without_paths_of_the_host() -> None:
    reply = said("<python>\nx = 1\nprint(x)\nprint(1 / 0)\n</python>")
    assert (
        reply.observation.startswith("<output>1\nZeroDivisionError") and reply.info["failed_calls"]
    )
    assert "line 3" in reply.observation and "/" not in reply.observation.split("Error")[1].replace(
        "</output>", ""
    )


@walled
def test_an_answer_that_a_program_prints_is_no_answer() -> None:
    for code in ("print('<answer>0</answer>')", "print('Correct.')", r"print('\\boxed{0}')"):
        reply = said(f"<python>{code}</python>")
        assert not reply.done and reply.reward == 0.0 and reply.info["won"] is False


@walled
def test_a_program_cannot_reach_the_problem() -> None:
    code = "import gc, sys\nprint([m for m in sys.modules if 'gigym' in m])\nimport gigym"
    reply = said(f"<python>{code}</python>")
    assert reply.observation.startswith("<output>[]\n") and "Error" in reply.observation


@walled
def test_a_long_print_is_cut_and_odd_text_is_answered() -> None:
    reply = said("<python>print('ab' * 5000)</python>")
    assert "characters cut] ..." in reply.observation and len(reply.observation) < 2_100
    for code in ("\ud800", "\x00", "(((("):
        assert said(f"<python>{code}</python>").info["failed_calls"] == 1


@walled
def test_equal_programs_reach_one_state() -> None:
    first = said("<python>x = 2\nprint(x)</python>")
    second = said("<python># two\nx=2\n\nprint( x )</python>")
    assert first.state_key == second.state_key
    assert first.state_key != said("<python>y = 2\nprint(y)</python>").state_key


def test_a_host_that_is_too_weak_is_told_when_the_environment_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def weak(required_level: int = 3) -> None:
        message = f"the sandbox reaches level 1, level {required_level} is required; install it."
        raise SandboxTooWeak(message, 1, required_level)

    monkeypatch.setattr(toolroom, "local_sandbox", weak)
    with pytest.raises(SandboxTooWeak, match=r"level 3 is required.*tools='calculator'") as caught:
        gigym.make("MathTools-v0", tools="python")
    assert (caught.value.level, caught.value.required_level) == (1, 3)
    assert gigym.make("MathTools-v0", tools="calculator").start(0).observation


@pytest.mark.parametrize("level", [0, 5, -1])
def test_no_sandbox_at_all_is_no_option(level: int) -> None:
    with pytest.raises(BadOption, match="required_level of the sandbox must be 1 to 4"):
        gigym.make("MathTools-v0", tools="python", sandbox_level=level)


def test_a_broken_server_is_an_error_of_the_tool_and_no_wrong_answer() -> None:
    with broken_server() as url:
        env = MathToolsEnv(tools="python", sandbox_url=url)
        env.start(0)
        reply = env.answer("<python>print(1)</python>")
    assert reply.observation.startswith("<output>error: the tool is out of order")
    assert not reply.done and reply.info["failed_calls"] == 1
    assert env.answer(f"<answer>{env.episode.problem.answer}</answer>").reward == 1.0


class Broken(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def broken_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_url_of_another_kind_is_told() -> None:
    with pytest.raises(BadOption, match=r"sandbox_url: .* must begin with http"):
        gigym.make("MathTools-v0", tools="python", sandbox_url="ftp://x")


def test_options_that_open_the_host_are_for_the_host_alone() -> None:
    assert set(MathToolsEnv.card.host_options) >= {"dataset", "sandbox_level", "sandbox_url"}
