"""What a rollout looked like, as flat numbers: `rollout_metrics`."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ..grouping.types import Group, Stop

_TRUNCATIONS = (Stop.TURN_LIMIT, Stop.CONTEXT, Stop.TOKEN_LIMIT)


def rollout_metrics(groups: Iterable[Group]) -> dict[str, float]:
    """Shares, means and counts; failures are counted and enter nothing else.

    `invalid_share` is of turns, with its reasons below it; `inadmissible_share` is of the actions
    that an environment with a list of actions got; `truncated_share` is of episodes.
    """
    played = tuple(groups)
    episodes = [episode for group in played for episode in group.trajectories]
    failed = [episode for group in played for episode in group.failures]
    turns = [turn for episode in episodes for turn in episode.turns]
    # A reply that is no action is never compared with the admissible ones.
    judged = [turn.admissible for turn in turns if turn.admissible is not None]
    lengths = [len(episode.turns) for episode in episodes]
    prompts = [turn.start for turn in turns]
    reasons = Counter(turn.reason for turn in turns if not turn.valid)
    stops = Counter(episode.stop for episode in episodes if episode.stop in _TRUNCATIONS)
    return {
        "rollout/episodes": float(len(episodes)),
        "rollout/failed": float(len(failed)),
        "rollout/failed_share": _share(len(failed), len(failed) + len(episodes)),
        "rollout/success": _share(sum(e.success for e in episodes), len(episodes)),
        "rollout/return_mean": _mean([e.episode_return for e in episodes]),
        "rollout/turns": _mean(lengths),
        "rollout/turns_max": float(max(lengths, default=0)),
        "rollout/turns_total": float(len(turns)),
        "rollout/invalid_share": _share(sum(reasons.values()), len(turns)),
        "rollout/inadmissible_share": _share(judged.count(False), len(judged)),
        "rollout/truncated_share": _share(sum(stops.values()), len(episodes)),
        "rollout/tokens_sampled": float(sum(turn.stop - turn.start for turn in turns)),
        "rollout/tokens_context": float(sum(row.size for e in episodes for row in e.rows)),
        "rollout/prompt_p50": float(np.median(prompts)) if prompts else 0.0,
        "rollout/prompt_p95": float(np.percentile(prompts, 95)) if prompts else 0.0,
        "rollout/prompt_max": float(max(prompts, default=0)),
        **{f"rollout/invalid/{r}": _share(n, len(turns)) for r, n in sorted(reasons.items())},
        **{f"rollout/truncated/{s}": _share(n, len(episodes)) for s, n in sorted(stops.items())},
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _mean(values: list[float] | list[int]) -> float:
    return float(np.mean(values)) if values else 0.0
