"""Types that tests want as answers."""

from __future__ import annotations

import datetime
import decimal
import enum
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

import msgspec
from msgspec import Meta


class Unit(enum.Enum):
    GRAM = "g"
    PIECE = "piece"


class Ingredient(msgspec.Struct):
    name: str
    amount: decimal.Decimal
    unit: Unit = Unit.PIECE


class Recipe(msgspec.Struct):
    """A recipe for home cooks."""

    title: str
    servings: Annotated[int, Meta(ge=1, le=20, description="How many people eat.")]
    ingredients: list[Ingredient] = []
    best_before: datetime.date | None = None


class Node(msgspec.Struct):
    value: int
    children: list[Node] = []


class Cat(msgspec.Struct, tag=True):
    meows: bool


class Dog(msgspec.Struct, tag=True):
    barks: bool


@dataclass
class Point:
    x: int
    y: float | None = None
    names: list[str] = field(default_factory=list)


class Movie(TypedDict, total=False):
    title: str
    year: int


RECIPE = (
    '{"title": "Soup \\ud83c\\udf72", "servings": 2, "ingredients": '
    '[{"name": "Salt", "amount": "1.10", "unit": "g"}], "best_before": "2026-12-24"}'
)
SOUP = Recipe(
    title="Soup 🍲",
    servings=2,
    ingredients=[Ingredient(name="Salt", amount=decimal.Decimal("1.10"), unit=Unit.GRAM)],
    best_before=datetime.date(2026, 12, 24),
)


def json_of(value: Any) -> str:
    """Returns the value as JSON text."""
    return msgspec.json.encode(value).decode()
