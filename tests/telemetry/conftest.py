"""OpenTelemetry with exporters in memory."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest


class Collected(NamedTuple):
    """Everything that OpenTelemetry has received."""

    exporter: Any
    reader: Any

    def spans(self) -> dict[str, Any]:
        """The finished spans by name."""
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def metrics(self) -> dict[str, list[Any]]:
        """The data points of each metric by name."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}


@functools.cache
def _providers() -> Collected:
    """Sets the process's providers, which OpenTelemetry allows once."""
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    collected = Collected(InMemorySpanExporter(), InMemoryMetricReader())
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(collected.exporter))
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(MeterProvider([collected.reader]))
    return collected


@pytest.fixture
def collected(settings: Any) -> Iterator[Collected]:
    """Switches telemetry on."""
    pytest.importorskip("opentelemetry.sdk")
    providers = _providers()
    providers.exporter.clear()
    settings.STREAMING_TELEMETRY = True
    yield providers
    providers.exporter.clear()
