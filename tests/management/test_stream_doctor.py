"""`manage.py stream_doctor`, without a server: the app alone, and the site's middleware."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.core.management import CommandError, call_command
from django.test import AsyncClient

from streaming.management.doctor import Measurement, findings, layers
from streaming.management.doctor.measurement import MAX_LINE_BYTES
from streaming.views.probe import SALT, Plan
from tests.management.commands import run
from tests.responses import body_of

NOWHERE = "http://127.0.0.1:9"

# A view gives its thread's connection back, which another test may have opened.
pytestmark = pytest.mark.django_db


def diagnosed(capture: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The layers of a diagnosis by name. Nobody listens at the site's address."""
    with pytest.raises(CommandError, match="does not arrive as it is sent"):
        call_command("stream_doctor", NOWHERE, "--json", *arguments)
    return {layer["layer"]: layer for layer in json.loads(capture.readouterr().out)["layers"]}


def codes(layer: dict[str, Any]) -> list[str]:
    return [one["code"] for one in layer["findings"]]


def test_well_stream_has_no_findings(capsys: pytest.CaptureFixture[str]) -> None:
    layers = diagnosed(capsys)
    assert codes(layers["app"]) == codes(layers["middleware"]) == []
    assert layers["app"]["frames"] == layers["middleware"]["frames"] == 8
    assert codes(layers["site"]) == ["unreachable"]
    assert "ConnectionRefusedError" in layers["site"]["findings"][0]["text"]
    assert layers["site"]["advice"] == "Start the site, or give the address at which it runs."


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("buffers", ["buffered"]),
        ("compresses", ["compressed"]),
        ("cuts", ["cut"]),
        ("delays", ["slow"]),
        ("redirects", ["refused"]),
    ],
)
def test_middleware_at_fault_is_named(
    settings: Any, capsys: pytest.CaptureFixture[str], name: str, found: list[str]
) -> None:
    at_fault = f"tests.management.buffering.{name}"
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware", at_fault]
    layers = diagnosed(capsys)
    assert codes(layers["app"]) == []
    assert codes(layers["middleware"]) == found
    assert layers["middleware"]["advice"] == f"It is {at_fault}."


def test_gzip_middleware_is_no_fault(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *settings.MIDDLEWARE]
    assert codes(diagnosed(capsys)["middleware"]) == []


async def test_application_that_raises_ends_the_measurement() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", b"text/event-stream")]})
        raise ValueError("broken middleware")

    found = await layers._behind_middleware(application, Plan(), urlsplit(NOWHERE))
    assert [tuple(one) for one in findings(found)] == [
        ("cut", "It was cut after 0 frames: ValueError: broken middleware. Look for a timeout.")
    ]


def measured(arrivals: list[float], sent: list[float], **fields: Any) -> Measurement:
    found = Measurement()
    found.begin(200, {"Content-Type": "text/event-stream"})
    found.frames, found.is_whole = list(zip(arrivals, sent, strict=True)), True
    for name, value in fields.items():
        setattr(found, name, value)
    return found


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (measured([0.1, 0.6, 1.1], [0, 0.5, 1]), []),
        (measured([1.1, 1.1, 1.1], [0, 0.5, 1]), ["buffered"]),
        (measured([2, 2.5, 3], [0, 0.5, 1]), ["slow"]),
        (measured([0, 1.4, 1.5], [0, 0.5, 1]), ["slow"]),
        (measured([0, 0.5, 1], [0, 0.5, 1], is_whole=False), ["cut"]),
        (measured([], [], is_whole=False), ["cut"]),
        (measured([], [], status=404), ["refused"]),
        (measured([], [], status=0, trouble="refused"), ["unreachable"]),
        (measured([], [], headers={"content-type": "text/html"}), ["not_a_stream"]),
        (measured([1, 1, 1], [0, 0.5, 1], headers={"content-type": "text/event-stream", "content-encoding": "br"}),
         ["compressed", "buffered"]),
    ],
)  # fmt: skip
def test_findings(found: Measurement, expected: list[str]) -> None:
    assert [one.code for one in findings(found)] == expected


@contextmanager
def answering(head: str, *body: bytes, is_endless: bool = False) -> Iterator[str]:
    """A server that gives one response. An endless one repeats the last piece until the client has gone."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{head}\r\n".encode())
            for piece in itertools.chain(body, itertools.repeat(body[-1]) if is_endless else ()):
                connection.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(30)


def test_response_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "PATIENCE_SECONDS", 0.2)
    with answering("", b"x" * 100_000, is_endless=True) as site:
        found = layers.over_http(Plan(frames=1, pause=0), site)
    assert [one.code for one in findings(found)] == ["endless"]
    assert len(found._rest) <= MAX_LINE_BYTES


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_body_that_is_not_compressed_as_its_head_says_is_a_finding(encoding: str) -> None:
    with answering(f"Content-Encoding: {encoding}\r\n", b"data: plain\n\n") as site:
        found = layers.over_http(Plan(), site)
    assert [one.code for one in findings(found)] == ["compressed", "cut"]
    assert "Error -3" in found.trouble


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_stream_that_cannot_be_read_is_not_called_cut(encoding: str) -> None:
    with answering(f"Content-Encoding: {encoding}\r\n", b"\x0b\x02\x80") as site:
        assert [one.code for one in findings(layers.over_http(Plan(), site))] == ["compressed"]


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        (lambda: "", 404),
        (lambda: "forged", 404),
        (lambda: signing.dumps({"frames": 2}, salt="another"), 404),
        (Plan(frames=2, pause=0).signed, 200),
    ],
    ids=["none", "forged", "of another use", "signed"],
)
async def test_probe_needs_the_sites_signature(plan: Callable[[], str], status: int) -> None:
    response = await AsyncClient().get("/streaming/probe", {"plan": plan()})
    assert response.status_code == status


async def test_probe_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, now = Plan(frames=2).signed(), time.time()
    assert signing.loads(plan, salt=SALT)
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert (await AsyncClient().get("/streaming/probe", {"plan": plan})).status_code == 404


async def test_silence_has_heartbeats(settings: Any) -> None:
    settings.STREAMING_HEARTBEAT_SECONDS = 0.01
    response = await AsyncClient().get("/streaming/probe", {"plan": Plan(frames=3, pause=0, silence=0.12).signed()})
    body = await body_of(response)
    assert body.count(b": heartbeat") >= 1
    assert body.count(b"data-probe") == 3


@pytest.mark.parametrize(
    "address", ["example.com", "ftp://example.com", "http://", "http://localhost:99999", "http://[::1"]
)
def test_address_is_checked(address: str) -> None:
    with pytest.raises(CommandError, match="is no address"):
        run("stream_doctor", address)


@pytest.mark.parametrize("silence", ["-1", "nan", "inf", "long"])
def test_silence_is_a_number_of_seconds(silence: str) -> None:
    with pytest.raises(CommandError, match="must be a number of seconds"):
        run("stream_doctor", "--silence", silence)
