"""Generations in the admin: the model, how each generation ended, its tokens and its times."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from streaming.admin import cells
from streaming.admin.filters import ErrorCodeFilter, FinishReasonFilter
from streaming.admin.read_only import ReadOnlyAdmin, user_field
from streaming.models import Generation


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin[Generation]):
    list_display = (
        "created_at",
        "shown_status",
        "reason",
        "shown_conversation",
        "shown_user",
        "shown_model",
        "tokens",
        "first_delta",
        "duration",
        "speed",
    )
    list_filter = ("status", "provider", "model", FinishReasonFilter, ErrorCodeFilter, "created_at")
    list_select_related = ("conversation__user",)
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    search_fields = ("model", "error_detail")
    private_search_fields = ("conversation__title", "message__text", "message__client_id")
    private_columns = {"shown_conversation": "linked_conversation"}
    search_help_text = _("Conversation's title, user, model, error, the answer's text, or an id as a log shows it")
    fieldsets = (
        (None, {"fields": ("shown_status", "linked_conversation", "shown_user", "shown_message")}),
        (_("Model"), {"fields": ("provider", "model", "finish_reason", "raw_finish_reason")}),
        (_("Error"), {"fields": ("error_code", "shown_error_detail")}),
        (_("Tokens"), {"fields": ("tokens", "is_usage_estimated", "cached_input_tokens", "reasoning_tokens", "cost")}),
        (_("Times"), {"fields": ("created_at", "started_at", "finished_at", "first_delta", "duration", "speed")}),
        (
            _("Inner workings"),
            {
                "fields": ("id", "worker", "lease_until", "cancel_requested_at", "cancel_reason", "last_seq"),
                "classes": ("collapse",),
            },
        ),
    )

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [*super().get_search_fields(request), user_field("conversation__")]

    @admin.display(description=_("status"), ordering="status")
    def shown_status(self, generation: Generation) -> SafeString | None:
        return cells.status_badge(generation.status)

    @admin.display(description=_("reason"))
    def reason(self, generation: Generation) -> str | None:
        return generation.error_code or generation.finish_reason or None

    @admin.display(description=_("model"), ordering="model")
    def shown_model(self, generation: Generation) -> str:
        return generation.model or generation.provider

    @admin.display(description=_("conversation"))
    def shown_conversation(self, generation: Generation) -> SafeString:
        return cells.conversation_link(generation.conversation)

    @admin.display(description=_("conversation"))
    def linked_conversation(self, generation: Generation) -> SafeString:
        """Shows only the id, like `shown_message`."""
        return cells.link_to("conversation", generation.conversation_id, generation.conversation_id)

    @admin.display(description=_("message"))
    def shown_message(self, generation: Generation) -> SafeString:
        """Shows only the id, because staff who may view generations may not always read messages."""
        return cells.link_to("message", generation.message_id, generation.message_id)

    @admin.display(description=_("user"))
    def shown_user(self, generation: Generation) -> str:
        return cells.person(generation.conversation)

    @admin.display(description=_("tokens in → out"), ordering="output_tokens")
    def tokens(self, generation: Generation) -> str:
        return cells.tokens_of(generation) or self.get_empty_value_display()

    @admin.display(description=_("first delta"), ordering="first_delta_ms")
    def first_delta(self, generation: Generation) -> str:
        return cells.milliseconds(generation.first_delta_ms) or self.get_empty_value_display()

    @admin.display(description=_("duration"), ordering="duration_ms")
    def duration(self, generation: Generation) -> str:
        return cells.seconds(generation.duration_ms) or self.get_empty_value_display()

    @admin.display(description=_("tokens/s"))
    def speed(self, generation: Generation) -> str:
        return cells.speed(generation) or self.get_empty_value_display()

    @admin.display(description=_("error detail"))
    def shown_error_detail(self, generation: Generation) -> str:
        detail = generation.error_detail
        return format_html("<pre>{}</pre>", detail) if detail else self.get_empty_value_display()
