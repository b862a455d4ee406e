"""The pages http.md and websocket.md, written from the OpenAPI and AsyncAPI documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from docs.reference import asyncapi, openapi
from docs.reference.operation import Operation

Schema = dict[str, Any]
COMMON = openapi.refusals(Operation("", {}))
"""The refusals that stand once at the top of the page."""

HTTP = """# HTTP reference

<!-- make reference writes this page from the code -->

This page lists every address, what it takes and what it gives. [openapi.json](openapi.json) has the same for tools
(OpenAPI 3.1). These pages show how to use the addresses: [clients.md](clients.md), [use-chat.md](use-chat.md),
[ag-ui.md](ag-ui.md). The socket has [its own page](websocket.md).

The session cookie says who sends the request; there is no other key. The app refuses requests from other origins,
except those in `CSRF_TRUSTED_ORIGINS`. You need no CSRF token. `HEAD` works wherever `GET` does. The body of a refusal
is a sentence for people, as `text/plain`. Limits are shown with their defaults.

The page does not list addresses that you make yourself, such as those that answer with
[an object](structured-output.md).

Every address that needs an owner can give these statuses:
"""
SOCKET = """# WebSocket reference

<!-- make reference writes this page from the code -->

{about} [asyncapi.json](asyncapi.json) has the same for tools (AsyncAPI 3.0).

The address is `{address}`. The session cookie says who connects. Each reply contains the `requestId` of its command.

{queries}
"""


def http() -> str:
    """The page of the HTTP API."""
    document = openapi.document()
    sections = [HTTP, *_table(COMMON), ""]
    for tag, heading in (("api", "The API"), ("pages", "The chat pages")):
        sections += [f"## {heading}\n", *_operations(document, tag)]
    return "\n".join([*sections, *_errors(document), "## Shapes\n", *_shapes(document)])


def socket() -> str:
    """The page of the WebSocket."""
    document = asyncapi.document()
    address = document["channels"]["chat"]["address"]
    queries = "\n".join(f"- `{one.name}` ({one.place}): {one.meaning}" for one in asyncapi.QUERIES)
    head = SOCKET.format(about=asyncapi.ABOUT, address=address, queries=queries)
    codes = [f"| {code} | {meaning} |" for code, meaning in document["x-close-codes"].items()]
    closing = ["## Close codes\n", "| code | meaning |", "|---|---|", *codes, ""]
    return "\n".join(
        [
            head,
            *_messages(document, "Commands", asyncapi.COMMANDS),
            *_messages(document, "Replies", asyncapi.REPLIES),
            *closing,
            "A chunk is one of the [shapes of `StreamChunk`](http.md#streamchunk), and an answer's errors are",
            "[those of the HTTP API](http.md#errors-of-answers).\n",
        ]
    )


def _messages(document: Schema, heading: str, kinds: Iterable[type]) -> Iterator[str]:
    yield f"## {heading}\n"
    for kind in kinds:
        schema = document["components"]["schemas"][kind.__name__]
        name = asyncapi.type_of(kind)
        yield f"### `{name}`\n\n{document['components']['messages'][name]['summary']}\n"
        yield from _fields(schema, link="http.md")


def _operations(document: Schema, tag: str) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters" and operation["tags"] == [tag]:
                yield from _operation(path, method.upper(), operation, methods.get("parameters", []))


def _operation(path: str, method: str, operation: Schema, shared: list[Schema]) -> Iterator[str]:
    yield f"### {operation['summary']}\n\n`{method} {path}`\n"
    if description := operation.get("description"):
        yield f"{description}\n"
    for parameter in (*shared, *operation.get("parameters", ())):
        yield f"- `{parameter['name']}` ({parameter['in']}): {parameter['description']}"
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"- body, as `{media}`: {_taken(content['schema'])}"
    yield ""
    yield from _table({status: one for status, one in operation["responses"].items() if one != COMMON.get(status)})
    yield ""


def _taken(schema: Schema) -> str:
    """The shape of a body, or the fields of a form."""
    fields = ", ".join(f"`{name}`" for name in schema.get("properties", {}))
    return _kind(schema) if "$ref" in schema else fields or "nothing"


def _table(responses: Schema) -> Iterator[str]:
    yield "| status | meaning |\n|---|---|"
    for status, answer in responses.items():
        yield f"| {status} | {answer['description']}{_given(answer)} |"


def _given(answer: Schema) -> str:
    """The shape of a response, and its media types."""
    content = answer.get("content", {})
    if "x-codes" in answer or not content:
        return ""
    shapes = {_kind(schema) for one in content.values() for schema in one.values()}
    return f" {' '.join(sorted(shapes))} ({', '.join(f'`{media}`' for media in content)})"


def _errors(document: Schema) -> Iterator[str]:
    yield "## Errors of answers\n"
    yield "An answer that has begun can fail. Its `error` chunk and its metadata then have one of these sentences.\n"
    yield "| code | sentence | asked again |\n|---|---|---|"
    for code, one in document["x-stream-errors"].items():
        yield f"| `{code}` | {one['message']} | {'yes' if one['isRetryable'] else ''} |"
    yield "\nThe code is in the admin and in `Generation.error_code`. *Asked again*: the app asks the provider again,"
    yield "if the answer has not begun.\n"


def _shapes(document: Schema) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        yield f"### {name}\n"
        if description := schema.get("description"):
            yield " ".join(description.split()) + "\n"
        if "anyOf" in schema:
            yield f"One of: {', '.join(map(_kind, schema['anyOf']))}.\n"
        else:
            yield from _fields(schema)


def _fields(schema: Schema, link: str = "") -> Iterator[str]:
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    if not properties:
        return
    yield "| key | value | |\n|---|---|---|"
    for name, field in properties.items():
        needed = "" if name in required else "optional. "
        yield f"| `{name}` | {_kind(field, link)} | {needed}{field.get('description', '')} |"
    yield ""


def _kind(schema: Schema, link: str = "") -> str:
    """The allowed values in words."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}]({link}#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_kind(one, link) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    most = f", at most {schema['maxLength']:,} characters" if "maxLength" in schema else ""
    items = f" of {_kind(schema['items'], link)}" if "items" in schema else ""
    return f"{schema.get('type', 'anything')}{items}{most}"
