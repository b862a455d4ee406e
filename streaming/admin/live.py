"""A running answer in the admin: staff watch it, by the log that its owner reads, and stop it.

These views are async, because a stream must not hold a thread. Django's `admin_view` is for sync views only, so
`staff_only` asks the admin site and the permissions itself.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import msgspec
from asgiref.sync import sync_to_async
from django.contrib import messages
from django.db import close_old_connections
from django.http import (
    HttpRequest,
    HttpResponseBase,
    HttpResponseForbidden,
    HttpResponseNotAllowed,
    HttpResponseNotFound,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.utils.translation import gettext as _

from streaming.access import is_redacting, refuse_sync
from streaming.admin.back import page_to_return_to
from streaming.admin.permissions import May, Staff
from streaming.errors import RequestError
from streaming.models import Action, Generation, Owner, StaffAccess
from streaming.supervisor import stop
from streaming.views import database_refusals, outside_transactions, refusal, stream_answer

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

View = Callable[[HttpRequest, Staff, Generation], Coroutine[Any, Any, HttpResponseBase]]

SHOWN = {"start", "text-start", "text-delta", "tool-input-available", "finish", "error", "abort"}
OUTPUTS = {"tool-output-available", "tool-output-error", "tool-output-denied"}
REASONING = {"reasoning-start", "reasoning-delta"}
NEVER = {"providerMetadata", "messageMetadata"}
"""Fields of chunks that hold what only a restore needs, reasoning among it."""


def staff_only(site: AdminSite, method: str, *needed: May) -> Callable[[View], Callable[..., Any]]:
    """Calls a view for staff with all permissions, with the generation that the address names.

    A refusal, also one of the database, is answered with its text and status.
    """

    def decorate(view: View) -> Callable[..., Any]:
        @outside_transactions
        @functools.wraps(view)
        async def guarded(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
            if request.method != method:
                return HttpResponseNotAllowed([method])
            try:
                with database_refusals():
                    staff, generation = await sync_to_async(_admit)(site, request, needed, pk)
                    if staff is None:
                        return HttpResponseForbidden(_("You may not do this."))
                    if generation is None:
                        return HttpResponseNotFound(_("There is no such answer."))
                    return await view(request, staff, generation)
            except RequestError as error:
                return refusal(error)

        return guarded

    return decorate


def _admit(
    site: AdminSite, request: HttpRequest, needed: tuple[May, ...], pk: uuid.UUID
) -> tuple[Staff | None, Generation | None]:
    """Asks all questions in one trip to the request's thread."""
    try:
        staff = Staff(request)
        if not (site.has_permission(request) and staff.may(*needed)):
            return None, None
        staff.reads_reasoning = staff.may(May.READ_REASONING)
        staff.sees_unredacted = not is_redacting() or staff.may(May.SEE_RAW)
        return staff, Generation.objects.filter(pk=pk).first()
    finally:
        close_old_connections()


async def watch_answer(request: HttpRequest, staff: Staff, generation: Generation) -> HttpResponseBase:
    """Streams the answer from its first frame. What is redacted cannot be watched, because parts are not complete."""
    if not staff.sees_unredacted:
        return HttpResponseForbidden(_("This site redacts content, so only its end can be shown."))
    refuse_sync(request)
    await sync_to_async(StaffAccess.objects.record)(staff.user, Action.WATCH, "generation", generation.pk)
    shown = SHOWN | OUTPUTS | (REASONING if staff.reads_reasoning else set())
    return await stream_answer(
        request, Owner.of_user(staff.user.pk), generation, encode=functools.partial(_encoded, shown), comes_back=True
    )


def _encoded(shown: set[str], chunk: dict[str, Any]) -> bytes:
    if chunk["type"] not in shown:
        return b""
    kept = {name: value for name, value in chunk.items() if name not in NEVER}
    return b"data: %b\n\n" % msgspec.json.encode(kept)


async def stop_answer(request: HttpRequest, staff: Staff, generation: Generation) -> HttpResponseBase:
    """Stops the answer, in whichever process it runs, and leads back to the page."""
    outcome = await stop(generation.pk, "staff")
    text = _("The answer is being stopped.") if outcome == "stopping" else _("The answer was over already.")
    await sync_to_async(messages.info)(request, text)
    own_page = reverse("admin:streaming_generation_change", args=[generation.pk])
    return HttpResponseRedirect(page_to_return_to(request, request.headers.get("Referer", ""), own_page))
