"""The dialect of OpenAI Responses (`POST /responses`): its streams and its request bodies."""

from __future__ import annotations

from streaming.protocol.dialects.openai_responses.request import responses_body
from streaming.protocol.dialects.openai_responses.stream import OpenAIResponsesStream

__all__ = ["OpenAIResponsesStream", "responses_body"]
