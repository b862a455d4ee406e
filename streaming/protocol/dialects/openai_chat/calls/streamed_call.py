"""One tool call of a choice, and what each fragment is to it: its next piece, a repetition, or another call."""

from __future__ import annotations

from streaming.protocol.dialects.answer import AnswerWriter, Arguments, Call, extends, judge, repeats
from streaming.protocol.dialects.openai_chat.calls.fragment import Fragment

# How often the arguments of one call are parsed to see if they are closed. Without a bound, a server that repeats the
# name with each fragment would make the cost quadratic.
MAX_CLOSED_CHECKS = 8


class StreamedCall:
    """A call that its fragments write. The numbers of the rules are those of `tool_calls`."""

    def __init__(self, writer: AnswerWriter, choice: int, id: str, *, is_servers: bool) -> None:
        self.call = Call(writer, id=id, choice=choice, is_provider_executed=is_servers)
        self.arguments = Arguments(self.call)
        self.id = id
        """The server's id for it; empty while there is none."""
        self.has_index = False
        """True if a fragment said at which index the call is."""
        self._closed_checks = 0

    @property
    def name(self) -> str:
        return self.call.name

    def identify(self, id: str) -> None:
        """Takes the server's id, which came after the first fragment."""
        self.id = id
        self.call.identify(id)

    def begin(self, name: str, text: str) -> None:
        """Starts with a name and arguments that are known to belong to it."""
        self.call.name = name
        self.call.start()
        self.arguments.add(text)

    def take(self, fragment: Fragment) -> None:
        """Reads one fragment."""
        call = self.call
        if fragment.is_custom:
            call.is_json = False
        if fragment.extra is not None:
            call.raw = {"extra_content": fragment.extra}
        if fragment.name:
            call.take_name(fragment.name)
        if call.name and not call.is_started and (fragment.text or fragment.snapshot is not None):
            call.start()
        if fragment.text:
            self.arguments.add(fragment.text)
        if fragment.snapshot is not None:
            self.arguments.snap(fragment.snapshot)

    def is_closed(self) -> bool:
        """Returns True if the arguments so far are whole."""
        if not self.call.size:
            return bool(self.call.announced)
        self._closed_checks += 1
        return self._closed_checks <= MAX_CLOSED_CHECKS and judge(self.call.text).is_complete

    def is_followed_by(self, fragment: Fragment) -> bool:
        """Returns True if the fragment begins another call, after this one is closed (rules 1 and 3)."""
        if fragment.name == self.name:
            may_repeat = fragment.id or self.id or fragment.snapshot is not None
            if not fragment.begins_object or self.arguments.is_placeholder:
                return False
            if may_repeat and self._is_repeated_by(fragment):
                return False
        return bool(self.name) and self.is_closed()

    def takes_other_id(self, fragment: Fragment) -> bool:
        """Returns True if a fragment with an unknown id and a name belongs to the call (rule 2)."""
        is_placed = fragment.index is not None
        if fragment.name != self.name:
            return is_placed and not (self.name or self.id)
        if not self.call.size:
            return is_placed and not self.call.announced
        return bool(fragment.text) and not fragment.begins_object

    def takes_name_again(self, fragment: Fragment) -> bool:
        """Returns True if a fragment with a name, and without id and index, belongs to the call (rule 5)."""
        if fragment.name != self.name:
            return False
        if not fragment.begins_object:
            return self.has_index or bool(fragment.text)
        return not self.is_closed() or (self.has_index and self._is_repeated_by(fragment))

    def _is_repeated_by(self, fragment: Fragment) -> bool:
        """Returns True if the fragment has the arguments so far once more, perhaps longer."""
        call = self.call
        if fragment.snapshot is None:
            is_longer = len(fragment.text) >= call.size > 0 and fragment.text.startswith(call.text)
            return is_longer or (self.is_closed() and repeats(call.text, fragment.text))
        if call.size and not self.is_closed():
            return True
        known = judge(call.text).arguments if call.size else self.arguments.snapshot
        return known is not None and extends(known, fragment.snapshot)
