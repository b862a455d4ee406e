"""The real views take and give what the reference says."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from jsonschema import Draft202012Validator

from docs.reference import asyncapi, openapi
from docs.reference.schemas import resolved
from tests.asked import FRAMES, REQUESTS, Asker, Request
from tests.pictures import PNG
from tests.responses import body_of

pytestmark = pytest.mark.usefixtures("engine", "site_tools", "stored")

HTTP, SOCKET = openapi.document(), asyncapi.document()
PATHS = HTTP["paths"]


def errors(document: Any, schema: Any, value: Any) -> list[str]:
    """Returns the errors of a value, by a schema of a document."""
    validator = Draft202012Validator(resolved(schema, document["components"]["schemas"]))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def chunks_in(content: bytes) -> list[Any]:
    """The data of the events of a stream, without the last one."""
    data = [line.removeprefix(b"data: ") for line in content.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(one) for one in data if one != b"[DONE]"]


def told(operation: Any, status: int, media: str) -> Any:
    """Returns what the reference says of a response. Fails if it lacks the status or the type."""
    answer = operation["responses"][str(status)]
    return answer["content"][media] if media else answer.get("content", {})


@pytest.fixture
async def asker(settings: Any) -> AsyncGenerator[Asker]:
    settings.STREAMING_SHARES = True
    one = Asker(settings)
    yield one
    await one.close()


def _pattern(request: Request) -> str:
    """The address of the reference for that of a request in `tests.asked`."""
    return request.root + request.path.replace("<key>", "{key}").replace("<answer>", "{message_id}")


async def test_requests_and_responses_are_as_described(asker: Asker) -> None:
    wrong = {name: found for name, one in REQUESTS.items() if (found := await _wrong_with_request(asker, one))}
    assert wrong == {}


async def _wrong_with_request(asker: Asker, request: Request) -> list[Any]:
    """Returns what the reference lacks of a request and its response."""
    operation = PATHS[_pattern(request)][request.method.lower()]
    wrong = errors(HTTP, operation["requestBody"]["content"]["application/json"]["schema"], request.body)
    given = await asker.post(request, request.body)
    media = given.response.headers["Content-Type"].partition(";")[0]
    content = told(operation, given.status, media)
    if media == "application/json":
        return wrong + errors(HTTP, content["schema"], json.loads(given.content))
    chunks = chunks_in(given.content)
    assert chunks
    return wrong + [one for chunk in chunks for one in errors(HTTP, content["x-event-data-schema"], chunk)]


async def test_commands_and_replies_are_as_described(asker: Asker) -> None:
    wrong = {name: found for name, one in FRAMES.items() if (found := await _wrong_with_command(asker, one))}
    assert wrong == {}


async def _wrong_with_command(asker: Asker, request: Request) -> list[Any]:
    """Returns what the reference lacks of a command and its replies."""
    frames = [request.body, *await asker.tell(request, request.body)]
    messages = SOCKET["components"]["messages"]
    return [one for frame in frames for one in errors(SOCKET, messages[frame["type"]]["payload"], frame)]


ASKED: dict[str, dict[str, str]] = {
    "/api/chat": {"q": "Hello"},
    "/api/chat/{key}": {},
    "/api/chat/{key}/export": {"format": "json"},
    "/api/chat/{key}/stream": {"after": "1", "html": "1"},
    "/api/chat/{key}/shares": {},
    "/api/agui/{key}": {},
    "/api/providers": {},
    "/api/files/{pk}": {},
    "/streaming/health": {},
}
"""The queries with which each address is read."""
ENDED = {
    "/api/chat/{key}/messages/{message_id}/feedback": 204,
    "/api/chat/{key}/shares": 204,
    "/api/chat/{key}": 204,
    "/api/chat?confirm=all": 200,
}
"""The addresses that delete something, in this order, with the status of the response."""
ELSEWHERE = {
    ("get", "/streaming/probe"),
    ("get", "/streaming/metrics"),
    ("get", "/shared/{token}/files/{pk}"),
    ("delete", "/api/chat/{key}/shares/{share_id}"),
}
"""What needs a secret of the site or a link, and is tested in tests/serving and tests/views."""


def test_every_operation_of_the_api_is_asked_here() -> None:
    asked = {(one.method.lower(), _pattern(one)) for one in REQUESTS.values()}
    asked |= {("get", path) for path in ASKED} | {("delete", path.partition("?")[0]) for path in ENDED} | ELSEWHERE
    asked |= {("post", "/api/files"), ("patch", "/api/chat/{key}")}
    operations = {(method, path) for path, methods in PATHS.items() for method in methods if method != "parameters"}
    assert {one for one in operations if "api" in PATHS[one[1]][one[0]]["tags"]} == asked


async def test_what_is_read_is_as_described(asker: Asker) -> None:
    """The conversation has an opinion of the owner's, a second branch and a file."""
    await asker.prepare(None)
    for name in ("feedback", "share", "again"):
        await asker.post(REQUESTS[name], REQUESTS[name].body)
        asker._waits_for = None  # the same conversation
    upload = await asker.client.post("/api/files", {"file": SimpleUploadedFile("cat.png", PNG, "image/png")})
    await _agrees(PATHS["/api/files"]["post"], upload)
    for path, query in ASKED.items():
        response = await asker.client.get(path.format(key=asker.key, pk=upload.json()["id"]), query)
        await _agrees(PATHS[path]["get"], response)


async def test_changes_and_deletions_are_as_described(asker: Asker) -> None:
    await asker.prepare(None)
    changed = await asker.client.patch(f"/api/chat/{asker.key}", {"title": "Sky"}, content_type="application/json")
    await _agrees(PATHS["/api/chat/{key}"]["patch"], changed)
    for path, status in ENDED.items():
        response = await asker.client.delete(path.format(key=asker.key, message_id=asker.answer))
        assert response.status_code == status
        await _agrees(PATHS[path.partition("?")[0]]["delete"], response)


def test_answer_with_another_key_would_be_noticed() -> None:
    schema = PATHS["/api/chat"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert errors(HTTP, schema, {"conversations": [], "nextPage": None}) == []
    assert errors(HTTP, schema, {"conversations": [], "nextPage": None, "more": 1}) != []
    assert errors(HTTP, schema, {"conversations": [{"id": "c"}], "nextPage": None}) != []


async def _agrees(operation: Any, response: Any) -> None:
    media = response.headers.get("Content-Type", "").partition(";")[0]
    content = operation["responses"][str(response.status_code)].get("content", {"*/*": {}})
    schema = content[media] if media in content else content["*/*"]
    body = await body_of(response)
    readers = {"application/json": lambda: [json.loads(body)], "text/event-stream": lambda: chunks_in(body)}
    for value in readers.get(media, list)():
        assert errors(HTTP, schema.get("schema") or schema.get("x-event-data-schema", {}), value) == []
