"""The registry: one instance of each configured provider for each event loop, because connections belong to a loop."""

from __future__ import annotations

import asyncio
import logging
from fnmatch import fnmatchcase
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from streaming.conf import imported, settings
from streaming.errors import BadRequest
from streaming.per_loop import PerLoop
from streaming.protocol.requests import Way
from streaming.providers.base import Provider, ProviderClass

logger = logging.getLogger(__name__)

_instances: PerLoop[dict[str, Provider]] = PerLoop(dict)
_closing: set[asyncio.Task[None]] = set()


def get_provider(alias: str = "default") -> Provider:
    """Returns the running event loop's instance of provider `alias`, and makes it at the first use.

    Raises:
        BadRequest: there is no such alias.
        ImproperlyConfigured: its entry in the settings is wrong.
    """
    made = _instances.get()
    if alias not in made:
        backend = provider_class(alias)
        made[alias] = backend(**options_of(alias))
    return made[alias]


def provider_class(alias: str) -> ProviderClass:
    """Returns the class of provider `alias`, without making an instance.

    Raises:
        BadRequest: there is no such alias.
        ImproperlyConfigured: its `BACKEND` cannot be imported, or is not a provider.
    """
    configured = settings.PROVIDERS
    if alias not in configured:
        raise BadRequest(f"Unknown provider {alias!r}, must be one of: {', '.join(sorted(configured))}.")
    path = configured[alias].get("BACKEND", "")
    try:
        backend: ProviderClass = imported(path)
    except ImportError as exc:
        raise ImproperlyConfigured(f"The BACKEND of provider {alias!r} cannot be imported: {exc}.") from exc
    if not (hasattr(backend, "stream") and hasattr(backend, "check")):
        raise ImproperlyConfigured(
            f"The BACKEND of provider {alias!r}, {path}, is not a provider: it needs stream and check."
        )
    return backend


def known_alias(alias: str) -> str:
    """Returns `alias`, or `default` if the settings have no such provider: a conversation may outlive its provider."""
    return alias if alias in settings.PROVIDERS else "default"


def options_of(alias: str) -> dict[str, Any]:
    """Returns the `OPTIONS` of provider `alias`; empty if the settings have no such provider."""
    entry = settings.PROVIDERS.get(alias)
    return entry.get("OPTIONS", {}) if entry else {}


def dialect_of(alias: str) -> str:
    """Returns the dialect of provider `alias`: the one of its options, or else that of its class.

    Empty if neither names one, and if the settings no longer have the provider. Raises nothing.
    """
    try:
        return str(options_of(alias).get("dialect") or getattr(provider_class(alias), "dialect", ""))
    except (BadRequest, ImproperlyConfigured):
        return ""


def offered_providers() -> dict[str, str]:
    """Returns the providers that people may choose from, as alias -> label: those with a `LABEL`."""
    return {alias: str(entry["LABEL"]) for alias, entry in settings.PROVIDERS.items() if entry.get("LABEL")}


def load_provider(alias: str = "default") -> None:
    """Imports what the first answer of provider `alias` needs, so that nobody waits for it.

    Does nothing for a provider that has no `load`. One that cannot be loaded is left to `manage.py check`, which names
    the reason, and to the first answer.
    """
    try:
        load = getattr(provider_class(alias), "load", None)
        if load is not None:
            load(options_of(alias))
    except Exception as trouble:
        logger.warning("Provider %r could not be loaded (%s). See manage.py check.", alias, type(trouble).__name__)


def origin_of(provider: Provider, alias: str) -> str:
    """Returns the `origin` of the parts that `provider` writes: its attribute `origin`, or its alias."""
    return str(getattr(provider, "origin", "") or f"{provider.dialect} {alias}")


def structured_by(provider: Provider) -> Way:
    """Returns how the provider is asked for a JSON object: its `structured`, or `prompt`, which suits every model."""
    way: Way = getattr(provider, "structured", "prompt")
    return way


def files_taken(alias: str) -> tuple[str, ...]:
    """Returns the media types of files that provider `alias` understands, as patterns such as `image/*`.

    They are `OPTIONS["takes"]`, or else those of the provider's class. Raises as `provider_class`.
    """
    backend = provider_class(alias)
    named = options_of(alias).get("takes")
    return tuple(getattr(backend, "takes", ()) if named is None else named)


def is_taken(media_type: str, takes: tuple[str, ...]) -> bool:
    """Returns True if one of the patterns in `takes` matches the media type."""
    return any(fnmatchcase(media_type, pattern) for pattern in takes)


async def close_providers() -> None:
    """Closes the running event loop's providers. The next `get_provider` makes new ones."""
    await _close(_instances.pop() or {})


async def _close(made: dict[str, Provider]) -> None:
    outcomes = await asyncio.gather(*(provider.close() for provider in made.values()), return_exceptions=True)
    for alias, trouble in zip(made, outcomes, strict=True):
        if trouble is not None:
            logger.warning("Provider %r could not be closed (%s).", alias, type(trouble).__name__)


def _reset(*, setting: str, **kwargs: Any) -> None:
    """Closes the instances made from old settings, each on its own event loop."""
    if setting == "STREAMING_PROVIDERS":
        for loop, made in _instances.items():
            if loop.is_running():
                loop.call_soon_threadsafe(_close_soon, loop, dict(made))
            made.clear()


def _close_soon(loop: asyncio.AbstractEventLoop, made: dict[str, Provider]) -> None:
    task = loop.create_task(_close(made))
    _closing.add(task)
    task.add_done_callback(_closing.discard)


setting_changed.connect(_reset, dispatch_uid="streaming.providers")
