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
from streaming.protocol.dialects.openai_responses.items import (
    CallItem,
    CustomCallItem,
    Item,
    MessageItem,
    ResultItem,
    class_of,
    id_of,
)
from streaming.protocol.dialects.openai_responses.payload import Payload

JSONObject = dict[str, Any]
ItemClass = type[Item]
Index = int | None


class ItemTable:
    """The items by index, id and class. The class is needed: some servers give a message and a call the same index."""

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self.only: dict[tuple[Index, ItemClass], Item] = {}
        """The items whose index was never shared by two open items. A delta needs no other lookup."""
        self._items: list[Item] = []
        """All items, in the order in which they began."""
        self._open_of: defaultdict[ItemClass, dict[Item, None]] = defaultdict(dict)
        """The open items by their class."""
        self._newest_of: dict[ItemClass, Item] = {}
        self._newest_at: dict[tuple[Index, ItemClass], Item] = {}
        self._named: dict[tuple[str, ItemClass], tuple[Index, Item]] = {}
        """The items by their ids, and calls also by their `call_id` (llama.cpp). With the index beside that id."""
        self._announced: set[tuple[Index, ItemClass, str]] = set()
        """The items that were announced or have ended: `output_item.added` may come again."""

    def take(self, kind: ItemClass, payload: Payload) -> Item:
        """Returns the item that an event is about, a new one if needed."""
        index, id = payload.output_index, payload.item_id or payload.call_id
        found = self.find(kind, index, id)
        if found is None:
            found = self._find_moved(kind, index, (id,), msgspec.structs.asdict(payload))
        if found is None:
            found = self._open(kind, index, {})
            found.delta_id = _name(id)
            self._add_names(found, index, id)
        return found

    def find(self, kind: ItemClass, index: Index, *ids: Any) -> Item | None:
        """Returns the item that an event is about; None if it has not begun. The first of the ids counts most."""
        place, named = self._by_name(kind, *ids)
        if index is None:
            return named or self._newest_of.get(kind)
        found = self.only.get((index, kind)) or (named if place == index else self._newest_at.get((index, kind)))
        is_elsewhere = named is not None and named.ended_as is None and (found is None or found.ended_as is not None)
        return named if is_elsewhere else found

    def is_open(self, kind: ItemClass, index: Index, id: Any) -> bool:
        """Returns True if the item that an event is about has begun and is not done."""
        return self.find(kind, index, id) in self._open_of[kind]

    def announce(self, index: Index, wire: JSONObject) -> None:
        """Reads `output_item.added`, which some servers repeat."""
        kind, identity = class_of(wire), id_of(wire)
        if identity and (index, kind, identity) in self._announced:
            return
        begun = self.find(kind, index, *_ids(wire))
        if begun is not None and _announces(wire, begun, index):
            begun.delta_id = None
            self._register(begun, index, wire)
            begun.announce(wire)
        else:
            self._open(kind, index, wire)

    def finish(self, index: Index, wire: JSONObject) -> None:
        """Reads `output_item.done`, which some servers repeat, or send without `added`."""
        kind = class_of(wire)
        item = self.find(kind, index, *_ids(wire))
        if item is not None and item.ended_as == id_of(wire):
            return
        if item is None or item.ended_as is not None:
            item = self._find_moved(kind, index, _ids(wire), wire) or self._open(kind, index, wire)
        self._end(item, index, wire)

    def complete(self, output: list[JSONObject]) -> None:
        """Takes from the whole response what did not stream.

        Ids here may differ from those of the events. An item that no event announced may be the only one of its class.
        """
        count, streamed = Counter(map(class_of, output)), Counter(map(type, self._items))
        fresh = self._fresh(output, count, streamed)
        unannounced = (item for item in self._newest_of.values() if item.delta_id is not None)
        alone = {type(item): item for item in unannounced if count[type(item)] == streamed[type(item)] == 1}
        for place, wire in enumerate(output):
            index, item = self._by_name(class_of(wire), *_ids(wire))
            if place in fresh:
                item = self._open(class_of(wire), None, wire)
            item = item or alone.get(class_of(wire))
            if item is not None and item.ended_as is None:
                self._end(item, index, wire)

    def cut(self) -> None:
        """Ends the items that are not done, because the answer has ended."""
        for item in self._items:
            if item in self._open_of[type(item)]:
                item.cut()

    def _fresh(self, output: list[JSONObject], count: Counter[ItemClass], streamed: Counter[ItemClass]) -> set[int]:
        """Returns the positions of the items that did not stream at all.

        Indexes and ids here may differ from those of the events. So an unknown item counts as new only if all
        streamed items of its class are known here. Otherwise a call could be handed out twice. `count` and `streamed`
        are the numbers of items of each class.
        """
        places: defaultdict[ItemClass, list[int]] = defaultdict(list)
        for place, wire in enumerate(output):
            kind = class_of(wire)
            if self._by_name(kind, *_ids(wire))[1] is None:
                places[kind].append(place)
        return {place for kind, new in places.items() if len(new) == count[kind] - streamed[kind] for place in new}

    def _find_moved(self, kind: ItemClass, index: Index, ids: tuple[Any, ...], wire: JSONObject) -> Item | None:
        """Returns the item that an event is about whose index and id are those of no item: the only one it may be.

        The next such event finds it by this index and id.
        """
        item = self._only_open(kind)
        if item is None or not item.may_be(wire):
            return None
        if index is not None:
            self._place(kind, index, item)
        self._add_names(item, index, *ids)
        return item

    def _only_open(self, kind: ItemClass) -> Item | None:
        """Returns the open item of a class, if there is only one."""
        items = self._open_of[kind]
        return next(iter(items)) if len(items) == 1 else None

    def _drop_stray(self, item: Item, wire: JSONObject) -> None:
        """Forgets an unnamed call that has only the arguments of `item`, which is done."""
        stray = self._only_open(type(item))
        if isinstance(stray, CallItem) and stray.delta_id is not None and stray.is_stray_of(wire):
            self._open_of[type(stray)].pop(stray)
            stray.drop()

    def _open(self, kind: ItemClass, index: Index, wire: JSONObject) -> Item:
        self._writer.reserve()
        if kind is not CustomCallItem:
            self._decide_calls(is_provider_executed=kind in (MessageItem, ResultItem))
        item = self._made(kind, wire)
        self._register(item, index, wire)
        self._items.append(item)
        self._newest_of[kind] = item
        self._open_of[kind][item] = None
        return item

    def _made(self, kind: ItemClass, wire: JSONObject) -> Item:
        """Returns a new item. A call with the `call_id` of an earlier one may be that call once more."""
        _, earlier = self._by_name(CallItem, wire.get("call_id"))
        if kind is not CallItem or not isinstance(earlier, CallItem):
            return kind(self._writer, wire)
        again = CallItem(self._writer, {})
        again.compare_with(earlier)
        again.announce(wire)
        return again

    def _register(self, item: Item, index: Index, wire: JSONObject) -> None:
        if index is not None and self._newest_at.get((index, type(item))) is not item:
            self._place(type(item), index, item)
        self._add_names(item, index, *_ids(wire))
        self._announced.add((index, type(item), id_of(wire)))

    def _add_names(self, item: Item, index: Index, *ids: Any) -> None:
        for name in filter(None, map(_name, ids)):
            self._named[name, type(item)] = (index, item)

    def _by_name(self, kind: ItemClass, *ids: Any) -> tuple[Index, Item | None]:
        """Returns the item with one of the ids, and the index under which it began."""
        found = (self._named.get((_name(id), kind)) for id in ids)
        return next(filter(None, found), (None, None))

    def _decide_calls(self, *, is_provider_executed: bool) -> None:
        """Tells the custom calls that began last who executes them: an item of another class follows."""
        calls: list[CustomCallItem] = []
        for item in reversed(self._items):
            if not isinstance(item, CustomCallItem):
                break
            calls.append(item)
        for call in reversed(calls):
            call.decide(is_provider_executed=is_provider_executed)

    def _place(self, kind: ItemClass, index: Index, item: Item) -> None:
        before = self._newest_at.get((index, kind))
        self._newest_at[index, kind] = item
        if before is None or (before.ended_as is not None and (index, kind) in self.only):
            self.only[index, kind] = item
        else:
            self.only.pop((index, kind), None)

    def _end(self, item: Item, index: Index, wire: JSONObject) -> None:
        item.ended_as = id_of(wire)
        self._open_of[type(item)].pop(item, None)
        self._announced.add((index, type(item), item.ended_as))
        self._add_names(item, index, *_ids(wire))
        if isinstance(item, CallItem):
            self._drop_stray(item, wire)
        item.done(wire)


def _announces(wire: JSONObject, item: Item, index: Index) -> bool:
    """Returns True if `wire` announces an item that a delta has opened."""
    is_same = index is not None or not item.delta_id or item.delta_id in _ids(wire)
    return item.delta_id is not None and item.ended_as is None and is_same


def _ids(wire: JSONObject) -> tuple[Any, Any]:
    return wire.get("id"), wire.get("call_id")


def _name(id: Any) -> str:
    return id if isinstance(id, str) else ""
