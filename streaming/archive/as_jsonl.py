"""Writes an archive: JSON Lines that `read_archive` reads back without loss.

    {"archive": "django-llm-streaming", "version": 1}
    {"conversation": {"id": "…", "key": "…", …}}
    {"message": {"id": "…", "conversation": "…", …}}
    …
    {"end": {"conversation": 1, "message": 2, "generation": 1, "attachment": 0}}

The last line tells a whole archive from one that was cut.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from streaming.archive.bundle import Bundle
from streaming.archive.columns import columns_of, dump
from streaming.archive.tables import TABLES, Row, Table
from streaming.models import Attachment

HEADER = {"archive": "django-llm-streaming", "version": 1}


def jsonl(
    bundles: Iterable[Bundle], on_lost: Callable[[Attachment], object] = lambda attachment: None
) -> Iterator[str]:
    """Yields the lines of an archive, each with its newline.

    Calls `on_lost` with each attachment whose bytes the storage does not give. The archive has it without them.
    """
    written = Counter({table.name: 0 for table in TABLES})
    yield _line(HEADER)
    for bundle in bundles:
        for table in TABLES:
            for row in bundle.rows[table.name]:
                written[table.name] += 1
                columns = archived(row, table)
                if columns.get("content", "") is None:
                    on_lost(row)
                yield _line({table.name: columns})
    yield _line({"end": written})


def archived(row: Any, table: Table) -> Row:
    """Returns a row as it stands in an archive."""
    columns = {field.name: dump(row, field) for field in columns_of(table.model, table.left_out)}
    table.dumped(row, columns)
    return columns


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
