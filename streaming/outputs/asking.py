"""The specification of the object that a provider is asked for."""

from __future__ import annotations

from streaming.outputs.types import OutputType
from streaming.protocol import OutputSpec
from streaming.providers import get_provider, structured_by


def spec_for(wanted: OutputType, alias: str) -> OutputSpec:
    """Returns what provider `alias` is asked for. The caller must run on an event loop.

    Raises:
        TypeError: the provider is asked by its own mode, which cannot express the type.
        BadRequest: there is no such provider.
    """
    if wanted.reason and structured_by(get_provider(alias)) == "schema":
        hint = 'Change the type, or set OPTIONS["structured"] of the provider to "tool" or "prompt".'
        raise TypeError(f"Provider {alias!r} cannot be asked for this type: {wanted.reason} {hint}")
    return wanted.spec
