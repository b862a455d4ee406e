"""Generations. Each is one run of a model that writes one assistant message.

`TRANSITIONS` has the statuses that a generation may go through.

Settling is one conditional update, so a second attempt changes nothing. While a generation is active,
`active_conversation` names its conversation. That column is unique, so every database refuses a second active
generation of the same conversation. Settling sets it to null.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from streaming.context import metadata_of
from streaming.errors import PUBLIC_MESSAGES
from streaming.models.clock import Now, from_now
from streaming.models.managers import WrittenManager
from streaming.models.metered import Metered, MeteredQuerySet, Status
from streaming.models.summaries import Summary
from streaming.protocol.ui_stream import Outcome
from streaming.records import tries_of

MAX_RAW_REASON_CHARS = 64
"""A longer finish reason of a provider is cut."""

ENDS = (Status.FINISHED, Status.CANCELLED, Status.FAILED, Status.TRUNCATED, Status.INTERRUPTED)
TRANSITIONS: dict[Status, tuple[Status, ...]] = {
    Status.PENDING: (Status.RUNNING, *ENDS),
    Status.RUNNING: ENDS,
    **dict.fromkeys(ENDS, ()),
}
"""The statuses that may follow each status. The documentation's diagram is made from it."""
ACTIVE = tuple(status for status, following in TRANSITIONS.items() if following)


class GenerationQuerySet(MeteredQuerySet["Generation"]):
    def active(self) -> GenerationQuerySet:
        return self.filter(status__in=ACTIVE)

    def held_by(self, worker: str, ids: Iterable[uuid.UUID]) -> GenerationQuerySet:
        return self.active().filter(worker=worker, pk__in=list(ids))

    def expired(self, seconds: float = 0) -> GenerationQuerySet:
        """Selects active generations whose lease ended more than `seconds` ago."""
        return self.active().filter(lease_until__lt=from_now(-seconds))

    def renew(self, seconds: float) -> None:
        """Marks the selected generations as running, and lets their leases end `seconds` from now."""
        started = Coalesce("started_at", Now())
        self.update(lease_until=from_now(seconds), status=Status.RUNNING, started_at=started)

    def settle(self, status: Status, **outcome: Any) -> bool:
        """Ends the selected generation with one of `ENDS`. Returns False if it has ended already."""
        changed = self.active().update(
            status=status,
            active_conversation=None,
            started_at=Coalesce("started_at", "created_at"),  # null if it ended before its first tick
            finished_at=Now(),
            lease_until=None,
            **outcome,
        )
        return changed == 1

    def mark_watched(self) -> None:
        """Notes that a reader in another process follows the selected generations now."""
        self.active().update(watched_at=Now())

    def watched_within(self, seconds: float) -> GenerationQuerySet:
        return self.filter(watched_at__gt=from_now(-seconds))

    def request_cancel(self, reason: str) -> bool:
        """Asks the worker to stop. Returns False if nothing runs. A second request changes nothing."""
        waiting = self.active()
        asked = waiting.filter(cancel_requested_at=None).update(cancel_requested_at=Now(), cancel_reason=reason)
        # The worker may have stopped between the two statements.
        return bool(asked) or waiting.exists()

    def before_delete(self) -> None:
        super().before_delete()
        Summary.objects.using(self.db).filter(generation__in=self.order_by().values("pk")).before_delete()
        self.keep_ticks_away()

    def keep_ticks_away(self) -> None:
        """Locks those that run, before their frames are deleted. A tick would write more, and the delete would fail."""
        list(self.active().select_for_update().values_list("pk"))


GenerationManager = WrittenManager.from_queryset(GenerationQuerySet)


