"""The public names of `streaming.protocol`."""

from __future__ import annotations

from typing import get_args

import pytest

import streaming.protocol as protocol
from streaming.protocol import Part, events
from streaming.protocol.transcript import HANDLERS
from streaming.protocol.ui_stream.messages import UI_PARTS
from streaming.protocol.ui_stream.replay import PART_EVENTS


def test_all_is_exact_and_sorted():
    public = {name for name, value in vars(protocol).items() if not name.startswith("_") and _is_ours(name, value)}
    assert protocol.__all__ == sorted(protocol.__all__)
    assert set(protocol.__all__) == public


def _is_ours(name: str, value: object) -> bool:
    return name != "annotations" and type(value).__name__ != "module"


def test_every_event_is_exported():
    assert {cls.__name__ for cls in events.Event.__subclasses__()} <= set(protocol.__all__)


def test_every_event_has_a_fold():
    assert set(HANDLERS) == set(events.Event.__subclasses__())


@pytest.mark.parametrize("part", get_args(Part), ids=lambda part: part.__name__)
def test_every_kind_of_part_can_be_replayed_and_loaded(part):
    assert part in PART_EVENTS
    assert part in UI_PARTS
