"""A breaker opens after failures in a row, and lets one request try the provider after a pause."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from streaming.providers import breaker_states, open_breakers
from streaming.providers.breaker import Breaker, Permit, breaker_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(settings: Any) -> Clock:
    settings.STREAMING_BREAKER_FAILURES, settings.STREAMING_BREAKER_SECONDS = 2, 30
    return Clock()


def permit_of(breaker: Breaker) -> Permit:
    permit = breaker.admit()
    assert permit is not None
    return permit


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(2):
        permit_of(breaker).failed()
    assert breaker.state == "open"
    return breaker


def test_failures_in_a_row_open_it(clock: Clock) -> None:
    assert opened(clock).admit() is None


def test_an_answer_between_two_failures_keeps_it_closed(clock: Clock) -> None:
    breaker = Breaker(clock)
    permit_of(breaker).failed()
    permit_of(breaker).succeeded()
    permit_of(breaker).failed()
    assert breaker.state == "closed"


def test_what_a_request_owes_to_itself_is_not_counted(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(9):
        permit_of(breaker).dropped()
    assert breaker.state == "closed"


def test_only_the_first_word_about_a_request_counts(clock: Clock) -> None:
    breaker = Breaker(clock)
    permit = permit_of(breaker)
    for _ in range(9):
        permit.failed()
    assert breaker.state == "closed"


def test_one_request_tries_the_provider_after_the_pause(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now = 29.9
    assert breaker.admit() is None
    clock.now = 30
    assert breaker.state == "half-open"
    probe = permit_of(breaker)
    assert breaker.admit() is None
    probe.succeeded()
    assert breaker.state == "closed"


def test_a_failed_try_opens_it_for_another_pause(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now = 30
    permit_of(breaker).failed()
    clock.now = 59.9
    assert breaker.state == "open"
    clock.now = 60
    assert breaker.admits


def test_a_stopped_try_leaves_the_place_to_another_one(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now = 30
    permit_of(breaker).dropped()
    assert breaker.state == "half-open"
    permit_of(breaker)


def test_a_request_from_before_can_close_but_not_prolong_it(clock: Clock) -> None:
    breaker = Breaker(clock)
    old, older = permit_of(breaker), permit_of(breaker)
    for _ in range(2):
        permit_of(breaker).failed()
    clock.now = 29
    older.failed()
    clock.now = 30
    assert breaker.state == "half-open"
    old.succeeded()
    assert breaker.state == "closed"


def test_threads_get_one_permit_between_them(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now = 30
    with ThreadPoolExecutor(8) as pool:
        permits = list(pool.map(lambda _: breaker.admit(), range(200)))
    assert sum(permit is not None for permit in permits) == 1


def test_none_switches_breakers_off(clock: Clock, settings: Any) -> None:
    settings.STREAMING_BREAKER_FAILURES = None
    breaker = Breaker(clock)
    for _ in range(9):
        permit_of(breaker).failed()
    assert breaker.state == "closed"


def test_each_alias_has_one_and_new_settings_forget_it(settings: Any) -> None:
    settings.STREAMING_BREAKER_FAILURES = 1
    providers = {"default": {"BACKEND": "x"}, "other": {"BACKEND": "y"}}
    settings.STREAMING_PROVIDERS = providers
    permit_of(breaker_of("other")).failed()
    assert breaker_of("other") is breaker_of("other")
    assert (breaker_states(), open_breakers()) == ({"other": "open"}, 1)
    settings.STREAMING_PROVIDERS = dict(providers)
    assert (breaker_states(), open_breakers()) == ({}, 0)


def test_state_can_be_read_while_another_thread_closes_it(clock: Clock) -> None:
    breaker = opened(clock)
    permit = Permit(breaker)

    def closing() -> float:
        permit.succeeded()
        return 30

    breaker._clock = closing
    assert breaker.state == "half-open"
    assert breaker.state == "closed"
