"""Messages in the admin: the list, which is also the inbox of reviewers, and the page of each message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from streaming.access import redacted_text
from streaming.admin import cells, filters
from streaming.admin.changelist import ContentChangeList
from streaming.admin.dataset import dataset_response
from streaming.admin.permissions import May, Staff
from streaming.admin.read_only import ReadOnlyAdmin
from streaming.admin.review import Queue, next_unreviewed, save_review
from streaming.admin.search import text_condition
from streaming.admin.snippets import piece_around, snippet
from streaming.admin.transcript import pretty, render_message
from streaming.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
    to_conversation = "conversation"
    actions = ("export_openai", "export_anthropic")
    list_display = (
        "created_at",
        "role_and_status",
        "excerpt",
        "shown_conversation",
        "shown_user",
        "shown_review",
    )
    list_display_links = ("created_at", "excerpt")
    list_filter = (
        "role",
        filters.StatusFilter,
        *filters.REVIEWS,
        *filters.FACTS,
        filters.ToolFilter,
        filters.OwnerFilter,
        "created_at",
    )
    list_select_related = ("conversation__user", "generation", "review__reviewer", "feedback")
    ordering = ("-created_at",)
    search_fields = ("client_id",)
    search_help_text = _('Words of a text, "a phrase", owner:name, a client id, or an id from a log')

    def get_urls(self) -> list[URLPattern]:
        """Adds the addresses of reviews, before Django's own, which would take them for ids."""
        view = self.admin_site.admin_view
        return [
            path("next/", view(self.next_view), name="streaming_message_next"),
            path("<uuid:pk>/review/", view(save_review), name="streaming_message_review"),
            *super().get_urls(),
        ]

    def next_view(self, request: HttpRequest) -> HttpResponse:
        return next_unreviewed(request, self)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ContentChangeList]:
        match = request.resolver_match
        return Queue if match and match.url_name == "streaming_message_next" else ContentChangeList

    def desk_links(self, request: HttpRequest) -> list[tuple[Any, str]]:
        if not request.user.has_perm(May.REVIEW):
            return []
        queue = request.GET.urlencode()
        return [(_("Inbox"), "?review=inbox"), (_("Next unreviewed"), f"next/?{queue}")]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return Staff(request).may(May.READ, May.EXPORT)

    @admin.action(description=_("Export the reviewed ones as JSONL for OpenAI"), permissions=["export"])
    def export_openai(self, request: HttpRequest, queryset: QuerySet[Message]) -> StreamingHttpResponse:
        return dataset_response(request, queryset, "openai")

    @admin.action(description=_("Export the reviewed ones as JSONL for Anthropic"), permissions=["export"])
    def export_anthropic(self, request: HttpRequest, queryset: QuerySet[Message]) -> StreamingHttpResponse:
        return dataset_response(request, queryset, "anthropic")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Leaves out texts, because a message may be as long as a book. `add_content` loads what the list shows."""
        return super().get_queryset(request).defer("text", "parts", "generation__timeline")

    def having(self, rows: QuerySet[Message], term: str, *, reads_content: bool) -> QuerySet[Message]:
        """Returns the messages with the term in their text, or the one with this client id."""
        sent = rows.filter(client_id=term)
        return sent if sent.exists() else rows.filter(text_condition(term, rows.db))

    def add_content(self, rows: Sequence[Any], terms: Sequence[str]) -> None:
        """Adds the beginning of each text, or the piece around the first term."""
        texts = dict(_pieces([row.pk for row in rows], terms[0] if terms else ""))
        for row in rows:
            row.terms, row.piece = terms, redacted_text(texts.get(row.pk, ""))

    def get_fieldsets(self, request: HttpRequest, obj: Message | None = None) -> Any:
        sees_raw = Staff(request).may(May.SEE_RAW, May.READ_REASONING)
        raw = (_("Stored form"), {"fields": ("raw_parts",), "classes": ("collapse", "streaming-wide")})
        return [
            (None, {"fields": ("shown_conversation", "shown_user", "role", "client_id", "parent", "created_at")}),
            (_("Content"), {"fields": ("content",), "classes": ("streaming-wide",)}),
            *([raw] if sees_raw else []),
        ]

    @admin.display(description=_("text"))
    def excerpt(self, message: Any) -> str | None:
        return snippet(message.piece, message.terms) if message.piece else None

    @admin.display(description=_("conversation"))
    def shown_conversation(self, message: Message) -> SafeString:
        return cells.conversation_link(message.conversation)

    @admin.display(description=_("user"))
    def shown_user(self, message: Message) -> SafeString:
        return cells.owner_link(message.conversation)

    @admin.display(description=_("role"), ordering="role")
    def role_and_status(self, message: Message) -> SafeString:
        generation = message.generation_if_any
        status = cells.status_badge(generation.status) if generation else None
        return cells.with_second_line(message.get_role_display(), status)

    @admin.display(description=_("review"))
    def shown_review(self, message: Message) -> str | None:
        """The thumb of the owner and the review of the staff, apart."""
        feedback, review = getattr(message, "feedback", None), getattr(message, "review", None)
        shown = [feedback.get_thumb_display() if feedback else "", cells.review_line(review) if review else ""]
        return " / ".join(word for word in shown if word) or None

    @admin.display(description="")
    def content(self, message: Any) -> SafeString:
        return render_message(message, message.staff)

    @admin.display(description="")
    def raw_parts(self, message: Message) -> SafeString:
        return format_html("<pre>{}</pre>", pretty(message.parts))


def _pieces(keys: Sequence[Any], term: str) -> Any:
    """Pairs of a message's key and a piece of its text."""
    messages = Message.objects.order_by().filter(pk__in=keys)
    return messages.annotate(piece=piece_around(term)).values_list("pk", "piece")
