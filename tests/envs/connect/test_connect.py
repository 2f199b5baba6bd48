"""`gigym.connect`: an environment at a server is what `gigym.make` gives here."""

import asyncio
import gc
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from far_seats import QUICK, Network, play
from http_door import SPEC
from openenv_double import OpenEnvDouble

import gigym
from gigym.envs import (
    BadOption,
    CheckPlan,
    EpisodeError,
    ServerError,
    ServerUnreachable,
    TextEnv,
    UnknownEnv,
    UnknownTask,
    Unsupported,
)
from gigym.envs.connect import RemoteEnv
from gigym.envs.pool import LocalPool
from gigym.servers import HostedEnv, Limits, LocalServer, ServerSpec

HELPERS = Path(__file__).parents[2] / "helpers"
A, B = "http://a.localhost:1", "http://b.localhost:2"
OPEN = replace(SPEC, allow_hosts=("a.localhost", "b.localhost"))


@pytest.fixture
def network() -> Network:
    network = Network()
    network.start(A, OPEN)
    return network


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A server behind real sockets, which wants a token."""
    envs = tuple(HostedEnv(id=name) for name in ("Corridor-v0", "Hallway-v0"))
    spec = ServerSpec(envs=envs, port=0, token="right", imports=("corridor_env",))
    with LocalServer(spec) as started:
        yield started


def far(network: Network, env: str | None = "Corridor-v0", **options: Any) -> RemoteEnv:  # noqa: ANN401
    return gigym.connect(A, env, client=network.client(), **options)


def played(env: TextEnv) -> list[object]:
    """Everything that two episodes show, the second of a seed that nobody named."""
    shown: list[object] = [env.reset(seed=3)]
    shown += [env.step(action) for action in ("east", "\ud800 \u00e9", "west")]
    shown += [env.reset(), env.step("take lamp"), env.reset(seed=4, options={"task": "lamp"})]
    return shown


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def test_it_plays_what_is_played_here(network: Network) -> None:
    with far(network) as env:
        assert played(env) == played(gigym.make("Corridor-v0"))
        assert isinstance(env, TextEnv) and isinstance(env, gymnasium.Env)
        assert env.action_space == env.observation_space == gigym.make("Corridor-v0").action_space
        assert env.start(5) == gigym.make("Corridor-v0").start(5)
        assert env.card.id == "Corridor-v0" and env.max_steps == 30
        with pytest.raises(UnknownTask, match="no task 'key'"):
            env.reset(options={"task": "key"})
    assert len(network.hosts[A].store) == 0


def test_options_are_those_of_make(network: Network) -> None:
    with far(network, length=3) as env:
        assert played(env) == played(gigym.make("Corridor-v0", length=3))
    with far(network, max_steps=2) as env:
        env.reset(seed=3)
        assert [env.step("east")[3] for _ in range(2)] == [False, True]
    for option, told in (("lenth", "Did you mean 'length'"), ("plan", "only its host sets it")):
        with pytest.raises(BadOption, match=told):
            far(network, **{option: "x"})


def test_it_passes_the_checks(network: Network) -> None:
    with far(network) as env:
        report = gigym.check_env(env, CheckPlan(seeds=1, steps=4))
    report.assert_ok()
    assert {"gymnasium", "determinism", "fork", "state", "any_text"} <= set(report.passed)
    assert len(network.hosts[A].store) == 0


def test_without_a_name_the_only_environment_is_taken(network: Network) -> None:
    with pytest.raises(UnknownEnv, match=r"serves Corridor-v0, .*name one of them"):
        far(network, None)
    with pytest.raises(UnknownEnv, match="Did you mean 'Corridor-v0'"):
        far(network, "Coridor-v0")
    network.start(A, replace(OPEN, envs=(HostedEnv(id="Dice-v0"),)))
    with far(network, None) as env:
        assert env.card.id == "Dice-v0" and not env.card.deterministic


def test_snapshots_go_both_ways(network: Network) -> None:
    near = gigym.make("Corridor-v0")
    with far(network) as env:
        with pytest.raises(EpisodeError, match="snapshot before reset"):
            env.snapshot()
        assert env.reset(seed=3) == near.reset(seed=3)
        assert env.step("east") == near.step("east")
        held = env.snapshot()
        assert held == near.snapshot()
        (fork,) = env.fork()
        assert env.step("west") == fork.step("west") == near.step("west")
        env.close()
        assert fork.restore(held) == near.restore(held) and fork.step("east") == near.step("east")
        fork.close()
    with far(network, "Hallway-v0") as plain:
        plain.reset(seed=1)
        for call in (plain.snapshot, plain.fork, plain.expert):
            with pytest.raises(Unsupported):
                call()
    with pytest.raises(BadOption, match="snapshot"), far(network) as env:
        env.restore(b"{}")


@pytest.mark.parametrize("autoreset", ["disabled", "next_step", "same_step"])
def test_a_vector_of_it_is_that_of_make_vec(network: Network, autoreset: str) -> None:
    near = gigym.make_vec("Corridor-v0", 3, autoreset=autoreset, max_steps=3)
    with far(network, max_steps=3) as env:
        envs = env.vector(3, autoreset)
        assert repr(envs.reset(seed=5)) == repr(near.reset(seed=5))
        for _ in range(3 if autoreset == "disabled" else 6):
            assert repr(envs.step(["east"] * 3)) == repr(near.step(["east"] * 3))
        envs.close()
        different = env.vector(2, each=[{"length": 3}, {"length": 5}])
        assert different.reset(seed=1)[0] == ("It is dark.",) * 2
        different.close()
        with pytest.raises(BadOption, match="each must hold 2"):
            env.vector(2, each=[{}])
        with pytest.raises(BadOption, match="at least one"):
            env.vector(0)


async def test_its_pool_is_played_by_coroutines(network: Network) -> None:
    with far(network) as env:
        async with env.pool() as pool:
            got = [await play(seat, 7) for seat in await pool.open(2)]
    (seat,) = await LocalPool("Corridor-v0", {}).open(1)
    assert got == [await play(seat, 7)] * 2


def test_a_session_that_was_never_used_is_given_up_for_others(network: Network) -> None:
    network.start(A, replace(OPEN, limits=Limits(sessions=1)))
    with far(network) as env:
        envs = env.vector(1)
        envs.reset(seed=1)
        with pytest.raises(ServerError, match="1 of 1 sessions") as caught:
            gigym.connect(A, "Corridor-v0", client=network.client(create_s=0.3))
        assert caught.value.code == "BUSY"
        envs.close()
        assert env.reset(seed=3) == gigym.make("Corridor-v0").reset(seed=3)


def test_closing_comes_in_any_order_and_more_than_once(network: Network) -> None:
    one, other = far(network), far(network)
    envs = one.vector(2)
    one.close()
    one.close()
    envs.reset(seed=1)
    other.reset(seed=1)
    envs.close()
    envs.close()
    assert other.step("east")[0].startswith("You stand at 1.")
    for call in (one.reset, one.pool, lambda: one.vector(1), lambda: one.step("x")):
        with pytest.raises((ServerError, EpisodeError)):
            call()
    other.close()
    assert len(network.hosts[A].store) == 0
    _gone(lambda: all("serve" not in thread.name for thread in threading.enumerate()))


@pytest.mark.filterwarnings("error")
def test_one_that_is_forgotten_gives_its_session_back(network: Network) -> None:
    threads = threading.active_count()
    env = far(network)
    env.reset(seed=1)
    envs = env.vector(2)
    assert len(network.hosts[A].store) == 3 and threading.active_count() == threads + 1
    del env, envs
    gc.collect()
    _gone(lambda: len(network.hosts[A].store) == 0 and threading.active_count() == threads)


async def test_it_works_where_a_loop_is_running(network: Network) -> None:
    with far(network) as env:
        assert played(env) == played(gigym.make("Corridor-v0"))


def test_a_server_that_restarts_is_played_on(network: Network) -> None:
    near = gigym.make("Corridor-v0")
    with far(network) as env:
        assert env.reset(seed=3) == near.reset(seed=3)
        network.start(A, OPEN)
        assert env.step("east") == near.step("east")


def test_one_of_two_servers_may_be_down(network: Network) -> None:
    with gigym.connect([B, A], "Corridor-v0", client=network.client()) as env:
        assert env.reset(seed=3) == gigym.make("Corridor-v0").reset(seed=3)
    network.stop(A)
    with pytest.raises(ServerUnreachable, match=r"a.localhost.*is the server running"):
        gigym.connect([A, B], client=network.client(create_s=0.3))


def test_servers_of_one_list_play_the_same(server: LocalServer) -> None:
    with (
        OpenEnvDouble(name="corridor") as double,
        pytest.raises(ServerError, match=r"must play the same") as caught,
    ):
        gigym.connect([server.url, double.url], "Corridor-v0", token="right", client=QUICK)
    assert server.url in str(caught.value) or double.url in str(caught.value)


def test_a_wrong_token_shows_at_once(server: LocalServer) -> None:
    with gigym.connect(server.url, "Corridor-v0", token="right") as env:
        assert played(env) == played(gigym.make("Corridor-v0"))
        assert "right" not in f"{env!r}{env} {env._target}"
    for token in (None, "wrong"):
        for kind in ("native", "openenv"):
            with pytest.raises(ServerError, match="token") as caught:
                gigym.connect(server.url, "Corridor-v0", token=token, kind=kind)
            assert caught.value.code == "UNAUTHORIZED"


def test_our_openenv_face_plays_the_same(server: LocalServer) -> None:
    near = gigym.make("Corridor-v0")
    with gigym.connect(server.url, "Corridor-v0", token="right", kind="openenv") as env:
        assert env.met.kind == "openenv" and env.card.version == near.card.version
        for seed in (3, 4):
            assert env.start(seed) == near.start(seed)
            assert [env.answer("east") for _ in range(3)] == [near.answer("east") for _ in range(3)]
    with gigym.connect(server.url, "Hallway-v0", token="right", kind="openenv") as env:
        assert env.start(3) == gigym.make("Hallway-v0").start(3)


def test_nobody_there_is_told_soon() -> None:
    began = time.monotonic()
    with pytest.raises(ServerUnreachable, match=r"http://127.0.0.1:\d+/v1/info did not answer"):
        gigym.connect(
            f"http://127.0.0.1:{free_port()}", "ALFWorld-v0", client=replace(QUICK, create_s=1.0)
        )
    assert time.monotonic() - began < 30


def test_a_peer_that_never_answers_costs_the_deadline() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        began = time.monotonic()
        for kind in ("auto", "openenv", "agentgym:textcraft"):
            with pytest.raises(ServerUnreachable, match=rf"{url}/.*did not answer"):
                gigym.connect(url, kind=kind, client=replace(QUICK, create_s=0.3))
        assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "127.0.0.1:8000", "http://", "http://u:p@x", [], 7, [3]]
)
def test_what_is_no_url_is_refused(url: Any) -> None:  # noqa: ANN401
    with pytest.raises(BadOption, match=r"URL of a server"):
        gigym.connect(url)


def test_kinds_are_those_there_are() -> None:
    with pytest.raises(
        BadOption, match=r"kind must be one of auto, native.*Did you mean 'openenv'"
    ):
        gigym.connect("http://127.0.0.1:1", kind="open-env")


def test_what_is_no_env_server_is_told_what_it_answered(server: LocalServer) -> None:
    with OpenEnvDouble() as double:
        double.habits.action = {}
        with pytest.raises(BadOption, match="not exactly one required text field"):
            gigym.connect(double.url, client=QUICK)
        with pytest.raises(
            ServerError, match=r"speaks not gigym/1 \(GET /v1/info answered HTTP 404"
        ):
            gigym.connect(double.url, kind="native", client=QUICK)
    with pytest.raises(ServerError, match=r"speaks neither gigym/1 nor OpenEnv"):
        gigym.connect(server.url + "/nothing", token="right", client=QUICK)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_an_episode_of_its_own(server: LocalServer) -> None:
    program = f"""
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        import gigym
        from gigym.envs import EpisodeError

        env = gigym.connect({server.url!r}, "Corridor-v0", token="right")
        env.reset(seed=3)
        child = os.fork()
        if not child:
            try:
                env.step("east")
            except EpisodeError as error:
                print("child:", error, flush=True)
            print("child:", env.reset(seed=4)[0], flush=True)
            env.close()
            os._exit(0)
        os.waitpid(child, 0)
        print("parent:", env.step("east")[0])
        env.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(HELPERS)},
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.splitlines() == [
        "child: the episode is the parent process's; call reset first",
        "child: It is dark.",
        done.stdout.splitlines()[-1],
    ]
    assert done.stdout.splitlines()[-1].startswith("parent: You stand at 1.")


def test_a_program_that_ends_without_closing_says_nothing(server: LocalServer) -> None:
    program = f"""
        import gigym
        env = gigym.connect({server.url!r}, "Corridor-v0", token="right")
        envs = env.vector(2)
        other = gigym.connect({server.url!r}, "Corridor-v0", token="right", kind="openenv")
        other.reset(seed=1)
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


async def test_many_ask_at_once_without_waiting_for_each_other(network: Network) -> None:
    def episode(seed: int) -> str:
        with far(network) as env:
            env.reset(seed=seed)
            return env.step("east")[0]

    got = await asyncio.gather(*(asyncio.to_thread(episode, seed) for seed in range(8)))
    near = gigym.make("Corridor-v0")
    for seed, text in enumerate(got):
        near.reset(seed=seed)
        assert near.step("east")[0] == text


def _gone(true: Any) -> None:  # noqa: ANN401
    """Wait until something is true that takes a moment."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
