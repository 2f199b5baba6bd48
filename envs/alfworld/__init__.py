"""The ALFWorld text world, native: official games and generated ones, without TextWorld."""

from .env import ALFWorldEnv
from .pack import GameSet, PackRow, read_games, write_pack

__all__ = ["ALFWorldEnv", "GameSet", "PackRow", "read_games", "write_pack"]
