"""Functions of the site that a setting names by their dotted paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


def function_at(path: str, setting: str) -> Callable[..., Any]:
    """Returns the function at a dotted path. `setting` is what names it, for the error's text.

    Raises:
        ImproperlyConfigured: it cannot be imported, or is not callable.
    """
    try:
        found: Callable[..., Any] = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"{setting} names {path!r}, which cannot be imported: {error}.") from error
    if not callable(found):
        raise ImproperlyConfigured(f"{setting} names {path!r}, which is not a function.")
    return found
