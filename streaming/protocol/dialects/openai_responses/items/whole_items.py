"""The output items without deltas: results of the provider's tools, images, and what is only kept."""

from __future__ import annotations

from streaming.protocol.dialects.openai_responses.items.item import Item, JSONObject, id_of
from streaming.protocol.dialects.wire import data_url
from streaming.protocol.events import FileReceived, OpaqueReceived


class ResultItem(Item):
    """The result of a tool that the provider executed itself."""

    outputs = ("output", "tools", "result")

    def done(self, wire: JSONObject) -> None:
        output = next((wire[key] for key in self.outputs if key in wire), None)
        self._writer.add_result(id_of(wire), output, raw=wire)


class ImageItem(Item):
    """An image that the provider made."""

    def done(self, wire: JSONObject) -> None:
        if isinstance(wire.get("result"), str):
            media_type = f"image/{wire.get('output_format') or 'png'}"
            url = data_url(media_type, wire["result"])
            raw = {key: value for key, value in wire.items() if key != "result"}
            self._writer.emit(FileReceived(self._writer.new_part(), media_type, url, raw=raw))
        else:
            self._writer.emit(OpaqueReceived(self._writer.new_part(), wire))


class OpaqueItem(Item):
    """Any other item. It is kept whole for the next turn."""

    def done(self, wire: JSONObject) -> None:
        self._writer.silent_parts += 1
        self._writer.emit(OpaqueReceived(self._writer.new_part(), wire))
