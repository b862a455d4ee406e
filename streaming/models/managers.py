"""The manager of all rows of this app: it reads where the rows are written."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models

from streaming.database import alias

RowT = TypeVar("RowT", bound=models.Model, covariant=True)


class WrittenManager(models.Manager[RowT]):
    """A manager that uses the database that `streaming.database.alias` names, unless `using` names another one.

    A database router may send reads to a replica, which is always a little behind. The app reads in order to write: it
    must see its own rows at once.

    It must be the `base_manager_name` of the model, so that relations and `refresh_from_db` use it, too.
    """

    # Django keeps the database of a manager here; None lets the router choose. The managers of relations would choose
    # for themselves, so a `get_queryset` of our own is not enough.
    @property
    def _db(self) -> str:
        return self.__dict__.get("_named") or alias()

    @_db.setter
    def _db(self, named: Any) -> None:
        self.__dict__["_named"] = named
