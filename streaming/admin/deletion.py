"""The deletion of conversations by staff: Django's action, for rows without their content."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings as site
from django.contrib import messages
from django.contrib.admin.actions import delete_selected
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from streaming.admin import cells
from streaming.models import Conversation

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite, ModelAdmin

DELETE = "delete_selected"
LABEL: Any = delete_selected.short_description  # type: ignore[attr-defined]
"""The name of Django's action in its menus."""

MAX_LISTED = 100
"""The most conversations that the page names."""

FORM_FIELDS = 3
"""The fields of the page's form beside one for each conversation."""


def without_content(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Returns the same conversations, the newest first, with their primary keys only."""
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


def action_of(admin_site: AdminSite) -> Any:
    """Returns the action that the site has registered, or ours in place of Django's own."""
    action: Any = admin_site.get_action(DELETE)
    return delete_conversations if action is delete_selected else action


def delete_conversations(
    model_admin: ModelAdmin[Conversation], request: HttpRequest, queryset: QuerySet[Conversation]
) -> HttpResponse | None:
    """Calls Django's action for rows without content, unless they are too many for the fields of its form."""
    chosen = without_content(queryset)
    most: int | None = site.DATA_UPLOAD_MAX_NUMBER_FIELDS
    if most is not None and chosen.count() + FORM_FIELDS > most:
        told = _("At most %(limit)d conversations can be deleted at once here. For more, use %(command)s.")
        words = {"limit": most - FORM_FIELDS, "command": "manage.py prune_conversations"}
        model_admin.message_user(request, told % words, messages.ERROR)
        return None
    return delete_selected(model_admin, request, chosen)
