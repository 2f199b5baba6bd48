"""The WebShop world: search a shop, read its pages, choose options, buy what was asked for."""

from .types import Catalogue, Field, Goal, Goals, Product

__all__ = ["Catalogue", "Field", "Goal", "Goals", "Product"]
