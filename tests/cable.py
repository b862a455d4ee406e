"""A cable between clients and a server: a TCP relay that can be cut and that can be slow.

    async with Cable(site) as cable:                    # cable.url leads to the site
        cable.cut(); cable.mend()                       # resets all connections; accepts connections again
    async with Cable(site, faults=[Fault(cut_at=900), Fault(slice=3, latency=0.01)]) as cable:
        …                                               # faults of the first and second connection; others have none

A cable with several sites tries them in turn until one accepts the connection, as a load balancer does. A cable can
lead to any server that has a `port`.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple, Protocol, Self

READ_BYTES = 65536


class Fault(NamedTuple):
    """The changes that one connection makes to the bytes that the site sends.

    It is cut after `cut_at` bytes, with a FIN, or with a RST if `by_reset` is True. Pieces have at most `slice` bytes
    and arrive `latency` seconds late. At most `rate` bytes arrive in a second.
    """

    cut_at: int | None = None
    by_reset: bool = False
    latency: float = 0
    slice: int = READ_BYTES
    rate: float = math.inf


GOOD = Fault()


class Target(Protocol):
    @property
    def port(self) -> int: ...


class Cable:
    """A relay whose `url` leads to a site until `cut`, and again after `mend`. Each connection uses up one fault."""

    def __init__(self, *targets: Target, faults: Iterable[Fault] = ()) -> None:
        self.cuts = 0
        self._targets = [target.port for target in targets]
        self._faults = iter(faults)
        self._is_cut = False
        self._ends: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=1024)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self.cut()
        self._server.close()

    def cut(self) -> None:
        """Resets all connections, and each new one until `mend`."""
        self._is_cut = True
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = None if self._is_cut else await self._connect()
        if far is None:
            writer.transport.abort()
            return
        far_reader, far_writer = far
        ends = {writer, far_writer}
        self._ends |= ends
        ways = _relay(reader, far_writer), self._deliver(far_reader, writer, next(self._faults, GOOD))
        # asyncio's streams report a cancelled task as an error, so this task must not end as cancelled.
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*ways, return_exceptions=True)
        self._ends -= ends
        for end in ends:
            end.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for target in list(self._targets):
            with suppress(OSError):
                found = await asyncio.open_connection("127.0.0.1", target)
                self._targets.append(self._targets.pop(0))
                return found
            self._targets.append(self._targets.pop(0))
        return None

    async def _deliver(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault) -> None:
        left = math.inf if fault.cut_at is None else fault.cut_at
        while data := await reader.read(fault.slice):
            await asyncio.sleep(fault.latency + len(data) / fault.rate)
            writer.write(data[: int(min(left, len(data)))])
            left -= len(data)
            if left <= 0:
                self.cuts += 1
                await _end(writer, fault)
                return
            await writer.drain()
        writer.close()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(READ_BYTES):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _end(writer: asyncio.StreamWriter, fault: Fault) -> None:
    """Closes a connection with a FIN after the written bytes, or at once with a RST (a linger time of zero)."""
    if fault.by_reset:
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return
    writer.close()
