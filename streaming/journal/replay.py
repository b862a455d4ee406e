"""A settled generation's frames, made anew from its row for readers whose log is gone."""

from __future__ import annotations

from streaming.journal.opening import Opening
from streaming.models import Generation, earlier_rows, parts_of
from streaming.protocol.ui_stream import frame


def opening_of(generation: Generation) -> Opening:
    """The opening of the generation's log, with all parts that its row has."""
    message = generation.message
    earlier = earlier_rows(message)
    first = earlier[0] if earlier else message
    return Opening(first.public_id, parts_of(earlier), message.typed_parts)


def replay(generation: Generation) -> list[bytes]:
    """All frames of a settled generation, numbered from 1. Its message must be loaded."""
    opening = opening_of(generation)
    chunks = opening.all_chunks() + opening.encoder.finish(generation.outcome)
    return [frame(seq, chunk) for seq, chunk in enumerate(chunks, 1)]
