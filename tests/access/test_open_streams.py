"""The limit on the streams and sockets that one owner has open."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from streaming.access import OpenStreams
from streaming.errors import TooManyRequests


def test_owner_may_open_another_stream_when_one_is_closed(settings: Any) -> None:
    settings.STREAMING_MAX_STREAMS_PER_OWNER = 2
    streams, owner = OpenStreams(), uuid.uuid4().hex
    for _ in range(3):
        with streams.held(owner), streams.held("another"):
            streams.check(owner)
            with streams.held(owner), pytest.raises(TooManyRequests), streams.held(owner):
                raise AssertionError("one more was allowed")
    assert not streams._held
