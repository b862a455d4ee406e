"""The wire dialects: how each kind of provider words its answers, and how it wants to be asked.

Each dialect is one package with one entry in `DIALECTS`: the class that reads its streams and the function that
writes its request bodies. `encode` writes the body of a request in the dialect of a given name.
"""

from __future__ import annotations

from streaming.protocol.dialects.registry import DIALECTS, Dialect, encode

__all__ = ["DIALECTS", "Dialect", "encode"]
