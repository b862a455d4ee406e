"""A tool: a function, its description for the model, and the rules for its execution."""

from __future__ import annotations

import enum
import inspect
import re
import typing
import uuid
from collections.abc import Callable, Collection
from typing import Any, overload

import msgspec

from streaming.conf import SECONDS
from streaming.models import Owner
from streaming.protocol import ToolSpec

# The names that every vendor accepts. OpenAI's rule is the strictest.
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
PLAIN = (str, int, float, bool, type(None), enum.Enum)
OTHERS = (inspect.isclass, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
"""Tests for callables that are no functions, or that do not return their output."""
Function = Callable[..., Any]
Decision = bool | Callable[[dict[str, Any]], bool]


class ToolError(Exception):
    """A tool raises it when a call fails. The model gets its text; it never gets the text of other exceptions."""


class ToolContext(msgspec.Struct, frozen=True, kw_only=True):
    """The conversation and owner of a call. A tool with a parameter of this type gets it; the model does not see it.

    `owner.user_id` is the signed-in user's primary key, or None. `call_id` stays the same if a call is made twice.
    """

    owner: Owner
    conversation_key: str
    conversation_id: uuid.UUID
    generation_id: uuid.UUID
    call_id: str


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that a model may call; `tool` makes one. `arguments` is the struct that checks a call's arguments.

    Without `arguments`, the function gets all arguments by name, unchecked: an MCP server checks them itself. `seconds`
    is the time limit of a call; None means `STREAMING_TOOL_SECONDS`. `live_fields` are text arguments that readers see
    while they grow.
    """

    spec: ToolSpec
    function: Function
    arguments: type[msgspec.Struct] | None
    context_name: str | None = None
    needs_approval: Decision = False
    seconds: float | None = None
    live_fields: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def given(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Converts a model's `arguments` to the function's types and adds its defaults.

        Raises:
            msgspec.ValidationError: an argument does not fit. The text may be sent to the model.
        """
        if self.arguments is None:
            return dict(arguments)
        checked = msgspec.convert(arguments, self.arguments)
        return {field: getattr(checked, field) for field in self.arguments.__struct_fields__}

    def bound(self, arguments: dict[str, Any], context: ToolContext) -> Callable[[], Any]:
        """Returns the function with its arguments, ready to be called.

        Raises:
            msgspec.ValidationError: an argument does not fit.
        """
        given = self.given(arguments)
        if self.context_name:
            given[self.context_name] = context
        return lambda: self.function(**given)


@overload
def tool(function: Function, /) -> Tool: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    needs_approval: Decision = False,
    seconds: float | None = None,
    live_fields: Collection[str] = (),
) -> Callable[[Function], Tool]: ...


def tool(function: Function | None = None, /, **options: Any) -> Tool | Callable[[Function], Tool]:
    """Makes a `Tool` of a sync or async function. The signature becomes the schema, the docstring the description.

    Parameters need annotations that msgspec can turn into a JSON schema; `Annotated[int, msgspec.Meta(description=…)]`
    describes one. With `needs_approval=True` a person must approve each call. `needs_approval` may also be a function.
    It gets the call's arguments, runs in a thread, and returns True if the call needs approval.

    Raises:
        TypeError: it is no function, its signature cannot be turned into a schema, `needs_approval` is async, or
            `seconds` is no possible time.
    """
    if function is None:
        return lambda decorated: _tool_of(decorated, **options)
    return _tool_of(function, **options)


def _tool_of(
    function: Function,
    *,
    name: str | None = None,
    description: str | None = None,
    needs_approval: Decision = False,
    seconds: float | None = None,
    live_fields: Collection[str] = (),
) -> Tool:
    if not hasattr(function, "__name__") or any(is_other(function) for is_other in OTHERS):
        raise TypeError(f"A tool is a function that returns its output, which {function!r} is not.")
    named = name or function.__name__
    if not NAME.fullmatch(named):
        raise TypeError(f"A tool's name must match {NAME.pattern}, which {named!r} does not.")
    if inspect.iscoroutinefunction(needs_approval):
        raise TypeError(f"The needs_approval of tool {named!r} runs in a thread, so it must not be an async function.")
    if seconds is not None and not SECONDS.allows(seconds):
        raise TypeError(f"The seconds of tool {named!r} must be {SECONDS.wanted}, not {seconds!r}.")
    arguments, context_name = _signature(function, named)
    if unknown := set(live_fields) - set(arguments.__struct_fields__):
        raise TypeError(f"The live_fields of tool {named!r} name {unknown.pop()!r}, which is no parameter of it.")
    spec = ToolSpec(
        name=named,
        description=description if description is not None else inspect.getdoc(function) or "",
        parameters=_schema(arguments, named),
    )
    return Tool(
        spec=spec,
        function=function,
        arguments=arguments,
        context_name=context_name,
        needs_approval=needs_approval,
        seconds=seconds,
        live_fields=tuple(live_fields),
    )


def _signature(function: Function, name: str) -> tuple[type[msgspec.Struct], str | None]:
    """Returns a struct with a field for each parameter, and the name of the parameter for the context, if any."""
    hints = _hints(function, name)
    context_name, fields = None, []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"Tool {name!r} must name each parameter: * and ** are not allowed.")
        if parameter.name not in hints:
            raise TypeError(f"Parameter {parameter.name!r} of tool {name!r} needs an annotation. Write its type.")
        if _is_context(hints[parameter.name]):
            context_name = parameter.name
        else:
            fields.append(_field(parameter, hints[parameter.name]))
    return msgspec.defstruct(name, fields, kw_only=True), context_name


def _hints(function: Function, name: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as fault:
        hint = "Import the type at the top of the module, not only under TYPE_CHECKING."
        raise TypeError(f"An annotation of tool {name!r} cannot be read: {fault}. {hint}") from fault


def _is_context(hint: Any) -> bool:
    """Returns True if a parameter takes the context."""
    if typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    return hint is ToolContext or set(typing.get_args(hint)) == {ToolContext, type(None)}


def _field(parameter: inspect.Parameter, hint: Any) -> Any:
    if parameter.default is parameter.empty:
        return (parameter.name, hint)
    if isinstance(parameter.default, PLAIN):
        return (parameter.name, hint, parameter.default)  # the schema shows it
    return (parameter.name, hint, msgspec.field(default_factory=lambda: parameter.default))


def _schema(arguments: type[msgspec.Struct], name: str) -> dict[str, Any]:
    """Returns the struct's schema at the top level, where vendors expect it. Other types stay in `$defs`."""
    try:
        schema = msgspec.json.schema(arguments)
    except TypeError as fault:
        hint = "Use types that msgspec can validate: docs/tools.md."
        raise TypeError(f"The parameters of tool {name!r} have no JSON schema: {fault}. {hint}") from fault
    others = schema["$defs"]
    own: dict[str, Any] = others.pop(schema["$ref"].rpartition("/")[2])
    own.pop("title", None)
    return own | {"$defs": others} if others else own
