"""What every dialogue between an environment and a model is: token ids built from replies.

A dialogue turns environment replies into prompt ids and sampled ids into actions; it holds no
episode. Sampled ids are never decoded and encoded again: the next prompt is the last one plus
what was sampled plus `following`. `TerseDialogue` (terse.py) serves the tiny model,
`ChatDialogue` (chat.py) any model with a chat template, `dialogue_for` picks between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..envs.types import Reply
from .engine import FinishReason
from .parse import Parsed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Ids = tuple[int, ...]

_NOT_OFFERED = ("help",)
"""Commands that explain the interface: admissible, never worth a place in a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A turn of the past as a window shows it."""

    observation: str
    action: str
    """Action sent to the environment; empty when the reply was none."""


class Dialogue(Protocol):
    """Builds prompts and reads replies for one kind of model."""

    @property
    def stop_token_ids(self) -> Ids:
        """Ids that end a reply."""
        ...

    def opening(self, reply: Reply) -> Ids:
        """The first prompt, from the answer to a reset."""
        ...

    def following(self, sampled: Sequence[int], reply: Reply) -> Ids:
        """What comes after the sampled ids: the end of the turn if it was not sampled, the
        environment's answer, and what opens the next reply.
        """
        ...

    def window(self, first: Reply, skipped: int, past: Sequence[Exchange], reply: Reply) -> Ids:
        """A prompt rendered anew: the task as `first` told it, `skipped` turns left out, the
        `past` after them, the present answer.
        """
        ...

    def reply_ids(self, action: str) -> Ids:
        """What a perfect agent samples to take an action, stop token included."""
        ...

    def read(self, sampled: Sequence[int], finish_reason: FinishReason, reply: Reply) -> Parsed:
        """The action in the sampled ids, matched to what the answered `reply` admits."""
        ...


def dialogue_for(tokenizer: "PreTrainedTokenizerBase", *, show_choices: bool = False) -> Dialogue:
    """The dialogue of a model directory: terse for tokenizers of `build_tokenizer`, else chat.

    Raises `TemplateError` when the tokenizer is neither.
    """
    # Imported here: both files build on this one, and need transformers.
    from .chat import ChatDialogue
    from .terse import TerseDialogue, is_terse

    kind = TerseDialogue if is_terse(tokenizer) else ChatDialogue
    return kind(tokenizer, show_choices=show_choices)


def choices(reply: Reply) -> tuple[str, ...]:
    """The admissible actions worth showing."""
    return tuple(a for a in reply.admissible_actions or () if a not in _NOT_OFFERED)


def encodable(text: str) -> str:
    """The text with lone surrogates replaced; tokenizers take valid Unicode only."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def split_stop(sampled: Sequence[int], stops: Ids) -> tuple[Ids, bool]:
    """The sampled ids without the stop token that closed them, and whether one did."""
    closed = bool(sampled) and sampled[-1] in stops
    return tuple(sampled[:-1] if closed else sampled), closed


def encode(tokenizer: "PreTrainedTokenizerBase", text: str, *, controls: bool = False) -> Ids:
    """Token ids of a text, in which control tokens are read as such only where `controls`."""
    ids = tokenizer.encode(
        encodable(text), add_special_tokens=False, split_special_tokens=not controls
    )
    return tuple(ids)


def decode(tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int]) -> str:
    """The text of token ids, control tokens spelled out."""
    # Cleaning up would move blanks before punctuation, which actions may need.
    return str(
        tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    )
