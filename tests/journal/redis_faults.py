"""Faults of a Redis. Each function does one to the server, or to its data through a client."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from tests.backing import Backing

Fault = Callable[[Backing, redis.Redis], None]


def dies_for(seconds: float) -> Fault:
    """Kills the server and starts it again, empty."""

    def die(server: Backing, client: redis.Redis) -> None:
        server.kill()
        time.sleep(seconds)
        server.start()

    return die


def hangs_for(seconds: float) -> Fault:
    """Suspends the server: connections stay open, but nothing is answered."""

    def hang(server: Backing, client: redis.Redis) -> None:
        server.pause()
        time.sleep(seconds)
        server.resume()

    return hang


def is_flushed(server: Backing, client: redis.Redis) -> None:
    client.flushall()


def loses_its_oldest_entries(server: Backing, client: redis.Redis) -> None:
    """Removes all entries of each stream but the newest."""
    for key in client.scan_iter("streaming:*"):
        client.xtrim(key, maxlen=1, approximate=False)


def stays_away(server: Backing, client: redis.Redis) -> None:
    server.kill()
