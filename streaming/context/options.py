"""The `CONTEXT` of a provider's entry, as a typed value.

"CONTEXT": {"policy": "summary", "window": 200_000, "summarizer": "small"}
"""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.conf import settings
from streaming.errors import StreamingError

POLICIES = ("drop", "summary", "vendor", "off")
"""The names of the built-in policies. Any other policy is the dotted path of a function."""


class BadContext(StreamingError):
    """The `CONTEXT` of a provider is wrong. The text says which and why."""


class ContextOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules for conversations that are too long for a provider's models.

    `window` is the number of tokens that the model takes, its answer included; None if nobody says. `reserve` is the
    part of it that is left for the answer. `keep` is how much of the rest a cut conversation fills at first: the
    smaller it is, the rarer are the cuts. `summarizer` is the alias of the provider that writes summaries, empty for
    the provider itself; `instructions` replace what it is told. `body` is what the policy `vendor` adds to requests.
    """

    policy: str = "drop"
    window: int | None = None
    reserve: int | None = None
    keep: float = 0.6
    summarizer: str = ""
    instructions: str = ""
    body: dict[str, Any] | None = None


def context_of(alias: str) -> ContextOptions:
    """Returns the `CONTEXT` of provider `alias`, or the defaults.

    Raises:
        BadContext: it is wrong.
    """
    entry = settings.PROVIDERS.get(alias)
    given = entry.get("CONTEXT", {}) if entry else {}
    try:
        read = msgspec.convert(given, ContextOptions)
    except msgspec.ValidationError as error:
        raise BadContext(f"The CONTEXT of provider {alias!r} cannot be read: {error}.") from error
    for is_right, rule in _rules(read):
        if not is_right:
            raise BadContext(f"The CONTEXT of provider {alias!r} is wrong: {rule}.")
    return read


def _rules(read: ContextOptions) -> tuple[tuple[bool, str], ...]:
    window, reserve, others = read.window, read.reserve, sorted(map(str, settings.PROVIDERS))
    return (
        (window is None or window > 0, "'window' must be a number of tokens above 0"),
        (reserve is None or 0 <= reserve < (window or reserve + 1), "'reserve' must be less than 'window'"),
        (0 < read.keep <= 1, "'keep' must be above 0, and at most 1"),
        (read.policy in POLICIES or "." in read.policy, f"'policy' must be {', '.join(POLICIES)}, or a dotted path"),
        (not read.summarizer or read.summarizer in others, f"'summarizer' must be one of: {', '.join(others)}"),
    )
