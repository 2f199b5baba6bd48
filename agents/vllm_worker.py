"""Weights as safetensors bytes for a vLLM worker; named to vLLM by `--worker-extension-cls`.

Calls arrive by `collective_rpc`: begin, any number of parts, commit. Nothing of the model is
touched before the commit, which goes through vLLM's own reload, the one way that re-packs layers
rightly. Parts may be text in base64, since HTTP carries JSON.
"""

import base64
from typing import TYPE_CHECKING, Any

from .source import read_part

if TYPE_CHECKING:
    from torch import Tensor

EXTENSION = "gigym.agents.vllm_worker.WeightSync"
"""What `--worker-extension-cls` and `worker_extension_cls` are given."""


class WeightSync:
    """Methods that vLLM mixes into its worker; their names must be no names of the worker's."""

    model_runner: Any
    _gigym_parts: "dict[str, Tensor] | None" = None

    def gigym_begin(self) -> str:
        """Forget what an update that broke off left; answers so that callers can ask for us."""
        self._gigym_parts = {}
        return "gigym"

    def gigym_part(self, part: bytes | str) -> int:
        """Keep one safetensors file; the number of tensors so far."""
        if self._gigym_parts is None:
            raise RuntimeError("no update under way; gigym_begin comes before gigym_part")
        octets = base64.b64decode(part, validate=True) if isinstance(part, str) else part
        self._gigym_parts |= read_part(octets)
        return len(self._gigym_parts)

    def gigym_commit(self) -> int:
        """Load what came; the number of tensors."""
        tensors, self._gigym_parts = self._gigym_parts, None
        if not tensors:
            raise RuntimeError("nothing to load; gigym_begin and gigym_part come before the commit")
        self.model_runner.reload_weights(
            weights_iterator=iter(tensors.items()), is_checkpoint_format=True
        )
        return len(tensors)
