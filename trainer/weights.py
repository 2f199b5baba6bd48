"""The actor: a causal LM, its tokenizer, and the dialogue that turns episodes into token ids.

It is a Hugging Face directory or hub id, or a small Qwen3 built here from a few numbers with a
tokenizer made of the environment's own phrases. What is saved is a plain Hugging Face directory
either way.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from ..agents.prompt import Dialogue, dialogue_for
from ..agents.tiny import build_tokenizer
from .config import Config, ModelSection
from .errors import ConfigError
from .world import world_phrases

_SMALL = 50_000_000

# Its bars of loading and saving would break the live table of a run.
transformers_logging.disable_progress_bar()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Actor:
    """What speaks in a run."""

    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    dialogue: Dialogue

    @property
    def parameters(self) -> int:
        """Number of parameters, tied ones once."""
        return sum(p.numel() for p in self.model.parameters())

    def save(self, folder: Path) -> None:
        """Write a Hugging Face directory that `from_pretrained` loads."""
        self.model.save_pretrained(folder)  # pyright: ignore[reportCallIssue]
        self.tokenizer.save_pretrained(folder)


def build_actor(config: Config) -> Actor:
    """The actor a run starts from, before any warm start. Raises `ConfigError` for a bad path."""
    if config.model.path:
        return load_actor(config.model.path, config)
    phrases = world_phrases(config)
    tokenizer = build_tokenizer(phrases)
    return _actor(_small_model(config, tokenizer), tokenizer, config)


def load_actor(path: str, config: Config) -> Actor:
    """An actor from a Hugging Face directory or hub id; remote code is never run."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"model.path: cannot load {path!r} as a Hugging Face directory or hub id: {error}"
        ) from error
    return _actor(model, tokenizer, config)


def _actor(model: nn.Module, tokenizer: PreTrainedTokenizerBase, config: Config) -> Actor:
    model.to(_device(config.model))
    set_threads(model)
    dialogue = dialogue_for(tokenizer, show_choices=config.rollout.show_choices)
    return Actor(model=model, tokenizer=tokenizer, dialogue=dialogue)


def set_threads(model: nn.Module) -> None:
    """One torch thread for small models, where more only wait for each other; else up to four.

    `OMP_NUM_THREADS` has the last word.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return
    small = sum(p.numel() for p in model.parameters()) < _SMALL
    torch.set_num_threads(1 if small else min(os.cpu_count() or 1, 4))


def _device(section: ModelSection) -> torch.device:
    if section.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("model.device: no usable GPU on this machine; use model.device=cpu")
    if section.device != "auto":
        return torch.device(section.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _small_model(config: Config, tokenizer: PreTrainedTokenizerBase) -> nn.Module:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    section, vocabulary = config.model, tokenizer.get_vocab()
    shape = Qwen3Config(
        vocab_size=len(vocabulary),
        hidden_size=section.hidden,
        intermediate_size=section.mlp,
        num_hidden_layers=section.layers,
        num_attention_heads=section.heads,
        num_key_value_heads=section.heads,
        head_dim=section.head_dim,
        max_position_embeddings=config.engine.max_model_len,
        initializer_range=section.init_std,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=vocabulary[str(tokenizer.eos_token)],
        pad_token_id=vocabulary[str(tokenizer.pad_token)],
    )
    # Initialisation draws from torch's global generator; the fork puts it back as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.warmstart.seed)
        return Qwen3ForCausalLM(shape)
