"""Judges a measurement: each rule finds one thing that is wrong with a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from streaming.management.doctor.measurement import Measurement

SLOW_SECONDS = 1.0
"""A first frame that takes longer is slow: the site sends it at once."""

HELD_SECONDS = 0.5
"""A frame that is held back longer is late. People notice a pause of this length."""


class Finding(NamedTuple):
    """One thing that is wrong. `code` is a key of `RULES`."""

    code: str
    text: str


def _unreachable(found: Measurement) -> str:
    return "" if found.status else f"There is no answer: {found.trouble}."


def _refused(found: Measurement) -> str:
    if found.status == 200:
        return ""
    return f"The response has the status {found.status}: {ADVICE.get(found.status, 'see its log')}."


ADVICE = {
    301: "it redirects; give the address that it leads to",
    302: "it redirects; give the address that it leads to",
    400: "Django does not know this host; see ALLOWED_HOSTS",
    404: "no route, or another SECRET_KEY or clock than here",
    501: "the site is served through WSGI, which cannot stream",
    502: "the proxy does not reach the site",
    504: "the proxy gave up waiting",
}


def _changed(found: Measurement) -> str:
    kind = found.headers.get("content-type", "")
    return "" if kind.startswith("text/event-stream") else f"The response is {kind or 'of no type'}, not a stream."


def _compressed(found: Measurement) -> str:
    return f"It is compressed ({found.encoding}). Compressors hold frames back." if found.encoding else ""


def _endless(found: Measurement) -> str:
    return "It does not end. Is this the address of the site?" if found.is_endless else ""


def _cut(found: Measurement) -> str:
    if found.is_whole or not found.is_readable:
        return ""
    why = f": {found.trouble}" if found.trouble else ""
    return f"It was cut after {len(found.frames)} frames{why}. Look for a timeout."


def _buffered(found: Measurement) -> str:
    if len(found.frames) < 2 or found.arrived_within > found.sent_within / 2:
        return ""
    sent = f"{found.sent_within:.2f}"
    return f"It is buffered: what was sent within {sent} s arrived within {found.arrived_within:.2f} s."


def _slow(found: Measurement) -> str:
    if not found.frames:
        return ""
    if found.first > SLOW_SECONDS:
        return f"It is slow: the first frame took {found.first:.2f} s."
    return f"It is slow: a frame was held back for {found.delay:.2f} s." if found.delay > HELD_SECONDS else ""


RULES: dict[str, Callable[[Measurement], str]] = {
    "unreachable": _unreachable,
    "refused": _refused,
    "not_a_stream": _changed,
    "compressed": _compressed,
    "endless": _endless,
    "cut": _cut,
    "buffered": _buffered,
    "slow": _slow,
}
"""The rules in the order of their weight. Each returns a sentence, or an empty text if nothing is wrong."""

LAST = ("unreachable", "refused", "not_a_stream")
"""Findings after which there is nothing more to judge."""

IMPLIED = {"buffered": "slow", "endless": "cut"}
"""A finding -> another one that only repeats it."""


def findings(found: Measurement) -> list[Finding]:
    """Returns everything that is wrong; an empty list for a stream that arrives as it is sent."""
    wrong: list[Finding] = []
    for code, rule in RULES.items():
        if (text := rule(found)) and code not in (IMPLIED.get(one.code) for one in wrong):
            wrong.append(Finding(code, text))
            if code in LAST:
                break
    return wrong
