"""Revoked links: what is kept of a share that was revoked, so that its form does not make it again."""

from __future__ import annotations

from django.db import models

from streaming.models.clock import InsertedAtField, from_now
from streaming.models.managers import WrittenManager


class RevokedLinkQuerySet(models.QuerySet["RevokedLink"]):
    def older_than(self, seconds: float) -> RevokedLinkQuerySet:
        return self.filter(created_at__lt=from_now(-seconds))


RevokedLinkManager = WrittenManager.from_queryset(RevokedLinkQuerySet)


class RevokedLink(models.Model):
    """The digest of a link that was revoked. It is kept until the form that made the link is no longer accepted."""

    digest = models.CharField("SHA-256", max_length=64, primary_key=True)
    created_at = InsertedAtField(auto_now_add=True)

    objects = RevokedLinkManager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()  # no page shows it, so its names are not translated
        indexes = (models.Index(fields=("created_at",), name="streaming_revoked_time"),)

    def __str__(self) -> str:
        return self.digest
