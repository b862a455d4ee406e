"""The example site's URLs, and an object endpoint for each provider that writes recipes."""

from __future__ import annotations

from django.urls import path

from project.urls import urlpatterns as site
from streaming.views import object_view
from tests.wanted import Recipe

ALIASES = ("recipe", "recipe-tool", "recipe-hang", "recipe-cut", "recipe-refused", "words-20")

urlpatterns = [*(path(f"objects/{alias}", object_view(Recipe, provider=alias)) for alias in ALIASES), *site]
