"""The `STREAMING_*` scalars: known names, right types, sensible ranges."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning

from streaming.conf import PREFIX, Settings, settings
from streaming.providers.options import suggest

MIN_TICKS_A_LEASE = 5
"""A lease is renewed once a tick. With fewer, a few slow writes make a healthy generation count as interrupted."""


# None of them with a wildcard: bytes are found to be of one type.
MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")


class Rule(NamedTuple):
    """`wanted` completes the sentence "must be …"; `holds` tells whether a value is that."""

    wanted: str
    holds: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _whole(least: int) -> Rule:
    return Rule(
        f"a whole number, {least} or more",
        lambda value: _is_number(value) and isinstance(value, int) and value >= least,
    )


def _whole_or_any(least: int) -> Rule:
    whole = _whole(least)
    return Rule(f"{whole.wanted}, or None", lambda value: value is None or whole.holds(value))


TEXT = Rule("a str", lambda value: isinstance(value, str))
FLAG = Rule("True or False", lambda value: isinstance(value, bool))
DURATION = Rule("a number of seconds above 0", lambda value: _is_number(value) and value > 0)
WAIT = Rule("a number of seconds, 0 or more", lambda value: _is_number(value) and value >= 0)
WAIT_OR_NEVER = Rule("a number of seconds, 0 or more, or None", lambda value: value is None or WAIT.holds(value))

TYPES = Rule(
    "a list or tuple of media types such as 'image/png'",
    lambda value: (
        isinstance(value, (list, tuple)) and all(isinstance(each, str) and MEDIA_TYPE.fullmatch(each) for each in value)
    ),
)

RULES: dict[str, Rule] = {
    "SYSTEM_PROMPT": TEXT,
    "ALLOW_ANONYMOUS": FLAG,
    "MAX_PROMPT_CHARS": _whole(1),
    "MAX_ACTIVE_PER_OWNER": _whole(1),
    "MAX_PROMPTS_PER_MINUTE": _whole_or_any(1),
    "MAX_TOKENS_PER_DAY": _whole_or_any(1),
    "MAX_ACTIVE_PER_PROCESS": _whole(1),
    "MAX_STREAMS_PER_OWNER": _whole(1),
    "MAX_MESSAGES_PER_CONVERSATION": _whole_or_any(2),
    "MAX_ANSWER_BYTES": _whole(1),
    "FILES_STORAGE": TEXT,
    "FILE_TYPES": TYPES,
    "MAX_FILE_BYTES": _whole(1),
    "MAX_FILES_PER_MESSAGE": _whole(0),
    "MAX_FILE_BYTES_PER_OWNER": _whole_or_any(1),
    "UNSENT_FILE_SECONDS": DURATION,
    "ABANDON_AFTER": WAIT_OR_NEVER,
    "PROVIDER_RETRIES": _whole(0),
    "MAX_STEPS": _whole(2),
    "TOOL_SECONDS": DURATION,
    "TOOL_CONCURRENCY": _whole(1),
    "MAX_TOOL_OUTPUT_CHARS": _whole(1),
    "FIRST_DELTA_SECONDS": DURATION,
    "STALL_SECONDS": DURATION,
    "TOTAL_SECONDS": DURATION,
    "HEARTBEAT_SECONDS": DURATION,
    "RECHECK_SECONDS": DURATION,
    "SWEEP_SECONDS": DURATION,
    "MAX_CONNECTION_SECONDS": DURATION,
    "STUCK_SECONDS": DURATION,
    "TICK_SECONDS": DURATION,
    "LEASE_SECONDS": DURATION,
    "DRAIN_SECONDS": WAIT,
    "POLL_SECONDS": DURATION,
    "REDIS_URL": TEXT,
    "REDIS_PREFIX": TEXT,
    "REDIS_TICK_SECONDS": DURATION,
    "JOURNAL_RETENTION_SECONDS": WAIT,
    "DATABASE_THREADS": _whole(1),
}
KNOWN = {name for name in vars(Settings) if name.isupper()}


def check_scalars(**kwargs: Any) -> list[CheckMessage]:
    wrong = list(_wrong_values())
    return [*_unknown_names(), *wrong, *([] if wrong else _short_lease())]


def _unknown_names() -> Iterator[CheckMessage]:
    names = [name.removeprefix(PREFIX) for name in dir(django_settings) if name.startswith(PREFIX)]
    for name in names:
        if name not in KNOWN:
            text = f"There is no setting {PREFIX}{name}."
            yield Warning(text, hint=suggest(name, KNOWN, PREFIX), id="streaming.W011")


def _wrong_values() -> Iterator[CheckMessage]:
    for name, rule in RULES.items():
        value = getattr(django_settings, PREFIX + name, None)
        if hasattr(django_settings, PREFIX + name) and not rule.holds(value):
            text = f"{PREFIX}{name} must be {rule.wanted}, not {value!r}."
            yield Error(text, hint="Correct it, or remove it to get the default.", id="streaming.E012")


def _short_lease() -> Iterator[CheckMessage]:
    if settings.LEASE_SECONDS < MIN_TICKS_A_LEASE * settings.TICK_SECONDS:
        yield Error(
            f"STREAMING_LEASE_SECONDS ({settings.LEASE_SECONDS:g}) is too short for "
            f"STREAMING_TICK_SECONDS ({settings.TICK_SECONDS:g}): live answers would count as interrupted.",
            hint=f"Make the lease at least {MIN_TICKS_A_LEASE} ticks long.",
            id="streaming.E013",
        )
