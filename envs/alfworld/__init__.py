"""The ALFWorld text world, native: official games and generated ones, without TextWorld."""

from .difficulty import DIFFICULTIES, Difficulty
from .env import ALFWorldEnv
from .generator import generate, rebuild
from .pack import GameSet, PackRow, read_games, write_pack

__all__ = [
    "DIFFICULTIES",
    "ALFWorldEnv",
    "Difficulty",
    "GameSet",
    "PackRow",
    "generate",
    "read_games",
    "rebuild",
    "write_pack",
]
