"""Rows of WebShop's JSON files, checked: products, processed or raw, and instructions.

The field names are those of the files. Each row tells what it is in the shop's own records.
"""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from .goals import Instruction
from .types import Product

LONGEST_ASIN = 10
_UNKNOWN_PRICE = 100.0
_NO_ATTRIBUTES = ("DUMMY_ATTR",)
_NOT_OF_A_NUMBER = re.compile(r"[^0-9.]")
_NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")

Number = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(min_length=1)]


class Row(BaseModel):
    """What is not named by a row is skipped; what is named must be of its type."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class SyntheticRow(Row):
    """A value of `items_ins_v2.json`: the attributes of a product and the wish made of them."""

    attributes: list[str] = []
    instruction: str | None = None
    instruction_attributes: list[str] | None = None

    def wish(self) -> Instruction | None:
        """The instruction, where there is one with attributes."""
        return _wish(self.instruction, self.instruction_attributes)


class HumanRow(Row):
    """One wish of `items_human_ins.json`, written by a person."""

    instruction: str
    instruction_attributes: list[str]
    instruction_options: list[str] = []

    def wish(self) -> Instruction:
        """The instruction with the options it names."""
        return Instruction(
            text=self.instruction,
            attributes=tuple(self.instruction_attributes),
            options=tuple(self.instruction_options),
        )


class ShopRow(Row):
    """A processed product: prices are numbers, options are flat, attributes are attached."""

    asin: Name
    Title: str
    Description: str
    BulletPoints: list[str]
    Price: str
    pricing: list[Number]
    category: str
    query: str
    product_category: str
    options: dict[str, list[str]]
    Attributes: list[str]
    Rating: str | Number = "N.A."
    instructions: list[HumanRow] = []
    instruction_text: str | None = None
    instruction_attributes: list[str] | None = None

    def wish(self) -> Instruction | None:
        """The synthetic instruction, where the row carries one."""
        return _wish(self.instruction_text, self.instruction_attributes)

    def product(self) -> Product:
        """The product; option values in lower case, since clicks come in lower case."""
        return Product(
            asin=self.asin,
            title=self.Title,
            description=self.Description,
            bullets=tuple(self.BulletPoints),
            price_text=self.Price,
            prices=tuple(self.pricing),
            category=self.category,
            query=self.query,
            product_category=self.product_category,
            options=tuple(
                {
                    name.lower(): tuple(value.lower() for value in values)
                    for name, values in self.options.items()
                }.items()
            ),
            attributes=tuple(self.Attributes),
            rating=str(self.Rating),
        )


class RawOption(Row):
    """One value of an option group in a raw product."""

    value: str


class RawRow(Row):
    """A product of `items_shuffle.json`, as it was collected."""

    asin: Name
    name: str
    full_description: str
    small_description: list[str] | str
    pricing: str | None = None
    category: str
    query: str
    product_category: str | None = None
    customization_options: dict[str, list[RawOption] | None] | str | list[object] | None = None
    """Whatever is no object stands for a product without options."""

    def kept(self) -> bool:
        """Whether WebShop takes it; names of more than ten characters are no products."""
        return self.asin != "nan" and len(self.asin) <= LONGEST_ASIN

    def product(self, attributes: tuple[str, ...] = ()) -> Product:
        """The product with the attributes that another file has for it."""
        bullets = self.small_description
        prices = self._prices()
        return Product(
            asin=self.asin,
            title=self.name,
            description=self.full_description,
            bullets=(bullets,) if isinstance(bullets, str) else tuple(bullets),
            price_text=" to ".join(f"${price}" for price in prices),
            prices=prices,
            category=self.category,
            query=self.query.lower().strip(),
            product_category=self.product_category or "",
            options=self._options(),
            attributes=attributes or _NO_ATTRIBUTES,
        )

    def _prices(self) -> tuple[float, ...]:
        """The first two numbers that follow a dollar sign."""
        parts = (_NOT_OF_A_NUMBER.sub("", part) for part in (self.pricing or "").split("$")[1:])
        found = tuple(float(part) for part in parts if _NUMBER.fullmatch(part))
        return found[:2] or (_UNKNOWN_PRICE,)

    def _options(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        if not isinstance(self.customization_options, dict):
            return ()
        groups = {
            name.lower(): tuple(_plain_value(option.value) for option in options)
            for name, options in self.customization_options.items()
            if options is not None
        }
        return tuple(groups.items())


def _wish(text: str | None, attributes: list[str] | None) -> Instruction | None:
    if not text or not attributes:
        return None
    return Instruction(text=text, attributes=tuple(attributes))


def _plain_value(value: str) -> str:
    return value.strip().replace("/", " | ").lower()
