"""Events: frozen values, and usage that adds up to what is known."""

from __future__ import annotations

import pytest

from streaming.protocol import Event, TextDelta, Usage
from streaming.protocol.events import MAX_COUNT


def test_events_are_frozen():
    with pytest.raises(AttributeError):
        TextDelta(0, "a").text = "b"  # type: ignore[misc]


@pytest.mark.parametrize("kind", Event.__subclasses__())
def test_every_event_says_what_it_means(kind):
    assert kind.__doc__


@pytest.mark.parametrize(
    ("one", "other", "total"),
    [
        (Usage(), Usage(), Usage()),
        (Usage(input_tokens=1), Usage(), Usage(input_tokens=1)),
        (Usage(), Usage(output_tokens=2), Usage(output_tokens=2)),
        (Usage(1, 2), Usage(3, 4), Usage(4, 6)),
        (Usage(input_tokens=MAX_COUNT), Usage(input_tokens=1), Usage(input_tokens=MAX_COUNT)),
    ],
)
def test_sum_of_usage_counts_what_is_known(one, other, total):
    assert one + other == total
