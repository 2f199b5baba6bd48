"""Serve a Hugging Face directory on loopback: `python -m gigym.agents.serving --model DIR`.

The first line on stdout is the address, once it answers. `--dev-mode`, or VLLM_SERVER_DEV_MODE=1
in the environment, opens the control routes to every process of this machine.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Sequence

import torch
import uvicorn
from transformers import AutoModelForCausalLM, AutoTokenizer

from ..hf import HFEngine
from .app import LOOPBACK, Served, ServingSpec, build_app


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal ends it."""
    options = _parser().parse_args(arguments)
    if options.host not in LOOPBACK:
        sys.exit(f"--host {options.host}: this server has no passwords and stays on loopback")
    listener = _listen(options.host, options.port)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_load(options), listener))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gigym.agents.serving", description=__doc__)
    add = parser.add_argument
    add("--model", required=True, help="Hugging Face directory or hub id")
    add("--served-model-name", default="policy", help="what requests call it")
    add("--host", default="127.0.0.1", help="a loopback address")
    add("--port", type=int, default=8000, help="0 takes a free one")
    add("--max-model-len", type=int, default=1024, help="longest context in tokens")
    add("--max-num-seqs", type=int, default=64, help="contexts held at once")
    add("--enable-scale-out", action="store_true", help="offer /inference/v1/generate")
    add("--dev-mode", action="store_true", help="offer pauses, weight pushes and sleep")
    return parser


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.exit(f"--port {port}: cannot listen on {host}: {error}")
    return listener


def _load(options: argparse.Namespace) -> Served:
    dev_mode = options.dev_mode or os.environ.get("VLLM_SERVER_DEV_MODE") == "1"
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    try:
        tokenizer = AutoTokenizer.from_pretrained(options.model)
    except (OSError, ValueError):
        tokenizer = None
    engine = HFEngine(
        model,
        slots=options.max_num_seqs,
        max_model_len=options.max_model_len,
        deterministic=False,
        version="default",
    )
    spec = ServingSpec(
        name=options.served_model_name, dev_mode=dev_mode, scale_out=options.enable_scale_out
    )
    return Served(engine=engine, model=model, spec=spec, tokenizer=tokenizer)


async def _serve(served: Served, listener: socket.socket) -> None:
    config = uvicorn.Config(build_app(served), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    host, port = listener.getsockname()[:2]
    print(f"http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
    try:
        await serving
    finally:
        await served.engine.close()


if __name__ == "__main__":
    main()
