"""Shared links, as the rows are made."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from streaming.database import in_database
from streaming.intake import ShareOptions, shares, store_share
from streaming.models import Share
from streaming.testing import frames_of
from tests.engine import ALICE, Script, submit


class Deadlock(Exception):
    """What PostgreSQL's driver raises when the server has undone a transaction."""

    sqlstate = "40P01"


@pytest.mark.usefixtures("engine")
async def test_link_is_made_although_the_database_undid_the_first_try(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(text="Hello")
    generation = await submit()
    await frames_of(generation.pk)
    tries, snapshot = [], shares.snapshot

    def undone(*args: Any) -> Any:
        tries.append(args)
        if len(tries) == 1:
            raise OperationalError from Deadlock()
        return snapshot(*args)

    monkeypatch.setattr(shares, "snapshot", undone)
    await in_database(store_share, ALICE, "c1", ShareOptions())
    assert (len(tries), await Share.objects.acount()) == (2, 1)
