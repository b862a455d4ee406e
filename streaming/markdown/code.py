"""The colours of code: Pygments' tokens as a few classes of our own."""

from __future__ import annotations

import functools
from html import escape
from typing import TYPE_CHECKING, Any

from streaming.markdown.faults import note_fault

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_COLOURED = 20_000
"""The longest code that is coloured, in characters: 500 lines, for which Pygments needs some 40 ms."""

MAX_LINE = 2_000
"""The longest line that is coloured. A lexer's patterns may take quadratic time on one line."""

CLASSES = {
    "Token.Comment": "c",
    "Token.Keyword": "k",
    "Token.Keyword.Constant": "m",
    "Token.Keyword.Type": "t",
    "Token.Operator.Word": "k",
    "Token.Literal.String": "s",
    "Token.Literal.String.Escape": "e",
    "Token.Literal.String.Interpol": "e",
    "Token.Literal.String.Regex": "e",
    "Token.Literal.Number": "m",
    "Token.Name.Function": "f",
    "Token.Name.Class": "t",
    "Token.Name.Builtin": "b",
    "Token.Name.Decorator": "d",
    "Token.Name.Exception": "t",
    "Token.Name.Tag": "k",
    "Token.Name.Attribute": "a",
    "Token.Name.Variable": "v",
    "Token.Name.Constant": "m",
    "Token.Name.Namespace": "t",
    "Token.Generic.Inserted": "i",
    "Token.Generic.Deleted": "x",
    "Token.Generic.Heading": "k",
    "Token.Generic.Subheading": "t",
    "Token.Generic.Prompt": "c",
}
"""A token type of Pygments -> the letter of its class. A type that is missing here has the class of its parent."""

PREFIX = "hl-"


def coloured(code: str, language: str) -> str:
    """Returns the code as HTML, in colours if the language is known and the code is not too long."""
    if not language or len(code) > MAX_COLOURED or max(map(len, code.split("\n"))) > MAX_LINE:
        return escape(code)
    try:
        return _colour(code, language)
    except Exception as error:  # a lexer of a third party failed; code without colours is still code
        note_fault("the colours of code", error)
        return escape(code)


@functools.lru_cache(maxsize=32)  # the tail shows the same code again and again
def _colour(code: str, language: str) -> str:
    lexer = _lexer(language.lower())
    if lexer is None:
        return escape(code)
    runs: list[tuple[str, list[str]]] = []  # the letter of a class, and the texts that follow each other in it
    for kind, text in lexer.get_tokens(code):
        letter = _class(kind) if text.strip() else ""
        if runs and (letter == runs[-1][0] or not text.strip()):  # white space needs no colour
            runs[-1][1].append(text)
        else:
            runs.append((letter, [text]))
    if "".join(text for _, texts in runs for text in texts) != code:
        return escape(code)
    return "".join(_span(letter, "".join(texts)) for letter, texts in runs)


def _span(letter: str, text: str) -> str:
    return f'<span class="{PREFIX}{letter}">{escape(text)}</span>' if letter else escape(text)


@functools.cache
def _class(kind: Any) -> str:
    """The letter for a token type, or that of its nearest parent which has one."""
    while kind is not None:
        if (letter := CLASSES.get(str(kind))) is not None:
            return letter
        kind = kind.parent
    return ""


@functools.lru_cache(maxsize=128)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
