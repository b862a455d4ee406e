"""The dialect: CommonMark, the extensions of GitHub, footnotes and formulas. Raw HTML is text, except for `<br>`."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import table
from markdown_it.rules_inline import StateInline, emphasis, strikethrough
from markdown_it.token import Token

from streaming.markdown.bare_links import with_bare_links
from streaming.markdown.clean import SCHEMES
from streaming.markdown.emphasis import beside_wide
from streaming.markdown.faults import note_fault
from streaming.markdown.formulas import block_formula, inline_formula
from streaming.markdown.live import HELD, make_live, without_open_end
from streaming.markdown.notes import note, reference_but_no_note

MAX_NESTING = 40
"""The deepest nesting of quotes and lists. markdown-it drops what is deeper, so such a block is shown as text."""

MAX_SIGNS = 2_500
"""The most signs of Markdown in one paragraph or cell. Some of markdown-it's rules take quadratic time for them."""

SIGNS = re.compile(r"[\[\]*_`~<&!\\$]")

LINE_BREAK = re.compile(r"<br[ \t]*/?>[ \t]*\n?[ \t]*", re.IGNORECASE)

MAX_COLUMNS = 64
"""The most columns of a table. Each row is filled up to them, so a short text could become a large page."""

References = MutableMapping[str, dict[str, Any]]


class Parsed(NamedTuple):
    """The blocks of a source: their tokens, and the link definitions that it adds."""

    tokens: list[Token]
    defined: References


class Grammar:
    """Parses blocks, and then the text in them."""

    def __init__(self) -> None:
        self._whole = _parser()
        self._live = make_live(_parser())

    def blocks(self, source: str) -> Parsed:
        """Parses the blocks of a source. The text in them is not parsed yet."""
        environment: dict[str, Any] = {"references": {}}
        tokens: list[Token] = []
        try:
            self._whole.block.parse(source, self._whole, environment, tokens)
        except Exception as error:  # a fault of the parser must not cost a reader the answer
            note_fault("the parser", error)
            return Parsed(_one_paragraph(source), {})
        return Parsed(tokens, environment["references"])

    def fill(self, tokens: list[Token], references: References, live: Token | None = None) -> bool:
        """Parses the text in the blocks. `live` is the inline token that is still being written, if there is one.

        Returns True if a reader may put plain text that follows at the caret.
        """
        is_open = False
        for token in tokens:
            if token.type == "inline":
                is_open = self._fill_one(token, references, is_live=token is live) or is_open
        return is_open

    def _fill_one(self, token: Token, references: References, *, is_live: bool) -> bool:
        parser, source, is_held = self._whole, token.content, False
        token.children = []
        if is_live:
            parser = self._live
            source, is_held = without_open_end(source)
        if len(source) > MAX_SIGNS and len(SIGNS.findall(source)) > MAX_SIGNS:
            token.children = [Token("text", "", 0, content=token.content)]
            return False
        environment = {"references": references, **({HELD: True} if is_held else {})}
        parser.inline.parse(source, parser, environment, token.children)
        token.children = with_bare_links(_joined(token.children))
        return is_live and not environment.get(HELD)


def _one_paragraph(source: str) -> list[Token]:
    where = [0, source.count("\n") + 1]
    text = Token("inline", "", 0, content=source, level=1, map=where)
    return [Token("paragraph_open", "p", 1, map=where), text, Token("paragraph_close", "p", -1)]


def _parser() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    markdown.enable("strikethrough").disable(["html_block", "html_inline"])
    markdown.block.ruler.at("reference", reference_but_no_note)
    # Where markdown-it has its rule for tables, the line of a heading could become the head of a table.
    markdown.block.ruler.before("lheading", "last_table", _table, {"alt": ["paragraph", "reference"]})
    interrupts: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    markdown.block.ruler.before("fence", "formula_block", block_formula, interrupts)
    markdown.inline.ruler.at("emphasis", beside_wide(emphasis.tokenize))
    markdown.inline.ruler.at("strikethrough", beside_wide(strikethrough.tokenize))
    markdown.inline.ruler.before("escape", "formula", inline_formula)
    markdown.inline.ruler.before("link", "note", note)
    markdown.inline.ruler.before("autolink", "line_break", _line_break)
    markdown.validateLink = _is_allowed  # type: ignore[method-assign, assignment]
    return markdown


def _table(state: Any, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  # the signature of a rule
    """The rule for tables, except for those with too many columns."""
    head = state.src[state.bMarks[start] : state.eMarks[start]]
    return head.count("|") <= MAX_COLUMNS and table(state, start, end, silent)


def _line_break(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the signature of a rule
    """The inline rule for `<br>`. Models write it in the cells of tables, which cannot have lines otherwise."""
    match = LINE_BREAK.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = match.end()
    return True


def _is_allowed(address: str) -> bool:
    """True for an address of a scheme that links may have, or without a scheme."""
    try:
        scheme = urlsplit(address.strip()).scheme.lower()
    except ValueError:
        return False
    return scheme in SCHEMES or (not scheme and ":" not in address.partition("/")[0].partition("?")[0])


def _joined(children: list[Token]) -> list[Token]:
    """The tokens with each run of text as one token."""
    joined: list[Token] = []
    for child in children:
        if child.type == "text_special":
            child.type = "text"
        if child.children:
            child.children = _joined(child.children)
        if child.type == "text" and joined and joined[-1].type == "text":
            joined[-1].content += child.content
        elif child.type != "text" or child.content:
            joined.append(child)
    return joined
