"""One episode as one JSON line (schema 1), both ways.

A line says where the episode comes from, how it ended, its turns with their credit, and the token
ids it is trained on. Observations lie once per line under `texts`, named by their hash. Every line
is ASCII and valid JSON: lone surrogates are escaped, a number that is not finite is null.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grouping.types import Stop, Trajectory, Turn
from .errors import RecordError

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which environment the episodes of a file were played on; empty where it is not told."""

    env: str = ""
    env_version: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCredit:
    """What the estimator gave one turn."""

    returns: float
    episode: float
    step: float
    advantage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeRecord:
    """One line."""

    source: Source
    step: int
    """Iteration of the run."""
    group: int
    """Position of the episode's task in the rollout."""
    trajectory: Trajectory
    credit: tuple[TurnCredit, ...] = ()
    """One per turn; empty where no credit was given."""


def episode_line(record: EpisodeRecord) -> str:
    """The JSON line of an episode, without its end of line."""
    episode, source = record.trajectory, record.source
    texts: dict[str, str] = {}
    tree = {
        "schema_version": SCHEMA_VERSION,
        "id": f"t-{record.step}-{record.group}-{episode.index}",
        "env": source.env,
        "env_version": source.env_version,
        "split": source.split,
        "step": record.step,
        "group": record.group,
        "slot": episode.index,
        **_episode_tree(episode),
        "turns": [
            _turn_tree(index, turn, texts, record.credit[index : index + 1])
            for index, turn in enumerate(episode.turns)
        ],
        "texts": texts,
    }
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def read_line(line: str) -> EpisodeRecord:
    """The episode of a line. Raises `RecordError` for anything else."""
    try:
        tree = json.loads(line)
        if tree["schema_version"] != SCHEMA_VERSION:
            raise RecordError(
                f"schema_version must be {SCHEMA_VERSION}, got {tree['schema_version']!r}; "
                "read it with the gigym that wrote it"
            )
        return _record(tree)
    except RecordError:
        raise
    except RecursionError:
        raise RecordError("not an episode: nested too deeply") from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise RecordError(f"not an episode: {type(error).__name__}: {error}") from error


def _episode_tree(episode: Trajectory) -> dict[str, Any]:
    """The episode's JSON form without its turns."""
    sampled = sum(turn.stop - turn.start for turn in episode.turns)
    failed = {"code": episode.stop.value, "message": episode.cause}
    return {
        "task": episode.task,
        "task_id": episode.task_id,
        "task_type": episode.task_type,
        "seed": episode.seed,
        "policy_versions": _merged_versions(episode.turns),
        "success": episode.success,
        "return": _finite(episode.episode_return),
        "stop": episode.stop.value,
        "failure": failed if episode.stop.failed else None,
        "final_anchor": episode.final_anchor,
        "tokens": {
            "prompt": sum(row.size for row in episode.rows) - sampled,
            "action": sampled,
            "rows": [row.tolist() for row in episode.rows],
        },
    }


def _turn_tree(
    index: int, turn: Turn, texts: dict[str, str], credit: Sequence[TurnCredit]
) -> dict[str, Any]:
    """The turn's JSON form; its observation is put into `texts`."""
    name = _text_name(turn.observation)
    texts[name] = turn.observation
    tree = {
        "t": index,
        "observation": name,
        "reply": turn.text,
        "action": turn.action,
        "valid": turn.valid,
        "reason": turn.reason,
        "admissible": turn.admissible,
        "reward": _finite(turn.reward),
        "terminated": turn.terminated,
        "truncated": turn.truncated,
        "state_key": turn.state_key,
        "observation_key": turn.observation_key,
        "anchor": turn.anchor,
        "keys": list(turn.keys),
        "action_key": turn.action_key,
        "finish": turn.finish_reason,
        "row": turn.row,
        "tok": [turn.start, turn.stop],
        "logp_sum": _finite(float(turn.logprobs.sum(dtype=np.float64))),
        "logprobs": _short(turn.logprobs),
        "versions": [list(span) for span in turn.weight_versions],
    }
    for given in credit:
        tree["R"], tree["A_E"] = _finite(given.returns), _finite(given.episode)
        tree["A_S"], tree["A"] = _finite(given.step), _finite(given.advantage)
    return tree


def _record(tree: Mapping[str, Any]) -> EpisodeRecord:
    """The record of a line's tree; whatever it lacks raises where it is missed."""
    episode = Trajectory(
        task=tree["task"],
        index=tree["slot"],
        rows=tuple(np.asarray(row, np.int32) for row in tree["tokens"]["rows"]),
        turns=tuple(_turn(turn, tree["texts"]) for turn in tree["turns"]),
        final_anchor=tree["final_anchor"],
        stop=Stop(tree["stop"]),
        cause=(tree["failure"] or {"message": ""})["message"],
        task_id=tree["task_id"],
        task_type=tree["task_type"],
        seed=tree["seed"],
        success=tree["success"],
    )
    source = Source(env=tree["env"], env_version=tree["env_version"], split=tree["split"])
    given = tuple(_turn_credit(turn) for turn in tree["turns"] if "A" in turn)
    return EpisodeRecord(
        source=source, step=tree["step"], group=tree["group"], trajectory=episode, credit=given
    )


def _turn(tree: Mapping[str, Any], texts: Mapping[str, str]) -> Turn:
    start, stop = tree["tok"]
    return Turn(
        anchor=tree["anchor"],
        keys=tuple(tree["keys"]),
        state_key=tree["state_key"],
        observation_key=tree["observation_key"],
        action_key=tree["action_key"],
        row=tree["row"],
        start=start,
        stop=stop,
        logprobs=np.asarray([_number(value) for value in tree["logprobs"]], np.float32),
        weight_versions=tuple((v, first, end) for v, first, end in tree["versions"]),
        finish_reason=tree["finish"],
        reward=_number(tree["reward"]),
        terminated=tree["terminated"],
        truncated=tree["truncated"],
        valid=tree["valid"],
        admissible=tree["admissible"],
        reason=tree["reason"],
        observation=texts[tree["observation"]],
        text=tree["reply"],
        action=tree["action"],
    )


def _turn_credit(tree: Mapping[str, Any]) -> TurnCredit:
    return TurnCredit(
        returns=_number(tree["R"]),
        episode=_number(tree["A_E"]),
        step=_number(tree["A_S"]),
        advantage=_number(tree["A"]),
    )


def _merged_versions(turns: Sequence[Turn]) -> list[list[str | int]]:
    """Spans `[version, start, end]` over all tokens the episode sampled, in order."""
    spans: list[list[str | int]] = []
    # A turn counts from its own first token, the episode from its first turn's.
    offset = 0
    for turn in turns:
        for version, start, end in turn.weight_versions:
            if spans and spans[-1][0] == version:
                spans[-1][2] = offset + end
            else:
                spans.append([version, offset + start, offset + end])
        offset += turn.stop - turn.start
    return spans


def _text_name(text: str) -> str:
    """Names a text by its hash; lone surrogates are hashed as they are."""
    return f"o:{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def _short(values: NDArray[np.float32]) -> list[float | None]:
    """The shortest decimals that read back as the same float32."""
    return [_finite(float(str(value))) for value in values.astype(np.float32)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
