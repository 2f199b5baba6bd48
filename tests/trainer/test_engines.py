"""Runs whose engine has weights of its own learn the same, or stop with what is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from engine_seats import server_beside
from fastapi import FastAPI
from safetensors.numpy import load_file
from small_run import cache_in, small_run
from starlette.types import ASGIApp, Receive, Scope, Send
from transformers import AutoModelForCausalLM, PreTrainedModel

from gigym.agents import EngineError, PushError
from gigym.trainer import ConfigError, RunDir, load_config
from gigym.trainer.rundir import open_run


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with cache_in(tmp_path_factory.mktemp("cache")):
        yield


@pytest.fixture(scope="module")
def near(own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """The run whose engine shares the learner's weights."""
    return small_run(tmp_path_factory.mktemp("near") / "run")


def other_model(near: RunDir) -> PreTrainedModel:
    """A model of the run's shape that has other weights than the run starts with."""
    return AutoModelForCausalLM.from_pretrained(near.checkpoints / "step-000002")


def weights(run: RunDir, step: int) -> dict[str, np.ndarray]:
    return load_file(run.checkpoints / f"step-{step:06d}" / "model.safetensors")


def sampled(run: RunDir, iteration: int) -> list[list[list[int]]]:
    lines = run.episodes(iteration).read_text().splitlines()
    return [json.loads(line)["tokens"]["rows"] for line in lines]


def test_a_server_learns_what_the_engine_in_process_learns(near: RunDir, tmp_path: Path) -> None:
    with server_beside(other_model(near)) as url:
        far = small_run(tmp_path / "run", "engine.name=openai", f"engine.url={url}")
    assert sampled(far, 1) == sampled(near, 1) != []
    assert all(np.array_equal(weights(near, 0)[k], v) for k, v in weights(far, 0).items())
    for name, learned in weights(far, 2).items():
        assert not np.array_equal(learned, weights(far, 0)[name])
        # Logprobs that crossed the wire are rounded elsewhere; Adam makes steps of equal size.
        assert np.mean(np.abs(learned - weights(near, 2)[name])) < 2e-5


def stuck(app: FastAPI) -> ASGIApp:
    """A server that says yes to every update and goes on with the weights it has."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/collective_rpc":
            await app(scope, receive, send)
            return
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"results":["1"]}'})

    return outer


def test_a_server_that_keeps_its_weights_stops_the_run(near: RunDir, tmp_path: Path) -> None:
    with (
        server_beside(other_model(near), stuck) as url,
        pytest.raises(PushError, match="both prompts are wrong"),
    ):
        small_run(tmp_path / "run", "engine.name=openai", f"engine.url={url}")
    assert open_run(str(tmp_path / "run"))[0].read_json("run.json")["status"] == "failed"


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:9.*is a server running there"):
        small_run(tmp_path / "run", "engine.name=openai", "engine.url=http://127.0.0.1:9")


def test_names_and_addresses_must_fit() -> None:
    with pytest.raises(ConfigError, match=r"engine\.url: engine\.name=openai needs"):
        load_config("quickstart", ["engine.name=openai"])
    with pytest.raises(ConfigError, match=r"engine\.url: only engine\.name=openai"):
        load_config("quickstart", ["engine.url=http://127.0.0.1:8000"])
    urls = '["http://127.0.0.1:1", "http://127.0.0.1:2"]'
    config = load_config("quickstart", ["engine.name=openai", f"engine.url={urls}"])
    assert config.engine.urls == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    with pytest.raises(ConfigError, match=r"engine\.verify_push"):
        load_config("quickstart", ["engine.verify_push=sometimes"])
