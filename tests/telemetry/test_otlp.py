"""What leaves the process: OTLP over HTTP, sent by OpenTelemetry's own exporter and read by a collector."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import pytest
from asgiref.sync import sync_to_async

from streaming.models import Generation, Status
from streaming.supervisor import current
from streaming.telemetry import instruments
from streaming.telemetry.names import SECONDS
from streaming.testing import frames_of
from tests.engine import Script, load, submit
from tests.servers import free_port
from tests.stepwise import WEATHER, says
from tests.telemetry.collector import PATIENCE, Collector, attributes_of, collecting

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="needs opentelemetry-exporter-otlp-proto-http")
pytestmark = pytest.mark.usefixtures("engine", "site_tools")

SPANS = {
    ("streaming.submit", None),
    ("invoke_agent default", "streaming.submit"),
    ("streaming.step", "invoke_agent default"),
    ("chat scripted", "streaming.step"),
    ("execute_tool get_weather", "streaming.step"),
}


class Sender(NamedTuple):
    """The SDK of a site: it sends in threads of its own, as OpenTelemetry advises."""

    tracing: Any
    metering: Any

    def flush(self) -> None:
        self.tracing.force_flush(PATIENCE * 1000)
        self.metering.force_flush(PATIENCE * 1000)

    def close(self) -> None:
        """Sends the rest and ends the threads. A second call does nothing but warn."""
        self.tracing.shutdown()
        self.metering.shutdown()


@pytest.fixture
def sender(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sender]]:
    """Switches telemetry on and sends it to a URL, as in `sender(url, timeout=1)`."""
    from opentelemetry import metrics, trace

    made: list[Sender] = []

    def send_to(url: str, **options: Any) -> Sender:
        made.append(_sender(url, options))
        monkeypatch.setattr(trace, "get_tracer", made[-1].tracing.get_tracer)
        monkeypatch.setattr(metrics, "get_meter", made[-1].metering.get_meter)
        instruments._made.cache_clear()
        settings.STREAMING_TELEMETRY = True
        return made[-1]

    yield send_to
    settings.STREAMING_TELEMETRY = False
    instruments._made.cache_clear()
    for one in made:
        one.close()


def _sender(url: str, options: dict[str, Any]) -> Sender:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    wire = {"compression": Compression.Gzip, "timeout": PATIENCE} | options
    site = Resource.create({"service.name": "chat of a site"})
    tracing = TracerProvider(resource=site, shutdown_on_exit=False)
    tracing.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces", **wire), schedule_delay_millis=5)
    )
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/v1/metrics", **wire), export_interval_millis=1e6)
    return Sender(tracing, MeterProvider([reader], resource=site, shutdown_on_exit=False))


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


async def answered(settings: Any) -> Generation:
    """An answer of two steps with one tool call."""
    says(settings, ("Let me look.", (WEATHER,)), ("It rains.", ()))
    generation = await submit("Secret question?")
    await frames_of(generation.pk)
    await current().idle()
    return generation


async def test_collector_reads_the_spans_of_an_answer(
    settings: Any, collector: Collector, sender: Callable[..., Sender]
) -> None:
    site = sender(collector.url)
    generation = await answered(settings)
    await sync_to_async(site.flush)()
    spans = collector.spans()
    names = {span.span_id: span.name for span in spans}
    assert {(span.name, names.get(span.parent_span_id)) for span in spans} == SPANS
    assert len({span.trace_id for span in spans}) == 1
    assert all(0 < span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    told = {span.name: attributes_of(span) for span in spans}
    assert told["invoke_agent default"]["streaming.generation.id"] == str(generation.pk)
    assert told["chat scripted"]["gen_ai.response.finish_reasons"] == ("stop",)
    assert told["chat scripted"]["gen_ai.usage.input_tokens"] == 10
    assert {one["service.name"] for one in collector.resources()} == {"chat of a site"}
    assert {one.encoding for one in collector.received} == {"gzip"}
    sent = b"".join(one.message.SerializeToString() for one in collector.received)
    assert not [word for word in (b"Secret", b"rains", b"Let me", b"Oslo") if word in sent]


async def test_collector_reads_the_metrics_of_an_answer(
    settings: Any, collector: Collector, sender: Callable[..., Sender]
) -> None:
    site = sender(collector.url)
    await answered(settings)
    await sync_to_async(site.flush)()
    metrics = collector.metrics()
    (duration,) = metrics["gen_ai.client.operation.duration"].histogram.data_points
    assert (duration.count, tuple(duration.explicit_bounds)) == (2, SECONDS)
    assert metrics["gen_ai.client.operation.duration"].unit == "s"
    tokens = metrics["gen_ai.client.token.usage"].histogram.data_points
    assert {attributes_of(point)["gen_ai.token.type"]: point.count for point in tokens} == {"input": 2, "output": 2}
    assert [point.count for point in metrics["gen_ai.execute_tool.duration"].histogram.data_points] == [1]
    running = metrics["streaming.generations.running"]
    assert ([point.as_int for point in running.gauge.data_points], running.unit) == ([0], "{generation}")


async def test_nothing_is_lost_or_doubled_if_the_collector_refuses_twice(
    settings: Any, collector: Collector, sender: Callable[..., Sender]
) -> None:
    collector.statuses = [503, 429]
    site = sender(collector.url)
    await answered(settings)
    await sync_to_async(site.flush)()
    ids = [span.span_id for span in collector.spans()]
    assert (len(collector.refused), len(ids), len(set(ids))) == (2, 7, 7)


async def test_collector_that_never_answers_delays_no_answer(
    settings: Any, scripted: Script, collector: Collector, sender: Callable[..., Sender]
) -> None:
    collector.is_free.clear()
    sender(collector.url)
    first = await answered(settings)
    assert await asyncio.to_thread(collector.is_asked.wait, PATIENCE)
    scripted(text="one two three")
    second = await submit("And now?", key="c2")
    await frames_of(second.pk)
    await current().idle()
    told = list(collector.received)
    collector.is_free.set()
    assert {(await load(one)).status for one in (first, second)} == {Status.FINISHED}
    assert told == []


async def test_dead_collector_fails_no_answer(scripted: Script, sender: Callable[..., Sender]) -> None:
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    site = sender(f"http://127.0.0.1:{free_port()}", timeout=0.1)
    scripted(text="one two three")
    generation = await submit()
    await frames_of(generation.pk)
    await sync_to_async(site.flush)()
    stored = await load(generation)
    assert (stored.status, stored.message.text) == (Status.FINISHED, "one two three")


async def test_receiver_of_others_reads_it_too(settings: Any, sender: Callable[..., Sender]) -> None:
    """OtelTap is written in Rust, so another implementation of the protocol reads it. It does not read gzip."""
    oteltap = pytest.importorskip("oteltap", reason="needs the receiver OtelTap")
    from opentelemetry.exporter.otlp.proto.http import Compression

    port = free_port()
    async with oteltap.OtelTapHttpProtobufReceiver(oteltap.OtelTapHttpProtobufReceiverSettings(http_port=port)) as tap:
        site = sender(f"http://127.0.0.1:{port}", compression=Compression.NoCompression)
        wait: Callable[..., Awaitable[Any]] = functools.partial(tap.await_trace, timeout=PATIENCE)
        awaited = asyncio.gather(
            wait(lambda span: span.name == "invoke_agent default"),
            wait(lambda span: span.name == "execute_tool get_weather"),
            tap.await_metric(lambda metric: metric.name == "gen_ai.client.token.usage", timeout=PATIENCE),
        )
        generation = await answered(settings)
        await sync_to_async(site.flush)()
        whole, tool, tokens = await awaited
        await sync_to_async(site.close)()
    assert attributes_of(whole)["streaming.generation.id"] == str(generation.pk)
    assert tool.trace_id == whole.trace_id
    assert sum(point.count for point in tokens.histogram.data_points) == 4
