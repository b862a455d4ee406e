"""The specification of the object that a provider is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from streaming.outputs.types import OutputType
from streaming.protocol import OutputSpec
from streaming.providers import Provider, get_provider, structured_by

ViewT = TypeVar("ViewT", bound=Callable[..., Any])

HINT = 'Change the type, or set OPTIONS["structured"] of the provider to "tool" or "prompt".'
_MARK = "_streaming_asks"


class Asks(msgspec.Struct, frozen=True):
    """The type that a view asks for, and the alias of the provider that it asks."""

    wanted: OutputType
    alias: str


def spec_for(wanted: OutputType, alias: str) -> OutputSpec:
    """Returns what provider `alias` is asked for. The caller must run on an event loop.

    Raises:
        TypeError: the provider is asked by its own mode, which cannot express the type.
        BadRequest: there is no such provider.
    """
    if problem := problem_of(wanted, get_provider(alias), alias):
        raise TypeError(f"{problem} {HINT}")
    return wanted.spec


def problem_of(wanted: OutputType, provider: Provider, alias: str) -> str:
    """Returns why the provider cannot be asked for the type; empty if it can."""
    if not wanted.reason or structured_by(provider) != "schema":
        return ""
    return f"Provider {alias!r} cannot be asked for this type: {wanted.reason}"


def marked(view: ViewT, asks: Asks) -> ViewT:
    """Notes on the view what it asks for, so that the system checks find it among the URL patterns."""
    setattr(view, _MARK, asks)
    return view


def asked_by(view: Any) -> Asks | None:
    """Returns what a view asks for, also if it is decorated; None for a view that asks for no object."""
    asks = getattr(view, _MARK, None)
    return asks if isinstance(asks, Asks) else None
