"""Settlement: a generation ends, once, whoever ends it.

The last frames, the message's parts and the status are one transaction; whoever comes second finds the row settled and
changes nothing.
"""

from __future__ import annotations

import logging
import uuid
from copy import copy

import msgspec
from django.db import Error as DatabaseTrouble

from streaming.conf import settings
from streaming.database import atomic, health
from streaming.journal import Batch, opening_of, read_frames, write_frames
from streaming.journal.optional_redis import seize
from streaming.models import Generation
from streaming.models.generations import GenerationQuerySet, Status
from streaming.models.storable import storable
from streaming.protocol.events import Usage
from streaming.protocol.parts import Part, ToolApproval, ToolResult
from streaming.protocol.ui_stream import chunk_of, fold_chunks, frame

logger = logging.getLogger(__name__)

ALL = 2**30
# What runs in this process, whichever thread asks: alive, however late its leases are renewed.
alive: set[uuid.UUID] = set()


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended and what it left. `error_detail` is for staff; times are in milliseconds."""

    status: Status
    parts: tuple[Part, ...]
    finish_reason: str = ""
    raw_finish_reason: str = ""
    error_code: str = ""
    error_detail: str = ""
    cancel_reason: str = ""
    usage: Usage | None = None
    model: str = ""
    attempts: int = 0
    first_delta_ms: int | None = None
    duration_ms: int | None = None

    def apply(self, generation: Generation) -> None:
        """Put everything but the parts on the row, unsaved."""
        usage = self.usage or Usage()
        generation.status = self.status
        generation.finish_reason = self.finish_reason
        generation.raw_finish_reason = storable(self.raw_finish_reason[:64])
        generation.error_code = self.error_code
        generation.error_detail = storable(self.error_detail)
        generation.cancel_reason = self.cancel_reason
        generation.model = storable(self.model[:200])
        generation.attempts = self.attempts
        generation.input_tokens = usage.input_tokens
        generation.output_tokens = usage.output_tokens
        generation.cached_input_tokens = usage.cached_input_tokens
        generation.reasoning_tokens = usage.reasoning_tokens
        generation.first_delta_ms = self.first_delta_ms
        generation.duration_ms = self.duration_ms


SETTLED_FIELDS = (
    "finish_reason",
    "raw_finish_reason",
    "error_code",
    "error_detail",
    "cancel_reason",
    "model",
    "attempts",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "first_delta_ms",
    "duration_ms",
    "last_seq",
)


def settle(generation: Generation, settlement: Settlement, *unwritten: Batch, is_silent: bool = False) -> bool:
    """Make `settlement` the end of `generation`, with the frames that the journal does not have yet.

    False, and nothing changed, when it was settled before; or when its process should be silent and is not.
    """
    settlement.apply(generation)
    generation.last_seq = unwritten[-1].last_seq
    fields = {name: getattr(generation, name) for name in SETTLED_FIELDS}
    this = Generation.objects.filter(pk=generation.pk)
    with atomic():
        if not (this.expired() if is_silent else this).settle(settlement.status, **fields):
            # Perhaps by ourselves: the commit came through, and its answer was lost.
            return not is_silent and this.filter(status=settlement.status, last_seq=generation.last_seq).exists()
        for batch in unwritten:
            write_frames({generation.pk: batch})
        message = copy(generation.message)  # the original is referred to in circles, and would keep the text in memory
        message.set_parts(settlement.parts)
        message.save(update_fields=("parts", "text"))
    return True


def reap(silent_for: float = 0) -> int:
    """Settle every generation whose process has gone silent, so many seconds longer than it may; give their number.

    Who has not seen how the database served others lately leaves them some time.
    """
    if not _is_silence_death():
        return 0
    interrupted, trouble = 0, None
    for generation in _silent(Generation.objects.expired(silent_for)):
        # One row that cannot be settled must not keep the others from it.
        try:
            interrupted += interrupt(generation)
        except Exception as failure:
            logger.exception("Generation %s, which nobody runs, could not be settled.", generation.pk)
            trouble = failure
    if isinstance(trouble, DatabaseTrouble):
        raise trouble
    return interrupted


def _silent(expired: GenerationQuerySet) -> list[Generation]:
    return [one for one in expired.select_related("message") if one.pk not in alive]


def reap_one(generation_id: uuid.UUID) -> None:
    """Settle this generation if its process has gone silent."""
    for generation in _silent(Generation.objects.expired().filter(pk=generation_id)):
        if _is_silence_death():
            interrupt(generation)


def _is_silence_death() -> bool:
    """Whether a lease that ran out means that its process is dead.

    Not when the database was away or locked: then nobody could renew, and the living get a lease's time to do so.
    """
    with atomic():  # on SQLite this waits until one may write
        pass
    return health.has_been_good_for(settings.LEASE_SECONDS)


def interrupt(generation: Generation) -> bool:
    """Settle a generation that nobody runs any more with everything its journal holds."""
    held = read_frames(generation.pk, 0, limit=ALL)
    rescued = seize(generation.pk, len(held))
    frames = held + rescued
    opening = opening_of(generation)
    given = generation.message.typed_parts if generation.head_seq else ()
    written = [chunk_of(piece) for piece in frames[generation.head_seq :]]
    parts = (*given, *(part for part in fold_chunks(written) if not _is_among(part, given)))
    settlement = Settlement(status=Status.INTERRUPTED, parts=parts, error_code="interrupted")
    settlement.apply(generation)
    closing = [] if frames else opening.all_chunks()
    closing += opening.encoder.finish(generation.outcome)
    end = [frame(seq, chunk) for seq, chunk in enumerate(closing, len(frames) + 1)]
    # Apart, so that readers of what was rescued can be told from those of what was lost.
    batches = Batch(len(held) + 1, rescued), Batch(len(frames) + 1, end)
    return settle(generation, settlement, *batches, is_silent=True)


def _is_among(part: Part, given: tuple[Part, ...]) -> bool:
    """Whether the log tells something that the message had from its start."""
    known = {(type(one), one.call_id) for one in given if isinstance(one, ToolResult | ToolApproval)}
    return isinstance(part, ToolResult | ToolApproval) and (type(part), part.call_id) in known
