"""`WebShopEnv`: find in a shop what a customer asks for, choose its options, buy it.

The episode ends with the first purchase. It pays 10 when all that was asked for is met and nothing
otherwise, or with `reward="score"` the share of it that is met. Actions are `search[WORDS]` and
`click[NAME]`; whatever else is said leaves the page as it is and costs a turn.
"""

from dataclasses import asdict
from pathlib import Path

from ..base import ExpertKind, TextEnv
from ..catalog import WEBSHOP
from ..errors import BadOption, EpisodeError, Unsupported
from ..types import JsonValue, Options, Policy, Reply
from . import browse, visits
from .expert import ObservationExpert, StateExpert
from .goals import parts, position
from .pages import Done, Session, state_key
from .sources import Origin, need_extra, open_catalogue
from .types import Catalogue
from .view import View, admissible
from .vocabulary import phrases


class WebShopEnv(TextEnv):
    """WebShop, native: pages, goals and rewards of princeton-nlp/WebShop, without a browser."""

    card = WEBSHOP

    def __init__(
        self,
        *,
        products: str | Path | Catalogue = "",
        instructions: str | Path = "",
        human_instructions: str | Path = "",
        human_goals: bool = False,
        split: str = "train",
        observation_mode: str = "text",
        show_instruction: str = "always",
        reward: str = "success",
        fix_option_match: bool = False,
        show_attrs: bool = False,
        page_size: int = 10,
        catalogue_size: int = 2_000,
        catalogue_seed: int = 0,
        max_steps: int | None = None,
    ) -> None:
        """Without `products` (a file, a store or a `Catalogue`) the shop is synthetic.

        `split` may join several: `train+dev`. The modules view and pages tell the other options.
        """
        super().__init__(max_steps=max_steps)
        need_extra()
        if isinstance(products, str | Path):
            origin = Origin(
                files=(str(products), str(instructions), str(human_instructions)),
                human_goals=human_goals,
                synthetic=(catalogue_size, catalogue_seed),
            )
            products = open_catalogue(origin)
        self.shop = products
        self.split = split
        self.num_tasks = self.task_count(split)
        self._view = View(mode=observation_mode, instruction=show_instruction, reward=reward)
        self._rules = self._view.rules(page_size, show_attrs, fix_option_match)
        self._running: Session | None = None

    @property
    def session(self) -> Session:
        """The visit that is going on. Raises `EpisodeError` before a start."""
        if self._running is None:
            raise EpisodeError("WebShop-v0: nobody is shopping; call reset first")
        return self._running

    def task_count(self, split: str | None) -> int:
        """Number of goals of a split, or of several joined with `+`. Raises `BadOption`."""
        return sum(map(len, parts(self.shop.goals, split or self.card.splits[0])))

    def task_id(self, seed: int, split: str | None) -> str:
        """The id of the goal that a seed picks from a split."""
        chosen = parts(self.shop.goals, split or self.card.splits[0])
        return self.shop.goals[position(chosen, seed)].id

    def begin(self, seed: int, options: Options) -> Reply:
        """Send the customer whose goal the option `task` names, or else the seed."""
        unknown = sorted(map(str, options.keys() - {"task"}))
        if unknown:
            raise BadOption(f"no reset option {unknown[0]!r}; WebShop-v0 takes: task")
        goal_id = options.get("task")
        if goal_id is None:
            goal_id = self.task_id(seed, self.split)
        if not isinstance(goal_id, str):
            raise BadOption(f"the option task must be the id of a goal, got {goal_id!r:.80}")
        self._running = visits.named_session(self.shop, goal_id)
        return self._reply(first=True)

    def act(self, action: str) -> Reply:
        """Search, follow a link, choose, or buy."""
        self._running = browse.answer(self.shop, self.session, action, self._rules)
        return self._reply()

    def freeze(self) -> JsonValue:
        """The goal's id and the open page."""
        return visits.freeze(self.shop, self.session)

    def thaw(self, frozen: JsonValue) -> None:
        """Take up a frozen visit to a shop that has its goal and its product."""
        self._running = visits.thaw(self.shop, self._rules, frozen)

    def expert(self, kind: ExpertKind = "state", seed: int = 0) -> Policy:
        """The customer who knows the goal's product, or one who reads texts and buttons only."""
        if kind == "state":
            return StateExpert(self)
        if self._view.mode == "url":
            raise Unsupported("WebShop-v0: no expert shops by addresses; observe text or text_rich")
        return ObservationExpert()

    def vocabulary(self) -> tuple[str, ...]:
        """Fixed phrases of the pages, and the words of the synthetic shop."""
        return phrases()

    def close(self) -> None:
        """Forget the visit; the shop stays for others."""
        self._running = None
        super().close()

    def _reply(self, *, first: bool = False) -> Reply:
        session = self.session
        verdict = session.page.verdict if isinstance(session.page, Done) else None
        info: dict[str, JsonValue] = {
            "won": verdict is not None and verdict.won,
            "score": 0.0 if verdict is None else verdict.score,
            "task_id": session.goal.id,
            "goal": session.goal.text,
        }
        if verdict is not None:
            info["verdict"] = asdict(verdict)
        return Reply(
            observation=self._view.observation(self.shop, session, self._rules, first=first),
            reward=0.0 if verdict is None else self._view.pay(verdict),
            terminated=verdict is not None,
            state_key=state_key(self.shop, session),
            admissible_actions=admissible(self.shop, session.page, self._rules),
            info=info,
        )
