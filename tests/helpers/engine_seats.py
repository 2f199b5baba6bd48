"""Engines of every kind behind one door, each beside the learner whose weights it gets."""

import asyncio
import contextlib
import copy
import os
import queue
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import uvicorn
from fastapi import FastAPI
from tiny_lm import tiny_model
from transformers import PreTrainedModel

from gigym.agents import Completion, Engine, ModelWeights, SamplingSpec
from gigym.agents.hf import HFEngine
from gigym.agents.openai import ServersSpec, connect
from gigym.agents.serving import Served, ServingSpec, build_app

LONGEST = 512
SLOTS = 64


@dataclass
class Seat:
    """An engine, and the learner as it is in this process."""

    engine: Engine
    learner: PreTrainedModel
    start: dict[str, torch.Tensor]
    url: str = ""
    """Of the server behind it, where there is one."""

    async def begin(self) -> None:
        """Weights as they were at the very start."""
        self.learner.load_state_dict(self.start)
        await self.push("start")

    async def push(self, version: str) -> None:
        report = await self.engine.push_weights(ModelWeights(self.learner), version)
        assert report.version == version

    async def ask(self, prompt: Sequence[int], spec: SamplingSpec, name: str = "e/0") -> Completion:
        done = await self.engine.generate(tuple(prompt), spec, request_id=name, deadline_s=120)
        assert isinstance(done, Completion), done
        return done


def contract_model() -> PreTrainedModel:
    return tiny_model(
        hidden_size=64, head_dim=32, intermediate_size=64, max_position_embeddings=LONGEST
    )


@contextlib.asynccontextmanager
async def seat(kind: str, folder: Path) -> AsyncIterator[Seat]:
    learner = contract_model()
    start = copy.deepcopy(learner.state_dict())
    async with contextlib.AsyncExitStack() as stack:
        url = ""
        if kind == "hf":
            engine: Engine = HFEngine(
                learner, slots=SLOTS, max_model_len=LONGEST, deterministic=False
            )
        elif kind in ("openai", "openai-completions"):
            spec = ServingSpec(dev_mode=True, scale_out=kind == "openai")
            url = await stack.enter_async_context(own_server(contract_model(), spec))
            engine = await connect(ServersSpec(urls=(url,)))
        else:
            engine, url = await _with_vllm()
        stack.push_async_callback(engine.close)
        yield Seat(engine=engine, learner=learner, start=start, url=url)


async def _with_vllm() -> tuple[Engine, str]:
    running = os.environ.get("GIGYM_VLLM_URL", "")
    if running:
        return await connect(ServersSpec(urls=(running,))), running
    pytest.skip("no vLLM server that serves the contract model; name one in GIGYM_VLLM_URL")


@contextlib.asynccontextmanager
async def own_server(
    model: PreTrainedModel, spec: ServingSpec, *, slots: int = SLOTS
) -> AsyncIterator[str]:
    """Our server over a model, in this event loop and on a real socket."""
    engine = HFEngine(
        model, slots=slots, max_model_len=LONGEST, deterministic=False, version="default"
    )
    app = build_app(Served(engine=engine, model=model, spec=spec))
    async with serving(app) as url:
        yield url
    await engine.close()


@contextlib.asynccontextmanager
async def serving(app: object) -> AsyncIterator[str]:
    """Any ASGI application on a free port of loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]
        log_level="error",
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listener.close()


@contextlib.contextmanager
def server_beside(
    model: PreTrainedModel, wrap: Callable[[FastAPI], object] = lambda app: app
) -> Iterator[str]:
    """Our server in a thread of its own, for callers that keep their event loop to themselves."""
    started: queue.Queue[str] = queue.Queue()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        engine = HFEngine(
            model, slots=SLOTS, max_model_len=1024, deterministic=False, version="default"
        )
        spec = ServingSpec(dev_mode=True, scale_out=True)
        app = build_app(Served(engine=engine, model=model, spec=spec))
        async with serving(wrap(app)) as url:
            started.put(url)
            await stop.wait()
        await engine.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield started.get(timeout=60)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()
