"""The filters of the admin's lists. Each means what its title and the list's columns say.

Most of them are facts about answers, so one class serves three lists: `REACH` leads from a list's rows to generations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, get_args

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from streaming.admin.search import either
from streaming.conf import settings
from streaming.errors import PUBLIC_MESSAGES
from streaming.models import (
    FAILURES,
    RATINGS,
    Conversation,
    Generation,
    Message,
    OwnerKind,
    Review,
    Status,
    Thumb,
    listed,
)
from streaming.protocol import FinishReason
from streaming.tools import registered

REACH = {Conversation: "conversation", Message: "message", Generation: "pk"}
"""The model of a list -> the column of a generation that names its row."""

MOST_CHOICES = 100
# Django's own `message__review=None` would read all messages to get from an answer to its review.
UNREVIEWED = Q(~Exists(Review.objects.filter(message=OuterRef("message"))))
INBOX = (
    Q(message__review__is_flagged=True),
    UNREVIEWED & Q(status__in=FAILURES),
    UNREVIEWED & Q(message__feedback__thumb=Thumb.DOWN),
)
"""What waits for a reviewer: flagged answers, and failed or disliked ones that nobody has reviewed."""


class AnswerFilter(admin.SimpleListFilter):
    """Rows by a fact about an answer. In the list of conversations, one answer of the conversation is enough.

    A filter that `tells_content` is only for staff who may read content.
    """

    tells_content = False

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Any], model_admin: Any) -> None:
        if model is Conversation:
            self.title = _("%(fact)s of an answer") % {"fact": self.title}
        super().__init__(request, params, model, model_admin)

    def conditions(self, value: str) -> Sequence[Q]:
        """Returns conditions on generations, of which one must hold. Each is a query that can use an index."""
        return [Q(**{self.parameter_name or "": value})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value or value not in dict(self.lookup_choices):
            return queryset
        conditions = self.conditions(value)
        if queryset.model is Generation and len(conditions) == 1:
            return queryset.filter(*conditions)
        answers = (Generation.objects.order_by().filter(condition) for condition in conditions)
        return queryset.filter(pk__in=either(*(found.values(REACH[queryset.model]) for found in answers)))


class _OneOf(AnswerFilter):
    """A filter whose values are known. Django's own filter would run `SELECT DISTINCT` over the whole table."""

    choices_of: ClassVar[Callable[[], Iterable[tuple[str, Any]]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(type(self).choices_of())


class _Used(AnswerFilter):
    """A filter by the values that the column of generations has."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        column = self.parameter_name or ""
        values = Generation.objects.order_by(column).values_list(column, flat=True).distinct()[:MOST_CHOICES]
        return [(value, value) for value in values if value]


def _words(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(value, value.replace("_", " ")) for value in values]


class LastStatusFilter(admin.SimpleListFilter):
    """Conversations by the status of their newest generation, which the list's column shows.

    The list's query has it as `newest_status`.
    """

    title = _("last status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(newest_status=self.value()) if self.value() in Status.values else queryset


class StatusFilter(_OneOf):
    title = _("status")
    parameter_name = "status"
    choices_of = staticmethod(lambda: Status.choices)


class FinishReasonFilter(_OneOf):
    title = _("finish reason")
    parameter_name = "finish_reason"
    choices_of = staticmethod(lambda: _words(get_args(FinishReason)))


class ErrorCodeFilter(_OneOf):
    title = _("error code")
    parameter_name = "error_code"
    choices_of = staticmethod(lambda: _words(PUBLIC_MESSAGES))


class ProviderFilter(_Used):
    title = _("provider")
    parameter_name = "provider"


class ModelFilter(_Used):
    title = _("model")
    parameter_name = "model"


def _tools() -> list[tuple[str, str]]:
    try:
        return [(name, name) for name in registered()]
    except ImproperlyConfigured:
        return []  # the system check reports it


class ToolFilter(_OneOf):
    tells_content = True
    title = _("called tool")
    parameter_name = "tool"
    choices_of = staticmethod(_tools)

    def conditions(self, value: str) -> Sequence[Q]:
        return [Q(message__tool_names__contains=listed(value))]


class FeedbackFilter(_OneOf):
    title = _("feedback")
    parameter_name = "feedback"
    choices_of = staticmethod(lambda: [(str(thumb.value), thumb.label) for thumb in Thumb])

    def conditions(self, value: str) -> Sequence[Q]:
        return [Q(message__feedback__thumb=int(value))]


REVIEW_STATES: dict[str, tuple[Any, Sequence[Q]]] = {
    "inbox": (_("in the inbox"), INBOX),
    "flagged": (_("flagged"), [Q(message__review__is_flagged=True)]),
    "reviewed": (_("reviewed"), [Q(message__review__isnull=False)]),
    "unreviewed": (_("not reviewed"), [UNREVIEWED]),
}


class ReviewFilter(_OneOf):
    title = _("review")
    parameter_name = "review"
    choices_of = staticmethod(lambda: [(name, label) for name, (label, _conditions) in REVIEW_STATES.items()])

    def conditions(self, value: str) -> Sequence[Q]:
        return REVIEW_STATES[value][1]


class RatingFilter(_OneOf):
    title = _("rating")
    parameter_name = "rating"
    choices_of = staticmethod(lambda: [(str(rating), str(rating)) for rating in RATINGS])

    def conditions(self, value: str) -> Sequence[Q]:
        return [Q(message__review__rating=int(value))]


class LabelFilter(_OneOf):
    title = _("label")
    parameter_name = "label"
    choices_of = staticmethod(lambda: [(label, label) for label in settings.REVIEW_LABELS])

    def conditions(self, value: str) -> Sequence[Q]:
        return [Q(message__review__labels__contains=listed(value))]


OWNERS = {
    "account": (_("accounts"), OwnerKind.USER),
    "visitor": (_("visitors"), OwnerKind.VISITOR),
    "code": (_("the site's code"), OwnerKind.CODE),
}


class OwnerFilter(admin.SimpleListFilter):
    title = _("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, (label, _kind) in OWNERS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in OWNERS:
            return queryset
        path = "" if queryset.model is Conversation else "conversation__"
        return queryset.filter(**{f"{path}owner_key__startswith": OWNERS[self.value() or ""][1].prefix})


FACTS = (FinishReasonFilter, ErrorCodeFilter, ProviderFilter, ModelFilter)
REVIEWS = (ReviewFilter, LabelFilter, RatingFilter, FeedbackFilter)
