"""Checks the site's use of Redis: the app's own setting, and the site's channel layers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning

from streaming.conf import install, settings

SCHEMES = ("redis", "rediss", "unix")
CORE_LAYER = "channels_redis.core.RedisChannelLayer"


def check_redis(**kwargs: Any) -> list[CheckMessage]:
    """Checks `STREAMING_REDIS_URL`, the package `redis`, and `CHANNEL_LAYERS`."""
    return [*_unusable_url(), *_missing_package(), *_impatient_layers()]


def _unusable_url() -> Iterator[CheckMessage]:
    url = settings.REDIS_URL
    if url and not _is_usable(url):
        # The message does not repeat the URL, because it may contain a password.
        yield Error(
            "STREAMING_REDIS_URL is not the address of a Redis server.",
            hint="Write redis://host:6379/0, rediss://host:6379/0 for TLS, or unix:///path/to/socket.",
            id="streaming.E040",
        )


def _is_usable(url: str) -> bool:
    try:
        split = urlsplit(url)
        database = split.path.removeprefix("/")
        return split.scheme == "unix" or (
            split.scheme in SCHEMES and split.port != 0 and (not database or database.isdecimal())
        )
    except ValueError:
        return False


def _missing_package() -> Iterator[CheckMessage]:
    if settings.REDIS_URL and find_spec("redis") is None:
        yield Error(
            "STREAMING_REDIS_URL is set, but the package 'redis' is not installed.",
            hint=f"{install('redis')}, or remove the setting: the database is enough.",
            id="streaming.E041",
        )


def _impatient_layers() -> Iterator[CheckMessage]:
    # Measured: the core layer's BZPOPMIN waits for 5 s, and redis-py 8 has a socket timeout of 5 s. A consumer that
    # gets no message for so long dies. This app uses no layer, but it would be blamed.
    if _major("redis") < 8:
        return
    layers: Any = getattr(django_settings, "CHANNEL_LAYERS", {})
    for alias, layer in layers.items():
        if layer.get("BACKEND") == CORE_LAYER and not all(map(_is_patient, _hosts(layer))):
            yield Warning(
                f"The channel layer {alias!r} loses consumers that are idle for 5 seconds, with redis 8 or newer.",
                hint='Set "hosts": [{"address": "redis://…", "socket_timeout": None}] in its CONFIG, '
                "or use channels_redis.pubsub.RedisPubSubChannelLayer.",
                id="streaming.W042",
            )


def _hosts(layer: dict[str, Any]) -> list[Any]:
    hosts = layer.get("CONFIG", {}).get("hosts") or ["the default"]
    return list(hosts) if isinstance(hosts, (list, tuple)) else [hosts]


def _is_patient(host: Any) -> bool:
    return isinstance(host, dict) and "socket_timeout" in host and host["socket_timeout"] is None


def _major(package: str) -> int:
    try:
        return int(version(package).partition(".")[0])
    except PackageNotFoundError:
        return 0
