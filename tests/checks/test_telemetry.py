"""The check of OpenTelemetry."""

from __future__ import annotations

import pytest

from streaming.checks import telemetry
from tests.checks import messages


def test_telemetry_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "find_spec", lambda name: None)
    assert messages() == []
    (message,) = messages(STREAMING_TELEMETRY=True)
    assert message.id == "streaming.E065"
