"""Footnotes. A reference is a raised number; the note stands where it was written.

So a note that comes later changes nothing that is settled. There are no links between the two: links need ids, and ids
of two answers on one page would be the same.
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline

NOTE = re.compile(r"\[\^(\d{1,4}|[A-Za-z][\w-]{0,31})\](:[ \t]*)?")


def note(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the signature of a rule
    """The inline rule for `[^1]`, and for `[^1]:` at the beginning of a line."""
    match = NOTE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "[" else None
    if match is None:
        return False
    begins_line = state.pos == 0 or state.src[state.pos - 1] == "\n"
    is_definition = begins_line and match[2] is not None
    if not silent:
        state.push("note", "sup", 0).content = match[1]
        if is_definition:
            state.append_pending(" ")
    state.pos = match.end() if is_definition else match.end(1) + 1
    return True


def reference_but_no_note(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """The block rule for link definitions. To it, `[^1]: Word` would be one."""
    is_note = state.src.startswith("[^", state.bMarks[start] + state.tShift[start])
    return not is_note and reference(state, start, end, silent)
