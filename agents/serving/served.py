"""What is served: the engine, its model and tokenizer, and the names of requests under way."""

from collections.abc import Collection
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..engine import Completion, GenFailure, SamplingSpec
from ..hf import HFEngine
from .bodies import Refused

LONGEST_S = 3600.0
"""Clients keep the deadlines; this one only keeps the abandoned from staying for ever."""
_STATUS = {"overflow": 400, "bad_output": 500, "engine_dead": 500, "timeout": 504, "cancelled": 499}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingSpec:
    """How it is served."""

    name: str = "policy"
    """What requests call the model."""
    dev_mode: bool = False
    """Offer the control routes, which ask for no password."""
    scale_out: bool = False
    """Offer `/inference/v1/*`; without it they answer 403."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A request's prompt and what it is called."""

    ids: tuple[int, ...]
    name: str
    """What the client called it, or a fresh name."""
    public: str
    """What abort routes know it by."""
    salt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Served:
    """The engine and what its requests are read with."""

    engine: HFEngine
    model: PreTrainedModel
    spec: ServingSpec = ServingSpec()
    tokenizer: PreTrainedTokenizerBase | None = None
    """Needed where a prompt is text."""
    names: dict[str, str] = field(default_factory=dict[str, str])
    """Requests under way: their public names by those the engine knows."""

    @property
    def eos(self) -> tuple[int, ...]:
        """Ids that end a reply by themselves."""
        found = self.model.generation_config.eos_token_id if self.model.generation_config else None
        return tuple(found) if isinstance(found, list) else (found,) if found is not None else ()

    def encode(self, prompt: list[int] | str) -> tuple[int, ...]:
        """Ids of a prompt. Raises `Refused` for text without a tokenizer."""
        if isinstance(prompt, list):
            return tuple(prompt)
        if self.tokenizer is None:
            raise Refused("prompt: this server has no tokenizer; send token ids")
        return tuple(self.tokenizer.encode(prompt))

    def decode(self, ids: tuple[int, ...]) -> str:
        """Text of sampled ids; empty without a tokenizer."""
        text = (
            ""
            if self.tokenizer is None
            else self.tokenizer.decode(list(ids), skip_special_tokens=True)
        )
        return str(text)

    async def sample(self, prompt: Prompt, spec: SamplingSpec) -> Completion:
        """One completion. Raises `Refused`, or `HTTPException` where there is none."""
        # The salt is part of the episode's name, under which the engine looks for cached turns.
        own = f"{prompt.salt}:{prompt.name}" if prompt.salt else prompt.name
        self.names[own] = prompt.public
        try:
            done = await self.engine.generate(
                prompt.ids, spec, request_id=own, deadline_s=LONGEST_S
            )
        except ValueError as error:
            raise Refused(str(error)) from error
        finally:
            self.names.pop(own, None)
        if isinstance(done, Completion):
            return done
        raise HTTPException(_STATUS[done.code], _words(done, self.engine))

    def abort(self, public: Collection[str] | None) -> int:
        """End the requests of these public names, or all of them, with what they have."""
        chosen = [own for own, name in self.names.items() if public is None or name in public]
        return self.engine.abort(chosen)


def _words(failure: GenFailure, engine: HFEngine) -> str:
    if failure.code != "overflow":
        return f"{failure.code}: {failure.message}"
    limit = engine.capabilities.max_model_len
    return f"This model's maximum context length is {limit} tokens: {failure.message}"
