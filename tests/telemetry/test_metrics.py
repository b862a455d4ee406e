"""The metrics of answers, and of the process."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.supervisor import current
from streaming.testing import frames_of
from tests.engine import Script, submit
from tests.stepwise import WEATHER, says
from tests.telemetry.conftest import Collected

pytestmark = pytest.mark.usefixtures("engine", "site_tools")


def counts(points: list[Any]) -> int:
    return sum(point.count for point in points)


async def test_times_and_tokens_are_measured(settings: Any, collected: Collected) -> None:
    before = collected.metrics()
    says(settings, ("Let me look.", (WEATHER,)), ("It rains.", ()))
    await frames_of((await submit()).pk)
    await current().idle()
    after = collected.metrics()

    def new(name: str) -> int:
        return counts(after[name]) - counts(before.get(name, []))

    assert new("gen_ai.client.operation.duration") == 2
    assert new("gen_ai.client.operation.time_to_first_chunk") == 2
    assert new("gen_ai.client.token.usage") == 4
    assert new("gen_ai.execute_tool.duration") == 1
    assert new("gen_ai.invoke_agent.duration") == 1
    labels = dict(after["gen_ai.client.operation.duration"][-1].attributes)
    assert (labels["gen_ai.operation.name"], labels["gen_ai.provider.name"]) == ("chat", "openai")
    assert {point.attributes["gen_ai.token.type"] for point in after["gen_ai.client.token.usage"]} == {
        "input",
        "output",
    }


async def test_latest_names_are_a_setting(settings: Any, scripted: Script, collected: Collected) -> None:
    settings.STREAMING_TELEMETRY_NAMES = "latest"
    scripted(text="ok")
    await frames_of((await submit()).pk)
    found = collected.metrics()
    assert counts(found["gen_ai.client.inference.duration"]) >= 1
    assert counts(found["gen_ai.client.inference.time_to_first_chunk"]) >= 1
    for kind in ("input", "output"):
        (point, *_) = found[f"gen_ai.client.inference.operation.{kind}_tokens"]
        assert "gen_ai.token.type" not in point.attributes


async def test_process_is_observed(scripted: Script, collected: Collected) -> None:
    scripted(text="one two", hang_after=1)
    await submit()
    found = collected.metrics()
    assert [point.value for point in found["streaming.generations.running"]] == [1]
    assert [point.value for point in found["streaming.streams.open"]] == [0]
    assert found["streaming.journal.lag"][0].value >= 0
    assert [point.value for point in found["streaming.breakers.open"]] == [0]
