"""The providers of one answer: their order, their time, and the table of failures in the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from streaming.errors import PUBLIC_MESSAGES, ProviderError
from streaming.providers import Route, route_to
from streaming.providers.breaker import breaker_of
from streaming.providers.fallback import GOES_ON, HARMS, MAX_TRIED
from tests.checks import messages
from tests.entries import scripted_entry

PAGE = Path(__file__).resolve().parents[2] / "docs/fallback.md"


@pytest.fixture(autouse=True)
def _three(settings: Any) -> None:
    settings.STREAMING_PROVIDERS = {
        "default": scripted_entry() | {"FALLBACK": ["b", "gone", "c"]},
        "b": scripted_entry(model="bee") | {"FALLBACK": ["default"]},
        "c": scripted_entry(),
    }
    settings.STREAMING_BREAKER_FAILURES = 1


def begun(alias: str = "default", **fields: Any) -> Route:
    route = route_to(alias, **fields)
    route.start()
    return route


def asked(route: Route, code: str = "overloaded") -> list[str]:
    """Lets each provider fail in turn."""
    aliases = []
    while True:
        route.admit()
        aliases.append(route.alias)
        route.failed(code)
        if not route.goes_on(code):
            return aliases


def test_table_of_the_page_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (yes|no)[^|]* \| (yes|no|only)[^|]* \|$", PAGE.read_text(), re.MULTILINE)
    assert {code for code, goes_on, _ in rows if goes_on == "yes"} == GOES_ON
    assert {code for code, _, harms in rows if harms == "yes"} == HARMS
    assert {code for code, _, harms in rows if harms == "only"} == {"provider_error"}
    assert {code for code, *_ in rows} <= PUBLIC_MESSAGES.keys()


def test_example_of_the_page_passes_the_checks() -> None:
    given: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.+?)```", PAGE.read_text(), re.DOTALL)[0], given)
    found = messages(STREAMING_PROVIDERS=given["STREAMING_PROVIDERS"])
    assert [message for message in found if message.id != "streaming.W010"] == []


async def test_only_the_list_of_the_asked_alias_counts_without_unknown_names() -> None:
    assert asked(begun()) == ["default", "b", "c"]


async def test_answer_that_has_begun_has_no_fallback() -> None:
    assert asked(begun(stays=True)) == ["default"]


async def test_a_request_that_is_at_fault_itself_goes_nowhere() -> None:
    assert asked(begun(), "bad_request") == ["default"]


async def test_open_breakers_are_passed_over_and_if_all_are_open_nobody_is_asked() -> None:
    asked(begun("b", stays=True))
    route = begun()
    route.admit()
    route.failed("overloaded")
    assert route.goes_on("overloaded")
    route.admit()
    assert route.alias == "c"
    assert [(one.provider, one.outcome) for one in route.tried] == [
        ("default", "overloaded"),
        ("b", "breaker"),
        ("c", "asked"),
    ]
    route.failed("overloaded")
    assert not route.start_again()
    with pytest.raises(ProviderError) as refused:
        begun().admit()
    assert refused.value.code == "unreachable"


async def test_nobody_else_is_asked_when_the_time_is_over(settings: Any) -> None:
    settings.STREAMING_FALLBACK_SECONDS = 1e-9
    settings.STREAMING_BREAKER_FAILURES = None
    route = begun()
    assert asked(route) == ["default"]
    assert not route.start_again()


async def test_alone_a_provider_has_no_time_limit_here(settings: Any) -> None:
    settings.STREAMING_FALLBACK_SECONDS = 1e-9
    settings.STREAMING_BREAKER_FAILURES = None
    route = begun("c")
    asked(route)
    assert route.start_again()


async def test_record_is_short_however_often_is_tried(settings: Any) -> None:
    settings.STREAMING_BREAKER_FAILURES = None
    route = begun("c")
    for _ in range(100):
        route.admit()
        route.failed("overloaded", "no\0")
    route.admit()
    route.answered()
    kept = route.record()
    assert kept is not None
    assert (len(kept), kept[-1]["outcome"], kept[0]["detail"]) == (MAX_TRIED, "answered", "no\ufffd")


async def test_record_of_one_try_is_empty() -> None:
    route = begun()
    for _ in range(3):  # the steps of an answer
        route.admit()
        route.answered()
        route.dropped()
    assert (route.record(), breaker_of("default").state) == (None, "closed")
