"""The reference is complete, valid and up to date."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from openapi_spec_validator import validate

from docs.reference import asyncapi, checks, openapi, routes, states
from docs.reference.endpoints import ENDPOINTS, PARAMETERS
from docs.reference.written import problems, written
from streaming.errors import PUBLIC_MESSAGES
from streaming.models import TRANSITIONS
from streaming.protocol.ui_stream.chunks import AnyChunk
from streaming.urls import urlpatterns
from tests.node import node_with_packages

HERE = Path(__file__).parent
FILES = written()


def test_nothing_lacks_a_description() -> None:
    assert problems() == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_is_made_from_the_code(path: Path) -> None:
    assert path.read_text() == FILES[path], "Run: make reference"


def test_openapi_document_is_valid() -> None:
    validate(openapi.document())


def test_asyncapi_document_is_valid() -> None:
    node_with_packages(HERE)
    schema = json.loads((HERE / "node_modules/@asyncapi/specs/schemas/3.0.0.json").read_text())
    document = asyncapi.document()
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []
    wrong = copy.deepcopy(document)
    del wrong["channels"]["chat"]["address"]
    wrong["operations"]["take"]["action"] = "hear"
    assert not Draft7Validator(schema).is_valid(wrong)


def test_every_address_stands_in_the_document() -> None:
    operations = [one for methods in openapi.document()["paths"].values() for one in methods.values()]
    named = {one["operationId"].rpartition("_")[0] for one in operations if isinstance(one, dict)}
    assert named == {pattern.name for pattern in urlpatterns}


def test_every_error_code_stands_in_both_documents() -> None:
    for document in (openapi.document(), asyncapi.document()):
        assert document["x-stream-errors"].keys() == PUBLIC_MESSAGES.keys()


def test_every_chunk_stands_in_both_documents() -> None:
    for document in (openapi.document(), asyncapi.document()):
        assert {one.__name__ for one in AnyChunk.__args__} <= document["components"]["schemas"].keys()


def test_address_without_a_description_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(routes.DESCRIBED, "api_stop")
    monkeypatch.delitem(PARAMETERS, "pk")
    monkeypatch.setitem(routes.DESCRIBED, "gone", ENDPOINTS["api_stop"])
    monkeypatch.setitem(routes.DESCRIBED, "api_providers", ENDPOINTS["api_stop"])
    assert routes.problems() == [
        "api_file: the parameter 'pk' has no entry in PARAMETERS (docs/reference/endpoints.py).",
        "api_providers: described are ['POST'], but the view takes ['GET'].",
        "api_stop: /api/chat/{key}/stop (POST) has no entry in ENDPOINTS (docs/reference/endpoints.py).",
        "gone: there is no such address any more. Remove it from ENDPOINTS or FORMS.",
        "shared_file: the parameter 'pk' has no entry in PARAMETERS (docs/reference/endpoints.py).",
    ]


def test_check_without_a_description_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(checks.CHECKS, "streaming.E001")
    assert checks.problems() == ["streaming.E001: the check has no entry in CHECKS (docs/reference/checks.py)."]


def test_diagram_has_every_status_and_every_transition() -> None:
    diagram = states.diagram()
    assert all(f">{status}</text>" in diagram for status in TRANSITIONS)
    assert diagram.count("<path marker-end") == sum(map(len, TRANSITIONS.values()))
