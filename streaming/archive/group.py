"""One conversation of an archive while it is imported."""

from __future__ import annotations

from typing import Any

from django.db import DataError, IntegrityError, connections, transaction
from django.db.models import Model

from streaming.archive.columns import Field
from streaming.archive.errors import BadLine
from streaming.archive.stored_files import discard
from streaming.database import alias
from streaming.models import Conversation, LedgerEntry, Metered


class Group:
    """The rows of one conversation, which begins at line `number`. They are imported together or not at all.

    `files` has the names of its stored files by their names in the archive, `rows` the table of each row. Foreign keys
    that refer to rows further down are put off until `finish`.
    """

    def __init__(self, number: int, conversation: Conversation) -> None:
        self.conversation = conversation
        self.files: dict[str, str] = {}
        self.rows: list[str] = []
        self._number = number
        self._ledger_keys: list[str] = []
        self._seen: dict[type[Model], set[Any]] = {}
        self._later: list[tuple[Model, Field, Any]] = []
        self._savepoint: Any = connections[alias()].savepoint()  # Django 6.1 renames `transaction.savepoint`

    def refer(self, row: Model, field: Field) -> None:
        """Checks that a foreign key names a row of this conversation that stands further up.

        Raises:
            BadLine: it does not.
        """
        value = field.value_from_object(row)
        if value is not None and value not in self._seen.get(field.related_model, ()):  # type: ignore[arg-type]
            raise BadLine(f"{field.name!r} is {str(value)!r}: no line of this conversation above has that id.")

    def put_off(self, row: Model, field: Field) -> None:
        """Lets a foreign key be null until the end of the conversation, because its row stands further down."""
        self._later.append((row, field, field.value_from_object(row)))
        setattr(row, field.attname, None)

    def insert(self, row: Model, table: str) -> None:
        """Stores a row as it is: times that the database usually sets are those of the archive.

        Raises:
            BadLine: the database refuses the row.
        """
        try:
            row.save_base(raw=True, force_insert=True, using=alias())
        except (IntegrityError, DataError, ValueError) as error:
            transaction.set_rollback(False, using=alias())  # `undo` goes back to the savepoint
            said = " ".join(str(error).split())
            raise BadLine(f"The database refuses this row; it may have this {table} already. {said}") from error
        self._seen.setdefault(type(row), set()).add(row.pk)
        self.rows.append(table)
        if isinstance(row, Metered):
            self._ledger_keys.append(row.ledger_key)

    def finish(self) -> None:
        """Sets the columns that were put off.

        Raises:
            BadLine: one names a row that the conversation does not have.
        """
        for row, field, value in self._later:
            setattr(row, field.attname, value)
            try:
                self.refer(row, field)
            except BadLine as error:
                raise BadLine(
                    f"{field.name!r} is {str(value)!r}: the conversation has no such row.", self._number
                ) from error
            type(row)._default_manager.filter(pk=row.pk).update(**{field.attname: value})
        # Rows that were deleted and come back count themselves.
        LedgerEntry.objects.filter(pk__in=self._ledger_keys).delete()
        transaction.savepoint_commit(self._savepoint, using=alias())

    def undo(self) -> None:
        """Removes everything that the group has stored."""
        transaction.savepoint_rollback(self._savepoint, using=alias())
        self.discard_files()

    def discard_files(self) -> None:
        """Deletes the files that the group has stored."""
        for name in self.files.values():
            discard(name)
