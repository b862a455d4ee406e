"""The filters of the admin's lists. Each means what its title and the list's column say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from streaming.errors import PUBLIC_MESSAGES
from streaming.models import Status
from streaming.protocol import FinishReason


class LastStatusFilter(admin.SimpleListFilter):
    """Conversations by the status of their newest generation, which the list's column shows.

    The list's query has it as `newest_status`.
    """

    title = _("last status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(newest_status=self.value()) if self.value() else queryset


class _ClosedSetFilter(admin.SimpleListFilter):
    """A filter whose values are known. Django's own filter would run `SELECT DISTINCT` over the whole table."""

    parameter_name: str
    values: tuple[str, ...]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        return ((value, value.replace("_", " ")) for value in self.values)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class FinishReasonFilter(_ClosedSetFilter):
    title = _("finish reason")
    parameter_name = "finish_reason"
    values = get_args(FinishReason)


class ErrorCodeFilter(_ClosedSetFilter):
    title = _("error code")
    parameter_name = "error_code"
    values = tuple(PUBLIC_MESSAGES)
