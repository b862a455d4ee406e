"""Measures how a conversation of 2,000 messages opens: the CPU time of this process, and the bytes, for each request.

    python -m benchmarks.long_conversation [--messages 2000] [--runs 15]

Each figure is the median of `runs` requests of one signed-in person, after two that warm the process up. It includes
the client's share. Half of the messages are answers with Markdown. The database is SQLite, in a temporary file.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=2000)
    options.add_argument("--runs", type=int, default=15)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        os.environ["TEST_DATABASE"] = str(Path(directory) / "db.sqlite3")
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        asyncio.run(_measure(chosen.messages, chosen.runs))


async def _measure(messages: int, runs: int) -> None:
    from asgiref.sync import sync_to_async
    from django.contrib.auth import get_user_model
    from django.test import AsyncClient

    client = AsyncClient()
    ada = await sync_to_async(get_user_model().objects.create_user)("ada")
    await client.aforce_login(ada)
    middle = await sync_to_async(_store)(ada, messages)
    addresses = {
        "the page": "/chat/long/",
        "the page, 50 messages from the middle": f"/chat/long/?before={middle}",
        "GET api/chat/<id>?limit=50": "/api/chat/long?limit=50",
        "GET api/chat/<id>?limit=50&before=<the middle>": f"/api/chat/long?limit=50&before={middle}",
        "GET api/chat/<id>, all of it": "/api/chat/long",
    }
    for name, address in addresses.items():
        costs, size = [], 0
        for _ in range(runs + 2):
            began = time.process_time()
            response = await client.get(address)
            costs.append(1000 * (time.process_time() - began))
            assert response.status_code == 200, response.content
            size = len(response.content)
        print(f"{name:48} {statistics.median(costs[2:]):6.0f} ms {size / 1000:8.0f} kB")


def _store(user: Any, count: int) -> str:
    """Stores the conversation and returns the id of its middle message."""
    from streaming.models import Conversation, Owner
    from tests.long_ones import lengthen

    owner = Owner.of_user(user.pk)
    conversation = Conversation.objects.create(key="long", owner_key=owner.key, user=user, title="A long one")
    return lengthen(conversation, count)[count // 2].public_id


if __name__ == "__main__":
    main()
