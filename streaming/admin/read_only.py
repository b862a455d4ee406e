"""The base of all admin classes. The app writes the rows, so nobody adds, changes or deletes them in the admin."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import models
from django.forms import Media
from django.http import HttpRequest

from streaming.admin.permissions import may_read, reveals_content

ModelT = TypeVar("ModelT", bound=models.Model)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
else:
    # Django's class takes a type argument only for type checkers.
    class ModelAdmin(admin.ModelAdmin):
        def __class_getitem__(cls, item: object) -> type[admin.ModelAdmin]:
            return cls


class ReadOnlyAdmin(ModelAdmin[ModelT]):
    """An admin with Django's `view` permission. It refuses the other three permissions to everybody, also superusers.

    `private_search_fields` are searched only for staff who may read content. `private_columns` are columns with
    content, each with the column that others see in its place.
    """

    list_per_page = 50
    show_full_result_count = False
    private_search_fields: tuple[str, ...] = ()
    private_columns: dict[str, str] = {}

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["streaming/admin.css"]})

    def has_view_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        """Asks only for `view`. In Django, staff who may change a row may also see it, but nobody changes these."""
        return request.user.has_perm(f"{self.opts.app_label}.view_{self.opts.model_name}")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return columns if may_read(request) else [self.private_columns.get(str(column), column) for column in columns]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        private = self.private_search_fields if may_read(request) else ()
        return [*super().get_search_fields(request), *private]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuses filters in the address that would let people guess content that they may not read."""
        if reveals_content(lookup) and not (request and may_read(request)):
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[ModelT], search_term: str
    ) -> tuple[models.QuerySet[ModelT], bool]:
        """Finds a row by its complete id, as logs show it. Any other term is searched as usual."""
        found = queryset.filter(pk=_as_uuid(search_term))
        if found.exists():
            return found, False
        return super().get_search_results(request, queryset, search_term)


def user_field(prefix: str = "") -> str:
    """The lookup of the name that users sign in with. `prefix` leads to the conversation."""
    return f"{prefix}user__{get_user_model().USERNAME_FIELD}"


def _as_uuid(text: str) -> Any:
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None
