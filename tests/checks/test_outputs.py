"""The check of the views that ask for objects."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from django.core.checks import Error
from django.urls import include, path

from streaming.views import object_view
from tests.checks import SCRIPTED, messages
from tests.urls import urlpatterns as site
from tests.wanted import Recipe

HINT = 'Change the type, or set OPTIONS["structured"] of the provider to "tool" or "prompt".'


def decorated(view: Any) -> Any:
    @functools.wraps(view)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await view(*args, **kwargs)

    return wrapper


inner = [path("dict", decorated(object_view(dict[str, int]))), path("recipe", object_view(Recipe))]
urlpatterns = [path("objects/", include(inner)), path("lost", object_view(Recipe, provider="gpd")), *site]
PROVIDERS = {"default": {**SCRIPTED, "OPTIONS": {"structured": "schema"}}, "gpt": SCRIPTED}


def test_each_view_must_ask_for_what_its_provider_can_express() -> None:
    assert messages(ROOT_URLCONF=__name__, STREAMING_PROVIDERS=PROVIDERS) == [
        Error(
            "The view at 'dict' asks for what cannot be asked. Provider 'default' cannot be asked for this type: "
            "$ is a dict with any keys; use a list of objects with a key and a value.",
            hint=HINT,
            id="streaming.E067",
        ),
        Error(
            "The view at 'lost' asks 'gpd', which is no provider of STREAMING_PROVIDERS.",
            hint="Did you mean 'gpt'?",
            id="streaming.E067",
        ),
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"STREAMING_PROVIDERS": {**PROVIDERS, "default": SCRIPTED, "gpd": SCRIPTED}},  # they are asked by the prompt
        {"STREAMING_PROVIDERS": PROVIDERS, "ROOT_URLCONF": None},
        {"STREAMING_PROVIDERS": []},
        {"STREAMING_PROVIDERS": {"default": {"BACKEND": "nowhere.Nothing"}, "gpd": SCRIPTED}},
    ],
)
def test_what_others_report_is_left_to_them(settings: dict[str, Any]) -> None:
    found = messages(**{"ROOT_URLCONF": __name__, **settings})
    assert "streaming.E067" not in [one.id for one in found]
