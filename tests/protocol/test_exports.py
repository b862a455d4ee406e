"""The public names of `streaming.protocol`."""

from __future__ import annotations

import streaming.protocol as protocol
from streaming.protocol import events


def test_all_is_exact_and_sorted():
    public = {name for name, value in vars(protocol).items() if not name.startswith("_") and _is_ours(name, value)}
    assert protocol.__all__ == sorted(protocol.__all__)
    assert set(protocol.__all__) == public


def _is_ours(name: str, value: object) -> bool:
    return name != "annotations" and type(value).__name__ != "module"


def test_every_event_is_exported():
    assert {cls.__name__ for cls in events.Event.__subclasses__()} <= set(protocol.__all__)
