"""The reaper: settles generations whose process has died, with everything that their journal holds."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable

from django.db import Error as DatabaseTrouble
from django.utils.translation import gettext_lazy as _

from streaming.conf import settings
from streaming.context import sent_of
from streaming.database import atomic, health
from streaming.errors import Conflict
from streaming.journal import EVERY_FRAME, Batch, opening_of, read_frames, seize
from streaming.models import Generation, GenerationQuerySet, History, Status, turns_of
from streaming.protocol import GenerationRequest, Part, ToolApproval, ToolResult, Usage
from streaming.protocol.requests import completed, tokens_in, tokens_sent
from streaming.protocol.ui_stream import chunk_of, fold_chunks, frame, is_from_app, step_starts
from streaming.settlement.settle import Settlement, settle
from streaming.signals import announce_at_commit, generation_settled

logger = logging.getLogger(__name__)

BUSY = _("An answer is still being written in this conversation. Wait for it, or stop it.")
# The generations that run in this process. They are alive even if their leases have run out. All threads read this set.
alive: set[uuid.UUID] = set()


def reap(silent_for: float = 0, on_count: Callable[[int], None] | None = None) -> int:
    """Settles every generation whose lease ran out more than `silent_for` seconds ago, and returns their number.

    `on_count` gets the number so far. Does nothing while this process cannot know that the others are dead (see
    `_does_silence_mean_death`).
    """
    if not _does_silence_mean_death():
        return 0
    interrupted, trouble = 0, None
    for generation in _silent(Generation.objects.expired(silent_for)):
        # One row that cannot be settled must not stop the others.
        try:
            interrupted += _interrupt(generation)
            if on_count:
                on_count(interrupted)
        except Exception as failure:
            logger.exception("Generation %s, which nobody runs, could not be settled.", generation.pk)
            trouble = failure
    if isinstance(trouble, DatabaseTrouble):
        raise trouble
    return interrupted


def reap_one(generation_id: uuid.UUID) -> None:
    """Settles this generation if its lease ran out and its process is dead."""
    for generation in _silent(Generation.objects.expired().filter(pk=generation_id)):
        if _does_silence_mean_death():
            _interrupt(generation)


def check_idle(active: Iterable[Generation]) -> None:
    """Checks that none of a conversation's `active` generations is being written. Settles those whose process has died.

    Raises:
        Conflict: an answer is being written.
    """
    for generation in active:
        reap_one(generation.pk)
        if Generation.objects.filter(pk=generation.pk).active().exists():
            raise Conflict(BUSY)


def _silent(expired: GenerationQuerySet) -> list[Generation]:
    return [one for one in expired.select_related("message") if one.pk not in alive]


def _does_silence_mean_death() -> bool:
    """Returns True if a lease that ran out means that its process is dead.

    Returns False if the database was away or locked within the last lease. Then no process could renew its leases, and
    living processes need time to do so.
    """
    with atomic():  # on SQLite this waits for the write lock, and notices a lock that blocks all processes
        pass
    return health.has_been_good_for(settings.LEASE_SECONDS)


def _interrupt(generation: Generation) -> bool:
    """Settles a generation that nobody runs any more, with all frames that the journal and Redis hold."""
    held = read_frames(generation.pk, 0, limit=EVERY_FRAME)
    rescued = seize(generation.pk, len(held))
    frames = held + rescued
    opening = opening_of(generation)
    parts = _parts_in(frames, generation)
    settlement = Settlement(
        status=Status.INTERRUPTED,
        parts=parts,
        error_code="interrupted",
        usage=_estimated_usage(generation, parts) if frames else None,
        is_usage_estimated=bool(frames),
    )
    settlement.apply(generation)
    closing = [] if frames else opening.all_chunks()
    closing += opening.encoder.finish(generation.outcome)
    end = [frame(seq, chunk) for seq, chunk in enumerate(closing, len(frames) + 1)]
    # The end is a separate batch. Its first number shows later which readers have seen frames that are lost.
    batches = Batch(len(held) + 1, rescued), Batch(len(frames) + 1, end)
    is_settled = settle(generation, settlement, *batches, is_silent=True)
    if is_settled:
        announce_at_commit(generation_settled, generation.pk)  # a submission reaps within its own transaction
    return is_settled


def _parts_in(frames: list[bytes], generation: Generation) -> tuple[Part, ...]:
    """Returns the parts that the message had at its start, and the further parts that the frames contain."""
    given = generation.message.typed_parts if generation.head_seq else ()
    written = fold_chunks([chunk_of(piece) for piece in frames[generation.head_seq :]])
    return (*given, *(part for part in written if not _is_among(part, given)))


def _estimated_usage(generation: Generation, parts: tuple[Part, ...]) -> Usage:
    """Estimates the usage of a generation that has begun. Each step was sent the conversation and the parts before."""
    conversation, parent = generation.conversation, generation.message.parent
    path, sent = History.read(conversation).path(parent) if parent else [], sent_of(generation.context)
    first = next((at for at, row in enumerate(path) if sent and row.pk == sent.first), 0)
    turns = turns_of(path[first:])
    base = tokens_sent(GenerationRequest(turns=turns, system=conversation.system_prompt))
    starts = step_starts(parts) if parts and is_from_app(parts[0]) else {0, *step_starts(parts)}
    return completed(None, sum(base + tokens_in(parts[:start]) for start in starts), parts)[0]


def _is_among(part: Part, given: tuple[Part, ...]) -> bool:
    known = {(type(one), one.call_id) for one in given if isinstance(one, ToolResult | ToolApproval)}
    return isinstance(part, ToolResult | ToolApproval) and (type(part), part.call_id) in known
