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

A fragment of an unknown call that has neither name nor arguments waits for one at its index that has. The words of
`NOTHING` are no ids, and no names unless a tool has this name. Ids are never concatenated. Names are, as long as no
arguments have come: see `Call.take_name`.
"""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter, Arguments, Call, extends, judge, repeats
from streaming.protocol.dialects.openai_chat.calls.echo import Echo
from streaming.protocol.dialects.openai_chat.calls.fragment import Fragment, Index, fragments_in
from streaming.protocol.dialects.openai_chat.words import is_nothing

# How often the arguments of one call are parsed to see if they are closed. Without a bound, a server that repeats the
# name with each fragment would make the cost quadratic.
MAX_CLOSED_CHECKS = 8


class ToolCalls:
    """The calls of one choice."""

    def __init__(self, writer: AnswerWriter, choice: int = 0) -> None:
        self._writer = writer
        self._choice = choice
        self._by_index: dict[Index, Call] = {}
        self._by_id: dict[str, Call] = {}
        self._ids: dict[Call, str] = {}
        self._numbered: set[Call] = set()
        self._echoes: dict[Index, Echo] = {}
        self._arguments: dict[Call, Arguments] = {}
        self._blanks: dict[Index | None, Fragment] = {}
        self._last: Call | None = None
        self._checks: dict[Call, int] = {}

    def __bool__(self) -> bool:
        return self._last is not None

    @property
    def are_complete(self) -> bool:
        """True if the arguments of each call are complete, and the site has to execute one of the calls."""
        for arguments in self._arguments.values():
            arguments.settle()
        is_ours = any(not call.is_provider_executed for call in self._arguments)
        return is_ours and all(call.is_whole for call in self._arguments)

    def fragments_of(self, wire: Any) -> list[Fragment]:
        """Returns the fragments in `delta.tool_calls`, a list or one object, perhaps as JSON text."""
        fragments = fragments_in(wire)
        for fragment in fragments:
            if fragment.name:
                name = self._writer.offered_name(fragment.name)
                fragment.name = "" if is_nothing(name) and not self._writer.offers(name) else name
        return fragments

    def take(self, fragments: list[Fragment]) -> None:
        """Reads the fragments of one delta."""
        if self._are_in_order(fragments):
            for call, fragment in zip(self._arguments, fragments, strict=True):
                self._grow(call, fragment)
        else:
            for fragment in fragments:
                self._take(fragment)

    def complete(self, wire: Any) -> None:
        """Reads calls that come whole at the end, for what the calls with their ids lack: the name or the arguments."""
        for fragment in self.fragments_of(wire):
            call = self._by_id.get(fragment.id)
            if call is not None and not (call.name and self._arguments[call].is_telling):
                self._grow(call, fragment)

    def _are_in_order(self, fragments: list[Fragment]) -> bool:
        """Returns True if each fragment goes on with the call at its position, because nothing else says which one."""
        is_each = len(fragments) == len(self._arguments) > 1
        return is_each and not any(each.name or each.id or each.index is not None for each in fragments)

    def _take(self, fragment: Fragment) -> None:
        if fragment.index in self._blanks:
            fragment.fill(self._blanks[fragment.index])
        echo = self._echo_of(fragment)
        if echo is not None and echo.repeats(fragment):
            return
        call = self._divided(fragment, echo) if echo is not None else self._find(fragment)
        if call is None and fragment.is_blank:
            self._keep(fragment)
            return
        self._blanks.pop(fragment.index, None)
        self._last = call = call or self._new(fragment.id, is_servers=fragment.is_servers)
        self._place(call, fragment.index)
        if fragment.id and not self._ids[call]:
            self._name(call, fragment.id)
        if fragment.is_custom:
            call.is_json = False
        if fragment.extra is not None:
            call.raw = {"extra_content": fragment.extra}
        self._grow(call, fragment)

    def _keep(self, blank: Fragment) -> None:
        """Keeps a fragment that says nothing, until one at the same index does. If none does, there is no call."""
        if blank.index not in self._blanks:
            self._writer.reserve()
        self._blanks[blank.index] = blank

    def _place(self, call: Call, index: Index | None) -> None:
        if index is not None and self._by_index.get(index) is not call:
            self._writer.reserve()
            self._by_index[index] = call
            self._numbered.add(call)

    def _echo_of(self, fragment: Fragment) -> Echo | None:
        """Returns the echo that the fragment belongs to or begins."""
        index, id = fragment.index, fragment.id
        if index is None:
            return None
        echo = self._echoes.get(index)
        if echo is not None:
            return echo if not id or id == self._ids[echo.first] else None
        first = self._by_id.get(id)
        if first is None or index in self._by_index or not fragment.name or fragment.name != first.name:
            return None
        self._writer.reserve()
        self._echoes[index] = Echo(first, self._arguments[first])
        return self._echoes[index]

    def _divided(self, fragment: Fragment, echo: Echo) -> Call:
        """Returns the new call that an echo turned out to be."""
        self._echoes = {index: other for index, other in self._echoes.items() if other is not echo}
        call = self._new(self._ids[echo.first], is_servers=fragment.is_servers)
        call.name = echo.first.name
        call.start()
        self._arguments[call].add(echo.text)
        return call

    def _find(self, fragment: Fragment) -> Call | None:
        index = fragment.index
        at_index = self._by_index.get(index) if index is not None else None
        if fragment.id:
            return self._find_by_id(fragment, at_index)
        if index is None:
            return self._last if self._continues_last(fragment) else None
        if at_index is None:
            return self._open_last() if fragment.text and not fragment.name else None
        return None if fragment.name and self._is_another(at_index, fragment) else at_index

    def _open_last(self) -> Call | None:
        return self._last if self._last is not None and not self._is_closed(self._last) else None

    def _find_by_id(self, fragment: Fragment, at_index: Call | None) -> Call | None:
        id, name = fragment.id, fragment.name
        known = at_index if at_index is not None and self._ids[at_index] == id else self._by_id.get(id)
        if known is None:
            return self._find_by_changed_id(fragment, at_index)
        if not name or not known.name:
            return known
        is_elsewhere = at_index is not known and not known.name.startswith(name) and not name.startswith(known.name)
        return None if is_elsewhere or self._is_another(known, fragment) else known

    def _find_by_changed_id(self, fragment: Fragment, at_index: Call | None) -> Call | None:
        """Returns the call that the fragment continues although its id is a new one."""
        is_placed = fragment.index is not None
        if not fragment.name:
            return at_index if is_placed else self._open_last()
        call = at_index if is_placed else self._last
        if call is None or fragment.name != call.name:
            return call if is_placed and call is not None and not call.name and not self._ids[call] else None
        if not call.size:
            return call if is_placed and not call.announced else None
        return call if fragment.text and not fragment.begins_object else None

    def _is_another(self, call: Call, fragment: Fragment) -> bool:
        """Returns True if the fragment begins a second call, after the first one is closed."""
        if fragment.name == call.name:
            may_repeat = fragment.id or self._ids[call] or fragment.snapshot is not None
            if not fragment.begins_object or self._arguments[call].is_placeholder:
                return False
            if may_repeat and self._repeats(call, fragment):
                return False
        return bool(call.name) and self._is_closed(call)

    def _continues_last(self, fragment: Fragment) -> bool:
        """Returns True if a fragment without id and index belongs to the last call."""
        last, name = self._last, fragment.name
        if last is None or not name:
            return last is not None
        if name != last.name:
            return False
        is_numbered = last in self._numbered
        if not fragment.begins_object:
            return is_numbered or bool(fragment.text)
        return not self._is_closed(last) or (is_numbered and self._repeats(last, fragment))

    def _is_closed(self, call: Call) -> bool:
        if not call.size:
            return bool(call.announced)
        self._checks[call] = self._checks.get(call, 0) + 1
        return self._checks[call] <= MAX_CLOSED_CHECKS and judge(call.text)[1]

    def _repeats(self, call: Call, fragment: Fragment) -> bool:
        """Returns True if the fragment has the call's arguments once more, perhaps longer."""
        if fragment.snapshot is None:
            is_longer = len(fragment.text) >= call.size > 0 and fragment.text.startswith(call.text)
            return is_longer or (self._is_closed(call) and repeats(call.text, fragment.text))
        if call.size and not self._is_closed(call):
            return True
        known = judge(call.text)[0] if call.size else self._arguments[call].snapshot
        return known is not None and extends(known, fragment.snapshot)

    def _new(self, id: str, *, is_servers: bool) -> Call:
        call = Call(self._writer, id=id, choice=self._choice, is_provider_executed=is_servers)
        self._arguments[call] = Arguments(call)
        self._ids[call] = ""
        if id:
            self._name(call, id)
        return call

    def _name(self, call: Call, id: str) -> None:
        self._ids[call] = id
        self._by_id[id] = call
        call.identify(id)

    def _grow(self, call: Call, fragment: Fragment) -> None:
        if fragment.name:
            call.take_name(fragment.name)
        if call.name and not call.is_started and (fragment.text or fragment.snapshot is not None):
            call.start()
        if fragment.text:
            self._arguments[call].add(fragment.text)
        if fragment.snapshot is not None:
            self._arguments[call].snap(fragment.snapshot)
