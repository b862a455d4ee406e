"""Every endpoint and socket frame answers JSON of every shape with a success or a refusal that says what is wrong.

The examples are the same on each run. `FAULTS=long` tries many new ones.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming import consumers
from streaming.errors import PUBLIC_MESSAGES, RequestError
from streaming.models import Generation
from streaming.supervisor import current
from streaming.testing import settle_all
from tests.asked import FRAMES, REQUESTS, Asker, Given, at, places, put, read
from tests.faults.scale import IS_LONG

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("transactional_db", "site_tools", "stored"),
    pytest.mark.timeout(3600 if IS_LONG else 120),
]

REFUSALS = {kind.status for kind in RequestError.__subclasses__()} - {500, 501, 503}
TOLD = {200, 201, 204, 303, 404, 405} | REFUSALS
WORDS = (
    *("", "\0", "\ud83d", "\udc00", "é", "null", "user", "assistant", "..", "a/b", "x" * 200, "data:", "[", "{", "1"),
    *("data:image/png;base64,", "data:;base64,!", "/api/files/x", "approval-responded", "output-available", "trigger"),
)
NUMBERS = (0, -1, 1, 2**31, 2**53, 2**64, -(2**70), 10**300, 1e308, -0.0, 1.5, True, False)


def _examples(short: int) -> settings:
    return settings(
        max_examples=short * 25 if IS_LONG else short,
        derandomize=not IS_LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def _deep(value: Any, levels: int) -> Any:
    for level in range(levels):
        value = [value] if level % 2 else {"parts": value}
    return value


texts = st.sampled_from(WORDS) | st.text(max_size=5)
scalars = st.none() | st.sampled_from(NUMBERS) | texts
deep = st.builds(_deep, scalars, st.sampled_from((3, 90, 105, 400)))
shapes = deep | st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


@st.composite
def mutated(draw: st.DrawFn, named: dict[str, Any]) -> tuple[Any, Any]:
    """Draws a request, and its body with one to three of its values taken away, wrapped, swapped or replaced."""
    request = named[draw(st.sampled_from(sorted(named)))]
    body = request.body
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(body))))
        here = at(body, path)
        other = at(body, draw(st.sampled_from(list(places(body)))))
        changes = [shapes, st.sampled_from(([here], {"a": here}, [], {}, str(here), None, other))]
        body = put(body, path, draw(st.one_of(changes)))
        if isinstance(body, dict) and draw(st.booleans()):
            gone = draw(st.sampled_from([*body, "nothing"]))
            body = {name: value for name, value in body.items() if name != gone}
    return request, body


Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs one example after the other on one event loop. Hypothesis itself is not async."""
    with asyncio.Runner() as runner:
        yield runner.run
        runner.run(settle_all())
        runner.run(sync_to_async(connections.close_all)())


