"""The providers for vendors, with and without their SDKs, talk to a scripted peer on a real socket."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import subprocess
import sys
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest

from streaming import pacing
from streaming.errors import ProviderError
from streaming.pacing import current_pace
from streaming.protocol import Failed, GenerationRequest, StreamError, TextPart, Turn, encode
from streaming.providers import http
from streaming.providers.anthropic import Messages
from streaming.providers.betas import beta_headers
from streaming.providers.body import response_below
from streaming.providers.openai import ChatCompletions, Responses
from streaming.providers.sdk import SDKProvider
from streaming.providers.vendor import VendorProvider
from streaming.runner.ending import ending_of
from tests.peers import DROP, HANG, Peer, Reply

KEY = "sk-test-0123456789abcdef"
REQUEST = GenerationRequest(turns=(Turn(role="user", parts=(TextPart(text="Hello"),)),))
EVENT = b'data: {"n": 1}\n\n'

sdk_module = sys.modules[SDKProvider.__module__]
Make = Callable[..., VendorProvider]


SDKS = (ChatCompletions, Responses, Messages)
PLAIN = (http.ChatCompletions, http.Responses, http.Messages)


def named(backend: type[VendorProvider]) -> str:
    return f"{backend.__module__.rpartition('.')[2]}-{backend.__name__}"


@pytest.fixture(params=SDKS + PLAIN, ids=named)
def backend(request: pytest.FixtureRequest) -> type[VendorProvider]:
    kind: type[VendorProvider] = request.param
    return kind


@pytest.fixture
async def make(backend: type[VendorProvider], peer: Peer) -> AsyncIterator[Make]:
    """Makes providers that talk to the peer, and closes them."""
    made = []

    def _make(**options: Any) -> VendorProvider:
        defaults = {"model": "m", "api_key": KEY, "base_url": f"{peer.url}/v1", "max_retries": 0}
        made.append(backend(**{**defaults, **options}))
        return made[-1]

    yield _make
    for provider in made:
        await provider.close()


async def body_of(provider: VendorProvider, request: GenerationRequest = REQUEST) -> bytes:
    return b"".join([chunk async for chunk in provider.stream(request)])


async def error_of(provider: VendorProvider) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        await body_of(provider)
    return raised.value


class TestAnswers:
    async def test_the_body_arrives_byte_for_byte(self, make: Make, peer: Peer) -> None:
        pieces = [b"data: \xc3", b"\xa9\n", b"\n", b": comment\n\nda", b"ta: [DONE]\n\n"]
        peer.says(*pieces)
        assert await body_of(make()) == b"".join(pieces)

    async def test_bytes_arrive_as_they_are_sent(self, make: Make, peer: Peer) -> None:
        peer.says(EVENT, HANG)
        async with aclosing(make().stream(REQUEST)) as chunks:
            assert await asyncio.wait_for(anext(chunks), 2) == EVENT

    async def test_the_request_body_is_the_dialects(self, make: Make, peer: Peer) -> None:
        peer.says(EVENT)
        provider = make(temperature=0.5, extra_body={"seed": 7})
        await body_of(provider)
        asked = GenerationRequest(
            turns=REQUEST.turns, model="m", temperature=0.5, extra={"seed": 7}, uses_cache=provider.marks_for_all
        )
        assert peer.requests[0].json == encode(provider.dialect, asked)

    @pytest.mark.parametrize("chosen", [None, True, False])
    async def test_compatible_server_gets_no_field_that_it_may_refuse(
        self, make: Make, peer: Peer, chosen: bool | None
    ) -> None:
        peer.says(EVENT)
        provider = make(prompt_cache=chosen)
        await body_of(provider, msgspec.structs.replace(REQUEST, cache_key="k"))
        is_marked = provider.marks_for_all if chosen is None else chosen
        body = peer.requests[0].body
        assert (b'"cache_control"' in body or b'"prompt_cache_key"' in body) is is_marked

    @pytest.mark.parametrize(
        ("url", "is_marked"),
        [
            (None, True),
            ("https://api.openai.com/v1", True),
            ("https://eu.api.openai.com/v1", True),
            ("https://api.openai.com.example.org/v1", False),
            ("http://127.0.0.1:8000/v1", False),
        ],
    )
    async def test_key_of_the_prompt_cache_is_for_the_vendors_own_hosts(
        self, url: str | None, is_marked: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
        for kind in (ChatCompletions, Responses):
            provider = kind(model="m", api_key=KEY, base_url=url)
            asked = provider._completed(msgspec.structs.replace(REQUEST, cache_key="k"))
            assert ("prompt_cache_key" in encode(provider.dialect, asked)) is is_marked

    async def test_a_request_overrides_the_options(self, make: Make, peer: Peer) -> None:
        peer.says(EVENT)
        request = GenerationRequest(turns=REQUEST.turns, model="other", temperature=0.0)
        await body_of(make(temperature=0.9), request)
        assert (peer.requests[0].json["model"], peer.requests[0].json["temperature"]) == ("other", 0.0)

    async def test_key_and_headers_are_sent(self, make: Make, peer: Peer) -> None:
        peer.says(EVENT)
        await body_of(make(headers={"x-tenant": "blue"}))
        headers = peer.requests[0].headers
        assert headers.get("authorization", headers.get("x-api-key", "")).endswith(KEY)
        assert headers["x-tenant"] == "blue"

    async def test_nothing_is_sent_before_the_first_step(self, make: Make, peer: Peer) -> None:
        await make().stream(REQUEST).aclose()
        assert peer.requests == []

    @pytest.mark.parametrize("page", [b"<html>Welcome</html>", b'{"error": {"message": "no"}}'])
    async def test_an_answer_that_is_no_stream_is_passed_on(self, make: Make, peer: Peer, page: bytes) -> None:
        peer.answers(Reply([page], content_type="text/html"))
        assert await body_of(make()) == page

    async def test_a_compressed_body_is_read(self, make: Make, peer: Peer) -> None:
        peer.answers(Reply([gzip.compress(EVENT)], headers={"content-encoding": "gzip"}))
        assert await body_of(make()) == EVENT

    async def test_a_slow_body_is_no_silence(self, make: Make, peer: Peer) -> None:
        peer.says(*[EVENT, 0.1] * 8)
        assert await body_of(make(timeout=0.6)) == 8 * EVENT

    async def test_a_busy_event_loop_reads_all_of_it(
        self, make: Make, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")  # other tests set OpenTelemetry up in this process
        monkeypatch.setattr(pacing, "BUSY_WAKES", 0)
        pace = current_pace()
        pace.is_busy = True
        pieces = [b"data: %d\n\n" % number for number in range(50)]
        peer.says(*itertools.chain.from_iterable((piece, 0.005) for piece in pieces))
        assert await body_of(make()) == b"".join(pieces)
        assert pace._rounds > 1


class TestBelowTheSDK:
    """The SDKs do not document where they keep aiohttp's response, which has the body."""

    @pytest.fixture(params=SDKS, ids=named)
    def backend(self, request: pytest.FixtureRequest) -> type[SDKProvider]:
        kind: type[SDKProvider] = request.param
        return kind

    async def test_clients_share_the_certificates(self, backend: type[SDKProvider]) -> None:
        options = {"model": "m", "api_key": KEY, "base_url": "https://example.com/v1"}
        opened = [backend(**options)._make()[1]._client._transport for _ in range(2)]
        assert opened[0].ssl_context is opened[1].ssl_context

    async def test_the_body_is_found(self, make: Make, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")  # other tests set OpenTelemetry up in this process
        found: list[object] = []
        monkeypatch.setattr(sdk_module, "response_below", lambda http: found.append(response_below(http)) or found[-1])
        peer.says(EVENT)
        assert await body_of(make()) == EVENT
        assert found != [None], "a token costs much more: see providers/body.py"

    async def test_nothing_of_the_sdk_is_kept_while_the_body_is_read(
        self, make: Make, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It holds the encoded request, and takes 9 KB more for each answer that is being written."""
        monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")  # other tests set OpenTelemetry up in this process
        kept: list[weakref.ref[object]] = []

        def noted(http: Any) -> Any:
            kept.extend((weakref.ref(http), weakref.ref(http.request)))
            return response_below(http)

        monkeypatch.setattr(sdk_module, "response_below", noted)
        peer.says(EVENT, HANG)
        async with aclosing(make().stream(REQUEST)) as chunks:
            await anext(chunks)
            assert [one() for one in kept] == [None, None]

    async def test_the_sdk_reads_a_body_that_is_not_found(
        self, make: Make, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sdk_module, "response_below", lambda http: None)
        peer.says(EVENT, EVENT, HANG)
        chunks = make(timeout=0.2).stream(REQUEST)
        assert await anext(chunks) == EVENT + EVENT
        with pytest.raises(ProviderError) as raised:
            await anext(chunks)
        assert raised.value.code == "timeout"

    async def test_closing_disconnects_at_once_also_if_the_sdk_reads(
        self, make: Make, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sdk_module, "response_below", lambda http: None)
        peer.says(EVENT, HANG)
        chunks = make().stream(REQUEST)
        await anext(chunks)
        await chunks.aclose()
        await peer.requests[0].gone(within=0.5)


class TestClosing:
    async def test_closing_during_the_stream_disconnects_at_once(self, make: Make, peer: Peer) -> None:
        peer.says(EVENT, HANG)
        chunks = make().stream(REQUEST)
        await anext(chunks)
        await chunks.aclose()
        await peer.requests[0].gone(within=0.5)

    async def test_cancelling_during_the_stream_disconnects_at_once(self, make: Make, peer: Peer) -> None:
        peer.says(EVENT, HANG)
        await self._cancelled(make(), peer)

    async def test_cancelling_before_the_headers_disconnects_at_once(self, make: Make, peer: Peer) -> None:
        peer.answers(Reply(delay=60))
        await self._cancelled(make(), peer)

    async def _cancelled(self, provider: VendorProvider, peer: Peer) -> None:
        task = asyncio.create_task(body_of(provider))
        request = await peer.asked()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await request.gone(within=0.5)


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "body", "code"),
        [
            (400, {"error": {"message": "no", "code": "context_length_exceeded"}}, "context_length"),
            (400, {"error": {"message": "no", "type": "exceed_context_size_error"}}, "context_length"),
            (400, {"error": {"message": "prompt is too long: 3 tokens > 2 maximum"}}, "context_length"),
            (400, {"error": {"message": "temperature is out of range"}}, "bad_request"),
            (401, {"error": {"message": "Incorrect API key provided"}}, "authentication"),
            (403, {"error": {"message": "no"}}, "permission"),
            (404, {"error": {"message": "The model `m` does not exist"}}, "model_not_found"),
            (422, {"detail": [{"msg": "extra fields not permitted"}]}, "bad_request"),
            (429, {"error": {"message": "slow down"}}, "rate_limited"),
            (429, {"error": {"message": "no money", "code": "insufficient_quota"}}, "permission"),
            (500, {"error": {"message": "oops"}}, "provider_error"),
            (503, {"error": {"message": "busy"}}, "overloaded"),
            (529, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, "overloaded"),
        ],
    )
    async def test_a_status_becomes_an_error_code(
        self, make: Make, peer: Peer, status: int, body: Any, code: str
    ) -> None:
        peer.answers(Reply([json.dumps(body).encode()], status=status, content_type="application/json"))
        error = await error_of(make())
        assert (error.code, error.status) == (code, status)
        assert error.detail.startswith(f"HTTP {status}")

    async def test_a_refusal_may_come_in_pieces(self, make: Make, peer: Peer) -> None:
        pieces = [b'{"error": {"message": "no", ', 0.02, b'"code": "context_length_exceeded"}}']
        peer.answers(Reply(pieces, status=400, content_type="application/json"))
        assert (await error_of(make())).code == "context_length"

    async def test_the_page_of_a_proxy_is_cut(self, make: Make, peer: Peer) -> None:
        peer.answers(Reply([b"<html>" + b"x" * 100_000], status=502, content_type="text/html"))
        error = await error_of(make())
        assert error.code == "unreachable"
        assert len(error.detail) <= 500

    async def test_retry_after_may_be_seconds(self, make: Make, peer: Peer) -> None:
        peer.answers(Reply([b"{}"], status=429, headers={"retry-after": "7"}))
        assert (await error_of(make())).retry_after == 7

    async def test_retry_after_may_be_a_date(self, make: Make, peer: Peer) -> None:
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        peer.answers(Reply([b"{}"], status=503, headers={"retry-after": later}))
        assert (await error_of(make())).retry_after == pytest.approx(60, abs=3)

    async def test_retry_after_that_is_neither_is_ignored(self, make: Make, peer: Peer) -> None:
        peer.answers(Reply([b"{}"], status=429, headers={"retry-after": "soon"}))
        assert (await error_of(make())).retry_after is None

    async def test_the_key_is_not_in_the_error(self, make: Make, peer: Peer) -> None:
        text = f'{{"error": {{"message": "bad key {KEY}, header Bearer {KEY}"}}}}'
        peer.answers(Reply([text.encode()], status=401, content_type="application/json"))
        error = await error_of(make())
        assert KEY not in f"{error!r} {error.detail}"
        assert error.__suppress_context__  # otherwise a logged traceback would show the SDK's message

    async def test_keys_from_environment_and_headers_are_not_in_the_error(
        self, make: Make, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider = make(api_key=None, headers={"X-Gateway": "blue orchid"})
        monkeypatch.setenv(f"{provider.vendor.upper()}_API_KEY", "black orchid")
        text = '{"error": {"message": "neither black orchid nor blue orchid may come in"}}'
        peer.answers(Reply([text.encode()], status=401, content_type="application/json"))
        assert "neither [hidden] nor [hidden] may" in (await error_of(provider)).detail
        failed = ending_of(Failed(StreamError(None, None, "no black orchid")), None, None)
        assert failed.detail == "no [hidden]"

    @pytest.mark.parametrize(
        "refusal",
        [
            Reply([b"{}"], status=400, headers={"retry-after-ms": "1"}),
            Reply([b"{}"], status=503, headers={"x-should-retry": "false"}),
        ],
    )
    async def test_some_refusals_are_final(self, make: Make, peer: Peer, refusal: Reply) -> None:
        peer.answers(refusal)
        await error_of(make(max_retries=2))
        assert len(peer.requests) == 1

    async def test_refusals_before_the_first_byte_are_retried(self, make: Make, peer: Peer) -> None:
        refusal = Reply([b"{}"], status=503, headers={"retry-after-ms": "1"})
        peer.answers(refusal, refusal, Reply([EVENT]))
        assert await body_of(make(max_retries=2)) == EVENT
        assert len(peer.requests) == 3


class TestConnections:
    async def test_a_port_that_refuses_is_unreachable(self, make: Make, unused_tcp_port: int) -> None:
        error = await error_of(make(base_url=f"http://127.0.0.1:{unused_tcp_port}/v1"))
        assert error.code == "unreachable"
        assert error.is_retryable

    async def test_a_connection_dropped_before_the_headers_is_unreachable(self, make: Make) -> None:
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            assert (await error_of(make(base_url=f"http://127.0.0.1:{port}/v1"))).code == "unreachable"

    async def test_a_connection_dropped_during_the_stream_is_lost(self, make: Make, peer: Peer) -> None:
        peer.says(EVENT, 0.05, DROP)
        chunks = make(max_retries=2).stream(REQUEST)
        assert await anext(chunks) == EVENT
        with pytest.raises(ProviderError) as raised:
            await anext(chunks)
        assert raised.value.code == "connection_lost"
        assert len(peer.requests) == 1

    async def test_silence_before_the_headers_is_a_timeout(self, make: Make, peer: Peer) -> None:
        peer.answers(Reply(delay=60))
        assert (await error_of(make(timeout=0.2))).code == "timeout"
        await peer.requests[0].gone()

    async def test_silence_during_the_stream_is_a_timeout(self, make: Make, peer: Peer) -> None:
        peer.says(EVENT, HANG)
        assert (await error_of(make(timeout=0.2))).code == "timeout"
        await peer.requests[0].gone()

    async def test_many_streams_run_at_once(self, make: Make, peer: Peer) -> None:
        peer.says(EVENT, HANG)
        provider = make()
        streams = [provider.stream(REQUEST) for _ in range(150)]
        await asyncio.wait_for(asyncio.gather(*(anext(stream) for stream in streams)), 20)
        await asyncio.gather(*(stream.aclose() for stream in streams))

    async def test_a_proxy_in_the_environment_is_not_used_for_this_machine(
        self, make: Make, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        peer.says(EVENT)
        assert await body_of(make()) == EVENT

    async def test_a_proxy_in_the_environment_is_used_for_other_machines(
        self, make: Make, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("NO_PROXY", "no_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", peer.url)
        peer.says(EVENT)
        assert await body_of(make(base_url="http://models.example/v1")) == EVENT
        assert peer.requests[0].path.startswith("http://models.example/v1/")

    async def test_text_that_cannot_be_encoded_is_an_error(self, make: Make, peer: Peer) -> None:
        broken = GenerationRequest(turns=(Turn(role="user", parts=(TextPart(text="\ud800"),)),))
        peer.says(EVENT)
        with pytest.raises(ProviderError):
            await body_of(make(), broken)


@pytest.mark.parametrize(("sdk", "plain"), list(zip(SDKS, PLAIN, strict=True)))
async def test_both_ways_send_the_same_request(
    sdk: type[VendorProvider], plain: type[VendorProvider], peer: Peer
) -> None:
    peer.says(EVENT)
    for backend in (sdk, plain):
        provider = backend(model="m", api_key=KEY, base_url=f"{peer.url}/v1", headers={"x-tenant": "blue"})
        await body_of(provider)
        await provider.close()
    told = [(request.method, request.path, request.json) for request in peer.requests]
    assert told[0] == told[1]
    names = ("authorization", "x-api-key", "content-type", "x-tenant")
    kept = [{name: request.headers.get(name) for name in names} for request in peer.requests]
    assert len({"anthropic-version" in request.headers for request in peer.requests}) == 1
    assert kept[0] == kept[1]
    assert sdk(model="m").origin == plain(model="m").origin
    facts = ("dialect", "vendor", "default_host", "takes", "marks_for_all")
    assert [getattr(sdk, fact) for fact in facts] == [getattr(plain, fact) for fact in facts]


def test_plain_providers_need_aiohttp_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["streaming.providers.options"], "find_spec", lambda name: None)
    (problem,) = http.Messages.check("default", {"model": "m", "api_key": KEY})
    assert (problem.kind, problem.hint) == ("missing_extra", 'Run: pip install "django-llm-streaming[http]"')
    script = (
        "import sys; from streaming.providers.http import Messages; Messages.load({}); print('httpx2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


async def test_an_sdk_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    error = await error_of(ChatCompletions(model="m", api_key=KEY))
    assert error.code == "internal"
    assert "openai" in error.detail


@pytest.mark.parametrize("backend", [ChatCompletions, http.ChatCompletions], ids=named)
async def test_chat_is_a_path_below_the_base_url(backend: type[VendorProvider], peer: Peer) -> None:
    peer.says(EVENT)
    provider = backend(model="m", api_key=KEY, base_url=f"{peer.url}/v1")
    await body_of(provider)
    await provider.close()
    assert (peer.requests[0].method, peer.requests[0].path) == ("POST", "/v1/chat/completions")


@pytest.mark.parametrize("backend", [ChatCompletions, http.ChatCompletions], ids=named)
async def test_a_server_may_need_no_key(
    backend: type[VendorProvider], peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    peer.says(EVENT)
    provider = backend(model="m", base_url=f"{peer.url}/v1")
    assert await body_of(provider) == EVENT
    await provider.close()


COMPACTION = {"edits": [{"type": "compact_20260112"}]}


@pytest.mark.parametrize(
    ("managed", "given", "sent"),
    [
        (None, {}, {}),
        ("nonsense", {}, {}),
        ({"edits": [{"type": "unknown"}, 7]}, {}, {}),
        (COMPACTION, {}, {"anthropic-beta": "compact-2026-01-12"}),
        (COMPACTION, {"Anthropic-Beta": "skills-1"}, {"anthropic-beta": "skills-1,compact-2026-01-12"}),
        (COMPACTION, {"anthropic-beta": "compact-2026-01-12"}, {}),
    ],
)
def test_context_edits_bring_the_header_that_allows_them(managed: Any, given: Any, sent: Any) -> None:
    assert beta_headers({"context_management": managed}, given) == sent


@pytest.mark.parametrize("backend", [Messages, http.Messages], ids=named)
async def test_beta_header_goes_out_with_the_site_s_own(backend: type[VendorProvider], peer: Peer) -> None:
    peer.says(EVENT)
    provider = backend(model="m", api_key=KEY, base_url=peer.url, headers={"anthropic-beta": "skills-1"})
    asked = GenerationRequest(turns=REQUEST.turns, extra={"context_management": COMPACTION})
    await body_of(provider, asked)
    assert peer.requests[0].headers["anthropic-beta"] == "skills-1,compact-2026-01-12"
    assert json.loads(peer.requests[0].body)["context_management"] == COMPACTION
    await provider.close()
