"""The addresses of `streaming.urls`, and what the reference lacks about them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import NamedTuple

from django.test import RequestFactory
from django.urls import URLPattern

from docs.reference.endpoints import ENDPOINTS, PARAMETERS
from docs.reference.forms import FORMS
from docs.reference.operation import Methods
from docs.reference.schemas import unlisted_bounds
from streaming.errors import RequestError
from streaming.urls import urlpatterns

DESCRIBED: dict[str, Methods] = ENDPOINTS | FORMS


class Route(NamedTuple):
    """One address: `path` in OpenAPI's form, the names of its parameters, and the methods that the view takes."""

    name: str
    path: str
    parameters: tuple[str, ...]
    methods: frozenset[str]


def routes() -> list[Route]:
    return [_route(one) for one in urlpatterns]


def _route(pattern: URLPattern) -> Route:
    written = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
    parameters = tuple(re.findall(r"{(\w+)}", written))
    return Route(pattern.name or "", f"/{written}", parameters, _methods(pattern, parameters))


def _methods(pattern: URLPattern, parameters: tuple[str, ...]) -> frozenset[str]:
    """The methods that a view takes: it tells them to a request with a method that it does not take."""
    request = RequestFactory().generic("TRACE", "/")
    response = asyncio.run(pattern.callback(request, **dict.fromkeys(parameters, "x")))
    return frozenset(response.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"}


def problems() -> list[str]:
    """What has to be added to the tables of the reference before it is complete."""
    return sorted([*_of_addresses(), *_of_errors(), *_of_bounds()])


def _of_addresses() -> Iterator[str]:
    known = {route.name: route for route in routes()}
    for name in DESCRIBED.keys() - known.keys():
        yield f"{name}: there is no such address any more. Remove it from ENDPOINTS or FORMS."
    for name, route in known.items():
        described = DESCRIBED.get(name)
        if described is None:
            methods = ", ".join(sorted(route.methods))
            yield f"{name}: {route.path} ({methods}) has no entry in ENDPOINTS (docs/reference/endpoints.py)."
        elif described.keys() != route.methods:
            yield f"{name}: described are {sorted(described)}, but the view takes {sorted(route.methods)}."
        for parameter in {*route.parameters} - PARAMETERS.keys():
            yield f"{name}: the parameter '{parameter}' has no entry in PARAMETERS (docs/reference/endpoints.py)."


def _of_errors() -> Iterator[str]:
    operations = [one for methods in DESCRIBED.values() for one in methods.values()]
    used = {kind for one in operations for kind in (*one.errors, *one.always)}
    for kind in _kinds(RequestError) - used:
        yield f"{kind.__name__}: no operation names this refusal among its errors."


def _kinds(kind: type[RequestError]) -> set[type[RequestError]]:
    return {each for one in kind.__subclasses__() if one.__module__ == kind.__module__ for each in (one, *_kinds(one))}


def _of_bounds() -> Iterator[str]:
    for name in unlisted_bounds():
        yield f"{name}: FIELDS (docs/reference/schemas.py) and BOUNDS disagree about this bound."
