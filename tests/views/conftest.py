"""The client of these tests. `tests.settings` lets visitors chat without an account."""

from __future__ import annotations

import pytest
from django.test import AsyncClient


@pytest.fixture
def client() -> AsyncClient:
    """A browser of a new visitor."""
    return AsyncClient()
