"""Every refusal because of a limit says when to ask again: the API, the page without JavaScript, and the socket."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.test import AsyncClient
from django.utils import timezone

from streaming.access import VISITOR_KEY, open_streams
from streaming.consumers import ChatConsumer
from streaming.models import Generation, Owner
from tests.engine import Script
from tests.pages import answered

pytestmark = pytest.mark.usefixtures("engine")
DAY = 24 * 3600
# A limit that the second message of a conversation exceeds -> the age of the first, and the seconds to wait then.
LIMITS = {
    "MAX_ACTIVE_PER_OWNER": (0, 0, range(1, 60)),
    "MAX_PROMPTS_PER_MINUTE": (1, 40, range(18, 21)),
    "MAX_TOKENS_PER_DAY": (1, DAY - 1000, range(990, 1001)),
    "MAX_MESSAGES_PER_CONVERSATION": (2, 0, range(DAY, DAY + 1)),
    "BUDGETS": ({"owner": {"day": {"tokens": 0}}}, 0, range(1, DAY + 1)),
}


async def _at_the_limit(client: AsyncClient, settings: Any, name: str) -> range:
    await answered(client)
    limit, age, wait = LIMITS[name]
    setattr(settings, f"STREAMING_{name}", limit)
    await Generation.objects.aupdate(created_at=timezone.now() - timedelta(seconds=age))
    return wait


@pytest.mark.parametrize("name", LIMITS)
async def test_refused_message_says_when_to_ask_again(scripted: Script, settings: Any, name: str) -> None:
    scripted(text="one two three")
    client = AsyncClient()
    wait = await _at_the_limit(client, settings, name)
    asked = await client.post("/api/chat", {"id": "c1", "prompt": "And?"}, content_type="application/json")
    sent = await client.post("/chat/c1/send/", {"prompt": "And?"})
    for response in (asked, sent):
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) in wait


async def test_refused_stream_says_when_to_ask_again(settings: Any) -> None:
    client = AsyncClient()
    await answered(client)
    settings.STREAMING_MAX_STREAMS_PER_OWNER = 1
    visitor = await _visitor(client)
    with open_streams().held(visitor.key):
        response = await client.get("/api/chat/c1/stream?after=0")
    assert (response.status_code, int(response.headers["Retry-After"]) > 0) == (429, True)


async def _visitor(client: AsyncClient) -> Owner:
    session = await client.asession()
    return Owner.of_visitor(await session.aget(VISITOR_KEY))


async def test_refusal_over_a_socket_says_when_to_ask_again(scripted: Script, settings: Any) -> None:
    scripted(text="one two three")
    client = AsyncClient()
    wait = await _at_the_limit(client, settings, "MAX_PROMPTS_PER_MINUTE")
    socket = WebsocketCommunicator(ChatConsumer.as_asgi(), "/ws/chat/")
    socket.scope["session"] = await client.asession()
    await socket.connect()
    await socket.send_json_to({"type": "send", "requestId": "r1", "id": "c1", "prompt": "And?"})
    refused = await socket.receive_json_from()
    assert (refused["type"], refused["retryAfter"] in wait) == ("error", True)
    await socket.send_json_to({"type": "send", "requestId": "r1", "id": "c1", "prompt": ""})
    assert "retryAfter" not in await socket.receive_json_from(), "waiting does not help"
    await socket.disconnect()
