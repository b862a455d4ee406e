"""The stock hook `useObject` of `@ai-sdk/react` reads object endpoints."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.live import rows
from tests.live.client import Visit, Visitor
from tests.live.conftest import StartSite
from tests.live.use_chat.driver import Driver
from tests.wanted import RECIPE

SCHEMA = {"type": "object", "required": ["title", "servings", "ingredients", "best_before"]}
SOUP = {
    "title": "Soup 🍲",
    "servings": 2,
    "ingredients": [{"name": "Salt", "amount": "1.10", "unit": "g"}],
    "best_before": "2026-12-24",
}


class Hook:
    """One component with the hook, in the visitor's browser."""

    _names = itertools.count(1)

    def __init__(self, driver: Driver, visitor: Visitor, alias: str) -> None:
        self._driver = driver
        self._name = f"object {next(self._names)}"
        site = {"url": visitor.site.url, "cookie": visitor.cookie}
        self._ask("openObject", **site, path=f"/objects/{alias}", schema=SCHEMA)

    def _ask(self, command: str, *given: Any, **options: Any) -> asyncio.Future[Any]:
        return self._driver.ask(do=command, chat=self._name, **{"with": given}, **options)

    def submit(self, prompt: str = "Soup?") -> asyncio.Future[Any]:
        """Begins at once. What it returns ends with the stream."""
        return self._ask("submit", {"prompt": prompt})

    async def stop(self) -> None:
        await self._ask("stopObject")

    async def state(self) -> dict[str, Any]:
        state: dict[str, Any] = await self._ask("objectState")
        return state

    async def until(self, is_so: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while not is_so(state := await self.state()):  # noqa: ASYNC110  # no event announces it
                await asyncio.sleep(0.01)
            return state


@pytest.fixture
def visitor(visit: Visit, start_site: StartSite) -> Visitor:
    return visit(start_site("uvicorn"))


@pytest.mark.parametrize("alias", ["recipe", "recipe-tool"])
async def test_object_grows_and_is_whole(driver: Driver, visitor: Visitor, alias: str) -> None:
    hook = Hook(driver, await visitor.greet(), alias)
    await hook.submit()
    state = await hook.until(lambda state: state["finished"] and not state["isLoading"])
    assert state["object"] == SOUP
    assert state["finished"] == [{"object": SOUP}]
    assert (state["error"], state["errors"]) == (None, [])
    assert alias != "recipe" or len(state["seen"]) > 1
    [response] = state["responses"]
    visitor.key = response["conversation"]
    [asked, answer] = (await visitor.conversation())["messages"]
    assert asked["parts"][0]["text"] == "Soup?"
    texts = [part["text"] for part in answer["parts"] if part["type"] == "text"]
    assert len(texts) == 1, "the object is stored once"
    assert RECIPE in texts[0]


async def test_hooks_stop_leaves_the_answer_to_the_sites_rule(
    driver: Driver, visit: Visit, start_site: StartSite
) -> None:
    site = start_site("uvicorn", STREAMING_ABANDON_AFTER=0)
    visitor = await visit(site).greet()
    hook = Hook(driver, visitor, "recipe-hang")
    submitted = hook.submit()
    await hook.until(lambda state: "title" in state.get("object", {}))
    await hook.stop()
    await submitted
    state = await hook.state()
    assert (state["isLoading"], state["error"], state["finished"]) == (False, None, [])
    stored = await rows.settled(site, state["responses"][0]["conversation"])
    assert (stored.status, stored.generation["cancel_reason"]) == ("cancelled", "abandoned")
    assert stored.text
    assert RECIPE.startswith(stored.text)


async def test_errors_reach_the_hook(driver: Driver, visitor: Visitor) -> None:
    await visitor.greet()
    failing, prose, cut = (Hook(driver, visitor, alias) for alias in ("recipe-refused", "words-20", "recipe-cut"))
    await asyncio.gather(failing.submit(), prose.submit(), cut.submit())
    assert "refused the site's key" in (await failing.until(lambda state: state["error"]))["error"]
    assert (await prose.state())["error"] == "The model answered without an object."
    state = await cut.state()
    assert state["finished"] == [{"error": "AI_TypeValidationError"}], "half an object is none"
