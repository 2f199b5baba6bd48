"""A real server behind make_vec and check_env: the same episodes, the same contract."""

from collections.abc import Iterator

import broken_envs  # noqa: F401
import corridor_env  # noqa: F401
import pytest

import gigym
from gigym.envs import Reply, ServerUnreachable, TextVectorEnv, UnknownEnv, UnknownTask
from gigym.envs.checks import CheckPlan
from gigym.envs.vector import CrewSpec
from gigym.servers import HostedEnv, ServerSpec
from gigym.servers.launch import LocalServer

LOCAL_ONLY = {"five_tuple", "gymnasium", "processes", "global_rng"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    hosted = (HostedEnv(id="ALFWorld-v0"), HostedEnv(id="Corridor-v0"), HostedEnv(id="Dice-v0"))
    spec = ServerSpec(envs=hosted, port=0, imports=("corridor_env",))
    with LocalServer(spec) as server:
        yield server.url


def episode(envs: TextVectorEnv, task: str | None = None) -> list[str]:
    """Everything that an episode of fixed actions shows, as texts."""
    options = {} if task is None else {"task": task}
    shown = [repr(envs.reset(seed=11, options=options)), repr(envs.reset())]
    for turn in range(6):
        replies = [reply for reply in envs.replies if reply is not None]
        picks = [(reply.admissible_actions or ("look",)) for reply in replies]
        over = [reply.done for reply in replies]
        actions = [
            None if done else pick[turn % len(pick)] for done, pick in zip(over, picks, strict=True)
        ]
        shown.append(repr(envs.step(actions)))
    envs.close()
    envs.close()
    return shown


def choice(reply: Reply, turn: int) -> str | None:
    choices = reply.admissible_actions or ("look",)
    return None if reply.done else choices[turn % len(choices)]


@pytest.mark.parametrize("env_id", ["ALFWorld-v0", "Corridor-v0"])
def test_three_backends_play_the_same_episodes(url: str, env_id: str) -> None:
    near = episode(gigym.make_vec(env_id, 3))
    far = episode(gigym.make_vec(env_id, 3, "remote", urls=url))
    beside = episode(gigym.make_vec(env_id, 3, "process", crew=CrewSpec(workers=2)))
    assert near == far == beside


def test_autoreset_and_options_by_environment_reach_the_server(url: str) -> None:
    def build(backend: str, urls: str) -> TextVectorEnv:
        each = [{"max_steps": 1}, {"length": 9}]
        return gigym.make_vec("Corridor-v0", 2, backend, "same_step", each=each, urls=urls)

    near, far = build("sync", ""), build("remote", url)
    for envs in (near, far):
        envs.reset(seed=2)
    first, second = near.step(["east", "east"]), far.step(["east", "east"])
    assert repr(first) == repr(second) and "final_obs" in second[4]
    with pytest.raises(UnknownTask, match="environment 0: "):
        far.reset(options={"task": "nothing"})
    far.close()


def test_servers_that_do_not_answer_or_serve_are_named(url: str) -> None:
    quick = CrewSpec(start_s=0.5)
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:9"):
        gigym.make_vec("ALFWorld-v0", 1, "remote", urls=["http://127.0.0.1:9"], crew=quick)
    with pytest.raises(UnknownEnv, match=r"no environment 'Dial-v0'\..* It serves: ALFWorld-v0"):
        gigym.make_vec("Dial-v0", 1, "remote", urls=url, crew=quick)


def test_what_a_server_offers_is_checked_from_afar(url: str) -> None:
    report = gigym.check_env(url, CheckPlan(seeds=2, steps=8))
    assert report.ok, str(report)
    assert report.envs == ("ALFWorld-v0", "Corridor-v0", "Dice-v0")
    skipped = {skip.check for skip in report.skipped if skip.env == "ALFWorld-v0"}
    assert skipped >= LOCAL_ONLY
    assert {"plays", "any_text", "determinism", "interleaving", "state_key"} <= set(report.passed)


def test_one_environment_of_a_server_may_be_picked(url: str) -> None:
    plan = CheckPlan(envs=("Corridor-v0",), only=("turn_limit", "order"))
    assert gigym.check_env(url, plan).envs == ("Corridor-v0",)
    with pytest.raises(UnknownEnv, match="has no environment 'Corridor-v1'"):
        gigym.check_env(url, CheckPlan(envs=("Corridor-v1",)))
