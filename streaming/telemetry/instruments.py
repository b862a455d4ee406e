"""The tracer and the meters of this process, made when they are first used."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.core.signals import setting_changed

from streaming.conf import settings
from streaming.telemetry.names import GAUGES, LATEST, METRICS, OPERATION, SECONDS, SPANS, TOKEN_TYPE, TOKENS

NAME = "django-llm-streaming"


class Instruments:
    """The tracer and the meter. The site configures where they send to, by OpenTelemetry's own settings."""

    def __init__(self) -> None:
        from opentelemetry import context, metrics, trace

        self.trace = trace
        self.context = context
        self.tracer = trace.get_tracer(NAME)
        self._meter = metrics.get_meter(NAME)
        self._observation = metrics.Observation
        self._histograms: dict[str, Any] = {}
        self._observed: set[str] = set()

    def histogram(self, name: str) -> Any:
        """Returns the histogram with our name `name`."""
        metric = METRICS[name]
        public = metric.latest if settings.TELEMETRY_NAMES == LATEST else metric.released
        if public not in self._histograms:
            bounds = TOKENS if metric.is_tokens else SECONDS
            self._histograms[public] = self._meter.create_histogram(
                public, unit=metric.unit, explicit_bucket_boundaries_advisory=bounds
            )
        return self._histograms[public]

    def observe(self, name: str, value: Callable[[], float]) -> None:
        """Lets OpenTelemetry read `value` whenever it collects. A second `value` of the name changes nothing."""
        if name in self._observed:
            return
        self._observed.add(name)
        public, unit = GAUGES[name]
        self._meter.create_observable_gauge(public, callbacks=[lambda _: [self._observation(value())]], unit=unit)


@functools.cache
def _made() -> Instruments:
    return Instruments()


def instruments() -> Instruments | None:
    """Returns the instruments of this process; None if the site has not switched telemetry on."""
    return _made() if settings.TELEMETRY else None


def measure(name: str, value: float | None, kind: str, **labels: str | None) -> None:
    """Adds a value to the histogram with our name `name`. None adds nothing. `kind` is a kind of spans."""
    found = instruments()
    if found is None or value is None:
        return
    attributes = {label: text for label, text in labels.items() if text}
    if METRICS[name].is_tokens and settings.TELEMETRY_NAMES != LATEST:
        attributes[TOKEN_TYPE] = name
    found.histogram(name).record(value, {OPERATION: SPANS[kind].operation} | attributes)


def watch(**values: Callable[[], float]) -> None:
    """Lets OpenTelemetry read each of the values, which are named as in `GAUGES`. Any thread may read them."""
    if found := instruments():
        for name, value in values.items():
            found.observe(name, value)


def here() -> Any:
    """Returns OpenTelemetry's context of the caller, as the parent of a later span; None without telemetry."""
    found = instruments()
    return found.context.get_current() if found else None


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting.startswith("STREAMING_TELEMETRY"):
        _made.cache_clear()


setting_changed.connect(_forget)
