"""`/streaming/health` for load balancers and `/streaming/metrics` for Prometheus, in its text format.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path

from streaming.conf import settings
from streaming.errors import NotFound
from streaming.views.unowned import unowned
from streaming.views.vitals import Vitals, vitals

TEXT = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, str], float]
"""The labels of a value, and the value."""


class Gauge(NamedTuple):
    """One metric: its meaning, and how its samples are read. Only operators see those that are not `is_public`."""

    meaning: str
    samples: Callable[[Vitals], list[Sample]]
    is_public: bool = False


def _one(value: float | None) -> list[Sample]:
    return [] if value is None else [({}, value)]


def _each(found: Vitals, value: Callable[[str], float]) -> list[Sample]:
    return [({"provider": alias}, value(alias)) for alias in found.providers]


OPEN = {"closed": 0.0, "half-open": 0.5, "open": 1.0}
"""The state of a breaker -> its value."""

GAUGES = {
    "streaming_up": Gauge("1 if this process takes requests.", lambda it: _one(it.is_well), is_public=True),
    "streaming_draining": Gauge(
        "1 while this process prepares its end.", lambda it: _one(it.is_draining), is_public=True
    ),
    "streaming_database_up": Gauge(
        "1 if the database answers.", lambda it: _one(it.database_seconds is not None), is_public=True
    ),
    "streaming_database_seconds": Gauge(
        "The time of one question to the database.", lambda it: _one(it.database_seconds)
    ),
    "streaming_journal_lag_seconds": Gauge(
        "The time for which frames of this process wait to be stored.", lambda it: _one(it.journal_lag_seconds)
    ),
    "streaming_running_generations": Gauge("Answers that this process writes.", lambda it: _one(it.running)),
    "streaming_active_generations": Gauge("Answers that all processes write.", lambda it: _one(it.active)),
    "streaming_open_streams": Gauge(
        "Streams and sockets that clients have open in this process.", lambda it: _one(it.open_streams)
    ),
    "streaming_provider_up": Gauge(
        "0 if the provider could not be reached when it was last asked, by any process.",
        lambda it: _each(it, lambda alias: it.providers[alias].is_up),
    ),
    "streaming_provider_seen_seconds": Gauge(
        "The time since then.", lambda it: _each(it, lambda alias: it.providers[alias].age)
    ),
    "streaming_breaker_open": Gauge(
        "1 if this process leaves the provider alone because it failed too often, 0.5 if one request may try it.",
        lambda it: [({"provider": alias}, OPEN[state]) for alias, state in it.breakers.items()],
    ),
}
"""The metrics by name."""


@unowned
async def health(request: HttpRequest) -> HttpResponseBase:
    """Answers 200 if this process takes requests, and 503 while it drains or has no database."""
    found = await vitals()
    return _response(request, found, status=200 if found.is_well else 503)


@unowned
async def metrics(request: HttpRequest) -> HttpResponseBase:
    """Answers 200 with all metrics, also while the process drains."""
    if not _is_operator(request):
        raise NotFound("There is nothing here.")
    return _response(request, await vitals(), status=200)


def _response(request: HttpRequest, found: Vitals, *, status: int) -> HttpResponse:
    shown = {name: one for name, one in GAUGES.items() if one.is_public or _is_operator(request)}
    if request.get_preferred_type([TEXT.partition(";")[0], "application/json"]) == "application/json":
        return JsonResponse({name: _as_json(one.samples(found)) for name, one in shown.items()}, status=status)
    text = "".join(line for name, one in shown.items() for line in _lines(name, one.meaning, one.samples(found)))
    return HttpResponse(text, status=status, content_type=TEXT)


def _is_operator(request: HttpRequest) -> bool:
    """Returns True if the request has the site's token, as `Authorization: Bearer …`.

    The name of a scheme has no case, and one or more spaces follow it (RFC 9110, sections 11.1 and 11.4).
    """
    token = settings.METRICS_TOKEN
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_given = hmac.compare_digest(given.strip(" ").encode(), token.encode())
    return bool(token) and scheme.lower() == "bearer" and is_given


def _lines(name: str, meaning: str, samples: list[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}\n# TYPE {name} gauge\n"
    for labels, value in samples:
        told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{told}}} {float(value):g}\n" if told else f"{name} {float(value):g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _as_json(samples: list[Sample]) -> float | dict[str, float] | None:
    """Returns the one value, the values by their label, or None."""
    if any(labels for labels, _ in samples):
        return {" ".join(labels.values()): float(value) for labels, value in samples}
    return float(samples[0][1]) if samples else None


health_patterns = [
    path("streaming/health", health, name="health"),
    path("streaming/metrics", metrics, name="metrics"),
]
