"""Registers our class with skyrl-gym, makes it by their `make`, and plays the expert's episode.

stdin: {"env", "seeds"}. Prints the versions and, for each seed, the messages, rewards and metrics.
"""

import json
import sys
from importlib.metadata import version
from typing import Any

import skyrl_gym  # pyright: ignore[reportMissingImports]
from skyrl_gym.envs.base_text_env import BaseTextEnv  # pyright: ignore[reportMissingImports]

import gigym
from gigym.envs.adapters import skyrl_environment


def episode(env_id: str, seed: int) -> dict[str, Any]:
    env = skyrl_gym.make("gigym", extras={"seed": seed, "max_turns": 100})
    assert isinstance(env, BaseTextEnv)
    known = gigym.make(env_id)
    reply, expert = known.start(seed), known.expert()
    messages, _ = env.init([{"role": "system", "content": "play"}])
    rewards: list[float] = []
    done = False
    while not done:
        action = expert.act(reply)
        reply, told = known.answer(action), env.step(action)
        messages += told["observations"]
        rewards.append(told["reward"])
        done = told["done"]
    metrics = env.get_metrics()
    env.close()
    return {"messages": messages, "rewards": rewards, "metrics": metrics}


def main() -> None:
    asked = json.load(sys.stdin)
    skyrl_gym.register("gigym", entry_point=skyrl_environment(asked["env"]))
    played = [episode(asked["env"], seed) for seed in asked["seeds"]]
    mean = BaseTextEnv.aggregate_metrics([one["metrics"] for one in played])
    print(json.dumps({"version": version("skyrl-gym"), "played": played, "mean": mean}))


if __name__ == "__main__":
    main()
