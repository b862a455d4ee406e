"""A collector: an HTTP server that reads OpenTelemetry's protocol (OTLP) by its official protobuf definitions."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PATIENCE = 20
"""The seconds that a test waits for the collector at most."""


class Received(NamedTuple):
    """One request. `message` is an `ExportTraceServiceRequest` or an `ExportMetricsServiceRequest`."""

    path: str
    encoding: str
    message: Any


class Collector:
    """Keeps every request that it has answered with 200. `statuses` are the answers to the next requests."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.received: list[Received] = []
        self.refused: list[Received] = []
        self.is_free = threading.Event()
        """While it is not set, each request waits for its answer."""
        self.is_asked = threading.Event()
        self.is_free.set()
        self.url = ""

    def spans(self) -> list[Any]:
        """The spans."""
        groups = (group for one in self._of("/v1/traces") for group in one.resource_spans)
        return [span for group in groups for scope in group.scope_spans for span in scope.spans]

    def metrics(self) -> dict[str, Any]:
        """The last value of each metric by its name."""
        groups = (group for one in self._of("/v1/metrics") for group in one.resource_metrics)
        return {metric.name: metric for group in groups for scope in group.scope_metrics for metric in scope.metrics}

    def resources(self) -> list[dict[str, Any]]:
        """The attributes of the resources that have sent spans."""
        return [attributes_of(group.resource) for one in self._of("/v1/traces") for group in one.resource_spans]

    def _of(self, path: str) -> list[Any]:
        return [one.message for one in self.received if one.path == path]


def attributes_of(holder: Any) -> dict[str, Any]:
    """Returns the attributes of a span, a data point or a resource."""
    return {pair.key: _value(pair.value) for pair in holder.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    found = getattr(value, kind)
    return tuple(_value(one) for one in found.values) if kind == "array_value" else found


@contextmanager
def collecting() -> Iterator[Collector]:
    """Runs a collector on a port of its own."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    requests = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            encoding = self.headers.get("Content-Encoding", "")
            message = requests[self.path].FromString(gzip.decompress(body) if encoding == "gzip" else body)
            collector.is_asked.set()
            collector.is_free.wait(PATIENCE)
            status = collector.statuses.pop(0) if collector.statuses else 200
            kept = collector.received if status == 200 else collector.refused
            kept.append(Received(self.path, encoding, message))
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield collector
    finally:
        collector.is_free.set()
        server.shutdown()
        server.server_close()
