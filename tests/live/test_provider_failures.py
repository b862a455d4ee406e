"""Providers that fail: the text for people, the detail for staff, and no key or raw body in either."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from streaming.errors import PUBLIC_MESSAGES
from tests.live import rows
from tests.live.client import Stream, Visitor, assert_whole
from tests.live.providers import API_KEY, DIALECTS
from tests.live.wires import answer_wire, event, until_delta
from tests.peers import CUT, DROP, Peer, Reply

# Secrets that providers quote in their errors. They must not reach people or rows.
SECRETS = (API_KEY, "sk-CANARY-of-another-kind-9876", "CANARY-raw-body")
HTML = b"<html><title>502 Bad Gateway</title><body>CANARY-raw-body sk-CANARY-of-another-kind-9876</body></html>"
TEXT = "One two three four."
BEGUN = "One two three "


def _error(kind: str, **more: Any) -> bytes:
    message = f"CANARY-raw-body: Incorrect API key provided: {API_KEY}, not sk-CANARY-of-another-kind-9876"
    return json.dumps({"type": "error", "error": {"type": kind, "message": message, **more}}).encode()


class Failure(NamedTuple):
    """A reply of a provider, the status and code in the row, and a word in the detail for staff."""

    reply: Reply
    status: str
    code: str
    detail: str = ""


def _json(status: int, kind: str) -> Reply:
    return Reply([_error(kind)], status=status, content_type="application/json")


def _page(status: int) -> Reply:
    return Reply([HTML], status=status, content_type="text/html")


REFUSALS = {
    "the key is refused": Failure(_json(401, "authentication_error"), "failed", "authentication", "HTTP 401"),
    "the model is forbidden": Failure(_json(403, "permission_error"), "failed", "permission", "HTTP 403"),
    "no such model": Failure(_json(404, "not_found_error"), "failed", "model_not_found", "HTTP 404"),
    "too many requests": Failure(_json(429, "rate_limit_error"), "failed", "rate_limited", "HTTP 429"),
    "its server fails": Failure(_json(500, "api_error"), "failed", "provider_error", "HTTP 500"),
    "overloaded": Failure(_json(529, "overloaded_error"), "failed", "overloaded", "HTTP 529"),
    "a proxy's error page": Failure(_page(502), "failed", "unreachable", "HTTP 502"),
    "a page instead of a stream": Failure(_page(200), "failed", "not_a_stream"),
    "an error instead of a stream": Failure(_json(200, "api_error"), "failed", "provider_error", "api_error"),
    "an empty body": Failure(Reply(), "truncated", "truncated"),
    "cut off before a word": Failure(Reply([CUT]), "truncated", "connection_lost"),
    "reset before a word": Failure(Reply([DROP]), "truncated", "connection_lost"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", REFUSALS)
async def test_provider_that_does_not_answer(visitor: Visitor, peer: Peer, dialect: str, name: str) -> None:
    failure = REFUSALS[name]
    peer.answers(failure.reply)
    log = len(visitor.site.log())
    stream = await (await visitor.ask("Hello?", f"peer-{dialect}")).whole()
    _assert_told(stream, failure.code)
    stored = rows.answer(visitor.site, visitor.key)
    assert (stored.status, stored.generation["error_code"], stored.parts) == (failure.status, failure.code, [])
    assert failure.detail in stored.generation["error_detail"]
    assert await _metadata(visitor) == stream.chunks[-2]["messageMetadata"]
    _assert_nothing_leaked(visitor, stream, log)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_provider_that_cannot_be_reached(visitor: Visitor, dialect: str) -> None:
    log = len(visitor.site.log())
    stream = await (await visitor.ask("Hello?", f"peer-{dialect}")).whole()
    _assert_told(stream, "unreachable")
    stored = rows.answer(visitor.site, visitor.key)
    assert (stored.status, stored.generation["error_code"]) == ("failed", "unreachable")
    assert "refused" in stored.generation["error_detail"].lower()
    _assert_nothing_leaked(visitor, stream, log)


def _say_overloaded(dialect: str) -> bytes:
    error = json.loads(_error("overloaded_error", code="overloaded_error"))
    said = {
        "chat": lambda: event({"error": error["error"]}),
        "responses": lambda: event({"type": "error", **error["error"], "sequence_number": 9}, "error"),
        "messages": lambda: event(error, "error"),
    }
    return said[dialect]()


BREAKS: dict[str, tuple[Callable[[str], list[Any]], str, str]] = {
    "cut off": (lambda _: [CUT], "truncated", "connection_lost"),
    "reset": (lambda _: [DROP], "truncated", "connection_lost"),
    "ended without an end": (lambda _: [], "truncated", "truncated"),
    "an error event": (lambda dialect: [_say_overloaded(dialect)], "failed", "overloaded"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", BREAKS)
async def test_provider_that_dies_in_mid_answer(visitor: Visitor, peer: Peer, dialect: str, name: str) -> None:
    steps, status, code = BREAKS[name]
    peer.says(*until_delta(dialect, TEXT, "three "), 0.05, *steps(dialect))
    log = len(visitor.site.log())
    stream = await (await visitor.ask("Count!", f"peer-{dialect}")).whole()
    _assert_told(stream, code)
    assert stream.text == BEGUN
    stored = rows.answer(visitor.site, visitor.key)
    assert (stored.status, stored.generation["error_code"], stored.text) == (status, code, BEGUN)
    shown = (await visitor.conversation())["messages"][1]
    assert shown["parts"] == [{"type": "text", "text": BEGUN, "state": "done"}]
    assert shown["metadata"]["error"] == PUBLIC_MESSAGES[code]
    _assert_nothing_leaked(visitor, stream, log)


async def test_conversation_goes_on_after_a_failure(visitor: Visitor, peer: Peer) -> None:
    peer.says(*until_delta("chat", TEXT, "three "), CUT)
    peer.says(*answer_wire("chat", "Better now."))
    await (await visitor.ask("Count!", "peer-chat")).whole()
    stream = await (await visitor.ask("Again!", "peer-chat")).whole()
    assert stream.text == "Better now."
    assert [message["role"] for message in peer.requests[1].json["messages"]] == ["user", "assistant", "user"]


async def test_what_follows_the_end_of_an_answer_does_not_matter(visitor: Visitor, peer: Peer) -> None:
    peer.says(*answer_wire("chat", TEXT), CUT)
    stream = await (await visitor.ask("Count!", "peer-chat")).whole()
    assert stream.types[-1] == "finish"
    assert rows.answer(visitor.site, visitor.key).status == "finished"


def _assert_told(stream: Stream, code: str) -> None:
    assert_whole(stream)
    assert stream.chunks[-1] == {"type": "error", "errorText": PUBLIC_MESSAGES[code]}


async def _metadata(visitor: Visitor) -> dict[str, Any]:
    metadata: dict[str, Any] = (await visitor.conversation())["messages"][1]["metadata"]
    return metadata


def _assert_nothing_leaked(visitor: Visitor, stream: Stream, log_before: int) -> None:
    log = visitor.site.log()[log_before:]
    frames, stored = json.dumps(stream.chunks), rows.everything(visitor.site)
    key, other_key, raw = SECRETS
    for place in (frames, stored, log):
        assert key not in place
        assert other_key not in place
    assert raw not in frames
    assert "Traceback" not in frames + log
