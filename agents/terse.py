"""The dialogue of the tiny model: observation, one token that opens the action, one that closes it.

An episode reads `observation <|act|> action <|end|> observation <|act|> ...`, nothing else: no
roles, no instructions, the task told once by the first observation. Made for tokenizers of
`build_tokenizer`, in which a sentence of the environment is a few tokens.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from ..envs.types import Reply
from .engine import FinishReason
from .parse import Parsed, ReplyRules, parse_plain, resolve
from .prompt import Exchange, Ids, choices, decode, encode, split_stop
from .tiny import ACT, END, GAP

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_CACHED_TEXTS = 16_384


def is_terse(tokenizer: "PreTrainedTokenizerBase") -> bool:
    """Whether the tokenizer was made by `build_tokenizer`, in this process or before."""
    return getattr(tokenizer, "act_token", None) == ACT


class TerseDialogue:
    """Builds prompts and reads replies for models that speak in single phrases."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", *, show_choices: bool = False) -> None:
        self._tokenizer = tokenizer
        self._show_choices = show_choices
        vocabulary = tokenizer.get_vocab()
        self._act, self._end, self._gap = (vocabulary[token] for token in (ACT, END, GAP))
        self._rules = ReplyRules(forbidden=tuple(tokenizer.all_special_tokens))
        # Environments repeat themselves: most observations of a batch are seen many times.
        self._encoded = lru_cache(maxsize=_CACHED_TEXTS)(partial(encode, tokenizer))

    @property
    def stop_token_ids(self) -> Ids:
        """The token that closes an action."""
        return (self._end,)

    def opening(self, reply: Reply) -> Ids:
        """The first observation and what opens the action."""
        return (*self._shown(reply), self._act)

    def following(self, sampled: Sequence[int], reply: Reply) -> Ids:
        """The closing token if it was not sampled, the observation, what opens the action."""
        closed = split_stop(sampled, self.stop_token_ids)[1]
        return (*(() if closed else (self._end,)), *self._shown(reply), self._act)

    def window(self, first: Reply, skipped: int, past: Sequence[Exchange], reply: Reply) -> Ids:
        """The episode with a gap in it, every reply of the past as the action it was read as."""
        head = (*self._encoded(first.observation), self._gap) if skipped else ()
        turns = [
            token
            for turn in past
            for token in (*self._encoded(turn.observation), self._act, *self.reply_ids(turn.action))
        ]
        return (*head, *turns, *self._shown(reply), self._act)

    def reply_ids(self, action: str) -> Ids:
        """The action's tokens and the one that closes it."""
        return (*self._encoded(action), self._end)

    def read(self, sampled: Sequence[int], finish_reason: FinishReason, reply: Reply) -> Parsed:
        """The whole reply is the action."""
        body, closed = split_stop(sampled, self.stop_token_ids)
        text = decode(self._tokenizer, body)
        parsed = parse_plain(text, self._rules, cut=finish_reason == "length" and not closed)
        return resolve(parsed, reply.admissible_actions)

    def _shown(self, reply: Reply) -> Ids:
        if not self._show_choices:
            return self._encoded(reply.observation)
        return self._encoded("\n".join((reply.observation, *choices(reply))))
