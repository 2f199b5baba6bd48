"""Agents: engines behind one async interface, dialogues, parsing, rollouts of sibling groups.

What needs transformers or torch is loaded when its name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .engine import (
    Capabilities,
    Completion,
    Engine,
    GenFailure,
    Health,
    PushReport,
    Roster,
    SamplingSpec,
    WeightSource,
)
from .errors import (
    AnchorMissing,
    EngineClosed,
    EngineError,
    OutOfOrder,
    PushError,
    RecordError,
    StaleWeights,
    TemplateError,
    UnsupportedModel,
)
from .parse import Parsed, ReplyRules, parse_plain, parse_tags, resolve
from .prompt import Dialogue, Exchange, dialogue_for
from .record import EpisodeRecord, Source, read_episodes, write_episodes
from .report import rollout_metrics
from .rollout import RolloutSpec, collect
from .scripted import RandomPolicy, ScriptedEngine, play, play_seat
from .seeds import request_seed

if TYPE_CHECKING:
    from .chat import ChatDialogue
    from .hf import HFEngine
    from .source import ModelWeights, TensorWeights
    from .terse import TerseDialogue
    from .tiny import build_tokenizer

__all__ = [
    "AnchorMissing",
    "Capabilities",
    "ChatDialogue",
    "Completion",
    "Dialogue",
    "Engine",
    "EngineClosed",
    "EngineError",
    "EpisodeRecord",
    "Exchange",
    "GenFailure",
    "HFEngine",
    "Health",
    "ModelWeights",
    "OutOfOrder",
    "Parsed",
    "PushError",
    "PushReport",
    "RandomPolicy",
    "RecordError",
    "ReplyRules",
    "RolloutSpec",
    "Roster",
    "SamplingSpec",
    "ScriptedEngine",
    "Source",
    "StaleWeights",
    "TemplateError",
    "TensorWeights",
    "TerseDialogue",
    "UnsupportedModel",
    "WeightSource",
    "build_tokenizer",
    "collect",
    "dialogue_for",
    "parse_plain",
    "parse_tags",
    "play",
    "play_seat",
    "read_episodes",
    "request_seed",
    "resolve",
    "rollout_metrics",
    "write_episodes",
]

_FILE = {
    "ChatDialogue": "chat",
    "HFEngine": "hf",
    "ModelWeights": "source",
    "TensorWeights": "source",
    "TerseDialogue": "terse",
    "build_tokenizer": "tiny",
}


def __getattr__(name: str) -> object:
    if name not in _FILE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_FILE[name]}", __name__), name)
