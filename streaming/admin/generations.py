"""Generations in the admin: the model, how each generation ended, its tokens and its times."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from streaming.access import redacted_text
from streaming.admin import cells, filters
from streaming.admin.inspection import Inspection
from streaming.admin.live import staff_only, stop_answer, watch_answer
from streaming.admin.metered import MeteredAdmin
from streaming.admin.permissions import May
from streaming.admin.search import either, messages_with, titled
from streaming.admin.transcript import words_of
from streaming.admin.unreadable import notices
from streaming.admin.usage import UsagePage
from streaming.context import sent_of
from streaming.models import Generation, Message
from streaming.records import tries_of
from streaming.supervisor import stop


@admin.register(Generation)
class GenerationAdmin(MeteredAdmin[Generation]):
    actions = ("stop_selected",)
    list_display = (
        "created_at",
        "status_and_reason",
        "shown_conversation",
        "shown_user",
        "shown_model",
        "tokens",
        "first_delta",
        "duration_and_speed",
    )
    list_filter = (
        filters.StatusFilter,
        *filters.FACTS,
        filters.ToolFilter,
        *filters.REVIEWS,
        filters.OwnerFilter,
        "created_at",
    )
    search_help_text = _('Model, error, words of a title or answer, "a phrase", owner:name, or an id from a log')
    fieldsets = (
        (None, {"fields": ("shown_status", "linked_conversation", "shown_user", "shown_message")}),
        (
            _("Model"),
            {
                "fields": (
                    *("provider", "shown_tried", "model", "attempts", "finish_reason", "raw_finish_reason"),
                    "shown_context",
                )
            },
        ),
        (_("Error"), {"fields": ("error_code", "shown_error_detail")}),
        (
            _("Tokens"),
            {
                "fields": (
                    *("tokens", "usage_source", "cached_input_tokens", "cache_write_tokens"),
                    *("reasoning_tokens", "shown_cost"),
                )
            },
        ),
        (_("Times"), {"fields": ("created_at", "started_at", "finished_at", "first_delta", "duration", "speed")}),
        (
            _("Inner workings"),
            {
                "fields": ("id", "worker", "lease_until", "cancel_requested_at", "cancel_reason", "last_seq"),
                "classes": ("collapse",),
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        """Adds the pages about one generation, before Django's own addresses, which would take them for ids."""
        site, view, pages = self.admin_site, self.admin_site.admin_view, Inspection(self.admin_site)
        watch = staff_only(site, "GET", May.READ)(watch_answer)
        stopping = staff_only(site, "POST", May.STOP)(stop_answer)
        return [
            path("usage/", view(UsagePage(site).view), name="streaming_generation_usage"),
            path("<uuid:pk>/events/", view(pages.events), name="streaming_generation_events"),
            path("<uuid:pk>/request/", view(pages.request), name="streaming_generation_request"),
            path("<uuid:pk>/replay/", view(pages.replay), name="streaming_generation_replay"),
            path("<uuid:pk>/watch/", watch, name="streaming_generation_watch"),
            path("<uuid:pk>/stop/", stopping, name="streaming_generation_stop"),
            *super().get_urls(),
        ]

    def desk_links(self, request: HttpRequest) -> list[tuple[Any, str]]:
        return [(_("Usage"), "usage/")]

    def get_fieldsets(self, request: HttpRequest, obj: Generation | None = None) -> Any:
        """Leaves out the section about the error if there was none."""
        has_error = obj is not None and bool(obj.error_code or obj.error_detail)
        sections = super().get_fieldsets(request, obj)
        return [section for section in sections if has_error or "error_code" not in section[1]["fields"]]

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(May.STOP)

    @admin.action(description=_("Stop the selected answers"), permissions=["stop"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        keys = list(queryset.active().values_list("pk", flat=True))  # type: ignore[attr-defined]
        for pk in keys:
            async_to_sync(stop)(pk, "staff")
        self.message_user(request, _("Answers that are being stopped: %(count)d") % {"count": len(keys)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Generation]:
        return super().get_queryset(request).defer("timeline", "tried")

    def having(self, rows: QuerySet[Generation], term: str, *, reads_content: bool) -> QuerySet[Generation]:
        # Most generations have no error, and comparing is quicker than searching.
        known = Q(model__icontains=term) | Q(error_detail__gt="", error_detail__icontains=term)
        if not reads_content:
            return rows.filter(known)
        sent = Message.objects.order_by().filter(client_id=term)
        conditions = [
            known,
            Q(conversation__in=titled(term).values("pk")),
            Q(message__in=messages_with(term).values("pk")),
            Q(message__in=sent.values("pk")),
        ]
        generations = Generation.objects.order_by()
        return rows.filter(pk__in=either(*(generations.filter(condition).values("pk") for condition in conditions)))

    @admin.display(description=_("duration"), ordering="duration_ms")
    def duration_and_speed(self, generation: Generation) -> SafeString:
        return cells.with_second_line(self.duration(generation), cells.speed(generation))

    @admin.display(description=_("message"))
    def shown_message(self, generation: Generation) -> SafeString:
        return cells.link_to("message", generation.message_id, generation.message_id)

    @admin.display(description=_("first delta"), ordering="first_delta_ms")
    def first_delta(self, generation: Generation) -> str:
        return cells.duration(generation.first_delta_ms) or self.get_empty_value_display()

    @admin.display(description=_("duration"), ordering="duration_ms")
    def duration(self, generation: Generation) -> str:
        return cells.duration(generation.duration_ms) or self.get_empty_value_display()

    @admin.display(description=_("tokens/s"))
    def speed(self, generation: Generation) -> str:
        return cells.speed(generation) or self.get_empty_value_display()

    @admin.display(description=_("conversation sent"))
    def shown_context(self, generation: Generation) -> SafeString | str:
        """Says which messages the model was not sent, with a link to the first one that it was sent."""
        if unreadable := notices(generation, "context"):
            return unreadable[0]
        sent = sent_of(generation.context)
        words = words_of(sent) if sent else ""
        if not sent or not words:
            return gettext("all messages")
        return cells.with_second_line(words, cells.link_to("message", sent.first, sent.first) if sent.first else "")

    @admin.display(description=_("tried providers"))
    def shown_tried(self, generation: Generation) -> str:
        """Shows each try with its failure in the provider's own words."""
        if unreadable := notices(generation, "tried"):
            return unreadable[0]
        told = [(one, redacted_text(one.detail)) for one in tries_of(generation.tried) or ()]
        lines = (f"{cells.one_try(one)} · {one.ms} ms\n{detail}".strip() for one, detail in told)
        return format_html("<pre>{}</pre>", "\n".join(lines)) if told else self.get_empty_value_display()

    @admin.display(description=_("error detail"))
    def shown_error_detail(self, generation: Generation) -> str:
        detail = redacted_text(generation.error_detail)
        return format_html("<pre>{}</pre>", detail) if detail else self.get_empty_value_display()
