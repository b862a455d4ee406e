"""The page with the real local model, as `make demo` shows it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat
from tests.local_model import RunningModel
from tests.servers import serve


@pytest.mark.local_model
async def test_a_question_gets_an_answer_that_grows(open_chat: Any, local_model: RunningModel, tmp_path: Path) -> None:
    with serve("daphne", tmp_path, settings="tests.browser.settings", env={"STREAMING_PROVIDER": "local"}) as site:
        chat: Chat = await open_chat("/", base=site.url)
        await chat.watch()
        await chat.ask("Tell me three things about rain.")
        await expect(chat.text).to_have_text(re.compile(r"\w+"), timeout=60_000)
        seen = await chat.drawn(60)
        assert len(seen) > 3
        assert all(later.startswith(earlier.rstrip()) for earlier, later in itertools.pairwise(seen))
        await chat.page.reload()
        assert await chat.written() == seen[-1]
        await chat.ask("Write a very long story about snow, with many chapters.")
        await expect(chat.stop_button).to_be_visible()
        await expect(chat.text).to_have_text(re.compile(r"\w+"), timeout=60_000)
        await chat.stop_button.click()
        await chat.is_idle()
        kept = await chat.written()
        await chat.page.reload()
        assert await chat.written() == kept
