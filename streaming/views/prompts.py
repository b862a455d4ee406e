"""The prompt of an object endpoint: made of the JSON that its client sends."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from asgiref.sync import sync_to_async

from streaming.errors import BadRequest
from streaming.intake import UNREADABLE, read_json

Prompt = str | Callable[[Any], str | Awaitable[str]]

_FIELD = re.compile(r"\{(\w+)\}")


def check_input(kind: Any) -> None:
    """Checks, when the URLs are read, that inputs can be converted to a type. None stands for any input.

    Raises:
        TypeError: msgspec cannot read the type. It does not know the models of pydantic.
    """
    if kind is None:
        return
    try:
        msgspec.json.schema(kind)
    except TypeError as fault:
        raise TypeError(f"An input cannot be read as {kind!r}: {fault}") from fault


def read_input(body: bytes, kind: Any) -> Any:
    """Returns the JSON of the body, as a value of type `kind` unless that is None.

    Raises:
        BadRequest: it is no JSON, or of another type.
    """
    try:
        given = read_json(body)
        return given if kind is None else msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The input is not valid: {error}.") from error
    except UNREADABLE as error:
        raise BadRequest("The body is not valid JSON.") from error


async def prompt_of(prompt: Prompt, given: Any) -> str:
    """Returns the prompt for the input. A function that is not async runs in a thread, so it may use the database.

    What it returns may be awaitable, for example if it is a lambda that calls an async function.

    Raises:
        BadRequest: the input lacks something that the prompt names.
    """
    if isinstance(prompt, str):
        fields = msgspec.to_builtins(given)
        return _FIELD.sub(lambda found: _field(fields, found[1]), prompt)
    call: Any = prompt if inspect.iscoroutinefunction(prompt) else sync_to_async(prompt)
    made = await call(given)
    return str(await made if inspect.isawaitable(made) else made)


def _field(given: Any, name: str) -> str:
    """Returns the value of a field as text. `{input}` is an input that is no object."""
    fields = given if isinstance(given, dict) else {"input": given}
    if name not in fields:
        raise BadRequest(f"The input has no '{name}'.")
    value = fields[name]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
