"""One table of errors: the parser, HTTP answers and the runner give the same verdict."""

from __future__ import annotations

import pytest

from streaming.errors import PUBLIC_MESSAGES, RETRYABLE
from streaming.protocol import Failed, StreamError
from streaming.protocol.dialects.answer import FAILURE_REASONS, failure_of
from streaming.protocol.error_codes import CODE_OF, STATUS_OF, STATUS_WORDS, STATUSES, WORDS, code_of_error
from streaming.providers.failures import from_status
from streaming.runner.ending import ending_of
from tests.protocol.wire import fold, read, sse

SEVERAL_STATUSES = (400, 403, 429, 500)


def parsed(error: dict[str, object]) -> StreamError:
    """Returns the error that the parser reads in a stream."""
    found = fold(read("openai-chat", sse({"error": error | {"message": "no"}}))).error
    assert found is not None
    return found


def assert_same_verdict(error: dict[str, object], code: str, statuses: tuple[int, ...]) -> None:
    found = parsed(error)
    ending = ending_of(Failed(found), None, None)
    assert (ending.code, ending.is_retryable, found.retryable) == (code, code in RETRYABLE, code in RETRYABLE)
    for status in statuses:
        answer = from_status(status, {"error": error}, {})
        assert (answer.code, answer.is_retryable) == (code, code in RETRYABLE)


def test_every_code_is_one_that_people_are_told():
    assert {*STATUSES.values(), *WORDS.values()} <= set(PUBLIC_MESSAGES)
    assert set(STATUS_WORDS.values()) <= set(STATUSES)
    assert set(PUBLIC_MESSAGES) >= RETRYABLE
    assert not set(CODE_OF) & set(STATUS_OF)


@pytest.mark.parametrize("field", ["code", "type"])
@pytest.mark.parametrize("word", WORDS)
def test_word_that_says_more_than_a_status_has_one_verdict_everywhere(word, field):
    assert_same_verdict({field: word}, WORDS[word], SEVERAL_STATUSES)


@pytest.mark.parametrize("word", STATUS_WORDS)
def test_word_that_repeats_a_status_has_the_verdict_of_that_status_everywhere(word):
    status = STATUS_WORDS[word]
    assert_same_verdict({"code": word}, STATUSES[status], (status,))


@pytest.mark.parametrize("status", [*STATUSES, 418, 451, 520, 599])
def test_status_has_one_verdict_everywhere(status):
    code = STATUSES.get(status, "bad_request" if status < 500 else "provider_error")
    assert_same_verdict({"code": status}, code, (status,))


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_statuses_that_the_sdks_retry_are_retryable(status):
    assert STATUSES[status] in RETRYABLE


@pytest.mark.parametrize("reason", FAILURE_REASONS)
def test_finish_reason_that_says_that_the_answer_broke_is_retryable(reason):
    assert code_of_error(reason, None, "") in RETRYABLE


@pytest.mark.parametrize(
    "error", [{"code": "boom"}, {"type": "boom"}, {"code": 1302}, {"code": 200}, {"code": "4\u00b2\u00b2"}]
)
def test_word_that_nobody_knows_is_final_although_people_read_of_a_providers_error(error):
    ending = ending_of(Failed(parsed(error)), None, None)
    assert (parsed(error).retryable, ending.code, ending.is_retryable) == (False, "provider_error", False)


def test_error_without_words_is_left_to_the_runner_which_asks_again():
    ending = ending_of(Failed(parsed({})), None, None)
    assert (parsed({}).retryable, ending.code, ending.is_retryable) == (None, "provider_error", True)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("RateLimitError", "rate_limited"),
        ("litellm.RateLimitError", "rate_limited"),
        ("com.amazon#ThrottlingException", "rate_limited"),
        ("Throttling.RateQuota", "rate_limited"),
        ("modelStreamErrorException", "provider_error"),
        ("RESOURCE_EXHAUSTED", "rate_limited"),
        ("Internal Server Error", "provider_error"),
        ("service-unavailable", "overloaded"),
        ("ContentPolicyViolationError", "bad_request"),
        ("openai.error.InvalidRequestError", "bad_request"),
        ("boom.error", None),
        ("Error", "provider_error"),
    ],
)
def test_word_in_another_spelling(word, code):
    assert code_of_error(None, word, "") == code_of_error(word, None, "") == code


def test_only_the_beginning_of_a_text_without_end_is_read():
    assert code_of_error("xerror" * 1_000_000, "x." * 1_000_000, "") is None
    assert failure_of("xerror" * 1_000_000 + "x." * 1_000_000) is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 429, "type": "insufficient_quota"}, "permission"),
        ({"code": 503, "type": "server_error"}, "overloaded"),
        ({"code": "context_length_exceeded", "type": "invalid_request_error"}, "context_length"),
        ({"code": "error", "type": "invalid_request_error"}, "bad_request"),
        ({"code": "boom", "type": "overloaded_error"}, "overloaded"),
        ({"code": "Rate_Limit_Exceeded"}, "rate_limited"),
    ],
)
def test_the_word_that_says_the_most_counts(error, code):
    assert code_of_error(parsed(error).code, parsed(error).type, "") == code


def test_conversation_that_is_too_long_may_be_told_in_a_sentence_only():
    message = "This model's maximum context length is 8192 tokens."
    assert code_of_error("400", "BadRequestError", message) == "context_length"
    assert from_status(400, {"error": {"message": message}}, {}).code == "context_length"
