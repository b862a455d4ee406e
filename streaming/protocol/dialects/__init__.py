"""The wire dialects: what providers send, and what they want to be sent.

Each dialect is one package and one entry in `DIALECTS`: the class that reads its streams, and the function that
writes its request bodies. `encode` writes the body of a request in a dialect.
"""

from __future__ import annotations

from streaming.protocol.dialects.registry import DIALECTS, Dialect, DialectName, DialectStream, encode

__all__ = ["DIALECTS", "Dialect", "DialectName", "DialectStream", "encode"]
