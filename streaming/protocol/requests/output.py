"""The JSON object that an answer must be, and the three ways to ask a model for it.

`schema` uses the provider's own mode, which guarantees the schema: the dialects write it. `tool` forces the model to
call a tool whose arguments are the object. `prompt` only asks, in the system text. It works with every model, but
nothing guarantees the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from streaming.protocol.requests.request import GenerationRequest, OutputSpec, ToolSpec

Way = Literal["schema", "tool", "prompt"]

TOOL_TEXT = "Call this to give the answer. Its arguments are the answer."
PROMPT = (
    "Answer only with one JSON object that is valid by this JSON schema. "
    "Write nothing before or after it, and no Markdown fence.\n{schema}"
)

NO_RECURSION = frozenset({"anthropic-messages"})
"""The dialects whose schema mode refuses schemas that refer to themselves."""


def way_for(output: OutputSpec, way: Way, dialect: str) -> Way:
    """Returns `way`, or `tool` if the schema mode of `dialect` cannot express the output."""
    is_beyond = output.strict is None or (output.is_recursive and dialect in NO_RECURSION)
    return "tool" if way == "schema" and is_beyond else way


def with_output(request: GenerationRequest, way: Way) -> GenerationRequest:
    """Returns the request as it asks for its `output` in `way`. Only with `schema` it still has an `output`."""
    return _WAYS[way](request, request.output) if request.output else request


def _as_tool(request: GenerationRequest, output: OutputSpec) -> GenerationRequest:
    """Adds the tool, and forces a call. While the model may call other tools too, it chooses among all."""
    description = " ".join(filter(None, (TOOL_TEXT, output.description)))
    tool = ToolSpec(name=output.name, description=description, parameters=output.schema)
    is_last = not request.tools or request.tool_choice == "none"
    choice = request.tool_choice if request.tool_choice not in (None, "auto") else "required"
    return msgspec.structs.replace(
        request, tools=(*request.tools, tool), tool_choice=output.name if is_last else choice, output=None
    )


def _in_prompt(request: GenerationRequest, output: OutputSpec) -> GenerationRequest:
    asked = PROMPT.format(schema=msgspec.json.encode(output.schema).decode())
    system = "\n\n".join(filter(None, (request.system, asked)))
    return msgspec.structs.replace(request, system=system, output=None)


_WAYS: dict[str, Callable[[GenerationRequest, OutputSpec], GenerationRequest]] = {
    "schema": lambda request, output: request,
    "tool": _as_tool,
    "prompt": _in_prompt,
}


def named_schema(request: GenerationRequest) -> dict[str, Any] | None:
    """Returns the strict schema with its name, as OpenAI wants it; None if the request asks for none."""
    if request.output is None or request.output.strict is None:
        return None
    return {"name": request.output.name, "schema": request.output.strict, "strict": True}
