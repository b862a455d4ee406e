"""The last line of a text, while it has no end yet: how much of it may be shown."""

from __future__ import annotations

import re

PREFIX = re.compile(r"(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))*[ \t]*")
"""The marks of quotes and list items before the text of a line."""

UNDECIDED = re.compile(
    r"""
    \#{1,6}[ \t]*            # a heading
    | [-+*]                  # a list item, emphasis
    | \d{1,9}[.)]?           # a numbered item
    | `{1,2} | ~{1,2}        # a fence, code, strikethrough
    | `{3,}[^`]* | ~{3,}.*   # the first line of a fence, with the name of its language
    | =+[ \t]*               # the underline of a heading
    | (?:[-_*][ \t]*)+       # a rule, the underline of a heading
    | [|:\-\ \t]+            # the second line of a table
    | \[[ xX]?\]?[ \t]*      # a task
    | \[[^\]]{0,300}(?:\](?::.*)?)?  # the definition of a link
    | \$\$.* | \\\[?         # a formula
    """,
    re.VERBOSE,
)
"""A line, after its prefix, that may still become something else."""

DELIMITERS = re.compile(r"[ \t>|:\-]*-[ \t|:\-]*")
CLOSING_HASHES = re.compile(r"(#{1,6}[ \t].*?)[ \t]+#+[ \t]*\Z")


def shown_part(lines: list[str], partial: str) -> tuple[str, list[str]]:
    """Returns how much of the line without an end may be shown, and the complete lines that may be shown.

    A complete line with a `|` is the head of a table if the next line says so.
    """
    core = _core(partial)
    is_undecided = _is_undecided(partial)
    if lines and _may_be_head(lines[-1]) and (is_undecided or not partial):
        before = lines[-1][: lines[-1].index("|")]
        return "", lines[:-1] if _is_undecided(before) else [*lines[:-1], before]
    if is_undecided:
        return "", lines
    if (match := CLOSING_HASHES.match(core)) is not None:
        return partial[: len(partial) - len(core)] + match[1], lines
    return partial.partition("|")[0], lines


def _may_be_head(line: str) -> bool:
    return "|" in line and not DELIMITERS.fullmatch(line)


def _core(line: str) -> str:
    prefix = PREFIX.match(line)
    return line[prefix.end() :] if prefix else line


def _is_undecided(line: str) -> bool:
    core = _core(line)
    return not core or UNDECIDED.fullmatch(core) is not None


def shown_code(partial: str, fence: str) -> str:
    """Returns how much of the line without an end may be shown in a fence that opened with the signs `fence`."""
    return "" if re.fullmatch(rf" {{0,3}}{re.escape(fence[0])}*[ \t]*", partial) and partial.strip() else partial
