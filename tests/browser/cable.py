"""A cable between browser and site that can be cut: a TCP relay on a port of its own."""

from __future__ import annotations

import asyncio
from typing import Self

from tests.servers import Site


class Cable:
    """`url` leads to `site` until `cut`, and again after `mend`."""

    def __init__(self, site: Site) -> None:
        self._target = site.port
        self._is_cut = False
        self._ends: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self.cut()
        self._server.close()

    def cut(self) -> None:
        """Reset every connection, and new ones as they come."""
        self._is_cut = True
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._ends |= {writer, far_writer}
        await asyncio.gather(_relay(reader, far_writer), _relay(far_reader, writer), return_exceptions=True)
        self._ends -= {writer, far_writer}


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
