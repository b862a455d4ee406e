"""Joins an emoji whose two surrogate halves come in two events, as servers send them that cut UTF-16 text."""

from __future__ import annotations

from typing import Any, NamedTuple

from streaming.protocol.dialects.wire.decoding import replace_halves
from streaming.protocol.dialects.wire.json_path import Path, step, value_at, with_text
from streaming.protocol.dialects.wire.signals import SIGNS_OF_LIFE

PLACE_KEYS = frozenset({"type", "index", "output_index", "content_index", "summary_index", "item_id", "id"})
"""The keys that say which part of the answer an event is about."""

BESIDES = ("error", "finish_reason", "native_finish_reason", "message", "text")
"""The keys by which an event or a choice ends, or says something, although nothing new is at the kept place."""

SILENT_KEYS = PLACE_KEYS | {"role"}
"""The keys of a delta that say nothing."""

SILENT_TYPES = SIGNS_OF_LIFE | {"response.in_progress"}
"""The types of events that say nothing."""

MAX_LEVELS = 12
REPLACEMENT = "\ufffd"


class Half(NamedTuple):
    """The first half of a pair, the path to its text, and the event with nothing but this text."""

    half: str
    path: Path
    event: dict[str, Any]


class SurrogateJoiner:
    """Keeps the first half of a pair that ends a text, until more of the same part of the answer comes."""

    def __init__(self) -> None:
        self._kept: Half | None = None

    @property
    def is_open(self) -> bool:
        """True while a half is kept: then each event has to come to `join`."""
        return self._kept is not None

    def join(self, value: Any) -> list[Any]:
        """Returns the values to read, of an event or a list of events. No text in them has half a pair.

        Raises:
            ValueError: `value` is nested too deep.
        """
        found: list[Any] = []
        for each in value if isinstance(value, list) else [value]:
            found += self._join(each)
        return found

    def flush(self) -> list[Any]:
        """Returns the event with U+FFFD for the half that is kept: the other one never came."""
        kept, self._kept = self._kept, None
        return [] if kept is None else [replace_halves(with_text(kept.event, _first_items(kept.path), REPLACEMENT))]

    def _join(self, value: Any) -> list[Any]:
        if not isinstance(value, dict):
            return [replace_halves(value)]
        before: list[Any] = []
        kept = self._kept
        if kept is not None and not _is_beside(value, kept) and not _is_silent(value, kept):
            text = value_at(value, kept.path)
            if isinstance(text, str) and "\udc00" <= text[:1] <= "\udfff":
                value, self._kept = with_text(value, kept.path, kept.half + text), None
            else:
                before = self.flush()
        if self._kept is None:
            value = self._cut(value)
        return [*before, replace_halves(value)]

    def _cut(self, value: dict[str, Any]) -> dict[str, Any]:
        """Takes the half from the end of the event's last text that has one."""
        path = _path_of_half(value)
        if path is None:
            return value
        text = value_at(value, path)
        self._kept = Half(text[-1], path, _place(value, path))
        return dict(with_text(value, path, text[:-1]))


def _is_beside(value: dict[str, Any], kept: Half) -> bool:
    """Returns True if an event is about another part of the answer."""
    mine, other = _indexes(kept.event, _first_items(kept.path)), _indexes(value, kept.path)
    return other is not None and mine != other


def _is_silent(value: dict[str, Any], kept: Half) -> bool:
    """Returns True if an event says nothing that words have to wait for: a sign of life, a role, a usage report."""
    if str(value.get("type")) in SILENT_TYPES:
        return True
    if value.get("type") != kept.event.get("type"):
        return False
    if "type" in value:
        return bool(value_at(value, kept.path) == "")
    inner: Any = value
    for at, key in enumerate(kept.path):
        if not inner:
            return True
        if isinstance(inner, dict) and not _is_plain(inner, key, is_delta="delta" in kept.path[:at]):
            return False
        if isinstance(inner, list) and isinstance(key, int) and key >= len(inner):
            return False
        inner = step(inner, key)
    return not inner


def _is_plain(value: dict[str, Any], key: str | int, *, is_delta: bool) -> bool:
    """Returns True if an object on the path says nothing under its other keys."""
    if is_delta:
        return not any(inner for name, inner in value.items() if name != key and name not in SILENT_KEYS)
    return not any(value.get(name) for name in BESIDES if name != key)


def _indexes(value: Any, path: Path) -> list[Any] | None:
    """Returns the indexes along `path`; None if the event does not have the containers of the path."""
    found = []
    for key in path[:-1]:
        if isinstance(value, dict):
            found += [value.get(name) for name in ("index", "output_index", "content_index", "summary_index")]
        value = step(value, key)
        if not isinstance(value, dict | list):
            return None
    return found


def _path_of_half(value: Any, levels: int = MAX_LEVELS) -> Path | None:
    """Returns the path to a text that ends with the first half of a pair."""
    if isinstance(value, str):
        return () if "\ud800" <= value[-1:] <= "\udbff" else None
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items if levels else ():
        path = _path_of_half(inner, levels - 1)
        if path is not None:
            return (key, *path)
    return None


def _first_items(path: Path) -> Path:
    """Returns the path in an event whose lists have one item."""
    return tuple(0 if isinstance(key, int) else key for key in path)


def _place(value: Any, path: Path) -> Any:
    """Returns an event that has only `path` and the keys that say which part of the answer it is about."""
    if not path:
        return ""
    key, inner = path[0], _place(step(value, path[0]), path[1:])
    if isinstance(value, list):
        return [inner]
    kept = {name: value[name] for name in value if name in PLACE_KEYS and not isinstance(value[name], dict | list)}
    return kept | {key: inner}
