"""A provider without a model: it replays a script or a recording as the real wire bytes of any dialect.

`provider` chooses what to replay, how fast and with which faults; `wire` writes the bytes.
"""

from __future__ import annotations

from streaming.providers.scripted.provider import Scripted
from streaming.providers.scripted.wire import Script, ScriptedCall, wire

__all__ = ["Script", "Scripted", "ScriptedCall", "wire"]
