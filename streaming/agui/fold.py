"""Fold turns events into the messages that a client has after them, as the protocol's own client does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streaming.agui.events import Event

Message = dict[str, Any]


class Fold:
    """The messages of one answer.

    A text that grows is kept in pieces, because the time to copy it for each piece would grow with its square.
    """

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._texts: dict[str, list[str]] = {}
        self._arguments: dict[str, list[str]] = {}
        self._owners: dict[str, Message] = {}

    def add(self, events: list[Event]) -> None:
        for event in events:
            handler = HANDLERS.get(event["type"])
            if handler is not None:
                handler(self, event)

    @property
    def messages(self) -> list[Message]:
        """The messages so far."""
        return [self._written(message) for message in self._messages]

    def _written(self, message: Message) -> Message:
        texts = self._texts.get(message["id"])
        written = message if texts is None else message | {"content": "".join(texts)}
        if "toolCalls" in message:
            written = written | {"toolCalls": [self._call(id, name) for id, name in message["toolCalls"]]}
        return written

    def _call(self, id: str, name: str) -> Message:
        function = {"name": name, "arguments": "".join(self._arguments[id])}
        return {"id": id, "type": "function", "function": function}

    def _text_started(self, event: Event) -> None:
        self._begin(event["messageId"], "assistant")

    def _reasoning_started(self, event: Event) -> None:
        self._begin(event["messageId"], "reasoning")

    def _begin(self, id: str, role: str) -> None:
        self._messages.append({"id": id, "role": role})
        self._texts[id] = []

    def _grew(self, event: Event) -> None:
        self._texts[event["messageId"]].append(event["delta"])

    def _call_started(self, event: Event) -> None:
        id, parent = event["toolCallId"], event["parentMessageId"]
        owner = next((one for one in self._messages if one["id"] == parent), None)
        if owner is None:
            owner = {"id": parent, "role": "assistant"}
            self._messages.append(owner)
        owner.setdefault("toolCalls", []).append((id, event["toolCallName"]))
        self._arguments[id], self._owners[id] = [], owner

    def _call_grew(self, event: Event) -> None:
        self._arguments[event["toolCallId"]].append(event["delta"])

    def _resulted(self, event: Event) -> None:
        """Puts a result behind the message of its call, and behind the results that are there."""
        result = {"id": event["messageId"], "role": "tool", "toolCallId": event["toolCallId"]}
        result |= {name: event[name] for name in ("content", "metadata") if name in event}
        place = self._messages.index(self._owners[event["toolCallId"]]) + 1
        while place < len(self._messages) and self._messages[place]["role"] == "tool":
            place += 1
        self._messages.insert(place, result)

    def _activity(self, event: Event) -> None:
        told = {name: event[name] for name in ("activityType", "content")}
        self._messages.append({"id": event["messageId"], "role": "activity", **told})


HANDLERS: dict[str, Callable[[Fold, Event], None]] = {
    "TEXT_MESSAGE_START": Fold._text_started,
    "TEXT_MESSAGE_CONTENT": Fold._grew,
    "REASONING_MESSAGE_START": Fold._reasoning_started,
    "REASONING_MESSAGE_CONTENT": Fold._grew,
    "TOOL_CALL_START": Fold._call_started,
    "TOOL_CALL_ARGS": Fold._call_grew,
    "TOOL_CALL_RESULT": Fold._resulted,
    "ACTIVITY_SNAPSHOT": Fold._activity,
}
"""The type of an event -> what it does to the messages. Events without an entry change none."""
