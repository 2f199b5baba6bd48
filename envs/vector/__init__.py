"""Many episodes at once, as a Gymnasium `VectorEnv` of text.

    envs = gigym.make_vec("ALFWorld-v0", 8, backend="process")
    observations, infos = envs.reset(seed=0)
    observations, rewards, terminations, truncations, infos = envs.step(["look"] * 8)

The environments live in this process (`sync`), in worker processes (`process`) or on env servers
(`remote`); equal seeds and actions give equal episodes in all three.
"""

from .crew import CrewSpec
from .env import TextVectorEnv
from .making import make_vec

__all__ = ["CrewSpec", "TextVectorEnv", "make_vec"]
