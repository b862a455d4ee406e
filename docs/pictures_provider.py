"""A provider whose answers look as those of a good model do. `docs.pictures` takes its pictures of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from streaming.protocol import GenerationRequest
from streaming.providers.scripted import Scripted
from tests.browser import by_prompt

SHOW = """\
Write an **async** generator, and give it to `StreamingHttpResponse`:

```python
async def words(question):
    async for delta in model.stream(question):
        yield f"data: {delta}\\n\\n"
```

That streams. What it does not do yet:

| when | what is lost |
|---|---|
| the reader reloads | the rest of the answer |
| a proxy buffers | the streaming |
| the worker restarts | everything |

So keep a *journal*: each event gets a number, and a reader continues after the last one it has.
"""
ARABIC = """\
اكتب **مولّدا** غير متزامن، وأعطه إلى `StreamingHttpResponse`:

1. يصل النص قطعة بعد قطعة.
2. تُحفظ كل قطعة في سجل قبل أن تُعرض.

إذا أغلقت الصفحة ثم عدت إليها، يكمل الجواب من حيث توقف.
"""
SCRIPTS: dict[str, dict[str, Any]] = {
    "How": {"text": SHOW, "delay": 0.035},
    "كيف": {"text": ARABIC, "delay": 0.08},
    "Which": {
        "text": "",
        "tool_calls": [{"name": "look_up", "arguments": {"table": "cities"}}],
    },
    "Translate": by_prompt.SCRIPTS["busy"],
    "after tools": {"text": "Rome has about four times as many people as Oslo."},
    "Write": {
        "text": "I wrote it. Shall I send it?",
        "tool_calls": [{"name": "send_mail", "arguments": {"to": "ada@example.com", "body": "The demo is at ten."}}],
    },
}


class Samples(by_prompt.ByPrompt):
    """A provider that chooses its answer by the first word of the last message."""

    def __init__(self, model: str = "samples") -> None:
        super().__init__(model)
        self.scripts |= {word: Scripted(model=model, **options) for word, options in SCRIPTS.items()}

    def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        if request.turns[-1].role != "user":
            return self.scripts["after tools"].stream(request)
        return super().stream(request)
