"""The output items of one response. The table finds the item that an event is about.

An item is found by its `output_index`, because some servers send another id with each event. The id counts only if
there is no index (llama.cpp), if no open item has the index (vLLM ends items under the next one), or if two items of
one class are open under the same index (LiteLLM).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter
from streaming.protocol.dialects.openai_responses.call_items import CallItem, CustomCallItem, id_of
from streaming.protocol.dialects.openai_responses.items import Item, JSONObject, ResultItem, class_of
from streaming.protocol.dialects.openai_responses.message_item import MessageItem
from streaming.protocol.dialects.openai_responses.payload import Payload

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
        """The items by their ids, and calls also by their `call_id` (llama.cpp)."""
        self._latest: dict[ItemClass, Item] = {}
        self._unannounced: dict[Item, str] = {}
        """The items that a delta opened, with its id of the item."""
        self._open_items: dict[Item, None] = {}
        self._open_of: defaultdict[ItemClass, dict[Item, None]] = defaultdict(dict)
        """The open items by their class."""
        self._done: dict[Item, str] = {}
        self._announced: set[tuple[Index, ItemClass, str]] = set()
        self._streamed: Counter[ItemClass] = Counter()
        self._undecided: list[CustomCallItem] = []

    def take(self, kind: ItemClass, payload: Payload) -> Item:
        """Returns the item that an event is about, a new one if needed."""
        index, id = payload.output_index, payload.item_id or payload.call_id
        found = self.find(kind, index, id)
        if found is None:
            found = self._elsewhere(kind, index, (id,), msgspec.structs.asdict(payload))
        if found is None:
            found = self._open(kind, index, {})
            self._unannounced[found] = _name(id)
            self._add_names(found, index, id)
        return found

    def find(self, kind: ItemClass, index: Index, *ids: Any) -> Item | None:
        """Returns the item that an event is about; None if it has not begun. The first of the ids counts most."""
        place, named = self._by_name(kind, *ids)
        if index is None:
            return named or self._latest.get(kind)
        found = self.only.get((index, kind)) or (named if place == index else self._last.get((index, kind)))
        is_elsewhere = named is not None and named not in self._done and (found is None or found in self._done)
        return named if is_elsewhere else found

    def is_open(self, kind: ItemClass, index: Index, id: Any) -> bool:
        """Returns True if the item that an event is about has begun and is not done."""
        return self.find(kind, index, id) in self._open_items

    def announce(self, index: Index, wire: JSONObject) -> None:
        """Reads `output_item.added`, which some servers repeat."""
        kind, identity = class_of(wire), id_of(wire)
        if identity and (index, kind, identity) in self._announced:
            return
        begun = self.find(kind, index, *_ids(wire))
        if begun is not None and self._is_announced_late(begun, index, wire):
            del self._unannounced[begun]
            self._register(begun, index, wire)
            begun.announce(wire)
        else:
            self._open(kind, index, wire)

    def finish(self, index: Index, wire: JSONObject) -> None:
        """Reads `output_item.done`, which some servers repeat, or send without `added`."""
        kind, identity = class_of(wire), id_of(wire)
        item = self.find(kind, index, *_ids(wire))
        if item is not None and self._done.get(item) == identity:
            return
        if item is None or item in self._done:
            item = self._elsewhere(kind, index, _ids(wire), wire) or self._open(kind, index, wire)
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
            index, item = self._by_name(class_of(wire), *_ids(wire))
            if place in fresh:
                item = self._open(class_of(wire), None, wire)
            item = item or alone.get(class_of(wire))
            if item is not None and item not in self._done:
                self._end(item, index, wire)

    def cut(self) -> None:
        """Ends the items that are not done, because the answer has ended."""
        for item in self._open_items:
            item.cut()

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

    def _elsewhere(self, kind: ItemClass, index: Index, ids: tuple[Any, ...], wire: JSONObject) -> Item | None:
        """Returns the item that an event is about whose index and id are those of no item: the only one it may be.

        The next such event finds it by this index and id.
        """
        is_open = self._open_of[kind]
        item = next(iter(is_open)) if len(is_open) == 1 else None
        if item is None or not item.may_be(wire):
            return None
        if index is not None:
            self._place(kind, index, item)
        self._add_names(item, index, *ids)
        return item

    def _drop_stray(self, item: Item, wire: JSONObject) -> None:
        """Forgets an unnamed call that has only the arguments of `item`, which is done."""
        others = self._open_of[type(item)]
        stray = next(iter(others)) if len(others) == 1 else None
        if isinstance(stray, CallItem) and stray in self._unannounced and stray.is_stray_of(wire):
            self._close(stray)
            stray.drop()

    def _open(self, kind: ItemClass, index: Index, wire: JSONObject) -> Item:
        self._writer.reserve()
        if kind is not CustomCallItem:
            self._decide_calls(is_provider_executed=kind in (MessageItem, ResultItem))
        item = kind(self._writer, wire)
        if isinstance(item, CustomCallItem):
            self._undecided.append(item)
        self._register(item, index, wire)
        self._latest[kind] = item
        self._open_items[item] = None
        self._open_of[kind][item] = None
        self._streamed[kind] += 1
        return item

    def _register(self, item: Item, index: Index, wire: JSONObject) -> None:
        if index is not None and self._last.get((index, type(item))) is not item:
            self._place(type(item), index, item)
        self._add_names(item, index, *_ids(wire))
        self._announced.add((index, type(item), id_of(wire)))

    def _is_announced_late(self, item: Item, index: Index, wire: JSONObject) -> bool:
        """Returns True if `wire` announces an item that a delta has opened."""
        name = self._unannounced.get(item)
        is_same = index is not None or not name or name in _ids(wire)
        return name is not None and item not in self._done and is_same

    def _add_names(self, item: Item, index: Index, *ids: Any) -> None:
        for name in filter(None, map(_name, ids)):
            self._named[name, type(item)] = (index, item)

    def _by_name(self, kind: ItemClass, *ids: Any) -> tuple[Index, Item | None]:
        """Returns the item with one of the ids, and the index under which it began."""
        found = (self._named.get((_name(id), kind)) for id in ids)
        return next(filter(None, found), (None, None))

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
        self._close(item)
        self._announced.add((index, type(item), identity))
        if isinstance(item, CallItem):
            self._drop_stray(item, wire)
        item.done(wire)

    def _close(self, item: Item) -> None:
        self._open_items.pop(item, None)
        self._open_of[type(item)].pop(item, None)


def _ids(wire: JSONObject) -> tuple[Any, Any]:
    return wire.get("id"), wire.get("call_id")


def _name(id: Any) -> str:
    return id if isinstance(id, str) else ""
