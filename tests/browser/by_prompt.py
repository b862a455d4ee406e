"""A provider that chooses its answer by the first word of the last message. So one server serves all scenarios."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from streaming.protocol import GenerationRequest, ToolSpec, text_of
from streaming.providers import Problem
from streaming.providers.scripted import Scripted
from streaming.tools import tool
from tests.markdown.corpus import RICH

WORDS = " ".join(f"word{number}" for number in range(1, 61))
LINES = "\n".join(f"Line {number} of a long answer." for number in range(1, 121))
MARKUP = "<b>bold</b> <img src=x onerror=alert(1)> <script>alert(2)</script> & done"
CLOSED_TAB = (
    "It goes on. An answer belongs to the site and not to your connection: a task of its own reads the model and "
    "writes every word to a journal in the database.\n\n"
    "When you come back, in this tab or another one, the page replays what you missed and then follows along."
)
STOPPED = (
    "Then the connection to the model is closed at once, so nobody pays for words that nobody reads. What was written "
    "so far is kept, here and for those who review it.\n\n"
    "It does not matter which of your tabs you press it in, or which of the site's processes is doing the work: the "
    "request to stop is a row in the database, and whoever writes the answer looks at it several times a second."
)
# Lists whose last numbers have four, four and nine digits.
NUMBERED = "".join(
    "".join(f"{number}. Line\n" for number in numbers) + "\n\nAnd:\n\n"
    for numbers in (range(1, 1002), range(998, 1004), range(123_456_780, 123_456_783))
)
# Tables with cells that have another direction than the table, or none.
SHEETS = "| المدينة | السكان |\n|---|---|\n| Oslo | 700 |\n\n| city | name |\n|---|---|\n| Cairo | القاهرة |"
OUTLINE = f"[Go on](#how-to-go-on), [go off](#nowhere)\n\n{LINES}\n\n## How to go on?\n\n{LINES}"
WEATHER = {"name": "get_weather", "arguments": {"city": "Rome", "days": 3}}
MAIL = {"name": "send_mail", "arguments": {"to": "me", "body": "Hello there"}}
TITLE = "Markup and its name"
# A tool without a function: the page shows its calls, and they stay without a result.
get_weather = ToolSpec(name="get_weather", description="", parameters={"type": "object"})


@tool
async def look_around() -> str:
    """A tool that takes so long that a person can decide about another call meanwhile."""
    await asyncio.sleep(3)
    return "seen"


@tool
async def look_up(table: str) -> list[dict[str, object]]:
    """A tool whose result is a table, and which takes a notable time."""
    await asyncio.sleep(1.1)
    return [{"city": "Rome", "people": 2_800_000}, {"city": "Oslo", "people": 700_000}]


# Addresses of files as a model may write them: other paths of this site, and what a browser must not run.
ELSEWHERE = ("/api/files/../../admin/logout/", "/api/files/x", "/api/files/", "javascript:alert(1)")


def _chunk(**choice: Any) -> str:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': {}} | choice]})}\n\n"


def _image(url: str) -> str:
    return _chunk(delta={"images": [{"type": "image_url", "image_url": {"url": url}}]})


LIMITED = [_chunk(delta={"content": "So far and"}), _chunk(finish_reason="length"), "data: [DONE]\n\n"]
SCRIPTS: dict[str, dict[str, Any]] = {
    "words": {"text": WORDS, "delay": 0.03},
    "lines": {"text": LINES, "delay": 0.004},
    "steady": {"text": WORDS, "delay": 0.06},
    "slow": {"text": WORDS, "delay": 0.12},
    "hang": {"text": WORDS, "delay": 0.01, "hang_after": 12},
    "markup": {"text": MARKUP, "delay": 0.01},
    "tags": {"text": MARKUP, "delay": 0.1},
    "limited": {"chunks": LIMITED},
    "mute": {"reasoning": "I had better say nothing.", "text": ""},
    "Continue.": {"text": "no further."},
    "rich": {"text": RICH, "delay": 0.02},
    "bulk": {"text": "\n\n".join([RICH] * (32_000 // len(RICH) + 1)), "delay": 0.005},
    "numbered": {"text": NUMBERED},
    "sheets": {"text": SHEETS},
    "outline": {"text": OUTLINE},
    "unbroken": {"text": "x" * 600},
    "formula": {"text": f"See ${'a+' * 100}b$ in a line."},
    "think": {"reasoning": "First this, then that.", "text": "So it is.", "tool_calls": [WEATHER], "delay": 0.02},
    "untagged": {"text": "I **weigh** it.</think>\n\nSo it is.", "delay": 0.05},
    "ponder": {"reasoning": "Let me see.", "text": "Aha.", "delay": 0.6},
    "peek": {"text": "Seen.", "tool_calls": [{"name": "look_up", "arguments": {"table": "cities"}}]},
    "deep": {
        "reasoning": "Let me look.",
        "text": "Seen.",
        "tool_calls": [{"name": "look_up", "arguments": {"table": "cities"}}],
    },
    "mail": {
        "text": "So be it.",
        "tool_calls": [MAIL, {**MAIL, "arguments": {"to": "all", "body": "Hi"}}],
        "delay": 0.02,
    },
    "both": {
        "text": "So be it.",
        "tool_calls": [MAIL, {"name": "look_around", "arguments": {}}],
        "delay": 0.02,
    },
    "What": {"text": CLOSED_TAB, "delay": 0.01},
    "And": {"text": STOPPED, "delay": 0.06},
    "busy": {"error": "overloaded", "text": WORDS},
    "elsewhere": {"chunks": [_image(url) for url in ELSEWHERE] + [_chunk(finish_reason="stop"), "data: [DONE]\n\n"]},
    "forget": {"text": "What was it again?"},
    "full": {"error": "context_length"},
    "Conversation:": {"text": "They counted words."},
    "named": {"text": TITLE, "delay": 0.05},
    "unnamed": {"text": " "},
    "lost": {"text": WORDS, "error": "connection_lost", "fail_after": 12, "delay": 0.01},
}


class ByPrompt:
    """A provider with one `Scripted` for each first word. An unknown first word gets the script `words`.

    A question that begins with `forget` is refused as too long if it comes after answers. A title is found only for a
    conversation that is to be named.
    """

    dialect = "openai-chat"
    takes = ("image/*", "text/*")

    def __init__(self, model: str = "by-prompt") -> None:
        self.scripts = {name: Scripted(model=model, **options) for name, options in SCRIPTS.items()}
        self.model = model
        self.parser_options = {**self.scripts["words"].parser_options, "split_think_tags": True}

    def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        asked = [text_of(turn.parts) for turn in request.turns if turn.role == "user"]
        name = asked[-1].split()[0]
        if name == "forget" and any(turn.role == "assistant" for turn in request.turns):
            name = "full"
        if name == "Question:":  # how the app asks for a title
            name = "named" if "to be named" in asked[-1] else "unnamed"
        return self.scripts.get(name, self.scripts["words"]).stream(request)

    async def close(self) -> None:
        pass

    @classmethod
    def check(cls, alias: str, options: Mapping[str, Any]) -> list[Problem]:
        return []
