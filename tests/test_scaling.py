"""The model of docs/scaling.md gives the table that the page prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).resolve().parent.parent / "docs/scaling.md").read_text()


def test_table_is_what_the_model_gives() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    columns = [names["model"](streams) for streams in (10, 1_000, 100_000)]
    rows = [f"| {name} | {' | '.join(str(column[name]) for column in columns)} |" for name in columns[0]]
    assert "\n".join(rows) in PAGE, "\n".join(rows)
