"""Settling: a generation's row gets its final status, from the process that runs it or from a reaper.

The last frames, the message's parts and the final status are one transaction. A second process finds the row settled
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streaming.costs import cost_of, with_cached
from streaming.database import Prepared, atomic, count_changed
from streaming.journal import Batch, write_frames
from streaming.models import COUNTS, MAX_MODEL_CHARS, MAX_RAW_REASON_CHARS, Generation, Message, Status, stored_content
from streaming.protocol import Part, Usage
from streaming.protocol.storable import storable
from streaming.records import TimelineEntry


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a generation, and everything that it wrote. `error_detail` is for staff; times are in milliseconds.

    All fields but `parts` and `usage` are columns of the row.
    """

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
        """Sets all columns of the row that it knows, without saving it."""
        for name in OWN_COLUMNS:
            setattr(generation, name, STORED.get(name, _unchanged)(getattr(self, name)))
        usage = with_cached(self.usage or Usage(), generation.provider)
        for name in COUNTS:
            setattr(generation, name, getattr(usage, name))


def _unchanged(value: Any) -> Any:
    return value


STORED: dict[str, Callable[[Any], Any]] = {
    "raw_finish_reason": lambda text: storable(text[:MAX_RAW_REASON_CHARS]),
    "error_detail": storable,
    "model": lambda text: storable(text[:MAX_MODEL_CHARS]),
}
"""The columns with texts of a provider -> the function that returns what the database can hold of one."""

OWN_COLUMNS = tuple(name for name in Settlement.__struct_fields__ if name not in ("parts", "usage"))
SETTLED_COLUMNS = (*OWN_COLUMNS, *COUNTS, "provider", "tried", "cost", "price", "context", "last_seq")


def settle(generation: Generation, settlement: Settlement, *unwritten: Batch, is_silent: bool = False) -> bool:
    """Settles `generation`, and stores the frames that the journal does not have yet.

    Returns False and changes nothing if another process has settled the row, or, with `is_silent`, if the generation's
    lease has not run out. If the row was deleted, returns False, and the ledger gets what the answer has used.
    """
    settlement.apply(generation)
    generation.cost, generation.price = cost_of(generation)  # here, on a thread: it may import prices
    generation.last_seq = unwritten[-1].last_seq
    fields = {name: getattr(generation, name) for name in SETTLED_COLUMNS}
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
    lambda given: Generation.objects.filter(pk=given("id")).settle(**{name: given(name) for name in SETTLED_COLUMNS}),
    count_changed,
)
_fill = Prepared(
    Message,
    lambda given: Message.objects.filter(pk=given("id")).update(
        parts=given("parts"), text=given("text"), tool_names=given("tool_names")
    ),
    count_changed,
)
