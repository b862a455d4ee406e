"""Turns prepared for every dialect: parts grouped by role, and calls and results as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from streaming.protocol.parts import Part, Role, ToolCall, ToolResult, Turn

RoleGroup = tuple[Role, list[Part]]


def group_by_role(turns: Iterable[Turn]) -> Iterator[RoleGroup]:
    """Yields the parts in order, grouped by role. Neighbouring turns of one role are one group.

    Results of tools that the app executed form groups of role `tool`, because an answer of several steps may hold its
    calls and their results in one turn.
    """
    placed = ((_speaker(turn.role, part), part) for turn in turns for part in turn.parts)
    for role, group in groupby(placed, key=lambda pair: pair[0]):
        yield role, [part for _, part in group]


def _speaker(role: Role, part: Part) -> Role:
    is_ours = isinstance(part, ToolResult) and not part.is_provider_executed
    return "tool" if is_ours else role


def own_calls(parts: list[Part]) -> list[ToolCall]:
    """Returns the calls that the provider did not execute itself. Those it did mean nothing to another server."""
    return [part for part in parts if isinstance(part, ToolCall) and not part.is_provider_executed]


def arguments_of(call: ToolCall) -> str:
    """Returns the call's arguments as valid JSON.

    A call that was cut is sent as an empty object, because servers refuse the whole conversation for one broken value.
    Free-text input becomes an object too, because only one dialect has free text.
    """
    if not call.is_json:
        return msgspec.json.encode({"input": call.raw_arguments}).decode()
    if call.arguments is None:
        return "{}"
    raw = call.raw_arguments
    if raw.lstrip().startswith('"'):  # the server encoded the object once more, as JSON text
        raw = msgspec.json.decode(raw, type=str)
    return raw if raw.lstrip().startswith("{") else msgspec.json.encode(call.arguments).decode()


def output_of(result: ToolResult) -> str:
    """Returns the tool's output as the text that a model reads."""
    if isinstance(result.output, str):
        return result.output
    return msgspec.json.encode(result.output).decode()
