"""The reference engine: TextWorld itself, in a process of its own (extra `alfworld`)."""

from .files import GameText, Rules, game_text, release_rules
from .world import ReferenceEngine, ReferenceWorld

__all__ = ["GameText", "ReferenceEngine", "ReferenceWorld", "Rules", "game_text", "release_rules"]
