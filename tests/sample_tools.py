"""Tools for tests, as a site would write them. `CALLS` has the name and arguments of each call."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from typing import Annotated, Any

import msgspec
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from streaming.models import Conversation
from streaming.protocol import ToolSpec
from streaming.tools import ToolContext, ToolError, tool

CALLS: list[tuple[str, dict[str, Any]]] = []
STUCK = threading.Event()


class Place(msgspec.Struct):
    city: str
    country: str = "NO"


@tool
async def get_weather(city: str, days: Annotated[int, msgspec.Meta(description="How far ahead.", ge=1)] = 1) -> Any:
    """The weather of a city."""
    CALLS.append(("get_weather", {"city": city, "days": days}))
    await asyncio.sleep(0.05)
    return {"city": city, "days": days, "sky": "clear"}


@tool
def find_place(place: Place, context: ToolContext) -> str:
    """Finds a place."""
    CALLS.append(("find_place", {"city": place.city, "owner": context.owner.key, "call": context.call_id}))
    return f"{place.city}, {place.country}"


@tool(needs_approval=True, live_fields=["body"])
def send_mail(to: str, body: str) -> str:
    """Send a mail."""
    CALLS.append(("send_mail", {"to": to, "body": body}))
    return "sent"


@tool(name="pay", needs_approval=lambda arguments: arguments["amount"] > 10)
async def pay_somebody(amount: int) -> str:
    """Pay an amount."""
    CALLS.append(("pay", {"amount": amount}))
    return "paid"


@tool(name="tip", needs_approval=lambda given: given["amount"] > 10)
def tips_somebody(amount: int = 100) -> str:
    """Give a tip."""
    CALLS.append(("tip", {"amount": amount}))
    return "given"


@tool(name="looks_up", needs_approval=lambda given: not Conversation.objects.filter(title=given["title"]).exists())
def looks_something_up(title: str) -> str:
    """Looks something up. Its rule of approval asks the database."""
    CALLS.append(("looks_up", {"title": title}))
    return "found"


@tool
def tells_why() -> str:
    """Fails, and says why."""
    raise ToolError("The printer is out of paper.")


@tool
def fails() -> str:
    """Fails, and says nothing."""
    raise RuntimeError("secret-of-the-site")


@tool(seconds=0.2)
async def takes_long() -> None:
    """Takes long."""
    await asyncio.sleep(30)


@tool(seconds=0.2)
def hangs() -> None:
    """Hangs in its thread."""
    STUCK.wait(20)


@tool
def exits() -> str:
    """Exits, as code for a command line does."""
    sys.exit("usage: exits")


@tool
async def exits_the_loop() -> str:
    """Is the same kind of code, but async."""
    sys.exit("usage: exits")


@tool
def has_nothing_next() -> str:
    """Raises StopIteration."""
    return str(next(iter([])))


class Panic(BaseException):
    """An exception like the one that extensions written in Rust raise."""


@tool
def panics() -> str:
    """Panics."""
    raise Panic


@tool
def gives_django_texts() -> dict[str, Any]:
    """Gives texts of templates and translations."""
    return {"safe": mark_safe("<b>"), "lazy": gettext_lazy("Yes"), "list": [gettext_lazy("No")]}


@tool
async def waits() -> str:
    """Works until it is told to end."""
    CALLS.append(("waits", {}))
    await asyncio.sleep(30)
    return "done"


@tool
def gives_too_much() -> str:
    """Gives too much."""
    return "x" * 1_000_000


@tool
def gives_no_json() -> object:
    """Gives something that is not JSON."""
    return object()


@tool
def gives_nested(levels: int) -> list[object]:
    """Gives a list in a list in a list."""
    value: list[object] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@tool
def slow_count() -> int:
    """Records when it begins and ends."""
    CALLS.append(("began", {"at": time.monotonic()}))
    time.sleep(0.1)
    CALLS.append(("ended", {"at": time.monotonic()}))
    return 1


@tool
def order__status() -> str:
    """Tells where an order is. Its name looks like the name of an MCP server's tool."""
    return "here"


ask_location = ToolSpec(
    name="ask_location",
    description="Where the person is. Their browser answers.",
    parameters={"type": "object", "properties": {}},
)
