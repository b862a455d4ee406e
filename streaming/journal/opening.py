"""The opening of a log: the content that the message already has when a generation begins to write it.

Usually there is none. But a generation may continue a message that earlier generations began, after a client sent a
tool's output or a person approved a call. Clients show all of it as one message, so the log begins with what the
earlier generations wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from streaming.protocol import Part
from streaming.protocol.ui_stream import UIStreamEncoder, events_of


class Opening:
    """The first chunks of a log, and the encoder that continues it.

    `message_id` is the id by which clients know the whole message. `earlier` are the parts that earlier generations
    wrote. `own` are the parts of this generation's own message: at its start only the given outputs and approvals, once
    it is settled all parts.
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
        self.encoder.live_fields = live_fields or {}  # only for new calls: the earlier ones are complete

    @property
    def head_seq(self) -> int:
        """The number of the last frame that repeats earlier generations; 0 if there are none."""
        return len(self.chunks) if self.earlier else 0

    def all_chunks(self) -> list[bytes]:
        """Returns the opening's chunks and those of the own parts."""
        return self.chunks + [chunk for event in self.own_events for chunk in self.encoder.encode(event)]
