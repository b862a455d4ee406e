"""The deletion of conversations: what goes with them is counted by the database, and never loaded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings as site
from django.contrib import messages
from django.contrib.admin.actions import delete_selected
from django.db.models import CASCADE, PROTECT, RESTRICT, Model, QuerySet
from django.db.models.deletion import get_candidate_relations_to_delete
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from streaming.admin import cells
from streaming.models import (
    Attachment,
    Conversation,
    Feedback,
    Generation,
    JournalEntry,
    Message,
    Review,
    Share,
    SideCall,
    Summary,
)

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite, ModelAdmin

DELETE = "delete_selected"
LABEL: Any = delete_selected.short_description  # type: ignore[attr-defined]
"""The name of Django's action in its menus."""

MAX_LISTED = 100
"""The most conversations, and the most protected rows, that the page names."""

FORM_FIELDS = 3
"""The fields of the page's form beside one for each conversation."""

BELOW: dict[type[Model], str] = {
    **dict.fromkeys((Message, Generation, SideCall, Summary, Attachment, Share), "conversation"),
    JournalEntry: "generation__conversation",
    **dict.fromkeys((Review, Feedback), "message__conversation"),
}
"""The models whose rows are deleted with a conversation -> the lookup of the conversation."""


class Below:
    """The rows that are deleted with conversations.

    `counts` has their numbers by the plural names of their models. `protected` are rows of the site that forbid it.
    """

    def __init__(self, chosen: QuerySet[Conversation]) -> None:
        self.counts: dict[str, int] = {}
        self.protected: list[str] = []
        self._count(chosen)
        for model, lookup in BELOW.items():
            rows = model._default_manager.order_by().filter(**{f"{lookup}__in": chosen})
            self._count(rows)
            self._look_below(rows, set())
        self._look_below(chosen, set())

    def _count(self, rows: QuerySet[Any]) -> None:
        if count := rows.count():
            name = str(rows.model._meta.verbose_name_plural)
            self.counts[name] = self.counts.get(name, 0) + count

    def _look_below(self, rows: QuerySet[Any], passed: set[Any]) -> None:
        """Counts rows of the site's own models that refer to these rows, and those that refer to them."""
        for relation in relations_of(rows.model):
            if relation.field in passed:
                continue
            everything = relation.related_model._base_manager.using(rows.db).order_by()
            found = everything.filter(**{f"{relation.field.name}__in": rows})
            if relation.on_delete in (PROTECT, RESTRICT):
                self.protected += map(_named, found[:MAX_LISTED])
            elif relation.on_delete is CASCADE:
                self._count(found)
                self._look_below(found, passed | {relation.field})


def relations_of(model: type[Model]) -> list[Any]:
    """Returns the relations by which rows of the site's own models refer to rows of a model."""
    found: Any = get_candidate_relations_to_delete(model._meta)
    return [one for one in found if one.related_model not in (Conversation, *BELOW)]


def _named(row: Model) -> str:
    return f"{capfirst(row._meta.verbose_name)}: {row}"


def slim(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Returns the same conversations without the columns that a list computes, and without their content."""
    return Conversation.objects.filter(pk__in=rows.order_by().values("pk")).only("pk").order_by("-updated_at", "-pk")


def listed(chosen: QuerySet[Conversation]) -> Iterator[Any]:
    """Yields a link to each conversation. Of many, only the newest are named."""
    count = chosen.count()
    for pk in islice(chosen.values_list("pk", flat=True), MAX_LISTED):
        yield cells.link_to("conversation", pk, pk)
    if count > MAX_LISTED:
        yield _("and %(count)d more") % {"count": count - MAX_LISTED}


def is_offered(admin_site: AdminSite) -> bool:
    """Returns True unless the site has turned the action off."""
    return any(name == DELETE for name, _action in admin_site.actions)


def slimmed(action: Any) -> Any:
    """Returns Django's own action for rows without content, and any other action unchanged."""
    return delete_slim if action is delete_selected else action


def delete_slim(
    model_admin: ModelAdmin[Conversation], request: HttpRequest, queryset: QuerySet[Conversation]
) -> HttpResponse | None:
    """Django's action, for rows without content. Its form has a field for each row, and Django reads only so many."""
    chosen = slim(queryset)
    most: int | None = site.DATA_UPLOAD_MAX_NUMBER_FIELDS
    if most is not None and chosen.count() + FORM_FIELDS > most:
        told = _("At most %(limit)d conversations can be deleted at once here. For more, use %(command)s.")
        words = {"limit": most - FORM_FIELDS, "command": "manage.py prune_conversations"}
        model_admin.message_user(request, told % words, messages.ERROR)
        return None
    return delete_selected(model_admin, request, chosen)
