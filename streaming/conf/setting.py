"""One setting: a descriptor that reads Django's settings each time it is used, so tests can override it."""

from __future__ import annotations

from typing import Any, Generic, NotRequired, Self, TypedDict, TypeVar, overload

from django.conf import settings as django_settings

from streaming.conf.rules import Kind

PREFIX = "STREAMING_"
MAX_ALIAS_CHARS = 64
"""The longest alias of a provider. The database's columns have this length."""
T = TypeVar("T")


class ProviderConfig(TypedDict):
    """One entry of `STREAMING_PROVIDERS`.

    `BACKEND` is the dotted path of a provider class, `OPTIONS` its keyword arguments. `TOOLS` names the tools that the
    provider is offered; without it, the provider is offered all of `STREAMING_TOOLS`. `FALLBACK` names those that
    stand in for it, in their order. `CONTEXT` says what is sent of a conversation that is too long. People can choose
    from the providers with a `LABEL`, if there are at least two.
    """

    BACKEND: str
    OPTIONS: NotRequired[dict[str, Any]]
    TOOLS: NotRequired[list[str]]
    FALLBACK: NotRequired[list[str]]
    LABEL: NotRequired[str]
    CONTEXT: NotRequired[dict[str, Any]]


class Setting(Generic[T]):
    """The site's value of `STREAMING_<name>` or `default`, converted to its kind. `meaning` is Markdown."""

    def __init__(self, kind: Kind[T], default: Any, meaning: str) -> None:
        self.kind = kind
        self.default = default
        self.meaning = meaning

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = PREFIX + name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        return self if instance is None else self.kind.convert(getattr(django_settings, self.name, self.default))
