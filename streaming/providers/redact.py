"""Masks secrets in texts for staff, because error messages, headers and URLs may contain keys."""

from __future__ import annotations

import re

MAX_LENGTH = 500
"""The longest text that is kept, in characters: enough for any API's message, too short for a proxy's HTML page."""

READ_LENGTH = 10_000
"""The number of characters that are searched for secrets before the text is cut, so that no part of a key is left."""

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
"""The shortest secret that is masked, in characters. Masking a shorter one would destroy ordinary words."""

_hidden: set[str] = set()


def hide(*secrets: str) -> None:
    """Masks these secrets in all texts from now on: keys and headers that providers send to authenticate."""
    _hidden.update(secret for secret in secrets if len(secret) >= SHORTEST)


def redact(text: str) -> str:
    """Returns `text`, cut to `MAX_LENGTH` characters, with hidden secrets and everything like a key masked."""
    text = mask(_NAMED.sub(rf"\1\2{MASK}", text[:READ_LENGTH]))
    return text if len(text) <= MAX_LENGTH else text[: MAX_LENGTH - 1] + "…"


def mask(text: str) -> str:
    """Returns `text`, whole, with hidden secrets and everything that has the shape of a key masked."""
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _SHAPED.sub(MASK, text)
