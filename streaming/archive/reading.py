"""Reads an archive into the database: everything, or nothing and the number of the wrong line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from streaming.archive.as_jsonl import HEADER
from streaming.archive.columns import Field, columns_of, is_user, load
from streaming.archive.errors import BadLine
from streaming.archive.group import Group
from streaming.archive.stored_files import discard
from streaming.archive.tables import TABLES, Row, Table
from streaming.database import atomic

CUT = "The archive ends before its last line: it was cut."
BY_NAME = {table.name: table for table in TABLES}
FIRST = TABLES[0].name


def read_archive(
    lines: Iterable[bytes], *, skips_bad: bool = False, on_line: Callable[[int], None] = lambda number: None
) -> Import:
    """Imports the lines of an archive in one transaction. Calls `on_line` with the number of each line.

    With `skips_bad`, a conversation with a wrong line is left out as a whole and the others are imported.

    Raises:
        BadLine: a line is wrong, and nothing was imported.
    """
    reading = Import(skips_bad=skips_bad)
    try:
        with atomic():
            number = 0
            for number, line in enumerate(lines, 1):
                on_line(number)
                reading.take(number, line)
            reading.finish(number + 1)
    except BaseException:
        reading.discard_files()
        raise
    return reading


class Import:
    """An import, line by line. `imported` counts rows by table; `bad` are the wrong lines, with reasons."""

    def __init__(self, *, skips_bad: bool) -> None:
        self.imported: Counter[str] = Counter({table.name: 0 for table in TABLES})
        self.bad: list[BadLine] = []
        self._skips_bad = skips_bad
        self._read: Counter[str] = Counter()
        self._group: Group | None = None
        self._stored: list[str] = []
        self._is_ended = False

    def take(self, number: int, line: bytes) -> None:
        """Reads one line.

        Raises:
            BadLine: it is wrong, and wrong lines are not skipped; or it is the first one.
        """
        try:
            name, value = _begin(line) if number == 1 else _entry(line)
            if self._is_ended:
                raise BadLine("A line comes after the last line of the archive. Import each archive by itself.")
            if name == "end":
                self._end(value)
            elif name in BY_NAME:
                self._row(number, BY_NAME[name], value)
        except BadLine as error:
            self._refuse(error, number)

    def finish(self, number: int) -> None:
        """Ends the import. `number` is that of the line after the last.

        Raises:
            BadLine: the archive was cut, and wrong lines are not skipped.
        """
        self._close_group()
        if not self._is_ended:
            self._refuse(BadLine(CUT), number)

    def discard_files(self) -> None:
        """Deletes all files that the import has stored."""
        for name in self._stored:
            discard(name)
        if self._group is not None:
            self._group.discard_files()

    def _row(self, number: int, table: Table, value: Row) -> None:
        self._read[table.name] += 1
        row = table.model()
        if table.name == FIRST:
            self._close_group()
            self._group = Group(number, row)  # type: ignore[arg-type]
        if self._group is None:
            if not self.bad:
                raise BadLine(f"A {table.name} must come after its conversation.")
            return  # the rest of a conversation that is left out
        _load(row, table, value, self._group)
        self._group.insert(row, table.name)

    def _end(self, counts: Row) -> None:
        self._close_group()
        self._is_ended = True
        if not self.bad and Counter(counts) != self._read:
            raise BadLine(f"The file is not complete. It has other numbers of rows than this line: {dict(self._read)}.")

    def _close_group(self) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        try:
            group.finish()
        except BadLine as error:
            self._group = group
            self._refuse(error, 0)
        else:
            self._stored += group.files.values()
            self.imported.update(group.rows)

    def _refuse(self, error: BadLine, number: int) -> None:
        """Leaves out the conversation of a wrong line.

        Raises:
            BadLine: wrong lines are not skipped.
        """
        error.number = error.number or number
        if not self._skips_bad or number == 1:
            raise error
        self.bad.append(error)
        group, self._group = self._group, None
        if group is not None:
            group.undo()


def _begin(line: bytes) -> tuple[str, Row]:
    if _json(line) != HEADER:
        raise BadLine(f"An archive begins with {json.dumps(HEADER)}.")
    return "archive", {}


def _entry(line: bytes) -> tuple[str, Row]:
    """Returns the name of the line's table, or "end", and its value."""
    entry = _json(line)
    if not isinstance(entry, dict) or len(entry) != 1:
        raise BadLine('A line has one entry, such as {"message": {…}}.')
    [(name, value)] = entry.items()
    if name != "end" and name not in BY_NAME:
        raise BadLine(f"There is no table {name!r}, must be one of: {', '.join(BY_NAME)}.")
    if not isinstance(value, dict):
        raise BadLine(f"The entry of {name!r} must be an object.")
    return name, value


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine("This is not JSON.") from error


def _load(row: Model, table: Table, value: Row, group: Group) -> None:
    """Sets the columns of a row from its archived form. A column that the archive does not have gets its default.

    Raises:
        BadLine: a column is unknown or its value is wrong.
    """
    fields = {field.name: field for field in columns_of(table.model, table.left_out)}
    for name in value.keys() & fields:
        load(row, fields[name], value[name])
    table.loaded(row, value, group)
    if unknown := value.keys() - fields:
        raise BadLine(f"There is no column {sorted(unknown)[0]!r} in {table.name!r}.")
    for field in fields.values():
        if field.name in table.later:
            group.put_off(row, field)
        elif field.is_relation and not is_user(field):
            group.refer(row, field)
    _validate(row, fields.values())


def _validate(row: Model, fields: Iterable[Field]) -> None:
    """Checks lengths and choices. Foreign keys are checked already; `blank` is a rule for forms."""
    checked = {one.name for one in fields if not one.is_relation and getattr(row, one.attname) not in one.empty_values}
    try:
        row.clean_fields(exclude={field.name for field in row._meta.fields} - checked)
    except ValidationError as error:
        name, [text, *_] = next(iter(error.message_dict.items()))
        raise BadLine(f"{name!r} is wrong: {text}") from error