@pytest.fixture
def asker(settings: Any, monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[Asker]:
    settings.STREAMING_SHARES = True
    settings.STREAMING_MAX_ACTIVE_PER_OWNER = settings.STREAMING_MAX_FILES_PER_MESSAGE = 100
    monkeypatch.setattr(consumers, "BURST_COMMANDS", 10**9)
    one = Asker(settings)
    yield one
    run(one.close())


async def _check(given: Given) -> None:
    assert given.status in TOLD, given.content[:500]
    is_stream = given.response.headers.get("Content-Type", "").startswith("text/event-stream")
    assert not is_stream or given.content.endswith((b"[DONE]\n\n", b": done\n\n"))
    if given.status in REFUSALS and given.response.headers["Content-Type"].startswith("text/plain"):
        assert 0 < len(given.content) < 1000
    await current().idle()
    assert not await Generation.objects.filter(error_code="internal").aexists()


def test_bodies_of_every_shape(asker: Asker, run: Run) -> None:
    async def post(example: Any) -> None:
        await _check(await asker.post(*example))

    @_examples(150)
    @given(mutated(REQUESTS))
    def all_of_them(example: Any) -> None:
        run(post(example))

    all_of_them()


def test_frames_of_every_shape(asker: Asker, run: Run) -> None:
    async def tell(example: Any) -> None:
        for reply in await asker.tell(*example):
            assert reply["type"] in ("start", "chunk", "end", "error", "no-active")
            assert reply.get("errorText") != PUBLIC_MESSAGES["internal"]
            assert reply["type"] != "error" or reply["errorText"]
        assert not await Generation.objects.filter(error_code="internal").aexists()

    @_examples(100)
    @given(mutated(FRAMES))
    def all_of_them(example: Any) -> None:
        run(tell(example))

    all_of_them()


JUNK = (b"", b"{", b"\xff", b'{"prompt": 1e400}', b'{"prompt": NaN}', b"9" * 5000, b"[" * 5000, b'"\\ud83d"', b"\0")
KINDS = ("application/json", "text/plain", "multipart/form-data; boundary=x", "multipart/form-data", "x")


TAKERS = (
    *(
        ("POST", path)
        for path in (
            "/api/chat",
            "/api/chat/<key>/stop",
            "/api/chat/<key>/branch",
            "/api/chat/<key>/shares",
            "/api/files",
            "/api/agui",
        )
    ),
    ("PUT", "/api/chat/<key>/messages/<answer>/feedback"),
)


@pytest.mark.parametrize(("method", "path"), TAKERS)
def test_bodies_that_are_no_json(asker: Asker, run: Run, method: str, path: str) -> None:
    async def send() -> None:
        await asker.prepare(None)
        for body, kind in itertools.product(JUNK, KINDS):
            await _check(await read(await asker.client.generic(method, asker.filled(path), body, content_type=kind)))

    run(send())


queries = st.binary(max_size=12).map(quote_from_bytes) | texts.map(lambda text: quote(text, errors="replace"))
GETS = (
    *("/api/chat/<key>/stream?after={}", "/api/chat/{}/stream?after=0", "/api/chat/{}"),
    *("/api/agui/{}", "/api/agui/<key>?after={}"),
    *(
        "/?page={}",
        "/?q={}",
        "/api/chat?page={}",
        "/api/chat?q={}",
        "/api/chat/<key>?before={}",
        "/api/chat/<key>?limit={}",
        "/api/chat/<key>/export?format={}",
        "/chat/<key>/?before={}",
        "/chat/<key>/?from={}",
        "/chat/{}/",
        "/api/files/{}",
        "/shared/{}/",
        "/chat/<key>/shares/?a={}",
        "/streaming/probe?plan={}",
        "/api/chat/<key>/stream?after=0&html={}",
        "/api/chat/<key>/stream?after=0&named={}",
    ),
)


def test_addresses_and_queries_of_every_shape(asker: Asker, run: Run) -> None:
    async def get(path: str, text: str) -> None:
        await asker.prepare(None)
        await _check(await read(await asker.client.get(asker.filled(path).format(text))))

    @_examples(150)
    @given(st.sampled_from(GETS), queries)
    def all_of_them(path: str, text: str) -> None:
        run(get(path, text))

    all_of_them()


FIELDS = (
    "prompt",
    "regenerate",
    "decide",
    "decision m1",
    "edited",
    "client_id",
    "kept",
    "branch",
    "message",
    "thumb",
    "revoke",
    "days",
    "change",
    "title",
)
ACTIONS = ("send", "stop", "branch", "feedback", "shares", "change")


def test_forms_of_every_shape(asker: Asker, run: Run) -> None:
    async def post(form: dict[str, str], action: str) -> None:
        await asker.prepare(None)
        body = "&".join(f"{quote(name)}={value}" for name, value in form.items())
        path = f"/chat/{asker.key}/{action}/"
        await _check(await read(await asker.client.post(path, body, content_type="application/x-www-form-urlencoded")))

    @_examples(80)
    @given(
        st.dictionaries(st.sampled_from(FIELDS), queries, max_size=4),
        st.sampled_from(ACTIONS),
    )
    def all_of_them(form: dict[str, str], action: str) -> None:
        run(post(form, action))

    all_of_them()


FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\nContent-Type: %b\r\n\r\n%b\r\n--x--\r\n'


def test_uploads_of_every_name_and_kind(asker: Asker, run: Run) -> None:
    names = st.text(max_size=8).map(lambda name: name.encode("utf-8", "replace")) | st.binary(max_size=8)
    kinds = st.sampled_from((b"image/png", b"text/plain", b"", b"a", b"text/plain; charset=x", b"application/pdf"))

    async def post(content: bytes, name: bytes, kind: bytes) -> None:
        await asker.prepare(None)
        form = FORM % (name, kind, content)
        await _check(await read(await asker.client.post("/api/files", form, content_type=KINDS[2])))

    @_examples(60)
    @given(st.binary(max_size=9), names, kinds)
    def all_of_them(content: bytes, name: bytes, kind: bytes) -> None:
        run(post(content, name, kind))

    all_of_them()


HEADERS = ("Last-Event-ID", "Accept", "Origin", "Sec-Fetch-Site", "If-None-Match", "Content-Length", "Cookie")
PLACES = (
    ("GET", "/api/chat/<key>/stream"),
    ("GET", "/api/agui/<key>"),
    ("POST", "/api/chat/<key>/stop"),
    ("POST", "/api/files"),
)


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 5000, "1 2", "\u00b2", "0x1", "\xff"])
def test_headers_of_every_shape(asker: Asker, run: Run, text: str) -> None:
    async def ask() -> None:
        await asker.prepare(None)
        for name, (method, path) in itertools.product(HEADERS, PLACES):
            await _check(await read(await asker.client.generic(method, asker.filled(path), headers={name: text})))

    run(ask())
