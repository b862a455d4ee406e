"""The pytest plugin of the test kit. pytest finds it by itself where this package is installed.

It needs pytest-django and pytest-asyncio. It imports nothing of the app before a test asks for a fixture, because
Django is not ready when pytest loads plugins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Any

import pytest

try:
    from pytest_asyncio import fixture
except ImportError:  # a project that does not test its chat
    fixture: Any = pytest.fixture  # type: ignore[no-redef]


@fixture
async def scripted_provider(transactional_db: None) -> AsyncIterator[Callable[..., None]]:
    """Scripts the model: `scripted_provider(text="Hello")`. See `streaming.testing.scripted` for the options.

    A test may call it again: the last script counts. At the test's end, everything that still runs is stopped.
    """
    from streaming.testing import scripted, settle_all

    with ExitStack() as scripts:

        def script(alias: str = "default", **options: Any) -> None:
            scripts.enter_context(scripted(alias, **options))

        script()
        yield script
        await settle_all()
