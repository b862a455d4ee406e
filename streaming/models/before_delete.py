"""What is done before rows are deleted, whichever code deletes them.

It is a method of the rows and not a receiver of `pre_delete`. Django loads all columns of rows whose model has such a
receiver, also where they are deleted with their conversation: a hundred answers may have many megabytes. Without one it
loads their keys.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models, router, transaction

RowT = TypeVar("RowT", bound=models.Model, covariant=True)


class BeforeDeleteQuerySet(models.QuerySet[RowT]):
    """Rows of a model that is `BeforeDelete`."""

    def before_delete(self) -> None:
        """Does what must be done before the selected rows are deleted, in the same transaction."""
        raise NotImplementedError

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.db):
            self.before_delete()
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class BeforeDelete(models.Model):
    """A model whose manager has the QuerySet above. Rows that are deleted with their conversation do not call it."""

    class Meta:
        abstract = True

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:  # noqa: FBT001, FBT002
        using = using or router.db_for_write(type(self), instance=self)
        rows: Any = type(self)._base_manager.using(using).filter(pk=self.pk)
        with transaction.atomic(using=using):
            rows.before_delete()
            return super().delete(using=using, keep_parents=keep_parents)

    delete.alters_data = True  # type: ignore[attr-defined]
