"""Missing packages are named before a room that needs them is imported."""

from ..envs.errors import need

_TRAIN = ("torch", "transformers", "tokenizers", "safetensors")
_SERVE = ("fastapi", "prometheus_client", "uvicorn")


def need_train() -> None:
    """Raise `MissingExtra` with the install line unless training can run."""
    for module in (*_TRAIN, *_SERVE):
        need(module, "train")


def need_serve() -> None:
    """Raise `MissingExtra` with the install line unless a server can run."""
    for module in _SERVE:
        need(module, "serve")
