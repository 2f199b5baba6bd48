"""The dialogue of chat models: the environment is the user, the agent thinks and acts in tags.

The text around messages is read off the model's own chat template once, from a made-up
conversation; a turn is then appended as `end of the agent's turn + observation + start of the
next`, so that sampled ids are never rendered again. Text of an environment is encoded with
control tokens switched off wherever it spells one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2.exceptions import TemplateError as JinjaError

from ..envs.types import Reply
from .engine import FinishReason
from .errors import TemplateError
from .parse import CLOSE, END_THINK, OPEN, THINK, Parsed, ReplyRules, parse_tags, resolve
from .prompt import Exchange, Ids, choices, decode, encode, split_stop

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

HEAD = (
    "You act in a world that answers in text. Each of your turns takes one action.\n"
    f"Think first, between {THINK} and {END_THINK}. Then write one action between {OPEN} and "
    f"{CLOSE}, for example {OPEN}look{CLOSE}, and nothing after it. Only the action reaches the "
    "world; a turn without one is lost."
)
MISREAD = (
    "Your last turn was lost: it did not hold exactly one action "
    f"between {OPEN} and {CLOSE} after the thought."
)
OMITTED = "(earlier steps omitted)"

_CACHED_TEXTS = 4_096
_FIRST, _SAID, _NEXT = "firstmessageofuser", "answerofassistant", "nextmessageofuser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The text that a chat template puts around messages."""

    before: str
    """From the start to the first message of the user."""
    after: str
    """From the end of a first message to where the agent speaks."""
    between: str
    """From the end of what the agent said to the next message of the user."""
    after_next: str
    """From the end of that message to where the agent speaks."""

    @property
    def think_open(self) -> bool:
        """The template opens the thought itself."""
        return self.after.rfind(THINK) > self.after.rfind(END_THINK)


class ChatDialogue:
    """Builds prompts and reads replies for any model with a chat template.

    Raises `TemplateError` when the tokenizer has none or it cannot carry several turns.
    """

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        *,
        show_choices: bool = False,
        require_think: bool = False,
    ) -> None:
        self._tokenizer = tokenizer
        self._show_choices = show_choices
        self._frame = read_frame(tokenizer)
        self._controls = {
            str(token): number
            for number, token in tokenizer.added_tokens_decoder.items()
            if token.special
        }
        self._stops, self._closing = self._ends()
        self._rules = ReplyRules(
            forbidden=tuple(self._controls),
            think_open=self._frame.think_open,
            require_think=require_think,
        )
        self._answered = lru_cache(maxsize=_CACHED_TEXTS)(self._answer)

    @property
    def stop_token_ids(self) -> Ids:
        """The token that ends a turn in the template, and the model's own end of text."""
        return self._stops

    def opening(self, reply: Reply) -> Ids:
        """Instructions and the first observation as the user's first message."""
        return self._first_message(self._shown(reply))

    def following(self, sampled: Sequence[int], reply: Reply) -> Ids:
        """The rest of the agent's turn and the observation as the user's next message."""
        body, closed = split_stop(sampled, self._stops)
        # A dialogue holds no episode, so the reply is read a second time to comment on it.
        misread = not parse_tags(decode(self._tokenizer, body), self._rules).valid
        shown = self._shown(reply)
        ids = self._answered(f"{MISREAD}\n\n{shown}" if misread else shown)
        return ids[self._closing :] if closed else ids

    def window(self, first: Reply, skipped: int, past: Sequence[Exchange], reply: Reply) -> Ids:
        """One message of the user: instructions, the task, the last turns, the observation."""
        parts = [first.observation, OMITTED] if skipped else []
        for turn in past:
            parts += [turn.observation, f"Your action: {turn.action or '(none)'}"]
        return self._first_message("\n\n".join([*parts, self._shown(reply)]))

    def reply_ids(self, action: str) -> Ids:
        """The action in its tags, after an empty thought where one is wanted."""
        opened = "" if self._rules.think_open else THINK
        needed = self._rules.think_open or self._rules.require_think
        thought = f"{opened}{END_THINK}" if needed else ""
        return (*self._message(f"{thought}{OPEN}", action, CLOSE), self._stops[0])

    def read(self, sampled: Sequence[int], finish_reason: FinishReason, reply: Reply) -> Parsed:
        """The one action in its tags after the last thought."""
        body, closed = split_stop(sampled, self._stops)
        cut = finish_reason == "length" and not closed
        parsed = parse_tags(decode(self._tokenizer, body), self._rules, cut=cut)
        return resolve(parsed, reply.admissible_actions)

    def _ends(self) -> tuple[Ids, int]:
        """The stop tokens, and how many ids of the text between turns end the agent's turn."""
        between = self._encode(self._frame.between)
        # The first control token after what the agent said is the one it hands over with.
        place = next((i for i, n in enumerate(between) if n in self._controls.values()), None)
        own = () if place is None else (between[place],)
        eos = self._controls.get(str(self._tokenizer.eos_token))
        stops = tuple(dict.fromkeys((*own, *(() if eos is None else (eos,)))))
        if not stops:
            raise TemplateError(
                f"{self._tokenizer.name_or_path}: no token ends a turn; set eos_token in its config"
            )
        return stops, 0 if place is None else place + 1

    def _shown(self, reply: Reply) -> str:
        if not self._show_choices or reply.admissible_actions is None:
            return reply.observation
        listed = "\n".join(f"- {action}" for action in choices(reply))
        return f"{reply.observation}\n\nActions you can take:\n{listed}"

    def _first_message(self, text: str) -> Ids:
        frame = self._frame
        return self._message(frame.before, f"{HEAD}\n\n{text}", frame.after)

    def _answer(self, text: str) -> Ids:
        frame = self._frame
        return self._message(frame.between, text, frame.after_next)

    def _message(self, before: str, text: str, after: str) -> Ids:
        """Template text around text that must not speak in control tokens."""
        # One piece where nothing is to be feared: tokens may join text and template.
        if not any(control in text for control in self._controls):
            return self._encode(before + text + after)
        return (*self._encode(before), *encode(self._tokenizer, text), *self._encode(after))

    def _encode(self, text: str) -> Ids:
        return encode(self._tokenizer, text, controls=True)


def read_frame(tokenizer: "PreTrainedTokenizerBase") -> Frame:
    """What the tokenizer's template puts around messages. Raises `TemplateError`."""
    first = {"role": "user", "content": _FIRST}
    said = {"role": "assistant", "content": _SAID}
    opened = _render(tokenizer, [first])
    followed = _render(tokenizer, [first, said, {"role": "user", "content": _NEXT}])
    before, _, after = opened.partition(_FIRST)
    between, found, after_next = followed.partition(_SAID)[2].partition(_NEXT)
    if not found or _FIRST not in opened:
        raise TemplateError(
            f"{tokenizer.name_or_path}: the chat template drops messages of a conversation; "
            "it must render user, assistant, user in turn"
        )
    return Frame(before=before, after=after, between=between, after_next=after_next)


def _render(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]]) -> str:
    if tokenizer.chat_template is None:
        raise TemplateError(
            f"{tokenizer.name_or_path}: the tokenizer has no chat template; use an instruction "
            "model, or add chat_template.jinja to its directory"
        )
    try:
        return str(
            tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        )
    except JinjaError as error:
        raise TemplateError(
            f"{tokenizer.name_or_path}: the chat template refuses a user, assistant, user "
            f"conversation: {error}"
        ) from error
