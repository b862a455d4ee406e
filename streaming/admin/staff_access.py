"""The log of what staff saw and exported, in the admin."""

from __future__ import annotations

from django.contrib import admin

from streaming.admin.read_only import ViewOnlyAdmin
from streaming.models import StaffAccess


@admin.register(StaffAccess)
class StaffAccessAdmin(ViewOnlyAdmin[StaffAccess]):
    list_display = ("created_at", "username", "action", "kind", "object_id", "count", "detail")
    list_filter = ("action", "created_at")
    date_hierarchy = "created_at"
    search_fields = ("=username", "=object_id")
