"""Proxies of models, as a site may define them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import models


@contextmanager
def proxy_of(model: type[models.Model]) -> Iterator[Any]:
    """Defines a proxy of a model, and removes it at the end. Django knows its relations meanwhile."""
    label, name = model._meta.app_label, f"{model.__name__}Proxy"
    meta = type("Meta", (), {"proxy": True, "app_label": label})
    try:
        yield type(name, (model,), {"__module__": __name__, "Meta": meta})
    finally:
        del apps.all_models[label][name.lower()]
        apps.clear_cache()
