"""A process of a site in which one owner sends messages and files at once. `tests/intake/test_crowd.py` starts three.

It prints "ready", waits for a line on standard input, and then prints how many messages and files were accepted.
"""

from __future__ import annotations

import asyncio
import sys
import uuid

import django

django.setup()

from streaming.errors import TooLarge, TooManyRequests  # noqa: E402
from streaming.files import keep  # noqa: E402
from streaming.files.uploads import Upload  # noqa: E402
from streaming.intake import Submission  # noqa: E402
from streaming.models import Owner  # noqa: E402
from streaming.supervisor import current  # noqa: E402

ALICE = Owner.of_visitor("alice")
AT_ONCE = 6


async def act() -> None:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    asked = await asyncio.gather(*(_ask() for _ in range(AT_ONCE)))
    kept = await asyncio.gather(*(_keep(number) for number in range(AT_ONCE)))
    print(sum(asked), sum(kept), flush=True)
    await asyncio.to_thread(sys.stdin.readline)  # the answers must run until all processes have asked


async def _ask() -> bool:
    try:
        await current().submit(ALICE, Submission(key=uuid.uuid4().hex, prompt="Hi"))
    except TooManyRequests:
        return False
    return True


async def _keep(number: int) -> bool:
    try:
        await keep(ALICE, Upload(b"x" * 100, "text/plain", f"{number}.txt"))
    except TooLarge:
        return False
    return True


asyncio.run(act())
