"""The opening of a log: what the message already says when a generation begins to write it.

Usually nothing. A generation that goes on after tools gave their output, or a person approved a call, writes on at a
message of which earlier generations wrote a part: clients keep that in one message, so its log tells it once more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from streaming.protocol import Part
from streaming.protocol.ui_stream import UIStreamEncoder, events_of


class Opening:
    """`message_id` is the id that clients know the whole message by, `earlier` its parts by earlier generations.

    `own` are the parts that this generation's own message has: at its start what it was given, outputs and approvals;
    once it is settled, all.
    """

    def __init__(
        self,
        message_id: str,
        earlier: Sequence[Part] = (),
        own: Sequence[Part] = (),
        live_fields: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.encoder = UIStreamEncoder(message_id)
        self.earlier = tuple(earlier)
        self.own_events = tuple(events_of((*earlier, *own), start=len(self.earlier)))
        self.chunks = self.encoder.start()
        for event in events_of((*earlier, *own), stop=len(self.earlier)):
            self.chunks += self.encoder.encode(event)
        self.encoder.live_fields = live_fields or {}  # of what is being written: the rest is whole

    @property
    def head_seq(self) -> int:
        """The number of the last frame that tells again what clients of earlier generations have; 0 if none does."""
        return len(self.chunks) if self.earlier else 0

    def all_chunks(self) -> list[bytes]:
        """The opening and what the own parts add."""
        return self.chunks + [chunk for event in self.own_events for chunk in self.encoder.encode(event)]
