"""Finds the tool call that each fragment belongs to, although compatible servers number them in many ways.

In OpenAI's own streams `index` says which call it is, and only the first fragment has an id and a name. Other servers
send no index, or 0 for every call, or several indexes for one call. Their ids are missing, empty, repeated or changed,
or two calls have the same. Their names are repeated or empty. Their arguments are null, objects, the whole text so
far, or come after a `{}`. These rules are tried in order:

1. A known id is that call. But if the fragment has another name at another index, or begins another object after the
   call's object is closed, it is a new call with the same id. If it has the same name at another index, it is a new
   call as soon as its arguments differ, and else a repetition.
2. An unknown id without a name is the call at that index, or without an index the last call that is open: its id
   changed. With a name it is a new call, unless that call has no id, no name or no arguments yet.
3. Without an id, a known index is that call. But if the fragment has a name, the call's JSON object is closed and
   another object begins, it is a new call.
4. Without an id, a name and a known index, the text belongs to the last call that is open: its index changed.
5. Without an id and an index, a name begins a new call, unless it is the last call's name and that call is open. A
   fragment without a name belongs to the last call. But if a delta has as many such fragments as there are calls, each
   belongs to the call at its position.

A fragment of an unknown call that has neither name nor arguments waits for one at its index that has. Words such as
`null` are no ids, and no names unless a tool has this name (`is_nothing`). Ids are never concatenated. Names are, as
long as no arguments have come: see `Call.take_name`.
"""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter
from streaming.protocol.dialects.openai_chat.calls.fragment import Fragment, Index, fragments_in
from streaming.protocol.dialects.openai_chat.calls.repetition import Repetition
from streaming.protocol.dialects.openai_chat.calls.streamed_call import StreamedCall
from streaming.protocol.dialects.wire import is_nothing


