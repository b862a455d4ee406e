"""The columns of every request to a model: its status, the provider, the tokens that it used, and their cost."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from streaming.models.clock import InsertedAtField

MAX_ALIAS_CHARS = 64
"""The longest alias of a provider."""

MAX_MODEL_CHARS = 200
"""A longer name of a model is cut."""


class Status(models.TextChoices):
    PENDING = "pending", _("pending")
    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")
    CANCELLED = "cancelled", _("cancelled")
    FAILED = "failed", _("failed")
    TRUNCATED = "truncated", _("truncated")
    INTERRUPTED = "interrupted", _("interrupted")


FAILURES = (Status.FAILED, Status.TRUNCATED, Status.INTERRUPTED)
"""The statuses that count as a failure in reports. An answer that somebody stopped is none."""


class Metered(models.Model):
    """A row that counts in limits, budgets and reports. Each such model also has a `conversation`.

    Token counts are null if they are not known. If the model broke off before the provider reported them, they are
    estimated, and `is_usage_estimated` is True. `price` is what `cost` was made from.
    """

    provider = models.CharField(_("provider"), max_length=MAX_ALIAS_CHARS)
    model = models.CharField(_("model"), max_length=MAX_MODEL_CHARS, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.PENDING)

    input_tokens = models.PositiveIntegerField(_("input tokens"), null=True, blank=True)
    output_tokens = models.PositiveIntegerField(_("output tokens"), null=True, blank=True)
    cached_input_tokens = models.PositiveIntegerField(_("cached input tokens"), null=True, blank=True)
    cache_write_tokens = models.PositiveIntegerField(_("cache write tokens"), null=True, blank=True)
    reasoning_tokens = models.PositiveIntegerField(_("reasoning tokens"), null=True, blank=True)
    is_usage_estimated = models.BooleanField(_("tokens are estimated"), default=False, db_default=False)
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=9, null=True, blank=True)
    price = models.JSONField(_("price"), null=True, blank=True)

    created_at = InsertedAtField(_("created"), auto_now_add=True)

    class Meta:
        abstract = True

    @property
    def ledger_key(self) -> str:
        """The primary key of the row's entry in the ledger, if it is deleted. It has at most 64 characters."""
        return f"{self._meta.model_name} {self.pk}"


COUNTS = ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens")
"""The columns of the token counts. `Usage` has the same names."""
