"""Settling: a generation's row gets its final status, from the process that runs it or from a reaper.

The last frames, the message's parts and the final status are one transaction. A second process finds the row settled
and changes nothing.
"""

from __future__ import annotations

import msgspec

from streaming.costs import cost_of, with_cached
from streaming.database import Prepared, atomic, changed
from streaming.journal import Batch, write_frames
from streaming.models import MAX_MODEL_CHARS, Generation, Message, Status, stored_content
from streaming.protocol import Part, Usage
from streaming.protocol.storable import storable
from streaming.records import TimelineEntry


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a generation, and everything that it wrote. `error_detail` is for staff; times are in milliseconds."""

    status: Status
    parts: tuple[Part, ...]
    finish_reason: str = ""
    raw_finish_reason: str = ""
    error_code: str = ""
    error_detail: str = ""
    cancel_reason: str = ""
    usage: Usage | None = None
    is_usage_estimated: bool = False
    model: str = ""
    attempts: int = 0
    first_delta_ms: int | None = None
    duration_ms: int | None = None
    timeline: list[TimelineEntry] | None = None

    def apply(self, generation: Generation) -> None:
        """Sets every field but the parts on the row, without saving it."""
        usage = with_cached(self.usage or Usage(), generation.provider)
        generation.status = self.status
        generation.finish_reason = self.finish_reason
        generation.raw_finish_reason = storable(self.raw_finish_reason[:64])
        generation.error_code = self.error_code
        generation.error_detail = storable(self.error_detail)
        generation.cancel_reason = self.cancel_reason
        generation.model = storable(self.model[:MAX_MODEL_CHARS])
        generation.attempts = self.attempts
        generation.input_tokens = usage.input_tokens
        generation.output_tokens = usage.output_tokens
        generation.cached_input_tokens = usage.cached_input_tokens
        generation.cache_write_tokens = usage.cache_write_tokens
        generation.reasoning_tokens = usage.reasoning_tokens
        generation.is_usage_estimated = self.is_usage_estimated
        generation.first_delta_ms = self.first_delta_ms
        generation.duration_ms = self.duration_ms
        generation.timeline = self.timeline


SETTLED_FIELDS = (
    "status",
    "finish_reason",
    "raw_finish_reason",
    "error_code",
    "error_detail",
    "cancel_reason",
    "provider",
    "model",
    "attempts",
    "tried",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "is_usage_estimated",
    "cost",
    "price",
    "first_delta_ms",
    "duration_ms",
    "timeline",
    "context",
    "last_seq",
)


def settle(generation: Generation, settlement: Settlement, *unwritten: Batch, is_silent: bool = False) -> bool:
    """Settles `generation`, and stores the frames that the journal does not have yet.

    Returns False and changes nothing if another process has settled the row, or, with `is_silent`, if the generation's
    lease has not run out. If the row was deleted, returns False, and the ledger gets what the answer has used.
    """
    settlement.apply(generation)
    generation.cost, generation.price = cost_of(generation)  # here, on a thread: it may import prices
    generation.last_seq = unwritten[-1].last_seq
    fields = {name: getattr(generation, name) for name in SETTLED_FIELDS}
    this = Generation.objects.filter(pk=generation.pk)
    with atomic():
        if not (this.expired().settle(**fields) if is_silent else _settle(id=generation.pk, **fields)):
            generation.charge()  # if it was deleted meanwhile
            # An earlier try of our own may have been committed although its result was lost.
            return not is_silent and this.filter(status=settlement.status, last_seq=generation.last_seq).exists()
        for batch in unwritten:
            write_frames({generation.pk: batch})
        # No `save`: a site's `post_save` receiver that raises would undo the settlement, and at each further try, too.
        _fill(id=generation.message_id, **stored_content(settlement.parts))
    return True


_settle = Prepared(
    Generation,
    lambda given: Generation.objects.filter(pk=given("id")).settle(**{name: given(name) for name in SETTLED_FIELDS}),
    changed,
)
_fill = Prepared(
    Message,
    lambda given: Message.objects.filter(pk=given("id")).update(
        parts=given("parts"), text=given("text"), tool_names=given("tool_names")
    ),
    changed,
)
