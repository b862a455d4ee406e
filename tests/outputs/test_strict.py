"""Schemas for the vendors' own modes."""

from __future__ import annotations

import datetime
import decimal
import sys
import uuid
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from streaming.outputs import OutputType, judge
from streaming.protocol import TextPart
from tests.wanted import Cat, Dog, Movie, Node, Point, Recipe, Unit, json_of


def schemas_in(schema: Any) -> Any:
    """Yields each schema of type object inside `schema`."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for one in schema.values():
            yield from schemas_in(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from schemas_in(one)


@pytest.mark.parametrize(
    "wanted", [Recipe, Node, Cat | Dog, Point, Movie, list[Recipe], int, str | None, Literal["a", 1]], ids=str
)
def test_all_properties_are_required_and_no_others_allowed(wanted: Any) -> None:
    schema = OutputType.of(wanted).spec.strict
    assert schema is not None
    assert schema["type"] == "object", "the vendors want an object at the top"
    for one in schemas_in(schema):
        assert one["required"] == list(one["properties"])
        assert one["additionalProperties"] is False


def test_rules_that_the_vendors_refuse_become_descriptions() -> None:
    schema = OutputType.of(Recipe).spec.strict
    assert schema is not None
    assert schema["properties"]["servings"] == {
        "type": "integer",
        "description": "How many people eat. (minimum: 1, maximum: 20)",
    }
    assert schema["properties"]["best_before"] == {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}
    assert schema["$defs"]["Ingredient"]["properties"]["amount"] == {
        "type": "string",
        "description": "(format: decimal)",
    }
    assert schema["$defs"]["Unit"] == {"type": "string", "enum": ["g", "piece"]}
    assert "default" not in str(schema)


def test_values_of_several_types_are_a_union() -> None:
    schema = OutputType.of(Literal["a", "b", 1, None]).spec.strict
    assert schema is not None
    assert sorted(schema["properties"]["value"]["anyOf"], key=str) == [
        {"type": "integer", "enum": [1]},
        {"type": "null", "enum": [None]},
        {"type": "string", "enum": ["a", "b"]},
    ]


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (datetime.datetime, datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)),
        (decimal.Decimal, decimal.Decimal("0.1000000000000000000001")),
        (uuid.UUID, uuid.UUID(int=7)),
        (Unit, Unit.GRAM),
        (int | None, None),
        (list[int | str], [1, "a"]),
        (Cat | Dog, Cat(meows=True)),
        (dict[str, list[int]], {"a": [1]}),
        (tuple[int, str], (1, "a")),
        (set[str], {"a"}),
        (str, "x"),
    ],
    ids=str,
)
def test_value_comes_back(wanted: Any, value: Any) -> None:
    kind = OutputType.of(wanted)
    text = json_of({"value": value} if kind.is_boxed else value)
    verdict = judge(kind, [TextPart(text=text)])
    assert (verdict.value, verdict.fault) == (value, None)


class Field(msgspec.Struct):
    anything: Any


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (dict[str, int], "$ is a dict with any keys"),
        (list[dict[str, int]], "$.value[…] is a dict with any keys"),
        (Field, "$.anything may be any value"),
        (list[Any], "$.value is a list of any values"),
        (tuple[int, str], "$.value is a tuple"),
        (list, "$.value is a list of any values"),
    ],
)
def test_what_cannot_be_expressed_is_named_with_its_place(wanted: Any, reason: str) -> None:
    kind = OutputType.of(wanted)
    assert kind.spec.strict is None
    assert kind.reason.startswith(reason)
    assert kind.spec.schema["type"] == "object", "a tool or the prompt can still ask for it"


def test_recursion_is_seen() -> None:
    assert OutputType.of(Node).spec.is_recursive
    assert OutputType.of(list[Node]).spec.is_recursive
    assert not OutputType.of(Recipe).spec.is_recursive


@pytest.mark.parametrize(
    ("wanted", "name"),
    [(Recipe, "Recipe"), (list[Recipe], "answer"), (Cat | Dog, "answer"), (Annotated[int, Meta(ge=1)], "answer")],
)
def test_name_is_one_that_vendors_accept(wanted: Any, name: str) -> None:
    assert OutputType.of(wanted).spec.name == name


class Odd:
    """Neither msgspec nor pydantic knows it."""


def test_type_without_a_schema() -> None:
    with pytest.raises(TypeError, match="has no JSON schema"):
        OutputType.of(Odd)


class TestPydantic:
    """Models of pydantic, which this package never imports by itself."""

    @pytest.fixture
    def pydantic(self) -> Any:
        return pytest.importorskip("pydantic")

    def test_models_are_read_by_pydantic(self, pydantic: Any) -> None:
        inner = pydantic.create_model("Inner", day=(str, ...), note=(str | None, None))
        fields: dict[str, Any] = {"age": (int, pydantic.Field(ge=1)), "inner": (list[inner], ...)}
        model = pydantic.create_model("Model", **fields)
        kind = OutputType.of(model)
        assert kind.spec.strict is not None
        assert kind.spec.strict["properties"]["age"] == {"type": "integer", "description": "(minimum: 1)"}
        assert kind.spec.strict["$defs"]["Inner"]["required"] == ["day", "note"]
        assert kind.decode('{"age": 1, "inner": [{"day": "x"}]}') == model(age=1, inner=[inner(day="x")])
        assert OutputType.of(list[inner]).decode('{"value": [{"day": "x"}]}') == [inner(day="x")]
        with pytest.raises(Exception, match="greater than or equal to 1") as raised:
            kind.decode('{"age": 0, "inner": []}')
        assert getattr(raised.value, "path", "") == "$.age"

    def test_pydantic_is_not_imported_for_other_types(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "pydantic", raising=False)
        OutputType.of(Recipe)
        with pytest.raises(TypeError, match="has no JSON schema"):
            OutputType.of(Odd)
        assert "pydantic" not in sys.modules
