"""A small server that speaks vLLM's wire format over our own `hf` engine, on loopback only.

    python -m gigym.agents.serving --model DIR

It answers the routes that a trainer needs: completions by token id, and behind `--dev-mode` the
control routes for pauses and weights, with the same bodies and status codes as vLLM 0.32.
"""

from .app import Served, ServingSpec, build_app

__all__ = ["Served", "ServingSpec", "build_app"]
