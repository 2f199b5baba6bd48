"""Play a household game three ways: by the expert, at random, and by trying both ends of a fork.

Run it: python examples/01_play.py
"""

import gigym
from gigym.agents import RandomPolicy
from gigym.envs import Policy, TextEnv


def play(env: TextEnv, policy: Policy, seed: int) -> float:
    """The return of one episode."""
    reply = env.start(seed)
    total = 0.0
    while not reply.done:
        reply = env.answer(policy.act(reply))
        total += reply.reward
    return total


def main() -> None:
    env = gigym.make("ALFWorld-v0", difficulty="small")
    observation, info = env.reset(seed=7)
    print(observation)
    print(f"\n{len(info['admissible_actions'])} actions, state {info['state_key'][:8]}\n")

    # env.start and env.answer are reset and step in one record instead of Gymnasium's tuples
    print(f"expert: return {play(env, env.expert(), seed=7):g}")
    print(f"random: return {play(env, RandomPolicy(seed=0), seed=7):g}")

    # equal states have equal keys, whatever the way that led there
    env.reset(seed=7)
    here, there = env.fork(2)
    first, second, *_ = (a for a in info["admissible_actions"] if a.startswith("go to"))
    direct = here.answer(second).state_key
    there.answer(first)
    print(f"one way {str(direct)[:8]}, with a detour {str(there.answer(second).state_key)[:8]}")


if __name__ == "__main__":
    main()
