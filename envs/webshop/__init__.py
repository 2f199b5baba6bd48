"""The WebShop world: search a shop, read its pages, choose options, buy what was asked for."""

from .env import WebShopEnv
from .errors import CatalogueError
from .goals import GoalList, Instruction, human_goals, synthetic_goals
from .reward import Verdict, judge
from .shelf import Shelf
from .types import Catalogue, Field, Goal, Goals, Product

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Field",
    "Goal",
    "GoalList",
    "Goals",
    "Instruction",
    "Product",
    "Shelf",
    "Verdict",
    "WebShopEnv",
    "human_goals",
    "judge",
    "synthetic_goals",
]
