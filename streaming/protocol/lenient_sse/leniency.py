"""The options of lenient reading."""

from __future__ import annotations

import msgspec

from streaming.protocol.sse import MAX_EVENT_BYTES, MAX_LINE_BYTES


class Leniency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The departures from the WHATWG standard, each on by default; and the bounds."""

    flush_at_eof: bool = True
    """Read the last event even if no blank line follows it, if its data is complete JSON or `[DONE]`."""
    split_joined_data: bool = True
    """Read data that is several JSON documents, on lines of their own or on one line, as several events."""
    join_bare_lines: bool = True
    """Read a JSON object over several lines, of which at most the first has a field name, as one event. Read the line
    after an empty `data` as its value."""
    read_loose_names: bool = True
    """Read the fields `data` and `event` even if the name has capitals, or a BOM or spaces around it."""
    read_error_field: bool = True
    """Read a field `error:` as an error."""
    read_unframed_body: bool = True
    """Read a body that is not an event stream: JSON objects, one a line, or at its end an error, an answer or HTML.
    Within a stream, read JSON objects and `[DONE]` without a field name."""
    skip_empty_data: bool = True
    """Read `data` as a sign of life if it is empty, begins with a colon, or is `null`, `[]`, `ping` or the like."""
    max_line_bytes: int = MAX_LINE_BYTES
    max_event_bytes: int = MAX_EVENT_BYTES
    """The bound on the data of an event that has several `data` lines."""


def leniency_of(given: dict[str, bool | int]) -> Leniency:
    """Returns the options. Raises `ValueError` if one does not exist."""
    try:
        return msgspec.convert(given, Leniency)
    except msgspec.ValidationError as fault:
        allowed = ", ".join(("split_think_tags", *Leniency.__struct_fields__))
        raise ValueError(f"{fault}; options must be of: {allowed}") from None
