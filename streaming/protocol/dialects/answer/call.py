"""One tool call while it streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streaming.protocol.dialects.answer.verdict import Verdict, judge
from streaming.protocol.dialects.answer.writer import AnswerWriter
from streaming.protocol.events import ToolCallDelta, ToolCallEnded, ToolCallStarted

# The largest arguments are files that a tool writes; the biggest reported ones are under 1 MB.
MAX_ARGUMENTS_CHARS = 8 * 1024 * 1024

PLACEHOLDER = "{}"
PLACEHOLDERS = frozenset({PLACEHOLDER, "null", '""'})
"""What servers send in the place of no arguments, perhaps before or after the real ones."""
MAX_PLACEHOLDER_CHARS = max(map(len, PLACEHOLDERS))

SERVER_ID = "srvtoolu_"
"""The beginning of Anthropic's ids of calls that it executes itself, also if a gateway calls them the site's."""


class Call:
    """One tool call, from its first fragment to its verdict. `ToolCallStarted` comes as soon as the name is sure."""

    def __init__(
        self, writer: AnswerWriter, *, id: str, name: str = "", choice: int = 0, is_provider_executed: bool = False
    ) -> None:
        writer.reserve()
        self.id = writer.ids.take(id, is_provider_executed=is_provider_executed)
        self.name = name
        self.is_json = True
        """False if the input is free text."""
        self.raw: dict[str, Any] | None = None
        """What the provider wants back with the call."""
        self.size = 0
        """Characters of the arguments so far."""
        self.announced = ""
        """Arguments that came whole. They count if none stream."""
        self.before_end: Callable[[], None] | None = None
        """Adds what is held back, before the verdict."""
        self.is_provider_executed = is_provider_executed
        self.is_started = False
        self._writer = writer
        self._choice = choice
        self._part = -1
        self._has_made_id = not id
        self._fragments: list[str] = []
        self._is_live = False
        """True once arguments have been passed on: from then on, each fragment is."""
        self._is_replaced = False
        """True if the arguments that were passed on do not count."""
        self._is_over = False
        self._lost_at: int | None = None
        """The size of the arguments when an event of the stream was lost, which may have had some of them."""
        writer.open_calls[self.id] = self
        writer.intact_calls[self] = None

    @property
    def is_whole(self) -> bool:
        """True if the arguments so far are one object. Free text always is whole."""
        return not self.is_json or judge(self.text or self.announced).is_complete

    @property
    def text(self) -> str:
        return "".join(self._fragments)

    def ends_with(self, character: str) -> bool:
        """Returns True if the last character of the arguments so far is this one."""
        return bool(self._fragments) and self._fragments[-1][-1] == character

    def identify(self, id: str) -> None:
        """Takes the provider's id, which came after the first fragment. A call that has started keeps its made one."""
        if id and self._has_made_id and not self.is_started:
            self._has_made_id = False
            del self._writer.open_calls[self.id]
            self.id = self._writer.ids.take(id, is_provider_executed=self.is_provider_executed)
            self._writer.open_calls[self.id] = self

    def take_name(self, name: str) -> None:
        """Takes a name, a piece of it (Gemini, LM Studio), or the same name once more.

        A name that the request offered starts the call. Another one may go on, until arguments or another part come.
        A call that has started keeps its name.
        """
        if self.is_started:
            return
        if name.startswith(self.name):
            self.name = name
        elif not self.name.startswith(name):
            self.name += name
        self._writer.wait_for_name(self)
        if self.name in self._writer.tools:
            self.start()

    def start(self) -> None:
        """Adds `ToolCallStarted`, then the arguments that came before the name."""
        if self.is_started:
            return
        self._writer.end_naming(self)
        self._part = self._writer.new_part(self._choice)
        self.is_started = True
        self.is_provider_executed = self.is_provider_executed or not self._writer.tools.may_include(self.name)
        if not self.is_provider_executed:
            self._writer.note_call(self.id)
        self._writer.emit(
            ToolCallStarted(self._part, self.id, self.name, self.is_provider_executed, self.is_json, self._choice)
        )
        self._catch_up()

    def add(self, text: str) -> None:
        """Adds `text` to the arguments. Text after the verdict is only warned about."""
        if self._is_over:
            self._writer.warn("late_arguments", f"{len(text)} characters")
            return
        self.size += len(text)
        if text and self.size <= MAX_ARGUMENTS_CHARS:
            self._fragments.append(text)
            if self._is_live:
                self._writer.events.append(ToolCallDelta(self._part, text, self._choice))
            else:
                self._catch_up()

    def note_loss(self) -> None:
        """Notes that an event of the stream was lost, which may have had some of the arguments."""
        self._lost_at = self.size if self._lost_at is None else self._lost_at

    @property
    def has_loss(self) -> bool:
        """True if arguments may be missing: an event was lost while they were not yet whole."""
        if self._lost_at is None:
            return False
        return not (self.is_json and self.size and judge(self.text[: self._lost_at]).is_complete)

    def restart(self) -> None:
        """Drops the placeholder that came before the real arguments."""
        self._fragments.clear()
        self.size = 0
        self._lost_at = None if self._lost_at is None else 0

    def replace(self, whole: str) -> None:
        """Drops the arguments that streamed, which are of no use, for `whole`. Only the verdict has it, no delta."""
        self._lost_at = None
        if not self.size:
            self.add(whole)
            return
        self._is_replaced = self._is_live
        self._fragments[:], self.size = [whole], len(whole)

    def drop(self) -> None:
        """Forgets a call that has not started: another call has its arguments."""
        self._is_over = True
        self._forget()

    def end(self, *, is_cut: bool = False) -> None:
        """Gives the verdict. If the stream broke off inside the call (`is_cut`), the call is never complete."""
        if self.before_end is not None and not self._is_over:
            self.before_end()
        if self._is_over:
            return
        if self.is_placeholder and self.announced:
            self.restart()
        if not self.size:
            self.add(self.announced)
        if not self.name:
            self._writer.warn("tool_call_without_name")
        self.start()
        self._catch_up(is_last=True)
        raw = self.text
        verdict = self._judge(raw, is_cut=is_cut)
        self._writer.emit(ToolCallEnded(self._part, raw, *verdict, self.raw, self._choice, self._is_replaced))
        self._is_live = False
        self._is_over = True
        self._forget()

    def _forget(self) -> None:
        self._writer.open_calls.pop(self.id)
        self._writer.intact_calls.pop(self, None)

    def _judge(self, raw: str, *, is_cut: bool) -> Verdict:
        if self.size > MAX_ARGUMENTS_CHARS:
            return Verdict.broken("too_large")
        if is_cut or self.has_loss:
            return Verdict.broken("truncated")
        return judge(raw) if self.is_json else Verdict(None, is_complete=True)

    def _catch_up(self, *, is_last: bool = False) -> None:
        """Adds what was held back: fragments before the name, and what may be a placeholder."""
        if not self.is_started or self._is_live or self._is_over or (self.is_placeholder and not is_last):
            return
        self._is_live = bool(self._fragments)
        if self._is_live:
            self._writer.emit(ToolCallDelta(self._part, self.text, self._choice))

    @property
    def is_placeholder(self) -> bool:
        """True if the arguments so far may stand for others that follow."""
        return 0 < self.size <= MAX_PLACEHOLDER_CHARS and self.text in PLACEHOLDERS
