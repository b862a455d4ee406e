"""What a setting names by a dotted path, such as a function of the site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


def imported(path: Any) -> Any:
    """Returns what a dotted path names. `path` is the value of a setting, so it may be anything.

    Raises:
        ImportError: it cannot be imported, or it is no such path.
    """
    if not isinstance(path, str) or path.startswith("."):  # Django raises other exceptions then
        raise ImportError(f"{path!r} is no dotted path")
    return import_string(path)


def function_at(path: str, setting: str) -> Callable[..., Any]:
    """Returns the function at a dotted path. `setting` is what names it, for the error's text.

    Raises:
        ImproperlyConfigured: it cannot be imported, or is not callable.
    """
    try:
        found: Callable[..., Any] = imported(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"{setting} names {path!r}, which cannot be imported: {error}.") from error
    if not callable(found):
        raise ImproperlyConfigured(f"{setting} names {path!r}, which is not a function.")
    return found
