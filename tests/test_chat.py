"""`streaming.chat` with tools: code offers its own tools and decides about their calls."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.chat import go_on, start_chat
from streaming.protocol import ToolApproval
from tests import sample_tools as tools
from tests.stepwise import (
    MAIL,
    called,
    says,
)

pytestmark = pytest.mark.usefixtures("engine", "site_tools")


async def test_code_offers_its_own_tools_and_decides_about_their_calls(settings: Any) -> None:
    settings.STREAMING_TOOLS = []
    says(settings, ("I would write. ", (MAIL,)), ("Sent.", ()))
    own = [tools.send_mail]
    asked = await (await start_chat("Write", tools=own)).result()
    assert [call.name for call in asked.asked] == ["send_mail"]
    decisions = [ToolApproval(call_id=call.id, is_approved=True) for call in asked.asked]
    answer = await go_on(asked, decisions, tools=own)
    assert [text async for text in answer] == ["Sent."]
    assert (await answer.result()).text == "Sent."
    assert tools.CALLS == [("send_mail", {"to": "me", "body": "Hello there"})]


async def test_stopped_answer_has_no_open_questions(settings: Any) -> None:
    says(settings, ("", (MAIL, ("w", "waits", "{}"))))
    answer = await start_chat("Write")
    await called(1)
    await answer.stop()
    result = await answer.result()
    assert (result.status, [call.name for call in result.tool_calls], result.asked) == (
        "cancelled",
        ["send_mail", "waits"],
        [],
    )
