"""A tool call that came with the id and the name of another one."""

from __future__ import annotations

from streaming.protocol.dialects.answer import text_of
from streaming.protocol.dialects.openai_chat.calls.fragment import Fragment
from streaming.protocol.dialects.openai_chat.calls.streamed_call import StreamedCall

# How often the text of the first call is read anew. Without a bound, many fragments would make the cost quadratic.
MAX_READS = 8


class Repetition:
    """A call with the id and the name of another one. It repeats that call (LocalAI) until its arguments differ."""

    def __init__(self, first: StreamedCall) -> None:
        self.first = first
        self._text = first.call.text or text_of(first.arguments.snapshot)
        self._reads = 0
        self._size = 0

    @property
    def text(self) -> str:
        """The arguments so far, which are the beginning of the first call's."""
        return self._text[: self._size]

    def goes_on(self, fragment: Fragment) -> bool:
        """Returns True if the first call has the fragment's text at the same place."""
        text = fragment.text if fragment.snapshot is None else text_of(fragment.snapshot)
        if len(self._text) < self.first.call.size and self._reads < MAX_READS:
            self._reads += 1
            self._text = self.first.call.text
        is_same = self._text.startswith(text, self._size)
        self._size += len(text) if is_same else 0
        return is_same
