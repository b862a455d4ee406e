"""Shared links in the admin: staff see which there are, and revoke them. The admin does not show their content."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from streaming.admin import cells
from streaming.admin.permissions import needed_for
from streaming.admin.read_only import ViewOnlyAdmin
from streaming.models import Action, Share, StaffAccess


@admin.register(Share)
class ShareAdmin(ViewOnlyAdmin[Share]):
    """Revoking deletes the snapshot. It needs the permission to delete, and is logged."""

    actions = ("revoke_selected",)
    list_display = (
        "created_at",
        "linked_conversation",
        "shown_owner",
        "expires_at",
        "opened",
        "opened_at",
        *("with_files", "with_tools", "with_reasoning"),
    )
    list_filter = ("created_at", "expires_at", "with_files", "with_tools", "with_reasoning")
    list_select_related = ("conversation__user",)
    date_hierarchy = "created_at"
    fields = ("id", *list_display)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Share]:
        return super().get_queryset(request).defer("messages", "title")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuses filters in the address that would let people guess content."""
        if needed_for(lookup) or not {"messages", "digest"}.isdisjoint(lookup.split("__")):
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.delete_share")

    @admin.action(description=_("Revoke the selected links"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Share]) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        for pk in keys:
            StaffAccess.objects.record(request.user, Action.REVOKE, "share", pk)
        Share.objects.filter(pk__in=keys).revoke()
        self.message_user(request, _("Links that are revoked: %(count)d") % {"count": len(keys)})

    @admin.display(description=_("conversation"))
    def linked_conversation(self, share: Share) -> SafeString:
        return cells.link_to("conversation", share.conversation_id, share.conversation_id)

    @admin.display(description=_("owner"))
    def shown_owner(self, share: Share) -> Any:
        return cells.owner_link(share.conversation)
