"""The generate routes: `/v1/completions` by text or token ids, `/inference/v1/generate` by ids.

Whoever hangs up is cancelled in the engine and frees its slot.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

from fastapi import Body, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ..engine import Completion
from .bodies import CompletionBody, GenerateBody, stop_reason
from .served import Prompt, Served

T = TypeVar("T")
_DISABLED = (
    "Scale-out endpoints are disabled. Restart the server with --enable-scale-out to enable them."
)


def add_completions(app: FastAPI, served: Served) -> None:
    """`/v1/completions`."""

    @app.post("/v1/completions")
    async def completions(body: CompletionBody, request: Request) -> Response:
        _check_model(served, body.model)
        spec = body.spec(served.eos)
        prompts = _prompts(served, body, request)
        work = [served.sample(prompt, spec) for prompt in prompts]
        done = await until_gone(request, asyncio.gather(*work))
        choices = [
            _choice(served, body, prompt.ids, completion) | {"index": index}
            for index, (prompt, completion) in enumerate(zip(prompts, done, strict=True))
        ]
        return JSONResponse(
            {
                "id": prompts[0].public.rpartition("-")[0],
                "object": "text_completion",
                "created": int(time.time()),
                "model": served.spec.name,
                "choices": choices,
                "usage": _usage(done),
            }
        )


def add_scale_out(app: FastAPI, served: Served) -> None:
    """`/inference/v1/*`, which answer 403 unless they were asked for."""

    async def disabled() -> Response:
        raise HTTPException(403, _DISABLED)

    async def generate(body: GenerateBody, request: Request) -> Response:
        _check_model(served, body.model)
        spec = body.sampling_params.spec(served.eos)
        name = request.headers.get("x-request-id", body.request_id) or uuid.uuid4().hex
        public = f"generate-tokens-{name}"
        ids = tuple(body.token_ids)
        prompt = Prompt(ids=ids, name=name, public=public, salt=body.cache_salt)
        done = await until_gone(request, served.sample(prompt, spec))
        return JSONResponse(_generated(served, body, public, done))

    async def abort(request_ids: Annotated[list[str], Body(embed=True)]) -> Response:
        served.abort(request_ids)
        return Response(status_code=200)

    on = served.spec.scale_out
    app.add_api_route("/inference/v1/generate", generate if on else disabled, methods=["POST"])
    app.add_api_route("/inference/v1/abort_requests", abort if on else disabled, methods=["POST"])


def _check_model(served: Served, name: str | None) -> None:
    if name is not None and name != served.spec.name:
        raise HTTPException(404, f"The model `{name}` does not exist.")


def _prompts(served: Served, body: CompletionBody, request: Request) -> list[Prompt]:
    """The prompts of a body, one or several, as the engine gets them."""
    raw: list[Any] = [body.prompt]
    if isinstance(body.prompt, list) and not all(isinstance(item, int) for item in body.prompt):
        raw = [*body.prompt]
    name = request.headers.get("x-request-id", body.request_id) or uuid.uuid4().hex
    return [
        Prompt(
            ids=served.encode(prompt),
            name=f"{name}.{index}" if index else name,
            public=f"cmpl-{name}-{index}",
            salt=body.cache_salt,
        )
        for index, prompt in enumerate(raw)
    ]


def _choice(
    served: Served, body: CompletionBody, prompt: tuple[int, ...], done: Completion
) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "text": served.decode(done.token_ids),
        "logprobs": None,
        "finish_reason": done.finish_reason,
        "stop_reason": stop_reason(done, body.stop_token_ids),
        "token_ids": None,
        "prompt_token_ids": None,
    }
    if body.logprobs is not None:
        tokens = [f"token_id:{token}" for token in done.token_ids]
        choice["logprobs"] = {"tokens": tokens, "token_logprobs": done.logprobs}
    if body.return_token_ids:
        choice |= {"token_ids": done.token_ids, "prompt_token_ids": prompt}
    return choice


def _usage(done: list[Completion]) -> dict[str, Any]:
    prompt, sampled = sum(d.prompt_tokens for d in done), sum(len(d.token_ids) for d in done)
    cached = sum(d.cached_tokens or 0 for d in done)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": sampled,
        "total_tokens": prompt + sampled,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _generated(served: Served, body: GenerateBody, public: str, done: Completion) -> dict[str, Any]:
    content = [
        {"token_id": token, "logprob": logprob}
        for token, logprob in zip(done.token_ids, done.logprobs, strict=True)
    ]
    spans = [{"version": v, "start": start, "end": end} for v, start, end in done.weight_versions]
    choice = {
        "index": 0,
        "finish_reason": done.finish_reason,
        "stop_reason": stop_reason(done, body.sampling_params.stop_token_ids),
        "token_ids": done.token_ids,
        "logprobs": {"content": content} if body.sampling_params.logprobs is not None else None,
        "sampling_mask": None,
        "weight_versions": spans,
    }
    return {
        "request_id": public,
        "created": int(time.time()),
        "model": served.spec.name,
        "output_mode": "tokens",
        "usage": _usage([done]),
        "prompt_token_ids": body.token_ids if body.return_token_ids else None,
        "choices": [choice],
    }


async def until_gone(request: Request, work: Awaitable[T]) -> T:
    """The work's result, or its end when the client hangs up."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    watch = asyncio.create_task(gone())
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({watch, task}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise HTTPException(499, "Client disconnected")
        return task.result()
    finally:
        watch.cancel()
        task.cancel()
        await asyncio.gather(watch, task, return_exceptions=True)
