"""Reads conversations with all their rows, some at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Model, QuerySet

from streaming.archive.columns import columns_of, is_user
from streaming.archive.tables import TABLES, Table
from streaming.models import Conversation

# The number of conversations whose rows are read together: one query for each table, and some megabytes of memory.
CONVERSATIONS_PER_READ = 50


class Bundle(NamedTuple):
    """One conversation with its rows, table by table in the order of `TABLES`."""

    conversation: Conversation
    rows: dict[str, list[Any]]


def bundles(conversations: QuerySet[Conversation]) -> Iterator[Bundle]:
    """Yields the selected conversations from the oldest, each with its rows.

    People may write meanwhile. So each table is read before the tables that its rows refer to, and a conversation that
    is deleted meanwhile is left out: no row of an archive refers to one that is not in it.
    """
    found = _with_users(TABLES[0], conversations.order_by("created_at", "pk")).iterator(CONVERSATIONS_PER_READ)
    while together := list(islice(found, CONVERSATIONS_PER_READ)):
        tables = {table.name: _rows_of(together, table) for table in reversed(TABLES[1:])}
        left = {*Conversation.objects.filter(pk__in=[one.pk for one in together]).values_list("pk", flat=True)}
        for conversation in (one for one in together if one.pk in left):
            below = {table.name: tables[table.name][conversation.pk] for table in TABLES[1:]}
            yield Bundle(conversation, {TABLES[0].name: [conversation]} | below)


def _rows_of(conversations: list[Conversation], table: Table) -> dict[Any, list[Any]]:
    """Returns the table's rows by the primary key of their conversation."""
    grouped: dict[Any, list[Any]] = defaultdict(list)
    selected = table.model._default_manager.filter(**{f"{table.conversation}__in": conversations})
    for row in _with_users(table, selected).order_by(*_order_of(table)):
        grouped[_conversation_of(row, table)].append(row)
    for pk, rows in grouped.items():
        grouped[pk] = list(table.in_order(rows))
    return grouped


def _conversation_of(row: Model, table: Table) -> Any:
    *path, last = table.conversation.split("__")
    for name in path:
        row = getattr(row, name)
    return getattr(row, f"{last}_id")


def _order_of(table: Table) -> tuple[str, ...]:
    names = {field.name for field in table.model._meta.concrete_fields}
    return ("created_at", "pk") if "created_at" in names else ("pk",)


def _with_users(table: Table, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Joins what every row is asked for: users, and the rows on the way to the conversation."""
    users = [field.name for field in columns_of(table.model, table.left_out) if is_user(field)]
    path = table.conversation.rpartition("__")[0]
    joined = [*users, *([path] if path else [])]
    return rows.select_related(*joined) if joined else rows