class ToolCalls:
    """The calls of one choice."""

    def __init__(self, writer: AnswerWriter, choice: int = 0) -> None:
        self._writer = writer
        self._choice = choice
        self._calls: list[StreamedCall] = []
        self._last: StreamedCall | None = None
        """The call that the last fragment belongs to."""
        self._by_index: dict[Index, StreamedCall] = {}
        self._by_id: dict[str, StreamedCall] = {}
        self._blanks: dict[Index | None, Fragment] = {}
        self._repetitions: dict[Index, Repetition] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def are_complete(self) -> bool:
        """True if the arguments of each call are complete, and the site has to execute one of the calls."""
        for each in self._calls:
            each.arguments.settle()
        is_ours = any(not each.call.is_provider_executed for each in self._calls)
        return is_ours and all(each.call.is_whole for each in self._calls)

    def fragments_of(self, wire: Any) -> list[Fragment]:
        """Returns the fragments in `delta.tool_calls`, a list or one object, perhaps as JSON text."""
        fragments = fragments_in(wire)
        for fragment in fragments:
            if fragment.name:
                name = self._writer.tools.without_namespace(fragment.name)
                fragment.name = "" if is_nothing(name) and name not in self._writer.tools else name
        return fragments

    def take(self, fragments: list[Fragment]) -> None:
        """Reads the fragments of one delta."""
        if self._are_in_order(fragments):
            for call, fragment in zip(self._calls, fragments, strict=True):
                call.take(fragment)
        else:
            for fragment in fragments:
                self._take(fragment)

    def complete(self, wire: Any) -> None:
        """Reads calls that come whole at the end, for what the calls with their ids lack: the name or the arguments."""
        for fragment in self.fragments_of(wire):
            call = self._by_id.get(fragment.id)
            if call is not None and not (call.name and call.arguments.is_telling):
                call.take(fragment)

    def _are_in_order(self, fragments: list[Fragment]) -> bool:
        """Returns True if each fragment goes on with the call at its position, because nothing else says which one."""
        is_each = len(fragments) == len(self._calls) > 1
        return is_each and not any(each.name or each.id or each.index is not None for each in fragments)

    def _take(self, fragment: Fragment) -> None:
        if fragment.index in self._blanks:
            fragment.fill(self._blanks[fragment.index])
        repetition = self._repetition_of(fragment)
        if repetition is not None and repetition.goes_on(fragment):
            return
        call = self._divided(fragment, repetition) if repetition is not None else self._find(fragment)
        if call is None and fragment.is_blank:
            self._keep(fragment)
            return
        self._blanks.pop(fragment.index, None)
        self._last = call = call or self._new(fragment.id, is_servers=fragment.is_servers)
        self._place(call, fragment.index)
        if fragment.id and not call.id:
            call.identify(fragment.id)
            self._by_id[fragment.id] = call
        call.take(fragment)

    def _keep(self, blank: Fragment) -> None:
        """Keeps a fragment that says nothing, until one at the same index does. If none does, there is no call."""
        if blank.index not in self._blanks:
            self._writer.reserve()
        self._blanks[blank.index] = blank

    def _place(self, call: StreamedCall, index: Index | None) -> None:
        if index is not None and self._by_index.get(index) is not call:
            self._writer.reserve()
            self._by_index[index] = call
            call.has_index = True

    def _repetition_of(self, fragment: Fragment) -> Repetition | None:
        """Returns the repetition that the fragment belongs to or begins."""
        index, id = fragment.index, fragment.id
        if index is None:
            return None
        known = self._repetitions.get(index)
        if known is not None:
            return known if not id or id == known.first.id else None
        first = self._by_id.get(id)
        if first is None or index in self._by_index or not fragment.name or fragment.name != first.name:
            return None
        self._writer.reserve()
        self._repetitions[index] = Repetition(first)
        return self._repetitions[index]

    def _divided(self, fragment: Fragment, repetition: Repetition) -> StreamedCall:
        """Returns the new call that a repetition turned out to be."""
        self._repetitions = {index: other for index, other in self._repetitions.items() if other is not repetition}
        call = self._new(repetition.first.id, is_servers=fragment.is_servers)
        call.begin(repetition.first.name, repetition.text)
        return call

    def _find(self, fragment: Fragment) -> StreamedCall | None:
        """Returns the call that the fragment belongs to; None if it begins a new one."""
        at_index = None if fragment.index is None else self._by_index.get(fragment.index)
        if fragment.id:
            return self._find_by_id(fragment, at_index)
        if fragment.index is None:
            return self._find_last(fragment)
        if at_index is None:
            return self._open_last() if fragment.text and not fragment.name else None
        return None if fragment.name and at_index.is_followed_by(fragment) else at_index

    def _find_by_id(self, fragment: Fragment, at_index: StreamedCall | None) -> StreamedCall | None:
        id, name = fragment.id, fragment.name
        known = at_index if at_index is not None and at_index.id == id else self._by_id.get(id)
        if known is None:
            return self._find_by_changed_id(fragment, at_index)
        if not name or not known.name:
            return known
        is_elsewhere = at_index is not known and not known.name.startswith(name) and not name.startswith(known.name)
        return None if is_elsewhere or known.is_followed_by(fragment) else known

    def _find_by_changed_id(self, fragment: Fragment, at_index: StreamedCall | None) -> StreamedCall | None:
        """Returns the call that the fragment continues although its id is a new one."""
        is_placed = fragment.index is not None
        if not fragment.name:
            return at_index if is_placed else self._open_last()
        call = at_index if is_placed else self._last
        return call if call is not None and call.takes_other_id(fragment) else None

    def _find_last(self, fragment: Fragment) -> StreamedCall | None:
        """Returns the last call if a fragment without id and index belongs to it."""
        last = self._last
        return last if last is not None and (not fragment.name or last.takes_name_again(fragment)) else None

    def _open_last(self) -> StreamedCall | None:
        return self._last if self._last is not None and not self._last.is_closed() else None

    def _new(self, id: str, *, is_servers: bool) -> StreamedCall:
        call = StreamedCall(self._writer, self._choice, id, is_servers=is_servers)
        self._calls.append(call)
        if id:
            self._by_id[id] = call
        return call
