"""The work of reviewers: a review is saved, and the next answer without one is found.

`?queue=` in the address holds the filters of the list that a reviewer works through, as they are in the list's address.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from streaming.admin import cells
from streaming.admin.back import page_to_return_to
from streaming.admin.changelist import ContentChangeList
from streaming.admin.permissions import May, Staff
from streaming.admin.search import as_uuid
from streaming.database import atomic
from streaming.models import RATINGS, Message, Review, Role
from streaming.protocol.storable import storable_text

if TYPE_CHECKING:
    from streaming.admin.read_only import ReadOnlyAdmin

MAX_NOTE_CHARS = 10_000


class Queue(ContentChangeList):
    """The rows of a list by its filters and its search. Nothing of them is shown."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list = []


class ReviewForm(forms.Form):
    """The fields of one review. Its prefix is the message's id, because a page has many of them in one HTML form."""

    rating = forms.TypedChoiceField(
        choices=[(rating, rating) for rating in RATINGS], coerce=int, empty_value=None, required=False
    )
    flag = forms.BooleanField(required=False)
    note = forms.CharField(required=False, max_length=MAX_NOTE_CHARS)


@require_POST
def save_review(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Saves a review. A script gets JSON; a form gets back to its page, or to the next answer."""
    if not Staff(request).may(May.READ, May.REVIEW):
        raise PermissionDenied
    message = get_object_or_404(Message.objects.filter(role=Role.ASSISTANT), pk=pk)
    form = ReviewForm(request.POST, prefix=str(pk))
    if not form.is_valid():
        return _refused(request, pk, form)
    review = _store(message, form, request.POST.getlist(f"{pk}-label"), request.user)
    if _wants_json(request):
        return JsonResponse({"state": cells.review_line(review)})
    if f"{pk}-next" in request.POST:
        queue = QueryDict(_back(request, pk).partition("?")[2]).get("queue", "")
        return HttpResponseRedirect(f"{reverse('admin:streaming_message_next')}?{queue}&{urlencode({'after': pk})}")
    return HttpResponseRedirect(f"{_back(request, pk)}#message-{pk}")


def _store(message: Message, form: ReviewForm, labels: list[str], user: Any) -> Review:
    """Stores the review. Of two people who save at the same time, the later one wins."""
    with atomic():
        review, _is_new = Review.objects.get_or_create(message=message)
        review.rating = form.cleaned_data["rating"]
        review.is_flagged = form.cleaned_data["flag"]
        review.note = form.cleaned_data["note"]
        review.label_set = map(storable_text, labels)  # PostgreSQL refuses NUL
        review.reviewer, review.reviewed_at = user, timezone.now()
        review.save()
    return review


def _refused(request: HttpRequest, pk: uuid.UUID, form: ReviewForm) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"state": str(form.errors.as_text())}, status=400)
    messages.error(request, form.errors.as_text())
    return HttpResponseRedirect(f"{_back(request, pk)}#message-{pk}")


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _back(request: HttpRequest, pk: uuid.UUID) -> str:
    """The page with the form."""
    here = request.POST.get(f"{pk}-here", "")
    return page_to_return_to(request, here, reverse("admin:streaming_message_change", args=[pk]))


@require_GET
def next_unreviewed(request: HttpRequest, model_admin: ReadOnlyAdmin[Message]) -> HttpResponse:
    """Leads to the newest answer without a review that the filters find; with `?after=`, to the next older one."""
    if not Staff(request).may(May.READ, May.REVIEW):
        raise PermissionDenied
    filters = request.GET.copy()
    after = filters.pop("after", [""])[-1]
    request.GET = filters  # type: ignore[assignment]  # the list reads its filters from here
    try:
        waiting = model_admin.get_changelist_instance(request).queryset
    except IncorrectLookupParameters:  # as Django's lists, to the list without filters
        return HttpResponseRedirect(f"{reverse('admin:streaming_message_changelist')}?{ERROR_FLAG}=1")
    waiting = waiting.filter(role=Role.ASSISTANT, review=None).order_by("-created_at", "-pk")
    found = _older(waiting, after).first() or waiting.first()
    if found is None:
        messages.success(request, _("Every answer of this list is reviewed."))
        return HttpResponseRedirect(f"{reverse('admin:streaming_message_changelist')}?{filters.urlencode()}")
    return HttpResponseRedirect(_page_of(request, found, filters.urlencode()))


def _older(waiting: Any, after: str) -> Any:
    key = as_uuid(after)
    last = Message.objects.only("created_at").filter(pk=key).first() if key else None
    if last is None:
        return waiting
    return waiting.filter(created_at__lte=last.created_at).exclude(created_at=last.created_at, pk__gte=last.pk)


def _page_of(request: HttpRequest, message: Message, queue: str) -> str:
    """The conversation around the message, or the message alone for staff who may not view conversations."""
    query = urlencode({"at": message.pk, "queue": queue})
    if request.user.has_perm("streaming.view_conversation"):
        page = reverse("admin:streaming_conversation_change", args=[message.conversation_id])
    else:
        page = reverse("admin:streaming_message_change", args=[message.pk])
    return f"{page}?{query}#message-{message.pk}"
