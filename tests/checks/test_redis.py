"""The checks of Redis and of channel layers."""

from __future__ import annotations

import pytest
from django.core.checks import Error, Warning

from tests.checks import messages


@pytest.mark.parametrize("url", ["localhost", "http://cache:6379", "redis://cache:99999", "redis://cache/nine"])
def test_unusable_redis_url_is_an_error(url):
    assert messages(STREAMING_REDIS_URL=url) == [
        Error(
            "STREAMING_REDIS_URL is not the address of a Redis server.",
            hint="Write redis://host:6379/0, rediss://host:6379/0 for TLS, or unix:///path/to/socket.",
            id="streaming.E040",
        )
    ]


@pytest.mark.parametrize(
    "url",
    ["redis://cache", "redis://:pass%40word@cache:6380/2", "rediss://cache:6379/0?ssl_cert_reqs=none", "unix:///r"],
)
def test_usable_redis_url_is_fine(url):
    assert messages(STREAMING_REDIS_URL=url) == []


def test_missing_redis_package_is_an_error(monkeypatch):
    monkeypatch.setattr("streaming.checks.redis.find_spec", lambda name: None)
    assert messages() == []
    assert messages(STREAMING_REDIS_URL="redis://cache") == [
        Error(
            "STREAMING_REDIS_URL is set, but the package 'redis' is not installed.",
            hint='Run: pip install "django-llm-streaming[redis]", or remove the setting: the database is enough.',
            id="streaming.E041",
        )
    ]


PATIENT = {"address": "redis://cache", "socket_timeout": None}


@pytest.mark.parametrize("config", [{}, {"hosts": ["redis://cache"]}, {"hosts": [PATIENT, {"address": "redis://b"}]}])
def test_channel_layer_that_loses_idle_consumers_is_a_warning(monkeypatch, config):
    monkeypatch.setattr("streaming.checks.redis.version", {"redis": "8.1.0"}.__getitem__)
    layer = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}
    assert messages(CHANNEL_LAYERS={"default": layer}) == [
        Warning(
            "The channel layer 'default' loses consumers that are idle for 5 seconds, with redis 8 or newer.",
            hint='Set "hosts": [{"address": "redis://…", "socket_timeout": None}] in its CONFIG, '
            "or use channels_redis.pubsub.RedisPubSubChannelLayer.",
            id="streaming.W042",
        )
    ]
    monkeypatch.setattr("streaming.checks.redis.version", {"redis": "7.4.0"}.__getitem__)
    assert messages(CHANNEL_LAYERS={"default": layer}) == []


@pytest.mark.parametrize(
    "layer",
    [
        {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [PATIENT]}},
        {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"},
        {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    ],
)
def test_other_channel_layers_are_fine(layer):
    assert messages(CHANNEL_LAYERS={"default": layer}) == []
