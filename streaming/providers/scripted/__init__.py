"""The scripted provider needs no model: it replays a script or a recording as real wire bytes of any dialect.

`provider` reads the script, its speed and its faults from the options; `wire` writes the bytes.
"""

from __future__ import annotations

from streaming.providers.scripted.provider import Scripted
from streaming.providers.scripted.wire import Script, ScriptedCall, wire

__all__ = ["Script", "Scripted", "ScriptedCall", "wire"]
