"""The end of a process, and the end of an event loop, close the providers."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest

from streaming.chat import chat
from streaming.providers import get_provider
from streaming.providers.scripted import Scripted
from streaming.supervisor import current


class Closes(Scripted):
    """A provider that notes that it was closed. The one with the text "fails" cannot be closed."""

    closed: ClassVar[list[str]] = []

    async def close(self) -> None:
        if self.options.text == "fails":
            raise OSError
        self.closed.append(self.options.text)


@pytest.fixture(autouse=True)
def nothing_closed() -> None:
    Closes.closed.clear()


@pytest.mark.usefixtures("engine")
async def test_drain_closes_all_providers_even_if_one_fails(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    names = ("fails", "one", "two")
    backend = f"{__name__}.Closes"
    settings.STREAMING_PROVIDERS = {name: {"BACKEND": backend, "OPTIONS": {"text": name}} for name in names}
    for name in names:
        get_provider(name)
    await current().drain(0)
    assert sorted(Closes.closed) == ["one", "two"]
    assert "could not be closed (OSError)" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_job_of_a_worker_closes_its_providers(settings: Any) -> None:
    """A worker runs a loop for each job. Otherwise each leaves a connection open, and aiohttp logs an error."""
    settings.STREAMING_PROVIDERS = {"default": {"BACKEND": f"{__name__}.Closes", "OPTIONS": {"text": "Done."}}}
    assert asyncio.run(chat("Hi")).text == "Done."
    assert Closes.closed == ["Done."]
