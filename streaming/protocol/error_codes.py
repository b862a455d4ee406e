"""One table of provider errors: the code of this site for each word and HTTP status that servers use.

The codes are the keys of `streaming.errors.PUBLIC_MESSAGES`. `streaming.errors.RETRYABLE` has those for which asking
again may help. Errors inside a stream and HTTP answers are looked up in the same tables, so both get the same verdict.

Sources: `openai.types.responses.ResponseError`, `anthropic.types.shared.ErrorType`, the error pages of both vendors,
and recorded streams of compatible servers. Both vendors' SDKs retry the statuses 408, 409, 429 and 500 and above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

STATUSES: dict[int, str] = {
    400: "bad_request",
    401: "authentication",
    402: "permission",
    403: "permission",
    404: "model_not_found",
    408: "timeout",
    409: "overloaded",  # a lock that another request holds
    413: "context_length",
    422: "bad_request",
    429: "rate_limited",
    500: "provider_error",
    502: "unreachable",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",  # Anthropic
}

STATUS_WORDS: dict[str, int] = {
    **dict.fromkeys(("invalid_request_error", "bad_request", "invalid_argument", "invalid_parameter"), 400),
    **dict.fromkeys(("authentication_error", "unauthenticated", "unauthorized"), 401),
    **dict.fromkeys(("permission_error", "permission_denied", "access_denied", "forbidden"), 403),
    "not_found_error": 404,
    "request_timeout": 408,
    "conflict_error": 409,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "rate_limited": 429,
    "rate_limit_reached": 429,  # Moonshot
    "resource_exhausted": 429,  # Gemini
    "throttling": 429,  # Bedrock, DashScope
    "too_many_requests": 429,
    "unprocessable_entity": 422,
    "validation_error": 422,
    "api_error": 500,
    "error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "model_stream_error": 500,  # Bedrock
    "server_error": 500,
    **dict.fromkeys(("bad_gateway", "connection_error", "api_connection_error"), 502),
    **dict.fromkeys(("stream_read_error", "upstream_error"), 502),
    **dict.fromkeys(("service_unavailable", "unavailable", "provider_unavailable", "model_not_ready"), 503),
    **dict.fromkeys(("timeout", "api_timeout", "gateway_timeout", "model_timeout", "upstream_timeout"), 504),
    "deadline_exceeded": 504,  # Gemini
}
"""Words that repeat an HTTP status. If the answer itself has a status, that one counts instead."""

WORDS: dict[str, str] = {
    "context_length_exceeded": "context_length",
    "context_window_exceeded": "context_length",  # LiteLLM
    "exceed_context_size_error": "context_length",  # llama.cpp
    "request_too_large": "context_length",
    "string_above_max_length": "context_length",
    "model_not_found": "model_not_found",
    "invalid_api_key": "authentication",
    "billing_error": "permission",
    # these come with status 429, but waiting does not help
    **dict.fromkeys(("insufficient_quota", "exceeded_current_quota", "insufficient_balance"), "permission"),
    "budget_exceeded": "permission",  # LiteLLM
    "engine_overloaded": "overloaded",
    "insufficient_system_resource": "overloaded",  # DeepSeek
    "model_overloaded": "overloaded",
    "overloaded": "overloaded",
    "server_overloaded": "overloaded",
    "slow_down": "rate_limited",
    "vector_store_timeout": "timeout",
    # finish reasons that are failures
    "network_error": "provider_error",
    **dict.fromkeys(
        (
            *("malformed_function_call", "unexpected_tool_call", "too_many_tool_calls", "function_call_filter"),
            *("malformed_response", "missing_thought_signature", "abort", "aborted", "cancelled", "canceled"),
            *("interrupted", "failed", "failure", "exception", "user_cancel"),
            *("malformed_tool_use", "malformed_model_output"),  # Bedrock
        ),
        "provider_error",
    ),
    # what a model or its guard refuses to work on
    "bio_policy": "bad_request",
    "content_policy_violation": "bad_request",
    "data_inspection_failed": "bad_request",  # DashScope
    "image_content_policy_violation": "bad_request",
    "invalid_prompt": "bad_request",
    "misalignment_policy_violation": "bad_request",
    # images that cannot be read
    "empty_image_file": "bad_request",
    "failed_to_download_image": "bad_request",
    "image_file_not_found": "bad_request",
    "image_file_too_large": "bad_request",
    "image_parse_error": "bad_request",
    "image_too_large": "bad_request",
    "image_too_small": "bad_request",
    "invalid_base64_image": "bad_request",
    "invalid_image": "bad_request",
    "invalid_image_format": "bad_request",
    "invalid_image_mode": "bad_request",
    "invalid_image_url": "bad_request",
    "unsupported_image_media_type": "bad_request",
    # the parser's own
    "compressed": "provider_error",
    "empty_stream": "provider_error",
    "not_understood": "not_a_stream",
    "not_json": "provider_error",
    "not_sse": "not_a_stream",
    "too_large": "provider_error",
}
"""Words that say more than an HTTP status does, so they count first."""

BETWEEN_LETTERS = re.compile(r"[\s_-]+")
ENDING = re.compile(r"(?<=.)(?:exception|error)+$")
BETWEEN_PARTS = re.compile(r"[.:#/]+")
VAGUE = frozenset({"error", "exception"})
MAX_WORD_CHARS = 200  # a longer text is no word, and a hostile one would cost much time


def _key(word: str) -> str:
    """Returns what `word` has in common with other spellings: `rate_limit_error` and `RateLimitError` are one word."""
    return ENDING.sub("", BETWEEN_LETTERS.sub("", word.lower()))


def _keys(word: str) -> list[str]:
    """Returns the keys of a word, or of its parts: `litellm.RateLimitError`, `Throttling.RateQuota`."""
    keys = [_key(part) for part in BETWEEN_PARTS.split(word[:MAX_WORD_CHARS]) if part]
    return keys if len(keys) == 1 else [key for key in reversed(keys) if key not in VAGUE]


CODE_OF = {_key(word): code for word, code in WORDS.items()}
STATUS_OF = {_key(word): status for word, status in STATUS_WORDS.items()}

# Anthropic and several compatible servers have no word for it, only a sentence.
TOO_LONG = re.compile(r"prompt is too long|maximum context length|context (?:window|size|length)", re.IGNORECASE)


def code_of_answer(status: int, words: Iterable[str], message: str) -> str:
    """Returns the code of an HTTP answer. `status` is 400 or above; `words` are the `code` and `type` of its body."""
    return _precise(words) or _code_of_status(status, message)


def code_of_error(code: str | None, type: str | None, message: str) -> str | None:
    """Returns the code of an error inside a stream. None if neither `code` nor `type` is known."""
    words = sorted((word for word in (code, type) if word), key=lambda word: word.lower() in VAGUE)
    status = next(filter(None, map(_status_of, words)), None)
    return _precise(words) or (None if status is None else _code_of_status(status, message))


def _precise(words: Iterable[str]) -> str | None:
    return next((CODE_OF[key] for word in words for key in _keys(word) if key in CODE_OF), None)


def _status_of(word: str) -> int | None:
    is_status = len(word) == 3 and word.isascii() and word.isdigit() and word[0] in "45"
    return int(word) if is_status else next((STATUS_OF[key] for key in _keys(word) if key in STATUS_OF), None)


def _code_of_status(status: int, message: str) -> str:
    if status in (400, 422) and TOO_LONG.search(message):
        return "context_length"
    return STATUSES.get(status, "bad_request" if status < 500 else "provider_error")
