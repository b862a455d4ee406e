"""Messages in the admin: a list of all messages that can be searched, and the page of each message."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from streaming.admin import cells
from streaming.admin.read_only import ReadOnlyAdmin, user_field
from streaming.admin.transcript import pretty, render_message
from streaming.models import Message

EXCERPT_CHARS = 120


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
    list_display = ("created_at", "role", "excerpt", "shown_conversation", "shown_user", "status")
    list_display_links = ("created_at", "excerpt")
    list_filter = ("role", "generation__status", "created_at")
    list_select_related = ("conversation__user", "generation")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    search_fields = ("text", "client_id", "conversation__title")
    search_help_text = _("Text, client id, conversation's title, user, or an id as a log shows it")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Loads only the beginning of each message, because a message may be as long as a book."""
        return super().get_queryset(request).defer("text", "parts").annotate(beginning=Left("text", EXCERPT_CHARS))

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [*super().get_search_fields(request), user_field("conversation__")]

    def get_fieldsets(self, request: HttpRequest, obj: Message | None = None) -> Any:
        sees_errors = request.user.has_perm("streaming.view_generation")
        content = "content_with_errors" if sees_errors else "content"
        return [
            (None, {"fields": ("shown_conversation", "shown_user", "role", "client_id", "parent", "created_at")}),
            (_("Content"), {"fields": (content,), "classes": ("streaming-wide",)}),
            (_("Stored form"), {"fields": ("raw_parts",), "classes": ("collapse", "streaming-wide")}),
        ]

    @admin.display(description=_("text"))
    def excerpt(self, message: Message) -> str | None:
        return message.beginning or None  # type: ignore[attr-defined]

    @admin.display(description=_("conversation"))
    def shown_conversation(self, message: Message) -> SafeString:
        return cells.conversation_link(message.conversation)

    @admin.display(description=_("user"))
    def shown_user(self, message: Message) -> str:
        return cells.person(message.conversation)

    @admin.display(description=_("status"))
    def status(self, message: Message) -> SafeString | None:
        generation = getattr(message, "generation", None)
        return cells.status_badge(generation.status if generation else None)

    @admin.display(description="")
    def content(self, message: Message) -> SafeString:
        return render_message(message, with_errors=False)

    @admin.display(description="")
    def content_with_errors(self, message: Message) -> SafeString:
        return render_message(message, with_errors=True)

    @admin.display(description="")
    def raw_parts(self, message: Message) -> SafeString:
        return format_html("<pre>{}</pre>", pretty(message.parts))
