"""Incremental JSON: it reads a value while the value streams, and shows its strings while they grow.

`JSONScanner` takes text, cut anywhere, and returns how each string grew. It never raises: `error` says what is wrong.
"""

from __future__ import annotations

from streaming.protocol.json_scanner.scanner import JSONError, JSONScanner, StringDelta

__all__ = ["JSONError", "JSONScanner", "StringDelta"]
