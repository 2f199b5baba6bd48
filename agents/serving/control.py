"""The control routes of a trainer: pause, weights, cache, sleep. They ask for no password.

Weights come as safetensors parts through `/collective_rpc` (see `vllm_worker.py`), as a checkpoint
folder through its `reload_weights`, or as files named to the weight-transfer routes, in four
phases: init, start, update as often as need be, finish.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import safetensors.torch
from fastapi import Body, FastAPI, Query
from torch import Tensor

from ..engine import PauseMode
from ..source import ModelWeights, TensorWeights
from ..vllm_worker import WeightSync
from .bodies import Refused
from .served import Served

Answer = dict[str, Any]
RPC = ("gigym_begin", "gigym_part", "gigym_commit", "reload_weights")
"""Methods that `/collective_rpc` calls."""


def add_control(app: FastAPI, served: Served) -> None:
    """All of them."""
    _add_pauses(app, served)
    _add_weights(app, served, Inlet(served))
    _add_sleep(app, served)


class Inlet(WeightSync):
    """Takes weights in, with the methods that a vLLM worker has for it."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._staged: dict[str, Tensor] = {}
        self._news: dict[str, Tensor] | None = None
        self._ready = False
        # The parts are loaded by whoever is called the model runner; here that is this object.
        self.model_runner = self

    async def call(self, method: str, args: list[Any], kwargs: dict[str, Any]) -> object:
        """A method of `RPC`. Raises `RuntimeError` for others."""
        if method not in RPC:
            raise RuntimeError(f"this server's worker has no method {method!r}; it has {RPC}")
        answer = getattr(self, method)(*args, **kwargs)
        await self._load()
        return answer

    def reload_weights(
        self,
        weights_iterator: Iterable[tuple[str, Tensor]] | None = None,
        weights_path: str | None = None,
        is_checkpoint_format: bool = True,
    ) -> None:
        """Stage what `call` loads: tensors, or the safetensors files of a folder."""
        self._news = dict(weights_iterator) if weights_iterator is not None else {}
        if weights_path is not None:
            files = sorted(Path(weights_path).glob("*.safetensors"))
            if not files:
                raise RuntimeError(f"no safetensors files in {weights_path!r}")
            self._news = {n: t for f in files for n, t in safetensors.torch.load_file(f).items()}

    def init(self) -> None:
        """The transfer may begin."""
        self._ready = True

    def start(self) -> None:
        """Forget what an update that broke off left."""
        if not self._ready:
            raise RuntimeError("Weight transfer not configured: init comes before start")
        self.gigym_begin()

    def update(self, paths: Iterable[str]) -> None:
        """Keep the tensors of these files."""
        for path in paths:
            self.gigym_part(Path(path).read_bytes())

    async def finish(self) -> None:
        """Load everything that came."""
        self.gigym_commit()
        await self._load()

    async def stamp(self, version: str) -> None:
        """Call the present weights by this version."""
        await self._served.engine.push_weights(ModelWeights(self._served.model), version)

    async def _load(self) -> None:
        news, self._news = self._news, None
        if news is None:
            return
        engine = self._served.engine
        present = (await engine.health()).weight_version
        await engine.push_weights(TensorWeights(news), present)


def _add_pauses(app: FastAPI, served: Served) -> None:
    engine = served.engine

    @app.post("/pause")
    async def pause(
        mode: Annotated[PauseMode, Query()] = "abort", clear_cache: bool = True
    ) -> Answer:
        await engine.pause(mode)
        if clear_cache and mode != "keep":
            await engine.forget()
        return {"status": "paused"}

    @app.post("/resume")
    async def resume() -> Answer:
        await engine.resume()
        return {"status": "resumed"}

    @app.get("/is_paused")
    async def is_paused() -> Answer:
        return {"is_paused": (await engine.health()).paused}

    @app.post("/abort_requests")
    async def abort(request_ids: Annotated[list[str] | None, Body(embed=True)] = None) -> Answer:
        return {"status": "aborted", "aborted": served.abort(request_ids or None)}

    @app.post("/reset_prefix_cache")
    async def reset(reset_running_requests: bool = False) -> Answer:
        return {"success": await engine.forget(running=reset_running_requests)}


def _add_weights(app: FastAPI, served: Served, inlet: Inlet) -> None:
    @app.post("/collective_rpc")
    async def collective_rpc(body: dict[str, Any]) -> Answer:
        if not isinstance(body.get("method"), str):
            raise Refused("Missing 'method' in request body")
        answer = await inlet.call(body["method"], body.get("args", []), body.get("kwargs", {}))
        return {
            "results": [
                answer if isinstance(answer, dict | list) or answer is None else str(answer)
            ]
        }

    @app.post("/init_weight_transfer_engine")
    async def init(init_info: Annotated[dict[str, Any], Body(embed=True)]) -> Answer:
        inlet.init()
        return {"message": "Weight transfer initialized"}

    @app.post("/start_weight_update")
    async def start() -> Answer:
        inlet.start()
        return {"message": "Weight update started"}

    @app.post("/update_weights")
    async def update(
        update_info: Annotated[dict[str, str] | list[dict[str, str]], Body(embed=True)],
    ) -> Answer:
        infos = update_info if isinstance(update_info, list) else [update_info]
        inlet.update([info["path"] for info in infos])
        return {"message": "Weights updated"}

    @app.post("/finish_weight_update")
    async def finish(weight_version: Annotated[str | None, Body(embed=True)] = None) -> Answer:
        await inlet.finish()
        if weight_version is not None:
            await inlet.stamp(weight_version)
        return {"message": "Weight update finished"}

    @app.post("/update_weight_version")
    async def stamp(new_version: Annotated[str, Body(embed=True)]) -> Answer:
        await inlet.stamp(new_version)
        return {"success": True, "new_version": new_version}

    @app.get("/weight_info")
    async def info() -> Answer:
        return {"weight_version": (await served.engine.health()).weight_version}


def _add_sleep(app: FastAPI, served: Served) -> None:
    engine = served.engine

    @app.post("/sleep")
    async def sleep(level: Annotated[int, Query(ge=0, le=2)] = 1) -> Answer:
        served.abort(None)
        await engine.sleep(level)
        return {"status": "sleeping", "level": level}

    @app.post("/wake_up")
    async def wake(tags: Annotated[list[str] | None, Query()] = None) -> Answer:
        await engine.wake(tuple(tags) if tags else None)
        asleep = (await engine.health()).asleep
        return {"status": "sleeping" if asleep else "awake", "tags": tags}

    @app.get("/is_sleeping")
    async def is_sleeping() -> Answer:
        return {"is_sleeping": (await engine.health()).asleep}
