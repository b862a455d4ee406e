"""An opinion: what the owner of a conversation thinks of an answer, as a client sends it."""

from __future__ import annotations

from typing import Literal

import msgspec


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """A thumb and a comment, which may be empty. Other keys are ignored."""

    thumb: Literal["up", "down"]
    comment: str = ""
