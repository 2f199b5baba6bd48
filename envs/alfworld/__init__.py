"""The ALFWorld text world: official games and generated ones, native or in TextWorld itself."""

from .difficulty import DIFFICULTIES, Difficulty
from .env import ALFWorldEnv
from .generator import generate, rebuild
from .pack import GameSet, PackRow, read_games, write_pack
from .traces import Difference, Replay, replay_traces

__all__ = [
    "DIFFICULTIES",
    "ALFWorldEnv",
    "Difference",
    "Difficulty",
    "GameSet",
    "PackRow",
    "Replay",
    "generate",
    "read_games",
    "rebuild",
    "replay_traces",
    "write_pack",
]
