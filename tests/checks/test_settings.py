"""The checks of the `STREAMING_*` settings."""

from __future__ import annotations

import pytest
from django.core.checks import Error, Warning

from streaming.conf import PREFIX, SETTINGS
from tests.checks import messages


def test_unknown_setting_is_a_warning():
    assert messages(STREAMING_PROVIDER="default", STREAMING_COLOUR="red") == [
        Warning(
            "There is no setting STREAMING_COLOUR.",
            hint=f"It must be one of: {', '.join(PREFIX + name for name in sorted(SETTINGS))}.",
            id="streaming.W011",
        ),
        Warning(
            "There is no setting STREAMING_PROVIDER.", hint="Did you mean 'STREAMING_PROVIDERS'?", id="streaming.W011"
        ),
    ]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("SYSTEM_PROMPT", None, "a str"),
        ("ALLOW_ANONYMOUS", "False", "True or False"),
        ("MAX_PROMPT_CHARS", "32000", "a whole number, 1 or more"),
        ("MAX_PROMPT_CHARS", 0, "a whole number, 1 or more"),
        ("MAX_ACTIVE_PER_OWNER", True, "a whole number, 1 or more"),
        ("MAX_ACTIVE_PER_PROCESS", 1.5, "a whole number, 1 or more"),
        ("DATABASE_THREADS", -1, "a whole number, 1 or more"),
        ("PROVIDER_RETRIES", -1, "a whole number, 0 or more"),
        ("PROVIDER_RETRIES", False, "a whole number, 0 or more"),
        ("FALLBACK_SECONDS", 0, "a number of seconds above 0, at most 1000000000"),
        ("BREAKER_FAILURES", 0, "a whole number, 1 or more, or None"),
        ("BREAKER_SECONDS", -1, "a number of seconds above 0, at most 1000000000"),
        ("FIRST_DELTA_SECONDS", 0, "a number of seconds above 0, at most 1000000000"),
        ("STALL_SECONDS", None, "a number of seconds above 0, at most 1000000000"),
        ("TOTAL_SECONDS", "1h", "a number of seconds above 0, at most 1000000000"),
        ("ABANDON_AFTER", "never", "a number of seconds from 0 to 1000000000, or None"),
        ("ABANDON_AFTER", -1, "a number of seconds from 0 to 1000000000, or None"),
        ("HEARTBEAT_SECONDS", 0, "a number of seconds above 0, at most 1000000000"),
        ("TICK_SECONDS", float("nan"), "a number of seconds above 0, at most 1000000000"),
        ("LEASE_SECONDS", None, "a number of seconds above 0, at most 1000000000"),
        ("POLL_SECONDS", float("inf"), "a number of seconds above 0, at most 1000000000"),
        ("DRAIN_SECONDS", -0.1, "a number of seconds from 0 to 1000000000"),
        ("JOURNAL_RETENTION_SECONDS", "1h", "a number of seconds from 0 to 1000000000"),
        ("LEASE_SECONDS", 10**15, "a number of seconds above 0, at most 1000000000"),
        ("TOTAL_SECONDS", 10**400, "a number of seconds above 0, at most 1000000000"),
        ("ABANDON_AFTER", 10**15, "a number of seconds from 0 to 1000000000, or None"),
        ("JOURNAL_RETENTION_SECONDS", 1e15, "a number of seconds from 0 to 1000000000"),
        ("RETENTION_DAYS", 1_000_000, "a whole number of days from 1 to 36500, or None"),
        ("VISITOR_RETENTION_DAYS", 0, "a whole number of days from 1 to 36500, or None"),
        ("STAFF_ACCESS_DAYS", 36_501, "a whole number of days from 1 to 36500, or None"),
        ("SHARE_DAYS", 10**9, "a whole number of days from 1 to 36500, or None"),
    ],
)
def test_wrong_value_is_an_error(name, value, wanted):
    assert messages(**{PREFIX + name: value}) == [
        Error(
            f"STREAMING_{name} must be {wanted}, not {value!r}.",
            hint="Correct it, or remove it to get the default.",
            id="streaming.E012",
        )
    ]


@pytest.mark.parametrize("name", ["METRICS_TOKEN", "REDIS_URL"])
def test_wrong_value_that_may_be_secret_is_not_repeated(name):
    found = [error.msg for error in messages(**{PREFIX + name: b"redis://:secret@host"})]
    assert f"STREAMING_{name} must be a str, not of type bytes." in found
    assert not any("secret@" in text for text in found)


@pytest.mark.parametrize(
    "fine",
    [
        {"ABANDON_AFTER": None},
        {"ABANDON_AFTER": 0},
        {"PROVIDER_RETRIES": 0},
        {"BREAKER_FAILURES": None},
        {"HEARTBEAT_SECONDS": 0.5},
        {"DRAIN_SECONDS": 0},
        {"DRAIN_SECONDS": 1_000_000_000, "TOTAL_SECONDS": 1_000_000_000},
        {"MAX_PROMPT_CHARS": 1},
        {"SYSTEM_PROMPT": ""},
        {"LEASE_SECONDS": 1, "TICK_SECONDS": 0.2},
    ],
)
def test_value_at_the_limit_is_allowed(fine):
    assert messages(**{PREFIX + name: value for name, value in fine.items()}) == []


def test_lease_must_be_long_enough_for_the_tick():
    assert messages(STREAMING_LEASE_SECONDS=4, STREAMING_TICK_SECONDS=1) == [
        Error(
            "STREAMING_LEASE_SECONDS (4) is too short for STREAMING_TICK_SECONDS (1): "
            "live answers would count as interrupted.",
            hint="Make the lease at least 5 ticks long.",
            id="streaming.E013",
        )
    ]
