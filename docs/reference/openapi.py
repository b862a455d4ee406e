"""The HTTP API as an OpenAPI 3.1 document: docs/openapi.json."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from docs.reference.endpoints import PARAMETERS
from docs.reference.forms import FORMS
from docs.reference.operation import EVENTS, FORM, JSON, TEXT, Answer, Operation, Query
from docs.reference.routes import DESCRIBED, Route, routes
from docs.reference.schemas import components
from streaming.errors import PUBLIC_MESSAGES, RETRYABLE, RequestError

Document = dict[str, Any]
PROJECT = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]
ABOUT = (
    "The addresses of `streaming.urls`, as they are at the root of a site. The session cookie says who asks. "
    "Requests from other origins are refused, except those in `CSRF_TRUSTED_ORIGINS`. "
    "The body of a refusal is a sentence for people."
)


def document() -> Document:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": PROJECT["name"], "version": PROJECT["version"], "description": ABOUT},
        "servers": [{"url": "/", "description": 'The prefix of your `include("streaming.urls")`.'}],
        "tags": [{"name": "api"}, {"name": "pages"}],
        "paths": {route.path: _path(route) for route in routes()},
        "components": {
            "schemas": components(_kinds()),
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "sessionid"}},
        },
        "security": [{"session": []}, {}],
        "x-stream-errors": stream_errors(),
    }


def stream_errors() -> dict[str, Document]:
    """The errors of answers by code, as `error` chunks and the metadata tell them."""
    return {
        code: {"message": message, "isRetryable": code in RETRYABLE}
        for code, message in sorted(PUBLIC_MESSAGES.items())
    }


def _kinds() -> list[type[Any]]:
    operations = [one for methods in DESCRIBED.values() for one in methods.values()]
    answers = [answer.kind for one in operations for answer in one.answers.values()]
    kinds = {kind for kind in (*answers, *(one.body for one in operations)) if kind}
    return sorted(kinds, key=lambda kind: kind.__name__)


def _path(route: Route) -> Document:
    methods = DESCRIBED[route.name]
    operations = {method.lower(): _operation(route, method, one) for method, one in methods.items()}
    given = [_parameter(Query(name, PARAMETERS[name], place="path")) for name in route.parameters]
    return operations | ({"parameters": given} if given else {})


def _operation(route: Route, method: str, one: Operation) -> Document:
    title, _, rest = one.meaning.partition(". ")
    found: Document = {
        "operationId": f"{route.name}_{method.lower()}",
        "tags": ["pages" if route.name in FORMS else "api"],
        "summary": title.rstrip("."),
        "responses": {str(status): _answer(answer) for status, answer in one.answers.items()} | refusals(one),
    }
    found |= {"description": rest} if rest else {}
    found |= {"parameters": [*map(_parameter, one.queries)]} if one.queries else {}
    return found | _body(one)


def _parameter(query: Query) -> Document:
    found = {"name": query.name, "in": query.place, "description": query.meaning, "schema": query.schema}
    return found | ({"required": True} if query.place == "path" else {})


def _body(one: Operation) -> Document:
    if one.body:
        return {"requestBody": {"content": {JSON: {"schema": _reference(one.body)}}}}
    if one.form is None:
        return {}
    is_upload = any("format" in field for field in one.form.values())
    schema = {"type": "object", "properties": one.form}
    return {"requestBody": {"content": {"multipart/form-data" if is_upload else FORM: {"schema": schema}}}}


def _answer(answer: Answer) -> Document:
    content = {media: _content(media, answer) for media in answer.media_types}
    return {"description": answer.meaning} | ({"content": content} if content else {})


def _content(media: str, answer: Answer) -> Document:
    """The schema of a body. That of a stream is the schema of the data of one event."""
    schemas = {JSON: "schema", EVENTS: "x-event-data-schema"}
    return {schemas[media]: _reference(answer.kind)} if answer.kind and media in schemas else {}


def refusals(one: Operation) -> Document:
    """The refusals of an operation by status. Two kinds may share one."""
    by_status: defaultdict[int, list[type[RequestError]]] = defaultdict(list)
    for kind in (*one.errors, *one.always):
        by_status[kind.status].append(kind)
    return {str(status): _refusal(kinds) for status, kinds in sorted(by_status.items()) if status not in one.answers}


def _refusal(kinds: list[type[RequestError]]) -> Document:
    told = " ".join(" ".join((kind.__doc__ or "").partition("\n\n")[0].split()) for kind in kinds)
    found: Document = {
        "description": told,
        "content": {TEXT: {"schema": {"type": "string"}}},
        "x-codes": [kind.code for kind in kinds],
    }
    waits = any(kind.retry_after is not None for kind in kinds)
    header = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    return found | ({"headers": {"Retry-After": header}} if waits or kinds[0].status == 429 else {})


def _reference(kind: type[Any]) -> Document:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
