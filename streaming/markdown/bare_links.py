"""Addresses in plain text become links, as in GitHub's Markdown. The text stays the same, so nothing flashes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it.token import Token

# https://github.github.com/gfm/#autolinks-extension-
# A full stop or a bracket of Chinese or Japanese ends an address: a sentence goes on behind it without a space.
WIDE_SIGNS = "\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9_/.@:])(?:https?://|www\.(?=[\w-]+\.))[^\s<>\"`“”{WIDE_SIGNS}\x00-\x20]+", re.IGNORECASE
)
TRAILING = "?!.,:;*_~'\"’»›…"
OPENERS = {")": "(", "]": "[", "}": "{"}


def with_bare_links(children: list[Token]) -> list[Token]:
    """Returns the inline tokens with links around the addresses in their text."""
    if not any(child.type == "text" and _may_have_one(child.content) for child in children):
        return children
    linked: list[Token] = []
    depth = 0
    for child in children:
        depth += child.nesting if child.tag == "a" else 0
        linked.extend(_split(child) if child.type == "text" and not depth else [child])
    return linked


def _may_have_one(text: str) -> bool:
    return "://" in text or "www." in text.lower()


def _split(token: Token) -> Iterator[Token]:
    text, done = token.content, 0
    for match in ADDRESS.finditer(text):
        address = _trimmed(match[0])
        if not re.search(r"\w", address.partition("//")[2] or address[4:]):
            continue
        yield _text(text[done : match.start()])
        yield Token("link_open", "a", 1, attrs={"href": address if "://" in address else f"http://{address}"})
        yield _text(address)
        yield Token("link_close", "a", -1)
        done = match.start() + len(address)
    yield _text(text[done:])


def _trimmed(address: str) -> str:
    """The address without the punctuation of the sentence around it, and without a bracket that was opened before."""
    end = len(address)
    surplus = {closer: address.count(closer) - address.count(opener) for closer, opener in OPENERS.items()}
    while end:
        last = address[end - 1]
        if last in OPENERS:
            if surplus[last] <= 0:
                break
            surplus[last] -= 1
        elif last not in TRAILING:
            break
        end -= 1
    return address[:end]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
