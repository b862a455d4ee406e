"""Requests to models that write no message, in the admin: side calls such as those for titles, and summaries."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from streaming.access import redacted_text
from streaming.admin import cells, filters
from streaming.admin.metered import MeteredAdmin
from streaming.admin.permissions import may_read
from streaming.models import SideCall, Summary

COLUMNS = ("status_and_reason", "shown_conversation", "shown_user", "shown_model", "tokens", "shown_cost")
COUNTED = ("tokens", "usage_source", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens", "shown_cost")


@admin.register(SideCall)
class SideCallAdmin(MeteredAdmin[SideCall]):
    list_display = ("created_at", "purpose", *COLUMNS)
    list_filter = ("purpose", "status", filters.OwnerFilter, "created_at")
    search_help_text = _("Model, error code, or owner:name")
    fieldsets = (
        (None, {"fields": ("purpose", "status_and_reason", "linked_conversation", "shown_user", "created_at")}),
        (_("Model"), {"fields": ("provider", "model")}),
        (_("Tokens"), {"fields": COUNTED}),
    )

    def having(self, rows: QuerySet[SideCall], term: str, *, reads_content: bool) -> QuerySet[SideCall]:
        return rows.filter(Q(model__icontains=term) | Q(error_code=term))


@admin.register(Summary)
class SummaryAdmin(MeteredAdmin[Summary]):
    """The admin of summaries. Their text is content, so only staff who may read messages see it."""

    shows_content = True
    list_display = ("created_at", *COLUMNS)
    list_filter = ("status", filters.OwnerFilter, "created_at")
    search_help_text = _("Model, or owner:name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Summary]:
        return super().get_queryset(request).defer("text")

    def having(self, rows: QuerySet[Summary], term: str, *, reads_content: bool) -> QuerySet[Summary]:
        return rows.filter(model__icontains=term)

    def get_fieldsets(self, request: HttpRequest, obj: Summary | None = None) -> Any:
        content = [(_("Content"), {"fields": ("shown_text",), "classes": ("streaming-wide",)})]
        links = ("linked_conversation", "shown_user", "shown_generation", "shown_upto", "created_at")
        return [
            (None, {"fields": ("status_and_reason", *links)}),
            *(content if may_read(request) else []),
            (_("Model"), {"fields": ("provider", "model")}),
            (_("Tokens"), {"fields": COUNTED}),
        ]

    @admin.display(description=_("text"))
    def shown_text(self, summary: Summary) -> SafeString | str:
        text = redacted_text(summary.text)
        return format_html("<pre>{}</pre>", text) if text else self.get_empty_value_display()

    @admin.display(description=_("generation"))
    def shown_generation(self, summary: Summary) -> SafeString:
        return cells.link_to("generation", summary.generation_id, summary.generation_id)

    @admin.display(description=_("last message"))
    def shown_upto(self, summary: Summary) -> SafeString:
        return cells.link_to("message", summary.upto_id, summary.upto_id)
