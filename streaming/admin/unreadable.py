"""Notices about JSON columns that cannot be read: another version wrote them, or somebody changed them by hand."""

from __future__ import annotations

from django.db.models import Model
from django.utils.translation import gettext as _

from streaming.archive import is_shaped


def notices(row: Model, *columns: str) -> list[str]:
    """Returns a notice for each of the columns whose value cannot be read."""
    stored = ((column, getattr(row, column)) for column in columns)
    wrong = [column for column, value in stored if value is not None and not is_shaped(column, value)]
    reason = _("the stored value cannot be read")
    return [f"{row._meta.get_field(column).verbose_name}: {reason}" for column in wrong]  # type: ignore[union-attr]
