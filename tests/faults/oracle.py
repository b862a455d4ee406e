"""The oracle: a provider whose answer is known beforehand, because the prompt contains it.

An `Order` is sent as the prompt, in JSON. The same order gives the same text, byte for byte, in every process and every
run. The oracle records its requests and how much it has sent.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import Any, Literal

import msgspec

from streaming.providers.scripted import Script, wire
from tests.peers import CUT, HANG, Peer, Reply, Request, Step

# Text that has caused bugs in other software: wide, joined and right-to-left characters, quotes, escapes, line ends.
ALPHABET = (
    *"abc xyz.,",
    "ä",
    "ß",
    "世",
    "界",
    "🎉",
    "👩\u200d🚀",
    "e\u0301",
    "ש",
    '"',
    "\\",
    "\n",
    "\r\n",
    "\u2028",
    "<b>",
    "\t",
)


Trouble = Literal["", "busy", "cut", "silent", "waits"]
BUSY = Reply([b'{"error": {"message": "Not now.", "type": "rate_limit_error"}}'], 429, {"retry-after": "1"})


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that a prompt asks for, in the conversation `key`.

    It has `events` pieces of text, `delay` seconds apart, each `width` times as long as usual. `trouble` is `busy`
    (only the first time), `cut` or `silent` (in the middle), or `waits` (the end waits until the oracle is told).
    """

    key: str
    seed: int
    events: int = 200
    delay: float = 0.005
    trouble: Trouble = ""
    width: int = 1

    @classmethod
    def by(cls, chance: random.Random, **fields: Any) -> Order:
        """Makes an order with a new key, even if the same random numbers are used again on the same site."""
        return cls(key=uuid.uuid4().hex, seed=chance.getrandbits(32), **fields)

    @property
    def prompt(self) -> str:
        return msgspec.json.encode(self).decode()

    @property
    def pieces(self) -> list[str]:
        chance = random.Random(self.seed)
        return ["".join(chance.choices(ALPHABET, k=chance.randint(1, 8))) * self.width for _ in range(self.events)]

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def steps(self, gate: asyncio.Event) -> list[Step]:
        """The reply's wire pieces, with the pauses between them."""
        steps: list[Step] = []
        for piece in wire("openai-chat", Script(model="oracle", text=tuple(self.pieces), input_tokens=7)):
            steps += [piece, self.delay]
        half, text = len(steps) // 2, 2 * (1 + self.events)
        troubles: dict[str, list[Step]] = {
            "cut": [*steps[:half], CUT],
            "silent": [*steps[:half], HANG],
            "waits": [*steps[:text], gate, *steps[text:]],
        }
        return troubles.get(self.trouble, steps)


class Oracle(Peer):
    """A peer that answers all orders, any number at the same time. Those that wait, wait for `gate`."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.gate = asyncio.Event()

    def reply_to(self, request: Request) -> Reply:
        order = order_in(request)
        is_busy = order.trouble == "busy" and len(self.asked_for(order.key)) == 1
        return BUSY if is_busy else Reply(order.steps(self.gate))

    def asked_for(self, key: str) -> list[Request]:
        """The calls for this conversation."""
        return [request for request in self.requests if order_in(request).key == key]


def order_in(request: Request) -> Order:
    messages: list[dict[str, Any]] = request.json["messages"]
    return msgspec.json.decode(messages[-1]["content"], type=Order)


def said(request: Request) -> str:
    """The text that the oracle has sent. The first piece on the wire is the role."""
    return "".join(order_in(request).pieces[: max(len(request.sent) - 1, 0)])
