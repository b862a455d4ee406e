"""The examples in docs/structured-output.md work."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.engine import Script

PAGE = (Path(__file__).resolve().parents[2] / "docs/structured-output.md").read_text()
SOUP = '{"title": "Soup", "servings": 2, "ingredients": [{"name": "Tomato", "grams": null}]}'


@pytest.mark.usefixtures("engine")
async def test_examples_run(scripted: Script) -> None:
    scripted(text=SOUP)
    shown: list[Any] = []
    names: dict[str, Any] = {"request": SimpleNamespace(user=None), "show": lambda *values: shown.append(values)}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    for block in blocks:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(block, "docs/structured-output.md", "exec", flags=flags, dont_inherit=True)
        made = eval(code, names)  # our own page
        if inspect.isawaitable(made):
            await made
    assert names["recipe"] == names["Recipe"]("Soup", 2, [names["Ingredient"]("Tomato")])
    assert (("ingredients", 0, "name"), "Tomato") in shown


def test_page_names_every_fault() -> None:
    faults = set(re.findall(r"^\| `(\w+)` \| (?:the model|the answer|the object|the JSON)", PAGE, re.MULTILINE))
    assert faults == {"refused", "cut", "missing", "malformed", "mismatch"}
