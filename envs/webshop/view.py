"""What an agent gets to see and is paid, as an environment's options say."""

from dataclasses import dataclass

from ..errors import BadOption
from .browse import parted
from .pages import Index, Page, Rules, Session, clickables
from .render import address, plain_text, rich_text, spans_of
from .reward import Verdict
from .types import Catalogue

WIN_REWARD = 10.0
SEARCH_ACTION = "search[<your query>]"
"""Stands for every search in the list of admissible actions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The form of observations and rewards. Raises `BadOption` for values it does not know."""

    mode: str = "text"
    """`text`, `text_rich` or `url`."""
    instruction: str = "always"
    """`first`: no page but the one after a reset shows the instruction."""
    reward: str = "success"
    """`success` pays 10 or nothing, `score` the share of the wishes that is met."""

    def __post_init__(self) -> None:
        known = {
            "observation_mode": (self.mode, ("text", "text_rich", "url")),
            "show_instruction": (self.instruction, ("always", "first")),
            "reward": (self.reward, ("success", "score")),
        }
        for option, (value, values) in known.items():
            if value not in values:
                raise BadOption(f"{option} must be one of {', '.join(values)}, got {value!r:.80}")

    def rules(self, page_size: int, show_attributes: bool, fix_option_match: bool) -> Rules:
        """The shop's rules under this view, which remember what it shows of the way."""
        return Rules(
            page_size=page_size,
            show_attributes=show_attributes,
            fix_option_match=fix_option_match,
            keep_visited=self.mode == "text_rich",
            keep_order=self.mode == "url",
        )

    def observation(
        self, shop: Catalogue, session: Session, rules: Rules, *, first: bool = False
    ) -> str:
        """The open page; `first` tells the one after a reset."""
        if self.mode == "url":
            return address(shop, session)
        with_wish = first or self.instruction == "always"
        spans = spans_of(shop, session, rules, instruction=with_wish)
        return rich_text(spans) if self.mode == "text_rich" else plain_text(spans)

    def pay(self, verdict: Verdict) -> float:
        """The reward of a purchase."""
        return verdict.score if self.reward == "score" else WIN_REWARD * verdict.won


def admissible(shop: Catalogue, page: Page, rules: Rules) -> tuple[str, ...]:
    """What the shop would accept on this page; every page takes searches, the index asks for one.

    The name `search` is left out: clicking it does nothing. So are names that the grammar of
    actions cannot say, such as one with a line break.
    """
    names = (name for name in clickables(shop, page, rules) if name != "search")
    clicks = tuple(f"click[{name}]" for name in names if _sayable(name))
    return (SEARCH_ACTION, *clicks) if isinstance(page, Index) else clicks


def _sayable(name: str) -> bool:
    """Whether an action can name it; most names are plain, and asking the grammar takes longer."""
    plain = name.isascii() and name != "" and "[" not in name and "\n" not in name
    return plain or parted(f"click[{name}]") == ("click", name)
