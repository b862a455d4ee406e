"""The text of one choice, and the thoughts that some servers put into it."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import Prose
from streaming.protocol.dialects.openai_chat.delta import thought_of
from streaming.protocol.dialects.openai_chat.words.cumulative import CumulativeFilter
from streaming.protocol.dialects.openai_chat.words.echo import EchoFilter
from streaming.protocol.dialects.openai_chat.words.marked_thoughts import MarkedThoughts
from streaming.protocol.dialects.openai_chat.words.reasoning import Reasoning

JSONObject = dict[str, Any]


class Content:
    """Writes the text as parts of `prose`. As soon as the stream shows it, thoughts are told from the answer.

    `may_begin_with_tag` is True if the first text may be `<thought>` (Gemini).
    """

    def __init__(self, prose: Prose, reasoning: Reasoning, *, may_begin_with_tag: bool) -> None:
        self._prose = prose
        self._reasoning = reasoning
        self._echo: EchoFilter | None = None
        self._thoughts: MarkedThoughts | None = None
        self.text = CumulativeFilter(prose.write)
        """Takes the text."""
        if may_begin_with_tag:
            self._thoughts = self._expect_thoughts(may_open=True)

    def __bool__(self) -> bool:
        """True once there is text, also if it is held back."""
        return self.text.size > 0 or self._prose.has_text

    def think(self, text: str) -> None:
        """Takes text that is marked as a thought."""
        if self._thoughts is None:
            self._thoughts = self._expect_thoughts(may_open=False)
        if text:
            self._thoughts.think(text)

    def takes_echo(self, delta: JSONObject) -> bool:
        """Takes the content of a delta if it only repeats the reasoning beside it, before any other text.

        Returns True if it did.
        """
        if self.text.size or self._thoughts is not None:
            return False
        content = delta.get("content")
        is_echo = bool(content) and content == thought_of(delta)[1]
        if self._echo is None and (is_echo or self._reasoning.record is not None):
            self._echo = EchoFilter(self._prose.write, self._reasoning.record)
            self.text = CumulativeFilter(self._echo.speak)
        if self._echo is not None and is_echo:
            self._echo.add(str(content))
        return is_echo

    def settle(self) -> None:
        """Writes what is held back into the part that is about to end."""
        self.text.settle()
        if self._echo is not None:
            self._echo.settle()
        if self._thoughts is not None:
            self._thoughts.settle()

    def finish(self) -> None:
        """Forgets text that the server sent a second time as its last chunk. Writes an echo that is the answer."""
        self.text.drop()
        if self._echo is not None and not self._prose.has_text:
            self._echo.flush()

    def _expect_thoughts(self, *, may_open: bool) -> MarkedThoughts:
        """Sends all text from now on through `MarkedThoughts`."""
        self.text.settle()
        thoughts = MarkedThoughts(self._reasoning.words.take, self._prose.write, may_open=may_open)
        self.text = CumulativeFilter(thoughts.speak)
        return thoughts
