"""What may happen to a Redis; each is done to the server, or through a client of its own."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from tests.backing import Backing

Misfortune = Callable[[Backing, redis.Redis], None]


def dies_for(seconds: float) -> Misfortune:
    """Killed, and back empty."""

    def die(server: Backing, client: redis.Redis) -> None:
        server.kill()
        time.sleep(seconds)
        server.start()

    return die


def hangs_for(seconds: float) -> Misfortune:
    """Its connections stay open, and nobody answers."""

    def hang(server: Backing, client: redis.Redis) -> None:
        server.pause()
        time.sleep(seconds)
        server.resume()

    return hang


def is_flushed(server: Backing, client: redis.Redis) -> None:
    client.flushall()


def loses_its_head(server: Backing, client: redis.Redis) -> None:
    """Only the newest entry of each stream is left."""
    for key in client.scan_iter("streaming:*"):
        client.xtrim(key, maxlen=1, approximate=False)


def stays_away(server: Backing, client: redis.Redis) -> None:
    server.kill()
