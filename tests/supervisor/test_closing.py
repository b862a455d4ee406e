"""The end of a process closes its providers."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

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
