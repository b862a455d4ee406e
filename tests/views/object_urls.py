"""The test site with object endpoints. The tests of the stock client use them, too."""

from __future__ import annotations

from typing import Any

import msgspec
from django.contrib.sessions.models import Session
from django.urls import path

from streaming.views import object_view
from tests.urls import urlpatterns as site
from tests.wanted import Recipe


class Dish(msgspec.Struct):
    """The input of an endpoint."""

    dish: str
    people: int = 2


def from_database(given: Dish) -> str:
    return f"{given.dish} for {given.people}, {Session.objects.count()} sessions"


async def asynchronous(given: Any) -> str:
    return f"async {given}"


object_patterns = [
    path("objects/recipe", object_view(Recipe, prompt="A recipe for {dish}, for {people} people.")),
    path("objects/plain", object_view(Recipe, prompt="Say {input}.")),
    path("objects/typed", object_view(Recipe, prompt=from_database, input=Dish)),
    path("objects/async", object_view(Recipe, prompt=asynchronous)),
    path("objects/awaitable", object_view(Recipe, prompt=lambda given: asynchronous(given))),
    path("objects/list", object_view(list[int])),
    path("objects/dict", object_view(dict[str, int])),
    path("objects/stops", object_view(Recipe, stops_with_client=True)),
    path("objects/slow", object_view(Recipe, provider="slow")),
]
urlpatterns = [*object_patterns, *site]
