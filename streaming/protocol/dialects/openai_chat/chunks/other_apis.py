"""Chunks of other APIs: those of servers that also have one like OpenAI's, without a list of choices.

A base URL that is wrong by a word leads to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

JSONObject = dict[str, Any]


def as_chunk(wire: Any) -> JSONObject | None:
    """Returns the payload as a chunk with one choice; None if it is of no known API."""
    if not isinstance(wire, dict) or "type" in wire:
        return None
    choice = next((choice for reader in READERS if (choice := reader(wire)) is not None), None)
    if choice is None:
        return None
    usage = {ours: wire[theirs] for theirs, ours in COUNTS.items() if theirs in wire}
    return {"id": wire.get("id"), "model": wire.get("model"), "choices": [choice], "usage": wire.get("usage") or usage}


COUNTS = {
    "prompt_eval_count": "prompt_tokens",
    "eval_count": "completion_tokens",  # Ollama
    "tokens_evaluated": "prompt_tokens",
    "tokens_predicted": "completion_tokens",  # llama.cpp
}


def _choice(delta: Any, reason: Any = None, *, is_end: bool = False) -> JSONObject:
    return {"index": 0, "delta": delta, "finish_reason": (reason or "stop") if is_end else None}


def _read_delta(wire: JSONObject) -> JSONObject | None:
    delta = wire.get("delta")
    return _choice(delta, wire.get("finish_reason"), is_end=bool(wire.get("finish_reason"))) if delta else None


def _read_ollama(wire: JSONObject) -> JSONObject | None:
    """Reads `api/chat` and `api/generate` of Ollama, and Workers AI, which has the words of the latter."""
    message, text = wire.get("message"), wire.get("response")
    if isinstance(text, str):
        message = {"content": text, "thinking": wire.get("thinking"), "tool_calls": wire.get("tool_calls")}
    elif "done" not in wire:
        return None
    is_end = bool(wire.get("done"))
    return _choice(message, wire.get("done_reason"), is_end=is_end) if isinstance(message, dict) else None


def _read_llama(wire: JSONObject) -> JSONObject | None:
    text, stop = wire.get("content"), wire.get("stop")
    if not isinstance(text, str) or not isinstance(stop, bool):
        return None
    return _choice({"content": text}, "length" if wire.get("stopped_limit") else "stop", is_end=stop)


def _read_tgi(wire: JSONObject) -> JSONObject | None:
    token, details = wire.get("token"), wire.get("details")
    if not isinstance(token, dict) or "text" not in token:
        return None
    reason = details.get("finish_reason") if isinstance(details, dict) else None
    text = "" if token.get("special") else token["text"]
    return _choice({"content": text}, reason, is_end=wire.get("generated_text") is not None)


def _read_dify(wire: JSONObject) -> JSONObject | None:
    event, answer = wire.get("event"), wire.get("answer")
    if event == "message_end":
        metadata = wire.get("metadata")
        usage = metadata.get("usage") if isinstance(metadata, dict) else None
        return _choice({}, is_end=True) | {"usage": usage}
    return _choice({"content": answer}) if event in ("message", "agent_message") and answer is not None else None


def _read_text(wire: JSONObject) -> JSONObject | None:
    """Reads the older APIs of DashScope and Baidu."""
    output, text = wire.get("output"), wire.get("result")
    if isinstance(output, dict) and "text" in output:
        reason = output.get("finish_reason")
        return _choice({"content": output["text"]}, reason, is_end=reason not in (None, "null"))
    return _choice({"content": text}, is_end=bool(wire["is_end"])) if "is_end" in wire else None


READERS: tuple[Callable[[JSONObject], JSONObject | None], ...] = (
    _read_delta,
    _read_ollama,
    _read_llama,
    _read_tgi,
    _read_dify,
    _read_text,
)
