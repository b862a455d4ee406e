"""Conversations in the admin: the list, and the page with a conversation's transcript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from streaming.admin import cells
from streaming.admin.filters import LastStatusFilter
from streaming.admin.permissions import may_read
from streaming.admin.read_only import ReadOnlyAdmin, user_field
from streaming.admin.transcript import render_conversation
from streaming.models import Conversation, Generation, Message

ACTIVE_HINT = _("its answer is being written; stop it first: %(generation)s")


def _of_each(queryset: QuerySet[Any], aggregate: Any) -> Subquery:
    """An aggregate of the rows of each conversation. The database computes it only for the rows of the page."""
    rows = queryset.filter(conversation=OuterRef("pk")).order_by().values("conversation")
    return Subquery(rows.annotate(value=aggregate).values("value"), output_field=IntegerField())


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin[Conversation]):
    """The admin of conversations.

    Staff with the permission can delete a whole conversation, because people may demand that. Nobody can delete a part.
    """

    list_display = ("shown_title", "last_status", "shown_user", "message_count", "shown_tokens", "updated_at")
    list_filter = (LastStatusFilter, "provider", "updated_at")
    list_select_related = ("user",)
    date_hierarchy = "updated_at"
    ordering = ("-updated_at",)
    search_fields = ("key",)
    private_search_fields = ("title", "messages__text", "messages__client_id")
    private_columns = {"shown_title": "id"}
    search_help_text = _("Title, user, key, a message's text or client id, or an id as a log shows it")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        newest = Generation.objects.filter(conversation=OuterRef("pk")).order_by("-created_at")
        return (
            super()
            .get_queryset(request)
            .annotate(
                messages_total=Coalesce(_of_each(Message.objects.all(), Count("pk")), 0),
                input_total=_of_each(Generation.objects.all(), Sum("input_tokens")),
                output_total=_of_each(Generation.objects.all(), Sum("output_tokens")),
                newest_status=Subquery(newest.values("status")[:1]),
            )
        )

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [*super().get_search_fields(request), user_field()]

    def get_fieldsets(self, request: HttpRequest, obj: Conversation | None = None) -> Any:
        """Shows the transcript to staff who may view messages, and its errors to staff who may view generations."""
        fieldsets: list[Any] = [
            (None, {"fields": (("shown_user", "provider"), ("created_at", "updated_at"))}),
            (_("Details"), {"fields": ("key",), "classes": ("collapse",)}),
        ]
        if may_read(request):
            fieldsets[1][1]["fields"] = ("key", "system_prompt")
            sees_errors = request.user.has_perm("streaming.view_generation")
            transcript = "transcript_with_errors" if sees_errors else "transcript"
            fieldsets.insert(1, (_("Transcript"), {"fields": (transcript,), "classes": ("streaming-wide",)}))
        return fieldsets

    def has_delete_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return request.user.has_perm("streaming.delete_conversation")

    def get_deleted_objects(
        self, objs: QuerySet[Conversation] | Sequence[Conversation], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """The rows that are deleted with the conversations. They need no permission of their own.

        A conversation with an active generation is protected.
        """
        chosen = list(objs)
        deleted, counts, _perms_needed, protected = super().get_deleted_objects(chosen, request)
        live = Generation.objects.active().filter(conversation__in=chosen)
        protected = [*protected, *(str(ACTIVE_HINT % {"generation": generation}) for generation in live)]
        return deleted, counts, set(), protected

    @admin.display(description=_("title"), ordering="title")
    def shown_title(self, conversation: Conversation) -> str:
        return conversation.title or str(conversation.pk)

    @admin.display(description=_("user"), ordering="user")
    def shown_user(self, conversation: Conversation) -> str:
        return cells.person(conversation)

    @admin.display(description=_("messages"), ordering="messages_total")
    def message_count(self, conversation: Conversation) -> int:
        return int(conversation.messages_total)  # type: ignore[attr-defined]

    @admin.display(description=_("tokens in → out"), ordering="output_total")
    def shown_tokens(self, conversation: Conversation) -> str | None:
        return cells.tokens(conversation.input_total, conversation.output_total)  # type: ignore[attr-defined]

    @admin.display(description=_("last status"), ordering="newest_status")
    def last_status(self, conversation: Conversation) -> SafeString | None:
        return cells.status_badge(conversation.newest_status)  # type: ignore[attr-defined]

    @admin.display(description="")
    def transcript(self, conversation: Conversation) -> SafeString:
        return render_conversation(conversation, with_errors=False)

    @admin.display(description="")
    def transcript_with_errors(self, conversation: Conversation) -> SafeString:
        return render_conversation(conversation, with_errors=True)
