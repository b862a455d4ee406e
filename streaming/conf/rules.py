"""The kinds of values that settings have: how a value is converted, and which values are allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from django.utils.functional import Promise

from streaming.conf.numbers import MOST_DAYS, MOST_SECONDS

T = TypeVar("T")

HOST = re.compile(r"[a-z0-9.-]+")
# No wildcards, because the type that is found in a file's bytes is always one exact type.
MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[T]):
    """A kind of value. `wanted` completes the sentence "must be …"; `allows` returns True for an allowed value.

    No message repeats a value that `is_secret`.
    """

    wanted: str
    convert: Callable[[Any], T]
    allows: Callable[[Any], bool]
    is_secret: bool = False


def whole(least: int) -> Kind[int]:
    """Returns the kind of whole numbers from `least` on."""
    return Kind(
        wanted=f"a whole number, {least} or more",
        convert=int,
        allows=lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least,
    )


def optional(kind: Kind[T]) -> Kind[T | None]:
    """Returns the kind of values of `kind` and of None, which has a meaning of its own."""
    return Kind(
        wanted=f"{kind.wanted}, or None",
        convert=lambda value: None if value is None else kind.convert(value),
        allows=lambda value: value is None or kind.allows(value),
    )


def checked_elsewhere(convert: Callable[[Any], T], wanted: str) -> Kind[T]:
    """Returns a kind that allows every value. A system check of its own checks the shape."""
    return Kind(wanted=wanted, convert=convert, allows=lambda value: True)


def unchanged(value: Any) -> Any:
    """Returns the value itself."""
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _each(allows: Callable[[Any], bool], *containers: type[Collection[Any]]) -> Callable[[Any], bool]:
    """Returns the rule for a list, a tuple or one of `containers` whose items are all allowed."""
    kinds: tuple[type[Collection[Any]], ...] = (list, tuple, *containers)
    return lambda value: isinstance(value, kinds) and all(allows(one) for one in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str | Promise)


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and value == " ".join(value.split()) != ""


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


TEXT: Kind[str] = Kind(wanted="a str", convert=str, allows=lambda value: isinstance(value, str))
SECRET: Kind[str] = replace(TEXT, is_secret=True)
TEXTS: Kind[tuple[str, ...]] = Kind(
    wanted="a list or tuple of texts",
    convert=lambda value: tuple(map(str, value)),  # translated when they are shown, if they are lazy
    allows=_each(_is_text),
)
FLAG: Kind[bool] = Kind(wanted="True or False", convert=bool, allows=lambda value: isinstance(value, bool))
DAYS: Kind[int] = replace(
    whole(1),
    wanted=f"a whole number of days from 1 to {MOST_DAYS}",
    allows=lambda value: whole(1).allows(value) and value <= MOST_DAYS,
)

SECONDS: Kind[float] = Kind(
    wanted=f"a number of seconds above 0, at most {MOST_SECONDS}",
    convert=float,
    allows=lambda value: _is_number(value) and 0 < value <= MOST_SECONDS,
)
SECONDS_OR_ZERO: Kind[float] = Kind(
    wanted=f"a number of seconds from 0 to {MOST_SECONDS}",
    convert=float,
    allows=lambda value: _is_number(value) and 0 <= value <= MOST_SECONDS,
)
LABELS: Kind[tuple[str, ...]] = Kind(
    wanted="a list or tuple of labels, each a str on one line", convert=tuple, allows=_each(_is_label)
)
MEDIA_TYPES: Kind[tuple[str, ...]] = Kind(
    wanted="a list or tuple of media types such as 'image/png'", convert=tuple, allows=_each(_matches(MEDIA_TYPE))
)
HOSTS: Kind[frozenset[str]] = Kind(
    wanted="a list or tuple of host names in lower case, such as 'images.example.com'",
    convert=frozenset,
    allows=_each(_matches(HOST), set, frozenset),
)
