"""Text for staff with everything secret masked: keys turn up in error messages, headers and URLs."""

from __future__ import annotations

import re

MAX_LENGTH = 500
"""Enough for any API's message; short of storing the HTML page of a proxy."""

READ_LENGTH = 10_000
"""Looked at before cutting, so that a key is not spared for being cut in two; more is not worth the time."""

MASK = "[hidden]"

_NAMED = re.compile(
    r"""(?ix)
    ( (?:x-)? api[-_]?key | authorization | access[-_]?token | client[-_]?secret | secret | password | token )
    ( ["']? \s* [:=] \s* ["']? (?: (?:bearer|basic) \s+ )? )
    [^\s"'&,;<>)}\]]+
    """
)
_SHAPED = re.compile(
    r"""(?x)
    (?i: \b (?:bearer|basic) \s+ ) [\w.~+/=-]{6,}     # an Authorization header's value
    | \b (?:sk|pk|rk|xai|gsk|hf|nvapi|pplx) [-_] [\w*.-]{4,}   # OpenAI, Anthropic, OpenRouter, xAI, Groq, …
    | \b AIza [\w-]{6,}                                # Google
    | \b eyJ [\w-]{8,} (?: \. [\w-]+ ){1,2}            # a JSON web token
    | (?<= :// ) [^\s/@:]+ : [^\s/@]+ (?= @ )          # user:password in a URL
    """
)


SHORTEST = 6
"""A secret of fewer characters is none, and masking it would tear words apart."""

_hidden: set[str] = set()


def hide(*secrets: str) -> None:
    """Mask these wherever they turn up from now on: what a provider sends to prove who it is."""
    _hidden.update(secret for secret in secrets if len(secret) >= SHORTEST)


def redact(text: str) -> str:
    """`text`, at most `MAX_LENGTH` characters, without anything hidden and without anything that looks like a key."""
    text = text[:READ_LENGTH]
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _SHAPED.sub(MASK, _NAMED.sub(rf"\1\2{MASK}", text))
    return text if len(text) <= MAX_LENGTH else text[: MAX_LENGTH - 1] + "…"
