"""Text that only repeats the reasoning: some servers put the thoughts in both places."""

from __future__ import annotations

from collections.abc import Callable

from streaming.protocol.dialects.answer import CLOSING_TAGS
from streaming.protocol.dialects.openai_chat.words.reasoning_record import MAX_WHITE_CHARS, ReasoningRecord

LONGEST = MAX_WHITE_CHARS + max(map(len, CLOSING_TAGS))


class EchoFilter:
    """Takes the first text of an answer with reasoning, and drops what repeats the reasoning.

    Text that equals the reasoning of its own delta is an echo (`add`). With a `record` of the reasoning, all text that
    repeats it from its beginning may be one: it is held back, and dropped if a closing tag follows.
    """

    def __init__(self, write: Callable[[str], None], record: ReasoningRecord | None) -> None:
        self._write = write
        self._record = record
        self._echo: list[str] = []
        """Text that is an echo for sure."""
        self._white: list[str] = []
        self._held: list[str] = []
        """Text that may be an echo, after the white space before it."""
        self._at = 0
        """The length of the reasoning that the text has repeated so far."""
        self._tail = ""
        """What may be the beginning of a closing tag."""
        self._is_over = False
        """True once the answer itself has begun."""

    def add(self, text: str) -> None:
        """Takes text that is an echo for sure. It is the answer if no other text comes."""
        self._echo.append(text)
        self._at += len(text)

    def speak(self, text: str) -> None:
        """Takes text that may be an echo, or the closing tag after one."""
        if self._is_over:
            self._write(text)
            return
        text, self._tail = self._beyond(self._tail + text), ""
        bare = text.lstrip()
        tag = next((tag for tag in CLOSING_TAGS if bare.startswith(tag)), "")
        if tag and self._is_echo:
            self._echo.clear()
            self._close(bare if self._record else bare.removeprefix(tag))  # the splitter of tags needs it
        elif self._is_echo and len(text) < LONGEST and any(tag.startswith(bare) for tag in CLOSING_TAGS):
            self._tail = text
        elif text:
            self._close(self._so_far + text)

    def settle(self) -> None:
        """Writes what is held back: no closing tag followed."""
        if not self._is_over and self._so_far + self._tail:
            self._close(self._so_far + self._tail)

    def flush(self) -> None:
        """Writes the echo, which is the answer."""
        echo, self._echo = self._echo, []
        self._close("".join([*echo, self._so_far, self._tail]))

    @property
    def _is_echo(self) -> bool:
        return bool(self._echo or self._held)

    @property
    def _so_far(self) -> str:
        """The text that is held back."""
        return "".join(self._white + self._held)

    def _beyond(self, text: str) -> str:
        """Holds back what repeats the reasoning, and returns the rest."""
        if self._record is None:
            return text
        if not self._at:
            given = text
            self._at, text = self._record.skip_white(0, text)
            self._white.append(given[: len(given) - len(text)])
        if repeated := _common_beginning(text, self._record.said(self._at, len(text))):
            self._held.append(repeated)
            self._at += len(repeated)
        return text[len(repeated) :]

    def _close(self, text: str) -> None:
        self._is_over = True
        self._held, self._white, self._tail = [], [], ""
        if text:
            self._write(text)


def _common_beginning(one: str, other: str) -> str:
    pairs = enumerate(zip(one, other, strict=False))
    return one[: next((at for at, (a, b) in pairs if a != b), len(other))]
