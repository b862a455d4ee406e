"""The health of the database: work that fails or is slow counts as trouble for a while."""

from __future__ import annotations

import sys
import time

import pytest
from django.db import OperationalError

from streaming.database.health import Health


def test_database_is_healthy_until_work_fails() -> None:
    health = Health()
    assert health.has_been_good_for(3600)
    with pytest.raises(OperationalError), health.watch():
        raise OperationalError
    assert not health.has_been_good_for(60)
    time.sleep(0.02)
    assert health.has_been_good_for(0.01)


def test_an_error_that_is_not_the_databases_is_no_trouble() -> None:
    health = Health()
    with pytest.raises(ValueError, match="nothing"), health.watch():
        raise ValueError("nothing")
    assert health.has_been_good_for(3600)


def test_slow_work_is_trouble_while_it_runs_and_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[Health.__module__], "SLOW_SECONDS", 0.01)
    health = Health()
    with health.watch():
        assert health.has_been_good_for(3600)
        time.sleep(0.02)
        assert not health.has_been_good_for(0)
    assert not health.has_been_good_for(60)


def test_doubt_counts_as_trouble() -> None:
    health = Health()
    health.doubt()
    assert not health.has_been_good_for(60)
