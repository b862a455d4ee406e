"""Notices about JSON columns that cannot be read: another version wrote them, or somebody changed them by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from streaming.context import sent_of
from streaming.records import readable, timeline_of, tries_of

READERS: dict[str, Callable[[Any], Any]] = {
    "timeline": timeline_of,
    "tried": tries_of,
    "context": sent_of,
    "tools": lambda value: readable(value, list[str]),
}
"""The name of a column -> the function that returns None for a value of another shape."""


def notices(row: Model, *columns: str) -> list[str]:
    """Returns a notice for each of the columns whose value cannot be read."""
    stored = ((column, getattr(row, column)) for column in columns)
    wrong = [column for column, value in stored if value is not None and READERS[column](value) is None]
    return [f"{row._meta.get_field(column).verbose_name}: {notice()}" for column in wrong]  # type: ignore[union-attr]


def notice() -> str:
    return _("the stored value cannot be read")
