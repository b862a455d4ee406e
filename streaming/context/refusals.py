"""The numbers in a provider's sentence that a request is too long.

prompt is too long: 213462 tokens > 200000 maximum                                      Anthropic
This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.     OpenAI
… maximum context length is 4096 tokens. However, you requested 5000 tokens (4500 in the messages, …    vLLM
request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it               llama.cpp
"""

from __future__ import annotations

import re

NUMBER = r"(?P<{}>\d[\d,]*)"
SENTENCES = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"{NUMBER.format('sent')} tokens? > {NUMBER.format('limit')}",
        rf"context (?:length|window|size) (?:is|of) {NUMBER.format('limit')}\D.*?{NUMBER.format('sent')} tokens",
        rf"\({NUMBER.format('sent')} tokens?\).{{0,80}}?\({NUMBER.format('limit')} tokens?\)",
    )
)


def share_of(detail: str) -> float | None:
    """Returns the part of the request that would have fitted, from 0 to 1; None if the sentence has no numbers."""
    for sentence in SENTENCES:
        if found := sentence.search(detail):
            sent, limit = (int(found[name].replace(",", "")) for name in ("sent", "limit"))
            return limit / sent if 0 < limit < sent else None
    return None