class Generation(Metered):
    """One run of a model. Times are from the database's clock.

    `attempts` counts calls to the provider. `error_code` is a key of `errors.PUBLIC_MESSAGES`; `error_detail` is for
    staff. `worker` names the process that runs it and must renew `lease_until`.
    `last_seq` is the number of the last frame of its log. The frames up to `head_seq` repeat what earlier generations
    wrote into the same answer. `timeline` says when the answer grew, as `streaming.runner.Timeline` writes it.
    `context` says which part of the conversation the model was sent, as `streaming.context.Sent` has it; null if all
    of it.

    `provider` is the alias that was asked for, until another one answers in its place. `tried` has every try then, as
    `streaming.records.Tried`, with the alias that was asked for as the first.
    """

    id = models.UUIDField(_("id"), primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        "streaming.Conversation", on_delete=models.CASCADE, related_name="generations", verbose_name=_("conversation")
    )
    message = models.OneToOneField(
        "streaming.Message", on_delete=models.CASCADE, related_name="generation", verbose_name=_("message")
    )
    active_conversation = models.OneToOneField(
        "streaming.Conversation", on_delete=models.CASCADE, null=True, blank=True, related_name="active_generation"
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    finish_reason = models.CharField(_("finish reason"), max_length=32, blank=True)
    raw_finish_reason = models.CharField(_("provider's finish reason"), max_length=MAX_RAW_REASON_CHARS, blank=True)
    error_code = models.CharField(_("error code"), max_length=32, blank=True)
    error_detail = models.TextField(_("error detail"), blank=True)

    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    first_delta_ms = models.PositiveIntegerField(_("time to first delta, ms"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration, ms"), null=True, blank=True)
    timeline = models.JSONField(_("timeline"), null=True, blank=True)
    context = models.JSONField(_("what was sent"), null=True, blank=True)
    tried = models.JSONField(_("tried providers"), null=True, blank=True)

    worker = models.CharField(_("worker"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    watched_at = models.DateTimeField(_("watched from elsewhere"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True)
    cancel_reason = models.CharField(_("cancel reason"), max_length=32, blank=True)
    head_seq = models.PositiveIntegerField(_("last frame of what was said before"), default=0)
    last_seq = models.PositiveIntegerField(_("last frame"), default=0)

    is_answer = True

    objects = GenerationManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ("-created_at",)
        verbose_name = _("generation")
        verbose_name_plural = _("generations")
        permissions = (
            ("stop_generation", _("Can stop answers")),
            ("view_raw_events", _("Can view raw events and requests")),
        )
        indexes = (
            models.Index(fields=("status", "lease_until"), name="streaming_generation_lease"),
            models.Index(fields=("-created_at",), name="streaming_generation_created"),
            models.Index(fields=("provider", "-created_at"), name="streaming_generation_provider"),
        )

    def __str__(self) -> str:
        return f"{self.provider} {self.get_status_display()} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def was_reaped(self) -> bool:
        """True if another process settled it after its worker had died. Only the worker knows the duration."""
        return self.status == Status.INTERRUPTED and self.duration_ms is None

    @property
    def asked_provider(self) -> str:
        """The alias that was asked for. `provider` is another one if it answered in its place."""
        tries = tries_of(self.tried)
        return tries[0].provider if tries else self.provider

    @property
    def error_text(self) -> str:
        """The error message that people read; empty if there was no error."""
        message = PUBLIC_MESSAGES.get(self.error_code)
        return gettext(message) if message else ""

    @property
    def outcome(self) -> Outcome:
        """The end of a settled generation, for the UI stream."""
        return Outcome(
            status=self.status,
            finish_reason=self.finish_reason,
            error_text=self.error_text,
            metadata=self.metadata,
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """The message metadata for clients. Unknown values are left out.

        In a generation that continues an answer they are null instead. Clients merge metadata, so a value that is
        left out would keep what the earlier generation sent.
        """
        usage = {
            "inputTokens": self.input_tokens,
            "outputTokens": self.output_tokens,
            "cachedInputTokens": self.cached_input_tokens,
            "reasoningTokens": self.reasoning_tokens,
            "isEstimated": self.is_usage_estimated or None,
        }
        known: dict[str, Any] = {
            "status": self.status,
            "finishReason": self.finish_reason or None,
            "usage": self._without_unknown(usage) or None,
            "firstDeltaMs": self.first_delta_ms,
            "durationMs": self.duration_ms,
            "model": self.model or None,
            "error": self.error_text or None,
            "errorCode": self.error_code or None,
        }
        return self._without_unknown(known) | metadata_of(self.context)

    def _without_unknown(self, known: dict[str, Any]) -> dict[str, Any]:
        return known if self.head_seq else {name: value for name, value in known.items() if value is not None}
