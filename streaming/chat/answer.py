"""An answer that is being written, as code reads it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing
from functools import partial
from typing import Any

import msgspec

from streaming.chat.result import Result, load_result
from streaming.conf import settings
from streaming.database import in_database
from streaming.models import Generation
from streaming.outputs import NOTHING, TICK_SECONDS, ObjectReader, OutputType
from streaming.protocol import StringDelta
from streaming.protocol.ui_stream import chunk_of
from streaming.subscription import follow, subscribe
from streaming.supervisor import StopAnswer, stop


def _heartbeat() -> float:
    return settings.HEARTBEAT_SECONDS


def _patience(reader: ObjectReader) -> float:
    """Returns the seconds to wait for the next frames. Text that no partial has shown yet is shown soon."""
    return TICK_SECONDS if reader.is_behind else _heartbeat()


class Answer:
    """An answer that is being written. Iterating it gives its text, piece by piece.

    Any number of readers may iterate it, each from the start. After `go_on`, only the new part is given.
    """

    def __init__(self, generation: Generation, wanted: OutputType | None = None) -> None:
        self.generation_id = generation.pk
        self._generation = generation
        self._wanted = wanted

    async def __aiter__(self) -> AsyncGenerator[str]:
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                if chunk["type"] == "text-delta":
                    yield chunk["delta"]

    async def chunks(self) -> AsyncGenerator[dict[str, Any]]:
        """Yields the chunks of the UI message stream, as dicts with a `type`."""
        async with aclosing(self._frames()) as batches:
            async for frames in batches:
                for one in frames:
                    yield msgspec.json.decode(chunk_of(one))

    async def partials(self) -> AsyncGenerator[Any]:
        """Yields the object so far, as Python values, up to 20 times a second. Keys come as the model writes them.

        The values share what is finished, so do not change them. If the model breaks the object off and begins another
        one, that one follows. The last one is what the model wrote; `output` says if it is of the type.
        """
        reader = self._reader()
        async with aclosing(self._frames(partial(_patience, reader))) as batches:
            async for frames in batches:
                reader.take(frames)
                if (so_far := reader.partial()) is not NOTHING:
                    yield so_far
        if (last := reader.partial(is_last=True)) is not NOTHING:
            yield last

    async def live_fields(self) -> AsyncGenerator[StringDelta]:
        """Yields how each string of the object grew: its `path` of keys and indexes, and the new `text`.

        If the model breaks the object off and begins another one, only the strings of the first one come.
        """
        reader = self._reader(is_final=True)
        async with aclosing(self._frames()) as batches:
            async for frames in batches:
                for delta in reader.take(frames):
                    yield delta

    async def _frames(self, patience: Callable[[], float] = _heartbeat) -> AsyncGenerator[list[bytes]]:
        """Yields the frames of the answer as they come; none if none came within `patience()` seconds."""
        with closing(await follow(self._generation)) as subscription:
            while (frames := await subscription.next(patience())) is not None:
                yield frames

    def _reader(self, *, is_final: bool = False) -> ObjectReader:
        if self._wanted is None:
            raise TypeError("This answer is text. Ask for an object with start_chat(…, output=Type).")
        return ObjectReader(self._wanted, is_final=is_final)

    async def stop(self) -> StopAnswer:
        """Stops the answer. What arrived is stored."""
        return await stop(self.generation_id)

    async def result(self) -> Result:
        """Waits for the end and returns what was stored, whatever the status."""
        with closing(await subscribe(self.generation_id)) as subscription:
            while await subscription.next(settings.HEARTBEAT_SECONDS) is not None:
                pass
        return await in_database(load_result, self.generation_id, self._wanted)

    async def output(self) -> Any:
        """Waits for the end and returns the object.

        Raises:
            OutputInvalid: the answer is not the object that was asked for.
            GenerationError: the answer did not finish.
        """
        return (await self.result()).checked().output
