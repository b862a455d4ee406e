"""Makes the frames of a settled generation again from its row, for readers who come after its log is gone."""

from __future__ import annotations

from streaming.journal.opening import Opening
from streaming.models import Generation, earlier_rows, parts_of
from streaming.protocol.ui_stream import frame


def opening_of(generation: Generation) -> Opening:
    """Returns the opening of the generation's log, with all parts of its row."""
    message = generation.message
    earlier = earlier_rows(message)
    first = earlier[0] if earlier else message
    return Opening(first.public_id, parts_of(earlier), message.typed_parts)


def replay(generation: Generation) -> list[bytes]:
    """Returns all frames of a settled generation, numbered from 1. Its message must be loaded."""
    opening = opening_of(generation)
    chunks = opening.all_chunks() + opening.encoder.finish(generation.outcome)
    return [frame(seq, chunk) for seq, chunk in enumerate(chunks, 1)]
