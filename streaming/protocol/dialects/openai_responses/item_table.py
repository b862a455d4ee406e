"""The output items of one response. The table finds the item that an event is about.

An item is found by its `output_index`, because some servers send another id with each event. The id counts only if
there is no index (llama.cpp), or if two items of one class are open under the same index (LiteLLM).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter
from streaming.protocol.dialects.openai_responses.call_items import CustomCallItem, id_of
from streaming.protocol.dialects.openai_responses.items import Item, JSONObject, ResultItem, class_of
from streaming.protocol.dialects.openai_responses.message_item import MessageItem

ItemClass = type[Item]
Index = int | None


class ItemTable:
    """The items by index, id and class. The class is needed: some servers give a message and a call the same index."""

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self.only: dict[tuple[Index, ItemClass], Item] = {}
        """The items whose index was never shared by two open items. A delta needs no other lookup."""
        self._last: dict[tuple[Index, ItemClass], Item] = {}
        self._named: dict[tuple[str, ItemClass], tuple[Index, Item]] = {}
        self._latest: dict[ItemClass, Item] = {}
        self._unannounced: set[Item] = set()
        self._done: dict[Item, str] = {}
        self._announced: set[tuple[Index, ItemClass, str]] = set()
        self._streamed: Counter[ItemClass] = Counter()
        self._undecided: list[CustomCallItem] = []

    def take(self, kind: ItemClass, index: Index, id: Any) -> Item:
        """Returns the item that a delta is about, a new one if needed."""
        found = self.find(kind, index, id)
        if found is None:
            found = self._open(kind, index, {})
            self._unannounced.add(found)
            if name := _name(id):
                self._named[name, kind] = (index, found)
        return found

    def find(self, kind: ItemClass, index: Index, id: Any) -> Item | None:
        """Returns the item that an event is about; None if it has not begun."""
        place, named = self._named.get((_name(id), kind), (None, None))
        if index is None:
            return named or self._latest.get(kind)
        only = self.only.get((index, kind))
        return only or (named if named and place == index else self._last.get((index, kind)))

    def announce(self, index: Index, wire: JSONObject) -> None:
        """Reads `output_item.added`, which some servers repeat."""
        kind, identity = class_of(wire), id_of(wire)
        if not identity or (index, kind, identity) not in self._announced:
            self._open(kind, index, wire)

    def finish(self, index: Index, wire: JSONObject) -> None:
        """Reads `output_item.done`, which some servers repeat, or send without `added`."""
        kind, identity = class_of(wire), id_of(wire)
        item = self.find(kind, index, wire.get("id"))
        if item is not None and self._done.get(item) == identity:
            return
        if item is None or item in self._done:
            item = self._open(kind, index, wire)
        self._end(item, index, wire)

    def complete(self, output: list[JSONObject]) -> None:
        """Takes from the whole response what did not stream.

        Ids here may differ from those of the events. An item that no event announced may be the only one of its class.
        """
        fresh = self._fresh(output)
        count = Counter(map(class_of, output))
        alone = {kind: item for kind, item in self._latest.items() if count[kind] == self._streamed[kind] == 1}
        alone = {kind: item for kind, item in alone.items() if item in self._unannounced}
        for place, wire in enumerate(output):
            index, item = self._named.get((_name(wire.get("id")), class_of(wire)), (None, None))
            if place in fresh:
                item = self._open(class_of(wire), None, wire)
            item = item or alone.get(class_of(wire))
            if item is not None and item not in self._done:
                self._end(item, index, wire)

    def _fresh(self, output: list[JSONObject]) -> set[int]:
        """Returns the positions of the items that did not stream at all.

        Indexes and ids here may differ from those of the events. So an unknown item counts as new only if all
        streamed items of its class are known here. Otherwise a call could be handed out twice.
        """
        known = {(kind, identity) for _, kind, identity in self._announced if identity}
        count: Counter[ItemClass] = Counter()
        places: dict[ItemClass, list[int]] = {}
        for place, wire in enumerate(output):
            kind = class_of(wire)
            count[kind] += 1
            if (kind, id_of(wire)) not in known:
                places.setdefault(kind, []).append(place)
        return {
            place for kind, new in places.items() if len(new) == count[kind] - self._streamed[kind] for place in new
        }

    def _open(self, kind: ItemClass, index: Index, wire: JSONObject) -> Item:
        self._writer.reserve()
        if kind is not CustomCallItem:
            self._decide_calls(is_provider_executed=kind in (MessageItem, ResultItem))
        item = kind(self._writer, wire)
        if isinstance(item, CustomCallItem):
            self._undecided.append(item)
        if index is not None:
            self._place(kind, index, item)
        if name := _name(wire.get("id")):
            self._named[name, kind] = (index, item)
        self._announced.add((index, kind, id_of(wire)))
        self._latest[kind] = item
        self._streamed[kind] += 1
        return item

    def _decide_calls(self, *, is_provider_executed: bool) -> None:
        calls, self._undecided = self._undecided, []
        for call in calls:
            call.decide(is_provider_executed=is_provider_executed)

    def _place(self, kind: ItemClass, index: Index, item: Item) -> None:
        before = self._last.get((index, kind))
        self._last[index, kind] = item
        if before is None or (before in self._done and (index, kind) in self.only):
            self.only[index, kind] = item
        else:
            self.only.pop((index, kind), None)

    def _end(self, item: Item, index: Index, wire: JSONObject) -> None:
        identity = id_of(wire)
        self._done[item] = identity
        self._announced.add((index, type(item), identity))
        item.done(wire)


def _name(id: Any) -> str:
    return id if isinstance(id, str) else ""
