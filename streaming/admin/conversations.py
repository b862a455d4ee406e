"""Conversations in the admin: the list, and the page with a conversation's transcript."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from streaming.access import is_redacting, redacted_text
from streaming.admin import cells, filters
from streaming.admin.deletion import DELETE, LABEL, MAX_LISTED, action_of, is_offered, listed, without_content
from streaming.admin.dependents import Dependents
from streaming.admin.export import KINDS, export_response
from streaming.admin.permissions import May, Staff, may_read
from streaming.admin.read_only import ReadOnlyAdmin
from streaming.admin.search import either, messages_with, titled
from streaming.admin.snippets import marked, pattern_of, piece_around, repeats, snippet
from streaming.admin.transcript import render_conversation
from streaming.archive import prune
from streaming.models import METERED, Conversation, Feedback, Generation, Message, Review, Thumb

ACTIVE_HINT = _("its answer is being written; stop it first: %(generation)s")
MARKS = {
    "has_flag": (_("flagged"), Review.objects.filter(is_flagged=True)),
    "has_thumbs_down": (_("thumbs down"), Feedback.objects.filter(thumb=Thumb.DOWN)),
}
"""The annotation of a conversation -> what the list calls it, and the rows about messages that set it."""


def _of_each(queryset: QuerySet[Any], aggregate: Any) -> Subquery:
    """An aggregate of the rows of each conversation. The database computes it only for the rows of the page."""
    rows = queryset.filter(conversation=OuterRef("pk")).order_by().values("conversation")
    return Subquery(rows.annotate(value=aggregate).values("value"), output_field=IntegerField())


def _described(label: Any) -> str:
    """The words of an export. An archive that is redacted can be imported, but is no backup."""
    return gettext("%(action)s, redacted: not a backup") % {"action": label} if is_redacting() else str(label)


_words_of = lazy(_described, str)


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin[Conversation]):
    """The admin of conversations.

    Staff with the permission can delete a whole conversation, because people may demand that. Nobody can delete a part.
    """

    to_conversation = "pk"
    list_display = ("shown_title", "last_status", "shown_user", "message_count", "shown_tokens", "marks", "updated_at")
    list_filter = (
        filters.LastStatusFilter,
        *filters.REVIEWS,
        *filters.FACTS,
        filters.ToolFilter,
        filters.OwnerFilter,
        "updated_at",
    )
    list_select_related = ("user",)
    ordering = ("-updated_at",)
    search_fields = ("key",)
    search_help_text = _('Words of a title or text, "a phrase", owner:name, owner:visitor, a key, or an id from a log')
    private_columns = {"shown_title": "id"}
    actions = (DELETE, *(f"export_{name}" for name in KINDS))

    def desk_links(self, request: HttpRequest) -> list[tuple[Any, str]]:
        links = []
        if Staff(request).may(May.READ, May.REVIEW):
            links.append((_("Inbox"), f"{reverse('admin:streaming_message_changelist')}?review=inbox"))
        if request.user.has_perm(May.SEE_ERRORS):
            links.append((_("Usage"), reverse("admin:streaming_generation_usage")))
        return links

    def has_export_jsonl_permission(self, request: HttpRequest) -> bool:
        return Staff(request).may(*KINDS["jsonl"].needs)

    def has_export_markdown_permission(self, request: HttpRequest) -> bool:
        return Staff(request).may(*KINDS["markdown"].needs)

    def has_export_csv_permission(self, request: HttpRequest) -> bool:
        return Staff(request).may(*KINDS["csv"].needs)

    @admin.action(description=_words_of(KINDS["jsonl"].label), permissions=["export_jsonl"])
    def export_jsonl(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> StreamingHttpResponse:
        return export_response(request, queryset, "jsonl")

    @admin.action(description=_words_of(KINDS["markdown"].label), permissions=["export_markdown"])
    def export_markdown(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> StreamingHttpResponse:
        return export_response(request, queryset, "markdown")

    @admin.action(description=_words_of(KINDS["csv"].label), permissions=["export_csv"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> StreamingHttpResponse:
        return export_response(request, queryset, "csv")

    def has_delete_selected_permission(self, request: HttpRequest) -> bool:
        return self.has_delete_permission(request) and is_offered(self.admin_site)

    @admin.action(description=LABEL, permissions=[DELETE])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> Any:
        """The site's action of this name. Django's own would load every row with what the list computes."""
        return action_of(self.admin_site)(self, request, queryset)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        newest = Generation.objects.filter(conversation=OuterRef("pk")).order_by("-created_at")
        marks = {
            name: Exists(rows.filter(message__conversation=OuterRef("pk"))) for name, (_word, rows) in MARKS.items()
        }
        return (
            super()
            .get_queryset(request)
            .annotate(
                messages_total=Coalesce(_of_each(Message.objects.all(), Count("pk")), 0),
                input_total=_of_each(Generation.objects.all(), Sum("input_tokens")),
                output_total=_of_each(Generation.objects.all(), Sum("output_tokens")),
                newest_status=Subquery(newest.values("status")[:1]),
                **marks,
            )
        )

    def having(self, rows: QuerySet[Conversation], term: str, *, reads_content: bool) -> QuerySet[Conversation]:
        if not reads_content:
            return rows.filter(key=term)
        keyed = Conversation.objects.order_by().filter(key=term)
        sent = Message.objects.order_by().filter(client_id=term)
        texts = (messages.values("conversation") for messages in (messages_with(term), sent))
        return rows.filter(pk__in=either(keyed.values("pk"), titled(term).values("pk"), *texts))

    def add_content(self, rows: Sequence[Any], terms: Sequence[str]) -> None:
        """Adds the newest text that has one of the terms."""
        texts = {}
        if terms:
            with_hit = messages_with(terms[0])
            for term in terms[1:]:
                with_hit = with_hit | messages_with(term)
            newest = with_hit.filter(conversation=OuterRef("pk")).order_by("-created_at")
            piece = newest.annotate(piece=piece_around(terms[0])).values("piece")[:1]
            chosen = Conversation.objects.order_by().filter(pk__in=[row.pk for row in rows])
            texts = dict(chosen.annotate(hit=Subquery(piece)).values_list("pk", "hit"))
        for row in rows:
            row.terms, row.hit = terms, redacted_text(texts.get(row.pk) or "")

    def get_fieldsets(self, request: HttpRequest, obj: Conversation | None = None) -> Any:
        """Shows the transcript and the system prompt to staff who may read content."""
        reads = may_read(request)
        totals = ("message_count", "shown_tokens", "shown_cost")
        facts = (("shown_user", "provider"), totals, ("created_at", "updated_at"))
        transcript = [(_("Transcript"), {"fields": ("transcript",), "classes": ("streaming-wide",)})] if reads else []
        details = ("key", "shown_system_prompt") if reads else ("key",)
        return [
            (None, {"fields": facts, "classes": ("streaming-facts",)}),
            *transcript,
            (_("Details"), {"fields": details, "classes": ("collapse",)}),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Shows the title above the page to staff who may read it; `str()` of a conversation has none."""
        if may_read(request):
            context["subtitle"] = cells.title_of(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return request.user.has_perm("streaming.delete_conversation")

    def get_deleted_objects(
        self, objs: QuerySet[Conversation] | Sequence[Conversation], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """The rows that are deleted with the conversations. They need no permission of their own.

        A conversation with an active generation is protected.
        """
        rows = objs if isinstance(objs, QuerySet) else Conversation.objects.filter(pk__in=[one.pk for one in objs])
        chosen = without_content(rows)
        dependents = Dependents(chosen.order_by())
        active = Generation.objects.active().filter(conversation__in=chosen.order_by())
        live = active.only("provider", "status", "created_at")[:MAX_LISTED]
        protected = [*dependents.protected, *(str(ACTIVE_HINT % {"generation": generation}) for generation in live)]
        return list(listed(chosen)), dependents.counts, set(), protected

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> None:
        """Deletes some conversations in each transaction, so that neither memory nor locks grow with their number."""
        sum(prune(queryset))
        if spared := queryset.all().count():  # a new query: Django has counted these rows before
            told = _("Conversations that could not be deleted: %(count)d. The log of the site has the reason.")
            self.message_user(request, told % {"count": spared}, messages.ERROR)

    @admin.display(description=_("title"), ordering="title")
    def shown_title(self, conversation: Any) -> SafeString:
        """The title, and below it the piece of a text with the words that were searched for."""
        title = marked(cells.title_of(conversation), pattern_of(conversation.terms))
        if not conversation.hit or repeats(cells.title_of(conversation), conversation.hit, conversation.terms):
            return title
        piece = snippet(conversation.hit, conversation.terms)
        return format_html('{}<br><span class="streaming-hit">{}</span>', title, piece)

    @admin.display(description=_("user"), ordering="owner_key")
    def shown_user(self, conversation: Conversation) -> SafeString:
        return cells.owner_link(conversation)

    @admin.display(description=_("messages"), ordering="messages_total")
    def message_count(self, conversation: Any) -> int:
        return int(conversation.messages_total)

    @admin.display(description=_("tokens"), ordering="output_total")
    def shown_tokens(self, conversation: Any) -> str:
        shown = cells.tokens(conversation.input_total, conversation.output_total)
        return shown or self.get_empty_value_display()

    @admin.display(description=_("cost"))
    def shown_cost(self, conversation: Conversation) -> str:
        """Shows what all answers, titles and summaries of the conversation cost together, as far as it is known."""
        sums = (kind.objects.filter(conversation=conversation).aggregate(sum=Sum("cost"))["sum"] for kind in METERED)
        known = [one for one in sums if one is not None]
        return (cells.money(sum(known, Decimal(0))) if known else None) or self.get_empty_value_display()

    @admin.display(description=_("last status"), ordering="newest_status")
    def last_status(self, conversation: Any) -> SafeString | None:
        return cells.status_badge(conversation.newest_status)

    @admin.display(description=_("marks"))
    def marks(self, conversation: Any) -> str:
        return ", ".join(str(word) for name, (word, _rows) in MARKS.items() if getattr(conversation, name))

    @admin.display(description=_("system prompt"))
    def shown_system_prompt(self, conversation: Conversation) -> SafeString | str:
        prompt = redacted_text(conversation.system_prompt)
        return format_html("<pre>{}</pre>", prompt) if prompt else self.get_empty_value_display()

    @admin.display(description="")
    def transcript(self, conversation: Any) -> SafeString:
        return render_conversation(conversation, conversation.staff)
