from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import Error

from streaming.checks.providers import CONTEXT_HINT
from streaming.context import Asked
from streaming.protocol import Turn
from tests.checks import messages
from tests.checks.test_providers import SCRIPTED

NAMES = "The policy of a CONTEXT names"
WRONG = "The CONTEXT of provider 'default' is wrong: "
NOTHING = 3


def newest_ten(asked: Asked) -> tuple[Turn, ...]:
    return asked.turns[-10:]


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"policy": "drop", "window": 8_000, "keep": 1},
        {"policy": "summary", "summarizer": "default", "reserve": 0},
        {"policy": "vendor", "body": {"transforms": ["middle-out"]}},
        {"policy": "off"},
        {"policy": f"{__name__}.newest_ten"},
    ],
)
def test_context_that_can_be_read_is_no_problem(context: dict[str, Any]) -> None:
    assert messages(STREAMING_PROVIDERS={"default": {**SCRIPTED, "CONTEXT": context}}) == []


@pytest.mark.parametrize(
    ("context", "text"),
    [
        ({"windo": 3}, "The CONTEXT of provider 'default' cannot be read: Object contains unknown field `windo`."),
        (
            {"window": "8k"},
            "The CONTEXT of provider 'default' cannot be read: Expected `int | null`, got `str` - at `$.window`.",
        ),
        (7, "The CONTEXT of provider 'default' cannot be read: Expected `object`, got `int`."),
        ({"window": 0}, f"{WRONG}'window' must be a number of tokens above 0."),
        ({"window": 10, "reserve": 10}, f"{WRONG}'reserve' must be less than 'window'."),
        ({"keep": 0}, f"{WRONG}'keep' must be above 0, and at most 1."),
        ({"policy": "dorp"}, f"{WRONG}'policy' must be drop, summary, vendor, off, or a dotted path."),
        ({"summarizer": "small"}, f"{WRONG}'summarizer' must be one of: default."),
        ({"policy": "vendor"}, f"{WRONG}'vendor' needs a 'body' for this dialect."),
        ({"policy": f"{__name__}.NOTHING"}, f"{NAMES} '{__name__}.NOTHING', which is not a function."),
        (
            {"policy": f"{__name__}.missing"},
            f"{NAMES} '{__name__}.missing', which cannot be imported: "
            f'Module "{__name__}" does not define a "missing" attribute/class.',
        ),
    ],
)
def test_wrong_context_is_named(context: Any, text: str) -> None:
    assert messages(STREAMING_PROVIDERS={"default": {**SCRIPTED, "CONTEXT": context}}) == [
        Error(text, hint=CONTEXT_HINT, id="streaming.E027")
    ]
