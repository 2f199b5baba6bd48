"""`MathToolsEnv`: a mathematical question, tools to compute with, one final answer.

Each turn is a tool call or the final answer. The answer ends the episode and pays `reward_scale`
when it is right; nothing else pays or costs. A turn that is neither does nothing. The episode is
cut at the turn limit, and when a call is asked for beyond the budget.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..base import ExpertKind, TextEnv
from ..catalog import MATH_TOOLS
from ..errors import BadOption, EpisodeError, UnknownTask, Unsupported
from ..types import JsonValue, Options, Policy, Reply
from . import reasoning, wording
from .answers import judge
from .calls import Call, Final, Malformed, Said, parse_turn
from .canonical import canonical
from .episode import Episode, thawed
from .expert import StateExpert
from .sources import Generated, Given, Reasoned, Source, checked_split, kinds_named
from .symbolic import compare
from .tools import Toolbox, tool_schemas, tools_named
from .types import Problem, Verdict
from .vocabulary import phrases

_SHORT_TURNS = 6
"""Turn limit of the kinds that one expression settles."""


class MathToolsEnv(TextEnv):
    """Mathematics with a calculator and sandboxed Python."""

    card = MATH_TOOLS

    def __init__(
        self,
        *,
        kinds: str | Sequence[str] = "all",
        difficulty: int = 1,
        split: str = "train",
        dataset: str | Path = "",
        reasoning_gym: str = "",
        tools: str | Sequence[str] = "calculator",
        max_tool_calls: int = 8,
        reward_scale: float = 1.0,
        strict: bool = False,
        sandbox_level: int = 3,
        sandbox_url: str = "",
        max_steps: int | None = None,
    ) -> None:
        """Problems are generated, or come from a `dataset` by path, or from `reasoning_gym`.

        `kinds` is `all`, or some as `word,linear`. `tools` is `calculator`, `python`, both with a
        comma, or `none`. `strict` refuses turns with more than one call or answer. Programs run
        where the isolation is at least `sandbox_level`; below 3 they can read the host's files.
        """
        super().__init__(max_steps=max_steps)
        if not 0 < reward_scale <= self.card.reward_range[1]:
            raise BadOption(f"reward_scale must be above 0 and at most 10, got {reward_scale}")
        if max_tool_calls < 0:
            raise BadOption(f"max_tool_calls must not be negative, got {max_tool_calls}")
        self.split = checked_split(split)
        self._make = SourceOptions(kinds, difficulty, str(dataset), reasoning_gym)
        self._source = self._make.source(split)
        self._tools = Toolbox(tools_named(tools), level=sandbox_level, url=sandbox_url)
        self._budget, self._scale, self._strict = max_tool_calls, float(reward_scale), strict
        self._turn_limit = max_steps
        self._running: Episode | None = None
        self.num_tasks = self._source.num_tasks

    @property
    def episode(self) -> Episode:
        """What is being played. Raises `EpisodeError` before a start."""
        if self._running is None:
            raise EpisodeError("MathTools-v0: no problem is open; call reset first")
        return self._running

    @classmethod
    def isolated_with(cls, options: Options) -> bool:
        """With the tool `python`, whose calls take their time."""
        return "python" in str(options.get("tools", ""))

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools on offer."""
        return self._tools.names

    @property
    def budget(self) -> int:
        """Tool calls that an episode may make."""
        return self._budget

    @property
    def turns_left(self) -> int | None:
        """Turns until the limit; None where there is none."""
        return None if self.max_steps is None else self.max_steps - self._turns

    def tool_schemas(self) -> list[dict[str, JsonValue]]:
        """The tools on offer in the form that chat APIs take as `tools`."""
        return tool_schemas(self.tools)

    def begin(self, seed: int, options: Options) -> Reply:
        """Pose the problem named by the option `task`, or else the one of the seed."""
        unknown = sorted(options.keys() - {"task"})
        if unknown:
            raise BadOption(f"no reset option {unknown[0]!r}; MathTools-v0 takes: task")
        task = options.get("task", None)
        if task is not None and not isinstance(task, str):
            raise BadOption(f"the option task must be the id of a problem, got {task!r:.80}")
        problem = self._source.named(self._source.id_of(seed) if task is None else task)
        self._open(Episode(problem=problem))
        calls = self._budget if self.tools else 0
        return self._reply(wording.opening(problem.question, self.tools, calls, self.max_steps))

    def act(self, action: str) -> Reply:
        """Take one turn."""
        said = self._allowed(parse_turn(action, strict=self._strict))
        match said:
            case Final():
                return self._answered(said)
            case Call():
                return self._called(said)
            case Malformed():
                return self._reply(wording.not_understood(said, self.tools), valid=False)

    def freeze(self) -> JsonValue:
        """The problem's id, the calls and the outcome."""
        return self.episode.freeze()

    def thaw(self, frozen: JsonValue) -> None:
        """Take up a frozen episode, whose problem this environment must have."""
        if not isinstance(frozen, dict) or not isinstance(name := frozen.get("task"), str):
            raise BadOption("not a frozen episode of MathTools-v0: expected the key task")
        try:
            problem = self._source.named(name)
        except UnknownTask as error:
            raise UnknownTask(f"the snapshot's problem is not here: {error}") from None
        self._open(thawed(frozen, problem))

    def expert(self, kind: ExpertKind = "state", seed: int = 0) -> Policy:
        """The expert that knows the answer and shows its work with the calculator."""
        if kind != "state":
            raise Unsupported("MathTools-v0 has the expert 'state' only: no script reads questions")
        return StateExpert(self)

    def vocabulary(self) -> tuple[str, ...]:
        """Tags, signs and the words of all generated questions."""
        return phrases()

    def task_count(self, split: str | None) -> int | None:
        """Problems of a split."""
        if split == self.split or split not in self.card.splits:
            return super().task_count(split)
        return self._make.source(split).num_tasks

    def task_id(self, seed: int, split: str | None) -> str | None:
        """The id of the problem that a seed picks."""
        source = self._source if split in (None, self.split) else self._make.source(str(split))
        return source.id_of(seed)

    def _open(self, episode: Episode) -> None:
        self._running = episode
        short = episode.problem.kind == "arith_chain"
        self.max_steps = self._turn_limit or (_SHORT_TURNS if short else self.card.max_steps)

    def _allowed(self, said: Said) -> Said:
        if isinstance(said, Call) and said.tool not in self.tools:
            return Malformed(reason=f"the tool {said.tool} is not offered")
        return said

    def _called(self, call: Call) -> Reply:
        episode = self.episode
        if len(episode.calls) >= self._budget:
            return replace(self._reply(wording.SPENT), truncated=True)
        result = self._tools.use(call)
        used = (call.tool, canonical(call), result.text)
        failed = episode.failed_calls + result.failed
        self._running = replace(episode, calls=(*episode.calls, used), failed_calls=failed)
        return self._reply(wording.result(result.text))

    def _answered(self, final: Final) -> Reply:
        verdict = verdict_on(self.episode.problem, final.answer)
        self._running = replace(self.episode, verdict=verdict)
        reply = self._reply(wording.CORRECT if verdict.correct else wording.WRONG)
        return replace(reply, terminated=True, reward=self._scale if verdict.correct else 0.0)

    def _reply(self, observation: str, *, valid: bool = True) -> Reply:
        """The answer to a turn; `valid` says that the turn was a call or an answer."""
        episode = self.episode
        facts = self._facts(episode, valid)
        return Reply(observation=observation, state_key=episode.key(), info=facts)

    def _facts(self, episode: Episode, valid: bool) -> dict[str, JsonValue]:
        problem, verdict = episode.problem, episode.verdict
        facts: dict[str, JsonValue] = {
            "won": episode.won,
            "score": float(episode.won),
            "task_id": problem.id,
            "kind": problem.kind,
            "difficulty": problem.difficulty,
            "tool_calls": len(episode.calls),
            "failed_calls": episode.failed_calls,
            "valid": valid,
        }
        if self._tools.sandbox_level is not None:
            facts["sandbox_level"] = self._tools.sandbox_level
        if verdict is not None:
            facts["checker"] = verdict.level
            facts["checker_fault"] = verdict.fault
            facts["score"] = float(verdict.correct) if verdict.score is None else verdict.score
        return facts


class SourceOptions:
    """The options that say where problems come from, for the source of any split."""

    def __init__(
        self, kinds: str | Sequence[str], difficulty: int, dataset: str, reasoning_gym: str
    ) -> None:
        if dataset and reasoning_gym:
            raise BadOption("give dataset or reasoning_gym, not both")
        self._kinds = kinds_named(kinds)
        self._difficulty, self._dataset, self._gym = difficulty, dataset, reasoning_gym

    def source(self, split: str) -> Source:
        """The problems of a split."""
        if self._dataset:
            return Given(self._dataset, split)
        if self._gym:
            return Reasoned(self._gym, split)
        return Generated(self._kinds, self._difficulty, split)


def verdict_on(problem: Problem, answer: str) -> Verdict:
    """The verdict about an answer, by the problem's own scorer or by ours."""
    if problem.meta.get("scorer") == "reasoning_gym":
        return reasoning.score(problem, answer)
    # A generated answer is exact: the symbolic level is for data of others.
    symbolic = compare if problem.rules.form == "auto" else None
    return judge(answer, problem.answer, problem.rules, symbolic)
