"""The provider of the benchmarks: it streams an answer in OpenAI's format, and runs in a process of its own.

    python -m benchmarks.provider PORT RATE

The name of the model in a request says how many tokens the answer has: `tokens-200`. RATE of them come each second.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
CHUNK = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1766084448,"model":"gpt-4o-2024-08-06",'
    b'"service_tier":"default","system_fingerprint":"fp_37d212baff","choices":[{"index":0,"delta":{"content":" word"},'
    b'"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"VNnjaeIH5xHKPt"}\n\n'
)
END = CHUNK.replace(b'{"content":" word"}', b"{}").replace(b'"finish_reason":null', b'"finish_reason":"stop"')
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


async def provide(port: int, rate: float) -> None:
    """Serves until it is killed. Connections are kept open, as a vendor's are."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while tokens := await _asked_tokens(reader):
            await _answer(writer, tokens, rate)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


async def _asked_tokens(reader: asyncio.StreamReader) -> int:
    """The number of tokens that the next request asks for; 0 after the last request."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.split(b":")[1]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0
    return int(json.loads(body)["model"].rpartition("-")[2])


async def _answer(writer: asyncio.StreamWriter, tokens: int, rate: float) -> None:
    writer.write(HEAD)
    began = time.monotonic()
    for number in range(1, tokens + 1):
        writer.write(_framed(CHUNK))
        await asyncio.sleep(max(0, began + number / rate - time.monotonic()))
    writer.write(_framed(END + b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@contextmanager
def provider(rate: float) -> Iterator[str]:
    """Runs the provider. Yields its base URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.provider", str(port), str(rate)], cwd=ROOT)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("The provider did not start.")


if __name__ == "__main__":
    asyncio.run(provide(int(sys.argv[1]), float(sys.argv[2])))
