"""Shares: read-only snapshots of conversations, each behind a link that nobody can guess."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from streaming.database import atomic
from streaming.models.clock import iso_time
from streaming.models.conversations import MAX_TITLE_CHARS, Conversation
from streaming.models.managers import WrittenManager
from streaming.models.revoked_links import RevokedLink

TOKEN_BYTES = 24
"""The random bytes of a link: 192 bits. Nobody finds one by trying."""

FORM_SECONDS = 86_400
"""The form that makes a link is accepted for so long. No link expires sooner, so no form makes an expired one again."""


def new_token() -> str:
    """Returns the secret of a new link, which fits an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest_of(token: str) -> str:
    """Returns what is stored of a token. It needs no salt, because a token has more bits than anybody can try."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class ShareQuerySet(models.QuerySet["Share"]):
    def live(self) -> ShareQuerySet:
        """Returns the shares that have not expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))

    def expired(self) -> ShareQuerySet:
        return self.filter(expires_at__lte=timezone.now())

    def behind(self, token: str) -> ShareQuerySet:
        """Returns the live share of a link, or none."""
        return self.live().filter(digest=digest_of(token))

    def revoke(self) -> int:
        """Deletes the selected shares and returns how many. Their links cannot be made again by the same forms."""
        with atomic():
            digests = list(self.values_list("digest", flat=True))
            RevokedLink.objects.bulk_create([RevokedLink(digest=one) for one in digests], ignore_conflicts=True)
            deleted, _counts = self.filter(digest__in=digests).delete()
        return deleted


ShareManager = WrittenManager.from_queryset(ShareQuerySet)


class Share(models.Model):
    """One snapshot. It is deleted with its conversation, and when somebody revokes its link.

    `messages` has what was shared, as `streaming.intake.shares` writes it; later messages do not change it. The three
    flags say what the owner chose to share beside the text. `opened` counts the times that the page was shown.
    """

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="shares", verbose_name=_("conversation")
    )
    digest = models.CharField(_("SHA-256"), max_length=64, unique=True)
    title = models.CharField(_("title"), max_length=MAX_TITLE_CHARS, blank=True)
    messages = models.JSONField(_("messages"), default=list)
    with_reasoning = models.BooleanField(_("with reasoning"), default=False)
    with_tools = models.BooleanField(_("with tool calls"), default=False)
    with_files = models.BooleanField(_("with files"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    opened = models.PositiveIntegerField(_("opened, times"), default=0)
    opened_at = models.DateTimeField(_("last opened"), null=True, blank=True)

    objects = ShareManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ("-created_at",)
        verbose_name = _("shared link")
        verbose_name_plural = _("shared links")
        indexes = (models.Index(fields=("expires_at",), name="streaming_share_expiry"),)

    def __str__(self) -> str:
        return str(self.id)

    @property
    def described(self) -> dict[str, Any]:
        """The share for its owner. Nobody can show the link again, because its token is not stored."""
        return {
            "id": str(self.pk),
            "title": self.title,
            "createdAt": iso_time(self.created_at),
            "expiresAt": self.expires_at and iso_time(self.expires_at),
            "reasoning": self.with_reasoning,
            "tools": self.with_tools,
            "files": self.with_files,
            "opened": self.opened,
        }
