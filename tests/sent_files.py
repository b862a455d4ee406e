"""Files in tests: a storage of the test's own, and a client that uploads files and sends them with messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import AsyncClient

from streaming.models import Generation
from streaming.protocol import FilePart, Turn
from streaming.providers import get_provider
from streaming.supervisor import current
from tests import engine
from tests.pictures import PNG, data_url
from tests.responses import body_of

PICTURE = {"type": "file", "mediaType": "image/png", "filename": "cat.png", "url": data_url(PNG)}


@pytest.fixture
def stored(settings: Any, tmp_path: Path) -> Path:
    """The directory in which the site stores files."""
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path / "streaming"


def names(stored: Path) -> list[str]:
    """The names of the stored files."""
    return sorted(path.name for path in stored.iterdir()) if stored.exists() else []


def picture(content: bytes = PNG, **fields: Any) -> FilePart:
    return FilePart(media_type="image/png", url=data_url(content), **({"filename": "cat.png"} | fields))


async def submit(prompt: str = "Hi", *files: FilePart, **fields: Any) -> Generation:
    """Submits a prompt with files and waits until the answer has ended."""
    generation = await engine.submit(prompt, files=files, **fields)
    await current().idle()
    return generation


async def upload(client: AsyncClient, content: bytes = PNG, name: str = "cat.png", kind: str = "image/png") -> Any:
    """Uploads a file and returns the response's JSON."""
    response = await post_file(client, content, name, kind)
    assert response.status_code == 201, response.content
    return response.json()


async def post_file(client: AsyncClient, content: bytes, name: str, kind: str) -> HttpResponse:
    return await client.post("/api/files", {"file": SimpleUploadedFile(name, content, kind)})


async def say(client: AsyncClient, *files: dict[str, Any], text: str = "What is it?", **fields: Any) -> HttpResponse:
    """Sends a message as `useChat` does and reads the answer to its end."""
    parts = [*files, *([{"type": "text", "text": text}] if text else [])]
    message = {"id": fields.pop("message_id", "m1"), "role": "user", "parts": parts}
    body = {"id": "c1", "messages": [message]} | fields
    response = await client.post("/api/chat", body, content_type="application/json")
    if response.status_code == 200:
        await body_of(response)
    return response


async def asked() -> tuple[Turn, ...]:
    """The turns of the last request to the scripted provider."""
    turns: tuple[Turn, ...] = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    return turns
