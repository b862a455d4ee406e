"""The stream that `manage.py stream_doctor` measures: frames with the site's clock, sent as answers are."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.urls import path

from streaming.access import SessionCheck
from streaming.errors import NotFound
from streaming.models import Owner
from streaming.protocol.ui_stream import frame
from streaming.views.sse import stream_response
from streaming.views.unowned import unowned

SALT = "streaming.probe"
PROBE_SECONDS = 60
"""The time for which a signed plan is valid."""

NOBODY = Owner("probe:")


class Plan(msgspec.Struct, frozen=True):
    """The stream of a probe: `frames` frames, `pause` seconds apart, and one silence of `silence` seconds between."""

    frames: int = 8
    pause: float = 0.1
    silence: float = 0

    def signed(self) -> str:
        """Returns the plan for the address of the probe. Only somebody who has the site's secret key can make it."""
        return signing.dumps(msgspec.to_builtins(self), salt=SALT)

    def due(self, number: int) -> float:
        """Returns the seconds from the first frame to frame `number`, which counts from 0."""
        return number * self.pause + (self.silence if number > self.frames // 2 else 0)


class Clock:
    """A subscription on the clock. Each frame says how many milliseconds after the first one it was made."""

    has_begun_again = False

    def __init__(self, plan: Plan) -> None:
        self.seq = 0
        self._plan = plan
        self._began = time.monotonic()

    async def next(self, seconds: float) -> list[bytes] | None:
        if self.seq == self._plan.frames:
            return None
        wait = self._began + self._plan.due(self.seq) - time.monotonic()
        await asyncio.sleep(max(0.0, min(wait, seconds)))
        if wait > seconds:
            return []
        self.seq += 1
        sent = round(1000 * (time.monotonic() - self._began))
        return [frame(self.seq, msgspec.json.encode({"type": "data-probe", "transient": True, "data": {"ms": sent}}))]

    def close(self) -> None:
        """Does nothing: a clock holds nothing."""


@unowned
async def probe(request: HttpRequest) -> HttpResponseBase:
    """Streams the clock to a request whose plan the site has signed within the last minute."""
    try:
        signed: dict[str, Any] = signing.loads(request.GET.get("plan", ""), salt=SALT, max_age=PROBE_SECONDS)
    except signing.BadSignature as error:
        raise NotFound("There is nothing here.") from error
    return stream_response(Clock(msgspec.convert(signed, Plan)), SessionCheck(NOBODY, None))


probe_patterns = [path("streaming/probe", probe, name="probe")]
