"""Text that only repeats the reasoning, as servers send it that put the thoughts in both places."""

from __future__ import annotations

from collections.abc import Callable

from streaming.protocol.dialects.answer import CLOSING_TAGS
from streaming.protocol.dialects.openai_chat.reasoning.mirror import MAX_WHITE_CHARS, Mirror

LONGEST = MAX_WHITE_CHARS + max(map(len, CLOSING_TAGS))


class Echo:
    """Takes the first text of an answer with reasoning.

    Text that equals the reasoning of its own delta is an echo (`add`). With a `mirror`, all text that repeats the
    reasoning from its beginning may be one: it is held back, and dropped if a closing tag follows.
    """

    def __init__(self, write: Callable[[str], None], mirror: Mirror | None) -> None:
        self._write = write
        self._mirror = mirror
        self._echo: list[str] = []
        self._held: list[str] = []
        self._white: list[str] = []
        self._tail = ""
        self._at = 0
        self._is_open = True

    def add(self, text: str) -> None:
        """Takes text that is an echo for sure. It is the answer if no other text comes."""
        self._echo.append(text)
        self._at += len(text)

    def speak(self, text: str) -> None:
        """Takes text that may be an echo, or the closing tag after one."""
        if not self._is_open:
            self._write(text)
            return
        text, self._tail = self._beyond(self._tail + text), ""
        bare = text.lstrip()
        tag = next((tag for tag in CLOSING_TAGS if bare.startswith(tag)), "")
        if tag and self._is_echo:
            self._echo.clear()
            self._close(bare if self._mirror else bare.removeprefix(tag))  # the splitter of tags needs it
        elif self._is_echo and len(text) < LONGEST and any(tag.startswith(bare) for tag in CLOSING_TAGS):
            self._tail = text
        elif text:
            self._close(self._so_far + text)

    def settle(self) -> None:
        """Writes what is held back: no closing tag followed."""
        if self._is_open and self._so_far + self._tail:
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
        if self._mirror is None:
            return text
        if not self._at:
            given = text
            self._at, text = self._mirror.skip_white(0, text)
            self._white.append(given[: len(given) - len(text)])
        known = self._mirror.said(self._at, len(text))
        pairs = enumerate(zip(known, text, strict=False))
        size = len(text) if known == text else next((at for at, pair in pairs if pair[0] != pair[1]), len(known))
        self._held += [text[:size]] * bool(size)
        self._at += size
        return text[size:]

    def _close(self, text: str) -> None:
        self._is_open = False
        self._held, self._white, self._tail = [], [], ""
        if text:
            self._write(text)
