"""The columns of a row as JSON values, and back."""

from __future__ import annotations

import datetime
import decimal
import functools
import uuid
from collections.abc import Callable
from typing import Any, TypeAlias

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models

from streaming.archive.errors import BadLine
from streaming.archive.shapes import SHAPES, shaped

Field: TypeAlias = "models.Field[Any, Any]"

TO_JSON: dict[type, Callable[[Any], Any]] = {
    uuid.UUID: str,
    decimal.Decimal: str,
    datetime.datetime: datetime.datetime.isoformat,
    datetime.date: datetime.date.isoformat,
}
"""The types of columns that JSON does not have. All other values stay as they are."""


@functools.cache
def columns_of(model: type[models.Model], left_out: frozenset[str]) -> list[Field]:
    """Returns the columns that an archive has. A number that the database chose as the primary key is not one."""
    return [
        field
        for field in model._meta.concrete_fields
        if field.name not in left_out and not isinstance(field, models.AutoField)
    ]


def is_user(field: Field) -> bool:
    """Returns True for a foreign key to the site's user model. An archive names users by their natural key."""
    return field.is_relation and field.related_model is get_user_model()


def dump(row: models.Model, field: Field) -> Any:
    """Returns the value of a column for JSON."""
    if is_user(field):
        user = getattr(row, field.name)
        return None if user is None else user.get_username()
    value = field.value_from_object(row)
    if isinstance(field, models.FileField):
        return value.name
    return TO_JSON.get(type(value), _unchanged)(value)


def load(row: models.Model, field: Field, value: Any) -> None:
    """Sets a column from its JSON value.

    Raises:
        BadLine: the column cannot have this value.
    """
    if is_user(field):
        setattr(row, field.attname, _user_named(value, field))
        return
    if isinstance(field, models.FileField) and not isinstance(value, str):
        raise BadLine(f"{field.name!r} cannot be {value!r}.")
    if field.name in SHAPES and value is not None:
        value = shaped(field.name, value)
    try:
        setattr(row, field.attname, value if value is None else field.to_python(value))
    except ValidationError as error:
        raise BadLine(f"{field.name!r} cannot be {value!r}: {' '.join(error.messages)}") from error
    except (TypeError, ValueError, OverflowError) as error:  # some of Django's fields raise these for a wrong type
        raise BadLine(f"{field.name!r} cannot be {value!r}.") from error


def _user_named(name: Any, field: Field) -> Any:
    if name is None:
        return None
    users = get_user_model()._default_manager
    named = users.filter(**{get_user_model().USERNAME_FIELD: name}).values_list("pk", flat=True)
    is_name = isinstance(name, str) and "\0" not in name  # PostgreSQL refuses to look for NUL
    found = named.first() if is_name else None
    if found is None:
        raise BadLine(f"{field.name!r} is {name!r}, and this site has no such user. Create it first.")
    return found


def _unchanged(value: Any) -> Any:
    return value
