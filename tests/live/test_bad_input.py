"""Bad input gets a clear status and a short text for people, and nothing is stored."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx
import pytest
from django.test import Client

from tests.live import rows
from tests.live.client import Visit, Visitor
from tests.live.conftest import StartSite
from tests.live.wires import answer_wire
from tests.peers import HANG, Peer

JSON = {"Content-Type": "application/json"}


class Refused(NamedTuple):
    """A body and its refusal: the status and some words of the text."""

    status: int
    said: str
    content: bytes | str


def _body(**fields: Any) -> str:
    return json.dumps(fields)


BAD_BODIES = {
    "nothing": Refused(400, "not valid JSON", b""),
    "malformed": Refused(400, "not valid JSON", b'{"prompt": "x"'),
    "not UTF-8": Refused(400, "not valid JSON", b'{"prompt": "\xff"}'),
    "too deep": Refused(400, "not valid JSON", b"[" * 100_000),
    "too deep inside": Refused(400, "not valid JSON", b'{"prompt": "x", "messages": ' + b"[" * 100_000 + b"}"),
    "a form": Refused(400, "not valid JSON", b"prompt=x"),
    "a list": Refused(400, "must be a JSON object", b'["x"]'),
    "a string": Refused(400, "must be a JSON object", b'"x"'),
    "null": Refused(400, "must be a JSON object", b"null"),
    "no message": Refused(400, "There is no message", _body()),
    "no messages": Refused(400, "There is no message", _body(messages=[])),
    "an answer last": Refused(400, "must be the user's", _body(messages=[{"role": "assistant", "parts": []}])),
    "a number for a prompt": Refused(400, "must be a string", _body(prompt=7)),
    "an empty prompt": Refused(400, "The message is empty", _body(prompt="")),
    "only blanks": Refused(400, "The message is empty", _body(prompt=" \n\t\u3000")),
    "a picture elsewhere": Refused(400, "are not fetched", _body(message={"parts": [{"type": "file", "url": "x"}]})),
    "a page as a picture": Refused(
        415,
        "is not image/png",
        _body(prompt="x", files=[{"url": "data:image/png;base64,PGI+", "mediaType": "image/png"}]),
    ),
    "a long prompt": Refused(413, "32001 characters; at most 32000", _body(prompt="x" * 32_001)),
    "a large body": Refused(413, "larger than this site accepts", _body(prompt="x", junk="x" * 3_000_000)),
    "unknown provider": Refused(400, "Unknown provider 'gpt'", _body(prompt="x", provider="gpt")),
    "a list for a provider": Refused(400, "'provider' must be", _body(prompt="x", provider=["gpt"])),
    "a number for an id": Refused(400, "'id' must be", _body(prompt="x", id=7)),
    "a long id": Refused(400, "'id' must be", _body(prompt="x", id="x" * 129)),
    "a slash in the id": Refused(400, "'id' must not hold a slash", _body(prompt="x", id="a/b")),
    "dots for an id": Refused(400, "'id' must not", _body(prompt="x", id="..")),
    "unknown trigger": Refused(400, "'trigger' must be one of", _body(prompt="x", trigger="dance")),
    "a list for a trigger": Refused(400, "'trigger' must be one of", _body(prompt="x", trigger=["x"])),
    "edit of nothing": Refused(404, "no such message", _body(prompt="x", messageId="nope")),
    "again in no conversation": Refused(404, "no such conversation", _body(id="nope", trigger="regenerate-message")),
}
CROSS_SITE = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a sibling site": {"Sec-Fetch-Site": "same-site"},
    "another origin": {"Origin": "http://evil.example"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "no origin": {"Origin": "null"},
    "what is no address": {"Origin": "http://["},
}
ENDPOINTS = (("GET", ""), ("GET", "/stream"), ("POST", "/stop"))
WRONG_METHODS = {
    ("PUT", "/api/chat"): "GET, POST, DELETE, HEAD",
    ("POST", "/api/chat/x"): "GET, PATCH, DELETE, HEAD",
    ("POST", "/api/chat/x/stream"): "GET, HEAD",
    ("GET", "/api/chat/x/stop"): "POST",
    ("GET", "/api/chat/x/branch"): "POST",
}


def _assert_refused(response: httpx.Response, status: int, said: str) -> None:
    assert (response.status_code, said in response.text) == (status, True), (response.status_code, response.text)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert len(response.text) < 500
    assert "Traceback" not in response.text


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_bad_body_is_explained_and_nothing_stored(visitor: Visitor, name: str) -> None:
    case, before = BAD_BODIES[name], rows.counts(visitor.site)
    response = await visitor.http.post("/api/chat", content=case.content, headers=JSON)
    _assert_refused(response, case.status, case.said)
    assert rows.counts(visitor.site) == before


@pytest.mark.parametrize("name", CROSS_SITE)
async def test_request_of_another_site_is_refused(visitor: Visitor, name: str) -> None:
    await visitor.greet()
    before = rows.counts(visitor.site)
    paths = [("POST", f"/api/chat{rest}") for rest in ("", "/x/stop", "/x/branch")]
    for method, path in (*paths, ("GET", "/api/chat/x")):
        response = await visitor.http.request(method, path, json={"prompt": "x"}, headers=CROSS_SITE[name])
        _assert_refused(response, 403, "other sites are refused")
    assert rows.counts(visitor.site) == before


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": ""}])
async def test_request_of_this_site_is_not_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    headers = {name: value or visitor.site.url for name, value in headers.items()}
    response = await visitor.http.post("/api/chat", json={"prompt": "x"}, headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(("method", "path"), WRONG_METHODS)
async def test_wrong_method_names_the_right_one(visitor: Visitor, method: str, path: str) -> None:
    response = await visitor.http.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == WRONG_METHODS[method, path]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 11, "٣", "1 2"])
async def test_cursor_that_is_no_number_is_refused(visitor: Visitor, cursor: str) -> None:
    await (await visitor.ask("Hello?")).whole()
    response = await visitor.http.get(f"/api/chat/{visitor.key}/stream", params={"after": cursor})
    _assert_refused(response, 400, "The cursor must be")
    if cursor.isascii():
        response = await visitor.http.get(f"/api/chat/{visitor.key}/stream", headers={"Last-Event-ID": cursor})
        _assert_refused(response, 400, "The cursor must be")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_conversation_of_another_does_not_exist(visitor: Visitor, visit: Visit, method: str, path: str) -> None:
    await (await visitor.ask("A secret.")).whole()
    stranger, acquaintance = visit(visitor.site), await visit(visitor.site).greet()
    for other in (stranger, acquaintance):
        theirs = await other.http.request(method, f"/api/chat/{visitor.key}{path}")
        unknown = await other.http.request(method, f"/api/chat/unknown{path}")
        assert (theirs.status_code, theirs.text) == (unknown.status_code, unknown.text), "the two can be told apart"
        if path == "/stream":
            assert theirs.status_code == 204, "clients ask this for each new conversation"
        else:
            _assert_refused(theirs, 404, "There is no such conversation.")


async def test_same_id_of_another_is_another_conversation(visitor: Visitor, visit: Visit) -> None:
    await (await visitor.ask("A secret.")).whole()
    other = visit(visitor.site)
    other.key = visitor.key
    await (await other.ask("Hello?")).whole()
    assert [message["role"] for message in (await other.conversation())["messages"]] == ["user", "assistant"]
    assert "secret" not in json.dumps(await other.conversation())


async def test_message_of_another_cannot_be_named(visitor: Visitor, visit: Visit) -> None:
    await (await visitor.ask("A secret.")).whole()
    question, answer = (await visitor.conversation())["messages"]
    other = await visit(visitor.site).greet()
    for message in (question, answer):
        body = {"id": "mine", "prompt": "x", "messageId": message["id"]}
        _assert_refused(await other.http.post("/api/chat", json=body), 404, "no such message")


async def test_sign_in_is_asked_for_where_it_is_required(start_site: StartSite, visit: Visit) -> None:
    site = start_site("uvicorn", STREAMING_ALLOW_ANONYMOUS=False)
    visitor = visit(site)
    for method, path in (("POST", "/api/chat"), *((method, f"/api/chat/x{path}") for method, path in ENDPOINTS)):
        _assert_refused(await visitor.http.request(method, path, json={"prompt": "x"}), 401, "Sign in")
    assert set(rows.counts(site).values()) == {0}
    assert not visitor.http.cookies


async def test_busy_conversation_is_refused_before_any_stream(visitor: Visitor, peer: Peer) -> None:
    peer.says(HANG)
    await visitor.ask("Hello?", "peer-chat")
    before = rows.counts(visitor.site)
    response = await visitor.http.post("/api/chat", json={"id": visitor.key, "prompt": "And?"})
    _assert_refused(response, 409, "An answer is still being written in this conversation.")
    assert rows.counts(visitor.site) == before
    await visitor.stop()


async def test_too_many_answers_at_once_are_refused(visitor: Visitor, visit: Visit, peer: Peer) -> None:
    peer.says(HANG)
    await visitor.greet()
    for key in ("one", "two", "three"):
        await visitor.ask("Hello?", "peer-chat", id=key)
    before = rows.counts(visitor.site)
    response = await visitor.http.post("/api/chat", json={"id": "four", "prompt": "Hello?"})
    _assert_refused(response, 429, "3 answers are being written for you already.")
    assert rows.counts(visitor.site) == before
    assert await visit(visitor.site).greet(), "other owners are not affected"
    for visitor.key in ("one", "two", "three"):
        assert await visitor.stop() == "stopping"


async def test_message_id_is_not_used_for_two_messages(visitor: Visitor) -> None:
    await (await visitor.ask("Hello?", clientId="m1")).whole()
    body = {"id": visitor.key, "prompt": "Something else", "clientId": "m1"}
    _assert_refused(await visitor.http.post("/api/chat", json=body), 409, "This message id was used")


async def test_refused_conversation_can_go_on(visitor: Visitor, peer: Peer) -> None:
    peer.says(*answer_wire("chat", "Fine."))
    await visitor.greet()
    refused = await visitor.http.post("/api/chat", json={"id": visitor.key, "prompt": ""})
    assert refused.status_code == 400
    stream = await (await visitor.ask("Now?", "peer-chat")).whole()
    assert stream.text == "Fine."


@pytest.mark.django_db
@pytest.mark.urls("project.urls")
def test_wsgi_is_told_that_it_cannot_stream(client: Client) -> None:
    response = client.post("/api/chat", data={"prompt": "x"}, content_type="application/json")
    assert response.status_code == 501
    assert "Serve it through ASGI" in response.content.decode()


@pytest.mark.parametrize(("method", "rest"), ENDPOINTS)
async def test_key_that_no_database_holds_is_nobodys(visitor: Visitor, method: str, rest: str) -> None:
    _assert_refused(await visitor.http.request(method, f"/api/chat/%00{rest}"), 404, "nothing here")
