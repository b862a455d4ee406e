"""The log of what staff saw and exported: who, what, when. Rows outlive the staff and the conversations they name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from streaming.models.managers import WrittenManager

MAX_DETAIL = 500


class Action(models.TextChoices):
    LIST = "list", _("listed")
    VIEW = "view", _("viewed")
    RAW = "raw", _("viewed raw events")
    REQUEST = "request", _("viewed a request")
    WATCH = "watch", _("watched live")
    REPLAY = "replay", _("replayed")
    FILE = "file", _("opened a file")
    EXPORT = "export", _("exported")
    REVOKE = "revoke", _("revoked")


class StaffAccessQuerySet(models.QuerySet["StaffAccess"]):
    def record(
        self, user: Any, action: str, kind: str, object_id: Any = "", *, count: int = 1, detail: str = ""
    ) -> None:
        """Notes that `user` saw or exported `count` rows of a kind. `detail` is a search or filter, never content."""
        self.create(
            user_id=user.pk,
            username=user.get_username()[:150],
            action=action,
            kind=kind,
            object_id=str(object_id),
            count=count,
            detail=detail[:MAX_DETAIL],
        )


StaffAccessManager = WrittenManager.from_queryset(StaffAccessQuerySet)


class StaffAccess(models.Model):
    """One look at content, or one export. `kind` is a model's lower-case name, `object_id` a row's id or empty."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("user")
    )
    username = models.CharField(_("username"), max_length=150)
    action = models.CharField(_("action"), max_length=16, choices=Action.choices)
    kind = models.CharField(_("kind"), max_length=32)
    object_id = models.CharField(_("object"), max_length=64, blank=True)
    count = models.PositiveIntegerField(_("rows"), default=1)
    detail = models.CharField(_("detail"), max_length=MAX_DETAIL, blank=True)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    objects = StaffAccessManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ("-created_at",)
        verbose_name = _("staff access")
        verbose_name_plural = _("staff accesses")
        indexes = (
            models.Index(fields=("-created_at",), name="streaming_access_time"),
            models.Index(fields=("kind", "object_id"), name="streaming_access_object"),
        )

    def __str__(self) -> str:
        return f"{self.username} {self.get_action_display()} {self.kind} {self.object_id}".rstrip()
