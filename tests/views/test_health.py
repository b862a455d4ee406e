"""`/streaming/health` and `/streaming/metrics`."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.db import OperationalError
from django.test import AsyncClient, Client

from streaming.models import Generation
from streaming.supervisor import current
from streaming.testing import frames_of
from streaming.views import vitals
from tests.engine import Script, run_until, submit
from tests.entries import scripted_entry

pytestmark = pytest.mark.usefixtures("engine")
TOKEN = {"Authorization": "Bearer s3cret"}


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.STREAMING_METRICS_TOKEN = "s3cret"


async def read(path: str = "/streaming/metrics", **headers: str) -> tuple[int, dict[str, float]]:
    """The status, and the samples by their name with labels."""
    response = await AsyncClient().get(path, headers=TOKEN | headers)
    lines = [line.rpartition(" ") for line in response.content.decode().splitlines() if not line.startswith("#")]
    return response.status_code, {name: float(value) for name, _, value in lines}


async def test_process_that_is_well_says_so_to_everybody() -> None:
    response = await AsyncClient().get("/streaming/health")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.content.decode() == (
        "# HELP streaming_up 1 if this process takes requests.\n# TYPE streaming_up gauge\nstreaming_up 1\n"
        "# HELP streaming_draining 1 while this process prepares its end.\n# TYPE streaming_draining gauge\n"
        "streaming_draining 0\n"
        "# HELP streaming_database_up 1 if the database answers.\n# TYPE streaming_database_up gauge\n"
        "streaming_database_up 1\n"
    )


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
async def test_name_of_the_scheme_is_read_in_either_case(scheme: str) -> None:
    """RFC 9110, section 11.1: a scheme is matched without regard to case. Section 11.4: spaces may follow it."""
    response = await AsyncClient().get("/streaming/metrics", headers={"Authorization": f"{scheme}s3cret"})
    assert response.status_code == 200


WRONG = ["Bearer wrong", "s3cre", "s3cret", "Basic s3cret"]


@pytest.mark.parametrize("headers", [{}, *({"Authorization": value} for value in WRONG)])
async def test_details_need_the_token(headers: dict[str, str]) -> None:
    assert (await AsyncClient().get("/streaming/metrics", headers=headers)).status_code == 404
    assert b"open_streams" not in (await AsyncClient().get("/streaming/health", headers=headers)).content
    assert b"open_streams" in (await AsyncClient().get("/streaming/health", headers=TOKEN)).content


async def test_without_a_token_nobody_gets_details(settings: Any) -> None:
    settings.STREAMING_METRICS_TOKEN = ""
    for value in ("Bearer ", "Bearer", ""):
        response = await AsyncClient().get("/streaming/metrics", headers={"Authorization": value})
        assert response.status_code == 404


async def test_draining_process_gets_no_more_requests() -> None:
    await current().drain(0)
    assert (await read("/streaming/health"))[0] == 503
    status, values = await read()
    assert (status, values["streaming_draining"], values["streaming_up"]) == (200, 1, 0)


async def test_process_without_database_gets_no_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(vitals, "_read", away)
    status, values = await read("/streaming/health")
    assert (status, values["streaming_database_up"], values["streaming_up"]) == (503, 0, 0)
    assert "streaming_active_generations" not in values


async def test_database_that_hangs_is_asked_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, goes_on = [], threading.Event()

    def hangs() -> Any:
        asked.append(1)
        goes_on.wait(10)
        return 0, {}

    monkeypatch.setattr(vitals, "_read", hangs)
    monkeypatch.setattr(vitals, "DATABASE_SECONDS", 0.05)
    for _ in range(3):
        assert (await read("/streaming/health"))[0] == 503
    assert len(asked) == 1
    goes_on.set()
    monkeypatch.setattr(vitals, "DATABASE_SECONDS", 5)
    assert (await read("/streaming/health"))[0] == 200


async def test_running_answers_are_counted(scripted: Script) -> None:
    scripted(text="one two", hang_after=1)
    await submit()
    _, values = await read()
    assert (values["streaming_running_generations"], values["streaming_active_generations"]) == (1, 1)
    assert values["streaming_open_streams"] == 0
    assert values["streaming_database_seconds"] < 2


@pytest.mark.parametrize(("code", "is_up"), [("", 1), ("unreachable", 0), ("rate_limited", 1), ("timeout", 0)])
async def test_provider_is_as_it_was_last_seen(scripted: Script, code: str, is_up: int) -> None:
    scripted(text="ok")
    await frames_of((await submit()).pk)
    status = "failed" if code else "finished"
    await Generation.objects.aupdate(status=status, error_code=code)
    _, values = await read()
    assert values['streaming_provider_up{provider="default"}'] == is_up
    assert 0 <= values['streaming_provider_seen_seconds{provider="default"}'] < 60


async def test_provider_that_was_never_asked_is_not_told() -> None:
    _, values = await read()
    assert not any("provider" in name for name in values)


async def test_journal_lags_while_frames_wait(scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await read())[1]["streaming_journal_lag_seconds"] == 0
    settings.STREAMING_TICK_SECONDS = 60
    scripted(text="one two", hang_after=2)
    generation = await submit()
    run = current().find(generation.pk)
    assert run is not None
    await run_until(lambda: run.log.last_seq > 3)
    assert (await read())[1]["streaming_journal_lag_seconds"] > 0


async def test_json_is_for_programs() -> None:
    response = await AsyncClient().get("/streaming/metrics", headers=TOKEN | {"Accept": "application/json"})
    assert response.json()["streaming_up"] == 1
    assert response.json()["streaming_provider_up"] is None


async def test_head_has_the_status_alone() -> None:
    response = await AsyncClient().head("/streaming/health")
    assert (response.status_code, (await AsyncClient().post("/streaming/health")).status_code) == (200, 405)


def test_wsgi_is_told_apart() -> None:
    assert Client().get("/streaming/health").status_code == 501


async def test_breakers_of_this_process_are_told_to_operators(scripted: Script, settings: Any) -> None:
    settings.STREAMING_BREAKER_FAILURES, settings.STREAMING_PROVIDER_RETRIES = 1, 0
    scripted(text="ok")
    await frames_of((await submit()).pk)
    assert (await read())[1]['streaming_breaker_open{provider="default"}'] == 0
    scripted(error="unreachable")
    await frames_of((await submit("again")).pk)
    _, values = await read("/streaming/health")
    assert values['streaming_breaker_open{provider="default"}'] == 1
    settings.STREAMING_BREAKER_SECONDS = 1e-6
    assert (await read())[1]['streaming_breaker_open{provider="default"}'] == 0.5
    assert b"breaker" not in (await AsyncClient().get("/streaming/health")).content


async def test_provider_in_whose_place_another_answers_is_seen_as_away(settings: Any) -> None:
    settings.STREAMING_PROVIDERS = {
        "default": scripted_entry(error="unreachable") | {"FALLBACK": ["other"]},
        "other": scripted_entry(text="ok"),
    }
    await frames_of((await submit()).pk)
    _, values = await read()
    assert values['streaming_provider_up{provider="default"}'] == 0
    assert values['streaming_provider_up{provider="other"}'] == 1


async def test_question_that_the_next_request_has_replaced_is_still_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request may ask anew between the end of a query and the turn of those who waited for it."""
    figures, later = vitals.Stored(0.0, 7, {}), list[asyncio.Task[Any]]()

    async def stored() -> vitals.Stored:
        await asyncio.sleep(0)
        if not later:
            later.append(asyncio.create_task(vitals._ask_database()))
        return figures

    monkeypatch.setattr(vitals, "_stored", stored)
    assert await vitals._ask_database() == figures
    assert await later[0] == figures
